"""The rows that a recipient's feed reads: one SQLite file for each series, made anew after each release.

Queries are OData 4.01 ($filter, $select, $orderby, $count, $top, $skip), over the columns that the file lists and no others.
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
from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

TEXT, WHOLE, DECIMAL, TRUTH, DAY = "Edm.String", "Edm.Int64", "Edm.Double", "Edm.Boolean", "Edm.Date"
SQL_TYPES = {TEXT: sa.Text, WHOLE: sa.BigInteger, DECIMAL: sa.Float, TRUTH: sa.Boolean, DAY: sa.Text}
LOWEST: Mapping[str, Any] = {TEXT: "", DAY: "", WHOLE: -(2**62), DECIMAL: -1e300, TRUTH: 0}
KEY = "id"
TESTS = ("contains", "startswith", "endswith")
MOST_NODES, MOST_TEXT, MOST_ORDERED = 200, 2000, 6
Column = tuple[str, str]  # name, type


class QueryRefused(ValueError):
    """A query that cannot be answered; the text says why."""


@dataclass(frozen=True)
class EntitySet:
    """A table of the feed. Its key is `id`, a number that means nothing."""

    name: str
    columns: tuple[Column, ...]

    @property
    def types(self) -> dict[str, str]:
        return {KEY: WHOLE, **dict(self.columns)}


@dataclass(frozen=True)
class Query:
    filter: str = ""
    select: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()  # column, is it downwards
    top: int | None = None
    skip: int = 0
    after: str = ""  # where the page before ended


@dataclass(frozen=True)
class FeedPage:
    rows: Sequence[Mapping[str, Any]]
    after: str  # "" on the last page


def write_feed_file(path: Path, sets: Iterable[tuple[EntitySet, Iterable[Sequence[Any]]]], about: Mapping[str, Any]) -> None:
    """Write a feed's file, whole or not at all."""
    temporary = path.with_suffix(f".{os.getpid()}.part")
    temporary.unlink(missing_ok=True)
    with sqlite3.connect(temporary) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT)")
        listed = []
        for entity, rows in sets:
            table = _table(entity)
            connection.execute(str(sa.schema.CreateTable(table).compile(dialect=_SQLITE)))
            marks = ", ".join("?" * (len(entity.columns) + 1))
            connection.executemany(
                f'INSERT INTO "{entity.name}" VALUES ({marks})',  # noqa: S608  our own name
                ((number, *row) for number, row in enumerate(rows, 1)),
            )
            listed.append([entity.name, [list(column) for column in entity.columns]])
        connection.executemany(
            "INSERT INTO about VALUES (?, ?)",
            [(name, json.dumps(value)) for name, value in {**about, "sets": listed}.items()],
        )
    connection.close()
    temporary.replace(path)


_SQLITE = sa.create_engine("sqlite://").dialect


def _table(entity: EntitySet) -> sa.Table:
    columns = [sa.Column(name, SQL_TYPES[kind]()) for name, kind in entity.columns]
    return sa.Table(entity.name, sa.MetaData(), sa.Column(KEY, sa.Integer, primary_key=True), *columns)


