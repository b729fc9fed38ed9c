"""Rows that were published and must be deleted since somebody took everything back.

Others from the same look-alike groups are drawn to go with them, in rounds. After a round, nothing here says which of
its rows are whose.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.consent.withdrawals import Withdrawal
from fieldapp.store.releases.datasets import INSERT_AT_ONCE, TAG_BYTES, Dataset, PublishedRow

WAITING = 1 << 62  # after every round
ASKED_AT_ONCE = 500  # tags in one query: SQLite takes 32,766 values, PostgreSQL plans short lists better


class WithdrawalRound(Base):
    """Rows that were put on lists together, and when all recipients had done their part."""

    __tablename__ = "withdrawal_round"

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), index=True)
    drawn_at: Mapped[dt.datetime]
    listed_at: Mapped[dt.datetime | None]  # every recipient who has its rows has a package with the list
    attested_at: Mapped[dt.datetime | None]  # each of them says that the rows are deleted


class WithdrawalRow(Base):
    """A published row that never leaves again."""

    __tablename__ = "withdrawal_row"
    __table_args__ = (
        sa.ForeignKeyConstraint(["dataset_id", "tag"], ["published_row.dataset_id", "published_row.tag"]),
        sa.Index("ix_withdrawal_row_centre_id_dataset_id", "centre_id", "dataset_id", "number"),
    )

    dataset_id: Mapped[int] = mapped_column(primary_key=True)
    tag: Mapped[bytes] = mapped_column(sa.LargeBinary(TAG_BYTES), primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    number: Mapped[int]  # of the batch
    place: Mapped[int | None]  # in the order of the batch; None: published before the order was kept
    # Whose row it is, until the round; then "": the real ones and those drawn with them look alike.
    withdrawal_id: Mapped[str] = mapped_column(sa.String(32), default="")
    round_id: Mapped[int | None] = mapped_column(sa.ForeignKey("withdrawal_round.id"))


class WithdrawalInRound(Base):
    """Whose rows are among those of a round; not which."""

    __tablename__ = "withdrawal_in_round"

    round_id: Mapped[int] = mapped_column(sa.ForeignKey("withdrawal_round.id"), primary_key=True)
    withdrawal_id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)


def find_published(session: Session, dataset_id: int, tags: Sequence[bytes]) -> list[PublishedRow]:
    """Return those rows of a dataset, of these tags, that were published."""
    published: list[PublishedRow] = []
    for first in range(0, len(tags), ASKED_AT_ONCE):
        some = tags[first : first + ASKED_AT_ONCE]
        query = sa.select(PublishedRow).where(PublishedRow.dataset_id == dataset_id, PublishedRow.tag.in_(some))
        published.extend(session.scalars(query))
    return published


def rows_of_batch(session: Session, dataset_id: int, number: int) -> dict[bytes, int | None]:
    """Return the place of each row of a batch, by tag."""
    query = sa.select(PublishedRow.tag, PublishedRow.place)
    query = query.where(PublishedRow.dataset_id == dataset_id, PublishedRow.number == number)
    return {bytes(tag): place for tag, place in session.execute(query)}


def of_centre(session: Session, centre_id: int) -> Sequence[WithdrawalRow]:
    query = sa.select(WithdrawalRow).where(WithdrawalRow.centre_id == centre_id)
    return session.scalars(query.order_by(WithdrawalRow.dataset_id, WithdrawalRow.number, WithdrawalRow.place)).all()


def of_batch(session: Session, dataset_id: int, number: int) -> Sequence[WithdrawalRow]:
    query = sa.select(WithdrawalRow).where(WithdrawalRow.dataset_id == dataset_id, WithdrawalRow.number == number)
    return session.scalars(query).all()


def of_tags(session: Session, dataset_id: int, tags: Sequence[bytes]) -> dict[bytes, WithdrawalRow]:
    """Return the withdrawn ones among rows of a dataset, by tag."""
    rows: dict[bytes, WithdrawalRow] = {}
    for first in range(0, len(tags), ASKED_AT_ONCE):
        some = tags[first : first + ASKED_AT_ONCE]
        query = sa.select(WithdrawalRow).where(WithdrawalRow.dataset_id == dataset_id, WithdrawalRow.tag.in_(some))
        rows.update({bytes(row.tag): row for row in session.scalars(query)})
    return rows


def pending(session: Session, centre_id: int) -> Sequence[WithdrawalRow]:
    """Return the rows that wait for a round."""
    query = sa.select(WithdrawalRow).where(WithdrawalRow.centre_id == centre_id, WithdrawalRow.round_id.is_(None))
    return session.scalars(query.order_by(WithdrawalRow.dataset_id, WithdrawalRow.number, WithdrawalRow.tag)).all()


def mark(session: Session, centre_id: int) -> str:
    """Return a text that changes with every row and every round; "" before the first row."""
    query = sa.select(sa.func.count(), sa.func.count(WithdrawalRow.round_id), sa.func.max(WithdrawalRow.round_id))
    rows, in_rounds, newest = session.execute(query.where(WithdrawalRow.centre_id == centre_id)).one()
    return f"{rows} {in_rounds} {newest or 0}" if rows else ""


def add_rows(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    for first in range(0, len(rows), INSERT_AT_ONCE):
        session.execute(sa.insert(WithdrawalRow), list(rows[first : first + INSERT_AT_ONCE]))


def close_rows(session: Session, centre_id: int, round_id: int) -> None:
    """Put every row that waits into a round, and forget whose it is."""
    statement = sa.update(WithdrawalRow).where(
        WithdrawalRow.centre_id == centre_id, WithdrawalRow.round_id.is_(None)
    )  # fmt: skip
    session.execute(statement.values(round_id=round_id, withdrawal_id=""))


def put_in_round(session: Session, round_id: int, withdrawal_ids: Collection[str]) -> None:
    """Write down that rows of these withdrawals are among those of a round."""
    for withdrawal_id in sorted(withdrawal_ids):
        session.merge(WithdrawalInRound(round_id=round_id, withdrawal_id=withdrawal_id))
    session.flush()


def rounds(session: Session, centre_id: int) -> Sequence[WithdrawalRound]:
    """Return the rounds of a centre, oldest first."""
    query = sa.select(WithdrawalRound).where(WithdrawalRound.centre_id == centre_id)
    return session.scalars(query.order_by(WithdrawalRound.id)).all()


def rounds_of(session: Session, centre_id: int, withdrawal_id: str) -> Sequence[WithdrawalRound]:
    """Return the rounds with rows of a withdrawal."""
    query = sa.select(WithdrawalRound).join(WithdrawalInRound, WithdrawalInRound.round_id == WithdrawalRound.id)
    query = query.where(WithdrawalRound.centre_id == centre_id, WithdrawalInRound.withdrawal_id == withdrawal_id)
    return session.scalars(query.order_by(WithdrawalRound.id)).all()


@dataclass(frozen=True)
class ListStates:
    """When a withdrawal's rows were on every list, and attested as deleted; None: not yet."""

    listed_at: dt.datetime | None
    attested_at: dt.datetime | None


