"""The head of each centre's log: last position, epochs, how far copies elsewhere reach.

Positions have no gaps and become visible in their own order, so "all up to number n" means what it says. A sequence
could not promise that: 2 may be committed while 1 is under way, or never comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.dialects import make_insert
from fieldapp.store.operations import epochs
from fieldapp.store.operations.centres import Centre
from sync.keeping import advance_safe


class CentreLog(Base):
    """The head of a centre's log, locked by who takes positions until their commit."""

    __tablename__ = "centre_log"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(sa.BigInteger)  # of the positions that are given out now
    lineage: Mapped[list[Any]]  # [epoch, last position that was there when it began], oldest first
    position: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # the last that was given out
    copied: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # the last in the newest checked copy elsewhere
    safe: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # the last in each of the two newest ones


@dataclass(frozen=True)
class LogHead:
    """What a centre says of its log."""

    epoch: int
    lineage: list[list[int]]
    position: int
    safe: int


NEXT = (
    sa.update(CentreLog)
    .where(CentreLog.centre_id == sa.bindparam("of_centre"))
    .values(position=CentreLog.position + sa.bindparam("count"))
    .returning(CentreLog.position)
)


def take_positions(session: Session, centre_id: int, count: int) -> range:
    """Return the next positions of a centre.

    To be called late in the transaction that stores what they are for: until it ends, others of the centre wait.
    """
    parameters = {"of_centre": centre_id, "count": count}
    last = session.connection().execute(NEXT, parameters).scalar_one_or_none()
    if last is None:
        _begin(session, centre_id)
        last = session.connection().execute(NEXT, parameters).scalar_one()
    return range(last + 1 - count, last + 1)


def _begin(session: Session, centre_id: int) -> None:
    epoch = epochs.current(session)
    statement = make_insert(session, CentreLog)
    statement = statement.values(centre_id=centre_id, epoch=epoch, lineage=[[epoch, 0]], position=0, copied=0, safe=0)
    # Another transaction may have begun it at the same moment.
    session.execute(statement.on_conflict_do_nothing(index_elements=["centre_id"]))


def read_head(session: Session, centre_id: int) -> LogHead:
    """Return the head of a centre's log, also of one in which nothing is yet."""
    query = sa.select(CentreLog.epoch, CentreLog.lineage, CentreLog.position, CentreLog.safe)
    row = session.execute(query.where(CentreLog.centre_id == centre_id)).one_or_none()
    if row is None:
        epoch = epochs.current(session)
        return LogHead(epoch, [[epoch, 0]], 0, 0)
    return LogHead(*row)


def read_epoch(session: Session, centre_id: int) -> int:
    """Return the epoch of the positions that a centre gives out."""
    return read_head(session, centre_id).epoch


def list_positions(session: Session) -> dict[int, int]:
    """Return the last position of each centre."""
    return {row[0]: row[1] for row in session.execute(sa.select(CentreLog.centre_id, CentreLog.position))}


def begin_epoch(session: Session, epoch: int) -> None:
    """Begin an epoch in every centre's log: what follows its last position is new."""
    for centre_id in session.scalars(sa.select(Centre.id)):
        _begin(session, centre_id)
    for log in session.scalars(sa.select(CentreLog).with_for_update()):
        if log.epoch != epoch:
            log.epoch = epoch
            log.lineage = [*log.lineage, [epoch, log.position]]
    session.flush()


def note_copied(session: Session, positions: Mapping[int, int], epoch: int) -> None:
    """Note a copy elsewhere that is whole, with the last position of each centre in it.

    What was in the copy before it is in two now, so it is safe: a restore may use either.
    """
    for log in session.scalars(sa.select(CentreLog).where(CentreLog.epoch == epoch).with_for_update()):
        position = positions.get(log.centre_id, 0)
        log.safe = advance_safe(log.safe, log.copied, position)
        log.copied = max(log.copied, position)


def note_journal(session: Session, positions: Mapping[int, int], epoch: int, is_safe: bool) -> None:
    """Note that the journal elsewhere reaches so far.

    `is_safe`: the two newest copies both lead to its end, so what it holds comes back whichever of them is put back.
    """
    for log in session.scalars(sa.select(CentreLog).where(CentreLog.epoch == epoch).with_for_update()):
        position = positions.get(log.centre_id, 0)
        log.copied = max(log.copied, position)
        if is_safe:
            log.safe = max(log.safe, position)
