"""Phones: each worker's sign-in on one is a device, with a token (only its hash is kept here) and a key that signs."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.users import User


class Device(Base):
    __tablename__ = "device"

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), index=True)
    uid: Mapped[str] = mapped_column(sa.String(36), unique=True, default=lambda: str(uuid.uuid4()))
    kind: Mapped[str] = mapped_column(sa.String(8), default="app")  # app, collect (ODK Collect: less assurance)
    label: Mapped[str] = mapped_column(sa.String(80))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    public_key: Mapped[str] = mapped_column(sa.String(120), default="")  # "" for phones that send with a token only
    made: Mapped[int] = mapped_column(default=0)  # this and the next two as the phone last said
    unsent: Mapped[int] = mapped_column(default=0)
    deleted: Mapped[int] = mapped_column(default=0)
    given_up: Mapped[int] = mapped_column(default=0, server_default="0")  # of those that never came: the office knows
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)  # version of the app, health of its storage
    order: Mapped[str] = mapped_column(sa.String(8), default="")  # what the phone is told: "", lock, wipe
    created_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


@dataclass(frozen=True)
class Holder:
    """Whose phone a token stands for, and whether either may still come in."""

    device_id: int
    kind: str
    is_revoked: bool
    centre_id: int
    user_id: int
    role: str
    is_active: bool


# What every message of a phone asks is written once: putting a statement together costs more than running it.
HOLDER = (
    sa.select(Device.id, Device.kind, Device.revoked_at.is_not(None), Device.centre_id, User.id, User.role, User.active)
    .join(User, User.id == Device.user_id)
    .where(Device.token_hash == sa.bindparam("token_hash"))
)
CONTACT = sa.update(Device).where(Device.id == sa.bindparam("device_id")).values(last_seen_at=sa.bindparam("now"))


def holder_of(session: Session, token_hash: str) -> Holder | None:
    row = session.connection().execute(HOLDER, {"token_hash": token_hash}).one_or_none()
    return Holder(*row) if row else None


def note_contact(session: Session, device_id: int, now: dt.datetime, report: dict[str, Any]) -> None:
    """Keep when a phone was last seen, and what it says of itself: columns of the device."""
    statement = CONTACT.values(**report) if report else CONTACT
    session.connection().execute(statement, {"device_id": device_id, "now": now})


def of_centre(session: Session, centre_id: int, device_id: int) -> Device | None:
    query = sa.select(Device).where(Device.centre_id == centre_id, Device.id == device_id)
    return session.scalars(query).one_or_none()


def of_user(session: Session, user_id: int) -> Sequence[Device]:
    return session.scalars(sa.select(Device).where(Device.user_id == user_id)).all()


def list_for(session: Session, centre_id: int) -> Sequence[Device]:
    return session.scalars(sa.select(Device).where(Device.centre_id == centre_id).order_by(Device.id)).all()


def by_uids(session: Session, uids: Collection[str]) -> dict[str, Device]:
    query = sa.select(Device).where(Device.uid.in_(uids))
    return {device.uid: device for device in session.scalars(query)}
