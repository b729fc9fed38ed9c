"""Plans of what is erased when, the proof that it was, and legal holds."""

import datetime as dt
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.caseload.cards import Card
from fieldapp.store.consent import standing
from fieldapp.store.operations.audit import ERASED, AuditEvent
from fieldapp.store.records.attachments import Blob, BlobPiece
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import PHONE, WAITING, Submission

PAGE = 500
UNCONFIRMED_FOR = dt.timedelta(days=14)  # that a hold holds by one person alone
DONE = "done"
RESTRICTED = "restricted"  # mark of a record that may not leave, as its person allowed less before their card went
KEPT = "kept"  # an item that was not erased after all: under a hold, or no longer due


class RetentionClock(Base):
    """When the job ran last, and since when the clock is in doubt."""

    __tablename__ = "retention_clock"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    ticked_at: Mapped[dt.datetime | None]
    doubted_at: Mapped[dt.datetime | None]
    doubt: Mapped[str] = mapped_column(sa.String(10), default="")  # why nothing is erased; "" when something may be
    confirmed_at: Mapped[dt.datetime | None]


class RetentionPlan(Base):
    """What goes by one rule on one day; once it is done, the proof of it."""

    __tablename__ = "retention_plan"
    __table_args__ = (sa.Index("ix_retention_plan_centre_id_done_at", "centre_id", "done_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    rule: Mapped[str] = mapped_column(sa.String(20))
    planned_at: Mapped[dt.datetime]
    goes_at: Mapped[dt.datetime]
    count: Mapped[int]
    tags_sha256: Mapped[str] = mapped_column(sa.String(64))  # of the sorted keyed tags of all that was shown
    delayed_at: Mapped[dt.datetime | None]
    delayed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    delay_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    done_at: Mapped[dt.datetime | None]
    erased: Mapped[int] = mapped_column(default=0)
    erased_sha256: Mapped[str] = mapped_column(sa.String(64), default="")  # of the sorted tags of what was erased
    copies_until: Mapped[dt.date | None]  # when backups have forgotten it, too
    is_in_bytes: Mapped[bool] = mapped_column(default=True)  # bytes may still lie in the database's files


class RetentionItem(Base):
    """One thing that a plan erases; the list of an executed plan is deleted."""

    __tablename__ = "retention_item"

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("retention_plan.id"), primary_key=True)
    subject: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # id of a row, by the plan's rule
    tag: Mapped[str] = mapped_column(sa.String(36))
    outcome: Mapped[str] = mapped_column(sa.String(4), default="")  # "", done, kept


class RetentionMark(Base):
    """Up to when a rule was applied to a row that stays.

    It is not planned again without a change.
    """

    __tablename__ = "retention_mark"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    subject: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[dt.datetime]


class LegalHold(Base):
    """A record that nothing is erased of until a day, since somebody may demand it."""

    __tablename__ = "legal_hold"
    __table_args__ = (sa.Index("ix_legal_hold_centre_id_root_id", "centre_id", "root_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    root_id: Mapped[str] = mapped_column(sa.String(36))  # the record
    reference: Mapped[str] = mapped_column(sa.String(120))
    until: Mapped[dt.date]  # the last day
    made_at: Mapped[dt.datetime]
    made_by: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    confirmed_at: Mapped[dt.datetime | None]  # when a second administrator agreed; None: it holds for some days only
    confirmed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))  # None: the operator, or long ago
    sooner_until: Mapped[dt.date | None]  # an earlier last day that one person asked for, and nobody else agreed to yet
    sooner_by: Mapped[int | None]  # whoever asked, or whose asking was agreed to
    sooner_reason: Mapped[str] = mapped_column(sa.String(200), default="")

    @property
    def alone_until(self) -> dt.date:
        """Return the day until which it holds while nobody else has agreed."""
        return min(self.until, (self.made_at + UNCONFIRMED_FOR).date())


def lock_clock(session: Session, centre_id: int) -> RetentionClock:
    """Return what is known of a centre's clock, locked; made at the first time."""
    query = sa.select(RetentionClock).where(RetentionClock.centre_id == centre_id).with_for_update()
    clock = session.scalars(query).one_or_none()
    if clock is None:
        clock = RetentionClock(centre_id=centre_id, doubt="")
        session.add(clock)
        session.flush()
    return clock


def get_clock(session: Session, centre_id: int) -> RetentionClock | None:
    return session.get(RetentionClock, centre_id)


def list_signed_moments(session: Session, centre_id: int, limit: int = 200) -> list[tuple[int, dt.datetime, dt.datetime]]:
    """Return phone, arrival and finishing time of the newest submissions that phones signed."""
    query = sa.select(Submission.device_id, Submission.received_at, Submission.finished_at)
    query = query.where(Submission.centre_id == centre_id, Submission.channel == PHONE, Submission.device_id.is_not(None))
    rows = session.execute(query.order_by(Submission.id.desc()).limit(limit))
    return [(row[0], row[1], row[2]) for row in rows if row[0] is not None]


def list_open_plans(session: Session, centre_id: int) -> Sequence[RetentionPlan]:
    query = sa.select(RetentionPlan).where(RetentionPlan.centre_id == centre_id, RetentionPlan.done_at.is_(None))
    return session.scalars(query.order_by(RetentionPlan.goes_at, RetentionPlan.id)).all()


def list_done_plans(session: Session, centre_id: int, limit: int = 50) -> Sequence[RetentionPlan]:
    """Return the proof of what was erased, newest first."""
    query = sa.select(RetentionPlan).where(RetentionPlan.centre_id == centre_id, RetentionPlan.done_at.is_not(None))
    return session.scalars(query.order_by(RetentionPlan.id.desc()).limit(limit)).all()


def lock_plan(session: Session, centre_id: int, plan_id: int) -> RetentionPlan | None:
    """Return a plan, locked for changing."""
    query = sa.select(RetentionPlan).where(RetentionPlan.centre_id == centre_id, RetentionPlan.id == plan_id)
    return session.scalars(query.with_for_update()).one_or_none()


def add_items(session: Session, plan_id: int, tags: Collection[tuple[int, str]]) -> None:
    rows = [{"plan_id": plan_id, "subject": subject, "tag": tag, "outcome": ""} for subject, tag in tags]
    if rows:
        session.execute(sa.insert(RetentionItem), rows)


def next_items(session: Session, plan_id: int, limit: int) -> Sequence[RetentionItem]:
    """Return the next items of a plan that nothing was decided about."""
    query = sa.select(RetentionItem).where(RetentionItem.plan_id == plan_id, RetentionItem.outcome == "")
    return session.scalars(query.order_by(RetentionItem.subject).limit(limit)).all()


def list_erased_tags(session: Session, plan_id: int) -> list[str]:
    """Return the sorted tags of what a plan erased."""
    query = sa.select(RetentionItem.tag).where(RetentionItem.plan_id == plan_id, RetentionItem.outcome == DONE)
    return sorted(session.scalars(query))


def drop_items(session: Session, plan_id: int) -> None:
    session.execute(sa.delete(RetentionItem).where(RetentionItem.plan_id == plan_id))


def put_mark(session: Session, centre_id: int, rule: str, subject: int, until: dt.datetime) -> None:
    session.merge(RetentionMark(centre_id=centre_id, rule=rule, subject=subject, until=until))


def list_holds(session: Session, centre_id: int) -> Sequence[LegalHold]:
    """Return every legal hold, also those that are over, newest first."""
    query = sa.select(LegalHold).where(LegalHold.centre_id == centre_id)
    return session.scalars(query.order_by(LegalHold.id.desc())).all()


def list_held_roots(session: Session, centre_id: int, now: dt.datetime) -> set[str]:
    """Return the records that nothing may be erased of now.

    A hold that no second administrator has agreed to holds for some days only, and only where it is its record's
    first: one person could go on for ever otherwise.
    """
    values = {"centre": centre_id, "unconfirmed_since": now - UNCONFIRMED_FOR, "today": now.date()}
    return set(session.scalars(_select_held_roots(), values))


# Made once: every rule asks it at every run, and making it costs more than running it.
@functools.cache
def _select_held_roots() -> sa.Select[str]:
    is_recent = sa.and_(LegalHold.made_at > sa.bindparam("unconfirmed_since"), ~_has_earlier())
    is_agreed = sa.or_(LegalHold.confirmed_at.is_not(None), is_recent)
    is_ours = LegalHold.centre_id == sa.bindparam("centre")
    return sa.select(LegalHold.root_id).where(is_ours, LegalHold.until >= sa.bindparam("today"), is_agreed)


@functools.cache
def _has_earlier() -> sa.Exists:
    """Return the condition that there was a hold of the same record before."""
    earlier = sa.orm.aliased(LegalHold)
    return sa.exists().where(
        earlier.centre_id == LegalHold.centre_id, earlier.root_id == LegalHold.root_id, earlier.id < LegalHold.id
    )


def list_without_effect(session: Session, centre_id: int) -> set[int]:
    """Return the ids of holds that hold nothing until a second person agrees."""
    query = sa.select(LegalHold.id).where(LegalHold.centre_id == centre_id, LegalHold.confirmed_at.is_(None))
    return set(session.scalars(query.where(_has_earlier())))


def clear_old_references(session: Session, centre_id: int, today: dt.date) -> None:
    """Delete by which order records were preserved, where that is over."""
    ours = sa.update(LegalHold).where(LegalHold.centre_id == centre_id, LegalHold.reference != "")
    session.execute(ours.where(LegalHold.until < today).values(reference=""))


def lock_hold(session: Session, centre_id: int, hold_id: int) -> LegalHold | None:
    """Return a legal hold, locked for changing."""
    query = sa.select(LegalHold).where(LegalHold.centre_id == centre_id, LegalHold.id == hold_id)
    return session.scalars(query.with_for_update()).one_or_none()


def is_anything_of(session: Session, centre_id: int, root_id: str) -> bool:
    """Say whether there is a record, or a submission for one, under an id."""
    query = sa.select(Submission.id).where(Submission.centre_id == centre_id, Submission.root_id == root_id)
    return session.scalars(query.limit(1)).first() is not None


def iterate_not_taken_in(session: Session, centre_id: int, before: dt.datetime) -> Iterator[Sequence[Submission]]:
    """Yield submissions that came before a time and may be part of no record.

    Page by page; those without content are left out.
    """
    last = 0
    while True:
        query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.id > last)
        query = query.where(Submission.state.in_((*WAITING, "settled")), Submission.body != "")
        query = query.where(Submission.received_at < before)
        batch = session.scalars(query.order_by(Submission.id).limit(PAGE)).all()
        if not batch:
            return
        yield batch
        last = batch[-1].id