def find_list_states(session: Session, centre_id: int, withdrawal_id: str) -> ListStates | None:
    """Return how far recipients are with a withdrawal; None when no row of it had left."""
    waits = sa.select(WithdrawalRow.tag).where(
        WithdrawalRow.centre_id == centre_id, WithdrawalRow.withdrawal_id == withdrawal_id
    )
    if session.execute(waits.limit(1)).first() is not None:
        return ListStates(None, None)
    of_withdrawal = rounds_of(session, centre_id, withdrawal_id)
    if not of_withdrawal:
        return _find_last_states(session, withdrawal_id)
    listed = [this_round.listed_at for this_round in of_withdrawal]
    attested = [this_round.attested_at for this_round in of_withdrawal]
    return ListStates(find_last(listed), find_last(attested))


def _find_last_states(session: Session, withdrawal_id: str) -> ListStates | None:
    """Return the states of a withdrawal whose rounds nobody can tell any more.

    None for none.
    """
    withdrawal = session.get(Withdrawal, withdrawal_id)
    if withdrawal is None or withdrawal.attested_at is None:
        return None
    return ListStates(withdrawal.listed_at, withdrawal.attested_at)


def list_attested_rounds(session: Session, centre_id: int, before: dt.datetime) -> Sequence[WithdrawalRound]:
    """Return rounds attested before a time, where it is known whose rows they have.

    They are locked.
    """
    is_told = sa.exists().where(WithdrawalInRound.round_id == WithdrawalRound.id)
    query = sa.select(WithdrawalRound).where(WithdrawalRound.centre_id == centre_id, is_told)
    query = query.where(WithdrawalRound.attested_at < before)
    return session.scalars(query.order_by(WithdrawalRound.id).with_for_update()).all()


