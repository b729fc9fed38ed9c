"""Authenticator apps (TOTP, RFC 6238) of people who sign in to the web pages.

Their secrets are wrapped with the server's key.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class SecondFactor(Base):
    __tablename__ = "second_factor"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    wrapped: Mapped[bytes]
    confirmed_at: Mapped[dt.datetime | None]
    last_counter: Mapped[int] = mapped_column(default=0)  # a code is good once


def of_user(session: Session, user_id: int) -> SecondFactor | None:
    query = sa.select(SecondFactor).where(SecondFactor.user_id == user_id)
    return session.scalars(query.with_for_update()).one_or_none()


def is_set_up(session: Session, user_id: int) -> bool:
    query = sa.select(SecondFactor.user_id).where(SecondFactor.user_id == user_id)
    return session.scalar(query.where(SecondFactor.confirmed_at.is_not(None))) is not None


def list_users_with_second_factor(session: Session, centre_id: int) -> set[int]:
    """Return the people of a centre who have a second factor."""
    user = sa.table("user", sa.column("id"), sa.column("centre_id"))
    query = sa.select(SecondFactor.user_id).join(user, user.c.id == SecondFactor.user_id)
    return set(session.scalars(query.where(user.c.centre_id == centre_id, SecondFactor.confirmed_at.is_not(None))))


def list_of_centre(session: Session, centre_id: int) -> Sequence[SecondFactor]:
    """Return the second factors of a centre's people, locked for changing."""
    user = sa.table("user", sa.column("id"), sa.column("centre_id"))
    of_centre = SecondFactor.user_id.in_(sa.select(user.c.id).where(user.c.centre_id == centre_id))
    return session.scalars(sa.select(SecondFactor).where(of_centre).with_for_update()).all()


def all_wrapped(session: Session) -> list[tuple[int, bytes]]:
    """Return every wrapped secret with its person's id, of all centres.

    None where the table is not there yet: a database may be older than this code.
    """
    if not sa.inspect(session.connection()).has_table(SecondFactor.__tablename__):
        return []
    rows = session.execute(sa.select(SecondFactor.user_id, SecondFactor.wrapped).order_by(SecondFactor.user_id))
    return [(row[0], row[1]) for row in rows]
