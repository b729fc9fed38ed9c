"""Versions of forms.

Every published version accepts submissions for ever; phones get the newest that is not withdrawn.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class FormVersion(Base):
    __tablename__ = "form_version"
    __table_args__ = (sa.UniqueConstraint("centre_id", "form", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    form: Mapped[str] = mapped_column(sa.String(64))
    version: Mapped[str] = mapped_column(sa.String(64))
    title: Mapped[dict[str, Any]]
    definition: Mapped[str] = mapped_column(sa.Text, deferred=True)  # canonical JSON
    xform: Mapped[str] = mapped_column(sa.Text, deferred=True)
    workbook: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    files: Mapped[bytes | None] = mapped_column(sa.LargeBinary, deferred=True)  # the lists that came with it, as a ZIP
    sha256: Mapped[str] = mapped_column(sa.String(64))  # of the definition
    published_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]


def find(session: Session, centre_id: int, form: str, version: str) -> FormVersion | None:
    query = sa.select(FormVersion).where(
        FormVersion.centre_id == centre_id, FormVersion.form == form, FormVersion.version == version
    )
    return session.scalars(query).one_or_none()


def list_for(session: Session, centre_id: int) -> Sequence[FormVersion]:
    query = (
        sa.select(FormVersion).where(FormVersion.centre_id == centre_id).order_by(FormVersion.form, FormVersion.id.desc())
    )
    return session.scalars(query).all()


def current(session: Session, centre_id: int) -> Sequence[FormVersion]:
    """Return the newest version of each form that is not withdrawn."""
    newest = (
        sa.select(sa.func.max(FormVersion.id))
        .where(FormVersion.centre_id == centre_id, FormVersion.withdrawn_at.is_(None))
        .group_by(FormVersion.form)
    )
    return session.scalars(sa.select(FormVersion).where(FormVersion.id.in_(newest)).order_by(FormVersion.form)).all()


def newest(session: Session, centre_id: int) -> Sequence[FormVersion]:
    """Return the newest version of each form, withdrawn or not."""
    newest_ids = sa.select(sa.func.max(FormVersion.id)).where(FormVersion.centre_id == centre_id).group_by(FormVersion.form)
    return session.scalars(sa.select(FormVersion).where(FormVersion.id.in_(newest_ids)).order_by(FormVersion.form)).all()


def versions_of(session: Session, centre_id: int, form: str) -> Sequence[FormVersion]:
    """Return every version of a form, the newest first."""
    query = sa.select(FormVersion).where(FormVersion.centre_id == centre_id, FormVersion.form == form)
    return session.scalars(query.order_by(FormVersion.id.desc())).all()


def latest(session: Session, centre_id: int, form: str) -> FormVersion | None:
    query = sa.select(FormVersion).where(FormVersion.centre_id == centre_id, FormVersion.form == form)
    return session.scalars(query.order_by(FormVersion.id.desc()).limit(1)).one_or_none()
