"""Phones: each worker's sign-in on one is a device, with a token (only its hash is kept here) and a key that signs."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.people.users import User


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
    waiting_then: Mapped[int | None]  # how many records it had said were waiting when it was shut out
    aside_records: Mapped[int] = mapped_column(
        default=0
    )  # what it has handed over since: records, their bytes, attachments'
    aside_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    aside_files: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    day: Mapped[dt.date | None]  # of the next two: bytes that were kept of it, and those of them that were refused
    day_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    day_refused: Mapped[int] = mapped_column(sa.BigInteger, default=0)


@dataclass(frozen=True)
class TokenHolder:
    """Whose phone a token stands for, and whether either may still come in."""

    device_id: int
    kind: str
    is_revoked: bool
    centre_id: int
    user_id: int
    role: str
    is_active: bool


# What every message of a phone asks is written once: putting a statement together costs more than running it.
SELECT_TOKEN_HOLDER = (
    sa.select(Device.id, Device.kind, Device.revoked_at.is_not(None), Device.centre_id, User.id, User.role, User.active)
    .join(User, User.id == Device.user_id)
    .where(Device.token_hash == sa.bindparam("token_hash"))
)
UPDATE_LAST_CONTACT = (
    sa.update(Device).where(Device.id == sa.bindparam("device_id")).values(last_seen_at=sa.bindparam("now"))
)


@dataclass(frozen=True)
class Standing:
    """Whether a phone and its owner may still come in, and how much of it was kept: columns of the device."""

    revoked_at: dt.datetime | None
    is_active: bool
    switched_off_at: dt.datetime | None
    unsent: int
    waiting_then: int | None
    aside_records: int
    aside_bytes: int
    aside_files: int
    day: dt.date | None
    day_bytes: int
    day_refused: int

    @property
    def is_shut_out(self) -> bool:
        return self.revoked_at is not None or not self.is_active

    @property
    def shut_out_at(self) -> dt.datetime | None:
        """Return since when; None when it is not, or when nobody wrote down since when."""
        off = None if self.is_active else self.switched_off_at
        return min((moment for moment in (self.revoked_at, off) if moment), default=None)


# Whoever takes something in of a phone holds its row until all is written: what is counted here is counted once.
SELECT_STANDING = (
    sa.select(
        Device.revoked_at,
        User.active,
        User.switched_off_at,
        Device.unsent,
        Device.waiting_then,
        Device.aside_records,
        Device.aside_bytes,
        Device.aside_files,
        Device.day,
        Device.day_bytes,
        Device.day_refused,
    )
    .join(User, User.id == Device.user_id)
    .where(Device.id == sa.bindparam("device_id"))
)
LOCK_STANDING = SELECT_STANDING.with_for_update(key_share=True, of=Device)


def lock_standing(session: Session, device_id: int) -> Standing:
    """Return how a phone stands now, and hold its row until the end of this transaction."""
    return Standing(*session.connection().execute(LOCK_STANDING, {"device_id": device_id}).one())


def is_shut_out(session: Session, device_id: int) -> bool:
    return Standing(*session.connection().execute(SELECT_STANDING, {"device_id": device_id}).one()).is_shut_out


def update_counters(session: Session, device_id: int, counted: dict[str, Any]) -> None:
    """Keep how much of a phone was kept: columns of the device."""
    session.connection().execute(sa.update(Device).where(Device.id == device_id).values(**counted))


FREEZE_WAITING_COUNT = (
    sa.update(Device)
    .where(Device.id == sa.bindparam("device_id"), Device.waiting_then.is_(None))
    .values(waiting_then=Device.unsent)
)


def freeze_waiting_count(session: Session, device_id: int) -> None:
    """Keep what a phone had said was waiting when it was shut out, before it says something else."""
    session.connection().execute(FREEZE_WAITING_COUNT, {"device_id": device_id})


def find_token_holder(session: Session, token_hash: str) -> TokenHolder | None:
    row = session.connection().execute(SELECT_TOKEN_HOLDER, {"token_hash": token_hash}).one_or_none()
    return TokenHolder(*row) if row else None


def update_last_contact(session: Session, device_id: int, now: dt.datetime, report: dict[str, Any]) -> None:
    """Keep when a phone was last seen, and what it says of itself: columns of the device."""
    statement = UPDATE_LAST_CONTACT.values(**report) if report else UPDATE_LAST_CONTACT
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
