"""Rows that changed: noted by triggers, written into a segment, and put back.

They are taken as they lie in the database. Values stay what they are there: what is sealed stays sealed, and nothing
is opened on the way.
"""

# ruff: noqa: S608  the names are of our own tables, or of a segment that this centre's server is shown to have written

import base64
import contextlib
import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.store import tables
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import journal

PREFIX = "journal_"  # how the names of triggers and of their functions begin
# What says nothing after a restore, or ends with it. The first two are the journal itself.
LEFT_OUT = {"changed_row", "journal_head", "scheduler_beat", "throttle", "web_session", "one_time_code", "erased_bytes"}
EMPTIED = ("web_session", "one_time_code", "changed_row")  # of which rows may name others that are gone
CHUNK = 200  # rows that are read or written at once


class RowProblem(Exception):
    """Rows that do not fit the database into which they are put."""


@dataclass(frozen=True)
class SegmentRows:
    """The rows of a segment of the journal."""

    path: Path  # of their file
    keys: dict[str, list[str]]  # columns of the primary key, by table
    sequences: dict[str, int]  # how far numbers of rows were given out


def list_tables() -> list[sa.Table]:
    """Return the tables whose changes are noted."""
    return [table for table in tables.metadata.sorted_tables if table.name not in LEFT_OUT]


# Triggers


def has_triggers(session: Session) -> bool:
    """Say whether the changes of every table are noted."""
    return len(_list_trigger_names(session)) == 4 * len(list_tables())


def _list_trigger_names(session: Session) -> list[tuple[str, str]]:
    """Return the journal's triggers and their tables."""
    if _is_sqlite(session):
        query = f"SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{PREFIX}%'"
    else:
        query = (
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            f" WHERE NOT tgisinternal AND tgparentid = 0 AND tgname LIKE '{PREFIX}%'"
            " AND relnamespace = current_schema()::regnamespace"
        )
    return [(row[0], row[1]) for row in session.execute(sa.text(query))]


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def set_triggers(session: Session) -> None:
    """Let the changes of every table be noted.

    Table by table: a lock on all of them at once could wait for ever for somebody who waits for it.
    """
    drop_triggers(session)
    for table in list_tables():
        with WriteTransaction(session):
            for statement in _make_sqlite(table) if _is_sqlite(session) else _make_postgresql(table):
                session.connection().exec_driver_sql(statement)


def drop_triggers(session: Session) -> None:
    """Let changes not be noted any more."""
    by_table: dict[str, list[str]] = {}
    for name, table in _list_trigger_names(session):
        by_table.setdefault(table, []).append(name)
    for table, names in by_table.items():
        with WriteTransaction(session):
            for statement in _make_end(session, table, names):
                session.connection().exec_driver_sql(statement)


def _make_end(session: Session, table: str, names: list[str]) -> Iterator[str]:
    if _is_sqlite(session):
        yield from (f'DROP TRIGGER "{name}"' for name in names)
        return
    yield from (f'DROP TRIGGER "{name}" ON "{table}"' for name in names)
    for act in ("note", "move"):
        yield f'DROP FUNCTION IF EXISTS "{PREFIX}{act}_{table}"()'


def _make_sqlite(table: sa.Table) -> Iterator[str]:
    columns = list(table.primary_key.columns)
    names = ", ".join(f'"{column.name}"' for column in columns)
    moved = " OR ".join(f'OLD."{column.name}" IS NOT NEW."{column.name}"' for column in columns)
    for act, event, row, condition in [
        ("insert", "INSERT", "NEW", ""),
        ("update", "UPDATE", "NEW", ""),
        ("move", f"UPDATE OF {names}", "OLD", f" WHEN {moved}"),
        ("delete", "DELETE", "OLD", ""),
    ]:
        keys = [f'hex({row}."{each.name}")' if _is_binary(each) else f'{row}."{each.name}"' for each in columns]
        note = f"INSERT INTO changed_row (name, key) VALUES ('{table.name}', json_array({', '.join(keys)}))"
        yield f'CREATE TRIGGER "{PREFIX}{act}_{table.name}" AFTER {event} ON "{table.name}"{condition} BEGIN {note}; END'


