"""Overwrite in the database's files what was erased from its tables.

SQLite overwrites as it erases, but for its log, which is emptied. PostgreSQL leaves every old version of a row in its
table's file: a plain VACUUM frees the room and leaves 46 of 114 erased texts readable there, and 29 of the keys in an
index (decision 35). So each table is written again without them (VACUUM FULL), and then the planner's samples.
"""

import datetime as dt
import time
import zoneinfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.dialects import is_postgresql
from fieldapp.store.operations import centres

LARGE = 128 * 1024 * 1024  # bytes: nobody can use a table while it is written again, about a second for so many
NIGHT = range(1, 5)  # hours, by the clock of the first centre, in which larger ones are written again
WAIT_FOR_READERS = 5.0  # seconds; who reads still sees old versions, and they would be written again too
LOOK_EACH = 0.05
LOCK_TIMEOUT = "SET lock_timeout = '2s'"  # others wait behind a lock that is waited for


class ErasedBytes(Base):
    """That something was erased whose bytes may still lie in the database's files."""

    __tablename__ = "erased_bytes"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    noted_at: Mapped[dt.datetime]


def note_erased(session: Session, now: dt.datetime) -> None:
    """Note in the transaction that erases something that its bytes are to be overwritten."""
    session.add(ErasedBytes(noted_at=now))


def overwrite_noted(session: Session) -> bool:
    """Overwrite what was noted; return whether nothing that was noted before is left."""
    session.rollback()
    last = session.scalars(sa.select(sa.func.coalesce(sa.func.max(ErasedBytes.id), 0))).one()
    session.rollback()
    if is_postgresql(session) and not last:
        return True
    if not overwrite_erased(session):  # SQLite's log is emptied each time: that costs next to nothing
        return False
    if last:
        session.execute(sa.delete(ErasedBytes).where(ErasedBytes.id <= last))
        session.commit()
    return True


def overwrite_erased(session: Session) -> bool:
    """Overwrite what was erased so far; return whether it could be done.

    On SQLite nobody may be reading, on PostgreSQL nobody may read for seconds what was before. It is tried again then.
    """
    session.rollback()
    if is_postgresql(session):
        return _write_tables_again(session)
    with session.get_bind().engine.connect() as connection:
        is_busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not is_busy


def _write_tables_again(session: Session) -> bool:
    is_night = _is_night(session)
    with session.get_bind().engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(LOCK_TIMEOUT)
        try:
            if not _wait_for_readers(connection):
                return False
            sizes = _list_sizes(connection)
            for name, size in sizes.items():
                if size <= LARGE or is_night:
                    connection.exec_driver_sql(f'VACUUM (FULL, ANALYZE) "{name}"')
            # Samples of answers and card codes; only the database's owner may, others are warned and go on.
            connection.exec_driver_sql("VACUUM (FULL) pg_catalog.pg_statistic")
        except sa.exc.OperationalError as error:  # a table is in use
            if connection.invalidated or getattr(error.orig, "sqlstate", "") != "55P03":
                raise
            return False
        finally:
            if not connection.invalidated:
                connection.exec_driver_sql("RESET lock_timeout")
    return is_night or all(size <= LARGE for size in sizes.values())


def _is_night(session: Session) -> bool:
    all_centres = centres.list_all(session)
    zone = zoneinfo.ZoneInfo(all_centres[0].time_zone) if all_centres else dt.UTC
    session.rollback()
    return dt.datetime.now(zone).hour in NIGHT


def _list_sizes(connection: sa.Connection) -> dict[str, int]:
    """Return the sizes of our tables that hold or held anything, with their indexes."""
    query = sa.text(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 0"
    )
    sizes = {row[0]: row[1] for row in connection.execute(query)}
    return {table.name: sizes[table.name] for table in Base.metadata.sorted_tables if table.name in sizes}


# Whoever may still see what was there before this number was given out.
READERS = sa.text("""
    SELECT count(*) FROM (
        SELECT backend_xmin AS xmin FROM pg_stat_activity WHERE pid <> pg_backend_pid()
            AND backend_type <> 'autovacuum worker' AND (datname = current_database() OR datname IS NULL)
        UNION ALL SELECT xmin FROM pg_replication_slots
        UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()
    ) AS readers WHERE xmin IS NOT NULL AND age(xmin) > age(CAST(:number AS xid))
""")


def _wait_for_readers(connection: sa.Connection) -> bool:
    """Wait until nobody can see what was erased; return whether that came."""
    number = connection.exec_driver_sql("SELECT pg_current_xact_id()::xid::text").scalar_one()
    until = time.monotonic() + WAIT_FOR_READERS
    while connection.execute(READERS, {"number": number}).scalar_one():
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_EACH)
    return True
