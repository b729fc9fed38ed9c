"""What people type to sign in."""

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length


class SignInInput(FlaskForm):  # type: ignore[misc]
    username = StringField(
        lazy_gettext("User name"),
        [InputRequired(), Length(max=64)],
        render_kw={"autocomplete": "username", "autocapitalize": "none"},
    )
    password = PasswordField(
        lazy_gettext("Password"), [InputRequired(), Length(max=1000)], render_kw={"autocomplete": "current-password"}
    )
