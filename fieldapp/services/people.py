"""People who sign in: list, add, switch on and off, give a new password."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services import passwords
from fieldapp.services.access import ROLES
from fieldapp.services.acts import Act, act, reading
from fieldapp.services.missing import Missing, missing_of
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store import centres, devices, epochs, second_factors, users
from fieldapp.store.centres import Centre
from fieldapp.store.devices import Device
from fieldapp.store.epochs import Epoch
from fieldapp.store.users import User

LEAST, MOST = 12, 1000  # characters of a password
CHANGES = ("person.add", "person.reset", "person.own_password", "person.switch", "second_factor.reset")
USERNAME = re.compile(r"[a-z0-9][a-z0-9._\-]{2,63}")


@dataclass(frozen=True)
class People:
    centre: Centre
    users: Sequence[User]
    devices: Sequence[Device]
    missing: dict[int, Missing]  # by phone
    restored: Epoch | None  # the last time that a copy was put back
    second_factors: set[int]  # people who have set one up


@reading("people.list")
def list_people(a: Act) -> People:
    listed = devices.list_for(a.session, a.centre_id)
    missing, restored = missing_of(a.session, listed, with_numbers=True), epochs.last_restore(a.session)
    centre, with_one = centres.get(a.session, a.centre_id), second_factors.with_one(a.session, a.centre_id)
    return People(centre, users.list_for(a.session, a.centre_id), listed, missing, restored, with_one)


@act("person.add")
def add_person(a: Act, username: str, label: str, role: str, password: str = "") -> str:
    """Add a person and return their password, which is shown once and kept only as a hash."""
    username = username.strip().lower()
    if not USERNAME.fullmatch(username):
        text = N_("A sign-in name has 3 to 64 small letters, digits, dots or dashes.")
        raise ActProblem("person.username", text)
    if role not in ROLES or not label.strip():
        raise ActProblem("person.incomplete", N_("Give the person a label and a role."))
    if users.by_username(a.session, username):
        raise ActProblem("person.taken", N_("This sign-in name is taken. Choose another one."))
    password = password or passwords.make_password()
    user = User(
        centre_id=a.centre_id,
        username=username,
        label=label.strip()[:64],
        role=role,
        password=passwords.hash_password(password),
        fs_uniquifier=secrets.token_hex(32),
        created_at=a.now,
    )
    a.session.add(user)
    a.session.flush()
    a.note(f"user/{user.id}", role=role)
    return password


@act("person.switch")
def switch_person(a: Act, user_id: int, active: bool, seen: str | None = None) -> None:
    """Let a person in, or keep them out at once, in browsers and on phones. Nobody can switch themselves off."""
    user = _of_centre(a, user_id)
    check_revision(a, seen, user, f"user/{user.id}", CHANGES)
    if user.id == a.actor.user_id:
        raise ActProblem("person.self", N_("You cannot switch off your own account."))
    was_active = user.active
    user.active, user.fs_uniquifier = active, secrets.token_hex(32)
    if active != was_active:
        user.switched_off_at = None if active else a.now
    a.note(f"user/{user.id}", active=active)


@act("person.reset")
def reset_password(a: Act, user_id: int, seen: str | None = None) -> str:
    """Return a colleague's new password; the old one, their sessions and their phones stop working."""
    user = _of_centre(a, user_id)
    if user.id == a.actor.user_id:
        raise ActProblem("person.self", N_("You change your own password with the old one: “Change my password”."))
    check_revision(a, seen, user, f"user/{user.id}", CHANGES)
    return _replace_password(a, user)[0]


@dataclass(frozen=True)
class LetBackIn:
    """What a command did for somebody who was locked out."""

    password: str
    label: str
    phones: int  # that were signed out by it
    is_active: bool
    had_second_factor: bool  # one that was taken away


@act("person.reset")
def let_back_in(a: Act, username: str, second_factor: bool = False, switch_on: bool = False) -> LetBackIn:
    """Give somebody who is locked out a new password, by command; the rest only where it is asked for."""
    user = users.by_username(a.session, username.strip().lower())
    if user is None or user.centre_id != a.centre_id:
        text = N_("Nobody at this centre signs in as “{name}”. See: fieldapp person list CENTRE")
        raise ActProblem("person.unknown", text, {"name": username})
    password, phones = _replace_password(a, user)
    user.active = user.active or switch_on
    factor = second_factors.of_user(a.session, user.id) if second_factor else None
    if factor is not None:
        a.session.delete(factor)
    a.note(f"user/{user.id}", by="command", second_factor=factor is not None, active=user.active)
    return LetBackIn(password, user.label, phones, user.active, factor is not None)


@reading("person.see_own")
def see_own_name(a: Act) -> str:
    """Return the actor's own sign-in name."""
    return _of_centre(a, a.actor.user_id or 0).username


@act("person.own_password")
def change_own_password(a: Act, old: str, new: str) -> None:
    """Replace the actor's own password; their sessions end, this one too."""
    user = _of_centre(a, a.actor.user_id or 0)
    if not passwords.is_right(user.password, old[:MOST]):
        raise ActProblem("person.old_password", N_("The old password is wrong."))
    if not LEAST <= len(new) <= MOST:
        raise ActProblem("person.new_password", N_("A password has 12 characters or more. Several words are good."))
    user.password, user.fs_uniquifier = passwords.hash_password(new), secrets.token_hex(32)
    a.note(f"user/{user.id}")


def _replace_password(a: Act, user: User) -> tuple[str, int]:
    """Give a person a new password, and return it with how many phones were signed out."""
    password = passwords.make_password()
    user.password, user.fs_uniquifier = passwords.hash_password(password), secrets.token_hex(32)
    held = [device for device in devices.of_user(a.session, user.id) if device.revoked_at is None]
    for device in held:
        device.revoked_at = a.now
    a.note(f"user/{user.id}")
    return password, len(held)


def _of_centre(a: Act, user_id: int) -> User:
    user = users.of_centre(a.session, a.centre_id, user_id)
    if user is None:
        raise not_found()
    return user
