"""Standing consent: the level that a person's words about consent give now.

This is the only place where a person's tier is read.

Each record with a card and an answer about consent leaves one word. A word holds until the person was asked again and
understood, later both by the phones' clocks and in the order of arrival. Of the words that hold, the lowest counts.
So a no is never outvoted by a yes from before, by a clock that is wrong, or by "asked before, still the same".
"""

import datetime as dt
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class ConsentWord(Base):
    """What one record says that a person said yes to, 0 to 3.

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
    person: Mapped[str] = mapped_column(sa.String(9))
    tier: Mapped[int]
    asked: Mapped[bool]  # the person was asked then, and understood: only such a word can raise what stands
    finished_at: Mapped[dt.datetime]  # by the phone's clock
    position: Mapped[int]  # of the submission in the centre's log: the order of arrival
    lowered_at: Mapped[dt.datetime | None]  # when it came and lowered what stood
    waits: Mapped[bool] = mapped_column(default=False)  # a shut-out phone sent it: it counts once it is let in


def of(session: Session, centre_id: int, persons: Collection[str] | None = None) -> dict[str, int]:
    """Return the standing tier by card code, for all people or for these codes.

    A person who is not in it was never asked: nothing about them may be released or counted.
    """
    if persons is not None and not persons:
        return {}
    asked_later = sa.func.max(sa.case((ConsentWord.asked, ConsentWord.finished_at))).over(
        partition_by=ConsentWord.person,
        order_by=(ConsentWord.position.desc(), ConsentWord.root_id),
        rows=(None, -1),
    )
    words = sa.select(ConsentWord.person, ConsentWord.tier, ConsentWord.finished_at, asked_later.label("asked_later"))
    words = words.where(ConsentWord.centre_id == centre_id, ConsentWord.person != "", ~ConsentWord.waits)
    if persons is not None:
        words = words.where(ConsentWord.person.in_(persons))
    word = words.subquery()
    holds = sa.or_(word.c.asked_later.is_(None), word.c.asked_later <= word.c.finished_at)
    query = sa.select(word.c.person, sa.func.min(word.c.tier)).where(holds).group_by(word.c.person)
    return {row[0]: row[1] for row in session.execute(query)}


def words(session: Session, centre_id: int, root_ids: Collection[str]) -> Sequence[ConsentWord]:
    """Return the words of these records, locked for changing."""
    query = sa.select(ConsentWord).where(ConsentWord.centre_id == centre_id, ConsentWord.root_id.in_(root_ids))
    return session.scalars(query.with_for_update()).all()


def of_people(session: Session, centre_id: int, persons: Collection[str]) -> Sequence[ConsentWord]:
    """Return the words about these people, for changing them in this transaction."""
    if not persons:
        return []
    query = sa.select(ConsentWord).where(ConsentWord.centre_id == centre_id, ConsentWord.person.in_(persons))
    return session.scalars(query.with_for_update()).all()


def lowered_since(session: Session, centre_id: int, since: dt.datetime) -> set[str]:
    """Return the card codes of people whose standing consent was lowered since a time."""
    query = sa.select(ConsentWord.person).where(ConsentWord.centre_id == centre_id, ConsentWord.lowered_at > since)
    return set(session.scalars(query.distinct()))


def waiting(session: Session, centre_id: int, positions: Collection[int]) -> Sequence[ConsentWord]:
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


def delete_all_of(session: Session, centre_id: int, person: str, root_ids: Collection[str]) -> None:
    """Delete every word about a person, and of records that are no more."""
    is_theirs = sa.or_(ConsentWord.person == person, ConsentWord.root_id.in_(root_ids))
    session.execute(sa.delete(ConsentWord).where(ConsentWord.centre_id == centre_id, is_theirs))


def list_persons(session: Session, centre_id: int) -> set[str]:
    """Return the card codes that anything was ever said about."""
    query = sa.select(ConsentWord.person).where(ConsentWord.centre_id == centre_id, ConsentWord.person != "")
    return set(session.scalars(query.distinct()))


def find_refusing_persons(session: Session, centre_id: int, positions: Collection[int]) -> dict[int, str]:
    """Return the card codes of people who said no, by the position of the submission."""
    query = sa.select(ConsentWord.position, ConsentWord.person).where(ConsentWord.centre_id == centre_id)
    query = query.where(ConsentWord.person != "", ~ConsentWord.asked)
    return {row[0]: row[1] for row in session.execute(query.where(ConsentWord.position.in_(positions)))}
