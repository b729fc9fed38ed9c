"""One-time codes: an administrator gives one to a person, or a command on the server does.

With one of them a person sets up their first second factor, with another they choose a new password, with a third they
link their account with that of a sign-on provider.
"""

import datetime as dt

from fieldapp.services.access import OFFICE_ROLES
from fieldapp.services.acts import ActContext, act
from fieldapp.services.people import passwords
from fieldapp.services.people.recovery_codes import hash_code
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.people import one_time_codes, users
from fieldapp.store.people.one_time_codes import PASSWORD, SET_UP, SIGN_ON, OneTimeCode
from fieldapp.store.session import Session

__all__ = [
    "PASSWORD",
    "SET_UP",
    "SIGN_ON",
    "accept_set_up_code",
    "give_one_time_code",
    "use_grant",
    "use_password_code",
    "use_sign_on_code",
    "withdraw_sign_on_codes",
]

LIFETIME = dt.timedelta(hours=24)
REFUSED = N_(
    "This one-time code is wrong, was used, is older than a day, or an administrator gave a newer one, which alone counts. "
    "Use the newest, or ask an administrator for another one."
)

# One sentence for a wrong name and a wrong code: it tells a guesser nothing.
PASSWORD_REFUSED = N_(
    "This user name and one-time code do not go together, or the code was used, is older than a day, or an administrator "
    "gave a newer one, which alone counts. Use the newest, or ask an administrator for another one."
)


@act("one_time_code.give")
def give_one_time_code(ctx: ActContext, user_id: int, purpose: str = SET_UP) -> str:
    """Return a code for a person; an earlier one for this purpose counts no more.

    It is shown once. Raises ActProblem "person.self": nobody gives one to themselves.
    """
    user = users.of_centre(ctx.session, ctx.centre_id, user_id)
    if user is None or not user.active or purpose not in (SET_UP, PASSWORD, SIGN_ON):
        raise make_not_found()
    if purpose in (SET_UP, SIGN_ON) and user.role not in OFFICE_ROLES:
        raise make_not_found()
    if user.id == ctx.actor.user_id:
        raise ActProblem("person.self", N_("Ask another administrator to do this for you."))
    one_time_codes.delete_open(ctx.session, user.id, purpose)
    code = passwords.generate_password()
    row = OneTimeCode(
        centre_id=ctx.centre_id,
        user_id=user.id,
        purpose=purpose,
        code_hash=hash_code(purpose, user.id, code),
        made_by=ctx.actor.user_id,
        expires_at=ctx.now + LIFETIME,
        used_at=None,
    )
    ctx.session.add(row)
    ctx.describe(f"user/{user.id}", purpose=purpose, **({} if ctx.actor.user_id else {"by": "command"}))
    return code


@act("one_time_code.accept")
def accept_set_up_code(ctx: ActContext, code: str) -> int:
    """Return the id of the actor's one-time code for setting up a second factor.

    It is used up once one is set up. Raises ActProblem "second_factor.grant".
    """
    user_id = ctx.actor.user_id or 0
    row = one_time_codes.lock_by_hash(ctx.session, user_id, SET_UP, hash_code(SET_UP, user_id, code))
    if row is None or row.used_at or row.expires_at <= ctx.now:
        raise ActProblem("second_factor.grant", REFUSED)
    ctx.describe(f"user/{user_id}")
    return row.id


def use_password_code(ctx: ActContext, code: str) -> None:
    """Use up the actor's code for a new password. Raises ActProblem "person.code"."""
    _use_code(ctx, PASSWORD, code)


def use_sign_on_code(ctx: ActContext, code: str) -> None:
    """Use up the actor's code for linking. Raises ActProblem "person.code"."""
    _use_code(ctx, SIGN_ON, code)


def withdraw_sign_on_codes(session: Session, user_id: int) -> None:
    """Let no code for linking an account elsewhere count any more."""
    one_time_codes.delete_open(session, user_id, SIGN_ON)


def _use_code(ctx: ActContext, purpose: str, code: str) -> None:
    user_id = ctx.actor.user_id or 0
    row = one_time_codes.lock_by_hash(ctx.session, user_id, purpose, hash_code(purpose, user_id, code))
    if row is None or row.used_at or row.expires_at <= ctx.now:
        raise ActProblem("person.code", PASSWORD_REFUSED)
    row.used_at = ctx.now


def use_grant(ctx: ActContext, grant: int | None) -> None:
    """Use up the actor's accepted one-time code. Raises ActProblem "second_factor.grant"."""
    row = one_time_codes.lock_by_id(ctx.session, ctx.actor.user_id or 0, SET_UP, grant or 0)
    if row is None or row.used_at or row.expires_at <= ctx.now:
        raise ActProblem("second_factor.grant", REFUSED)
    row.used_at = ctx.now
