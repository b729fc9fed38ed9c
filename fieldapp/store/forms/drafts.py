"""Draft forms, and the privacy classes that the centre chose for questions before."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class FormDraft(Base):
    __tablename__ = "form_draft"
    __table_args__ = {"sqlite_autoincrement": True}  # an old page must never name another draft

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    form: Mapped[str] = mapped_column(sa.String(64))
    title: Mapped[str] = mapped_column(sa.String(200))
    revision: Mapped[int]  # counts changes, so that two people do not undo each other's
    workbook: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    files: Mapped[bytes | None] = mapped_column(sa.LargeBinary, deferred=True)
    definition: Mapped[str | None] = mapped_column(sa.Text, deferred=True)  # None while there are problems
    xform: Mapped[str | None] = mapped_column(sa.Text, deferred=True)
    problems: Mapped[list[Any]]
    created_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class QuestionClass(Base):
    """The class that a centre gave to questions of a name, proposed again for the next form."""

    __tablename__ = "question_class"
    __table_args__ = (sa.UniqueConstraint("centre_id", "question"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    question: Mapped[str] = mapped_column(sa.String(200))
    privacy: Mapped[str] = mapped_column(sa.String(20))


def drafts_of(session: Session, centre_id: int) -> Sequence[FormDraft]:
    query = sa.select(FormDraft).where(FormDraft.centre_id == centre_id).order_by(FormDraft.changed_at.desc())
    return session.scalars(query).all()


def classes_of(session: Session, centre_id: int) -> dict[str, QuestionClass]:
    query = sa.select(QuestionClass).where(QuestionClass.centre_id == centre_id)
    return {row.question: row for row in session.scalars(query)}