def lock_submissions(session: Session, centre_id: int, ids: Collection[int]) -> Sequence[Submission]:
    """Return these submissions, locked for changing."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.id.in_(ids))
    return session.scalars(query.order_by(Submission.id).with_for_update()).all()


def list_records_present(session: Session, centre_id: int, root_ids: Collection[str]) -> set[str]:
    """Return those of these ids under which there is a record."""
    query = sa.select(Record.instance_id).where(Record.centre_id == centre_id, Record.instance_id.in_(root_ids))
    return set(session.scalars(query))


def _is_marked(centre_id: int, rule: str, subject: sa.ColumnElement[int], since: sa.ColumnElement[dt.datetime]) -> sa.Exists:
    """Return the condition that a rule was applied to a row since a time."""
    return sa.exists().where(
        RetentionMark.centre_id == centre_id,
        RetentionMark.rule == rule,
        RetentionMark.subject == subject,
        RetentionMark.until >= since,
    )


def iterate_unchanged_records(
    session: Session, centre_id: int, rule: str, before: dt.datetime, forms: Collection[str] | None = None
) -> Iterator[Sequence[Record]]:
    """Yield records that did not change since a time, page by page; of some forms, or of all.

    Those to which the rule was applied after their last change are left out.
    """
    is_marked = _is_marked(centre_id, rule, Record.id.expression, Record.changed_at.expression)
    last = 0
    while True:
        query = sa.select(Record).where(Record.centre_id == centre_id, Record.id > last, Record.changed_at < before)
        if forms is not None:
            query = query.where(Record.form.in_(forms))
        batch = session.scalars(query.where(~is_marked).order_by(Record.id).limit(PAGE)).all()
        if not batch:
            return
        yield batch
        last = batch[-1].id


def iterate_records_after_exit(
    session: Session, centre_id: int, rule: str, before: dt.date, forms: Collection[str]
) -> Iterator[Sequence[Record]]:
    """Yield records of these forms about people who left, and were seen last before a day.

    Page by page; those to which the rule was applied after their last change are left out.
    """
    is_marked = _is_marked(centre_id, rule, Record.id.expression, Record.changed_at.expression)
    has_left = sa.and_(Card.centre_id == centre_id, Card.code == Record.person, ~Card.is_open, Card.seen_on < before)
    last = 0
    while True:
        query = sa.select(Record).join(Card, has_left).where(Record.centre_id == centre_id, Record.id > last)
        query = query.where(Record.form.in_(forms), Record.person != "", ~is_marked)
        batch = session.scalars(query.order_by(Record.id).limit(PAGE)).all()
        if not batch:
            return
        yield batch
        last = batch[-1].id


def lock_records(session: Session, centre_id: int, ids: Collection[int]) -> Sequence[Record]:
    """Return these records, locked for changing."""
    query = sa.select(Record).where(Record.centre_id == centre_id, Record.id.in_(ids))
    return session.scalars(query.order_by(Record.id).with_for_update()).all()


def find_record(session: Session, centre_id: int, root_id: str) -> Record | None:
    query = sa.select(Record).where(Record.centre_id == centre_id, Record.instance_id == root_id)
    return session.scalars(query).one_or_none()


def _select_unused(centre_id: int, before: dt.datetime) -> Any:
    """Return the query for cards of which nothing came, and nothing was said, since a time.

    They have records: else there is nothing to unlink.
    """
    of_card = (Record.centre_id == centre_id, sa.text("record.person != ''"), Record.person == Card.code)
    has_record = sa.exists().where(*of_card)
    has_recent = sa.exists().where(*of_card, Record.received_at >= before)
    has_word = standing.has_said_since(centre_id, Card.code.expression, before)
    query = sa.select(Card).where(Card.centre_id == centre_id, sa.or_(Card.seen_on.is_(None), Card.seen_on < before.date()))
    return query.where(has_record, ~has_recent, ~has_word)


def list_unused_cards(session: Session, centre_id: int, before: dt.datetime, after: int) -> Sequence[Card]:
    """Return the next cards whose person nobody met since a time, after the card with an id."""
    query = _select_unused(centre_id, before).where(Card.id > after)
    return session.scalars(query.order_by(Card.id).limit(PAGE)).all()


def is_unused(session: Session, centre_id: int, card: Card, before: dt.datetime) -> bool:
    """Say whether nobody met the person with a card since a time."""
    return session.scalars(_select_unused(centre_id, before).where(Card.id == card.id)).first() is not None


def lock_cards(session: Session, centre_id: int, ids: Collection[int]) -> Sequence[Card]:
    """Return these cards, locked for changing."""
    query = sa.select(Card).where(Card.centre_id == centre_id, Card.id.in_(ids)).order_by(Card.id)
    return session.scalars(query.with_for_update()).all()


def is_restricted(session: Session, centre_id: int, record_id: int) -> bool:
    """Say whether a record may not leave, as its person allowed less before their card went."""
    return session.get(RetentionMark, (centre_id, RESTRICTED, record_id)) is not None


def list_refusals(session: Session, centre_id: int, rule: str, before: dt.datetime, limit: int) -> Sequence[Submission]:
    """Return noes that came before a time and still have their exact times.

    Each is all that its record has.
    """
    other = sa.orm.aliased(Submission)
    has_others = sa.exists().where(
        other.centre_id == centre_id, other.root_id == Submission.root_id, other.id != Submission.id
    )
    is_marked = _is_marked(centre_id, rule, Submission.id.expression, Submission.received_at.expression)
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.is_refusal)
    query = query.where(Submission.state == "stored", Submission.received_at < before, ~has_others, ~is_marked)
    return session.scalars(query.order_by(Submission.id).limit(limit)).all()


def list_attachments(session: Session, centre_id: int, before: dt.datetime, limit: int) -> Sequence[Blob]:
    """Return attachments with content that came before a time."""
    has_pieces = sa.exists().where(BlobPiece.blob_id == Blob.id)
    query = sa.select(Blob).where(Blob.centre_id == centre_id, Blob.created_at < before, has_pieces)
    return session.scalars(query.order_by(Blob.id).limit(limit)).all()


def lock_attachments(session: Session, centre_id: int, ids: Collection[int]) -> Sequence[Blob]:
    """Return these attachments, locked for changing."""
    query = sa.select(Blob).where(Blob.centre_id == centre_id, Blob.id.in_(ids)).order_by(Blob.id)
    return session.scalars(query.with_for_update()).all()


def list_bodies(session: Session, centre_id: int, root_ids: Collection[str]) -> Sequence[str]:
    """Return the bodies of all submissions of these records."""
    query = sa.select(Submission.body).where(Submission.centre_id == centre_id, Submission.root_id.in_(root_ids))
    return session.scalars(query).all()


def list_audit_lines(session: Session, centre_id: int, before: dt.datetime, limit: int) -> list[tuple[int, str]]:
    """Return number and target of the entries of the audit log before a time."""
    query = sa.select(AuditEvent.id, AuditEvent.target)
    query = query.where(AuditEvent.centre_id == centre_id, AuditEvent.at < before, AuditEvent.act != ERASED)
    return [(row[0], row[1]) for row in session.execute(query.order_by(AuditEvent.id).limit(limit))]


def select_audit_lines(session: Session, centre_id: int, ids: Collection[int]) -> list[tuple[int, dt.datetime, str]]:
    """Return number, time and target of these entries of the audit log."""
    query = sa.select(AuditEvent.id, AuditEvent.at, AuditEvent.target)
    is_ours = sa.and_(AuditEvent.centre_id == centre_id, AuditEvent.id.in_(ids), AuditEvent.act != ERASED)
    rows = session.execute(query.where(is_ours))
    return [(row[0], row[1], row[2]) for row in rows]


def list_audit_ranges(session: Session, centre_id: int, ids: Collection[int]) -> list[tuple[int, int, str]]:
    """Return which numbers these entries have, as ranges without a gap.

    Of each its first, its last, and the link of the last, hexadecimal.
    """
    query = sa.select(AuditEvent.number, AuditEvent.link).where(AuditEvent.centre_id == centre_id)
    query = query.where(AuditEvent.id.in_(ids), AuditEvent.number.is_not(None)).order_by(AuditEvent.number)
    ranges: list[tuple[int, int, str]] = []
    for number, link in session.execute(query):
        if number is None or link is None:
            continue
        first = number
        if ranges and ranges[-1][1] == number - 1:
            first = ranges.pop()[0]
        ranges.append((first, number, link.hex()))
    return ranges


def delete_audit_lines(session: Session, centre_id: int, ids: Collection[int]) -> None:
    session.execute(sa.delete(AuditEvent).where(AuditEvent.centre_id == centre_id, AuditEvent.id.in_(ids)))


def list_plans_in_bytes(session: Session) -> Sequence[RetentionPlan]:
    """Return executed plans whose bytes may still lie in the database's files."""
    query = sa.select(RetentionPlan).where(RetentionPlan.done_at.is_not(None), RetentionPlan.is_in_bytes)
    return session.scalars(query).all()


def replace_hold_roots(session: Session, centre_id: int, tags: Mapping[str, str]) -> None:
    """Let holds that are over be about tags, where their records are no more."""
    for root_id, tag in tags.items():
        ours = sa.update(LegalHold).where(LegalHold.centre_id == centre_id, LegalHold.root_id == root_id)
        session.execute(ours.values(root_id=tag, reference=""))
