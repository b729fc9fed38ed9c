"""Records: the answers of an encounter, mediation, … after the form's rules have run."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, defer, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.sealing import HiddenCode, Sealed, SealedBytes, find_sealer


class Record(Base):
    __tablename__ = "record"
    __table_args__ = (
        sa.UniqueConstraint("centre_id", "instance_id"),
        sa.Index("ix_record_centre_id_form_occurred_on", "centre_id", "form", "occurred_on", "id"),
        sa.Index("ix_record_centre_id_occurred_on", "centre_id", "occurred_on", "id"),
        sa.Index("ix_record_centre_id_changed_at", "centre_id", "changed_at", "form", "occurred_on"),
        sa.Index(
            "ix_record_centre_id_person",
            "centre_id",
            "person",
            "occurred_on",
            sqlite_where=sa.text("person != ''"),
            postgresql_where=sa.text("person != ''"),
        ),
        sa.Index(
            "ix_record_centre_id_follows",
            "centre_id",
            "follows",
            sqlite_where=sa.text("follows != ''"),
            postgresql_where=sa.text("follows != ''"),
        ),
        sa.Index(
            "ix_record_centre_id_review",
            "centre_id",
            "review",
            sqlite_where=sa.text("review IN ('contested', 'corrected', 'alert', 'clock')"),
            postgresql_where=sa.text("review IN ('contested', 'corrected', 'alert', 'clock')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    instance_id: Mapped[str] = mapped_column(sa.String(36))  # of its first submission
    form: Mapped[str] = mapped_column(sa.String(64))
    version: Mapped[str] = mapped_column(sa.String(64))
    channel: Mapped[str] = mapped_column("via", sa.String(8))  # how the submission that it shows came: see Submission
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    occurred_on: Mapped[dt.date]
    area: Mapped[str] = mapped_column(sa.String(20), default="")
    kind: Mapped[str] = mapped_column(sa.String(40), default="")
    person: Mapped[str] = mapped_column(HiddenCode, default="")  # card code without dashes
    follows: Mapped[str] = mapped_column(sa.String(36), default="")  # the record that it follows up
    received_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    heads: Mapped[list[Any]]  # the submissions that a correction builds on
    sealed_contested: Mapped[bytes] = mapped_column("contested", SealedBytes)
    contested = Sealed("sealed_contested", "instance_id", is_json=True)
    # questions with two answers: [{"path", "values": {hash of the submission: answer}}]
    review: Mapped[str] = mapped_column(sa.String(10), default="")  # "" or a word of review_names (web/office/records)
    sealed_answers: Mapped[bytes] = mapped_column("answers", SealedBytes)
    answers = Sealed("sealed_answers", "instance_id", is_json=True)
    is_refused: Mapped[bool] = mapped_column(default=False)  # a no that cannot be used as it is speaks against it


@dataclass(frozen=True)
class RecordFilter:
    """What a list of records is limited to; blank means all. Days are inclusive."""

    form: str = ""
    area: str = ""
    author_id: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True)
class RecordPage:
    records: Sequence[Record]
    next_cursor: str  # "" on the last page
    total: int  # counted up to MOST_COUNTED + 1: the cost of a page does not grow with what there is


MOST_COUNTED = 1000
LONGEST_ID = 18  # digits that fit into a database's number


# Literal SQL, equal to the condition of the partial indexes: the planner does not use them with
# bound parameters.
TO_REVIEW = sa.text("record.review IN ('contested', 'corrected', 'alert', 'clock')")
HAS_PERSON = sa.text("record.person != ''")
IS_FOLLOW_UP = sa.text("record.follows != ''")
INSERT = sa.insert(Record)


def add_all(session: Session, rows: list[dict[str, Any]]) -> None:
    if rows:
        # By the connection, past the objects: a message brings up to a hundred rows, and nobody
        # needs them as objects.
        sealer = find_sealer(session, rows[0]["centre_id"])
        sealed = []
        for row in rows:
            answers = sealer.seal_json("record", "answers", row["instance_id"], row["answers"])
            contested = b""  # as for all but a few
            if row["contested"]:
                contested = sealer.seal_json("record", "contested", row["instance_id"], row["contested"])
            sealed.append({**row, "answers": answers, "contested": contested})
        session.connection().execute(INSERT, sealed)


ANY = (
    sa.select(Record.id)
    .where(Record.centre_id == sa.bindparam("centre_id"), Record.instance_id.in_(sa.bindparam("ids", expanding=True)))
    .limit(1)
)


def lock_existing(session: Session, centre_id: int, instance_ids: Collection[str]) -> dict[str, Record]:
    """Return the records among these ids that exist, locked for changing."""
    ids = list(instance_ids)
    if not ids or not session.connection().execute(ANY, {"centre_id": centre_id, "ids": ids}).all():
        return {}  # as for nearly all that arrives, so the lock costs only corrections
    query = sa.select(Record).where(Record.centre_id == centre_id, Record.instance_id.in_(ids))
    return {record.instance_id: record for record in session.scalars(query.with_for_update())}


def of_person(session: Session, centre_id: int, codes: Collection[str]) -> Sequence[Record]:
    query = sa.select(Record).where(Record.centre_id == centre_id, HAS_PERSON, Record.person.in_(codes))
    return session.scalars(query.order_by(Record.occurred_on, Record.id)).all()


def list_following(session: Session, centre_id: int, root_ids: Collection[str]) -> Sequence[Record]:
    """Return the records that follow up these, oldest first."""
    query = sa.select(Record).where(Record.centre_id == centre_id, IS_FOLLOW_UP, Record.follows.in_(root_ids))
    return session.scalars(query.order_by(Record.occurred_on, Record.id)).all()


def list_by_ids(session: Session, centre_id: int, root_ids: Collection[str]) -> Sequence[Record]:
    query = sa.select(Record).where(Record.centre_id == centre_id, Record.instance_id.in_(root_ids))
    return session.scalars(query.order_by(Record.id)).all()


def list_places(session: Session, centre_id: int, root_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return kind and area of records by their id."""
    if not root_ids:
        return {}
    query = sa.select(Record.instance_id, Record.kind, Record.area)
    query = query.where(Record.centre_id == centre_id, Record.instance_id.in_(root_ids))
    return {row[0]: (row[1], row[2]) for row in session.execute(query)}


