"""The filter of the list of records."""

from flask_babel import lazy_gettext
from wtforms import DateField, Form, SelectField
from wtforms.validators import Optional


class FilterInput(Form):  # type: ignore[misc]
    """The filter of the list of records; it stays in the address."""

    form = SelectField(lazy_gettext("Form"), validate_choice=False)
    area = SelectField(lazy_gettext("Neighbourhood"), validate_choice=False)
    worker = SelectField(lazy_gettext("Worker"), validate_choice=False)
    since = DateField(lazy_gettext("From"), [Optional()])
    until = DateField(lazy_gettext("To"), [Optional()])