class Feed:
    """An open feed file, for reading only."""

    def __init__(self, path: Path):
        self.engine = sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False),
            poolclass=sa.pool.NullPool,
        )
        with self.engine.connect() as connection:
            found = connection.execute(sa.text("SELECT name, value FROM about")).all()
        self.about = {name: json.loads(value) for name, value in found}
        self.sets = {
            name: EntitySet(name, tuple((one, kind) for one, kind in columns)) for name, columns in self.about["sets"]
        }

    def entity(self, name: str) -> EntitySet:
        if name not in self.sets:
            raise KeyError(name)
        return self.sets[name]

    def count(self, entity: EntitySet, query: Query) -> int:
        """Return how many rows a filter leaves, whatever the page."""
        table = _table(entity)
        statement = sa.select(sa.func.count()).select_from(table)
        if query.filter:
            statement = statement.where(build_filter_condition(query.filter, entity, table))
        with self.engine.connect() as connection:
            return int(connection.execute(statement).scalar_one())

    def read(self, entity: EntitySet, query: Query, page: int) -> FeedPage:
        """Return one page of rows; the next one begins after a place, not at a number, so a page costs what it holds."""
        table = _table(entity)
        wanted = [name for name in (query.select or tuple(entity.types)) if name in entity.types]
        order = [*query.order, *([] if KEY in [name for name, _ in query.order] else [(KEY, False)])]
        keys = [sa.func.coalesce(table.c[name], LOWEST[entity.types[name]]) for name, _ in order]
        statement = sa.select(*(table.c[name] for name in dict.fromkeys([*wanted, KEY])), *keys)
        if query.filter:
            statement = statement.where(build_filter_condition(query.filter, entity, table))
        if query.after:
            statement = statement.where(
                _build_after_condition(keys, [down for _, down in order], _decode_page_token(query.after, len(order)))
            )
        limit = page if query.top is None else min(page, query.top)
        statement = statement.order_by(*(key.desc() if down else key for key, (_, down) in zip(keys, order, strict=True)))
        statement = statement.limit(limit + 1).offset(0 if query.after else query.skip)
        with self.engine.connect() as connection:
            found = connection.execute(statement).all()
        shown = found[:limit]
        names = list(dict.fromkeys([*wanted, KEY]))
        rows = [
            {name: bool(value) if entity.types[name] == TRUTH and value is not None else value
             for name, value in zip(names, row, strict=False) if name in wanted}
            for row in shown
        ]  # fmt: skip
        is_more = len(found) > limit and (query.top is None or query.top > limit)
        return FeedPage(rows, _encode_page_token(list(shown[-1][len(names) :])) if is_more and shown else "")


@lru_cache(maxsize=32)
def open_feed(path: Path, size: int) -> Feed:
    """Return an open feed; `size` is the file's, so that a file of the same name that was made anew is read anew."""
    return Feed(path)


def _encode_page_token(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values, ensure_ascii=False).encode()).decode().rstrip("=")


def _decode_page_token(text: str, length: int) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        values = None
    if (
        not isinstance(values, list)
        or len(values) != length
        or not all(isinstance(one, str | int | float) for one in values)
    ):
        raise QueryRefused("The place to go on from cannot be read. Begin again without $skiptoken.")
    return values


def _build_after_condition(keys: Sequence[Any], downs: Sequence[bool], values: Sequence[Any]) -> Any:
    """Return the condition for rows that come after a place in an order of several columns, each up or down."""
    some = []
    for place, (key, down, value) in enumerate(zip(keys, downs, values, strict=True)):
        same = [other == before for other, before in zip(keys[:place], values[:place], strict=True)]
        some.append(sa.and_(*same, key < value if down else key > value))
    return sa.or_(*some)


def parse_order(text: str, entity: EntitySet) -> tuple[tuple[str, bool], ...]:
    """Return the columns of $orderby; raise QueryRefused."""
    found = []
    for part in text.split(","):
        name, _, way = part.strip().partition(" ")
        if name not in entity.types or way.strip().lower() not in ("", "asc", "desc"):
            raise QueryRefused(f"$orderby: “{part.strip()}” is no column of {entity.name}, with asc or desc after it.")
        found.append((name, way.strip().lower() == "desc"))
    if len(found) > MOST_ORDERED or len({name for name, _ in found}) < len(found):
        raise QueryRefused(f"$orderby takes up to {MOST_ORDERED} different columns.")
    return tuple(found)


def build_filter_condition(text: str, entity: EntitySet, table: sa.Table) -> Any:
    """Return the condition that a $filter says; raise QueryRefused for what it does not know."""
    if len(text) > MOST_TEXT:
        raise QueryRefused(f"$filter is longer than {MOST_TEXT} signs.")
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(text))
    except (ODataException, RecursionError, ValueError) as error:
        raise QueryRefused(f"$filter cannot be read: {type(error).__name__}.") from None
    if tree is None:
        raise QueryRefused("$filter cannot be read.")
    found = _Translator(entity, table).visit(tree)
    if not _is_boolean(tree, entity):
        raise QueryRefused("$filter must say yes or no for each row.")
    return found