def iterate_all(session: Session, centre_id: int, size: int = 500) -> Iterator[Sequence[Record]]:
    """Yield all records of a centre in the order they came, at most `size` at a time."""
    last = 0
    while True:
        # Behind the last id and not by offset: the work does not grow with the place.
        query = sa.select(Record).where(Record.centre_id == centre_id, Record.id > last)
        batch = session.scalars(query.order_by(Record.id).limit(size)).all()
        if not batch:
            return
        yield batch
        last = batch[-1].id


def is_any(session: Session, centre_id: int) -> bool:
    return session.scalars(sa.select(Record.id).where(Record.centre_id == centre_id).limit(1)).first() is not None


def last_contacts(
    session: Session, centre_id: int, codes: Collection[str], form: str = ""
) -> dict[str, list[tuple[dt.date, str]]]:
    """Return, for each card code, the day and id of the newest two records about it.

    Of one form only, where it is named.
    """
    # The newest two: one of them may be the record whose own follow-up is asked about.
    place = sa.func.row_number().over(partition_by=Record.person, order_by=(Record.occurred_on.desc(), Record.id.desc()))
    ranked = (
        sa.select(Record.person, Record.occurred_on, Record.instance_id, place.label("place"))
        .where(Record.centre_id == centre_id, HAS_PERSON, Record.person.in_(codes))
        .where(Record.form == form if form else sa.true())
        .subquery()
    )
    contacts: dict[str, list[tuple[dt.date, str]]] = {}
    for person, day, instance_id, _ in session.execute(sa.select(ranked).where(ranked.c.place <= 2)):
        contacts.setdefault(person, []).append((day, instance_id))
    return contacts


@dataclass(frozen=True)
class CardContact:
    """One record about the person of a card, as a phone lists it."""

    day: dt.date
    form: str
    kind: str
    author_id: int


def list_card_contacts(
    session: Session, centre_id: int, codes: Collection[str], most: int = 3
) -> dict[str, list[CardContact]]:
    """Return, for each card code, the newest records about it, the newest first."""
    place = sa.func.row_number().over(partition_by=Record.person, order_by=(Record.occurred_on.desc(), Record.id.desc()))
    ranked = (
        sa.select(Record.person, Record.occurred_on, Record.form, Record.kind, Record.author_id, place.label("place"))
        .where(Record.centre_id == centre_id, HAS_PERSON, Record.person.in_(codes))
        .subquery()
    )
    contacts: dict[str, list[CardContact]] = {}
    for row in session.execute(sa.select(ranked).where(ranked.c.place <= most).order_by(ranked.c.place)):
        contact = CardContact(row.occurred_on, row.form, row.kind, row.author_id)
        contacts.setdefault(row.person, []).append(contact)
    return contacts


