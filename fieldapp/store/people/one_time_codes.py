"""Codes that an administrator or a command gives to a person.

Each is good once, for a day, for one purpose.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base

SET_UP = "set_up"  # the first factor of two-step verification
PASSWORD = "password"  # a new password of one's own choice  # noqa: S105
SIGN_ON = "sign_on"  # the first link with an account of a sign-on provider


class OneTimeCode(Base):
    __tablename__ = "one_time_code"
    # A browser may still name one that was deleted: its number must not become another one's.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(8))
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    made_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))  # None: a command on the server
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


def lock_by_hash(session: Session, user_id: int, purpose: str, code_hash: str) -> OneTimeCode | None:
    """Return a person's code, locked for changing."""
    query = sa.select(OneTimeCode).where(
        OneTimeCode.user_id == user_id, OneTimeCode.purpose == purpose, OneTimeCode.code_hash == code_hash
    )
    return session.scalars(query.with_for_update()).one_or_none()


def lock_by_id(session: Session, user_id: int, purpose: str, code_id: int) -> OneTimeCode | None:
    """Return a person's code, locked for changing."""
    query = sa.select(OneTimeCode).where(
        OneTimeCode.user_id == user_id, OneTimeCode.purpose == purpose, OneTimeCode.id == code_id
    )
    return session.scalars(query.with_for_update()).one_or_none()


def delete_open(session: Session, user_id: int, purpose: str) -> None:
    """Delete a person's earlier codes for a purpose."""
    session.execute(sa.delete(OneTimeCode).where(OneTimeCode.user_id == user_id, OneTimeCode.purpose == purpose))


def delete_all(session: Session) -> None:
    session.execute(sa.delete(OneTimeCode))
