"""Standing consent: the level that a person's statements about consent give now.

Each record with a card and an answer about consent leaves one statement (a word), and so do the slip and the office.
What holds of a person's words is computed by `sync/consent.py` and kept in the table `standing`, by one function here.
This is the only place where a person's tier is read.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base, Json
from fieldapp.store.consent.withdrawals import Withdrawal
from fieldapp.store.dialects import make_insert
from fieldapp.store.operations import centres
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from fieldapp.store.sealing import HiddenCode
from sync.consent import END, LOWEST, StandingConsent, Statement, fold_statements

MANY = 500  # people read at once
LATE = "late"  # how something was said whose record was gone when it came: it can only allow less
NAMES = ("tier", "since", "heads", "is_in_doubt", "wording", "person")


class ConsentWord(Base):
    """What one record, or a slip or the office, says that a person said yes to: -1 to 3.

    It stays when answers are cut from the record.
    """

    __tablename__ = "consent_word"
    __table_args__ = (
        sa.Index("ix_consent_word_centre_id_person", "centre_id", "person", "position"),
        sa.Index("ix_consent_word_centre_id_lowered_at", "centre_id", "lowered_at"),
    )

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    root_id: Mapped[str] = mapped_column(sa.String(36), primary_key=True)  # the record
    # Card code without dashes; "": some record may leave less than before, and the number is not that record's.
    person: Mapped[str] = mapped_column(HiddenCode)
    tier: Mapped[int]
    asked: Mapped[bool]  # the person was asked then, and understood: only such a word can raise what stands
    finished_at: Mapped[dt.datetime]  # by the phone's clock
    position: Mapped[int]  # the id of the submission: the order of arrival; 0 without one
    lowered_at: Mapped[dt.datetime | None]  # when it came and lowered what stood
    waits: Mapped[bool] = mapped_column(default=False)  # a shut-out phone sent it: it counts once it is let in
    # What others name when they know of it. A record that is corrected to less gets another: nobody knew of that.
    statement_id: Mapped[str] = mapped_column(sa.String(36))
    knew: Mapped[list[Any]]  # statement ids that its writer knew of
    wording: Mapped[str] = mapped_column(sa.String(16), default="")  # of the text that was read out
    language: Mapped[str] = mapped_column(sa.String(35), default="")
    how: Mapped[str] = mapped_column(sa.String(6), default="")  # form, slip, office or late; "" before that was noted


# Literal SQL, as the partial index has it.
IS_ABOVE = sa.text("above_since IS NOT NULL")
IS_NOT_ABOVE = sa.text("above_since IS NULL")
NOTHING_SAID: Mapping[str, int] = {}
NOTHING_HEARD: frozenset[str] = frozenset()
WORD_COLUMNS = tuple(ConsentWord.__table__.columns.keys())
INSERT_WORD = sa.insert(ConsentWord)


class StandingRow(Base):
    """What a person's words give now; written by `update_standings` alone."""

    __tablename__ = "standing"
    __table_args__ = (
        sa.Index("ix_standing_above_since", "centre_id", "person", sqlite_where=IS_ABOVE, postgresql_where=IS_ABOVE),
    )

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    person: Mapped[str] = mapped_column(HiddenCode, primary_key=True)
    tier: Mapped[int]
    since: Mapped[dt.date]  # the first of the month in which it was said
    heads: Mapped[list[Any]]  # statement ids, the lowest first
    is_in_doubt: Mapped[bool]
    wording: Mapped[str] = mapped_column(sa.String(16))
    moved_at: Mapped[dt.datetime]  # when any of it changed
    # Since when answers may be stored that need more than the tier; None once they were cut.
    above_since: Mapped[dt.datetime | None]
    is_in_log: Mapped[bool] = mapped_column(default=False)  # bytes of what was cut may still lie in SQLite's log


