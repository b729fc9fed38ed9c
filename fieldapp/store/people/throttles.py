"""Failed sign-ins, counted per name and per address, both hashed.

They are in the database so that guessing is slow in every process together.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class Throttle(Base):
    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    failures: Mapped[int]
    since: Mapped[dt.datetime]


def count_failures(session: Session, keys: list[str], after: dt.datetime) -> dict[str, int]:
    """Return the failures of each of these keys since a time; a key without any is left out."""
    query = sa.select(Throttle.key, Throttle.failures)
    query = query.where(Throttle.key.in_(keys), Throttle.since > after)
    return {row[0]: row[1] for row in session.execute(query)}


def add_failure(session: Session, key: str, now: dt.datetime, window: dt.timedelta) -> None:
    """Count one more failure of a key; those from before the window do not count any more."""
    throttle = session.get(Throttle, key)
    if throttle is None:
        session.add(Throttle(key=key, failures=1, since=now))
    elif throttle.since <= now - window:
        throttle.failures = 1
        throttle.since = now
    else:
        throttle.failures += 1


def clear_failures(session: Session, key: str, before: dt.datetime) -> None:
    """Clear the failures of one key, and of all keys whose window is over."""
    is_over = sa.or_(Throttle.key == key, Throttle.since <= before)
    session.execute(sa.delete(Throttle).where(is_over))
