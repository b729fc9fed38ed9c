"""Records: what the centre holds about an encounter, mediation, … after the form's logic ran over its submission."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class Record(Base):
    __tablename__ = "record"
    __table_args__ = (
        sa.UniqueConstraint("centre_id", "instance_id"),
        sa.Index("ix_record_centre_id_form_occurred_on", "centre_id", "form", "occurred_on", "id"),
        sa.Index("ix_record_centre_id_occurred_on", "centre_id", "occurred_on", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    instance_id: Mapped[str] = mapped_column(sa.String(36))
    form: Mapped[str] = mapped_column(sa.String(64))
    version: Mapped[str] = mapped_column(sa.String(64))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    occurred_on: Mapped[dt.date]
    area: Mapped[str] = mapped_column(sa.String(20), default="")
    kind: Mapped[str] = mapped_column(sa.String(40), default="")
    received_at: Mapped[dt.datetime]
    answers: Mapped[dict[str, Any]]


@dataclass(frozen=True)
class Filter:
    """What a list of records is narrowed to; blank means all. Days are inclusive."""

    form: str = ""
    area: str = ""
    author_id: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True)
class Page:
    records: Sequence[Record]
    next_cursor: str  # "" on the last page
    total: int


def add_all(session: Session, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(sa.insert(Record), rows)


def _narrow(query: sa.Select[Any], centre_id: int, wanted: Filter) -> sa.Select[Any]:
    query = query.where(Record.centre_id == centre_id)
    if wanted.form:
        query = query.where(Record.form == wanted.form)
    if wanted.area:
        query = query.where(Record.area == wanted.area)
    if wanted.author_id:
        query = query.where(Record.author_id == wanted.author_id)
    if wanted.since:
        query = query.where(Record.occurred_on >= wanted.since)
    if wanted.until:
        query = query.where(Record.occurred_on <= wanted.until)
    return query


def _position(cursor: str) -> tuple[dt.date, int] | None:
    """Return the day and id that a cursor names; None for one that is blank or broken."""
    day, _, last = cursor.partition("_")
    try:
        return (dt.date.fromisoformat(day), int(last)) if last.isdecimal() and len(last) < 19 else None
    except ValueError:
        return None


def page(session: Session, centre_id: int, wanted: Filter, cursor: str = "", size: int = 25) -> Page:
    """Return the newest records first, by keyset: the cost of a page does not grow with its depth."""
    query = _narrow(sa.select(Record), centre_id, wanted)
    if position := _position(cursor):
        query = query.where(sa.tuple_(Record.occurred_on, Record.id) < position)
    query = query.order_by(Record.occurred_on.desc(), Record.id.desc()).limit(size + 1)
    found = session.scalars(query).all()
    shown = found[:size]
    more = f"{shown[-1].occurred_on.isoformat()}_{shown[-1].id}" if len(found) > size else ""
    total = session.scalars(_narrow(sa.select(sa.func.count()).select_from(Record), centre_id, wanted)).one()
    return Page(shown, more, total)


def get(session: Session, centre_id: int, instance_id: str) -> Record | None:
    query = sa.select(Record).where(Record.centre_id == centre_id, Record.instance_id == instance_id)
    return session.scalars(query).one_or_none()


def counts_since(session: Session, centre_id: int, since: dt.date) -> dict[str, int]:
    """Return how many records of each form fall on or after a day."""
    query = sa.select(Record.form, sa.func.count()).where(Record.centre_id == centre_id, Record.occurred_on >= since)
    return {row[0]: row[1] for row in session.execute(query.group_by(Record.form))}


def areas(session: Session, centre_id: int) -> Sequence[str]:
    query = sa.select(Record.area).where(Record.centre_id == centre_id, Record.area != "").distinct()
    return session.scalars(query.order_by(Record.area)).all()


def for_release(
    session: Session, centre_id: int, form: str, first: dt.date, last: dt.date, received_before: dt.datetime
) -> Iterator[dict[str, Any]]:
    """Yield the answers of a form's records whose day is in a window and which arrived before the cut-off."""
    query = (
        sa.select(Record.answers, Record.instance_id, Record.version)
        .where(Record.centre_id == centre_id, Record.form == form)
        .where(Record.occurred_on >= first, Record.occurred_on <= last, Record.received_at < received_before)
        .order_by(Record.instance_id)
        .execution_options(yield_per=2000)
    )
    for answers, instance_id, version in session.execute(query):
        yield {"answers": answers, "unit": instance_id, "version": version}
