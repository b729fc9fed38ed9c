"""Datasets of a centre and the memory of what was published of them: batches, rows by their tags, counts by period."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from fieldapp.store.base import Base

INSERT_AT_ONCE = 5000
TAG_BYTES = 16


class Dataset(Base):
    """One dataset of a centre. `head` is the hash of the ledger's last entry, kept apart from the entries on purpose."""

    __tablename__ = "dataset"
    __table_args__ = (sa.UniqueConstraint("centre_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    name: Mapped[str] = mapped_column(sa.String(64))
    text: Mapped[str] = mapped_column(sa.Text)  # YAML
    secret: Mapped[str] = mapped_column(sa.String(64))  # keys the tags of rows; never leaves
    head: Mapped[str] = mapped_column(sa.String(64), default="")
    created_at: Mapped[dt.datetime]


class PublishedBatch(Base):
    """What was published at once: its entry in the ledger, its report, and its rows as they may leave (Parquet)."""

    __tablename__ = "batch"
    __table_args__ = (sa.UniqueConstraint("dataset_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(sa.ForeignKey("dataset.id"))
    number: Mapped[int]
    entry: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    data: Mapped[bytes]
    created_at: Mapped[dt.datetime]


class PublishedRow(Base):
    """A row that was published, known by a keyed hash only. The primary key makes a second time impossible."""

    __tablename__ = "published_row"

    dataset_id: Mapped[int] = mapped_column(sa.ForeignKey("dataset.id"), primary_key=True)
    tag: Mapped[bytes] = mapped_column(sa.LargeBinary(TAG_BYTES), primary_key=True)
    number: Mapped[int]


class PublishedCounts(Base):
    """The counts of a table for a period as they were last published: [[cell, true count, text]]."""

    __tablename__ = "table_state"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    period: Mapped[str] = mapped_column(sa.String(12), primary_key=True)
    cells: Mapped[list[Any]]
    revision: Mapped[int] = mapped_column(default=0)  # how often what is published has changed
    counted_at: Mapped[dt.datetime | None]
    records: Mapped[int] = mapped_column(default=0)  # read for the last count
    late: Mapped[int] = mapped_column(default=0)  # changed or come since; counted again when they could matter


def of_centre(session: Session, centre_id: int) -> Sequence[Dataset]:
    return session.scalars(sa.select(Dataset).where(Dataset.centre_id == centre_id).order_by(Dataset.name)).all()


def heads(session: Session, centre_id: int) -> dict[int, str]:
    """Return the head of each dataset of a centre, and let nobody else move one before this transaction ends."""
    query = sa.select(Dataset.id, Dataset.head).where(Dataset.centre_id == centre_id).order_by(Dataset.id)
    return {int(row.id): str(row.head) for row in session.execute(query.with_for_update())}


def batches(session: Session, dataset_id: int) -> Sequence[PublishedBatch]:
    """Return the batches of a dataset, oldest first, without their rows."""
    query = sa.select(PublishedBatch).where(PublishedBatch.dataset_id == dataset_id).order_by(PublishedBatch.number)
    return session.scalars(query.options(defer(PublishedBatch.data))).all()


def batch_data(session: Session, dataset_id: int, number: int) -> bytes:
    query = sa.select(PublishedBatch.data).where(PublishedBatch.dataset_id == dataset_id, PublishedBatch.number == number)
    return bytes(session.execute(query).scalar_one())


def iterate_row_tags(session: Session, dataset_id: int) -> Iterator[tuple[bytes, int]]:
    query = sa.select(PublishedRow.tag, PublishedRow.number).where(PublishedRow.dataset_id == dataset_id)
    query = query.execution_options(yield_per=10_000)
    for tag, number in session.execute(query):
        yield bytes(tag), number


def add_rows(session: Session, dataset_id: int, number: int, found: bytes) -> None:
    """Remember rows as published; their tags lie one after the other."""
    size = TAG_BYTES * INSERT_AT_ONCE
    for first in range(0, len(found), size):
        piece = found[first : first + size]
        rows = [
            {"dataset_id": dataset_id, "tag": piece[at : at + TAG_BYTES], "number": number}
            for at in range(0, len(piece), TAG_BYTES)
        ]
        session.connection().execute(sa.insert(PublishedRow), rows)


def advance_ledger_head(session: Session, dataset_id: int, before: str, after: str) -> bool:
    """Remember a new last entry; False when another release has written one in the meantime."""
    statement = sa.update(Dataset).where(Dataset.id == dataset_id, Dataset.head == before).values(head=after)
    return session.connection().execute(statement.execution_options(synchronize_session=False)).rowcount == 1


def table_states(session: Session, centre_id: int, key: str) -> dict[str, list[Any]]:
    """Return the counts of a table that were published, by period."""
    query = sa.select(PublishedCounts).where(PublishedCounts.centre_id == centre_id, PublishedCounts.key == key)
    return {state.period: state.cells for state in session.scalars(query)}


def save_counts(
    session: Session, centre_id: int, key: str, period: str, cells: list[Any], at: dt.datetime, records: int = 0
) -> None:
    """Keep what is published of a table now; a change of what was published before is a revision."""
    state = session.get(PublishedCounts, (centre_id, key, period))
    if state is None:
        state = PublishedCounts(centre_id=centre_id, key=key, period=period, cells=cells, revision=0)
        session.add(state)
    elif state.cells != cells:
        state.cells, state.revision = cells, state.revision + 1
    state.counted_at, state.records, state.late = at, records or state.records or 0, 0


@dataclass(frozen=True)
class PublishedCountsView:
    """A table as it was published for a period, as a value."""

    key: str
    period: str
    cells: list[Any]
    revision: int
    counted_at: dt.datetime | None
    records: int
    late: int


def published_tables(session: Session, centre_id: int, keys: Sequence[str]) -> list[PublishedCountsView]:
    columns = [getattr(PublishedCounts, one.name) for one in fields(PublishedCountsView)]
    query = sa.select(*columns).where(PublishedCounts.centre_id == centre_id, PublishedCounts.key.in_(keys))
    return [
        PublishedCountsView(*row) for row in session.execute(query.order_by(PublishedCounts.key, PublishedCounts.period))
    ]


def count_late_records(session: Session, centre_id: int, key: str, period: str, late: int) -> None:
    statement = sa.update(PublishedCounts).where(
        PublishedCounts.centre_id == centre_id, PublishedCounts.key == key, PublishedCounts.period == period
    )
    session.execute(statement.values(late=PublishedCounts.late + late).execution_options(synchronize_session=False))