def list_kinds(session: Session, centre_id: int, codes: Collection[str]) -> list[tuple[str, str, str, str, dt.date]]:
    """Return card code, form, version, kind and last day of what records say of these people."""
    query = sa.select(Record.person, Record.form, Record.version, Record.kind, sa.func.max(Record.occurred_on))
    query = query.where(Record.centre_id == centre_id, HAS_PERSON, Record.person.in_(codes))
    query = query.group_by(Record.person, Record.form, Record.version, Record.kind)
    return [(row[0], row[1], row[2], row[3], row[4]) for row in session.execute(query)]


def to_review(session: Session, centre_id: int, limit: int = 100) -> Sequence[Record]:
    """Return the records to review, newest first.

    They have two different answers, were corrected after a review, or call for help.
    """
    query = sa.select(Record).where(Record.centre_id == centre_id, TO_REVIEW)
    return session.scalars(query.order_by(Record.id.desc()).limit(limit)).all()


def clear_review(session: Session, centre_id: int, review: str) -> None:
    """Take a review that nobody has to look at off all records that have it."""
    those = sa.update(Record).where(Record.centre_id == centre_id, Record.review == review)
    session.execute(those.values(review=""))


def count_to_review(session: Session, centre_id: int) -> int:
    query = sa.select(sa.func.count()).select_from(Record)
    return session.scalars(query.where(Record.centre_id == centre_id, TO_REVIEW)).one()


def _narrow(query: sa.Select[Any], centre_id: int, record_filter: RecordFilter) -> sa.Select[Any]:
    query = query.where(Record.centre_id == centre_id)
    if record_filter.form:
        query = query.where(Record.form == record_filter.form)
    if record_filter.area:
        query = query.where(Record.area == record_filter.area)
    if record_filter.author_id:
        query = query.where(Record.author_id == record_filter.author_id)
    if record_filter.since:
        query = query.where(Record.occurred_on >= record_filter.since)
    if record_filter.until:
        query = query.where(Record.occurred_on <= record_filter.until)
    return query


def _read_cursor(cursor: str) -> tuple[dt.date, int] | None:
    """Return the day and id that a cursor names; None for one that is blank or broken."""
    day, _, last = cursor.partition("_")
    if not last.isdecimal() or len(last) > LONGEST_ID:
        return None
    try:
        return dt.date.fromisoformat(day), int(last)
    except ValueError:
        return None


def list_page(session: Session, centre_id: int, record_filter: RecordFilter, cursor: str = "", size: int = 25) -> RecordPage:
    """Return a page of records, newest first.

    It begins behind the last record of the page before, not at a row number: the cost of a page does
    not grow with its depth.
    """
    query = _narrow(sa.select(Record), centre_id, record_filter)
    position = _read_cursor(cursor)
    if position is not None:
        # As one pair: two conditions side by side would leave out days with many records.
        query = query.where(sa.tuple_(Record.occurred_on, Record.id) < position)
    # Lists do not show these, and they are long.
    query = query.options(defer(Record.sealed_answers), defer(Record.heads), defer(Record.sealed_contested))
    # One row more says whether there is a next page.
    query = query.order_by(Record.occurred_on.desc(), Record.id.desc()).limit(size + 1)
    records = session.scalars(query).all()
    next_cursor = ""
    if len(records) > size:
        last = records[size - 1]
        next_cursor = f"{last.occurred_on.isoformat()}_{last.id}"
    counted = _narrow(sa.select(Record.id), centre_id, record_filter).limit(MOST_COUNTED + 1).subquery()
    total = session.scalars(sa.select(sa.func.count()).select_from(counted)).one()
    return RecordPage(records[:size], next_cursor, total)


def get(session: Session, centre_id: int, instance_id: str) -> Record | None:
    query = sa.select(Record).where(Record.centre_id == centre_id, Record.instance_id == instance_id)
    return session.scalars(query).one_or_none()