# Made once, and without the mapped classes: each message asks, and making a statement costs as much as running it.
_WORDS = ConsentWord.__table__.c
_STANDINGS = StandingRow.__table__.c
_PERSONS: sa.BindParameter[Any] = sa.bindparam("persons", expanding=True)
# NULL for an empty list: most words know of nothing, and to read JSON costs more than to read the row.
_KNEW = sa.func.nullif(_WORDS.knew, sa.literal([], Json), type_=Json)
SELECT_WORDS = sa.select(
    _WORDS.person,
    _WORDS.statement_id,
    _WORDS.tier,
    _WORDS.asked,
    _KNEW,
    _WORDS.finished_at,
    _WORDS.wording,
    _WORDS.how,
).where(_WORDS.centre_id == sa.bindparam("centre_id"), _WORDS.person.in_(_PERSONS), ~_WORDS.waits)
SELECT_STANDINGS = sa.select(*[_STANDINGS[name] for name in NAMES]).where(
    _STANDINGS.centre_id == sa.bindparam("centre_id"), _STANDINGS.person.in_(_PERSONS)
)
UPSERTS: dict[str, Any] = {}  # by dialect


@dataclass(frozen=True)
class PersonStanding(StandingConsent):
    """What holds for the person with a card."""

    person: str


@dataclass(frozen=True)
class StandingChange:
    """That what stands for a person changed."""

    before: int  # the tier; LOWEST for somebody who never said anything
    after: int

    @property
    def is_fall(self) -> bool:
        return self.after < self.before


@dataclass(frozen=True)
class StandingUpdate:
    """What stands for some people now, and for whom that changed."""

    changes: Mapping[str, StandingChange]  # by person
    standings: Mapping[str, PersonStanding]  # by person; nobody who never said anything


def update_standings(
    session: Session, centre_id: int, persons: Collection[str], at: dt.datetime, arrived: Mapping[str, int] = NOTHING_SAID
) -> StandingUpdate:
    """Bring what stands up to date with these people's words; return it, and what changed.

    To be called in every transaction that changes their words, after the change. `arrived`: the highest tier of what
    arrived just now, by person; where less stands, what arrived may have to be cut.
    """
    asked = set(persons) - {""}
    changes: dict[str, StandingChange] = {}
    standings: dict[str, PersonStanding] = {}
    if not asked:
        return StandingUpdate(changes, standings)
    session.flush()
    centres.lock_words(session, centre_id)
    folded = _fold_words(session, centre_id, asked)
    stood = {standing.person: standing for standing in list_standings(session, centre_id, asked)}
    rows: list[dict[str, Any]] = []
    for person in sorted(folded):
        consent = folded[person]
        before = stood.get(person)
        standings[person] = PersonStanding(**vars(consent), person=person)
        if before != standings[person]:
            rows.append({"centre_id": centre_id, "person": person, "moved_at": at, **vars(consent)})
            changes[person] = StandingChange(LOWEST if before is None else before.tier, consent.tier)
    gone = stood.keys() - folded.keys()
    for person in gone:
        changes[person] = StandingChange(stood[person].tier, LOWEST)
    _upsert_standings(session, rows)
    if gone:
        of_gone = sa.and_(StandingRow.centre_id == centre_id, StandingRow.person.in_(gone))
        session.connection().execute(sa.delete(StandingRow).where(of_gone))
    fallen = {person for person, change in changes.items() if change.is_fall}
    above = {person for person, consent in folded.items() if person in fallen or arrived.get(person, END) > consent.tier}
    mark_above(session, centre_id, above, at)
    return StandingUpdate(changes, standings)


def mark_above(session: Session, centre_id: int, persons: Collection[str], at: dt.datetime) -> None:
    """Note that what is stored about these people may reach further than what stands."""
    if persons:
        ours = sa.and_(StandingRow.centre_id == centre_id, StandingRow.person.in_(persons), IS_NOT_ABOVE)
        session.connection().execute(sa.update(StandingRow).where(ours).values(above_since=at))


