"""What the database holds, opened, for tests that look for what must not be there any more."""

import datetime as dt
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from fieldapp.services.keys import attach_keys
from fieldapp.settings import Settings
from fieldapp.store import tables
from fieldapp.store.base import Base
from fieldapp.store.database import engine_for
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from fieldapp.store.sealing import HiddenCode, HiddenKey, find_sealer, list_sealed, make_row_name
from fieldapp.store.sweeping import list_closed_tables

MODELS = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}

CLOSED = list_closed_tables()


def iterate_rows(session: Session, table: sa.Table) -> Iterator[dict[str, Any]]:
    """Yield a table's rows with what is sealed opened."""
    model = MODELS[table.name]
    for row in session.execute(sa.select(table)).mappings().all():
        values = dict(row)
        for sealed in list_sealed(model):
            column = sealed.column_of(model)
            name = make_row_name([row[part] for part in sealed.rows])
            plain = sealed.open(model, row.get("centre_id", 0), name, row[column])
            values[column] = sealed.decode(plain) if plain else sealed.make_empty()
        yield values


def everything(session: Session, *without: str) -> str:
    """Return all that the database holds, but for some tables and forms, opened."""
    held = []
    for table in tables.metadata.sorted_tables:
        if table.name not in without and not table.name.startswith("form"):
            held += [repr(tuple(row.values())) for row in iterate_rows(session, table)]
    return "\n".join(held)


def list_bodies(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Submission.body)))


def list_told(session: Session, text: str) -> list[str]:
    """Return the keys of what phones are told that has a text in it."""
    told = session.execute(sa.select(PullItem.key, PullItem.body).order_by(PullItem.key))
    return [key for key, body in told if text in body]


def put_told(session: Session, centre_id: int, user_id: int, key: str, body: str) -> None:
    """Put something back that a phone was told, under the number that it has."""
    sealer = find_sealer(session, centre_id).for_rows_without_centre()
    sealed = sealer.seal_text("feed_item", "body", f"{user_id}|{key}", body)
    ours = sa.and_(PullItem.user_id == user_id, PullItem.key == key)
    session.execute(sa.update(PullItem).where(ours).values(sealed_body=sealed))


def put_body(session: Session, submission_id: int, body: str) -> None:
    session.get_one(Submission, submission_id).body = body
    session.flush()


def put_answers(session: Session, record_id: int, answers: dict[str, Any]) -> None:
    session.get_one(Record, record_id).answers = answers
    session.flush()


def query_in_clear(data: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return what a query finds in the SQLite database of a data folder, as if nothing there was sealed or hidden."""
    source = sqlite3.connect(data / "fieldapp.db")
    named = [name for name in CLOSED if re.search(rf"\b{name}\b", query)]
    if not named:
        return source.execute(query, values).fetchall()
    engine = engine_for(f"sqlite:///{data / 'fieldapp.db'}")
    attach_keys(engine, Settings(data=str(data)))
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))  # so that codes are looked for with this database's key
    tables_named = [table for table in tables.metadata.sorted_tables if re.search(rf"\b{table.name}\b", query)]
    opened = sqlite3.connect(":memory:")
    for table in tables_named:
        cursor = source.execute(f'SELECT * FROM "{table.name}"')
        names = [column[0] for column in cursor.description]
        columns = ", ".join(f'"{name}"' for name in names)
        opened.execute(f'CREATE TABLE "{table.name}" ({columns})')
        marks = ", ".join("?" * len(names))
        rows = [tuple(_open_row(table, dict(zip(names, row, strict=True))).values()) for row in cursor]
        opened.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', rows)
    engine.dispose()
    source.close()
    return opened.execute(query, values).fetchall()


def _open_row(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    model = MODELS[table.name]
    for column in table.columns:
        if isinstance(column.type, HiddenCode | HiddenKey):
            row[column.name] = column.type.process_result_value(row[column.name], sqlite.dialect())
    for sealed in list_sealed(model):
        closed = sealed.column_of(model)
        parts = [row[part] if part != "at" else dt.datetime.fromisoformat(f"{row[part]}+00:00") for part in sealed.rows]
        plain = sealed.open(model, row.get("centre_id", 0), make_row_name(parts), row[closed])
        row[closed] = plain.decode() if plain or not sealed.is_json else "[]"
    return row
