"""The second factors of people: an authenticator app, passkeys, recovery codes.

The app's one-time codes are here; the other two have modules of their own. Source: RFC 6238 (TOTP).
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from passlib.exc import TokenError
from passlib.totp import TOTP

from fieldapp.services.access import OFFICE_ROLES
from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.keys import unwrap, wrap
from fieldapp.services.people import recovery_codes
from fieldapp.services.people.one_time_codes import use_grant
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import mark_of, require
from fieldapp.store.operations import centres
from fieldapp.store.people import passkeys, second_factors, users, web_sessions
from fieldapp.store.people import recovery_codes as stored_codes
from fieldapp.store.people.passkeys import Passkey
from fieldapp.store.people.second_factors import SecondFactor
from fieldapp.store.people.users import User
from fieldapp.store.session import Session

WINDOW = 30  # seconds that clocks may be apart
WRONG_CODE = N_("This code is wrong, or was used already. Take the one shown now.")


@dataclass(frozen=True)
class Factors:
    """What a person has set up for two-step verification."""

    is_asked: bool  # by the centre, of everybody who sees records
    has_app: bool
    passkeys: Sequence[Passkey]
    recovery_left: int  # codes that were not used

    @property
    def is_any(self) -> bool:
        return self.has_app or bool(self.passkeys)


def wrapped_as(user_id: int) -> str:
    """Return the name under which a person's secret is wrapped."""
    return f"totp {user_id}"


@read_act("second_factor.view")
def list_factors(ctx: ActContext) -> Factors:
    """Return what the actor has set up, and whether the centre asks for it."""
    return _list_factors(ctx.session, ctx.centre_id, ctx.actor.user_id or 0)


def _list_factors(session: Session, centre_id: int, user_id: int) -> Factors:
    return Factors(
        is_asked=centres.get(session, centre_id).asks_second_factor,
        has_app=second_factors.is_set_up(session, user_id),
        passkeys=passkeys.of_user(session, user_id),
        recovery_left=stored_codes.count_unused(session, user_id),
    )


def has_own_factor(session: Session, user_id: int) -> bool:
    """Say whether a person has set up a second factor here."""
    return second_factors.is_set_up(session, user_id) or bool(passkeys.of_user(session, user_id))


def is_second_step_needed(session: Session, user: User) -> bool:
    """Say whether a right password is not enough for this person to sign in to the web pages."""
    if user.role not in OFFICE_ROLES:
        return False
    factors = _list_factors(session, user.centre_id, user.id)
    # Who has set one up is asked also where the centre asks nobody: it is their own lock.
    return factors.is_asked or factors.is_any


@act("second_factor.ask")
def ask_second_factor(ctx: ActContext, is_asked: bool) -> None:
    """Ask everybody at the centre who sees records for a second factor, or end that.

    Who signed in without one is signed out. Raises ActProblem "second_factor.own_first" for an administrator
    without one, who could not come back, and "second_factor.command" for one who would end it.
    """
    centre = centres.get(ctx.session, ctx.centre_id)
    if ctx.actor.user_id is not None:
        if not is_asked:
            text = N_("Only a command on the server ends this: fieldapp centre two-steps CENTRE off")
            raise ActProblem("second_factor.command", text)
        if not _list_factors(ctx.session, ctx.centre_id, ctx.actor.user_id).is_any:
            text = N_("Set up two-step verification for yourself first, under “My account”.")
            raise ActProblem("second_factor.own_first", text)
    centre.asks_second_factor = is_asked
    if is_asked:
        web_sessions.delete_without_second_factor(ctx.session, ctx.centre_id)
    ctx.describe(f"centre/{ctx.centre_id}", asked=is_asked)


def begin_app(user_id: int, secret: str) -> bytes:
    """Return a new secret for an authenticator app, wrapped with the server's key.

    It is stored once a code has shown that the app has it.
    """
    return wrap(secrets.token_bytes(20), wrapped_as(user_id), secret)


def make_app_address(wrapped: bytes, user_id: int, secret: str, label: str) -> str:
    """Return the address (otpauth:) that an authenticator app reads as a QR code."""
    return str(_load_totp(wrapped, user_id, secret).to_uri(label=label, issuer="fieldapp"))


def _load_totp(wrapped: bytes, user_id: int, secret: str) -> TOTP:
    key = unwrap(wrapped_as(user_id), wrapped, secret)
    return TOTP(key=base64.b32encode(key).decode(), format="base32")


