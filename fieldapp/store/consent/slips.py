"""Slips: which card each of them shows.

The slip itself is not in the database, only a keyed hash of it.
"""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.sealing import HiddenCode


class Slip(Base):
    """A slip that a phone made for the person with a card. A card may have several."""

    __tablename__ = "slip"
    __table_args__ = (
        sa.Index("ix_slip_centre_id_person", "centre_id", "person"),
        sa.Index("ix_slip_centre_id_root_id", "centre_id", "root_id"),
    )

    tag: Mapped[str] = mapped_column(sa.String(32), primary_key=True)  # sync/slips.tag_slip
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    person: Mapped[str] = mapped_column(HiddenCode)  # card code without dashes; "" once the card has ended
    root_id: Mapped[str] = mapped_column(
        sa.String(36), default=""
    )  # the record that it came with; "" once the card has ended
    withdrawal_id: Mapped[str] = mapped_column(sa.String(32), default="")  # "" until the card has ended
    made_month: Mapped[str] = mapped_column(sa.String(7))  # 2026-11
    # It shows nothing any more; or, without a person, not yet: its record is kept aside.
    is_lost: Mapped[bool] = mapped_column(default=False)


def find_slip(session: Session, tag: str) -> Slip | None:
    """Return the slip with a tag, of any centre; None when it is not known or void."""
    slip = session.get(Slip, tag, populate_existing=True)
    if slip is None or slip.is_lost:
        return None
    return slip


def list_slips(session: Session, centre_id: int, persons: Collection[str]) -> Sequence[Slip]:
    """Return the slips of the people with these cards, locked for changing."""
    query = sa.select(Slip).where(Slip.centre_id == centre_id, Slip.person.in_(persons))
    return session.scalars(query.order_by(Slip.tag).with_for_update()).all()


def delete_of_withdrawal(session: Session, centre_id: int, withdrawal_id: str) -> None:
    session.execute(sa.delete(Slip).where(Slip.centre_id == centre_id, Slip.withdrawal_id == withdrawal_id))


def untie_from_record(session: Session, centre_id: int, root_id: str) -> None:
    """Let the slips that came with a record no longer say so; they go on showing their card."""
    change = sa.update(Slip).where(Slip.centre_id == centre_id, Slip.root_id == root_id)
    session.execute(change.values(root_id=""))


def list_slips_of_record(session: Session, centre_id: int, root_id: str) -> Sequence[Slip]:
    """Return the slips that came with a record, locked for changing."""
    query = sa.select(Slip).where(Slip.centre_id == centre_id, Slip.root_id == root_id, Slip.person != "")
    return session.scalars(query.order_by(Slip.tag).with_for_update()).all()


def list_waiting_slips(session: Session, centre_id: int, root_id: str) -> Sequence[Slip]:
    """Return the slips of a record that was kept aside, locked for changing.

    They name no card yet.
    """
    query = sa.select(Slip).where(Slip.centre_id == centre_id, Slip.root_id == root_id, Slip.person == "")
    query = query.where(Slip.is_lost, Slip.withdrawal_id == "")
    return session.scalars(query.order_by(Slip.tag).with_for_update()).all()