def _is_boolean(tree: Any, entity: EntitySet) -> bool:
    if isinstance(tree, ast.Identifier):
        return entity.types.get(tree.name) == TRUTH
    if isinstance(tree, ast.Call):
        return tree.func.name in TESTS
    if isinstance(tree, ast.UnaryOp):
        return isinstance(tree.op, ast.Not)
    return isinstance(tree, ast.Compare | ast.BoolOp)


_COMPARE = {ast.Eq: "__eq__", ast.NotEq: "__ne__", ast.Lt: "__lt__", ast.LtE: "__le__", ast.Gt: "__gt__", ast.GtE: "__ge__"}


class _Translator:
    """From the parsed filter to SQL, node by node: what is not named here is refused."""

    def __init__(self, entity: EntitySet, table: sa.Table):
        self.entity, self.table, self.nodes = entity, table, 0

    def visit(self, node: Any) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise QueryRefused("$filter is too long.")
        found = getattr(self, f"_{type(node).__name__.lower()}", None)
        if found is None:
            raise QueryRefused(f"$filter: {type(node).__name__} is not understood here.")
        return found(node)

    def _identifier(self, node: ast.Identifier) -> Any:
        if node.namespace or node.name not in self.entity.types:
            raise QueryRefused(f"$filter: {self.entity.name} has no column “{node.name}”.")
        return self.table.c[node.name]

    def _string(self, node: ast.String) -> Any:
        return sa.literal(node.py_val, sa.Text)

    def _integer(self, node: ast.Integer) -> Any:
        if abs(node.py_val) > 2**62:
            raise QueryRefused("$filter: this number is too large.")
        return sa.literal(node.py_val)

    def _float(self, node: ast.Float) -> Any:
        return sa.literal(node.py_val)

    def _boolean(self, node: ast.Boolean) -> Any:
        return sa.literal(node.py_val, sa.Boolean)

    def _date(self, node: ast.Date) -> Any:
        return sa.literal(str(node.py_val), sa.Text)

    def _null(self, node: ast.Null) -> Any:
        return sa.null()

    def _list(self, node: ast.List) -> Any:
        return [self.visit(one) for one in node.val]

    def _compare(self, node: ast.Compare) -> Any:
        left = self.visit(node.left)
        if isinstance(node.comparator, ast.In):
            return left.in_(self.visit(node.right))
        right, name = self.visit(node.right), _COMPARE[type(node.comparator)]
        if isinstance(node.left, ast.Null):
            left, right = right, left
        if isinstance(node.left, ast.Null) or isinstance(node.right, ast.Null):
            if name not in ("__eq__", "__ne__"):
                raise QueryRefused("$filter: null is compared with eq and ne only.")
            return left.is_(None) if name == "__eq__" else left.is_not(None)
        return getattr(left, name)(right)

    def _boolop(self, node: ast.BoolOp) -> Any:
        sides = self.visit(node.left), self.visit(node.right)
        return sa.and_(*sides) if isinstance(node.op, ast.And) else sa.or_(*sides)

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return sa.not_(self.visit(node.operand))
        return -self.visit(node.operand)

    def _call(self, node: ast.Call) -> Any:
        name, given = node.func.name, [self.visit(one) for one in node.args]
        if name in TESTS and len(given) == 2:
            return _like(name, *given)
        if name in ("tolower", "toupper", "trim", "length") and len(given) == 1:
            return getattr(sa.func, {"tolower": "lower", "toupper": "upper"}.get(name, name))(given[0])
        if name in ("year", "month", "day") and len(given) == 1:
            start, size = {"year": (1, 4), "month": (6, 2), "day": (9, 2)}[name]
            return sa.cast(sa.func.substr(given[0], start, size), sa.Integer)
        raise QueryRefused(f"$filter: the function {name} is not understood here.")


def _like(name: str, whole: Any, part: Any) -> Any:
    """Return whether a text holds, begins or ends with another, letter by letter: % and _ mean nothing special."""
    if name == "contains":
        return sa.func.instr(whole, part) > 0
    if name == "startswith":
        return sa.func.substr(whole, 1, sa.func.length(part)) == part
    return sa.func.substr(whole, -sa.func.length(part)) == part
