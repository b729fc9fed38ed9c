"""People who took everything back: tags of their cards, and what has happened since.

No code of a card and no number of a record is here: who reads these tables learns only that somebody ended.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.phones.devices import Device
from fieldapp.store.phones.pull import PullItem

AT_ONCE = 500
ENDED_KEY = "ended/"  # what phones are told of a card that ended begins with it; the code follows
ONE_RECORD = "record"  # how it is called where an administrator erased a single record


class EndedKind(StrEnum):
    """What a tag stands for; the values are stored."""

    CARD = "card"  # its key is not in the database: a card code has 40 bits, so it could be tried out
    RECORD = "record"
    ERASED = "erased"  # a record that an administrator erased: its card goes on
    UNLINKED = "unlinked"  # a card that was taken out of its records, long after the last contact
    INTAKE = "intake"  # card and day of an intake that was erased; its key is not in the database
    LATE = "late"  # a record of which something named such a card: it does not leave


LISTED = (EndedKind.CARD, EndedKind.RECORD, EndedKind.ERASED)  # what a line outside the database may be of


class Ended(Base):
    """The tag of a card or record that ended: what names it later is cut as it arrives."""

    __tablename__ = "ended"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    tag: Mapped[str] = mapped_column(sa.String(36), primary_key=True)


class Withdrawal(Base):
    """That somebody took everything back, and how far that has come. None: not yet."""

    __tablename__ = "withdrawal"
    __table_args__ = (sa.UniqueConstraint("centre_id", "person_tag"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)  # random
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    person_tag: Mapped[str] = mapped_column(sa.String(36))
    how: Mapped[str] = mapped_column(sa.String(6))  # form, slip, office, list, or ONE_RECORD
    reason: Mapped[str] = mapped_column(sa.String(200), default="")  # of the office
    asked_on: Mapped[dt.date]
    effective_at: Mapped[dt.datetime]  # nobody at the centre sees it from here on
    safe_at: Mapped[dt.datetime | None]  # a second place has it in its list, so no restored copy brings it back
    bytes_at: Mapped[dt.datetime | None]  # it is in no file of the database
    phones: Mapped[int] = mapped_column(default=0)  # that may have it
    phones_told: Mapped[int] = mapped_column(default=0)
    phones_at: Mapped[dt.datetime | None]  # all of them have dropped it
    listed_at: Mapped[dt.datetime | None]  # recipients of rows were told
    attested_at: Mapped[dt.datetime | None]  # they signed that they deleted them
    forgotten_on: Mapped[dt.date | None]  # no backup has it


class WithdrawalCount(Base):
    """How many people took everything back in a quarter, of whom nothing else is stored."""

    __tablename__ = "withdrawal_count"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    quarter: Mapped[str] = mapped_column(sa.String(7), primary_key=True)  # 2026-Q4
    people: Mapped[int]


class ToldWorker(Base):
    """What a worker's phones are told to forget, by its number among what they pull."""

    __tablename__ = "told_worker"
    __table_args__ = (sa.Index("ix_told_worker_user_id_seq", "user_id", "seq"),)

    withdrawal_id: Mapped[str] = mapped_column(sa.ForeignKey("withdrawal.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)


def is_any_ended(session: Session, centre_id: int) -> bool:
    query = sa.select(Ended.tag).where(Ended.centre_id == centre_id).limit(1)
    return session.connection().execute(query).first() is not None


def find_ended(session: Session, centre_id: int, kind: EndedKind, tags: Collection[str]) -> set[str]:
    """Return those of these tags that stand for something that ended."""
    ended: set[str] = set()
    sorted_tags = sorted(tags)
    for start in range(0, len(sorted_tags), AT_ONCE):
        query = sa.select(Ended.tag).where(Ended.centre_id == centre_id, Ended.kind == str(kind))
        ended.update(session.scalars(query.where(Ended.tag.in_(sorted_tags[start : start + AT_ONCE]))))
    return ended


def add_ended(session: Session, centre_id: int, kind: EndedKind, tags: Collection[str]) -> None:
    for tag in sorted(set(tags) - find_ended(session, centre_id, kind, tags)):
        session.add(Ended(centre_id=centre_id, kind=str(kind), tag=tag))
    session.flush()


def find_withdrawal(session: Session, centre_id: int, withdrawal_id: str) -> Withdrawal | None:
    query = sa.select(Withdrawal).where(Withdrawal.centre_id == centre_id, Withdrawal.id == withdrawal_id)
    return session.scalars(query).one_or_none()


def list_withdrawals(session: Session, centre_id: int) -> Sequence[Withdrawal]:
    return session.scalars(sa.select(Withdrawal).where(Withdrawal.centre_id == centre_id)).all()


def list_effective(session: Session, centre_id: int, first: dt.datetime, before: dt.datetime) -> Sequence[str]:
    """Return the ids of people's withdrawals from one moment on, before another.

    Not of single records that an administrator erased: there, nobody took everything back.
    """
    query = sa.select(Withdrawal.id).where(Withdrawal.centre_id == centre_id, Withdrawal.how != ONE_RECORD)
    return session.scalars(query.where(Withdrawal.effective_at >= first, Withdrawal.effective_at < before)).all()


def find_of_card(session: Session, centre_id: int, person_tag: str) -> Withdrawal | None:
    query = sa.select(Withdrawal).where(Withdrawal.centre_id == centre_id, Withdrawal.person_tag == person_tag)
    return session.scalars(query).one_or_none()


def list_finished(session: Session, centre_id: int, before: dt.datetime) -> Sequence[Withdrawal]:
    """Return withdrawals from before a time with no step left to this server, locked."""
    query = sa.select(Withdrawal).where(Withdrawal.centre_id == centre_id, Withdrawal.effective_at < before)
    query = query.where(Withdrawal.bytes_at.is_not(None), Withdrawal.phones_at.is_not(None))
    query = query.where(Withdrawal.bytes_at >= Withdrawal.phones_at, Withdrawal.forgotten_on.is_not(None))
    return session.scalars(query.order_by(Withdrawal.id).with_for_update()).all()


def count_person(session: Session, centre_id: int, quarter: str) -> None:
    """Count one more person who took everything back in a quarter."""
    row = session.get(WithdrawalCount, (centre_id, quarter))
    if row is None:
        row = WithdrawalCount(centre_id=centre_id, quarter=quarter, people=0)
        session.add(row)
    row.people += 1


def list_counts(session: Session, centre_id: int) -> dict[str, int]:
    """Return how many people took everything back of whom nothing else is stored, by quarter."""
    query = sa.select(WithdrawalCount).where(WithdrawalCount.centre_id == centre_id)
    return {row.quarter: row.people for row in session.scalars(query)}


def list_unfinished(session: Session, centre_id: int) -> Sequence[str]:
    """Return the ids of the withdrawals of which a step by this server is left, oldest first."""
    unfinished = sa.or_(
        Withdrawal.safe_at.is_(None),
        Withdrawal.bytes_at.is_(None),
        Withdrawal.bytes_at < Withdrawal.phones_at,
        Withdrawal.phones_at.is_(None),
        Withdrawal.forgotten_on.is_(None),
    )
    query = sa.select(Withdrawal.id).where(Withdrawal.centre_id == centre_id, unfinished)
    return session.scalars(query.order_by(Withdrawal.effective_at, Withdrawal.id)).all()


def note_told(session: Session, withdrawal_id: str, keys: Collection[str], user_ids: Collection[int]) -> None:
    """Note what these workers' phones are told to forget under these keys."""
    query = sa.select(PullItem.user_id, PullItem.seq).where(PullItem.user_id.in_(user_ids), _is_told_to_forget())
    sorted_keys = sorted(keys)
    for start in range(0, len(sorted_keys), AT_ONCE):
        for user_id, seq in session.execute(query.where(PullItem.key.in_(sorted_keys[start : start + AT_ONCE]))).all():
            session.add(ToldWorker(withdrawal_id=withdrawal_id, user_id=user_id, seq=seq))
    session.flush()


def has_news(session: Session, user_id: int, after: int, until: int) -> bool:
    """Say whether a worker is told to forget something between two numbers.

    After `after`, and until `until`.
    """
    query = sa.select(ToldWorker.seq).where(ToldWorker.user_id == user_id, ToldWorker.seq > after, ToldWorker.seq <= until)
    return session.execute(query.limit(1)).first() is not None


def count_phones(session: Session, withdrawal_id: str) -> tuple[int, int]:
    """Return how many phones may have it, and how many of them have dropped it.

    A phone whose access ended cannot ask any more, so it is not waited for; nor is ODK Collect, which pulls nothing.
    """
    last = sa.select(ToldWorker.user_id, sa.func.max(ToldWorker.seq).label("last"))
    numbers = last.where(ToldWorker.withdrawal_id == withdrawal_id).group_by(ToldWorker.user_id).subquery()
    has_dropped = sa.case((Device.pulled >= numbers.c.last, 1), else_=0)
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(has_dropped), 0)).select_from(Device)
    query = query.join(numbers, numbers.c.user_id == Device.user_id)
    count, dropped = session.execute(query.where(Device.revoked_at.is_(None), Device.kind == "app")).one()
    return count, dropped


def _is_told_to_forget() -> sa.ColumnElement[bool]:
    return sa.or_(PullItem.body == "", PullItem.key.startswith(ENDED_KEY))


def drop_told(session: Session, withdrawal_id: str) -> None:
    """Delete what phones were told to forget: each key names a card or a record."""
    numbers = sa.select(ToldWorker.user_id, ToldWorker.seq).where(ToldWorker.withdrawal_id == withdrawal_id)
    for user_id, seq in session.execute(numbers).all():
        is_it = sa.and_(PullItem.user_id == user_id, PullItem.seq == seq, _is_told_to_forget())
        session.execute(sa.delete(PullItem).where(is_it))
    session.execute(sa.delete(ToldWorker).where(ToldWorker.withdrawal_id == withdrawal_id))


def set_pulled(session: Session, device_id: int, number: int) -> None:
    """Save up to which number a phone has pulled."""
    session.execute(sa.update(Device).where(Device.id == device_id, Device.pulled < number).values(pulled=number))


def reopen_bytes(session: Session, centre_id: int) -> None:
    """Note that something of an end was erased again, so it may lie in the files once more."""
    session.execute(sa.update(Withdrawal).where(Withdrawal.centre_id == centre_id).values(bytes_at=None))
