"""Submissions as they arrived: immutable, kept whatever was wrong with them."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class Submission(Base):
    __tablename__ = "submission"
    __table_args__ = (
        sa.UniqueConstraint("centre_id", "instance_id", "sha256"),
        sa.Index("ix_submission_centre_id_state", "centre_id", "state", "id"),
        sa.Index("ix_submission_device_id_seq", "device_id", "seq"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    instance_id: Mapped[str] = mapped_column(sa.String(36))
    form: Mapped[str] = mapped_column(sa.String(64))
    version: Mapped[str] = mapped_column(sa.String(64))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    device_id: Mapped[int] = mapped_column(sa.ForeignKey("device.id"))
    seq: Mapped[int] = mapped_column(default=0)  # its number on the phone, from 1; 0 when the phone gave none
    finished_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    body: Mapped[str] = mapped_column(sa.Text)  # the answers exactly as the phone wrote them
    state: Mapped[str] = mapped_column(sa.String(12))  # stored, conflict, rejected
    problems: Mapped[list[Any]]


def known_hashes(session: Session, centre_id: int, instance_ids: Collection[str]) -> dict[str, set[str]]:
    query = sa.select(Submission.instance_id, Submission.sha256).where(
        Submission.centre_id == centre_id, Submission.instance_id.in_(instance_ids)
    )
    known: dict[str, set[str]] = {}
    for instance_id, sha256 in session.execute(query):
        known.setdefault(instance_id, set()).add(sha256)
    return known


def add_all(session: Session, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(sa.insert(Submission), rows)


def of_record(session: Session, centre_id: int, instance_id: str) -> Sequence[Submission]:
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.instance_id == instance_id)
    return session.scalars(query.order_by(Submission.id)).all()


def needing_attention(session: Session, centre_id: int, limit: int = 100) -> Sequence[Submission]:
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.state != "stored")
    return session.scalars(query.order_by(Submission.id.desc()).limit(limit)).all()


def count_needing_attention(session: Session, centre_id: int) -> int:
    query = sa.select(sa.func.count()).select_from(Submission)
    return session.scalars(query.where(Submission.centre_id == centre_id, Submission.state != "stored")).one()


def get(session: Session, centre_id: int, submission_id: int) -> Submission | None:
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.id == submission_id)
    return session.scalars(query).one_or_none()


def arrived_by_device(session: Session, centre_id: int) -> dict[int, int]:
    """Return how many numbered submissions of each phone are here."""
    query = sa.select(Submission.device_id, sa.func.count(sa.distinct(Submission.seq)))
    query = query.where(Submission.centre_id == centre_id, Submission.seq > 0).group_by(Submission.device_id)
    return {row[0]: row[1] for row in session.execute(query)}