def list_above(session: Session, centre_id: int, doubted_before: dt.datetime) -> list[str]:
    """Return whose answers may be stored though they need more than stands: card codes.

    While two answers differ, only of those of whom they did so before a time.
    """
    is_settled = sa.or_(~StandingRow.is_in_doubt, StandingRow.above_since <= doubted_before)
    query = sa.select(StandingRow.person).where(StandingRow.centre_id == centre_id, IS_ABOVE, is_settled)
    return list(session.scalars(query.order_by(StandingRow.person)))


def lock_above(session: Session, centre_id: int, person: str, doubted_before: dt.datetime) -> StandingRow | None:
    """Return what stands for one of those people, locked for changing.

    None for anybody else.
    """
    is_settled = sa.or_(~StandingRow.is_in_doubt, StandingRow.above_since <= doubted_before)
    query = sa.select(StandingRow).where(StandingRow.centre_id == centre_id, StandingRow.person == person)
    query = query.where(IS_ABOVE, is_settled).with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def list_in_log(session: Session) -> list[tuple[int, str]]:
    """Return centre and card code of people who may still be in SQLite's log."""
    query = sa.select(StandingRow.centre_id, StandingRow.person).where(StandingRow.is_in_log)
    return [(row[0], row[1]) for row in session.execute(query)]


def note_log_emptied(session: Session, centre_id: int, persons: Collection[str]) -> None:
    ours = sa.and_(StandingRow.centre_id == centre_id, StandingRow.person.in_(persons))
    session.execute(sa.update(StandingRow).where(ours).values(is_in_log=False))


