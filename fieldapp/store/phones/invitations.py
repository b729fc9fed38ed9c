"""Invitations: one phone may join as one worker, once, soon. Only the hash of what the picture says is kept."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class Invitation(Base):
    __tablename__ = "invitation"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    made_by: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


def by_token_hash(session: Session, token_hash: str) -> Invitation | None:
    query = sa.select(Invitation).where(Invitation.token_hash == token_hash).with_for_update()
    return session.scalars(query).one_or_none()


def cancel_open_invitations(session: Session, user_id: int) -> None:
    """Take back what was not used: a worker has one open invitation at most."""
    session.execute(sa.delete(Invitation).where(Invitation.user_id == user_id, Invitation.used_at.is_(None)))
