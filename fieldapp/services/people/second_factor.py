"""The second factor of people who fetch packages: a one-time code from an app.

Source: RFC 6238 (TOTP).
"""

import base64
import datetime as dt
import secrets

from passlib.exc import TokenError
from passlib.totp import TOTP

from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.keys import unwrap, wrap
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import mark_of, require
from fieldapp.store.people import second_factors, users
from fieldapp.store.people.second_factors import SecondFactor
from fieldapp.store.session import Session

TRIES = 5
PAUSE = dt.timedelta(minutes=15)
WINDOW = 30  # seconds that clocks may be apart


def wrapped_as(user_id: int) -> str:
    """Return the name under which a person's secret is wrapped."""
    return f"totp {user_id}"


def _load_totp(factor: SecondFactor, secret: str) -> TOTP:
    key = unwrap(wrapped_as(factor.user_id), factor.wrapped, secret)
    return TOTP(key=base64.b32encode(key).decode(), format="base32")


@read_act("second_factor.view")
def show_second_factor(ctx: ActContext) -> bool:
    """Say whether the actor has a second factor that a right code has confirmed."""
    return _is_set_up(second_factors.of_user(ctx.session, ctx.actor.user_id or 0))


def _is_set_up(factor: SecondFactor | None) -> bool:
    return factor is not None and factor.confirmed_at is not None


@act("second_factor.set")
def start_second_factor(ctx: ActContext, secret: str, label: str) -> str:
    """Return the address (otpauth:) that an authenticator app reads as a QR code.

    The second factor counts once a code was right. Raises ActProblem "second_factor.set" when there
    is one already.
    """
    user_id = ctx.actor.user_id or 0
    factor = second_factors.of_user(ctx.session, user_id)
    # Not a second time: who has the password alone could give themselves a new second factor.
    if _is_set_up(factor):
        raise ActProblem("second_factor.set", N_("Two-step verification is set up already. An administrator can remove it."))
    # One that was begun and not confirmed is shown again: a page that is loaded twice must not
    # change the code.
    if factor is None:
        wrapped = wrap(secrets.token_bytes(20), wrapped_as(user_id), secret)
        factor = SecondFactor(user_id=user_id, wrapped=wrapped)
        ctx.session.add(factor)
    ctx.describe(f"user/{user_id}", begun=True)
    return str(_load_totp(factor, secret).to_uri(label=label, issuer="fieldapp"))


@act("second_factor.set")
def _verify_code(ctx: ActContext, code: str, secret: str) -> str:
    """Return "" when a code is right, otherwise why not: "none", "paused" or "wrong".

    A wrong code is counted in the act's transaction, which an exception would roll back.
    """
    factor = second_factors.of_user(ctx.session, ctx.actor.user_id or 0)
    ctx.describe(f"user/{ctx.actor.user_id}")
    if factor is None:
        return "none"
    # Before the code is looked at: during a pause not even a right one counts, or guessing would go
    # on.
    if factor.paused_until and factor.paused_until > ctx.now:
        return "paused"
    totp = _load_totp(factor, secret)
    last_counter = factor.last_counter or None  # a code that was used is refused
    try:
        match = totp.match(code.strip(), time=ctx.now, window=WINDOW, last_counter=last_counter)
    except (TokenError, ValueError):
        factor.failed_attempts += 1
        if factor.failed_attempts >= TRIES:
            # The pause is what slows guessing: with five tries a quarter of an hour, guessing takes
            # years.
            factor.failed_attempts = 0
            factor.paused_until = ctx.now + PAUSE
        ctx.describe(f"user/{ctx.actor.user_id}", wrong=True)
        return "wrong"
    factor.last_counter = match.counter
    factor.failed_attempts = 0
    factor.paused_until = None
    factor.confirmed_at = factor.confirmed_at or ctx.now
    return ""


def require_second_factor(session: Session, actor: Actor, code: str, secret: str) -> None:
    """Raise ActProblem unless a code is right, unused, and not after too many wrong ones."""
    why = _verify_code(session, actor, code=code, secret=secret)
    if why == "paused":
        raise ActProblem("second_factor.paused", N_("Too many wrong codes. Wait 15 minutes."))
    # One answer for wrong, used and none: it tells a guesser nothing.
    if why:
        raise ActProblem("second_factor.wrong", N_("This code is wrong, or was used already. Take the one shown now."))


@act("second_factor.reset")
def reset_second_factor(ctx: ActContext, user_id: int, seen: str | None = None) -> None:
    """Remove the second factor of a person who lost their phone; they set up a new one.

    `seen` is the revision that the page showed. Nobody can do this for themselves.
    """
    if users.of_centre(ctx.session, ctx.centre_id, user_id) is None:
        raise make_not_found()
    # A stolen session of an administrator could else take away the second factor of that very
    # session.
    if user_id == ctx.actor.user_id:
        raise ActProblem("person.self", N_("Ask another administrator to do this for you."))
    factor = second_factors.of_user(ctx.session, user_id)
    revision = factor_revision(user_id, _is_set_up(factor))
    require(ctx, seen, revision, f"user/{user_id}", ("second_factor.reset", "second_factor.set"))
    if factor is not None:
        ctx.session.delete(factor)
    ctx.describe(f"user/{user_id}")


def factor_revision(user_id: int, is_set_up: bool) -> str:
    """Return the revision of what the page of people shows of a second factor."""
    return mark_of("second_factor", user_id, is_set_up)
