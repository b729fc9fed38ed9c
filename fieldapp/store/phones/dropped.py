"""What phones are told to forget by a rule.

It is deleted as well once all of them have forgotten it, since its key names a card.
"""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.phones.devices import Device
from fieldapp.store.phones.pull import PullItem


class DroppedItem(Base):
    """A number among what a worker's phones pull: there they are told to forget something."""

    __tablename__ = "dropped_item"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)


def note_dropped(session: Session, user_ids: Collection[int], keys: Collection[str]) -> None:
    """Note what these workers' phones are told to forget under these keys."""
    query = sa.select(PullItem.user_id, PullItem.seq).where(PullItem.user_id.in_(user_ids), PullItem.body == "")
    for user_id, seq in session.execute(query.where(PullItem.key.in_(keys))).all():
        session.merge(DroppedItem(user_id=user_id, seq=seq))
    session.flush()


def has_news(session: Session, user_id: int, after: int, until: int) -> bool:
    """Say whether a worker is told to forget something after a number, and until another."""
    query = sa.select(DroppedItem.seq).where(DroppedItem.user_id == user_id)
    query = query.where(DroppedItem.seq > after, DroppedItem.seq <= until)
    return session.execute(query.limit(1)).first() is not None


def delete_pulled(session: Session, user_ids: Collection[int]) -> int:
    """Delete what all phones of these workers have forgotten; return how much that was.

    A phone whose access ended cannot ask any more, so it is not waited for.
    """
    least = sa.select(Device.user_id, sa.func.min(Device.pulled)).where(Device.revoked_at.is_(None), Device.kind == "app")
    pulled: dict[int, int] = {}
    for user_id, number in session.execute(least.group_by(Device.user_id)):
        pulled[user_id] = number
    count = 0
    query = sa.select(DroppedItem).where(DroppedItem.user_id.in_(user_ids))
    for item in session.scalars(query).all():
        if item.seq > pulled.get(item.user_id, item.seq):
            continue
        is_it = sa.and_(PullItem.user_id == item.user_id, PullItem.seq == item.seq, PullItem.body == "")
        session.execute(sa.delete(PullItem).where(is_it))
        session.delete(item)
        count += 1
    session.flush()
    return count
