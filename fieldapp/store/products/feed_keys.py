"""Keys for the OData feed: each reads one recipient's series, and can be revoked.

Only the hash of a key is stored.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class FeedKey(Base):
    __tablename__ = "feed_key"
    __table_args__ = (sa.Index("ix_feed_key_centre_id", "centre_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    series_id: Mapped[int] = mapped_column(sa.ForeignKey("series.id"))
    label: Mapped[str] = mapped_column(sa.String(80))
    key_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    made_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    created_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


def by_hash(session: Session, key_hash: str) -> FeedKey | None:
    return session.scalars(sa.select(FeedKey).where(FeedKey.key_hash == key_hash)).one_or_none()


def of_centre(session: Session, centre_id: int) -> Sequence[FeedKey]:
    return session.scalars(sa.select(FeedKey).where(FeedKey.centre_id == centre_id).order_by(FeedKey.id.desc())).all()


def get(session: Session, centre_id: int, key_id: int) -> FeedKey | None:
    query = sa.select(FeedKey).where(FeedKey.centre_id == centre_id, FeedKey.id == key_id)
    return session.scalars(query).one_or_none()
