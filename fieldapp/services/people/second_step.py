"""The second step of a sign-in, which is also asked for before something grave.

Codes of an app can be guessed by somebody who has the password, so wrong ones are counted. Passkeys and recovery codes
cannot: they work also during a pause, and so does a browser where the person has signed in before.
"""

from dataclasses import dataclass, field

from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.people import known_browsers, passkeys, recovery_codes
from fieldapp.services.people.passkeys import Challenge
from fieldapp.services.people.second_factor import WRONG_CODE, check_app_code
from fieldapp.services.people.tries import LONGEST_WINDOW, Limit, count_try, make_limit, take_back_try
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.database import WriteTransaction
from fieldapp.store.people import users
from fieldapp.store.session import Session

PER_BROWSER = 6  # wrong codes in 15 minutes from a browser that is known, or in a session
PER_ADDRESS = 6  # from another browser
# From all other browsers together. Of a million codes three are right at any moment, so that guessing takes years.
PER_PERSON = 20
PER_PERSON_AND_DAY = 50
PAUSED = N_(
    "Too many wrong codes. A passkey, a recovery code, or a browser that you have used before still works. Otherwise try "
    "again later."
)


@dataclass(frozen=True)
class Answer:
    """What somebody gives as their second step: a code, or what a passkey signed."""

    code: str = ""
    passkey: str = ""
    challenge: Challenge | None = None  # that the passkey was asked


@dataclass(frozen=True)
class Where:
    """Where an answer comes from: a session that is open already, or a browser before that."""

    address: str = ""
    marks: list[str] = field(default_factory=list)  # what the browser keeps of earlier sign-ins
    token: str = ""  # of the session


def check_second_step(session: Session, actor: Actor, answer: Answer, where: Where, secret: str) -> None:
    """Check an answer of the actor's.

    Raises ActProblem "second_factor.wrong" or "passkey.refused", or "sign_in.paused" after too many wrong codes.
    """
    if answer.passkey:
        if answer.challenge is None:
            raise ActProblem("passkey.refused", passkeys.REFUSED)
        passkeys.check_passkey(session, actor, answer=answer.passkey, challenge=answer.challenge)
        return
    if recovery_codes.looks_like_one(answer.code):
        if recovery_codes.use_recovery_code(session, actor, code=answer.code):
            return
        raise ActProblem("second_factor.wrong", WRONG_CODE)
    limits = _list_limits(session, actor, where, secret)
    now = utcnow()
    try:
        count_try(session, limits, now)
    except ActProblem:
        raise ActProblem("sign_in.paused", PAUSED) from None
    if not check_app_code(session, actor, code=answer.code, secret=secret):
        # One answer for wrong, used and none: it tells a guesser nothing.
        raise ActProblem("second_factor.wrong", WRONG_CODE)
    with WriteTransaction(session):
        take_back_try(session, limits, now)


def _list_limits(session: Session, actor: Actor, where: Where, secret: str) -> list[Limit]:
    """Return what a wrong code is counted under, the narrowest first."""
    user = session.get_one(users.User, actor.user_id)
    if where.token:
        return [make_limit("second step in a session", where.token, tries=PER_BROWSER)]
    mark = known_browsers.find_mark(where.marks, user.id, secret)
    if mark is not None:
        return [make_limit("second step in a browser", mark, tries=PER_BROWSER)]
    # The random text changes with the password, so that a new one ends a pause.
    person = f"{user.id} {user.fs_uniquifier}"
    return [
        make_limit("second step at an address", person, where.address, tries=PER_ADDRESS),
        make_limit("second step", person, tries=PER_PERSON),
        make_limit("second step in a day", person, tries=PER_PERSON_AND_DAY, window=LONGEST_WINDOW),
    ]
