"""Phones that may send and fetch; each holds a random token of which only the hash is kept here."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class Device(Base):
    __tablename__ = "device"

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), index=True)
    label: Mapped[str] = mapped_column(sa.String(80))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    unsent: Mapped[int] = mapped_column(default=0)  # as the phone last said
    created_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


def by_token_hash(session: Session, token_hash: str) -> Device | None:
    return session.scalars(sa.select(Device).where(Device.token_hash == token_hash)).one_or_none()


def of_centre(session: Session, centre_id: int, device_id: int) -> Device | None:
    query = sa.select(Device).where(Device.centre_id == centre_id, Device.id == device_id)
    return session.scalars(query).one_or_none()


def of_user(session: Session, user_id: int) -> Sequence[Device]:
    return session.scalars(sa.select(Device).where(Device.user_id == user_id)).all()


def list_for(session: Session, centre_id: int) -> Sequence[Device]:
    return session.scalars(sa.select(Device).where(Device.centre_id == centre_id).order_by(Device.id)).all()
