"""What is typed and chosen on the page of people and phones, which is one page."""

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import EqualTo, InputRequired, Length, NumberRange

from fieldapp.services.access import ROLES
from fieldapp.web.office.people.words import ROLE_NAMES


class PersonInput(FlaskForm):  # type: ignore[misc]
    username = StringField(lazy_gettext("User name"), [InputRequired(), Length(max=64)])
    label = StringField(lazy_gettext("Display name"), [InputRequired(), Length(max=64)])
    role = SelectField(
        lazy_gettext("Role"),
        choices=[SelectChoice(role, lazy_gettext(ROLE_NAMES[role])) for role in ROLES],
        default=ROLES[0],
    )


class OwnPasswordInput(FlaskForm):  # type: ignore[misc]
    old = PasswordField(lazy_gettext("The old password"), [InputRequired()], render_kw={"autocomplete": "current-password"})
    new = PasswordField(lazy_gettext("The new password"), [InputRequired()], render_kw={"autocomplete": "new-password"})
    again = PasswordField(
        lazy_gettext("The new password again"),
        [InputRequired(), EqualTo("new", lazy_gettext("The two are not the same."))],
        render_kw={"autocomplete": "new-password"},
    )


class RulesInput(FlaskForm):  # type: ignore[misc]
    """What the centre's phones keep to."""

    lock_minutes = IntegerField(lazy_gettext("Minutes without use until the phone locks"), [NumberRange(1, 30)])
    shred_days = IntegerField(lazy_gettext("Days until sent records are deleted from the phone"), [NumberRange(1, 30)])
    has_voice_notes = BooleanField(lazy_gettext("Allow voice notes where a form asks for one"))
    by_invitation = BooleanField(lazy_gettext("Phones join by invitation only, not by a password"))
    allows_collect = BooleanField(lazy_gettext("Allow ODK Collect (its records are not encrypted on the phone)"))


class RescueInput(FlaskForm):  # type: ignore[misc]
    rescue = FileField(lazy_gettext("Encrypted copy from a phone (.json)"))
