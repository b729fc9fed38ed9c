"""Submissions as they arrived, stored whatever is wrong with them.

They are never changed, except that answers are cut after a refused consent.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, load_only, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.forms.versions import FormVersion
from fieldapp.store.operations import centre_log
from fieldapp.store.records import mentions
from fieldapp.store.records.records import Record, RecordFilter
from fieldapp.store.records.tombstones import TombstoneReader
from fieldapp.store.sealing import Sealed, SealedBytes, Sealer, find_sealer

AT_ONCE = 500  # ids in one query
UNKNOWN_FORM = "sync.unknown_form"
# Codes of the two problems that the arrival of an earlier submission can solve.
NOT_THE_AUTHOR = "sync.not_yours"
OTHER_FORM = "sync.other_form"
SEALED = "sealed"  # stands for the form of what no key opens
SHUT_OUT = ("sync.shut_out", "sync.phone_shut_out")  # the person's access had ended, or the phone's
# How a submission came, with ever less assurance but for the last.
PHONE = "phone"  # sealed and signed
TOKEN = "token"  # noqa: S105  with the token of a phone only
COLLECT = "collect"  # from ODK Collect
OFFICE = "office"  # made by a person at the centre


# Literal SQL, equal to the conditions of the partial indexes: the planner does not use them with bound parameters.
HAS_DUE = sa.text("due != ''")
SETTLING = "fieldapp.settle"  # the form of notes that a follow-up is not needed any more
IS_SETTLING = sa.text(f"form = '{SETTLING}'")
HANDED = "due/"  # before the number of a record, without dashes: notes that hand its follow-ups over are kept under it


class Submission(Base):
    __tablename__ = "submission"
    __table_args__ = (
        sa.UniqueConstraint("centre_id", "instance_id", "sha256"),
        sa.Index("ix_submission_centre_id_state", "centre_id", "state", "id"),
        sa.Index("ix_submission_device_id_seq", "device_id", "seq"),
        sa.Index("ix_submission_centre_id_root_id", "centre_id", "root_id"),
        sa.Index("ix_submission_centre_id_due", "centre_id", "due", sqlite_where=HAS_DUE, postgresql_where=HAS_DUE),
        sa.Index("ix_submission_centre_id_log_position", "centre_id", "log_position", unique=True),
        sa.Index("ix_submission_settling", "centre_id", "id", sqlite_where=IS_SETTLING, postgresql_where=IS_SETTLING),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    # Its place in the centre's log, which receipts name; none only while it is being stored.
    log_position: Mapped[int | None] = mapped_column(sa.BigInteger)
    instance_id: Mapped[str] = mapped_column(sa.String(36))
    root_id: Mapped[str] = mapped_column(sa.String(36))  # the record that it is part of
    prev: Mapped[list[Any]]  # the submissions that it builds on
    channel: Mapped[str] = mapped_column("via", sa.String(8))  # one of the four above; phone: sealed and signed
    form: Mapped[str] = mapped_column(sa.String(64))
    version: Mapped[str] = mapped_column(sa.String(64))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    device_id: Mapped[int | None] = mapped_column(sa.ForeignKey("device.id"))  # none when it was made in the office
    seq: Mapped[int] = mapped_column(default=0)  # its number on the phone, from 1; 0 when the phone gave none
    finished_at: Mapped[dt.datetime]
    utc_offset: Mapped[int] = mapped_column(default=0)  # of the phone's clock then, in minutes
    # The phone's local time by which its form judged it, where that is not when it was finished: of what it corrects.
    clock: Mapped[str] = mapped_column(sa.String(32), default="")
    received_at: Mapped[dt.datetime]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    # The answers as the phone wrote them; after a refused consent, what may be stored of them.
    sealed_body: Mapped[bytes] = mapped_column("body", SealedBytes)
    body = Sealed("sealed_body", "id")
    due: Mapped[str] = mapped_column(sa.String(47), default="")  # the follow-up that it completes
    sealed_cards: Mapped[bytes] = mapped_column("cards", SealedBytes)
    cards = Sealed("sealed_cards", "id", is_json=True)  # codes of new cards that its phone made for it
    # stored, conflict, rejected, aside (until somebody lets it in), settled (somebody has looked, or nothing is left), held
    state: Mapped[str] = mapped_column(sa.String(12))
    problems: Mapped[list[Any]]
    is_refusal: Mapped[bool] = mapped_column(default=False)  # the person did not say yes
    is_cut: Mapped[bool] = mapped_column(default=False)  # the body is what may be kept after a no, as JSON
    # An update of a referral by somebody else than its author, whom the card of its person was given to. Stored, since
    # a no takes the card out of the record, and must go on counting.
    is_by_holder: Mapped[bool] = mapped_column(default=False)

    @property
    def is_foreign(self) -> bool:
        """Say whether its only problem is that it is not part of the record that it names.

        The arrival of an earlier submission may change that.
        """
        return [problem.get("code") for problem in self.problems] in ([NOT_THE_AUTHOR], [OTHER_FORM])

    @property
    def is_part(self) -> bool:
        """Say whether the record is computed from it, among others."""
        return not self.problems or self.is_foreign

    @property
    def waits_for_form(self) -> bool:
        """Say whether it is only aside because its form version was not here."""
        return [problem.get("code") for problem in self.problems] == [UNKNOWN_FORM]

    @property
    def is_of_shut_out_phone(self) -> bool:
        return any(problem.get("code") in SHUT_OUT for problem in self.problems)

    @property
    def finished_local(self) -> dt.datetime:
        """Return when it was finished, with the offset of the phone's clock."""
        zone = dt.timezone(dt.timedelta(minutes=self.utc_offset))
        return self.finished_at.astimezone(zone)

    @property
    def judged_local(self) -> dt.datetime:
        """Return what today() and now() meant in its form, with the offset of the phone's clock."""
        return dt.datetime.fromisoformat(self.clock) if self.clock else self.finished_local


