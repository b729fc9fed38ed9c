"""The crisis team's board: what is done about incidents and requests.

A step is never changed, only followed by another.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class BoardItem(Base):
    """An incident or a request, and its state.

    An incident has its record's id. A request has chosen words only, so that nobody can be named.
    """

    __tablename__ = "board_item"
    __table_args__ = (
        sa.UniqueConstraint("centre_id", "root_id"),
        sa.Index("ix_board_item_centre_id_closed_at", "centre_id", "closed_at"),
        sa.Index("ix_board_item_centre_id_uid", "centre_id", "uid", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    root_id: Mapped[str | None] = mapped_column(sa.String(36))  # of an incident; none for a request
    # What phones call it; of a request from the field, the id of its note. None: no phone was ever told of it.
    uid: Mapped[str | None] = mapped_column(sa.String(36))
    need: Mapped[str] = mapped_column(sa.String(40), default="")  # of a request
    area: Mapped[str] = mapped_column(sa.String(20), default="")
    opened_at: Mapped[dt.datetime]
    acknowledged_at: Mapped[dt.datetime | None]
    assigned_to: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    closed_at: Mapped[dt.datetime | None]


class BoardStep(Base):
    __tablename__ = "board_step"
    __table_args__ = (sa.Index("ix_board_step_centre_id_at", "centre_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("board_item.id"))
    at: Mapped[dt.datetime]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    # asked, acknowledged, assigned, seen, notified, acted, debriefed, closed, reopened
    kind: Mapped[str] = mapped_column(sa.String(16))
    to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    said_at: Mapped[dt.datetime | None]  # when it was said on a phone, by the phone's clock


def open_items(session: Session, centre_id: int) -> Sequence[BoardItem]:
    query = sa.select(BoardItem).where(BoardItem.centre_id == centre_id, BoardItem.closed_at.is_(None))
    return session.scalars(query.order_by(BoardItem.opened_at)).all()


def items_of_records(session: Session, centre_id: int, root_ids: Sequence[str]) -> Sequence[BoardItem]:
    """Return the items of incidents, open and closed."""
    query = sa.select(BoardItem).where(BoardItem.centre_id == centre_id, BoardItem.root_id.in_(root_ids))
    return session.scalars(query).all()


def find_item_of_record(session: Session, centre_id: int, root_id: str) -> BoardItem | None:
    query = sa.select(BoardItem).where(BoardItem.centre_id == centre_id, BoardItem.root_id == root_id)
    return session.scalars(query.with_for_update()).one_or_none()


def find_by_uid(session: Session, centre_id: int, uid: str) -> BoardItem | None:
    """Return the item that phones know by this id, and lock it."""
    query = sa.select(BoardItem).where(BoardItem.centre_id == centre_id, BoardItem.uid == uid)
    return session.scalars(query.with_for_update()).one_or_none()


def get(session: Session, centre_id: int, item_id: int) -> BoardItem | None:
    query = sa.select(BoardItem).where(BoardItem.centre_id == centre_id, BoardItem.id == item_id)
    return session.scalars(query.with_for_update()).one_or_none()


def steps_of(session: Session, centre_id: int, item_ids: Sequence[int]) -> Sequence[BoardStep]:
    query = sa.select(BoardStep).where(BoardStep.centre_id == centre_id, BoardStep.item_id.in_(item_ids))
    return session.scalars(query.order_by(BoardStep.id)).all()


def steps_between(session: Session, centre_id: int, first: dt.datetime, last: dt.datetime) -> Sequence[BoardStep]:
    query = sa.select(BoardStep).where(BoardStep.centre_id == centre_id, BoardStep.at >= first, BoardStep.at < last)
    return session.scalars(query.order_by(BoardStep.id)).all()


def items(session: Session, centre_id: int, item_ids: Sequence[int]) -> Sequence[BoardItem]:
    return session.scalars(sa.select(BoardItem).where(BoardItem.centre_id == centre_id, BoardItem.id.in_(item_ids))).all()


def step_counts(session: Session, centre_id: int, since: dt.datetime) -> list[tuple[int, int]]:
    """Return each item that is open, or was closed since a moment, with how many steps it has.

    A count, not the newest: of two steps at once, the one with the higher number may be seen before the other.
    """
    query = sa.select(BoardItem.id, sa.func.count(BoardStep.id))
    query = query.outerjoin(BoardStep, BoardStep.item_id == BoardItem.id)
    is_open = sa.or_(BoardItem.closed_at.is_(None), BoardItem.closed_at >= since)
    query = query.where(BoardItem.centre_id == centre_id, is_open)
    return [(row[0], row[1]) for row in session.execute(query.group_by(BoardItem.id).order_by(BoardItem.id))]


def untie_from_records(session: Session, centre_id: int, tags: Mapping[str, str], at: dt.datetime) -> None:
    """Close the items of records that are no more; they say nothing of which those were."""
    query = sa.select(BoardItem).where(BoardItem.centre_id == centre_id, BoardItem.root_id.in_(tags))
    for item in session.scalars(query.with_for_update()):
        item.root_id = tags[item.root_id or ""]
        item.area = ""
        item.closed_at = item.closed_at or at
    session.flush()
