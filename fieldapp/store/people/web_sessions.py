"""Who is signed in to the web pages, in which browser; phones have tokens of their own."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class WebSession(Base):
    __tablename__ = "web_session"
    # A page may still name a session that is over: its number must not become another one's.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)  # the browser's cookie has the token
    browser: Mapped[str] = mapped_column(sa.String(40))  # a kind and a system, like "Firefox, Windows"
    started_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime]
    # When this person last proved with a second factor who they are. None: at sign-in, none was asked for.
    second_factor_at: Mapped[dt.datetime | None]
    by_sign_on: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # a sign-on provider let them in


def by_token_hash(session: Session, token_hash: str) -> WebSession | None:
    return session.scalars(sa.select(WebSession).where(WebSession.token_hash == token_hash)).one_or_none()


def of_user(session: Session, user_id: int) -> Sequence[WebSession]:
    """Return a person's sessions, the one used last first."""
    query = sa.select(WebSession).where(WebSession.user_id == user_id)
    return session.scalars(query.order_by(WebSession.last_used_at.desc(), WebSession.id.desc())).all()


def delete_of_user(session: Session, user_id: int) -> None:
    session.execute(sa.delete(WebSession).where(WebSession.user_id == user_id))


def delete_without_second_factor(session: Session, centre_id: int) -> None:
    """Delete the sessions at a centre that began with a password alone."""
    is_weak = sa.and_(WebSession.centre_id == centre_id, WebSession.second_factor_at.is_(None))
    session.execute(sa.delete(WebSession).where(is_weak))


def delete_by_sign_on(
    session: Session, *, user_id: int | None = None, centre_id: int | None = None, but_user_id: int | None = None
) -> None:
    """Delete the sessions of a person, or at a centre, that a sign-on provider began.

    Those of `but_user_id` stay.
    """
    query = sa.delete(WebSession).where(WebSession.by_sign_on.is_(True))
    if user_id is not None:
        query = query.where(WebSession.user_id == user_id)
    if centre_id is not None:
        query = query.where(WebSession.centre_id == centre_id)
    if but_user_id is not None:
        query = query.where(WebSession.user_id != but_user_id)
    session.execute(query)


def delete_all(session: Session) -> None:
    session.execute(sa.delete(WebSession))


def delete_over(session: Session, started_before: dt.datetime, used_before: dt.datetime) -> None:
    """Delete the sessions that began or were last used before these times."""
    is_over = sa.or_(WebSession.started_at <= started_before, WebSession.last_used_at <= used_before)
    session.execute(sa.delete(WebSession).where(is_over))