sa.event.listen(Submission, "after_update", mentions.delete_old)

ASIDE = "aside"
HELD = "held"  # of a card that ended, under a legal hold: in no list, and nobody can open it
REFUSED = ("conflict", "rejected")
WAITING = (*REFUSED, ASIDE)  # for a review


@dataclass(frozen=True)
class EarlierSubmission:
    """What is stored of a submission that arrived before."""

    id: int
    log_position: int | None  # None while the transaction that stores it is under way
    received_at: dt.datetime
    state: str
    problems: list[Any]
    device_id: int | None
    is_cut: bool

    @property
    def is_shut_out(self) -> bool:
        """Say whether it was set aside because its phone's or person's access had ended."""
        return any(problem.get("code") in SHUT_OUT for problem in self.problems)


SELECT_EARLIER = (
    sa.select(
        Submission.instance_id,
        Submission.sha256,
        Submission.id,
        Submission.log_position,
        Submission.received_at,
        Submission.state,
        Submission.problems,
        Submission.device_id,
        Submission.is_cut,
    )
    .where(
        Submission.centre_id == sa.bindparam("centre_id"), Submission.instance_id.in_(sa.bindparam("ids", expanding=True))
    )
    .order_by(Submission.id)
)
ROOTS = (
    sa.select(Submission.root_id)
    .where(Submission.centre_id == sa.bindparam("centre_id"), Submission.root_id.in_(sa.bindparam("ids", expanding=True)))
    .distinct()
)
UNUSABLE_ROOTS = ROOTS.where(Submission.state != "stored").union(
    sa.select(Record.instance_id).where(
        Record.centre_id == sa.bindparam("centre_id"),
        Record.instance_id.in_(sa.bindparam("ids", expanding=True)),
        Record.is_refused,
    )
)
REFUSED_ROOTS = ROOTS.where(Submission.is_refusal)
LAST = sa.select(sa.func.coalesce(sa.func.max(Submission.id), 0))
INSERT = sa.insert(Submission)


def find_earlier(session: Session, centre_id: int, instance_ids: Collection[str]) -> dict[str, dict[str, EarlierSubmission]]:
    """Return what arrived under each of these ids before, by id and then by SHA-256.

    The first that arrived is the first of its id. What was erased since is known again by its tombstone.
    """
    earlier: dict[str, dict[str, EarlierSubmission]] = {}
    tombstones = TombstoneReader(session, centre_id, instance_ids)
    parameters = {"centre_id": centre_id, "ids": [*instance_ids, *tombstones.tags]}
    for tag, masked, *rest in session.connection().execute(SELECT_EARLIER, parameters):
        instance_id, sha256 = tombstones.restore(tag, masked)
        earlier.setdefault(instance_id, {})[sha256] = EarlierSubmission(*rest)
    return earlier