def count_by_form_since(session: Session, centre_id: int, since: dt.date) -> dict[str, int]:
    """Return how many records of each form fall on or after a day."""
    query = sa.select(Record.form, sa.func.count()).where(Record.centre_id == centre_id, Record.occurred_on >= since)
    return {row[0]: row[1] for row in session.execute(query.group_by(Record.form))}


def count(session: Session, centre_id: int, record_filter: RecordFilter) -> int:
    """Return how many records a filter leaves."""
    filtered = _narrow(sa.select(Record.id), centre_id, record_filter).subquery()
    return session.scalars(sa.select(sa.func.count()).select_from(filtered)).one()


@dataclass(frozen=True)
class ExportedRecord:
    """A record as exports read it."""

    record_id: str
    day: dt.date
    author_id: int
    received_at: dt.datetime
    changed_at: dt.datetime
    version: str
    channel: str
    review: str
    answers: dict[str, Any]
    person: str
    is_refused: bool
    contested: list[Any]


def iterate_for_export(
    session: Session, centre_id: int, record_filter: RecordFilter, page: int = 1000
) -> Iterator[ExportedRecord]:
    """Yield a form's records in the order of arrival, page by page.

    Each page ends its transaction, so that no long read keeps others from writing. A record never changes
    its place in this order, so none is missed or comes twice when its day is corrected meanwhile.
    """
    columns = (
        Record.instance_id,
        Record.occurred_on,
        Record.author_id,
        Record.received_at,
        Record.changed_at,
        Record.version,
        Record.channel,
        Record.review,
        Record.answers,
        Record.person,
        Record.is_refused,
        Record.contested,
    )
    last = 0
    while True:
        query = _narrow(sa.select(Record.id, *columns), centre_id, record_filter)
        rows = session.execute(query.where(Record.id > last).order_by(Record.id).limit(page)).all()
        session.rollback()
        for row in rows:
            yield ExportedRecord(*row[1:])
        if len(rows) < page:
            return
        last = rows[-1].id


@dataclass(frozen=True)
class ReleasableRecord:
    """A record as releases read it.

    `is_settled`: nobody has to choose between two answers; else they are in `contested`. `is_refused`: a
    no that cannot be used as it is speaks against it, so it allows nothing. The consent in its own answers
    is not enough: `person` is the card code whose standing consent counts.
    """

    unit: str
    person: str
    version: str
    day: dt.date
    is_settled: bool
    answers: dict[str, Any]
    received_at: dt.datetime
    is_refused: bool
    contested: list[Any]
    follow_ups: Sequence[tuple[str, dict[str, Any]]] = ()  # version and answers of the records that follow it up


def iterate_for_release(
    session: Session,
    centre_id: int,
    form: str,
    first: dt.date,
    last: dt.date,
    received_before: dt.datetime,
    follow_up_form: str = "",
    page: int = 2000,
) -> Iterator[ReleasableRecord]:
    """Yield a form's records from the day `first` to `last` that arrived before the cut-off.

    Each with the records of `follow_up_form` that follow it up, where one is named. Each page ends its transaction,
    so that no long read keeps others from writing.
    """
    query = (
        sa.select(
            Record.instance_id,
            Record.person,
            Record.version,
            Record.occurred_on,
            Record.review,
            Record.answers,
            Record.received_at,
            Record.is_refused,
            Record.contested,
        )
        .where(Record.centre_id == centre_id, Record.form == form)
        .where(Record.occurred_on >= first, Record.occurred_on <= last, Record.received_at < received_before)
        # By id: a release reads records in the same order each time, whatever arrived meanwhile.
        .order_by(Record.instance_id)
        .limit(page)
    )
    after = ""
    while True:
        rows = session.execute(query.where(Record.instance_id > after)).all()
        follow_ups: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        if rows and follow_up_form:
            units = after, rows[-1].instance_id
            follow_ups = _read_follow_ups(session, centre_id, follow_up_form, units, received_before)
        session.rollback()  # no long read holds anybody up
        for unit, person, version, day, review, *rest in rows:
            record = ReleasableRecord(unit, person, version, day, review != "contested", *rest)
            yield replace(record, follow_ups=follow_ups[unit]) if unit in follow_ups else record
        if len(rows) < page:
            return
        after = rows[-1].instance_id


