"""Epochs: a new one begins when a backup is restored.

Numbers that were given out before (in the log, in pull cursors) mean nothing after it.
"""

import datetime as dt
import time

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from sync.keeping import choose_epoch


class Epoch(Base):
    __tablename__ = "epoch"

    number: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)  # new for ever
    began_at: Mapped[dt.datetime]  # when the copy was put back
    copied_at: Mapped[dt.datetime]  # when the copy was made
    position: Mapped[int] = mapped_column(sa.BigInteger)  # the last place in the log that the copy holds


def current(session: Session) -> int:
    """Return the number of the epoch; 0 in a database that was never put back from a copy."""
    return session.scalars(sa.select(sa.func.coalesce(sa.func.max(Epoch.number), 0))).one()


def last_restore(session: Session) -> Epoch | None:
    return session.scalars(sa.select(Epoch).order_by(Epoch.number.desc()).limit(1)).one_or_none()


def begin(session: Session, began_at: dt.datetime, copied_at: dt.datetime, position: int, after: int = 0) -> Epoch:
    """Begin a new epoch with a number above every earlier one, and above `after`.

    The clock is part of the number: two restores of one copy must not share theirs.
    """
    number = choose_epoch([current(session), after], int(time.time() * 1000))
    epoch = Epoch(number=number, began_at=began_at, copied_at=copied_at, position=position)
    session.add(epoch)
    session.flush()
    return epoch
