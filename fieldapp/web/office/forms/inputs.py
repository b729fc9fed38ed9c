"""What is uploaded or typed to begin a form."""

from flask import request
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import MultipleFileField, StringField
from wtforms.validators import InputRequired, Length

from fieldapp.web.parsing import parse_number


class UploadInput(FlaskForm):  # type: ignore[misc]
    workbook = FileField(lazy_gettext("XLSForm workbook (.xlsx or .xls)"))
    lists = MultipleFileField(lazy_gettext("CSV lists that belong to it (if any)"))


class NewFormInput(FlaskForm):  # type: ignore[misc]
    title = StringField(lazy_gettext("Title of the new form"), [InputRequired(), Length(max=120)])


def read_revision() -> int:
    """Return the revision of the draft that a page showed; 0 (never current) if it sent none."""
    return parse_number(request.form.get("revision", ""))
