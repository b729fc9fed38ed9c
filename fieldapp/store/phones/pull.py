"""What each worker's phones should know: one row a worker and thing, with a number that grows with every change.

A phone asks for what is newer than the last number that it saw. A row without a body is a tombstone: forget this.
"""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class PullCursor(Base):
    """The last number given out for a worker. Its row is locked until commit, so numbers are seen in the order they have."""

    __tablename__ = "feed_head"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger)


class PullItem(Base):
    __tablename__ = "feed_item"
    __table_args__ = (sa.Index("ix_feed_item_user_id_seq", "user_id", "seq"),)

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    body: Mapped[str] = mapped_column(sa.Text)  # JSON; "" for a tombstone


def read_changes_after(session: Session, user_id: int, cursor: int, limit: int) -> tuple[int, int, str]:
    """Return the last number, the count, and the JSON ([key, body], …) of what changed after a number.

    The database joins the text: thousands of changes cost a phone's pull a few milliseconds.
    """
    some = sa.select(PullItem.seq, PullItem.key, PullItem.body).where(PullItem.user_id == user_id, PullItem.seq > cursor)
    rows = some.order_by(PullItem.seq).limit(limit).subquery()
    body = sa.case((rows.c.body == "", "null"), else_=rows.c.body)
    item = sa.literal('["') + rows.c.key + sa.literal('",') + body + sa.literal("]")
    join = sa.func.string_agg if session.get_bind().dialect.name == "postgresql" else sa.func.group_concat
    found = session.execute(sa.select(sa.func.max(rows.c.seq), sa.func.count(), join(item, ","))).one()
    return found[0] or cursor, found[1], found[2] or ""


def read_last_number(session: Session, user_id: int) -> int:
    """Return the last number that was given out for a worker."""
    return session.scalars(sa.select(PullCursor.seq).where(PullCursor.user_id == user_id)).one_or_none() or 0


def upsert_items(session: Session, wanted: Mapping[tuple[int, str], str]) -> None:
    """Put what workers should know, by worker and key; what a worker knows already is left alone."""
    if not wanted:
        return
    keys = sa.tuple_(PullItem.user_id, PullItem.key).in_(list(wanted))
    rows = session.execute(sa.select(PullItem.user_id, PullItem.key, PullItem.body).where(keys))
    before = {(row[0], row[1]): row[2] for row in rows}
    # A tombstone is written also for what was never told: the phone may have thought of it by itself.
    fresh = {place: body for place, body in wanted.items() if before.get(place) != body}
    upsert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for user_id in sorted({user for user, _ in fresh}):
        mine = {key: body for (user, key), body in fresh.items() if user == user_id}
        last = _allocate_numbers(session, user_id, len(mine), upsert)
        numbered = enumerate(sorted(mine.items()), start=last - len(mine) + 1)
        put = upsert(PullItem)
        put = put.on_conflict_do_update(
            index_elements=["user_id", "key"], set_={"seq": put.excluded.seq, "body": put.excluded.body}
        )
        session.connection().execute(
            put, [{"user_id": user_id, "key": key, "seq": seq, "body": body} for seq, (key, body) in numbered]
        )


def remove_items(session: Session, user_ids: Collection[int], keys: Collection[str]) -> None:
    """Let all of these workers who were told something under these keys forget it."""
    if not keys:
        return
    query = sa.select(PullItem.user_id, PullItem.key)
    query = query.where(PullItem.user_id.in_(user_ids), PullItem.key.in_(keys), PullItem.body != "")
    upsert_items(session, dict.fromkeys(session.execute(query), ""))


def _allocate_numbers(session: Session, user_id: int, count: int, upsert: Any) -> int:
    """Return the last of the numbers that were taken."""
    take = upsert(PullCursor).values(user_id=user_id, seq=count)
    take = take.on_conflict_do_update(index_elements=["user_id"], set_={"seq": PullCursor.seq + count})
    last: int = session.connection().execute(take.returning(PullCursor.seq)).scalar_one()
    return last
