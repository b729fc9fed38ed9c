"""Data products as last built: editions, failures, subscribers, partners' totals."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from fieldapp.store.base import Base

PROBLEM_LENGTH = 500  # characters


class ProductState(Base):
    """Whether a centre has a product switched on, and what went wrong the last time.

    Nobody sees a product that is off.
    """

    __tablename__ = "product_state"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    product: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    is_on: Mapped[bool] = mapped_column(default=False)
    tried_at: Mapped[dt.datetime | None]
    problem: Mapped[str] = mapped_column(sa.String(PROBLEM_LENGTH), default="")


BEGINNING = 1000  # characters of a body in which its format is named


class Edition(Base):
    """A product of one period.

    `number` goes up when its numbers are revised. The body is JSON without any exact count.
    """

    __tablename__ = "edition"
    __table_args__ = (sa.UniqueConstraint("centre_id", "product", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    product: Mapped[str] = mapped_column(sa.String(32))
    period: Mapped[str] = mapped_column(sa.String(12))
    last_day: Mapped[dt.date]
    number: Mapped[int] = mapped_column(default=1)
    # Two builds with the same numbers have the same hash, so nobody is told of an edition in which
    # nothing is new.
    sha256: Mapped[str] = mapped_column(sa.String(64))
    body: Mapped[str] = mapped_column(sa.Text)
    built_at: Mapped[dt.datetime]


class EditionFile(Base):
    __tablename__ = "edition_file"

    edition_id: Mapped[int] = mapped_column(sa.ForeignKey("edition.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    data: Mapped[bytes]


class Subscription(Base):
    """An address that gets a notice, never the numbers, when a product has a new edition."""

    __tablename__ = "subscription"
    # A number that was deleted is never given out again: a page that was open before would end
    # somebody else's notices.
    __table_args__ = (sa.UniqueConstraint("centre_id", "product", "address"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    product: Mapped[str] = mapped_column(sa.String(32))
    address: Mapped[str] = mapped_column(sa.String(254))
    # Of the edition that it was notified of last.
    last_notified_hash: Mapped[str] = mapped_column("told_of", sa.String(80), default="")
    created_at: Mapped[dt.datetime]


class PartnerSource(Base):
    """Totals that a partner organization counted by its own calendar, as its file has them."""

    __tablename__ = "partner_source"
    __table_args__ = (sa.UniqueConstraint("centre_id", "name"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    name: Mapped[str] = mapped_column(sa.String(120))
    calendar: Mapped[str] = mapped_column(sa.String(120))
    # As the file has them, with its hidden cells.
    figures: Mapped[list[Any]]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    brought_at: Mapped[dt.datetime]


class ProductWatch(Base):
    """Until when a centre's changed records were checked for late ones."""

    __tablename__ = "product_watch"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    checked_at: Mapped[dt.datetime]


def states(session: Session, centre_id: int) -> dict[str, ProductState]:
    """Return a centre's product states, by product; none for one that was never on."""
    query = sa.select(ProductState).where(ProductState.centre_id == centre_id)
    return {state.product: state for state in session.scalars(query)}


def state(session: Session, centre_id: int, product: str) -> ProductState:
    """Return a product's state, locked; it is created on first use."""
    # Locked, since the timetable and somebody in the office may build or switch the same product at
    # once.
    state = session.get(ProductState, (centre_id, product), with_for_update=True)
    if state is None:
        state = ProductState(centre_id=centre_id, product=product, is_on=False, problem="")
        session.add(state)
    return state


def is_on(session: Session, centre_id: int, product: str) -> bool:
    # Unlike state() it makes no row for a product that nobody ever switched on: it is asked for by
    # pages that only read.
    query = sa.select(ProductState.is_on).where(ProductState.centre_id == centre_id, ProductState.product == product)
    return bool(session.scalars(query).one_or_none())


def centres_with(session: Session, product: str) -> Sequence[int]:
    """Return the centres that have a product switched on."""
    query = sa.select(ProductState.centre_id).where(ProductState.product == product, ProductState.is_on)
    return session.scalars(query.order_by(ProductState.centre_id)).all()


