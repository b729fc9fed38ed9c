"""Phones: each sign-in of a worker on a phone is a device, with a token and a signing key.

Only the hash of the token is stored.
"""

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
    # These three as the phone last reported them, under the names that it sends.
    made: Mapped[int] = mapped_column(default=0)
    unsent: Mapped[int] = mapped_column(default=0)
    deleted: Mapped[int] = mapped_column(default=0)
    given_up: Mapped[int] = mapped_column(default=0, server_default="0")  # of those that never came: the office knows
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)  # version of the app, health of its storage
    pulled: Mapped[int] = mapped_column(sa.BigInteger, default=0, server_default="0")  # up to this number: see PullItem
    # The newest epoch that it showed, where that was newer than the one here.
    shown_epoch: Mapped[int] = mapped_column(sa.BigInteger, default=0, server_default="0")
    order: Mapped[str] = mapped_column(sa.String(8), default="")  # what the phone is told: "", lock, wipe
    created_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    waiting_then: Mapped[int | None]  # how many records it had said were waiting when it was shut out
    # What it has handed over since then: records, their bytes, the bytes of attachments.
    aside_records: Mapped[int] = mapped_column(default=0)
    aside_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    aside_files: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    # The day of the next two: bytes that were stored of it, and those of them that were refused.
    day: Mapped[dt.date | None]
    day_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    day_refused: Mapped[int] = mapped_column(sa.BigInteger, default=0)


@dataclass(frozen=True)
class TokenHolder:
    """Whose phone a token stands for, and whether person and phone have access."""

    device_id: int
    kind: str
    is_revoked: bool
    centre_id: int
    user_id: int
    role: str
    is_active: bool


# These run for every message of a phone, and putting a statement together costs more than running it.
SELECT_TOKEN_HOLDER = (
    sa.select(
        Device.id,
        Device.kind,
        Device.revoked_at.is_not(None),
        Device.centre_id,
        User.id,
        User.role,
        User.active,
    )
    .join(User, User.id == Device.user_id)
    .where(Device.token_hash == sa.bindparam("token_hash"))
)
UPDATE_LAST_CONTACT = (
    sa.update(Device).where(Device.id == sa.bindparam("device_id")).values(last_seen_at=sa.bindparam("now"))
)


@dataclass(frozen=True)
class Standing:
    """Whether a phone and its owner have access, and how much of it was stored.

    The fields are columns of the device, but for the two of its owner.
    """

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
        """Return when its access ended; None when it has access, or when that was not recorded."""
        times = [self.revoked_at]
        if not self.is_active:
            times.append(self.switched_off_at)
        return min((time for time in times if time), default=None)


# An act that stores something of a phone locks its row to the end, so that nothing is counted twice.
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
    """Return a phone's standing, and lock its row until the end of this transaction."""
    row = session.connection().execute(LOCK_STANDING, {"device_id": device_id}).one()
    return Standing(*row)


def is_shut_out(session: Session, device_id: int) -> bool:
    """Say whether a phone's access has ended."""
    row = session.connection().execute(SELECT_STANDING, {"device_id": device_id}).one()
    return Standing(*row).is_shut_out


def update_counters(session: Session, device_id: int, columns: dict[str, Any]) -> None:
    """Save how much of a phone was stored: values by column of the device."""
    statement = sa.update(Device).where(Device.id == device_id)
    session.connection().execute(statement.values(**columns))


FREEZE_WAITING_COUNT = (
    sa.update(Device)
    .where(Device.id == sa.bindparam("device_id"), Device.waiting_then.is_(None))
    .values(waiting_then=Device.unsent)
)


def freeze_waiting_count(session: Session, device_id: int) -> None:
    """Save how many records a phone had waiting when its access ended.

    Called before its next report is stored, which may say something else.
    """
    session.connection().execute(FREEZE_WAITING_COUNT, {"device_id": device_id})


def find_token_holder(session: Session, token_hash: str) -> TokenHolder | None:
    row = session.connection().execute(SELECT_TOKEN_HOLDER, {"token_hash": token_hash}).one_or_none()
    return TokenHolder(*row) if row else None


def update_last_contact(session: Session, device_id: int, now: dt.datetime, report: dict[str, Any]) -> None:
    """Save when a phone was last seen, and its report: values by column of the device."""
    statement = UPDATE_LAST_CONTACT
    if report:
        statement = statement.values(**report)
    session.connection().execute(statement, {"device_id": device_id, "now": now})


def of_centre(session: Session, centre_id: int, device_id: int) -> Device | None:
    query = sa.select(Device).where(Device.centre_id == centre_id, Device.id == device_id)
    return session.scalars(query).one_or_none()


def of_user(session: Session, user_id: int) -> Sequence[Device]:
    return session.scalars(sa.select(Device).where(Device.user_id == user_id)).all()


def list_joined_after(session: Session, user_id: int, device_id: int, since: dt.datetime) -> Sequence[Device]:
    """Return a person's phones that joined after one of theirs, and since then, oldest first."""
    own = sa.select(Device.created_at).where(Device.id == device_id).scalar_subquery()
    query = sa.select(Device).where(
        Device.user_id == user_id,
        Device.id != device_id,
        Device.created_at >= since,
        Device.created_at >= own,
        Device.revoked_at.is_(None),
    )
    return session.scalars(query.order_by(Device.id)).all()


def list_for(session: Session, centre_id: int) -> Sequence[Device]:
    return session.scalars(sa.select(Device).where(Device.centre_id == centre_id).order_by(Device.id)).all()


def by_uids(session: Session, uids: Collection[str]) -> dict[str, Device]:
    query = sa.select(Device).where(Device.uid.in_(uids))
    return {device.uid: device for device in session.scalars(query)}


def read_pulled(session: Session, device_id: int) -> int:
    """Return up to which number a phone is known to have pulled."""
    return session.execute(sa.select(Device.pulled).where(Device.id == device_id)).scalar_one()


def note_shown_epoch(session: Session, device_id: int, epoch: int) -> None:
    """Save the newest epoch that a phone showed."""
    older = sa.update(Device).where(Device.id == device_id, Device.shown_epoch < epoch)
    session.execute(older.values(shown_epoch=epoch))


def read_shown_epoch(session: Session, device_id: int) -> int:
    """Return the newest epoch that a phone showed, if newer than ours; 0 for none."""
    return session.execute(sa.select(Device.shown_epoch).where(Device.id == device_id)).scalar_one()


def count_ahead(session: Session, epoch: int, centre_id: int | None = None) -> int:
    """Return how many phones showed a newer epoch; those that were shut out are not believed.

    `centre_id`: only this centre's.
    """
    query = sa.select(sa.func.count()).where(Device.shown_epoch > epoch, Device.revoked_at.is_(None))
    if centre_id is not None:
        query = query.where(Device.centre_id == centre_id)
    return session.execute(query).scalar_one()


def read_minutes_off(session: Session, device_id: int | None) -> int:
    """Return how far a phone's clock is ahead of the centre's, as it last reported.

    0 when it did not.
    """
    if device_id is None:
        return 0
    report = session.scalars(sa.select(Device.report).where(Device.id == device_id)).one_or_none() or {}
    return int(report.get("clock", 0))
