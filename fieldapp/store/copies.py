"""Complete copies of the database, each of one moment, and how they are restored.

SQLite is copied by its backup API, PostgreSQL by pg_dump.
"""

import contextlib
import datetime as dt
import hashlib
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.store import migrations
from fieldapp.store.operations import centre_log, epochs, journal
from fieldapp.store.operations import keys as centre_keys
from fieldapp.store.operations.journal import ChainEnd
from fieldapp.store.people import second_factors
from fieldapp.store.records.submissions import Submission
from fieldapp.store.releases.releases import Release

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
UNREADABLE = (sa.exc.DatabaseError, sqlite3.DatabaseError)  # the second while a connection is being set up
TRIES = 50  # at counting who else is connected
PAUSE = 0.2  # seconds between two
ASIDE = "replaced_"  # schemas that a restore moved aside begin with this


class CopyProblem(Exception):
    """A database that cannot be copied or restored; the text says why and what to do."""


@dataclass(frozen=True)
class Contents:
    """What a copy contains, read from it or in the same transaction as it."""

    schema: str
    rows: dict[str, int]  # by table
    packages: dict[str, str]  # that must be there: SHA-256 → file name
    keys: list[tuple[str, bytes]]  # wrapped, by number
    factors: list[tuple[int, bytes]]  # wrapped, by person
    position: int  # the highest number of a submission
    epoch: int
    positions: dict[int, int]  # the last place in the log of each centre
    journal: ChainEnd | None = None  # what a journal that goes on from this copy follows


def get_kind(url: str) -> str:
    return sa.make_url(url).get_backend_name()


