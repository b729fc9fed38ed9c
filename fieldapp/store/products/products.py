"""The City's data products as they were last built: editions, what failed, who is told, partners."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from fieldapp.store.base import Base

PROBLEM_LENGTH = 500  # characters


class ProductState(Base):
    """Whether a centre has a product switched on, and what went wrong the last time. Nobody sees one that is off."""

    __tablename__ = "product_state"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    product: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    is_on: Mapped[bool] = mapped_column(default=False)
    tried_at: Mapped[dt.datetime | None]
    problem: Mapped[str] = mapped_column(sa.String(PROBLEM_LENGTH), default="")


class Edition(Base):
    """A product of one period. `number` goes up when its numbers were revised; the body is JSON without any exact count."""

    __tablename__ = "edition"
    __table_args__ = (sa.UniqueConstraint("centre_id", "product", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    product: Mapped[str] = mapped_column(sa.String(32))
    period: Mapped[str] = mapped_column(sa.String(12))
    last_day: Mapped[dt.date]
    number: Mapped[int] = mapped_column(default=1)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    body: Mapped[str] = mapped_column(sa.Text)
    built_at: Mapped[dt.datetime]


class EditionFile(Base):
    __tablename__ = "edition_file"

    edition_id: Mapped[int] = mapped_column(sa.ForeignKey("edition.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    data: Mapped[bytes]


class Subscription(Base):
    """An address that is told when a product has a new edition: a notice, never the numbers."""

    __tablename__ = "subscription"
    __table_args__ = (sa.UniqueConstraint("centre_id", "product", "address"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    product: Mapped[str] = mapped_column(sa.String(32))
    address: Mapped[str] = mapped_column(sa.String(254))
    told_of: Mapped[str] = mapped_column(sa.String(80), default="")  # the hash of the edition that it was told of
    created_at: Mapped[dt.datetime]


class PartnerSource(Base):
    """Totals that a partner organisation counted by its own calendar, as its file said them."""

    __tablename__ = "partner_source"
    __table_args__ = (sa.UniqueConstraint("centre_id", "name"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    name: Mapped[str] = mapped_column(sa.String(120))
    calendar: Mapped[str] = mapped_column(sa.String(120))
    figures: Mapped[list[Any]]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    brought_at: Mapped[dt.datetime]


class ProductWatch(Base):
    """Until when a centre's changed records were looked at for late ones."""

    __tablename__ = "product_watch"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    checked_at: Mapped[dt.datetime]


def states(session: Session, centre_id: int) -> dict[str, ProductState]:
    found = session.scalars(sa.select(ProductState).where(ProductState.centre_id == centre_id))
    return {state.product: state for state in found}


def state(session: Session, centre_id: int, product: str) -> ProductState:
    """Return a product's state, made on first use."""
    found = session.get(ProductState, (centre_id, product), with_for_update=True)
    if found is None:
        found = ProductState(centre_id=centre_id, product=product, is_on=False, problem="")
        session.add(found)
    return found


def is_on(session: Session, centre_id: int, product: str) -> bool:
    query = sa.select(ProductState.is_on).where(ProductState.centre_id == centre_id, ProductState.product == product)
    return bool(session.scalars(query).one_or_none())


def centres_with(session: Session, product: str) -> Sequence[int]:
    """Return the centres that have a product switched on."""
    query = sa.select(ProductState.centre_id).where(ProductState.product == product, ProductState.is_on)
    return session.scalars(query.order_by(ProductState.centre_id)).all()


def latest(session: Session, centre_id: int, product: str) -> Edition | None:
    query = sa.select(Edition).where(Edition.centre_id == centre_id, Edition.product == product)
    return session.scalars(query.order_by(Edition.last_day.desc()).limit(1)).first()


def find_latest_version(session: Session, centre_id: int, product: str) -> tuple[int, str] | None:
    """Return the id and hash of the newest edition, without its body."""
    query = sa.select(Edition.id, Edition.sha256).where(Edition.centre_id == centre_id, Edition.product == product)
    row = session.execute(query.order_by(Edition.last_day.desc()).limit(1)).first()
    return (row[0], row[1]) if row else None


def edition(session: Session, centre_id: int, product: str, period: str) -> Edition | None:
    query = sa.select(Edition).where(Edition.centre_id == centre_id, Edition.product == product, Edition.period == period)
    return session.scalars(query).one_or_none()


def periods_before(session: Session, centre_id: int, product: str, day: dt.date) -> dict[str, dt.date]:
    """Return the periods that a product has editions of and that end before a day, each with its last day."""
    query = sa.select(Edition.period, Edition.last_day).where(Edition.centre_id == centre_id, Edition.product == product)
    return {str(row.period): row.last_day for row in session.execute(query.where(Edition.last_day < day))}


def editions(session: Session, centre_id: int) -> Sequence[Edition]:
    """Return all editions, newest first, without their bodies."""
    query = sa.select(Edition).where(Edition.centre_id == centre_id).options(defer(Edition.body))
    return session.scalars(query.order_by(Edition.last_day.desc(), Edition.product)).all()


def put_files(session: Session, edition_id: int, files: dict[str, bytes]) -> None:
    session.execute(sa.delete(EditionFile).where(EditionFile.edition_id == edition_id))
    session.add_all(EditionFile(edition_id=edition_id, name=name, data=data) for name, data in files.items())


def file(session: Session, edition_id: int, name: str) -> bytes | None:
    found = session.get(EditionFile, (edition_id, name))
    return bytes(found.data) if found else None


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
    found = session.get(ProductWatch, centre_id)
    return found.checked_at if found else None


def save_check_time(session: Session, centre_id: int, at: dt.datetime) -> None:
    session.merge(ProductWatch(centre_id=centre_id, checked_at=at))
