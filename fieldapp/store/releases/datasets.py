"""Datasets of a centre, and what was published of them.

That is batches, rows by their tags, and the counts of tables by period.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from fieldapp.store.base import Base

INSERT_AT_ONCE = 5000
TAG_BYTES = 16


class Dataset(Base):
    """One dataset of a centre.

    `head` is the hash of the ledger's last entry. It is stored apart from the entries on purpose: an
    entry that is removed at the end is missed.
    """

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
    """Rows that were published together: ledger entry, report, safe values (Parquet)."""

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
    """A row that was published, known by a keyed hash only.

    The primary key makes it impossible to publish it a second time.
    """

    __tablename__ = "published_row"

    dataset_id: Mapped[int] = mapped_column(sa.ForeignKey("dataset.id"), primary_key=True)
    tag: Mapped[bytes] = mapped_column(sa.LargeBinary(TAG_BYTES), primary_key=True)
    number: Mapped[int]
    place: Mapped[int | None]  # in the order of its batch, from 0; None: published before the order was kept


class PublishedCounts(Base):
    """The counts of a table for a period as last published: [[cell, true count, text]]."""

    __tablename__ = "table_state"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    period: Mapped[str] = mapped_column(sa.String(12), primary_key=True)
    cells: Mapped[list[Any]]
    revision: Mapped[int] = mapped_column(default=0)  # how often what is published has changed
    counted_at: Mapped[dt.datetime | None]
    records: Mapped[int] = mapped_column(default=0)  # read for the last count
    # Changed or arrived since then; the table is counted again when they could matter.
    late: Mapped[int] = mapped_column(default=0)


def of_centre(session: Session, centre_id: int) -> Sequence[Dataset]:
    return session.scalars(sa.select(Dataset).where(Dataset.centre_id == centre_id).order_by(Dataset.name)).all()


def heads(session: Session, centre_id: int) -> dict[int, str]:
    """Return the ledger head of each dataset of a centre, and lock them all."""
    query = sa.select(Dataset.id, Dataset.head).where(Dataset.centre_id == centre_id).order_by(Dataset.id)
    # In one order, so that two releases cannot wait for each other.
    return {int(row.id): str(row.head) for row in session.execute(query.with_for_update())}


def batches(session: Session, dataset_id: int) -> Sequence[PublishedBatch]:
    """Return the batches of a dataset, oldest first, without their rows."""
    query = sa.select(PublishedBatch).where(PublishedBatch.dataset_id == dataset_id).order_by(PublishedBatch.number)
    return session.scalars(query.options(defer(PublishedBatch.data))).all()


def batch_data(session: Session, dataset_id: int, number: int) -> bytes:
    query = sa.select(PublishedBatch.data).where(PublishedBatch.dataset_id == dataset_id, PublishedBatch.number == number)
    return bytes(session.execute(query).scalar_one())


def iterate_row_tags(session: Session, dataset_id: int) -> Iterator[tuple[bytes, int]]:
    """Yield the tag of each published row of a dataset, and the number of its batch."""
    query = sa.select(PublishedRow.tag, PublishedRow.number).where(PublishedRow.dataset_id == dataset_id)
    query = query.execution_options(yield_per=10_000)
    for tag, number in session.execute(query):
        yield bytes(tag), number


def add_rows(session: Session, dataset_id: int, number: int, tags: bytes) -> None:
    """Save the rows of batch `number` as published.

    `tags` are TAG_BYTES each, joined, in the order of the batch.

    Raises IntegrityError for a row that was published already.
    """
    rows: list[dict[str, Any]] = []
    for start in range(0, len(tags), TAG_BYTES):
        tag = tags[start : start + TAG_BYTES]
        rows.append({"dataset_id": dataset_id, "tag": tag, "number": number, "place": start // TAG_BYTES})
        if len(rows) == INSERT_AT_ONCE:
            session.connection().execute(sa.insert(PublishedRow), rows)
            rows = []
    if rows:
        # Past the objects: a million tags as objects would not fit into memory.
        session.connection().execute(sa.insert(PublishedRow), rows)


def advance_ledger_head(session: Session, dataset_id: int, before: str, after: str) -> bool:
    """Replace a ledger's head; False when it is not `before` any more.

    Then another release has published a batch in the meantime.
    """
    # The old head is in the condition: of two releases that build at once, one finds that it lost.
    statement = sa.update(Dataset).where(Dataset.id == dataset_id, Dataset.head == before)
    statement = statement.values(head=after).execution_options(synchronize_session=False)
    return session.connection().execute(statement).rowcount == 1


def table_states(session: Session, centre_id: int, key: str) -> dict[str, list[Any]]:
    """Return the counts of a table that were published, by period."""
    query = sa.select(PublishedCounts).where(PublishedCounts.centre_id == centre_id, PublishedCounts.key == key)
    return {state.period: state.cells for state in session.scalars(query)}


def save_counts(
    session: Session, centre_id: int, key: str, period: str, cells: list[Any], at: dt.datetime, records: int = 0
) -> None:
    """Save what is published of a table now; other cells than before are a revision.

    `records` is how many were read for the count; 0 keeps the number of the last time.
    """
    state = session.get(PublishedCounts, (centre_id, key, period))
    if state is None:
        state = PublishedCounts(centre_id=centre_id, key=key, period=period, cells=cells, revision=0)
        session.add(state)
    elif state.cells != cells:
        state.cells = cells
        state.revision += 1
    state.counted_at = at
    state.records = records or state.records or 0
    state.late = 0


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
    """Return the published counts of these tables, by table and period."""
    # As plain values and not as objects: they are compared long after this transaction.
    columns = [getattr(PublishedCounts, field.name) for field in fields(PublishedCountsView)]
    query = sa.select(*columns).where(PublishedCounts.centre_id == centre_id, PublishedCounts.key.in_(keys))
    query = query.order_by(PublishedCounts.key, PublishedCounts.period)
    return [PublishedCountsView(*row) for row in session.execute(query)]


def note_taken_out(session: Session, centre_id: int, numbers: Mapping[str, int]) -> None:
    """Add to the late records of every table how many records were taken out, by period.

    Also of tables of other forms: counting them again changes nothing.
    """
    for period in sorted(numbers):  # always in one order, so that two who do this never wait for each other
        statement = sa.update(PublishedCounts).where(
            PublishedCounts.centre_id == centre_id, PublishedCounts.period == period
        )
        late = PublishedCounts.late + numbers[period]
        session.execute(statement.values(late=late).execution_options(synchronize_session=False))


def count_late_records(session: Session, centre_id: int, key: str, period: str, late: int) -> None:
    """Add to the number of late records of a table and period."""
    statement = sa.update(PublishedCounts).where(
        PublishedCounts.centre_id == centre_id, PublishedCounts.key == key, PublishedCounts.period == period
    )
    session.execute(statement.values(late=PublishedCounts.late + late).execution_options(synchronize_session=False))
