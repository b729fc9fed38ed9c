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
from fieldapp.store import centres, devices, epochs, second_factors, users
from fieldapp.store.centres import Centre
from fieldapp.store.devices import Device
from fieldapp.store.epochs import Epoch
from fieldapp.store.users import User

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
def switch_person(a: Act, user_id: int, active: bool) -> None:
    """Let a person in, or keep them out at once, in browsers and on phones. Nobody can switch themselves off."""
    user = _of_centre(a, user_id)
    if user.id == a.actor.user_id:
        raise ActProblem("person.self", N_("You cannot switch off your own account."))
    was_active = user.active
    user.active, user.fs_uniquifier = active, secrets.token_hex(32)
    if active != was_active:
        user.switched_off_at = None if active else a.now
    a.note(f"user/{user.id}", active=active)


@act("person.reset")
def reset_password(a: Act, user_id: int) -> str:
    """Return a new password; the old one, the sessions and the phones of the person stop working."""
    user = _of_centre(a, user_id)
    password = passwords.make_password()
    user.password, user.fs_uniquifier = passwords.hash_password(password), secrets.token_hex(32)
    for device in devices.of_user(a.session, user.id):
        device.revoked_at = device.revoked_at or a.now
    a.note(f"user/{user.id}")
    return password


def _of_centre(a: Act, user_id: int) -> User:
    user = users.of_centre(a.session, a.centre_id, user_id)
    if user is None:
        raise not_found()
    return user
