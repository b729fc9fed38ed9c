"""Check a name and a password, slowly for those who guess.

Wrong tries are counted before a password is looked at, so that many tries at once are as slow as one after the other.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass

from fieldapp.services.acts import utcnow
from fieldapp.services.people import known_browsers, passwords
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditLine
from fieldapp.store.people import throttles, users
from fieldapp.store.session import Session

WINDOW = dt.timedelta(minutes=15)
PER_BROWSER = 6  # wrong tries in the window from a browser where this person has signed in before
PER_NAME_AND_ADDRESS = 6  # from a browser that is not known
PER_ADDRESS = 60  # for all names: more, since a whole centre may share one address
# From everywhere. Against passwords of 12 characters or more a hundred tries are nothing; a lower number would let
# strangers keep a person out of any browser but their own.
PER_NAME = 100


@dataclass(frozen=True)
class _Limit:
    """One count of wrong tries, and how many of them pause sign-in."""

    key: str
    tries: int


def sign_in(
    session: Session, username: str, password: str, address: str, *, marks: list[str] | None = None, secret: str = ""
) -> users.User:
    """Return the person whose user name and password these are.

    `marks`: what this browser keeps of earlier sign-ins (`known_browsers`). Every try that is not paused leaves an audit
    line. Raises ActProblem "sign_in.wrong" or, after too many wrong tries, "sign_in.paused".
    """
    username = username.strip().lower()[:64]
    now = utcnow()
    user = users.by_username(session, username)
    limits = _list_limits(user, username, address, marks or [], secret)
    _count_try(session, limits, now)
    # Also checked for a name that is not there: the time of the answer must not tell which names are.
    stored_hash = user.password if user else None
    is_right = passwords.verify_password(stored_hash, password[:1000])
    is_admitted = is_right and user is not None and user.active
    centre_id = user.centre_id if user else None
    actor_id = user.id if user else None
    with WriteTransaction(session):
        if is_admitted:
            _take_back_try(session, limits, now)
        audit.add(session, [AuditLine(now, "sign_in.ok" if is_admitted else "sign_in.failed", centre_id, actor_id)])
    if user is None or not is_admitted:
        raise ActProblem("sign_in.wrong", N_("This name and password do not go together. Check both and try again."))
    return user


def _list_limits(user: users.User | None, username: str, address: str, marks: list[str], secret: str) -> list[_Limit]:
    """Return what a wrong try is counted under, the narrowest first."""
    mark = known_browsers.find_mark(marks, user.id, secret) if user else None
    if mark is not None:
        # Nothing that a stranger does elsewhere counts here.
        return [_Limit(_make_throttle_key("browser", mark), PER_BROWSER)]
    # A new password changes the random text, so that it works at once: what was counted before stays under the old one.
    name = username
    if user is not None:
        name = f"{username} {user.fs_uniquifier}"
    return [
        _Limit(_make_throttle_key("name and address", name, address), PER_NAME_AND_ADDRESS),
        _Limit(_make_throttle_key("name", name), PER_NAME),
        _Limit(_make_throttle_key("address", address), PER_ADDRESS),
    ]


def _count_try(session: Session, limits: list[_Limit], now: dt.datetime) -> None:
    """Count a try as wrong until it proves right. Raises ActProblem "sign_in.paused"."""
    with WriteTransaction(session):
        # In one order: two tries at once must not wait for each other.
        for limit in sorted(limits, key=lambda limit: limit.key):
            # A try too many is not written down, since the error undoes it: the pause ends a window after the first.
            if throttles.add_failure(session, limit.key, now, WINDOW) > limit.tries:
                raise ActProblem("sign_in.paused", N_("Too many wrong tries. Wait 15 minutes, then try again."))


def _take_back_try(session: Session, limits: list[_Limit], now: dt.datetime) -> None:
    """Take a right try out of the counts; the narrowest starts again from nothing."""
    narrowest, *others = limits
    throttles.clear_failures(session, narrowest.key, now - WINDOW)
    for limit in others:
        throttles.take_back_failure(session, limit.key)


def _make_throttle_key(kind: str, *values: str) -> str:
    return hashlib.sha256(":".join((kind, *values)).encode()).hexdigest()
