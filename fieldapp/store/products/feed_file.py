"""The file of a recipient's feed: SQLite, one per series, rebuilt after each release.

It answers OData 4.01 queries ($filter, $select, $orderby, $count, $top, $skip) over the columns that
it lists and no others.
"""

import base64
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fieldapp.store.products.entity_sets import KEY, LOWEST, TRUTH, EntitySet, QueryRefused
from fieldapp.store.products.feed_query import Expression, build_filter_condition

MOST_ORDERED = 6  # columns of $orderby
Order = tuple[tuple[str, bool], ...]  # column, whether it is descending


@dataclass(frozen=True)
class Query:
    """What a recipient asks for, as OData's options say it."""

    filter: str = ""
    select: tuple[str, ...] = ()  # none: all columns
    order: Order = ()
    top: int | None = None
    skip: int = 0
    after: str = ""  # the token of the page before


@dataclass(frozen=True)
class FeedPage:
    """A page of rows; `after` is the token for the next one, "" on the last."""

    rows: Sequence[Mapping[str, Any]]
    after: str


def write_feed_file(
    path: Path,
    sets: Iterable[tuple[EntitySet, Iterable[Sequence[Any]]]],
    about: Mapping[str, Any],
) -> None:
    """Write a feed's file, in full or not at all; `about` is what the file says about itself."""
    # With the process's number: two builders at once do not write into each other's file.
    temporary = path.with_suffix(f".{os.getpid()}.part")
    temporary.unlink(missing_ok=True)
    with sqlite3.connect(temporary) as connection:
        # No journal: the file is written once, by one process, and is deleted when that fails.
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT)")
        listed = []
        for entity, rows in sets:
            _write_rows(connection, entity, rows)
            listed.append([entity.name, [list(column) for column in entity.columns]])
        for name, value in {**about, "sets": listed}.items():
            connection.execute("INSERT INTO about VALUES (?, ?)", (name, json.dumps(value)))
    connection.close()
    # Under its final name only when it is whole: readers may open it at any moment.
    temporary.replace(path)


_SQLITE = sa.create_engine("sqlite://").dialect


def _write_rows(connection: sqlite3.Connection, entity: EntitySet, rows: Iterable[Sequence[Any]]) -> None:
    table = entity.make_table()
    connection.execute(str(sa.schema.CreateTable(table).compile(dialect=_SQLITE)))
    marks = ", ".join("?" * (len(entity.columns) + 1))
    connection.executemany(
        f'INSERT INTO "{entity.name}" VALUES ({marks})',  # noqa: S608  our own name
        ((number, *row) for number, row in enumerate(rows, 1)),
    )


