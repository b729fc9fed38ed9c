"""What each worker's phones should know, by worker and key, numbered at each change.

A phone asks for what is newer than the last number that it saw. A row without a body is a tombstone:
phones delete the key.
"""

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.dialects import make_insert
from fieldapp.store.people.users import User
from fieldapp.store.sealing import HiddenKey, Sealed, SealedBytes, Sealer, decode_text, find_sealer, open_value

OPEN = "open/"  # before the number of an incident that is open
ASKED = "asked/"  # before the record, or the id of a request, that the crisis team gave to the worker
REQUEST = "request/"  # before the id of what the worker asked the crisis team for


class PullCursor(Base):
    """The last number given out for a worker.

    Its row is locked until commit, so that numbers become visible in their own order: a phone that
    has seen number 7 never misses a 6 that is committed later.
    """

    __tablename__ = "feed_head"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger)


class PullItem(Base):
    __tablename__ = "feed_item"
    __table_args__ = (sa.Index("ix_feed_item_user_id_seq", "user_id", "seq"),)

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    key: Mapped[str] = mapped_column(HiddenKey, primary_key=True)
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    sealed_body: Mapped[bytes] = mapped_column("body", SealedBytes)
    body = Sealed("sealed_body", "user_id", "key")  # JSON; "" for a tombstone


_ITEMS = PullItem.__table__.c
CHANGES = (
    sa.select(_ITEMS.seq, _ITEMS.key, _ITEMS.body)
    .where(_ITEMS.user_id == sa.bindparam("user_id"), _ITEMS.seq > sa.bindparam("cursor"))
    .order_by(_ITEMS.seq)
    .limit(sa.bindparam("limit"))
)


def read_changes_after(session: Session, user_id: int, cursor: int, limit: int) -> tuple[int, int, str]:
    """Return the last number, the count and the JSON ([key, body], …) of newer changes.

    Of numbers after `cursor`, at most `limit` items, in their order.
    """
    parameters = {"user_id": user_id, "cursor": cursor, "limit": limit}
    last = cursor
    items = []
    for last, key, sealed in session.connection().execute(CHANGES, parameters):  # noqa: B007  the last of them
        body = open_value("feed_item", "body", 0, f"{user_id}|{key}", sealed)
        items.append(f'["{key}",{decode_text(body) or "null"}]')
    return last, len(items), ",".join(items)


def read_last_number(session: Session, user_id: int) -> int:
    """Return the last number that was given out for a worker."""
    query = sa.select(PullCursor.seq).where(PullCursor.user_id == user_id)
    return session.scalars(query).one_or_none() or 0


def upsert_items(session: Session, items: Mapping[tuple[int, str], str]) -> None:
    """Insert or update pull items: their bodies, by worker id and key.

    A changed body gets the worker's next number; an unchanged one keeps its number. An empty body
    is a tombstone.
    """
    if not items:
        return
    # Looked at first: most of what a message says is known already, and would only move numbers.
    before = _read_bodies(session, items)
    changed: dict[int, dict[str, str]] = {}
    for (user_id, key), body in items.items():
        # A tombstone is written also for a key that was never sent: the phone may have made it itself.
        if before.get((user_id, key)) != body:
            changed.setdefault(user_id, {})[key] = body
    centre_of = _list_centres(session, changed)
    for user_id in sorted(changed):  # always in this order, or two transactions could wait for each other
        sealer = find_sealer(session, centre_of[user_id]).for_rows_without_centre()
        _upsert_for_worker(session, user_id, changed[user_id], sealer)


def _list_centres(session: Session, user_ids: Collection[int]) -> dict[int, int]:
    query = sa.select(User.id, User.centre_id).where(User.id.in_(user_ids))
    return {row.id: row.centre_id for row in session.execute(query)}


