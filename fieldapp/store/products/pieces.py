"""Pieces of counts that were taken once: the windows of maps are sums of them."""

import datetime as dt
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.sealing import Sealed, SealedBytes


class FrozenPiece(Base):
    """The records of one table in one week or month, as they were when it was frozen.

    `checked_at`: until when it follows who took consent back.
    """

    __tablename__ = "frozen_piece"
    __table_args__ = (sa.UniqueConstraint("centre_id", "key", "period"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    key: Mapped[str] = mapped_column(sa.String(32))
    period: Mapped[str] = mapped_column(sa.String(12))
    last_day: Mapped[dt.date]
    frozen_at: Mapped[dt.datetime]
    checked_at: Mapped[dt.datetime]
    sealed_body: Mapped[bytes] = mapped_column("body", SealedBytes)
    body = Sealed("sealed_body", "key", "period", is_json=True)


def list_frozen(session: Session, centre_id: int) -> set[tuple[str, str]]:
    """Return the key and the period of each piece of a centre."""
    query = sa.select(FrozenPiece.key, FrozenPiece.period).where(FrozenPiece.centre_id == centre_id)
    return {(row[0], row[1]) for row in session.execute(query)}


def load(session: Session, centre_id: int, keys: Collection[str], periods: Collection[str]) -> Sequence[FrozenPiece]:
    """Return the pieces of some tables in some periods."""
    query = sa.select(FrozenPiece).where(FrozenPiece.centre_id == centre_id)
    query = query.where(FrozenPiece.key.in_(keys), FrozenPiece.period.in_(periods))
    return session.scalars(query).all()


def load_all(session: Session, centre_id: int) -> Sequence[FrozenPiece]:
    query = sa.select(FrozenPiece).where(FrozenPiece.centre_id == centre_id)
    return session.scalars(query.order_by(FrozenPiece.id)).all()


def find_oldest_check(session: Session, centre_id: int) -> dt.datetime | None:
    """Return until when every piece follows who took consent back; None without any."""
    query = sa.select(FrozenPiece.checked_at).where(FrozenPiece.centre_id == centre_id)
    return session.scalars(query.order_by(FrozenPiece.checked_at).limit(1)).first()


def delete_before(session: Session, centre_id: int, day: dt.date) -> None:
    """Delete the pieces whose last day lies before a day: no window reaches back so far."""
    session.execute(sa.delete(FrozenPiece).where(FrozenPiece.centre_id == centre_id, FrozenPiece.last_day < day))