def list_finish_days(session: Session, centre_id: int, instance_ids: Collection[str]) -> dict[str, dt.date]:
    """Return the local day on which each of these submissions was finished, by id."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.instance_id.in_(instance_ids))
    query = query.options(load_only(Submission.instance_id, Submission.finished_at, Submission.utc_offset))
    return {submission.instance_id: submission.finished_local.date() for submission in session.scalars(query)}


def find_judged_time(session: Session, centre_id: int, heads: Collection[str]) -> dt.datetime | None:
    """Return by which time the newest of a record's heads was judged; None without any."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.instance_id.in_(heads))
    query = query.options(load_only(Submission.finished_at, Submission.utc_offset, Submission.clock))
    return max((submission.judged_local for submission in session.scalars(query)), default=None)


def roots_present(session: Session, centre_id: int, root_ids: Collection[str]) -> set[str]:
    """Return those of these records that have any submission."""
    parameters = {"centre_id": centre_id, "ids": list(root_ids)}
    return set(session.connection().execute(ROOTS, parameters).scalars())


def refused_roots(session: Session, centre_id: int, root_ids: Collection[str]) -> set[str]:
    """Return those of these records that have a submission in which consent was refused."""
    parameters = {"centre_id": centre_id, "ids": list(root_ids)}
    return set(session.connection().execute(REFUSED_ROOTS, parameters).scalars())


def unusable_roots(session: Session, centre_id: int, root_ids: Collection[str]) -> set[str]:
    """Return those of these records of which not all is simply taken in, or was until now."""
    return set(session.connection().execute(UNUSABLE_ROOTS, {"centre_id": centre_id, "ids": list(root_ids)}).scalars())


def next_ids(session: Session, count: int) -> range | list[int]:
    """Return the ids of the next submissions, lowest first.

    Call it in the transaction that writes them: on SQLite it alone keeps others from the same ones.
    """
    if session.get_bind().dialect.name == "sqlite":
        last = session.connection().execute(LAST).scalar_one()
        return range(last + 1, last + 1 + count)
    numbers = sa.text("SELECT nextval(pg_get_serial_sequence('submission', 'id')) FROM generate_series(1, :count)")
    return sorted(session.connection().execute(numbers, {"count": count}).scalars())


def add_all(session: Session, rows: list[dict[str, Any]]) -> None:
    if rows:
        sealer = find_sealer(session, rows[0]["centre_id"])
        session.connection().execute(INSERT, [_seal_row(sealer, row) for row in rows])
        mentions.add_all(session, rows)


def _seal_row(sealer: Sealer, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a new submission as they are stored."""
    number = row["id"]
    body = sealer.seal_text("submission", "body", number, row["body"])
    cards = sealer.seal_json("submission", "cards", number, row["cards"]) if row["cards"] else b""
    return {**row, "body": body, "cards": cards}


PLACE = (
    sa.update(Submission)
    .where(Submission.centre_id == sa.bindparam("of_centre"), Submission.id == sa.bindparam("of_id"))
    .values(log_position=sa.bindparam("place"))
)


def place_in_log(session: Session, centre_id: int, ids: Sequence[int]) -> dict[int, int]:
    """Give new submissions the next places in their centre's log; return these by id."""
    if not ids:
        return {}
    positions = centre_log.take_positions(session, centre_id, len(ids))
    places = dict(zip(ids, positions, strict=True))
    rows = [{"of_centre": centre_id, "of_id": number, "place": place} for number, place in places.items()]
    session.connection().execute(PLACE, rows)
    return places


def read_places(session: Session, centre_id: int, ids: Collection[int]) -> dict[int, int]:
    """Return the places in the centre's log of these submissions, by id."""
    query = sa.select(Submission.id, Submission.log_position)
    places = {}
    for number, place in session.execute(query.where(Submission.centre_id == centre_id, Submission.id.in_(ids))):
        if place is not None:
            places[number] = place
    return places


def of_record(session: Session, centre_id: int, root_id: str) -> Sequence[Submission]:
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.root_id == root_id)
    return session.scalars(query.order_by(Submission.id)).all()


