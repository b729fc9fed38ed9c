"""Wrong tries, counted before anything is looked at.

So many tries at once are as slow as one after the other.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass

from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.database import WriteTransaction
from fieldapp.store.people import throttles
from fieldapp.store.session import Session

WINDOW = dt.timedelta(minutes=15)
LONGEST_WINDOW = dt.timedelta(days=1)  # counts are deleted after it


@dataclass(frozen=True)
class Limit:
    """One count of wrong tries, and how many of them pause."""

    key: str
    tries: int
    window: dt.timedelta = WINDOW


def make_limit(kind: str, *values: str, tries: int, window: dt.timedelta = WINDOW) -> Limit:
    """Return the limit of what these values name; only their hash is stored."""
    return Limit(hashlib.sha256(":".join((kind, *values)).encode()).hexdigest(), tries, window)


def count_try(session: Session, limits: list[Limit], now: dt.datetime) -> None:
    """Count a try as wrong until it proves right. Raises ActProblem "sign_in.paused"."""
    with WriteTransaction(session):
        # In one order: two tries at once must not wait for each other.
        for limit in sorted(limits, key=lambda limit: limit.key):
            # A try too many is not written down, since the error undoes it: the pause ends a window after the first.
            if throttles.add_failure(session, limit.key, now, limit.window) > limit.tries:
                raise ActProblem("sign_in.paused", N_("Too many wrong tries. Wait 15 minutes, then try again."))


def take_back_try(session: Session, limits: list[Limit], now: dt.datetime) -> None:
    """Take a right try out of the counts; the first, narrowest one starts again from nothing."""
    narrowest, *others = limits
    throttles.clear_failures(session, narrowest.key, now - LONGEST_WINDOW)
    for limit in others:
        throttles.take_back_failure(session, limit.key)
