"""What people type to sign in."""

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length


class SignInInput(FlaskForm):  # type: ignore[misc]
    username = StringField(
        lazy_gettext("User name"),
        [InputRequired(), Length(max=64)],
        render_kw={"autocomplete": "username", "autocapitalize": "none"},
    )
    password = PasswordField(
        lazy_gettext("Password"), [InputRequired(), Length(max=1000)], render_kw={"autocomplete": "current-password"}
    )


class SignOnCodeInput(FlaskForm):  # type: ignore[misc]
    username = StringField(
        lazy_gettext("User name"),
        [InputRequired(), Length(max=64)],
        render_kw={"autocomplete": "username", "autocapitalize": "none"},
    )
    code = StringField(
        lazy_gettext("One-time code"),
        [InputRequired(), Length(max=64)],
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"},
    )


class ForgottenPasswordInput(FlaskForm):  # type: ignore[misc]
    username = StringField(
        lazy_gettext("User name"),
        [InputRequired(), Length(max=64)],
        render_kw={"autocomplete": "username", "autocapitalize": "none"},
    )
    code = StringField(
        lazy_gettext("One-time code"),
        [InputRequired(), Length(max=64)],
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"},
    )
    new = PasswordField(lazy_gettext("The new password"), [InputRequired()], render_kw={"autocomplete": "new-password"})
    again = PasswordField(
        lazy_gettext("The new password again"),
        [InputRequired(), EqualTo("new", lazy_gettext("The two are not the same."))],
        render_kw={"autocomplete": "new-password"},
    )
