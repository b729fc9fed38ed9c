"""seal content by field, hide card codes"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldapp.store import sealing

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

AT_ONCE = 1000
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
# What was text or JSON, by table; in the order in which rows are changed.
CONTENT: dict[str, dict[str, Any]] = {
    "submission": {"body": sa.Text(), "cards": JSON},
    "record": {"answers": JSON, "contested": JSON},
    "review": {"comment": sa.String(500)},
    "feed_item": {"body": sa.Text()},
}
CODES = {
    "card": "code",
    "record": "person",
    "follow_up": "code",
    "card_mention": "code",
    "consent_word": "person",
    "standing": "person",
    "slip": "person",
}
EMPTY = (b"", b"[]")  # what is empty says only that there is nothing
COUNTING = ("card",)  # on SQLite these never give a number twice
Row = dict[str, Any]


def upgrade() -> None:
    op.create_table(
        "code_key",
        sa.Column("kid", sa.String(36), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_swept", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_code_key")),
    )
    _change_types(is_up=True)
    connection = op.get_bind()
    centres = connection.execute(sa.text("SELECT id FROM centre ORDER BY id")).scalars().all()
    if not centres:
        return
    # Clear bytes stay in free pages until they are swept: see fieldapp/store/sweeping.py.
    sealing.add_code_key(connection, is_swept=False)
    sealers = {}
    for centre_id in centres:
        sealing.add_data_key(connection, centre_id)
        sealers[centre_id] = sealing.make_sealer(connection, centre_id)
    hide, _ = sealing.make_code_mappers(connection)

    def seal(table: str, column: str, centre_id: int, row: str, value: bytes) -> bytes:
        sealer = sealers[centre_id] if table != "feed_item" else sealers[centre_id].for_rows_without_centre()
        return b"" if value in EMPTY and column != "answers" else sealer.seal(table, column, row, value)

    _change_all(seal, hide, lambda key: key)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.execute(sa.text("SELECT count(*) FROM centre")).scalar_one():
        _, show = sealing.make_code_mappers(connection)

        def unseal(table: str, column: str, centre_id: int, row: str, value: bytes) -> bytes:
            place = 0 if table == "feed_item" else centre_id
            opened = sealing.open_value(table, column, place, row, value)
            return opened or (b"[]" if column in ("cards", "contested") else b"")

        _change_all(unseal, show, lambda key: sealing.map_key(key, show))
    _change_types(is_up=False)
    op.drop_table("code_key")
    connection.execute(sa.text("DELETE FROM centre_key WHERE purpose = 'data'"))


def _change_types(is_up: bool) -> None:
    """Let content be bytes and codes longer, or the other way; what is in them stays as it is."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for table in dict.fromkeys([*CONTENT, *CODES]):
        columns = CONTENT.get(table, {})
        if not is_sqlite:
            for column, kind in columns.items():
                _change_type_on_postgresql(table, column, kind, is_up)
        last = _read_last_number(connection, table)
        with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": table in COUNTING}) as batch:
            for column, kind in columns.items() if is_sqlite else ():
                types = (kind, sa.LargeBinary()) if is_up else (sa.LargeBinary(), kind)
                batch.alter_column(column, existing_type=types[0], type_=types[1], existing_nullable=False)
            if table in CODES:
                lengths = (9, sealing.CODE_LENGTH) if is_up else (sealing.CODE_LENGTH, 9)
                types = (sa.String(lengths[0]), sa.String(lengths[1]))
                batch.alter_column(CODES[table], existing_type=types[0], type_=types[1], existing_nullable=False)
        if last is not None:
            connection.execute(sa.text("UPDATE sqlite_sequence SET seq = :last WHERE name = :table"), last)
    if is_sqlite and not is_up:
        # Bytes that were cast stay bytes in a column of JSON.
        for table, columns in CONTENT.items():
            for column in columns:
                op.execute(f'UPDATE "{table}" SET "{column}" = CAST("{column}" AS TEXT)')  # noqa: S608  our own names


def _change_type_on_postgresql(table: str, column: str, kind: Any, is_up: bool) -> None:
    if is_up:
        op.execute(f'ALTER TABLE "{table}" ALTER "{column}" DROP DEFAULT')
        change = f"BYTEA USING convert_to(\"{column}\"::text, 'UTF8')"
    else:
        name = kind.compile(dialect=postgresql.dialect()) if not isinstance(kind, sa.JSON) else "JSONB"
        change = f"{name} USING convert_from(\"{column}\", 'UTF8')::{name}"
    op.execute(f'ALTER TABLE "{table}" ALTER "{column}" TYPE {change}')


def _read_last_number(connection: sa.Connection, table: str) -> Row | None:
    """Return the highest number that a table of SQLite ever gave; None where numbers may come again."""
    if connection.dialect.name != "sqlite" or table not in COUNTING:
        return None
    query = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    last = connection.execute(query, {"table": table}).scalar_one_or_none()
    return None if last is None else {"table": table, "last": last}


