"""People who sign in: list, add, give and end access, replace a password."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.access import OFFICE_ROLES, ROLES
from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.people import one_time_codes, passwords
from fieldapp.services.people.second_factor import remove_factors
from fieldapp.services.phones.missing import MissingRecords, find_missing
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store.operations import centres, epochs
from fieldapp.store.operations.centres import Centre
from fieldapp.store.operations.epochs import Epoch
from fieldapp.store.people import passkeys, second_factors, sign_on_links, users, web_sessions
from fieldapp.store.people.users import User
from fieldapp.store.phones import devices
from fieldapp.store.phones.devices import Device
from fieldapp.store.session import Session

MIN_LENGTH = 12  # characters of a password
MAX_LENGTH = 1000  # a longer one would only keep the server busy with hashing
CHANGES = (
    "person.add",
    "person.reset_password",
    "person.own_password",
    "person.code_password",
    "person.set_active",
    "second_factor.reset",
)
USERNAME = re.compile(r"[a-z0-9][a-z0-9._\-]{2,63}")


@dataclass(frozen=True)
class PeoplePage:
    centre: Centre
    users: Sequence[User]
    devices: Sequence[Device]
    missing: dict[int, MissingRecords]  # by phone
    restored: Epoch | None  # the last time that a copy was put back
    epoch: int  # its number; 0 where none was
    second_factors: set[int]  # people who have set one up
    linked: set[int]  # people whose account a sign-on provider opens, too
    without_factor: set[int]  # people who could not sign in to the web pages, since they have set up none


@read_act("people.list")
def list_people(ctx: ActContext) -> PeoplePage:
    """Return the centre's people and their phones, with what is missing of each phone."""
    phones = devices.list_for(ctx.session, ctx.centre_id)
    centre = centres.get(ctx.session, ctx.centre_id)
    people = users.list_for(ctx.session, ctx.centre_id)
    have_one = second_factors.list_users_with_second_factor(ctx.session, ctx.centre_id)
    have_one |= passkeys.list_users_with_passkey(ctx.session, ctx.centre_id)
    asked = {user.id for user in people if user.role in OFFICE_ROLES and centre.asks_second_factor}
    return PeoplePage(
        centre=centre,
        users=people,
        devices=phones,
        missing=find_missing(ctx.session, phones, with_numbers=True),
        restored=epochs.last_restore(ctx.session),
        epoch=epochs.current(ctx.session),
        second_factors=have_one,
        linked=sign_on_links.list_linked_users(ctx.session, ctx.centre_id),
        without_factor=asked - have_one,
    )


@act("person.add")
def add_person(ctx: ActContext, username: str, label: str, role: str, password: str = "") -> str:
    """Add a person and return their password, which is shown once and stored as a hash.

    Raises ActProblem for a user name that is malformed or taken, or an incomplete person.
    """
    username = username.strip().lower()
    if not USERNAME.fullmatch(username):
        text = N_("A user name has 3 to 64 small letters, digits, dots or dashes.")
        raise ActProblem("person.username", text)
    if role not in ROLES or not label.strip():
        raise ActProblem("person.incomplete", N_("Give the person a display name and a role."))
    if users.by_username(ctx.session, username):
        raise ActProblem("person.taken", N_("This user name is taken. Choose another one."))
    password = password or passwords.generate_password()
    user = User(
        centre_id=ctx.centre_id,
        username=username,
        label=label.strip()[:64],
        role=role,
        password=passwords.hash_password(password),
        fs_uniquifier=secrets.token_hex(32),
        created_at=ctx.now,
    )
    ctx.session.add(user)
    ctx.session.flush()
    ctx.describe(f"user/{user.id}", role=role)
    return password


@act("person.set_active")
def set_person_active(ctx: ActContext, user_id: int, active: bool, seen: str | None = None) -> None:
    """Give a person access, or end it at once in browsers and on phones.

    `seen` is the revision that the page showed. Raises ActProblem "person.self": nobody can end
    their own access.
    """
    user = _get_user(ctx, user_id)
    check_revision(ctx, seen, user, f"user/{user.id}", CHANGES)
    if user.id == ctx.actor.user_id:
        raise ActProblem("person.self", N_("You cannot switch off your own account."))
    was_active = user.active
    user.active = active
    _end_sessions(ctx, user)
    if active != was_active:
        user.switched_off_at = None if active else ctx.now
    ctx.describe(f"user/{user.id}", active=active)


@act("person.reset_password")
def reset_password(ctx: ActContext, user_id: int, seen: str | None = None) -> str:
    """Return a colleague's new password; their old one, sessions and phones stop working."""
    user = _get_user(ctx, user_id)
    if user.id == ctx.actor.user_id:
        text = N_("You change your own password with the old one: “Change my password”.")
        raise ActProblem("person.self", text)
    check_revision(ctx, seen, user, f"user/{user.id}", CHANGES)
    return _replace_password(ctx, user)[0]


