"""Which account of an organization's sign-on provider opens whose account here."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class SignOnLink(Base):
    __tablename__ = "sign_on_link"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True, autoincrement=False)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), index=True)
    # Of the provider's address and its name for the person, which is stored nowhere.
    subject_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    linked_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime | None]


def of_user(session: Session, user_id: int) -> SignOnLink | None:
    return session.get(SignOnLink, user_id)


def by_subject(session: Session, subject_hash: str) -> SignOnLink | None:
    return session.scalars(sa.select(SignOnLink).where(SignOnLink.subject_hash == subject_hash)).one_or_none()


def delete_of_user(session: Session, user_id: int) -> None:
    session.execute(sa.delete(SignOnLink).where(SignOnLink.user_id == user_id))


def list_linked_users(session: Session, centre_id: int) -> set[int]:
    return set(session.scalars(sa.select(SignOnLink.user_id).where(SignOnLink.centre_id == centre_id)))
