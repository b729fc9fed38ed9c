"""Areas that a centre imported: outlines with which a phone turns a GPS fix into a code.

The phone then forgets the fix.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class AreaSet(Base):
    __tablename__ = "area_set"
    __table_args__ = (sa.UniqueConstraint("centre_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    key: Mapped[str] = mapped_column(sa.String(64))  # the name of the choice list whose names are the areas' codes
    sha256: Mapped[str] = mapped_column(sa.String(64))
    outlines: Mapped[str] = mapped_column(sa.Text)  # JSON, as forms/areas.py writes it
    created_at: Mapped[dt.datetime]


def hashes(session: Session, centre_id: int) -> dict[str, str]:
    """Return the hash of each set of outlines by its key, without reading the outlines."""
    query = sa.select(AreaSet.key, AreaSet.sha256).where(AreaSet.centre_id == centre_id).order_by(AreaSet.key)
    return {row[0]: row[1] for row in session.execute(query)}


def get(session: Session, centre_id: int, key: str) -> AreaSet | None:
    query = sa.select(AreaSet).where(AreaSet.centre_id == centre_id, AreaSet.key == key)
    return session.scalars(query).one_or_none()
