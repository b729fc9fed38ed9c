"""Follow-ups: what a record asks for on a later day, until it is done or not needed."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.caseload.cards import REFUSED, Card
from fieldapp.store.sealing import HiddenCode


class FollowUp(Base):
    __tablename__ = "follow_up"
    __table_args__ = (
        sa.UniqueConstraint("centre_id", "root_id", "due_on"),
        sa.Index("ix_follow_up_centre_id_code", "centre_id", "code"),
        sa.Index("ix_follow_up_centre_id_due_on", "centre_id", "due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    root_id: Mapped[str] = mapped_column(sa.String(36))  # the record that asks for it
    due_on: Mapped[dt.date]
    from_on: Mapped[dt.date]  # the day of that record
    form: Mapped[str] = mapped_column(sa.String(64))
    code: Mapped[str] = mapped_column(HiddenCode)  # of a card; "" for a mediation
    worker_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))  # whose it is while no card says otherwise
    # False when a note or a visit named it before its record arrived, or the record has dropped it.
    is_wanted: Mapped[bool]
    is_settled: Mapped[bool]

    @property
    def key(self) -> str:
        return f"{self.root_id}/{self.due_on.isoformat()}"

    @property
    def is_open(self) -> bool:
        return self.is_wanted and not self.is_settled


def of_records(session: Session, centre_id: int, root_ids: Collection[str]) -> Sequence[FollowUp]:
    query = sa.select(FollowUp).where(FollowUp.centre_id == centre_id, FollowUp.root_id.in_(root_ids))
    return session.scalars(query).all()


def of_codes(session: Session, centre_id: int, codes: Collection[str]) -> Sequence[FollowUp]:
    """Return the open follow-ups of these cards."""
    query = sa.select(FollowUp).where(FollowUp.centre_id == centre_id, FollowUp.code.in_(codes), FollowUp.code != "")
    return session.scalars(query.where(FollowUp.is_wanted, ~FollowUp.is_settled)).all()


def list_card_workers(session: Session, centre_id: int, codes: Collection[str]) -> dict[str, int]:
    """Return in whose caseload these cards are."""
    query = sa.select(Card.code, Card.worker_id).where(Card.centre_id == centre_id, Card.code.in_(codes))
    return {row.code: row.worker_id for row in session.execute(query)}


def due_until(session: Session, centre_id: int, day: dt.date, limit: int = 200) -> Sequence[FollowUp]:
    """Return what is due until a day, the oldest first, but for people who said no or left."""
    query = sa.select(FollowUp).where(FollowUp.centre_id == centre_id, FollowUp.due_on <= day)
    query = query.where(FollowUp.is_wanted, ~FollowUp.is_settled)
    is_over = sa.or_(Card.tier == REFUSED, ~Card.is_open)
    query = query.where(~sa.exists().where(Card.centre_id == centre_id, Card.code == FollowUp.code, is_over))
    return session.scalars(query.order_by(FollowUp.due_on, FollowUp.id).limit(limit)).all()


@dataclass(frozen=True)
class NextDue:
    """What is due next of a record that names no card, and of whom."""

    root_id: str
    worker_id: int
    due_on: dt.date


def list_next_without_card(
    session: Session, centre_id: int, worker_id: int | None = None, root_id: str | None = None, limit: int = 200
) -> list[NextDue]:
    """Return what is due next of each record that names no card, the earliest first.

    Of one worker or one record, where that is given.
    """
    first = sa.func.min(FollowUp.due_on)
    query = sa.select(FollowUp.root_id, FollowUp.worker_id, first).where(FollowUp.centre_id == centre_id)
    query = query.where(FollowUp.code == "", FollowUp.is_wanted, ~FollowUp.is_settled)
    if worker_id is not None:
        query = query.where(FollowUp.worker_id == worker_id)
    if root_id is not None:
        query = query.where(FollowUp.root_id == root_id)
    query = query.group_by(FollowUp.root_id, FollowUp.worker_id).order_by(first, FollowUp.root_id).limit(limit)
    return [NextDue(*row) for row in session.execute(query)]


def of_card_or_records(session: Session, centre_id: int, code: str, root_ids: Collection[str]) -> Sequence[FollowUp]:
    """Return every follow-up of a card or of these records, open or not."""
    query = sa.select(FollowUp).where(FollowUp.centre_id == centre_id)
    return session.scalars(query.where(sa.or_(FollowUp.code == code, FollowUp.root_id.in_(root_ids)))).all()
