"""Remove what was in clear before content was sealed from the database's files.

A change of a row leaves its earlier bytes in the file or in the log until the space is used again.
"""

from typing import Any

import sqlalchemy as sa

from fieldapp.store import tables
from fieldapp.store.sealing import CODE_KEYS, HiddenCode, HiddenKey, SealedBytes


def list_closed_tables() -> list[str]:
    """Return the tables that have a column in which values are sealed or hidden."""
    return [table.name for table in tables.metadata.sorted_tables if any(map(_is_closed, table.columns))]


def _is_closed(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, SealedBytes | HiddenCode | HiddenKey)


def has_clear_text(engine: sa.Engine) -> bool:
    """Say whether the database's files may still have in clear what is sealed by now."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(CODE_KEYS.name):
            return False
        return connection.execute(sa.select(CODE_KEYS.c.kid).where(~CODE_KEYS.c.is_swept)).first() is not None


def sweep_clear_text(engine: sa.Engine) -> None:
    """Rewrite the database's files where rows were sealed after they were written.

    Killed in between, the next upgrade or start does it. Nobody else may use the database meanwhile.
    """
    if not has_clear_text(engine):
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "sqlite":
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM")
            is_busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if is_busy:  # somebody reads: the pages of before are still in the file
                return
        else:
            for table in list_closed_tables():
                connection.exec_driver_sql(f'VACUUM FULL "{table}"')
    with engine.begin() as connection:
        connection.execute(sa.update(CODE_KEYS).values(is_swept=True))
