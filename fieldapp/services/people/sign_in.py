"""Check a name and a password, slowly for those who guess."""

import datetime as dt
import hashlib

from fieldapp.services.acts import utcnow
from fieldapp.services.people import passwords
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import audit
from fieldapp.store.people import throttles, users
from fieldapp.store.session import Session

WINDOW = dt.timedelta(minutes=15)
PER_NAME = 6  # failures in the window before sign-in pauses
PER_ADDRESS = 60  # more, since a whole centre may share one address


def sign_in(session: Session, username: str, password: str, address: str) -> users.User:
    """Return the person whose user name and password these are.

    Every attempt that is not paused leaves an audit line. Raises ActProblem "sign_in.wrong" or,
    after too many failures from this name or address, "sign_in.paused".
    """
    username = username.strip().lower()[:64]
    now = utcnow()
    by_name = _make_throttle_key("name", username)
    by_address = _make_throttle_key("address", address)
    failed = throttles.count_failures(session, [by_name, by_address], now - WINDOW)
    if failed.get(by_name, 0) >= PER_NAME or failed.get(by_address, 0) >= PER_ADDRESS:
        raise ActProblem("sign_in.paused", N_("Too many wrong tries. Wait 15 minutes, then try again."))
    user = users.by_username(session, username)
    # Also checked for a name that is not there: the time of the answer must not tell which names are.
    stored_hash = user.password if user else None
    is_right = passwords.verify_password(stored_hash, password[:1000])
    is_admitted = is_right and user is not None and user.active
    who: dict[str, int | None] = {"centre_id": None, "actor_id": None}
    if user is not None:
        who = {"centre_id": user.centre_id, "actor_id": user.id}
    with WriteTransaction(session):
        if is_admitted:
            throttles.clear_failures(session, by_name, now - WINDOW)
        else:
            throttles.add_failure(session, by_name, now, WINDOW)
            throttles.add_failure(session, by_address, now, WINDOW)
        audit.add(
            session,
            at=now,
            act="sign_in.ok" if is_admitted else "sign_in.failed",
            **who,
            details={},
        )
    if user is None or not is_admitted:
        raise ActProblem("sign_in.wrong", N_("This name and password do not go together. Check both and try again."))
    return user


def lift_pause(session: Session, username: str) -> None:
    """Clear the failures counted for a name, so that a new password works at once."""
    throttles.clear_failures(session, _make_throttle_key("name", username), utcnow() - WINDOW)


def _make_throttle_key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()
