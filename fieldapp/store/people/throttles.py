"""Failed sign-ins, counted per browser, name and address, all hashed.

They are in the database so that guessing is slow in every process together.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.dialects import make_insert


class Throttle(Base):
    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    failures: Mapped[int]
    since: Mapped[dt.datetime]


def add_failure(session: Session, key: str, now: dt.datetime, window: dt.timedelta) -> int:
    """Count one more failure of a key, and return how many there are in the window.

    The row stays locked until the transaction ends, so that tries at the same moment are counted one after the other.
    """
    insert = make_insert(session, Throttle).values(key=key, failures=1, since=now)
    is_over = Throttle.since <= now - window
    changes = {
        "failures": sa.case((is_over, 1), else_=Throttle.failures + 1),
        "since": sa.case((is_over, now), else_=Throttle.since),
    }
    upsert = insert.on_conflict_do_update(index_elements=["key"], set_=changes).returning(Throttle.failures)
    return int(session.execute(upsert).scalar_one())


def take_back_failure(session: Session, key: str) -> None:
    """Count one failure of a key less."""
    changed = sa.update(Throttle).where(Throttle.key == key, Throttle.failures > 0)
    session.execute(changed.values(failures=Throttle.failures - 1))


def clear_failures(session: Session, key: str, before: dt.datetime) -> None:
    """Clear the failures of one key, and of all keys whose window is over."""
    is_over = sa.or_(Throttle.key == key, Throttle.since <= before)
    session.execute(sa.delete(Throttle).where(is_over))
