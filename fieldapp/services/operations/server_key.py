"""The server's secret key, held against what it has wrapped in the database, before anything is done with it."""

from fieldapp.services.keys import KeyLost, unwrap
from fieldapp.services.people.second_factor import wrapped_as
from fieldapp.settings import KEEP_IT, KeyMissing, KeyProblem, Settings
from fieldapp.store.operations import keys as centre_keys
from fieldapp.store.people import second_factors
from fieldapp.store.session import Session

Wrapped = list[tuple[str, bytes]]  # a name and what was wrapped under it


def usable_key(session: Session, settings: Settings, may_make: bool = True) -> str:
    """Return the secret key that opens what is wrapped in the database; make one only where nothing is wrapped yet.

    Raise KeyProblem when the key is lost, another one, empty or too short: with it phones could send nothing.
    """
    keys, factors = wrapped_in(session)
    session.rollback()
    try:
        secret = settings.key()
    except KeyMissing as missing:
        if keys or factors:
            text = f"{missing} But the database holds keys that one has wrapped, so it was lost."
            raise KeyProblem(f"{text} {KEEP_IT}") from None
        if not may_make:
            raise
        return settings.make_key()
    if not opens(secret, keys, factors):
        where = "FIELDAPP_SECRET_KEY" if settings.secret_key else settings.key_file
        text = f"The secret key in {where} does not open the keys in the database: it is another one than wrapped them."
        raise KeyProblem(f"{text} {KEEP_IT}")
    return secret


def wrapped_in(session: Session) -> tuple[Wrapped, Wrapped]:
    """Return what is wrapped in the database: the centres' keys, and people's second factors."""
    factors = [(wrapped_as(user_id), wrapped) for user_id, wrapped in second_factors.all_wrapped(session)]
    return centre_keys.all_wrapped(session), factors


def opens(secret: str, keys: Wrapped, factors: Wrapped) -> bool:
    """Say whether a secret key opens every key of the centres, and second factors unless only single ones are damaged."""
    if not all(_opens(secret, *key) for key in keys):
        return False
    return not factors or any(_opens(secret, *factor) for factor in factors)


def _opens(secret: str, name: str, wrapped: bytes) -> bool:
    try:
        unwrap(name, wrapped, secret)
    except KeyLost:
        return False
    return True


def is_key_right(session: Session, secret: str) -> bool:
    """Say whether the key that this process works with opens the keys in the database, as they are now."""
    return opens(secret, *wrapped_in(session))
