"""Engines for SQLite and PostgreSQL, and what their connections and transactions need."""

import contextlib
import threading
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.orm import Session

from fieldapp.store import sealing, tables  # noqa: F401  all of them, or foreign keys would lead nowhere

# SQLite lets one writer in at a time and makes others poll, unfairly.
# A queue in the process is 4 to 9 times better at p99.
_write_lock = threading.RLock()

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit that was confirmed to a phone survives a power cut
    "busy_timeout=10000",
    "foreign_keys=ON",
    "secure_delete=ON",  # what is erased is overwritten, not only unlinked
    "temp_store=MEMORY",  # no answers in temporary files
)
TOO_LARGE = "54"  # class of PostgreSQL's errors for what goes over a limit of its own, such as nesting


def engine_for(url: str) -> sa.Engine:
    """Return an engine for a database URL, ready for use; a SQLite file's folder is made."""
    parsed = sa.make_url(url)
    path = sqlite_file(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _for_owner_only(path)
    engine = sa.create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    prepare(engine)
    return engine


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database; None for another kind, or one in memory."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def read_url(url: str) -> sa.URL:
    """Return the parts of a database URL."""
    return sa.make_url(url)


def _for_owner_only(path: Path) -> None:
    """Let nobody but the owner read a database, whatever its folder allows.

    SQLite gives the files that it makes beside it the same mode.
    """
    with contextlib.suppress(OSError):  # somebody else's: they see to it, and `fieldapp doctor` says so
        path.touch(mode=0o600, exist_ok=True)
        for end in ("", "-wal", "-shm"):
            file = path.with_name(path.name + end)
            if file.exists() and file.stat().st_mode & 0o077:
                file.chmod(0o600)


def prepare(engine: sa.Engine) -> None:
    """Set up an engine: hidden codes; on SQLite durable commits and real transactions."""
    sealing.note_statements(engine)
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


DAMAGED = (
    "The database is damaged. Stop the server and the scheduler, keep the file as it is, "
    "and put the newest backup back: fieldapp restore DIR --replace"
)


def is_sound(session: Session) -> bool:
    """Say whether SQLite finds its file in order; PostgreSQL looks after its own."""
    if session.get_bind().dialect.name != "sqlite":
        return True
    return list(session.connection().exec_driver_sql("PRAGMA quick_check(1)").scalars()) == ["ok"]


def is_outage(error: Exception) -> bool:
    """Say whether an error means that the database cannot be used just now.

    Otherwise the database works and refused what it was given, so trying again is of no use.
    """
    if isinstance(error, OSError | exc.TimeoutError | exc.InterfaceError):
        return True
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return isinstance(error, exc.OperationalError) and not state.startswith(TOO_LARGE)


def try_to_write(session: Session) -> None:
    """Write to the database and take it back.

    Raises OperationalError or another DatabaseError when it cannot be written.
    """
    with WriteTransaction(session):
        session.execute(sa.text("UPDATE scheduler_beat SET at = at"))
        session.rollback()


class ReadTransaction:
    """Read in a transaction of its own, which ends with the block.

    For what reads, then works slowly or waits for a network: no read stays open meanwhile. Rows that
    were read are read again when they are used after the block, so take their values inside it.
    """

    def __init__(self, session: Session):
        self.session = session

    def __enter__(self) -> Session:
        self.session.rollback()
        return self.session

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self.session.rollback()


class WriteTransaction:
    """Begin a transaction that will write, commit at its end, roll back on an error."""

    def __init__(self, session: Session):
        self.session = session
        self.is_sqlite = session.get_bind().dialect.name == "sqlite"

    def __enter__(self) -> Session:
        self.session.rollback()  # a read before this one must not keep an old snapshot
        if self.is_sqlite:
            _write_lock.acquire()
        try:
            self.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        except BaseException:
            self.release()
            raise
        return self.session

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            if kind is None:
                self.session.commit()
            else:
                self.session.rollback()
        finally:
            self.release()

    def release(self) -> None:
        if self.is_sqlite:
            _write_lock.release()
