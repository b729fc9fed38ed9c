"""The second factor of people who fetch packages: a one-time code from an app on their phone."""

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


def _totp(found: SecondFactor, secret: str) -> TOTP:
    key = unwrap(wrapped_as(found.user_id), found.wrapped, secret)
    return TOTP(key=base64.b32encode(key).decode(), format="base32")


@read_act("second_factor.see")
def show_second_factor(ctx: ActContext) -> bool:
    """Say whether the person has set one up."""
    found = second_factors.of_user(ctx.session, ctx.actor.user_id or 0)
    return found is not None and found.confirmed_at is not None


@act("second_factor.set")
def begin_second_factor(ctx: ActContext, secret: str, label: str) -> str:
    """Return the address (otpauth:) that an authenticator app reads as a QR code; it counts once a code was right."""
    user_id = ctx.actor.user_id or 0
    found = second_factors.of_user(ctx.session, user_id)
    if found is not None and found.confirmed_at is not None:
        raise ActProblem("second_factor.set", N_("Two-step verification is set up already. An administrator can remove it."))
    if found is None:
        found = SecondFactor(user_id=user_id, wrapped=wrap(secrets.token_bytes(20), wrapped_as(user_id), secret))
        ctx.session.add(found)
    ctx.describe(f"user/{user_id}", begun=True)
    return str(_totp(found, secret).to_uri(label=label, issuer="fieldapp"))


@act("second_factor.set")
def _judge(ctx: ActContext, code: str, secret: str) -> str:
    """Return "" when a code is right, else why not; a wrong one is remembered, so this never raises."""
    found = second_factors.of_user(ctx.session, ctx.actor.user_id or 0)
    ctx.describe(f"user/{ctx.actor.user_id}")
    if found is None:
        return "none"
    if found.paused_until and found.paused_until > ctx.now:
        return "paused"
    try:
        match = _totp(found, secret).match(
            code.strip(), time=ctx.now, window=WINDOW, last_counter=found.last_counter or None
        )
    except (TokenError, ValueError):
        found.wrong += 1
        if found.wrong >= TRIES:
            found.wrong, found.paused_until = 0, ctx.now + PAUSE
        ctx.describe(f"user/{ctx.actor.user_id}", wrong=True)
        return "wrong"
    found.last_counter, found.wrong, found.paused_until = match.counter, 0, None
    found.confirmed_at = found.confirmed_at or ctx.now
    return ""


def check_second_factor(session: Session, actor: Actor, code: str, secret: str) -> None:
    """Raise ActProblem unless a code is right, has not been used and was not preceded by too many wrong ones."""
    why = _judge(session, actor, code=code, secret=secret)
    if why == "paused":
        raise ActProblem("second_factor.paused", N_("Too many wrong codes. Wait 15 minutes."))
    if why:
        raise ActProblem("second_factor.wrong", N_("This code is wrong, or was used already. Take the one shown now."))


@act("second_factor.reset")
def reset_second_factor(ctx: ActContext, user_id: int, seen: str | None = None) -> None:
    """Take a person's second factor away, for one who lost their phone; they set up a new one."""
    if users.of_centre(ctx.session, ctx.centre_id, user_id) is None:
        raise make_not_found()
    if user_id == ctx.actor.user_id:
        raise ActProblem("person.self", N_("Ask another administrator to do this for you."))
    found = second_factors.of_user(ctx.session, user_id)
    is_set_up = found is not None and found.confirmed_at is not None
    require(ctx, seen, factor_revision(user_id, is_set_up), f"user/{user_id}", ("second_factor.reset", "second_factor.set"))
    if found is not None:
        ctx.session.delete(found)
    ctx.describe(f"user/{user_id}")


def factor_revision(user_id: int, is_set_up: bool) -> str:
    """Return the mark of what the page of people shows of a second factor."""
    return mark_of("second_factor", user_id, is_set_up)