Change = Callable[[str, str, int, str, bytes], bytes]


def _change_all(change: Change, change_code: Callable[[str], str], clear_key: Callable[[str], str]) -> None:
    """Seal or unseal every row. `clear_key`: what a key of the phones' pull is in clear."""
    connection = op.get_bind()
    for table in ("submission", "record"):
        _change_rows(connection, table, ["id"], change, change_code)
    _change_rows(connection, "review", ["id"], change, change_code)
    for table, keys in {
        "card": ["id"],
        "follow_up": ["id"],
        "card_mention": ["centre_id", "code", "submission_id"],
        "consent_word": ["centre_id", "root_id"],
        "standing": ["centre_id", "person"],
        "slip": ["tag"],
    }.items():
        _change_rows(connection, table, keys, change, change_code)
    _change_pulled(connection, change, change_code, clear_key)
    _change_pieces(connection, change)


def _change_rows(
    connection: sa.Connection, table: str, keys: list[str], change: Change, change_code: Callable[[str], str]
) -> None:
    named = {"submission": ["id"], "record": ["instance_id"], "review": ["root_id", "at", "author_id"]}.get(table, [])
    content = list(CONTENT.get(table, {}))
    code = CODES.get(table)
    for rows in _iterate(connection, table, keys, [*named, *content, *([code] if code else [])]):
        changed = []
        for row in rows:
            values = {f"of_{key}": row[key] for key in keys}
            name = sealing.make_row_name([row[column] for column in named])
            for column in content:
                values[f"to_{column}"] = change(table, column, row["centre_id"], name, bytes(row[column]))
            if code:
                values[f"to_{code}"] = change_code(row[code]) if row[code] else ""
            changed.append(values)
        columns = [*content, *([code] if code else [])]
        setting = ", ".join(f'"{column}" = :to_{column}' for column in columns)
        finding = " AND ".join(f'"{key}" = :of_{key}' for key in keys)
        connection.execute(sa.text(f'UPDATE "{table}" SET {setting} WHERE {finding}'), changed)  # noqa: S608  our own names


def _iterate(connection: sa.Connection, table: str, keys: list[str], columns: list[str]) -> Iterator[list[Row]]:
    """Yield a table's rows as they were before anything changed, in pages.

    Where a code is part of the key, all of them at once: they are short, and a page would move while it changes.
    """
    names = list(dict.fromkeys([*keys, "centre_id", *columns]))
    typed = [sa.column(name, sa.DateTime(timezone=True)) if name == "at" else sa.column(name) for name in names]
    source = sa.select(*typed).select_from(sa.table(table))
    if keys != ["id"]:
        rows = [_read_row(row) for row in connection.execute(source).mappings()]
        for start in range(0, len(rows), AT_ONCE):
            yield rows[start : start + AT_ONCE]
        return
    last = 0
    while rows := [
        _read_row(row)
        for row in connection.execute(source.where(sa.column("id") > last).order_by(sa.column("id")).limit(AT_ONCE)).mappings()
    ]:
        yield rows
        last = rows[-1]["id"]


def _read_row(row: Any) -> Row:
    values = dict(row)
    if isinstance(values.get("at"), dt.datetime) and values["at"].tzinfo is None:
        values["at"] = values["at"].replace(tzinfo=dt.UTC)  # SQLite stores no time zone
    return values


def _change_pulled(
    connection: sa.Connection, change: Change, change_code: Callable[[str], str], clear_key: Callable[[str], str]
) -> None:
    query = sa.text('SELECT user_id, "key", body, centre_id FROM feed_item JOIN "user" ON "user".id = user_id')
    update = sa.text('UPDATE feed_item SET "key" = :to, body = :body WHERE user_id = :user_id AND "key" = :of')
    changed = []
    for user_id, key, body, centre_id in connection.execute(query).all():
        name = f"{user_id}|{clear_key(key)}"
        body = change("feed_item", "body", centre_id, name, bytes(body))
        changed.append({"user_id": user_id, "of": key, "to": sealing.map_key(key, change_code), "body": body})
    for start in range(0, len(changed), AT_ONCE):
        connection.execute(update, changed[start : start + AT_ONCE])


def _change_pieces(connection: sa.Connection, change: Change) -> None:
    places = connection.execute(
        sa.text("SELECT blob_id, start, centre_id FROM blob_piece JOIN blob ON blob.id = blob_id ORDER BY blob_id, start")
    ).all()
    read = sa.text("SELECT data FROM blob_piece WHERE blob_id = :blob_id AND start = :start")
    write = sa.text("UPDATE blob_piece SET data = :data WHERE blob_id = :blob_id AND start = :start")
    for blob_id, start, centre_id in places:  # one at a time: each may be half a megabyte
        place = {"blob_id": blob_id, "start": start}
        data = bytes(connection.execute(read, place).scalar_one())
        sealed = change("blob_piece", "data", centre_id, f"{blob_id}|{start}", data)
        connection.execute(write, {**place, "data": sealed})