@dataclass(frozen=True)
class RestoredAccess:
    """What a command did for somebody who was locked out."""

    user_id: int
    password: str
    label: str
    phones: int  # that were signed out by it
    is_active: bool
    had_second_factor: bool  # one that was taken away


@act("person.reset_password")
def restore_access(ctx: ActContext, username: str, second_factor: bool = False, switch_on: bool = False) -> RestoredAccess:
    """Give somebody who is locked out a new password, by command.

    `second_factor` also removes their second factor; `switch_on` also gives access again.
    Raises ActProblem "person.unknown".
    """
    user = users.by_username(ctx.session, username.strip().lower())
    if user is None or user.centre_id != ctx.centre_id:
        raise make_unknown_person(username)
    password, phones = _replace_password(ctx, user)
    if switch_on and not user.active:
        user.active = True
        user.switched_off_at = None
    had_factor = second_factor and remove_factors(ctx.session, user.id)
    ctx.describe(f"user/{user.id}", by="command", second_factor=had_factor, active=user.active)
    return RestoredAccess(user.id, password, user.label, phones, user.active, had_factor)


def make_unknown_person(username: str) -> ActProblem:
    """Return what a command says of a user name that nobody at its centre has."""
    text = N_("Nobody at this centre signs in as “{name}”. See: fieldapp person list CENTRE")
    return ActProblem("person.unknown", text, {"name": username})


@read_act("person.view_own")
def see_own_name(ctx: ActContext) -> str:
    """Return the actor's own sign-in name."""
    return _get_user(ctx, ctx.actor.user_id or 0).username


@act("person.own_password")
def change_own_password(ctx: ActContext, old: str, new: str) -> None:
    """Replace the actor's own password; their sessions end, this one too."""
    user = _get_user(ctx, ctx.actor.user_id or 0)
    if not passwords.verify_password(user.password, old[:MAX_LENGTH]):
        raise ActProblem("person.old_password", N_("The old password is wrong."))
    _check_length(new)
    user.password = passwords.hash_password(new)
    _end_sessions(ctx, user)
    ctx.describe(f"user/{user.id}")


def set_forgotten_password(session: Session, username: str, code: str, new: str) -> None:
    """Replace a password that was forgotten, with a one-time code that an administrator gave.

    All sessions of the person end; their phones go on, and a second step is asked for as before. Raises ActProblem
    "person.code" or "person.new_password".
    """
    _check_length(new)
    user = users.by_username(session, username.strip().lower()[:64])
    if user is None or not user.active:
        raise ActProblem("person.code", one_time_codes.PASSWORD_REFUSED)
    _set_forgotten_password(session, Actor(user.centre_id, user.role, user.id), code=code, new=new)


@act("person.code_password")
def _set_forgotten_password(ctx: ActContext, code: str, new: str) -> None:
    user = _get_user(ctx, ctx.actor.user_id or 0)
    one_time_codes.use_password_code(ctx, code)
    user.password = passwords.hash_password(new)
    _end_sessions(ctx, user)
    sign_on_links.delete_of_user(ctx.session, user.id)
    ctx.describe(f"user/{user.id}")


def _check_length(new: str) -> None:
    """Raise ActProblem for a password that is too short, or too long to hash."""
    if not MIN_LENGTH <= len(new) <= MAX_LENGTH:
        text = N_("A password has 12 characters or more. Several words are good.")
        raise ActProblem("person.new_password", text)


def _replace_password(ctx: ActContext, user: User) -> tuple[str, int]:
    """Give a person a new password; return it, and how many phones were signed out."""
    password = passwords.generate_password()
    user.password = passwords.hash_password(password)
    _end_sessions(ctx, user)
    # Who had the old password may have linked an account of theirs.
    sign_on_links.delete_of_user(ctx.session, user.id)
    phones = devices.of_user(ctx.session, user.id)
    open_phones = [device for device in phones if device.revoked_at is None]
    for device in open_phones:
        device.revoked_at = ctx.now
    ctx.describe(f"user/{user.id}")
    return password, len(open_phones)


def _end_sessions(ctx: ActContext, user: User) -> None:
    """End a person's sessions in all browsers, and any pause after wrong tries."""
    user.fs_uniquifier = secrets.token_hex(32)
    web_sessions.delete_of_user(ctx.session, user.id)


def _get_user(ctx: ActContext, user_id: int) -> User:
    user = users.of_centre(ctx.session, ctx.centre_id, user_id)
    if user is None:
        raise make_not_found()
    return user
