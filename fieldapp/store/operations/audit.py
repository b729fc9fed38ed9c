"""The audit log: one row per act, written in the act's own transaction.

It has ids and codes only, never answers or tokens.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class AuditEvent(Base):
    __tablename__ = "audit"
    __table_args__ = (sa.Index("ix_audit_centre_id_target", "centre_id", "target", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    centre_id: Mapped[int | None] = mapped_column(sa.ForeignKey("centre.id"))
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    device_id: Mapped[int | None] = mapped_column(sa.ForeignKey("device.id"))
    act: Mapped[str] = mapped_column(sa.String(60))
    target: Mapped[str] = mapped_column(sa.String(120), default="")
    details: Mapped[dict[str, Any]]


INSERT = sa.insert(AuditEvent)


def add(session: Session, **columns: Any) -> None:
    session.connection().execute(INSERT, columns)


def list_for_target(session: Session, centre_id: int, target: str) -> Sequence[AuditEvent]:
    query = sa.select(AuditEvent).where(AuditEvent.centre_id == centre_id, AuditEvent.target == target)
    return session.scalars(query.order_by(AuditEvent.id)).all()


def last_of(session: Session, centre_id: int, target: str, acts: Collection[str]) -> AuditEvent | None:
    """Return the newest line of some acts on a target."""
    query = sa.select(AuditEvent).where(
        AuditEvent.centre_id == centre_id, AuditEvent.target == target, AuditEvent.act.in_(acts)
    )
    return session.scalars(query.order_by(AuditEvent.id.desc()).limit(1)).one_or_none()


def list_by_command(session: Session, centre_id: int, acts: Collection[str], since: dt.datetime) -> Sequence[AuditEvent]:
    """Return what was done since then by a command on the server, the newest first."""
    query = sa.select(AuditEvent).where(
        AuditEvent.centre_id == centre_id, AuditEvent.actor_id.is_(None), AuditEvent.act.in_(acts), AuditEvent.at >= since
    )
    return session.scalars(query.order_by(AuditEvent.id.desc()).limit(10)).all()


def list_newest(session: Session, centre_id: int, limit: int = 50) -> Sequence[AuditEvent]:
    query = sa.select(AuditEvent).where(AuditEvent.centre_id == centre_id)
    return session.scalars(query.order_by(AuditEvent.id.desc()).limit(limit)).all()


def replace_targets(session: Session, centre_id: int, targets: Mapping[str, str]) -> None:
    """Let lines be about something else, since what was acted on is no more."""
    # A line stays, so that the log has no gap; what it was about can no longer be found out.
    for target, replacement in targets.items():
        ours = sa.update(AuditEvent).where(AuditEvent.centre_id == centre_id, AuditEvent.target == target)
        session.execute(ours.values(target=replacement))
