"""What is uploaded or typed to begin a form."""

from flask import request
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import MultipleFileField, StringField
from wtforms.validators import InputRequired, Length


class UploadInput(FlaskForm):  # type: ignore[misc]
    workbook = FileField(lazy_gettext("XLSForm workbook (.xlsx or .xls)"))
    lists = MultipleFileField(lazy_gettext("CSV lists that belong to it (if any)"))


class NewFormInput(FlaskForm):  # type: ignore[misc]
    title = StringField(lazy_gettext("Title of the new form"), [InputRequired(), Length(max=120)])


def read_revision() -> int:
    return read_number("revision") or 0


def read_number(key: str) -> int | None:
    text = request.form.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 9 else None