def latest(session: Session, centre_id: int, product: str) -> Edition | None:
    # By the last day of the period and not by when it was built: an old period may be revised at
    # any time.
    query = sa.select(Edition).where(Edition.centre_id == centre_id, Edition.product == product)
    return session.scalars(query.order_by(Edition.last_day.desc()).limit(1)).first()


def find_latest_version(session: Session, centre_id: int, product: str) -> tuple[int, str] | None:
    """Return the id and hash of the newest edition, without its body."""
    query = sa.select(Edition.id, Edition.sha256).where(Edition.centre_id == centre_id, Edition.product == product)
    row = session.execute(query.order_by(Edition.last_day.desc()).limit(1)).first()
    if row is None:
        return None
    return row[0], row[1]


def list_editions_with(session: Session, centre_id: int, product: str, mark: str) -> Sequence[Edition]:
    """Return the editions of a product in whose beginning a mark is, newest first.

    Without their bodies.
    """
    query = sa.select(Edition).where(Edition.centre_id == centre_id, Edition.product == product).options(defer(Edition.body))
    has_mark = sa.func.substr(Edition.body, 1, BEGINNING).contains(mark, autoescape=True)
    return session.scalars(query.where(has_mark).order_by(Edition.last_day.desc())).all()


def edition(session: Session, centre_id: int, product: str, period: str) -> Edition | None:
    query = sa.select(Edition).where(Edition.centre_id == centre_id, Edition.product == product, Edition.period == period)
    return session.scalars(query).one_or_none()


def periods_before(session: Session, centre_id: int, product: str, day: dt.date) -> dict[str, dt.date]:
    """Return the periods of a product's editions that end before a day, with their last days."""
    query = sa.select(Edition.period, Edition.last_day).where(Edition.centre_id == centre_id, Edition.product == product)
    return {str(row.period): row.last_day for row in session.execute(query.where(Edition.last_day < day))}


def editions(session: Session, centre_id: int) -> Sequence[Edition]:
    """Return all editions, newest first, without their bodies."""
    # Bodies are long, and a list shows none of them.
    query = sa.select(Edition).where(Edition.centre_id == centre_id).options(defer(Edition.body))
    return session.scalars(query.order_by(Edition.last_day.desc(), Edition.product)).all()


def put_files(session: Session, edition_id: int, files: dict[str, bytes]) -> None:
    # All at once: an edition that is built again may have fewer files.
    session.execute(sa.delete(EditionFile).where(EditionFile.edition_id == edition_id))
    session.add_all(EditionFile(edition_id=edition_id, name=name, data=data) for name, data in files.items())


def file(session: Session, edition_id: int, name: str) -> bytes | None:
    """Return the content of an edition's file; None when it has no such file."""
    row = session.get(EditionFile, (edition_id, name))
    return bytes(row.data) if row else None


def subscriptions(session: Session, centre_id: int) -> Sequence[Subscription]:
    query = sa.select(Subscription).where(Subscription.centre_id == centre_id)
    return session.scalars(query.order_by(Subscription.product, Subscription.address)).all()


def partners(session: Session, centre_id: int) -> Sequence[PartnerSource]:
    query = sa.select(PartnerSource).where(PartnerSource.centre_id == centre_id)
    return session.scalars(query.order_by(PartnerSource.name)).all()


def partner(session: Session, centre_id: int, name: str) -> PartnerSource | None:
    query = sa.select(PartnerSource).where(PartnerSource.centre_id == centre_id, PartnerSource.name == name)
    return session.scalars(query).one_or_none()


def checked_at(session: Session, centre_id: int) -> dt.datetime | None:
    """Return when a centre's changed records were checked last; None for never."""
    watch = session.get(ProductWatch, centre_id)
    return watch.checked_at if watch else None


def save_check_time(session: Session, centre_id: int, at: dt.datetime) -> None:
    session.merge(ProductWatch(centre_id=centre_id, checked_at=at))