def _make_postgresql(table: sa.Table) -> Iterator[str]:
    """Yield what notes a table's changes: once a statement, since most write many rows."""
    columns = list(table.primary_key.columns)
    names = ", ".join(f'"{column.name}"' for column in columns)
    keys = [f"encode({{row}}\"{each.name}\", 'hex')" if _is_binary(each) else f'{{row}}"{each.name}"' for each in columns]
    key = f"jsonb_build_array({', '.join(keys)})::text"
    note = f"INSERT INTO changed_row (name, key) SELECT '{table.name}', {key.format(row='')} FROM changed"
    move = f"INSERT INTO changed_row (name, key) VALUES ('{table.name}', {key.format(row='OLD.')})"
    head = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    yield f'CREATE FUNCTION "{PREFIX}note_{table.name}"() {head} {note}; RETURN NULL; END $$'
    yield f'CREATE FUNCTION "{PREFIX}move_{table.name}"() {head} {move}; RETURN NULL; END $$'
    for act, rows in [("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")]:
        yield (
            f'CREATE TRIGGER "{PREFIX}{act}_{table.name}" AFTER {act.upper()} ON "{table.name}" '
            f'REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION "{PREFIX}note_{table.name}"()'
        )
    moved = " OR ".join(f'OLD."{column.name}" IS DISTINCT FROM NEW."{column.name}"' for column in columns)
    yield (
        f'CREATE TRIGGER "{PREFIX}move_{table.name}" AFTER UPDATE OF {names} ON "{table.name}" FOR EACH ROW '
        f'WHEN ({moved}) EXECUTE FUNCTION "{PREFIX}move_{table.name}"()'
    )


def _is_binary(column: sa.Column[Any]) -> bool:
    return isinstance(_plain_type(column.type), sa.LargeBinary)


def _plain_type(kind: Any) -> Any:
    """Return the type of a column as it lies in the database: nothing is opened or hidden."""
    while isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl_instance
    return kind


# Writing


@contextlib.contextmanager
def one_moment(session: Session) -> Iterator[Session]:
    """Yield a session that sees nothing of what others write meanwhile."""
    level = {} if _is_sqlite(session) else {"isolation_level": "REPEATABLE READ"}
    with session.get_bind().engine.connect().execution_options(**level) as connection, Session(connection) as moment:
        yield moment


def iterate_changed(session: Session) -> Iterator[str]:
    """Yield a line for each row that changed.

    It has the table, the key, and the row as it is now, or nothing for one that is gone. To be called in a
    transaction that sees one moment only.
    """
    by_name = {table.name: table for table in list_tables()}
    for name, keys in sorted(journal.list_keys(session).items()):
        if name in by_name:
            yield from _iterate_table(session, by_name[name], keys)


def _iterate_table(session: Session, table: sa.Table, keys: list[str]) -> Iterator[str]:
    columns = [sa.column(column.name, _plain_type(column.type)) for column in table.primary_key.columns]
    names = [column.name for column in table.columns]
    rest: list[Any] = [sa.literal_column(f'to_jsonb("{table.name}")::text')]
    if _is_sqlite(session):
        rest = [sa.literal_column(f'"{name}"') for name in names]
    query = sa.select(*columns, *rest).select_from(sa.table(table.name))
    for start in range(0, len(keys), CHUNK):
        waiting = {tuple(_read_key(columns, key)): key for key in keys[start : start + CHUNK]}
        for row in session.execute(query.where(_match(columns, list(waiting)))):
            key = waiting.pop(tuple(row[: len(columns)]))
            values = row[len(columns) :]
            content = _write_values(names, values) if _is_sqlite(session) else values[0]
            yield f"{table.name}\t{key}\t{content}\n"
        yield from (f"{table.name}\t{key}\t\n" for key in waiting.values())


def _match(columns: list[Any], keys: list[tuple[Any, ...]]) -> Any:
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return sa.tuple_(*columns).in_(keys)


def _read_key(columns: list[Any], key: str) -> list[Any]:
    values = json.loads(key)
    return [
        bytes.fromhex(value) if isinstance(column.type, sa.LargeBinary) else value
        for column, value in zip(columns, values, strict=True)
    ]


def _write_values(names: list[str], values: Any) -> str:
    """Return a row of SQLite as JSON; bytes in a list of their own, since JSON has none."""
    plain = [[base64.b64encode(value).decode()] if isinstance(value, bytes) else value for value in values]
    return json.dumps(dict(zip(names, plain, strict=True)))


def list_key_columns() -> dict[str, list[str]]:
    """Return the columns of each table's primary key, in the order of the keys of rows."""
    return {table.name: list(table.primary_key.columns.keys()) for table in list_tables()}


def list_sequences(session: Session) -> dict[str, int]:
    """Return how far the numbers of rows were given out.

    None may be given out twice, also not that of a row that is gone.
    """
    query = "SELECT name, seq FROM sqlite_sequence"
    if not _is_sqlite(session):
        query = (
            "SELECT sequencename, last_value FROM pg_sequences"
            " WHERE schemaname = current_schema() AND last_value IS NOT NULL"
        )
    return {row[0]: row[1] for row in session.execute(sa.text(query)) if row[0] not in LEFT_OUT}


# Putting back


