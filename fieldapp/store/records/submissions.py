"""Submissions as they arrived, kept whatever was wrong with them; changed only by what a no takes out of them."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.forms.versions import FormVersion
from fieldapp.store.records.records import Filter, Record

UNKNOWN_FORM = "sync.unknown_form"
NOT_YOURS, OTHER_FORM = "sync.not_yours", "sync.other_form"
SEALED = "sealed"  # stands for the form of what no key opens
SHUT_OUT = ("sync.shut_out", "sync.phone_shut_out")  # the person was, or the phone
PHONE, TOKEN, COLLECT, OFFICE = "phone", "token", "collect", "office"  # how a submission came


class Submission(Base):
    __tablename__ = "submission"
    __table_args__ = (
        sa.UniqueConstraint("centre_id", "instance_id", "sha256"),
        sa.Index("ix_submission_centre_id_state", "centre_id", "state", "id"),
        sa.Index("ix_submission_device_id_seq", "device_id", "seq"),
        sa.Index("ix_submission_centre_id_root_id", "centre_id", "root_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)  # its place in the centre's log, which receipts name
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    instance_id: Mapped[str] = mapped_column(sa.String(36))
    root_id: Mapped[str] = mapped_column(sa.String(36))  # the record that it is part of
    prev: Mapped[list[Any]]  # the submissions that it builds on
    via: Mapped[str] = mapped_column(sa.String(8))  # one of the four above; phone: sealed and signed
    form: Mapped[str] = mapped_column(sa.String(64))
    version: Mapped[str] = mapped_column(sa.String(64))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    device_id: Mapped[int | None] = mapped_column(sa.ForeignKey("device.id"))  # none when it was made in the office
    seq: Mapped[int] = mapped_column(default=0)  # its number on the phone, from 1; 0 when the phone gave none
    finished_at: Mapped[dt.datetime]
    utc_offset: Mapped[int] = mapped_column(default=0)  # of the phone's clock then, in minutes
    received_at: Mapped[dt.datetime]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    body: Mapped[str] = mapped_column(sa.Text)  # the answers as the phone wrote them; after a no, what may be kept of them
    due: Mapped[str] = mapped_column(sa.String(47), default="")  # the follow-up that it settles
    cards: Mapped[list[Any]] = mapped_column(default=list)  # codes of new cards that its phone made for it
    # stored, conflict, rejected, aside (until somebody lets it in), settled (somebody has looked)
    state: Mapped[str] = mapped_column(sa.String(12))
    problems: Mapped[list[Any]]
    is_refusal: Mapped[bool] = mapped_column(default=False)  # the person did not say yes
    is_cut: Mapped[bool] = mapped_column(default=False)  # the body is what may be kept after a no, as JSON

    @property
    def is_foreign(self) -> bool:
        """Say whether it is only no part of the record that it names: the arrival of an earlier one may set that right."""
        return [problem.get("code") for problem in self.problems] in ([NOT_YOURS], [OTHER_FORM])

    @property
    def is_part(self) -> bool:
        """Say whether it counts in the fold of its record."""
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
        """Return when it was finished, as the phone's clock showed it, with its offset."""
        return self.finished_at.astimezone(dt.timezone(dt.timedelta(minutes=self.utc_offset)))


ASIDE = "aside"
REFUSED = ("conflict", "rejected")
WAITING = (*REFUSED, ASIDE)  # for somebody to look


@dataclass(frozen=True)
class Known:
    """What is kept of a submission that came before."""

    position: int
    received_at: dt.datetime
    state: str
    problems: list[Any]
    device_id: int | None
    is_cut: bool

    @property
    def is_shut_out(self) -> bool:
        """Say whether it is kept aside, or was taken off the list, because its phone or person was shut out."""
        return any(problem.get("code") in SHUT_OUT for problem in self.problems)


