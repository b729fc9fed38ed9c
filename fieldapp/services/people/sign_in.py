"""Check a name and a password, slowly for those who guess.

Wrong tries are counted before a password is looked at, so that many tries at once are as slow as one after the other.
"""

from fieldapp.services.acts import utcnow
from fieldapp.services.people import known_browsers, passwords
from fieldapp.services.people.second_factor import is_second_step_needed
from fieldapp.services.people.tries import Limit, count_try, make_limit, take_back_try
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditLine
from fieldapp.store.people import users
from fieldapp.store.session import Session

PER_BROWSER = 6  # wrong tries in the window from a browser where this person has signed in before
PER_NAME_AND_ADDRESS = 6  # from a browser that is not known
PER_ADDRESS = 60  # for all names: more, since a whole centre may share one address
# From everywhere. Against passwords of 12 characters or more a hundred tries are nothing; a lower number would let
# strangers keep a person out of any browser but their own.
PER_NAME = 100


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
    count_try(session, limits, now)
    # Also checked for a name that is not there: the time of the answer must not tell which names are.
    stored_hash = user.password if user else None
    is_right = passwords.verify_password(stored_hash, password[:1000])
    is_admitted = is_right and user is not None and user.active
    centre_id = user.centre_id if user else None
    actor_id = user.id if user else None
    with WriteTransaction(session):
        if is_admitted:
            take_back_try(session, limits, now)
        act = _name_line(session, user if is_admitted else None)
        audit.add(session, [AuditLine(now, act, centre_id, actor_id)])
    if user is None or not is_admitted:
        raise ActProblem("sign_in.wrong", N_("This name and password do not go together. Check both and try again."))
    return user


def _name_line(session: Session, admitted: users.User | None) -> str:
    """Return what the audit log says of a try."""
    if admitted is None:
        return "sign_in.failed"
    if is_second_step_needed(session, admitted):
        return "sign_in.first_step"  # `web_sessions.start_session` adds the other line
    return "sign_in.ok"


def _list_limits(user: users.User | None, username: str, address: str, marks: list[str], secret: str) -> list[Limit]:
    """Return what a wrong try is counted under, the narrowest first."""
    mark = known_browsers.find_mark(marks, user.id, secret) if user else None
    if mark is not None:
        # Nothing that a stranger does elsewhere counts here.
        return [make_limit("browser", mark, tries=PER_BROWSER)]
    # A new password changes the random text, so that it works at once: what was counted before stays under the old one.
    name = username
    if user is not None:
        name = f"{username} {user.fs_uniquifier}"
    return [
        make_limit("name and address", name, address, tries=PER_NAME_AND_ADDRESS),
        make_limit("name", name, tries=PER_NAME),
        make_limit("address", address, tries=PER_ADDRESS),
    ]