def list_notes(session: Session, centre_id: int, form: str, root_ids: Collection[str]) -> Sequence[Submission]:
    """Return the accepted notes of one kind that are kept under these ids."""
    if not root_ids:
        return []
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.root_id.in_(root_ids))
    notes = session.scalars(query.where(Submission.form == form, Submission.body != "").order_by(Submission.id))
    return [note for note in notes if not note.problems]


def needing_attention(session: Session, centre_id: int, limit: int = 100) -> Sequence[Submission]:
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.state.in_(REFUSED))
    return session.scalars(query.order_by(Submission.id.desc()).limit(limit)).all()


def aside(session: Session, centre_id: int, limit: int = 100) -> Sequence[Submission]:
    """Return the newest submissions that are set aside, until somebody accepts them."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.state == ASIDE)
    return session.scalars(query.order_by(Submission.id.desc()).limit(limit)).all()


@dataclass(frozen=True)
class AsideOfPhone:
    """How many submissions of a phone are set aside, and the position of the newest of them."""

    count: int
    newest: int


def count_aside(session: Session, centre_id: int) -> dict[int, AsideOfPhone]:
    """Return what of each phone is set aside, by the id of the phone."""
    query = sa.select(Submission.device_id, sa.func.count(), sa.func.max(Submission.id))
    query = query.where(Submission.centre_id == centre_id, Submission.state == ASIDE)
    query = query.group_by(Submission.device_id)
    return {row[0]: AsideOfPhone(row[1], row[2]) for row in session.execute(query) if row[0] is not None}


def aside_of_device(session: Session, centre_id: int, device_id: int, newest: int | None = None) -> Sequence[int]:
    """Return the positions of a phone's submissions that are set aside, in their order.

    None later than `newest`, where that is given.
    """
    query = sa.select(Submission.id).where(Submission.centre_id == centre_id, Submission.state == ASIDE)
    if newest is not None:
        query = query.where(Submission.id <= newest)
    return session.scalars(query.where(Submission.device_id == device_id).order_by(Submission.id)).all()


def roots_of_positions(session: Session, centre_id: int, ids: Sequence[int]) -> set[str]:
    """Return the records that the submissions at these places in the log are part of."""
    roots: set[str] = set()
    for start in range(0, len(ids), 500):
        some = Submission.id.in_(ids[start : start + 500])
        roots.update(session.scalars(sa.select(Submission.root_id).where(Submission.centre_id == centre_id, some)))
    return roots


def list_waiting_for_form(session: Session) -> dict[int, list[int]]:
    """Return, for each centre, what waited for a form version that is here by now."""
    is_here = sa.exists().where(
        FormVersion.centre_id == Submission.centre_id,
        FormVersion.form == Submission.form,
        FormVersion.version == Submission.version,
    )
    waiting: dict[int, list[int]] = {}
    query = sa.select(Submission).where(Submission.state == ASIDE, is_here).order_by(Submission.id)
    for submission in session.scalars(query):
        if submission.waits_for_form:
            waiting.setdefault(submission.centre_id, []).append(submission.id)
    return waiting


def mark_all_reviewed(session: Session, centre_id: int, ids: Sequence[int]) -> None:
    """Mark these submissions as reviewed."""
    for start in range(0, len(ids), 500):
        batch = ids[start : start + 500]
        statement = sa.update(Submission)
        statement = statement.where(Submission.centre_id == centre_id, Submission.id.in_(batch))
        session.execute(statement.values(state="settled").execution_options(synchronize_session=False))


def held_aside(session: Session, centre_id: int, ids: Collection[int]) -> Sequence[Submission]:
    """Return those of these submissions that are set aside, locked for changing."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.state == ASIDE)
    return session.scalars(query.where(Submission.id.in_(ids)).order_by(Submission.id).with_for_update()).all()


def count_needing_attention(session: Session, centre_id: int) -> int:
    query = sa.select(sa.func.count()).select_from(Submission)
    return session.scalars(query.where(Submission.centre_id == centre_id, Submission.state.in_(WAITING))).one()


def get(session: Session, centre_id: int, submission_id: int) -> Submission | None:
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.id == submission_id)
    return session.scalars(query).one_or_none()


@dataclass(frozen=True)
class Numbered:
    """The numbers of one phone that have arrived: how many, the lowest, the highest."""

    count: int
    first: int
    last: int