class Feed:
    """An open feed file, for reading only."""

    def __init__(self, path: Path):
        # Immutable: the file is replaced, never changed, so SQLite need not lock it.
        address = f"file:{path}?mode=ro&immutable=1"
        self.engine = sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False),
            poolclass=sa.pool.NullPool,
        )
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT name, value FROM about")).all()
        self.about = {name: json.loads(value) for name, value in rows}
        self.sets: dict[str, EntitySet] = {}
        for name, columns in self.about["sets"]:
            self.sets[name] = EntitySet(name, tuple(tuple(column) for column in columns))

    def entity(self, name: str) -> EntitySet:
        """Return an entity set; raise KeyError for one that is not in the file."""
        return self.sets[name]

    def count(self, entity: EntitySet, query: Query) -> int:
        """Return how many rows a filter leaves, on all pages together."""
        table = entity.make_table()
        statement = sa.select(sa.func.count()).select_from(table)
        if query.filter:
            statement = statement.where(build_filter_condition(query.filter, entity, table))
        with self.engine.connect() as connection:
            return int(connection.execute(statement).scalar_one())

    def read(self, entity: EntitySet, query: Query, page: int) -> FeedPage:
        """Return one page of at most `page` rows.

        The next page begins behind the last row's place in the order, not at a row number: the cost
        of a page does not grow with its depth. Raises QueryRefused.
        """
        table = entity.make_table()
        order = _complete_order(query.order)
        # No value sorts lowest, here and in the page token: NULL compares with nothing, and rows
        # would be missed.
        keys = [sa.func.coalesce(table.c[name], LOWEST[entity.types[name]]) for name, _ in order]
        selected = [name for name in query.select or entity.types if name in entity.types]
        # The key at last, so that a token can be made of the last row.
        names = list(dict.fromkeys([*selected, KEY]))
        statement = sa.select(*(table.c[name] for name in names), *keys)
        if query.filter:
            statement = statement.where(build_filter_condition(query.filter, entity, table))
        if query.after:
            values = _decode_page_token(query.after, len(order))
            statement = statement.where(_build_after_condition(keys, order, values))
        # The token says where to go on; the skip was done on the first page.
        else:
            statement = statement.offset(query.skip)
        for key, (_, is_descending) in zip(keys, order, strict=True):
            statement = statement.order_by(key.desc() if is_descending else key)
        limit = page if query.top is None else min(page, query.top)
        with self.engine.connect() as connection:
            rows = connection.execute(statement.limit(limit + 1)).all()  # one more tells of a next page
        after = ""
        if len(rows) > limit and query.top != limit:
            after = _encode_page_token(list(rows[limit - 1][len(names) :]))
        return FeedPage([_make_row(entity, selected, names, row) for row in rows[:limit]], after)


def _complete_order(order: Order) -> Order:
    """Return an order in which no two rows are equal: by the key at last."""
    if any(name == KEY for name, _ in order):
        return order
    return (*order, (KEY, False))


def _make_row(entity: EntitySet, selected: Sequence[str], names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Return the selected columns of a row; SQLite gives truth values as numbers."""
    row = {}
    for name, value in zip(names, values, strict=False):
        if name not in selected:
            continue
        is_truth = entity.types[name] == TRUTH and value is not None
        row[name] = bool(value) if is_truth else value
    return row


@lru_cache(maxsize=32)
def open_feed(path: Path, size: int) -> Feed:
    """Return an open feed, from a cache.

    `size` is the file's, so that a file that was rebuilt under the same name is opened again.
    """
    return Feed(path)


def _encode_page_token(values: list[Any]) -> str:
    text = json.dumps(values, ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_page_token(text: str, length: int) -> list[Any]:
    try:
        # Base64 without its padding; the token travels in an address.
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        values = None
    is_list = isinstance(values, list) and len(values) == length
    # Values from outside go into a query as parameters, and only numbers and texts.
    if not is_list or not all(isinstance(value, str | int | float) for value in values):
        raise QueryRefused("The place to go on from cannot be read. Begin again without $skiptoken.")
    return list(values)


def _build_after_condition(keys: Sequence[Expression], order: Order, values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Return the condition for rows behind a place in an order of several columns.

    Row comparison, (a, b) > (1, 2), does not do: each column has a direction of its own.
    """
    alternatives = []
    same: list[sa.ColumnElement[bool]] = []
    for key, (_, is_descending), value in zip(keys, order, values, strict=True):
        is_behind = key < value if is_descending else key > value
        alternatives.append(sa.and_(*same, is_behind))
        same.append(key == value)
    return sa.or_(*alternatives)


def parse_order(text: str, entity: EntitySet) -> Order:
    """Return the columns of $orderby; raise QueryRefused for unknown, repeated or too many."""
    order = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        direction = direction.strip().lower()
        if name not in entity.types or direction not in ("", "asc", "desc"):
            problem = f"$orderby: “{part.strip()}” is no column of {entity.name}"
            raise QueryRefused(f"{problem}, with asc or desc after it.")
        order.append((name, direction == "desc"))
    # Each column makes the condition of the next page longer.
    if len(order) > MOST_ORDERED or len({name for name, _ in order}) < len(order):
        raise QueryRefused(f"$orderby takes up to {MOST_ORDERED} different columns.")
    return tuple(order)
