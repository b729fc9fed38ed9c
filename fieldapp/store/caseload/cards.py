"""Cards: codes without meaning that participants carry, and whose caseload each is in.

No name is stored, here or anywhere.
"""

import datetime as dt
import heapq
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.sealing import HiddenCode

REFUSED = "0"  # the tier of a card whose person said no


class Card(Base):
    __tablename__ = "card"
    __table_args__ = (
        sa.UniqueConstraint("centre_id", "code"),
        sa.Index("ix_card_centre_id_worker_id", "centre_id", "worker_id"),
        {"sqlite_autoincrement": True},  # a card that ended is deleted: an old page must never name another one
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    code: Mapped[str] = mapped_column(HiddenCode)  # without dashes
    first_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))  # the worker who made it, else who logged it first
    worker_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))  # whose caseload it is in, after all hand-overs
    issued_by: Mapped[int | None] = mapped_column(sa.ForeignKey("device.id"))  # the phone that made it, once that is known
    tier: Mapped[str] = mapped_column(sa.String(4), default="")  # for phones to show: a copy of standing.of
    seen_on: Mapped[dt.date | None]
    is_open: Mapped[bool] = mapped_column(default=True)  # until an exit is logged
    # Another phone that made the same code by chance.
    clashes_with: Mapped[int | None] = mapped_column(sa.ForeignKey("device.id"))


def by_codes(session: Session, centre_id: int, codes: Collection[str]) -> dict[str, Card]:
    """Return these cards by code, locked for changing."""
    query = sa.select(Card).where(Card.centre_id == centre_id, Card.code.in_(codes)).with_for_update()
    return {card.code: card for card in session.scalars(query)}


def list_handed_over(session: Session, centre_id: int) -> Sequence[str]:
    """Return the codes of the cards that another worker has than the first one."""
    query = sa.select(Card.code).where(Card.centre_id == centre_id, Card.worker_id != Card.first_id)
    return session.scalars(query.order_by(Card.id)).all()


def list_for(
    session: Session, centre_id: int, after: str = "", limit: int = 100, worker_id: int | None = None
) -> Sequence[Card]:
    """Return the next open cards by their codes, after one of them."""
    query = sa.select(Card.code, Card.id).where(Card.centre_id == centre_id, Card.is_open)
    if worker_id:
        query = query.where(Card.worker_id == worker_id)
    # The database sees the codes hidden, so it cannot put them in order.
    listed = heapq.nsmallest(limit, (tuple(row) for row in session.execute(query) if row[0] > after))
    cards = session.scalars(sa.select(Card).where(Card.id.in_([number for _, number in listed])))
    return sorted(cards, key=lambda card: card.code)


def count_by_worker(session: Session, centre_id: int) -> dict[int, int]:
    query = sa.select(Card.worker_id, sa.func.count()).where(Card.centre_id == centre_id, Card.is_open)
    return {row[0]: row[1] for row in session.execute(query.group_by(Card.worker_id))}


def get(session: Session, centre_id: int, card_id: int) -> Card | None:
    query = sa.select(Card).where(Card.centre_id == centre_id, Card.id == card_id)
    return session.scalars(query).one_or_none()


def list_codes(session: Session, centre_id: int) -> Sequence[str]:
    return session.scalars(sa.select(Card.code).where(Card.centre_id == centre_id)).all()
