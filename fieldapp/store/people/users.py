"""People who sign in, and the one role that each has at a centre."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class User(Base):
    """An account.

    What Flask-Security asks of one is written here, so that a command loads no web framework with the tables.
    """

    __tablename__ = "user"

    roles = ()  # what a person may do is in services/access.py, by `role`
    is_authenticated = True
    is_anonymous = False

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), index=True)
    username: Mapped[str] = mapped_column(sa.String(64), unique=True)
    label: Mapped[str] = mapped_column(sa.String(64))  # how colleagues know them; for workers a number, W-07
    role: Mapped[str] = mapped_column(sa.String(20))
    password: Mapped[str] = mapped_column(sa.String(255))
    language: Mapped[str] = mapped_column(sa.String(5), default="en")
    active: Mapped[bool] = mapped_column(default=True)
    # None while active, and for people who were switched off before this column was there.
    switched_off_at: Mapped[dt.datetime | None]
    fs_uniquifier: Mapped[str] = mapped_column(sa.String(64), unique=True)  # changing it ends every session
    created_at: Mapped[dt.datetime]

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        """Return what a session knows the account by."""
        return self.fs_uniquifier


def by_username(session: Session, username: str) -> User | None:
    return session.scalars(sa.select(User).where(User.username == username)).one_or_none()


def by_uniquifier(session: Session, value: str) -> User | None:
    return session.scalars(sa.select(User).where(User.fs_uniquifier == value)).one_or_none()


def of_centre(session: Session, centre_id: int, user_id: int) -> User | None:
    query = sa.select(User).where(User.centre_id == centre_id, User.id == user_id)
    return session.scalars(query).one_or_none()


def list_for(session: Session, centre_id: int) -> Sequence[User]:
    query = sa.select(User).where(User.centre_id == centre_id)
    return session.scalars(query.order_by(User.role, User.username)).all()


def labels(session: Session, centre_id: int) -> dict[int, str]:
    return {user.id: user.label for user in list_for(session, centre_id)}