def apply_to_sqlite(path: Path, segments: Iterable[SegmentRows]) -> None:
    """Bring a SQLite file that nobody uses up to the last of some segments.

    Each is a file of rows and how far numbers were given out. Raises RowProblem, and changes nothing, when they do not fit.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("BEGIN IMMEDIATE")
        try:
            triggers = connection.execute(
                f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{PREFIX}%'"
            ).fetchall()
            for (name,) in triggers:
                connection.execute(f'DROP TRIGGER "{name}"')
            for table in EMPTIED:
                connection.execute(f'DELETE FROM "{table}"')
            for segment in segments:
                _apply_rows(_SqliteTarget(connection), segment)
                for name, number in segment.sequences.items():
                    connection.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (number, name))
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
            if orphans:
                raise RowProblem(f"{len(orphans)} rows are without their parent")
            connection.execute("COMMIT")
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise RowProblem(type(error).__name__) from None


def apply_to_postgresql(engine: sa.Engine, segments: Iterable[SegmentRows]) -> None:
    """Bring a PostgreSQL database up to the last of some segments, as `apply_to_sqlite` does."""
    try:
        with Session(engine) as session:
            drop_triggers(session)  # in transactions of their own
            connection = session.connection()
            for table in EMPTIED:
                connection.exec_driver_sql(f'DELETE FROM "{table}"')
            # Passing over foreign keys is for the database's administrator; their owner may drop them and set them again.
            keys = connection.exec_driver_sql(FOREIGN_KEYS).all()
            for table, name, _ in keys:
                connection.exec_driver_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            for segment in segments:
                _apply_rows(_PostgresTarget(connection), segment)
                for name, number in segment.sequences.items():
                    advance = sa.text("SELECT setval(CAST(quote_ident(:name) AS regclass), :number)")
                    connection.execute(advance, {"name": name, "number": number})
            for table, name, definition in keys:
                connection.exec_driver_sql(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
            session.commit()
    except (sa.exc.DBAPIError, ValueError, KeyError, TypeError) as error:
        raise RowProblem(type(getattr(error, "orig", None) or error).__name__) from None


FOREIGN_KEYS = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype = 'f' AND conparentid = 0 AND connamespace = current_schema()::regnamespace"
)


def _apply_rows(target: "_SqliteTarget | _PostgresTarget", segment: SegmentRows) -> None:
    """Put the rows of a segment into their tables.

    All earlier versions go first: a value that must be there once may have moved from one row to another.
    """
    for table, lines in _group(segment.path):
        target.delete(table, segment.keys[table], [key for key, _ in lines])
    for table, lines in _group(segment.path):
        target.insert(table, [content for _, content in lines if content])


def _group(rows: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the lines of a file of rows, some at a time, all of one table."""
    with rows.open(encoding="utf-8", newline="\n") as file:
        parts = (line.rstrip("\n").split("\t", 2) for line in file)
        for table, group in itertools.groupby(parts, key=lambda part: part[0]):
            if table in LEFT_OUT:
                raise ValueError(table)
            while lines := [(key, content) for _, key, content in itertools.islice(group, CHUNK)]:
                yield table, lines


class _SqliteTarget:
    def __init__(self, connection: sqlite3.Connection):
        self.connection = connection

    def delete(self, table: str, columns: list[str], keys: list[str]) -> None:
        kinds = dict(self.connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,)))
        where = " AND ".join(f'"{name}" = ?' for name in columns)
        values = []
        for key in keys:
            parts = zip(json.loads(key), columns, strict=True)
            values.append([bytes.fromhex(part) if kinds[name] == "BLOB" else part for part, name in parts])
        self.connection.executemany(f'DELETE FROM "{table}" WHERE {where}', values)

    def insert(self, table: str, contents: list[str]) -> None:
        columns = [row[0] for row in self.connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        marks = ", ".join("?" * len(columns))
        names = ", ".join(f'"{name}"' for name in columns)
        rows = []
        for content in contents:
            values = json.loads(content)
            rows.append([_read_value(values[name]) for name in columns])
        self.connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)


def _read_value(value: Any) -> Any:
    return base64.b64decode(value[0]) if isinstance(value, list) else value


class _PostgresTarget:
    def __init__(self, connection: sa.Connection):
        self.connection = connection
        self.schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()

    def delete(self, table: str, columns: list[str], keys: list[str]) -> None:
        target = sa.Table(table, sa.MetaData(), autoload_with=self.connection, resolve_fks=False)
        parts = [target.c[name] for name in columns]
        query = target.delete().where(_match(parts, [tuple(_read_key(parts, key)) for key in keys]))
        self.connection.execute(query)

    def insert(self, table: str, contents: list[str]) -> None:
        if contents:
            # With its schema: “record” alone is a type of PostgreSQL's own.
            kind = f'CAST(NULL AS "{self.schema}"."{table}")'
            rows = f"SELECT * FROM jsonb_populate_recordset({kind}, CAST(:rows AS jsonb))"
            query = sa.text(f'INSERT INTO "{table}" {rows}')
            self.connection.execute(query, {"rows": f"[{','.join(contents)}]"})