def _read_bodies(session: Session, places: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
    is_asked = sa.tuple_(PullItem.user_id, PullItem.key).in_(list(places))
    query = sa.select(PullItem.user_id, PullItem.key, PullItem.body).where(is_asked)
    return {(user_id, key): body for user_id, key, body in session.execute(query)}


def _upsert_for_worker(session: Session, user_id: int, bodies: dict[str, str], sealer: Sealer) -> None:
    first = _allocate_numbers(session, user_id, len(bodies))
    rows = []
    for seq, key in enumerate(sorted(bodies), start=first):
        body = sealer.seal_text("feed_item", "body", f"{user_id}|{key}", bodies[key])
        rows.append({"user_id": user_id, "key": key, "seq": seq, "body": body})
    statement = make_insert(session, PullItem)
    update = {"seq": statement.excluded.seq, "body": statement.excluded.body}
    statement = statement.on_conflict_do_update(index_elements=["user_id", "key"], set_=update)
    session.connection().execute(statement, rows)


def remove_items(session: Session, user_ids: Collection[int], keys: Collection[str]) -> None:
    """Write tombstones for these workers and keys, where a phone was sent something."""
    if not keys:
        return
    query = sa.select(PullItem.user_id, PullItem.key)
    query = query.where(PullItem.user_id.in_(user_ids), PullItem.key.in_(keys), PullItem.body != "")
    upsert_items(session, dict.fromkeys(session.execute(query), ""))


def _allocate_numbers(session: Session, user_id: int, count: int) -> int:
    """Take the worker's next numbers, and return the first of them."""
    statement = make_insert(session, PullCursor).values(user_id=user_id, seq=count)
    update = {"seq": PullCursor.seq + count}
    statement = statement.on_conflict_do_update(index_elements=["user_id"], set_=update)
    # In one statement: another transaction cannot get the same numbers in between.
    last: int = session.connection().execute(statement.returning(PullCursor.seq)).scalar_one()
    return last - count + 1


def list_workers_told(session: Session, user_ids: Collection[int], key: str) -> set[int]:
    """Return which of these workers were ever told of a key, also by a tombstone."""
    query = sa.select(PullItem.user_id).where(PullItem.user_id.in_(user_ids), PullItem.key == key)
    return set(session.scalars(query))


def list_bodies(session: Session, user_ids: Collection[int], keys: Collection[str]) -> dict[tuple[int, str], str]:
    """Return what these workers' phones are told under some keys, by worker and key."""
    query = sa.select(PullItem.user_id, PullItem.key, PullItem.body)
    query = query.where(PullItem.user_id.in_(user_ids), PullItem.key.in_(keys), PullItem.body != "")
    return {(user_id, key): body for user_id, key, body in session.execute(query)}


def list_bodies_of_kind(session: Session, user_ids: Collection[int], kind: str) -> dict[tuple[int, str], str]:
    """Return what these workers' phones are told under keys that begin so, by worker and key."""
    query = sa.select(PullItem.user_id, PullItem.key, PullItem.body)
    query = query.where(PullItem.user_id.in_(user_ids), PullItem.key.startswith(kind), PullItem.body != "")
    return {(user_id, key): body for user_id, key, body in session.execute(query)}


def list_keys_of_records(session: Session, user_ids: Collection[int], root_ids: Collection[str]) -> set[str]:
    """Return the keys under which these workers' phones were sent anything of some records."""
    keys: set[str] = set()
    for kind in ("due", "ref", "rec", "open", "asked"):
        start = len(kind) + 2
        of_record = sa.func.substr(PullItem.key, start, 36).in_(root_ids)
        # By the kind in front of the key, so that the index of keys can be used.
        query = sa.select(PullItem.key).where(PullItem.user_id.in_(user_ids), PullItem.key.startswith(f"{kind}/"))
        keys.update(session.scalars(query.where(of_record).distinct()))
    return keys


def list_open_records(session: Session, user_ids: Collection[int], root_id: str = "") -> dict[str, int]:
    """Return which of these workers' phones list which incidents as open.

    By record; only of one, where that is given.
    """
    query = sa.select(PullItem.key, PullItem.user_id).where(PullItem.user_id.in_(user_ids), PullItem.body != "")
    query = query.where(PullItem.key == f"{OPEN}{root_id}" if root_id else PullItem.key.startswith(OPEN))
    return {key.removeprefix(OPEN): user_id for key, user_id in session.execute(query.order_by(PullItem.key))}


def has_asked(session: Session, user_id: int, after: int, until: int) -> bool:
    """Say whether the crisis team gave a worker something after a number, until another."""
    query = sa.select(PullItem.seq).where(PullItem.user_id == user_id, PullItem.key.startswith(ASKED))
    return session.execute(query.where(PullItem.seq > after, PullItem.seq <= until).limit(1)).first() is not None


def list_numbers(session: Session, user_ids: Collection[int], kind: str) -> dict[tuple[int, str], int]:
    """Return the number of what these workers' phones are told under keys that begin so."""
    query = sa.select(PullItem.user_id, PullItem.key, PullItem.seq)
    query = query.where(PullItem.user_id.in_(user_ids), PullItem.key.startswith(kind))
    return {(user_id, key): seq for user_id, key, seq in session.execute(query)}


def list_naming(session: Session, user_ids: Collection[int], texts: Collection[str]) -> dict[tuple[int, str], str]:
    """Return what these phones are told that has one of these texts in it.

    By worker and key.
    """
    searched = [text.lower() for text in texts]
    query = sa.select(PullItem.user_id, PullItem.key, PullItem.body)
    naming: dict[tuple[int, str], str] = {}
    for user_id, key, body in session.execute(query.where(PullItem.user_id.in_(user_ids), PullItem.body != "")):
        if any(text in body.lower() for text in searched):
            naming[user_id, key] = body
    return naming
