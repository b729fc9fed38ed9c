"""Which rows changed since the last segment of the journal, and where its chain stands.

Triggers note the rows (`store/row_journal.py`), so that a segment costs as much as was changed.
"""

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.operations import epochs

BATCH = 10_000  # notes that are read at once
ENOUGH = 2  # copies of the whole database that one chain goes on from
QUIET = ("centre_log",)  # tables of which a segment alone is not worth it: noting one changes them


class ChangedRow(Base):
    """That a row was written or deleted."""

    __tablename__ = "changed_row"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40))  # of its table
    key: Mapped[str] = mapped_column(sa.Text())  # its primary key as a JSON array, as it lies in the database


class JournalHead(Base):
    """Where the chain of segments stands; one row."""

    __tablename__ = "journal_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chain: Mapped[str] = mapped_column(sa.String(16))  # its name; another one begins where segments cannot go on
    epoch: Mapped[int] = mapped_column(sa.BigInteger)
    schema: Mapped[str] = mapped_column(sa.String(32))
    number: Mapped[int] = mapped_column(sa.BigInteger)  # of the last segment; 0 before the first
    sha256: Mapped[str] = mapped_column(sa.String(64))  # of its file, as it lies off the machine
    begun: Mapped[int]  # copies of the whole database that were begun: what a segment has is newer than those before it
    copies: Mapped[int]  # whole copies off the machine from which the chain goes on
    at: Mapped[dt.datetime]  # the moment of the last segment


@dataclass(frozen=True)
class ChainEnd:
    """The end of a chain in a copy of the database: what follows it names this hash."""

    chain: str
    number: int
    sha256: str
    begun: int


def read_head(session: Session) -> JournalHead | None:
    return session.scalars(sa.select(JournalHead)).one_or_none()


def read_end(session: Session) -> ChainEnd | None:
    """Return the end of the chain; None where none ever began."""
    query = sa.select(JournalHead.chain, JournalHead.number, JournalHead.sha256, JournalHead.begun)
    row = session.execute(query).one_or_none()
    return ChainEnd(*row) if row else None


def goes_on(session: Session, head: JournalHead | None, schema: str) -> bool:
    """Say whether the chain can go on in the database as it is now."""
    return head is not None and head.epoch == epochs.current(session) and head.schema == schema


def begin_chain(session: Session, schema: str, now: dt.datetime) -> None:
    """Begin a chain; its segments count once there is a copy that it goes on from."""
    session.execute(sa.delete(JournalHead))
    # In place of the hash of a segment: nothing of another chain can follow it.
    start = secrets.token_hex(32)
    head = JournalHead(id=1, chain=start[:16], epoch=epochs.current(session), schema=schema, at=now)
    head.number = 0
    head.sha256 = start
    head.begun = 0
    head.copies = 0
    session.add(head)
    session.flush()


def note_begun(session: Session) -> None:
    """Note that a copy of the whole database is about to be made.

    A segment that was written before it and never noted is older than the copy, and must not be put back over it.
    """
    session.execute(sa.update(JournalHead).values(begun=JournalHead.begun + 1))


def note_copy(session: Session, end: ChainEnd) -> None:
    """Note a whole copy off the machine, with the end of the chain in it."""
    session.execute(sa.update(JournalHead).where(JournalHead.chain == end.chain).values(copies=JournalHead.copies + 1))


def note_segment(session: Session, before: JournalHead, sha256: str, at: dt.datetime, copies: int) -> bool:
    """Note a segment that lies off the machine and was read back.

    `before`: the end of the chain that it follows; `copies`: how many whole ones are there. Returns False, and notes
    nothing, where the chain has another end by now.
    """
    same_end = (JournalHead.chain == before.chain, JournalHead.sha256 == before.sha256)
    values = {"number": before.number + 1, "sha256": sha256, "at": at, "copies": copies}
    noted = session.execute(sa.update(JournalHead).where(*same_end).values(**values).returning(JournalHead.number))
    return noted.first() is not None


def has_news(session: Session) -> bool:
    """Say whether something changed that is worth a segment."""
    query = sa.select(ChangedRow.id).where(ChangedRow.name.not_in(QUIET)).limit(1)
    return session.execute(query).first() is not None


def read_runs(session: Session) -> list[tuple[int, int]]:
    """Return the notes that can be seen, as runs of numbers without a gap.

    A number in a gap may be of a transaction that has not ended: only what was seen is deleted later.
    """
    runs: list[tuple[int, int]] = []
    last = 0
    query = sa.select(ChangedRow.id).order_by(ChangedRow.id).limit(BATCH)
    while numbers := session.scalars(query.where(ChangedRow.id > last)).all():
        for number in numbers:
            if runs and runs[-1][1] == number - 1:
                runs[-1] = (runs[-1][0], number)
            else:
                runs.append((number, number))
        last = numbers[-1]
    return runs


def list_keys(session: Session) -> dict[str, list[str]]:
    """Return the keys of the rows that changed, by table."""
    keys: dict[str, list[str]] = {}
    for name, key in session.execute(sa.select(ChangedRow.name, ChangedRow.key).distinct()):
        keys.setdefault(name, []).append(key)
    return keys


def forget(session: Session, runs: Iterable[tuple[int, int]]) -> None:
    """Delete notes whose rows are in a segment."""
    for first, last in runs:
        session.execute(sa.delete(ChangedRow).where(ChangedRow.id.between(first, last)))


def forget_all(session: Session) -> None:
    session.execute(sa.delete(ChangedRow))
    session.execute(sa.delete(JournalHead))