def forget_whose(session: Session, round_id: int) -> None:
    """Delete whose rows are among those of a round."""
    session.execute(sa.delete(WithdrawalInRound).where(WithdrawalInRound.round_id == round_id))


def forget_withdrawal(session: Session, withdrawal_id: str) -> None:
    """Delete in which rounds rows of a withdrawal are."""
    session.execute(sa.delete(WithdrawalInRound).where(WithdrawalInRound.withdrawal_id == withdrawal_id))


def find_last(moments: Sequence[dt.datetime | None]) -> dt.datetime | None:
    """Return the last of some moments; None while one is missing."""
    reached = [moment for moment in moments if moment is not None]
    if len(reached) < len(moments):
        return None
    return max(reached)


def copy_states(session: Session, centre_id: int) -> None:
    """Write on each withdrawal how far its recipients are."""
    unfinished = sa.select(Withdrawal).where(Withdrawal.centre_id == centre_id, Withdrawal.attested_at.is_(None))
    for withdrawal in session.scalars(unfinished).all():
        states = find_list_states(session, centre_id, withdrawal.id)
        if states is not None:
            withdrawal.listed_at = states.listed_at
            withdrawal.attested_at = states.attested_at
    session.flush()


def newest_round(session: Session, centre_id: int) -> int:
    """Return the id of a centre's last round; 0 before the first."""
    query = sa.select(sa.func.max(WithdrawalRound.id)).where(WithdrawalRound.centre_id == centre_id)
    return session.scalar(query) or 0


def batches_of_rounds(session: Session, centre_id: int) -> dict[int, set[tuple[str, int]]]:
    """Return the batches that have rows of each round: dataset and number."""
    query = sa.select(WithdrawalRow.round_id, Dataset.name, WithdrawalRow.number).distinct()
    query = query.join(Dataset, Dataset.id == WithdrawalRow.dataset_id)
    query = query.where(WithdrawalRow.centre_id == centre_id, WithdrawalRow.round_id.is_not(None))
    batches: dict[int, set[tuple[str, int]]] = {}
    for round_id, name, number in session.execute(query):
        batches.setdefault(int(round_id or 0), set()).add((name, number))
    return batches


def last_rounds(session: Session, centre_id: int) -> dict[tuple[str, int], int]:
    """Return the last round with rows of each batch, by dataset and number.

    It is WAITING where some wait for a round.
    """
    waiting = sa.func.count() - sa.func.count(WithdrawalRow.round_id)
    query = sa.select(Dataset.name, WithdrawalRow.number, sa.func.max(WithdrawalRow.round_id), waiting)
    query = query.join(Dataset, Dataset.id == WithdrawalRow.dataset_id).where(WithdrawalRow.centre_id == centre_id)
    last: dict[tuple[str, int], int] = {}
    for name, number, newest, rows in session.execute(query.group_by(Dataset.name, WithdrawalRow.number)):
        last[name, number] = WAITING if rows else int(newest or 0)
    return last


def batches_without_order(session: Session, centre_id: int) -> set[tuple[str, int]]:
    """Return the batches, dataset and number, whose order of rows was not kept."""
    query = sa.select(Dataset.name, PublishedRow.number).distinct()
    query = query.join(Dataset, Dataset.id == PublishedRow.dataset_id)
    query = query.where(Dataset.centre_id == centre_id, PublishedRow.place.is_(None))
    return {(name, number) for name, number in session.execute(query)}
