"""The server's secret key, compared with the keys in the database before it is used."""

import contextlib

from fieldapp.key_ring import ServerSecret
from fieldapp.services.keys import KeyUnavailable, find_wrapping_root, unwrap
from fieldapp.services.people.second_factor import wrapped_as
from fieldapp.settings import KEEP_IT, KeyMissing, KeyProblem, Settings
from fieldapp.store.database import ReadTransaction
from fieldapp.store.operations import keys as centre_keys
from fieldapp.store.people import second_factors
from fieldapp.store.session import Session

Wrapped = list[tuple[str, bytes]]  # a name and what was wrapped under it


def load_usable_key(session: Session, settings: Settings, may_make: bool = True) -> ServerSecret:
    """Return the secret key, once it opens what is wrapped in the database.

    Where nothing is wrapped yet, a missing key is made if `may_make`. Raises KeyProblem when the key
    is lost, another one, empty or too short: with such a key phones could send nothing.
    """
    with ReadTransaction(session):
        keys, factors = list_wrapped(session)
    try:
        secret = settings.key()
    except KeyMissing as missing:
        if keys or factors:
            text = f"{missing} But the database holds keys that one has wrapped, so it was lost."
            raise KeyProblem(f"{text} {KEEP_IT}") from None
        if not may_make:
            raise
        # Nothing is lost by a new key while it has wrapped nothing.
        return settings.make_key()
    if not can_open(secret, keys, factors):
        text = f"The secret key in {settings.key_place} does not open the keys in the database"
        text = f"{text}: it is another one than wrapped them."
        raise KeyProblem(f"{text} {KEEP_IT}")
    return secret


def list_wrapped(session: Session) -> tuple[Wrapped, Wrapped]:
    """Return what is wrapped in the database: the centres' keys, and people's second factors."""
    factors = [(wrapped_as(user_id), wrapped) for user_id, wrapped in second_factors.all_wrapped(session)]
    return centre_keys.all_wrapped(session), factors


def can_open(secret: str, keys: Wrapped, factors: Wrapped) -> bool:
    """Say whether a secret key opens every key of the centres, and any second factor.

    One second factor is enough: a single damaged one must not stop the whole centre.
    """
    if not all(_opens(secret, *key) for key in keys):
        return False
    return not factors or any(_opens(secret, *factor) for factor in factors)


def count_by_root(session: Session, secret: str) -> dict[int, int]:
    """Return how many keys in the database each root opens, by its number."""
    with ReadTransaction(session):
        keys, factors = list_wrapped(session)
    counts: dict[int, int] = {}
    for name, wrapped in [*keys, *factors]:
        with contextlib.suppress(KeyUnavailable):
            number = find_wrapping_root(name, wrapped, secret)
            counts[number] = counts.get(number, 0) + 1
    return counts


def _opens(secret: str, name: str, wrapped: bytes) -> bool:
    try:
        unwrap(name, wrapped, secret)
    except KeyUnavailable:
        return False
    return True


def is_key_right(session: Session, secret: str) -> bool:
    """Say whether the key of this process opens the keys in the database as they are now."""
    return can_open(secret, *list_wrapped(session))