def _upsert_standings(session: Session, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    if dialect not in UPSERTS:
        statement = make_insert(session, StandingRow)
        update = {name: statement.excluded[name] for name in rows[0] if name not in ("centre_id", "person")}
        UPSERTS[dialect] = statement.on_conflict_do_update(index_elements=["centre_id", "person"], set_=update)
    session.connection().execute(UPSERTS[dialect], rows)


def _fold_words(session: Session, centre_id: int, persons: Collection[str]) -> Mapping[str, StandingConsent]:
    """Return what the words of these people give, by person."""
    parameters = {"centre_id": centre_id, "persons": list(persons)}
    by_person: dict[str, list[Statement]] = {}
    with_record: set[str] = set()  # people of whom more is known than what came late
    for row in session.connection().execute(SELECT_WORDS, parameters):
        person, number, tier, is_asked, knew, finished_at, wording, how = row
        if how != LATE:
            with_record.add(person)
        month = finished_at.date().replace(day=1)
        heard = frozenset(knew) if knew else NOTHING_HEARD
        by_person.setdefault(person, []).append(Statement(number, tier, is_asked, heard, month, wording))
    folded = {}
    for person, statements in by_person.items():
        consent = fold_statements(statements)
        if consent is not None and (person in with_record or consent.tier <= LOWEST):
            folded[person] = consent
    return folded


def list_tiers(session: Session, centre_id: int, persons: Collection[str] | None = None) -> dict[str, int]:
    """Return the standing tier by card code, for all people or for these codes.

    A person who is not in it was never asked: nothing about them may be released or counted.
    """
    query = sa.select(StandingRow.person, StandingRow.tier).where(StandingRow.centre_id == centre_id)
    if persons is not None:
        if not persons:
            return {}
        query = query.where(StandingRow.person.in_(persons))
    return {row.person: row.tier for row in session.execute(query)}


def find_standing(session: Session, centre_id: int, person: str) -> PersonStanding | None:
    """Return what stands for a person; None for one who never said anything."""
    return next(iter(list_standings(session, centre_id, [person])), None)


def has_said_since(centre_id: int, person: sa.ColumnElement[str], since: dt.datetime) -> sa.Exists:
    """Return the condition that a person said anything about consent since a time."""
    return sa.exists().where(
        ConsentWord.centre_id == centre_id, ConsentWord.person == person, ConsentWord.finished_at >= since
    )


def list_words_said(session: Session, centre_id: int, person: str) -> Sequence[ConsentWord]:
    """Return the words of a person that count, by the phones' clocks; for display only."""
    query = sa.select(ConsentWord).where(ConsentWord.centre_id == centre_id, ConsentWord.person == person)
    return session.scalars(query.where(~ConsentWord.waits).order_by(ConsentWord.finished_at, ConsentWord.statement_id)).all()


def find_first_received(session: Session, centre_id: int, person: str) -> dt.datetime | None:
    """Return when the centre received the first of what it has of a person.

    None where that is not known.
    """
    of_records = sa.select(sa.func.min(Record.received_at)).where(Record.centre_id == centre_id, Record.person == person)
    positions = sa.select(ConsentWord.position).where(ConsentWord.centre_id == centre_id, ConsentWord.person == person)
    of_words = sa.select(sa.func.min(Submission.received_at)).where(Submission.centre_id == centre_id)
    of_words = of_words.where(Submission.id.in_(positions))
    moments = [session.scalars(query).one() for query in (of_records, of_words)]
    return min((moment for moment in moments if moment is not None), default=None)


def find_highest_tier(session: Session, centre_id: int, person: str) -> int:
    """Return the most that a person ever agreed to, also what was taken back; END for nothing."""
    query = sa.select(sa.func.max(ConsentWord.tier)).where(ConsentWord.centre_id == centre_id, ConsentWord.person == person)
    highest = session.scalars(query.where(~ConsentWord.waits)).one()
    return END if highest is None else highest


def list_standings(session: Session, centre_id: int, persons: Collection[str]) -> Sequence[PersonStanding]:
    """Return what stands for these people, of those who ever said anything."""
    if not persons:
        return []
    parameters = {"centre_id": centre_id, "persons": list(persons)}
    standings = []
    for tier, since, heads, is_in_doubt, wording, person in session.connection().execute(SELECT_STANDINGS, parameters):
        standings.append(PersonStanding(tier, since, tuple(heads), is_in_doubt, wording, person))
    return standings


def list_people_after(session: Session, centre_id: int, last: str) -> list[str]:
    """Return the next card codes, in their order, of people who ever said anything."""
    query = sa.select(StandingRow.person).where(StandingRow.centre_id == centre_id, StandingRow.person > last)
    return list(session.scalars(query.order_by(StandingRow.person).limit(MANY)))


def list_words(session: Session, centre_id: int, root_ids: Collection[str]) -> Sequence[ConsentWord]:
    """Return the words of these records, locked for changing."""
    query = sa.select(ConsentWord).where(ConsentWord.centre_id == centre_id, ConsentWord.root_id.in_(root_ids))
    return session.scalars(query.with_for_update()).all()


def add_words(session: Session, words: Sequence[ConsentWord]) -> None:
    """Insert words that are not in the session, all with one statement.

    Each message brings some: as objects of the session, they cost more than all else that is done for them.
    """
    if words:
        session.connection().execute(INSERT_WORD, list(map(_read_columns, words)))


def _read_columns(word: ConsentWord) -> dict[str, Any]:
    return {name: getattr(word, name) for name in WORD_COLUMNS}


def mark_lowered(session: Session, centre_id: int, root_ids: Collection[str], at: dt.datetime) -> None:
    """Write on words when they came and lowered what stood."""
    of_words = sa.update(ConsentWord).where(ConsentWord.centre_id == centre_id, ConsentWord.root_id.in_(root_ids))
    session.execute(of_words.values(lowered_at=at))


def list_words_of_people(session: Session, centre_id: int, persons: Collection[str]) -> Sequence[ConsentWord]:
    """Return the words about these people, for changing them in this transaction."""
    if not persons:
        return []
    query = sa.select(ConsentWord).where(ConsentWord.centre_id == centre_id, ConsentWord.person.in_(persons))
    return session.scalars(query.with_for_update()).all()


def list_lowered_since(session: Session, centre_id: int, since: dt.datetime) -> set[str]:
    """Return the card codes of people whose standing consent was lowered since a time."""
    query = sa.select(ConsentWord.person).where(ConsentWord.centre_id == centre_id, ConsentWord.lowered_at > since)
    return set(session.scalars(query.where(ConsentWord.person != "").distinct()))


def has_fallen_since(session: Session, centre_id: int, since: dt.datetime) -> bool:
    """Say whether anybody, or any record, allows less than at a time.

    Of who took everything back only the end is left.
    """
    fall = sa.select(ConsentWord.root_id).where(ConsentWord.centre_id == centre_id, ConsentWord.lowered_at > since)
    end = sa.select(Withdrawal.id).where(Withdrawal.centre_id == centre_id, Withdrawal.effective_at > since)
    return any(session.execute(query.limit(1)).first() is not None for query in (fall, end))


def list_lowering_words(session: Session, centre_id: int, since: dt.datetime) -> Sequence[ConsentWord]:
    """Return the words that lowered what stood for a person since a time."""
    query = sa.select(ConsentWord).where(ConsentWord.centre_id == centre_id, ConsentWord.lowered_at > since)
    return session.scalars(query.where(ConsentWord.person != "", ~ConsentWord.waits)).all()


def find_word(session: Session, centre_id: int, person: str, ids: Collection[str]) -> ConsentWord | None:
    """Return the word of one of these records, or of a person with one of these statements.

    The lowest of several. A card that got another code has another person, and an erased record another id.
    """
    has_statement = sa.and_(ConsentWord.person == person, ConsentWord.statement_id.in_(ids))
    query = sa.select(ConsentWord).where(ConsentWord.centre_id == centre_id, ~ConsentWord.waits)
    query = query.where(sa.or_(ConsentWord.root_id.in_(ids), has_statement))
    return session.scalars(query.order_by(ConsentWord.tier).limit(1)).first()


def list_waiting_words(session: Session, centre_id: int, positions: Collection[int]) -> Sequence[ConsentWord]:
    """Return the words at these positions in the log that wait to be accepted, locked."""
    query = sa.select(ConsentWord).where(ConsentWord.centre_id == centre_id, ConsentWord.waits)
    asked = set(positions)
    return [word for word in session.scalars(query.with_for_update()) if word.position in asked]


def list_falls(session: Session, centre_id: int) -> dict[tuple[str, dt.datetime | None], str]:
    """Return each fall of consent so far: (record id of its word, time) → card code.

    "" where some record fell by itself.
    """
    query = sa.select(ConsentWord.root_id, ConsentWord.lowered_at, ConsentWord.person)
    is_fall = sa.or_(ConsentWord.person == "", ConsentWord.lowered_at.is_not(None))
    rows = session.execute(query.where(ConsentWord.centre_id == centre_id, is_fall))
    return {(root_id, lowered_at): person for root_id, lowered_at, person in rows}


def delete_all_of(session: Session, centre_id: int, person: str, tags: Mapping[str, str]) -> None:
    """Delete every word about a person; let words of their records about others be of tags.

    `tags`: what stands for each of the records. What somebody else said goes on counting, or more could stand.
    """
    for word in list_words_of_people(session, centre_id, [person]):
        session.delete(word)
    for word in list_words(session, centre_id, tags):
        if word.person != person:
            word.root_id = tags[word.root_id]
    session.flush()


def replace_records(session: Session, centre_id: int, tags: Mapping[str, str]) -> None:
    """Let what was said in these records be of tags, so that it goes on counting."""
    for word in list_words(session, centre_id, tags):
        word.root_id = tags[word.root_id]
    session.flush()


def list_persons(session: Session, centre_id: int) -> set[str]:
    """Return the card codes that anything was ever said about."""
    query = sa.select(ConsentWord.person).where(ConsentWord.centre_id == centre_id, ConsentWord.person != "")
    return set(session.scalars(query.distinct()))


def find_refusing_persons(session: Session, centre_id: int, positions: Collection[int]) -> dict[int, str]:
    """Return the card codes of people who said no, by the position of the submission."""
    query = sa.select(ConsentWord.position, ConsentWord.person).where(ConsentWord.centre_id == centre_id)
    query = query.where(ConsentWord.person != "", ~ConsentWord.asked)
    return {row[0]: row[1] for row in session.execute(query.where(ConsentWord.position.in_(positions)))}