def _read_follow_ups(
    session: Session, centre_id: int, form: str, units: tuple[str, str], received_before: dt.datetime
) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return version and answers of a form's follow-ups, by the record that they follow up.

    By their days. `units`: of records whose id is greater than the first and at most the second. Those that name a
    person are left out: what they say needs that person's consent, not only that of whom the record is about.
    """
    query = sa.select(Record.follows, Record.version, Record.answers).where(
        Record.centre_id == centre_id,
        IS_FOLLOW_UP,
        Record.follows > units[0],
        Record.follows <= units[1],
        Record.form == form,
        Record.person == "",
        Record.received_at < received_before,
    )
    by_unit: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for followed, version, answers in session.execute(query.order_by(Record.occurred_on, Record.id)):
        by_unit.setdefault(followed, []).append((version, answers))
    return by_unit


def followed_since(session: Session, centre_id: int, since: dt.datetime) -> list[tuple[str, dt.date, int]]:
    """Return how many records have follow-ups that changed since a time, by form and day."""
    followed = aliased(Record)
    query = (
        sa.select(followed.form, followed.occurred_on, sa.func.count(followed.id.distinct()))
        .join(Record, sa.and_(Record.centre_id == followed.centre_id, Record.follows == followed.instance_id))
        .where(followed.centre_id == centre_id, IS_FOLLOW_UP, Record.changed_at > since)
        .group_by(followed.form, followed.occurred_on)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def iterate_units(session: Session, centre_id: int, form: str) -> Iterator[tuple[str, str]]:
    """Yield the id and the card code ("" for none) of each record of a form."""
    query = sa.select(Record.instance_id, Record.person).where(Record.centre_id == centre_id, Record.form == form)
    for row in session.execute(query.execution_options(yield_per=10_000)):
        yield row.instance_id, row.person


def changed_since(session: Session, centre_id: int, since: dt.datetime) -> list[tuple[str, dt.date, int]]:
    """Return how many records changed since a time, by form and day.

    An index has all that is read, so that the cost does not grow with the records that did not change.
    """
    query = (
        sa.select(Record.form, Record.occurred_on, sa.func.count())
        .where(Record.centre_id == centre_id, Record.changed_at > since)
        .group_by(Record.form, Record.occurred_on)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def of_persons_before(
    session: Session, centre_id: int, persons: Collection[str], before: dt.datetime, at_once: int = 500
) -> list[tuple[str, dt.date, int]]:
    """Return how many records of these people have not changed since a time, by form and day."""
    codes = sorted(persons)
    counts = []
    # In pieces: databases limit how many values one query may have.
    for first in range(0, len(codes), at_once):
        query = (
            sa.select(Record.form, Record.occurred_on, sa.func.count())
            .where(Record.centre_id == centre_id, HAS_PERSON, Record.person.in_(codes[first : first + at_once]))
            .where(Record.changed_at <= before)
            .group_by(Record.form, Record.occurred_on)
        )
        counts += [(row[0], row[1], row[2]) for row in session.execute(query)]
    return counts


def first_day(session: Session, centre_id: int) -> dt.date | None:
    return session.scalars(sa.select(sa.func.min(Record.occurred_on)).where(Record.centre_id == centre_id)).one()


def changes_since(session: Session, centre_id: int, form: str, since: dt.date) -> list[tuple[int, dt.datetime]]:
    """Return the number of each of a form's records since a day, with when it changed last.

    All of them, not the newest moment: a change that began earlier may be seen only after one that began later.
    """
    query = sa.select(Record.id, Record.changed_at)
    query = query.where(Record.centre_id == centre_id, Record.form == form, Record.occurred_on >= since)
    return [(row[0], row[1]) for row in session.execute(query.order_by(Record.id))]


def list_since(session: Session, centre_id: int, form: str, since: dt.date) -> Sequence[Record]:
    query = sa.select(Record).where(Record.centre_id == centre_id, Record.form == form, Record.occurred_on >= since)
    return session.scalars(query.order_by(Record.occurred_on.desc(), Record.id.desc())).all()


def list_persons(session: Session, centre_id: int) -> set[str]:
    """Return the card codes that records name."""
    query = sa.select(Record.person).where(Record.centre_id == centre_id, HAS_PERSON)
    return set(session.scalars(query.distinct()))


def list_contested(session: Session, centre_id: int) -> Sequence[Record]:
    """Return the records between whose answers nobody has chosen yet."""
    # With the literal condition as well, since only that one uses the partial index.
    query = sa.select(Record).where(Record.centre_id == centre_id, TO_REVIEW, Record.review == "contested")
    return session.scalars(query.order_by(Record.id)).all()
