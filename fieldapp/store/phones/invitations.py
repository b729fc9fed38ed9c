"""Invitations: one phone may join as one worker, once, within half an hour.

Only the hash of the token in the QR code is stored.
"""

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
    """Delete a worker's unused invitation; they have one at most."""
    is_open = sa.and_(Invitation.user_id == user_id, Invitation.used_at.is_(None))
    session.execute(sa.delete(Invitation).where(is_open))