def close_in_one_file(engine: sa.Engine) -> None:
    """Close a SQLite database with its log written into its file, which is then complete."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def read_contents(session: Session, now: dt.datetime) -> Contents:
    """Return what a database contains.

    Its schema may be older than this code, with tables missing: an upgrade begins with a backup.
    """
    tables = sorted(sa.inspect(session.connection()).get_table_names())
    packages: dict[str, str] = {}
    position = 0
    epoch = 0
    positions: dict[int, int] = {}
    if "release" in tables:
        packages = _list_current_packages(session, now)
    if "submission" in tables:
        position = read_last_submission(session)
    if "epoch" in tables:
        epoch = epochs.current(session)
    if "centre_log" in tables:
        positions = centre_log.list_positions(session)
    end = journal.read_end(session) if "journal_head" in tables else None
    return Contents(
        schema=migrations.revision_of(session.connection()),
        rows=count_rows(session),
        packages=packages,
        keys=centre_keys.all_wrapped(session),
        factors=second_factors.all_wrapped(session),
        position=position,
        epoch=epoch,
        positions=positions,
        journal=end,
    )


def read_last_submission(session: Session) -> int:
    """Return the highest number of a submission."""
    return session.scalars(sa.select(sa.func.coalesce(sa.func.max(Submission.id), 0))).one()


def _count_rows(session: Session, table: str) -> int:
    query = sa.select(sa.func.count()).select_from(sa.table(table))
    return session.scalars(query).one()


def _list_current_packages(session: Session, now: dt.datetime) -> dict[str, str]:
    """Return the packages that can be downloaded now: file name by SHA-256."""
    query = sa.select(Release.sha256, Release.filename)
    columns = {column["name"] for column in sa.inspect(session.connection()).get_columns("release")}
    if "revoked_at" in columns:
        query = query.where(Release.revoked_at.is_(None))
    if "expires_at" in columns:
        query = query.where(sa.or_(Release.expires_at.is_(None), Release.expires_at > now))
    return {row[0]: row[1] for row in session.execute(query)}


def copy_sqlite(source: Path, target: Path, now: dt.datetime) -> Contents:
    """Copy a SQLite file while others write to it, and return what the copy contains.

    Raises CopyProblem when the copy is damaged.
    """
    target.touch(mode=0o600)
    try:
        address = f"{source.resolve().as_uri()}?mode=rw"  # so that a missing file is not created
        with (
            contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as original,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            copy.execute("PRAGMA synchronous=OFF")  # it is made durable as a whole, afterwards
            # One step is one moment; smaller steps begin again whenever somebody writes.
            original.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE")
            check_sqlite(copy)
    except sqlite3.Error as error:
        raise CopyProblem(f"The database could not be copied: {error}. Nothing was kept.") from None
    engine = sa.create_engine(f"sqlite:///{target}")
    try:
        with Session(engine) as session:
            return read_contents(session, now)
    finally:
        engine.dispose()


def check_sqlite(connection: sqlite3.Connection) -> None:
    """Raise CopyProblem unless the file is in order and every row has its parent."""
    problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    orphans = len(connection.execute("PRAGMA foreign_key_check").fetchall())
    if problems != ["ok"] or orphans:
        reason = f"{orphans} rows are without their parent" if orphans else "; ".join(problems)
        text = f"The database is damaged ({reason}). No backup was made; keep the newest good one."
        raise CopyProblem(text)


def dump_postgresql(engine: sa.Engine, target: Path, now: dt.datetime) -> Contents:
    """Dump a PostgreSQL database while others write to it, and return what the dump contains.

    The dump is read to its end, which finds one that was cut short.
    """
    program = _find_program("pg_dump")
    reader = _find_program("pg_restore")
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        moment = connection.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one()
        arguments = [
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--exclude-schema={ASIDE}*",
            f"--snapshot={moment}",
        ]
        target.touch(mode=0o600)
        _run([program, *arguments, f"--file={target}"], engine.url)
        with Session(connection) as session:
            contents = read_contents(session, now)
    _run([reader, "--file=/dev/null", str(target)], None)
    return contents


def _find_program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise CopyProblem(
            f"The program {name} is not here, and PostgreSQL cannot be copied without it. Install PostgreSQL's client "
            "programs of the server's version or newer (Debian: postgresql-client), or add their folder to PATH."
        )
    return path


def _run(command: list[str], url: sa.URL | None) -> None:
    """Run one of PostgreSQL's programs, on the database `url` if there is one.

    The password is passed in the environment, where other users of the machine do not see it.
    """
    environment = dict(os.environ)
    if url is not None:
        plain = sa.URL.create(  # without the password, and without the name of a Python driver
            "postgresql", url.username, None, url.host, url.port, url.database, url.query
        )
        database = f"--dbname={plain.render_as_string(hide_password=False)}"
        command = [command[0], database, *command[1:]]
        if url.password:
            environment["PGPASSWORD"] = str(url.password)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        messages = done.stderr.strip().splitlines()
        reason = messages[0] if messages else done.returncode
        raise CopyProblem(f"{Path(command[0]).name} failed: {reason}")


def count_other_connections(engine: sa.Engine) -> int:
    """Return how many others are connected to a PostgreSQL database.

    Those that are just leaving get ten seconds: the server lists a connection a moment longer than it is open.
    """
    for _ in range(TRIES):
        others = _count_other_connections(engine)
        if not others:
            break
        time.sleep(PAUSE)
    return others


def _count_other_connections(engine: sa.Engine) -> int:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    with engine.connect() as connection:
        count: int = connection.execute(sa.text(query)).scalar_one()
    return count


def has_tables(engine: sa.Engine) -> bool:
    """Say whether a database has tables; a damaged SQLite file counts as having some."""
    try:
        return bool(sa.inspect(engine).get_table_names())
    except UNREADABLE:
        if engine.dialect.name != SQLITE:
            raise
        return True


@contextlib.contextmanager
def put_back_postgresql(engine: sa.Engine, dump: Path, aside: str) -> Iterator[None]:
    """Restore a dump; what was there is moved to the schema `aside`.

    When the restore or the block fails, the former schema comes back.
    """
    reader = _find_program("pg_restore")
    moves = has_tables(engine)
    if moves:
        _execute(engine, f'ALTER SCHEMA public RENAME TO "{aside}"', "CREATE SCHEMA public")
    try:
        _run(
            [reader, "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(dump)],
            engine.url,
        )
        yield
    except BaseException:
        engine.dispose()
        if moves or has_tables(engine):
            back = f'ALTER SCHEMA "{aside}" RENAME TO public' if moves else "CREATE SCHEMA public"
            _execute(engine, "DROP SCHEMA public CASCADE", back)
        raise


@contextlib.contextmanager
def temporary_database(url: str) -> Iterator[str]:
    """Yield the address of a new database on the same PostgreSQL server.

    It is deleted afterwards. Raises CopyProblem when the user may not make one.
    """
    # The same name each time, so that the next test deletes what one left that was killed.
    name = f"fieldapp_drill_{hashlib.sha256(url.encode()).hexdigest()[:12]}"
    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        _make_database(server, drop, f"CREATE DATABASE {name}")
        yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(drop))
        server.dispose()


def _make_database(server: sa.Engine, *statements: str) -> None:
    try:
        with server.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
    except sa.exc.ProgrammingError as error:
        raise CopyProblem(
            f"A database for the test could not be made: {str(error.orig).strip()} Let the server's user make databases: "
            "ALTER ROLE … CREATEDB"
        ) from None


def count_rows(session: Session) -> dict[str, int]:
    """Return how many rows each table has."""
    tables = sorted(sa.inspect(session.connection()).get_table_names())
    return {table: _count_rows(session, table) for table in tables}


def _execute(engine: sa.Engine, *statements: str) -> None:
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
    except sa.exc.ProgrammingError as error:
        raise CopyProblem(
            f"What is in the database could not be moved aside: {str(error.orig).strip()} "
            "Put the copy back into a new, empty database."
        ) from None


def list_handed_out_packages(session: Session) -> dict[str, str]:
    """Return every package that was ever handed out: file name by SHA-256."""
    query = sa.select(Release.sha256, Release.filename)
    return {row[0]: row[1] for row in session.execute(query)}
