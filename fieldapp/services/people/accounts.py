"""People who sign in: list, add, switch on and off, give a new password."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.access import ROLES
from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.people import passwords
from fieldapp.services.people.sign_in import lift_pause
from fieldapp.services.phones.missing import Missing, missing_of
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.people import second_factors, users
from fieldapp.store.people.users import User
from fieldapp.store.phones import devices, epochs
from fieldapp.store.phones.devices import Device
from fieldapp.store.phones.epochs import Epoch

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


@read_act("people.list")
def list_people(ctx: ActContext) -> People:
    listed = devices.list_for(ctx.session, ctx.centre_id)
    missing, restored = missing_of(ctx.session, listed, with_numbers=True), epochs.last_restore(ctx.session)
    centre, with_one = centres.get(ctx.session, ctx.centre_id), second_factors.with_one(ctx.session, ctx.centre_id)
    return People(centre, users.list_for(ctx.session, ctx.centre_id), listed, missing, restored, with_one)


@act("person.add")
def add_person(ctx: ActContext, username: str, label: str, role: str, password: str = "") -> str:
    """Add a person and return their password, which is shown once and kept only as a hash."""
    username = username.strip().lower()
    if not USERNAME.fullmatch(username):
        text = N_("A user name has 3 to 64 small letters, digits, dots or dashes.")
        raise ActProblem("person.username", text)
    if role not in ROLES or not label.strip():
        raise ActProblem("person.incomplete", N_("Give the person a display name and a role."))
    if users.by_username(ctx.session, username):
        raise ActProblem("person.taken", N_("This user name is taken. Choose another one."))
    password = password or passwords.make_password()
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


@act("person.switch")
def switch_person(ctx: ActContext, user_id: int, active: bool, seen: str | None = None) -> None:
    """Let a person in, or keep them out at once, in browsers and on phones. Nobody can switch themselves off."""
    user = _of_centre(ctx, user_id)
    check_revision(ctx, seen, user, f"user/{user.id}", CHANGES)
    if user.id == ctx.actor.user_id:
        raise ActProblem("person.self", N_("You cannot switch off your own account."))
    was_active = user.active
    user.active, user.fs_uniquifier = active, secrets.token_hex(32)
    if active != was_active:
        user.switched_off_at = None if active else ctx.now
    ctx.describe(f"user/{user.id}", active=active)


@act("person.reset")
def reset_password(ctx: ActContext, user_id: int, seen: str | None = None) -> str:
    """Return a colleague's new password; the old one, their sessions and their phones stop working."""
    user = _of_centre(ctx, user_id)
    if user.id == ctx.actor.user_id:
        raise ActProblem("person.self", N_("You change your own password with the old one: “Change my password”."))
    check_revision(ctx, seen, user, f"user/{user.id}", CHANGES)
    return _replace_password(ctx, user)[0]


@dataclass(frozen=True)
class LetBackIn:
    """What a command did for somebody who was locked out."""

    password: str
    label: str
    phones: int  # that were signed out by it
    is_active: bool
    had_second_factor: bool  # one that was taken away


@act("person.reset")
def let_back_in(ctx: ActContext, username: str, second_factor: bool = False, switch_on: bool = False) -> LetBackIn:
    """Give somebody who is locked out a new password, by command; the rest only where it is asked for."""
    user = users.by_username(ctx.session, username.strip().lower())
    if user is None or user.centre_id != ctx.centre_id:
        text = N_("Nobody at this centre signs in as “{name}”. See: fieldapp person list CENTRE")
        raise ActProblem("person.unknown", text, {"name": username})
    password, phones = _replace_password(ctx, user)
    if switch_on and not user.active:
        user.active, user.switched_off_at = True, None
    factor = second_factors.of_user(ctx.session, user.id) if second_factor else None
    if factor is not None:
        ctx.session.delete(factor)
    ctx.describe(f"user/{user.id}", by="command", second_factor=factor is not None, active=user.active)
    return LetBackIn(password, user.label, phones, user.active, factor is not None)


@read_act("person.see_own")
def see_own_name(ctx: ActContext) -> str:
    """Return the actor's own sign-in name."""
    return _of_centre(ctx, ctx.actor.user_id or 0).username


@act("person.own_password")
def change_own_password(ctx: ActContext, old: str, new: str) -> None:
    """Replace the actor's own password; their sessions end, this one too."""
    user = _of_centre(ctx, ctx.actor.user_id or 0)
    if not passwords.is_right(user.password, old[:MOST]):
        raise ActProblem("person.old_password", N_("The old password is wrong."))
    if not LEAST <= len(new) <= MOST:
        raise ActProblem("person.new_password", N_("A password has 12 characters or more. Several words are good."))
    user.password, user.fs_uniquifier = passwords.hash_password(new), secrets.token_hex(32)
    ctx.describe(f"user/{user.id}")


def _replace_password(ctx: ActContext, user: User) -> tuple[str, int]:
    """Give a person a new password, and return it with how many phones were signed out."""
    password = passwords.make_password()
    user.password, user.fs_uniquifier = passwords.hash_password(password), secrets.token_hex(32)
    lift_pause(ctx.session, user.username)
    held = [device for device in devices.of_user(ctx.session, user.id) if device.revoked_at is None]
    for device in held:
        device.revoked_at = ctx.now
    ctx.describe(f"user/{user.id}")
    return password, len(held)


def _of_centre(ctx: ActContext, user_id: int) -> User:
    user = users.of_centre(ctx.session, ctx.centre_id, user_id)
    if user is None:
        raise make_not_found()
    return user
