"""What admins type and choose."""

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import DateField, Form, MultipleFileField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from fieldapp.services.access import ROLES
from fieldapp.web.words import ROLES as ROLE_NAMES


class FilterInput(Form):  # type: ignore[misc]
    """The filter of the list of records; it stays in the address."""

    form = SelectField(lazy_gettext("Form"), validate_choice=False)
    area = SelectField(lazy_gettext("Neighbourhood"), validate_choice=False)
    worker = SelectField(lazy_gettext("Worker"), validate_choice=False)
    since = DateField(lazy_gettext("From"), [Optional()])
    until = DateField(lazy_gettext("To"), [Optional()])


class PersonInput(FlaskForm):  # type: ignore[misc]
    username = StringField(lazy_gettext("Sign-in name"), [InputRequired(), Length(max=64)])
    label = StringField(lazy_gettext("Label"), [InputRequired(), Length(max=64)])
    role = SelectField(
        lazy_gettext("Role"),
        choices=[SelectChoice(role, lazy_gettext(ROLE_NAMES[role])) for role in ROLES],
        default=ROLES[0],
    )


class UploadInput(FlaskForm):  # type: ignore[misc]
    workbook = FileField(lazy_gettext("XLSForm workbook (.xlsx or .xls)"))
    lists = MultipleFileField(lazy_gettext("CSV lists that belong to it (if any)"))


class NewFormInput(FlaskForm):  # type: ignore[misc]
    title = StringField(lazy_gettext("Title of the new form"), [InputRequired(), Length(max=120)])