KNOWN = (
    sa.select(
        Submission.instance_id,
        Submission.sha256,
        Submission.id,
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


def known(session: Session, centre_id: int, instance_ids: Collection[str]) -> dict[str, dict[str, Known]]:
    """Return, for each id that was here before, what came under it by its hash; the first that came stands first."""
    found: dict[str, dict[str, Known]] = {}
    given = {"centre_id": centre_id, "ids": list(instance_ids)}
    for instance_id, sha256, *rest in session.connection().execute(KNOWN, given):
        found.setdefault(instance_id, {})[sha256] = Known(*rest)
    return found


def roots_present(session: Session, centre_id: int, root_ids: Collection[str]) -> set[str]:
    """Return those of these records of which any submission is here."""
    return set(session.connection().execute(ROOTS, {"centre_id": centre_id, "ids": list(root_ids)}).scalars())


def refused_roots(session: Session, centre_id: int, root_ids: Collection[str]) -> set[str]:
    """Return those of these records that have a submission in which the person did not say yes."""
    return set(session.connection().execute(REFUSED_ROOTS, {"centre_id": centre_id, "ids": list(root_ids)}).scalars())


def unusable_roots(session: Session, centre_id: int, root_ids: Collection[str]) -> set[str]:
    """Return those of these records of which not all is simply taken in, or was until now."""
    return set(session.connection().execute(UNUSABLE_ROOTS, {"centre_id": centre_id, "ids": list(root_ids)}).scalars())


def next_positions(session: Session, count: int) -> range | list[int]:
    """Return the places in the log that the next submissions take, in this transaction, which must be one that writes."""
    if session.get_bind().dialect.name == "sqlite":
        last = session.connection().execute(LAST).scalar_one()
        return range(last + 1, last + 1 + count)
    numbers = sa.text("SELECT nextval(pg_get_serial_sequence('submission', 'id')) FROM generate_series(1, :count)")
    return sorted(session.connection().execute(numbers, {"count": count}).scalars())


def add_all(session: Session, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(INSERT, rows)


def of_record(session: Session, centre_id: int, root_id: str) -> Sequence[Submission]:
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.root_id == root_id)
    return session.scalars(query.order_by(Submission.id)).all()


def needing_attention(session: Session, centre_id: int, limit: int = 100) -> Sequence[Submission]:
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.state.in_(REFUSED))
    return session.scalars(query.order_by(Submission.id.desc()).limit(limit)).all()


def aside(session: Session, centre_id: int, limit: int = 100) -> Sequence[Submission]:
    """Return the newest of those that wait until somebody lets them in."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.state == ASIDE)
    return session.scalars(query.order_by(Submission.id.desc()).limit(limit)).all()


def count_aside(session: Session, centre_id: int) -> dict[int, int]:
    """Return how many of each phone wait until somebody lets them in."""
    query = sa.select(Submission.device_id, sa.func.count())
    query = query.where(Submission.centre_id == centre_id, Submission.state == ASIDE).group_by(Submission.device_id)
    return {row[0]: row[1] for row in session.execute(query) if row[0] is not None}


def aside_of_device(session: Session, centre_id: int, device_id: int) -> Sequence[int]:
    """Return the places of a phone's submissions that wait until somebody lets them in, in the order they came."""
    query = sa.select(Submission.id).where(Submission.centre_id == centre_id, Submission.state == ASIDE)
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


def settle_all(session: Session, centre_id: int, ids: Sequence[int]) -> None:
    """Take these submissions off the list of those that somebody has to look at."""
    for start in range(0, len(ids), 500):
        statement = sa.update(Submission).where(
            Submission.centre_id == centre_id, Submission.id.in_(ids[start : start + 500])
        )
        session.execute(statement.values(state="settled").execution_options(synchronize_session=False))


def held_aside(session: Session, centre_id: int, ids: Collection[int]) -> Sequence[Submission]:
    """Return those of these submissions that wait until somebody lets them in, for changing them in this transaction."""
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
    """The numbers of one phone that are here: how many, the lowest, the highest."""

    count: int
    first: int
    last: int


def numbered_by_device(session: Session, device_ids: Collection[int]) -> dict[int, Numbered]:
    """Return what is here of the numbers that these phones gave to what they made; a walk along one index."""
    seq = Submission.seq
    query = sa.select(Submission.device_id, sa.func.count(sa.distinct(seq)), sa.func.min(seq), sa.func.max(seq))
    query = query.where(Submission.device_id.in_(device_ids), seq > 0).group_by(Submission.device_id)
    return {row[0]: Numbered(*row[1:]) for row in session.execute(query) if row[0] is not None}


def numbers_of_device(session: Session, device_id: int) -> Sequence[int]:
    """Return the numbers of one phone that are here, in order, each once."""
    query = sa.select(Submission.seq).where(Submission.device_id == device_id, Submission.seq > 0)
    return session.scalars(query.distinct().order_by(Submission.seq)).all()


def roots_of(session: Session, centre_id: int, instance_ids: Collection[str]) -> dict[str, str]:
    """Return the record that each of these submissions is part of."""
    query = sa.select(Submission.instance_id, Submission.root_id).where(
        Submission.centre_id == centre_id, Submission.instance_id.in_(instance_ids)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def settle_corrected(session: Session, centre_id: int, root_id: str) -> bool:
    """Take what was refused of a record off the list where a good correction builds on it; say whether there was any."""
    arrived = of_record(session, centre_id, root_id)
    built_on = {prev for one in arrived if one.is_part and not one.is_foreign for prev in one.prev}
    found = [one for one in arrived if one.state == "rejected" and not one.is_foreign and one.instance_id in built_on]
    for one in found:
        one.state = "settled"
    return bool(found)


def ids_after(session: Session, centre_id: int, last: int, limit: int) -> Sequence[int]:
    """Return the next places in the log after one."""
    query = sa.select(Submission.id).where(Submission.centre_id == centre_id, Submission.id > last)
    return session.scalars(query.order_by(Submission.id).limit(limit)).all()


def list_uncut(session: Session, centre_id: int, ids: Collection[int]) -> Sequence[Submission]:
    """Return those of these submissions from which nothing was cut, for changing them in this transaction."""
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.id.in_(ids), ~Submission.is_cut)
    return session.scalars(query.order_by(Submission.id).with_for_update()).all()


def of_many(session: Session, centre_id: int, root_ids: Collection[str]) -> Sequence[Submission]:
    """Return the submissions of those of these records that have several, oldest first."""
    ours = sa.and_(Submission.centre_id == centre_id, Submission.root_id.in_(root_ids))
    several = sa.select(Submission.root_id).where(ours).group_by(Submission.root_id).having(sa.func.count() > 1)
    query = sa.select(Submission).where(ours, Submission.root_id.in_(several))
    return session.scalars(query.order_by(Submission.root_id, Submission.id)).all()


def is_any_of(session: Session, centre_id: int, form: str) -> bool:
    """Say whether anything was ever sent for a form, also for one that the centre does not have."""
    query = sa.select(Submission.id).where(Submission.centre_id == centre_id, Submission.form == form)
    return session.scalars(query.limit(1)).one_or_none() is not None


def forms_not_taken_in(session: Session, centre_id: int) -> Sequence[str]:
    """Return the forms for which something was sent that was kept and not taken in."""
    query = sa.select(Submission.form).where(Submission.centre_id == centre_id, Submission.state.in_((*WAITING, "settled")))
    return session.scalars(query.distinct().order_by(Submission.form)).all()


def without_record(session: Session, centre_id: int, wanted: Filter) -> Sequence[Submission]:
    """Return what was sent for a form and is part of no record; none where an area is asked for, which it does not have."""
    if wanted.area:
        return []
    is_record = sa.exists().where(Record.centre_id == centre_id, Record.instance_id == Submission.root_id)
    query = sa.select(Submission).where(Submission.centre_id == centre_id, Submission.form == wanted.form, ~is_record)
    if wanted.author_id:
        query = query.where(Submission.author_id == wanted.author_id)
    if wanted.since:
        query = query.where(Submission.finished_at >= dt.datetime.combine(wanted.since, dt.time(), dt.UTC))
    if wanted.until:
        after = wanted.until + dt.timedelta(days=1)
        query = query.where(Submission.finished_at < dt.datetime.combine(after, dt.time(), dt.UTC))
    return session.scalars(query.order_by(Submission.root_id, Submission.id)).all()


def settle(session: Session, centre_id: int, root_id: str) -> None:
    """Take the submissions of a record off the list of those that somebody has to look at."""
    statement = sa.update(Submission).where(
        Submission.centre_id == centre_id, Submission.root_id == root_id, Submission.state.in_(REFUSED)
    )
    session.execute(statement.values(state="settled").execution_options(synchronize_session=False))