def numbered_by_device(session: Session, device_ids: Collection[int]) -> dict[int, Numbered]:
    """Return which of the numbers that these phones gave to what they made have arrived.

    By the id of the phone; phones of which nothing has arrived are left out. One index is read.
    """
    seq = Submission.seq
    query = sa.select(Submission.device_id, sa.func.count(sa.distinct(seq)), sa.func.min(seq), sa.func.max(seq))
    query = query.where(Submission.device_id.in_(device_ids), seq > 0).group_by(Submission.device_id)
    return {row[0]: Numbered(*row[1:]) for row in session.execute(query) if row[0] is not None}


def numbers_of_device(session: Session, device_id: int) -> Sequence[int]:
    """Return the numbers of one phone that have arrived, in order, each once."""
    query = sa.select(Submission.seq).where(Submission.device_id == device_id, Submission.seq > 0)
    return session.scalars(query.distinct().order_by(Submission.seq)).all()


def find_record_ids(session: Session, centre_id: int, instance_ids: Collection[str]) -> dict[str, str]:
    """Return the record that each of these submissions is part of."""
    query = sa.select(Submission.instance_id, Submission.root_id).where(
        Submission.centre_id == centre_id, Submission.instance_id.in_(instance_ids)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def mark_corrected(session: Session, centre_id: int, root_id: str) -> bool:
    """Mark refused submissions of a record as reviewed where a good correction builds on them.

    Returns whether there was any.
    """
    ours = [item for item in of_record(session, centre_id, root_id) if not item.is_foreign]
    built_on: set[str] = set()
    for submission in ours:
        if submission.is_part:
            built_on.update(submission.prev)
    corrected = False
    for submission in ours:
        if submission.state == "rejected" and submission.instance_id in built_on:
            submission.state = "settled"
            corrected = True
    return corrected


def ids_after(session: Session, centre_id: int, last: int, limit: int) -> Sequence[int]:
    """Return the next positions in the log after `last`."""
    query = sa.select(Submission.id).where(Submission.centre_id == centre_id, Submission.id > last)
    return session.scalars(query.order_by(Submission.id).limit(limit)).all()


def list_uncut(session: Session, centre_id: int, ids: Collection[int]) -> Sequence[Submission]:
    """Return those of these submissions from which nothing was cut, locked for changing."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.id.in_(ids), ~Submission.is_cut)
    return session.scalars(query.order_by(Submission.id).with_for_update()).all()


def list_cut_ids(session: Session, centre_id: int, instance_ids: Collection[str]) -> set[str]:
    """Return which of these ids are of submissions from which a no took answers."""
    cut_ids: set[str] = set()
    sorted_ids = sorted(instance_ids)
    for start in range(0, len(sorted_ids), AT_ONCE):
        query = sa.select(Submission.instance_id).where(Submission.centre_id == centre_id, Submission.is_cut)
        cut_ids.update(session.scalars(query.where(Submission.instance_id.in_(sorted_ids[start : start + AT_ONCE]))))
    return cut_ids


def of_many(session: Session, centre_id: int, root_ids: Collection[str]) -> Sequence[Submission]:
    """Return the submissions of those of these records that have several, oldest first."""
    ours = sa.and_(Submission.centre_id == centre_id, Submission.root_id.in_(root_ids))
    several = sa.select(Submission.root_id).where(ours).group_by(Submission.root_id).having(sa.func.count() > 1)
    query = sa.select(Submission).where(ours, Submission.root_id.in_(several))
    return session.scalars(query.order_by(Submission.root_id, Submission.id)).all()


def is_any_of(session: Session, centre_id: int, form: str) -> bool:
    """Say whether anything was ever sent for a form, even one that the centre lacks."""
    query = sa.select(Submission.id).where(Submission.centre_id == centre_id, Submission.form == form)
    return session.scalars(query.limit(1)).one_or_none() is not None


def forms_not_taken_in(session: Session, centre_id: int) -> Sequence[str]:
    """Return the forms for which something was stored without becoming part of a record."""
    query = sa.select(Submission.form).where(Submission.centre_id == centre_id, Submission.state.in_((*WAITING, "settled")))
    query = query.where(Submission.body != "")  # nothing is left of the others
    return session.scalars(query.distinct().order_by(Submission.form)).all()


def without_record(session: Session, centre_id: int, record_filter: RecordFilter) -> Sequence[Submission]:
    """Return what was sent for a form and is part of no record.

    None where the filter asks for an area, since only records have one.
    """
    if record_filter.area:
        return []
    is_record = sa.exists().where(Record.centre_id == centre_id, Record.instance_id == Submission.root_id)
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.form == record_filter.form, ~is_record)
    query = query.where(Submission.state != HELD)
    if record_filter.author_id:
        query = query.where(Submission.author_id == record_filter.author_id)
    if record_filter.since:
        query = query.where(Submission.finished_at >= dt.datetime.combine(record_filter.since, dt.time(), dt.UTC))
    if record_filter.until:
        after = record_filter.until + dt.timedelta(days=1)
        query = query.where(Submission.finished_at < dt.datetime.combine(after, dt.time(), dt.UTC))
    return session.scalars(query.order_by(Submission.root_id, Submission.id)).all()


def mark_reviewed(session: Session, centre_id: int, root_id: str) -> None:
    """Mark the refused submissions of a record as reviewed."""
    statement = sa.update(Submission).where(
        Submission.centre_id == centre_id, Submission.root_id == root_id, Submission.state.in_(REFUSED)
    )
    session.execute(statement.values(state="settled").execution_options(synchronize_session=False))


def list_naming(session: Session, centre_id: int, code: str) -> Sequence[Submission]:
    """Return the submissions that name a card in their answers or among new cards, locked."""
    naming: list[Submission] = []
    # By their numbers: for a subquery the planner reads all submissions of the centre.
    ids = mentions.list_naming(session, centre_id, code)
    for start in range(0, len(ids), 500):
        query = sa.select(Submission).where(Submission.id.in_(ids[start : start + 500]))
        naming += session.scalars(query.order_by(Submission.id).with_for_update())
    return naming


def list_naming_records(
    session: Session, centre_id: int, root_ids: Collection[str], forms: Collection[str]
) -> Sequence[Submission]:
    """Return what names one of these records in its answers.

    It is of one of the forms, or part of no record.
    """
    is_looked_at = sa.or_(Submission.form.in_(forms), Submission.state.in_((*WAITING, "settled")))
    query = sa.select(Submission).where(Submission.centre_id == centre_id, is_looked_at)
    query = query.where(Submission.body != "").order_by(Submission.id)
    naming = []
    for submission in session.scalars(query):
        if any(root_id in submission.body for root_id in root_ids):
            naming.append(submission)
    return naming


def list_due_of(session: Session, centre_id: int, root_ids: Collection[str]) -> Sequence[Submission]:
    """Return what completes or hands over follow-ups of these records."""
    completing: list[Submission] = []
    for root_id in sorted(root_ids):
        first = f"{root_id}/"
        is_of_record = sa.and_(Submission.due >= first, Submission.due < f"{root_id}0")  # "0" comes after "/"
        query = sa.select(Submission).where(Submission.centre_id == centre_id, HAS_DUE, is_of_record)
        completing += session.scalars(query)
    notes = sa.select(Submission).where(Submission.centre_id == centre_id, IS_SETTLING)
    for note in session.scalars(notes):
        if any(root_id in note.body for root_id in root_ids):
            completing.append(note)
    roots = [HANDED + root_id.replace("-", "") for root_id in root_ids]
    handed = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.root_id.in_(roots))
    return [*completing, *session.scalars(handed)]


def list_settling(session: Session, centre_id: int, before: dt.datetime) -> Sequence[Submission]:
    """Return notes that settle a follow-up and came before a time."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, IS_SETTLING)
    return session.scalars(query.where(Submission.received_at < before).order_by(Submission.id)).all()


def list_root_ids(session: Session, centre_id: int) -> Sequence[str]:
    """Return the number of every record that anything came for."""
    return session.scalars(sa.select(Submission.root_id).where(Submission.centre_id == centre_id).distinct()).all()


def list_held_root_ids(session: Session, centre_id: int) -> set[str]:
    """Return the records of which something lies under a legal hold after they ended."""
    query = sa.select(Submission.root_id).where(Submission.centre_id == centre_id, Submission.state == HELD)
    return set(session.scalars(query.distinct()))


def list_held(session: Session, centre_id: int) -> Sequence[Submission]:
    """Return what lies under a legal hold after its card ended, locked for changing."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.state == HELD)
    return session.scalars(query.order_by(Submission.id).with_for_update()).all()
