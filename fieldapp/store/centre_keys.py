"""The centre's keys, to which phones seal finished records; the private half is wrapped by the server's secret key."""

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class CentreKey(Base):
    __tablename__ = "centre_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), index=True)
    kid: Mapped[str] = mapped_column(sa.String(36), unique=True)
    public_key: Mapped[str] = mapped_column(sa.String(120))  # uncompressed point of P-256, base64
    wrapped: Mapped[bytes]  # the private key
    created_at: Mapped[dt.datetime]


def newest(session: Session, centre_id: int) -> CentreKey | None:
    query = sa.select(CentreKey).where(CentreKey.centre_id == centre_id).order_by(CentreKey.id.desc()).limit(1)
    return session.scalars(query).one_or_none()


def by_kids(session: Session, centre_id: int, kids: Collection[str]) -> dict[str, CentreKey]:
    query = sa.select(CentreKey).where(CentreKey.centre_id == centre_id, CentreKey.kid.in_(kids))
    return {key.kid: key for key in session.scalars(query)}