@act("second_factor.set")
def confirm_app(ctx: ActContext, wrapped: bytes, code: str, secret: str, grant: int | None = None) -> list[str]:
    """Set up the actor's authenticator app, in place of an earlier one.

    `wrapped` comes from `begin_app`, `grant` is the one-time code that the first factor needs. Returns new recovery
    codes with the first factor, otherwise none. Raises ActProblem "second_factor.wrong" or "second_factor.grant".
    """
    user_id = ctx.actor.user_id or 0
    recovery = begin_factor(ctx, grant)
    try:
        match = _load_totp(wrapped, user_id, secret).match(code.strip(), time=ctx.now, window=WINDOW)
    except (TokenError, ValueError):
        raise ActProblem("second_factor.wrong", WRONG_CODE) from None
    factor = second_factors.of_user(ctx.session, user_id)
    if factor is None:
        factor = SecondFactor(user_id=user_id)
        ctx.session.add(factor)
    factor.wrapped = wrapped
    factor.confirmed_at = ctx.now
    factor.last_counter = match.counter
    ctx.describe(f"user/{user_id}", app=True)
    return recovery


def begin_factor(ctx: ActContext, grant: int | None) -> list[str]:
    """Use up the one-time code that a first factor needs; return its recovery codes.

    A further factor needs none, and comes with none. Raises ActProblem "second_factor.grant".
    """
    factors = _list_factors(ctx.session, ctx.centre_id, ctx.actor.user_id or 0)
    if factors.is_any:
        return []
    # Else who has the password alone could give themselves the second factor, too.
    if factors.is_asked:
        use_grant(ctx, grant)
    return recovery_codes.replace_codes(ctx)


@act("second_factor.check")
def check_app_code(ctx: ActContext, code: str, secret: str) -> bool:
    """Say whether a code of the actor's app is right and was not used; then it is used up."""
    user_id = ctx.actor.user_id or 0
    factor = second_factors.of_user(ctx.session, user_id)
    ctx.describe(f"user/{user_id}", by="app")
    if factor is None or factor.confirmed_at is None:
        ctx.describe(f"user/{user_id}", wrong=True)
        return False
    totp = _load_totp(factor.wrapped, user_id, secret)
    last_counter = factor.last_counter or None  # a code that was used is refused
    try:
        match = totp.match(code.strip(), time=ctx.now, window=WINDOW, last_counter=last_counter)
    except (TokenError, ValueError):
        ctx.describe(f"user/{user_id}", wrong=True)
        return False
    factor.last_counter = match.counter
    return True


@act("second_factor.reset")
def reset_second_factor(ctx: ActContext, user_id: int, seen: str | None = None) -> None:
    """Remove all second factors of a person who lost their phone.

    They are signed out, and set up new ones. `seen` is the revision that the page showed. Nobody can do this for themselves.
    """
    if users.of_centre(ctx.session, ctx.centre_id, user_id) is None:
        raise make_not_found()
    # A stolen session of an administrator could else take away the second factor of that very
    # session.
    if user_id == ctx.actor.user_id:
        raise ActProblem("person.self", N_("Ask another administrator to do this for you."))
    is_any = _list_factors(ctx.session, ctx.centre_id, user_id).is_any
    acts = ("second_factor.reset", "second_factor.set", "passkey.add", "passkey.remove")
    require(ctx, seen, factor_revision(user_id, is_any), f"user/{user_id}", acts)
    remove_factors(ctx.session, user_id)
    web_sessions.delete_of_user(ctx.session, user_id)
    ctx.describe(f"user/{user_id}")


def remove_factors(session: Session, user_id: int) -> bool:
    """Remove a person's app, passkeys and recovery codes; return whether there were any."""
    factor = second_factors.of_user(session, user_id)
    if factor is not None:
        session.delete(factor)
    stored_codes.delete_of_user(session, user_id)
    return passkeys.delete_of_user(session, user_id) > 0 or factor is not None


def factor_revision(user_id: int, is_set_up: bool) -> str:
    """Return the revision of what the page of people shows of a second factor."""
    return mark_of("second_factor", user_id, is_set_up)


def is_last_factor(session: Session, actor: Actor) -> bool:
    """Say whether the actor has one factor, without which they could not sign in."""
    factors = _list_factors(session, actor.centre_id, actor.user_id or 0)
    return factors.is_asked and factors.has_app + len(factors.passkeys) <= 1
