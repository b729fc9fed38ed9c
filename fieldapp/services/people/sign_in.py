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
PER_NAME, PER_ADDRESS = 6, 60  # failures in the window before sign-in pauses


def sign_in(session: Session, username: str, password: str, address: str) -> users.User:
    """Return the person; raise ActProblem "sign_in.wrong" or "sign_in.paused". Every attempt leaves an audit line."""
    username = username.strip().lower()[:64]
    now = utcnow()
    by_name, by_address = _make_throttle_key("name", username), _make_throttle_key("address", address)
    failed = throttles.count_failures(session, [by_name, by_address], now - WINDOW)
    if failed.get(by_name, 0) >= PER_NAME or failed.get(by_address, 0) >= PER_ADDRESS:
        raise ActProblem("sign_in.paused", N_("Too many wrong tries. Wait 15 minutes, then try again."))
    user = users.by_username(session, username)
    is_right = passwords.verify_password(user.password if user else None, password[:1000])
    is_admitted = is_right and user is not None and user.active
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
            centre_id=user.centre_id if user else None,
            actor_id=user.id if user else None,
            details={},
        )
    if user is None or not is_admitted:
        raise ActProblem("sign_in.wrong", N_("This name and password do not go together. Check both and try again."))
    return user


def lift_pause(session: Session, username: str) -> None:
    """Forget the failures that were counted for a name: whoever gets a new password need not wait for it to work."""
    throttles.clear_failures(session, _make_throttle_key("name", username), utcnow() - WINDOW)


def _make_throttle_key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()
