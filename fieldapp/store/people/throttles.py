"""Failed sign-ins, counted per name and per address (both hashed), so that guessing gets slow in every process."""

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
    query = sa.select(Throttle.key, Throttle.failures).where(Throttle.key.in_(keys), Throttle.since > after)
    return {row[0]: row[1] for row in session.execute(query)}


def add_failure(session: Session, key: str, now: dt.datetime, window: dt.timedelta) -> None:
    found = session.get(Throttle, key)
    if found is None:
        session.add(Throttle(key=key, failures=1, since=now))
    elif found.since <= now - window:
        found.failures, found.since = 1, now
    else:
        found.failures += 1


def clear_failures(session: Session, key: str, before: dt.datetime) -> None:
    """Forget one key, and all that are old."""
    session.execute(sa.delete(Throttle).where(sa.or_(Throttle.key == key, Throttle.since <= before)))
