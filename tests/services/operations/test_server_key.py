"""The secret key: lost, another one, empty or short, nothing starts; none is made beside what one has wrapped."""

import os
import socket
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from fieldapp.app import create_app
from fieldapp.services import keys
from fieldapp.services.acts import Actor
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.centres import add_first_admin
from fieldapp.services.operations.server_key import load_usable_key
from fieldapp.services.people import accounts
from fieldapp.settings import KeyMissing, KeyProblem, Settings
from fieldapp.store.database import engine_for
from fieldapp.store.operations.centres import Centre
from fieldapp.store.people import users
from tests.cast import Cast
from tests.commands import Ended, run_command
from tests.second_steps import set_up_app

SECRET = "5e" * 32


@pytest.fixture
def wrapped(url: str, tmp_path: Path, session: Session, cast: Cast) -> Settings:
    """A database that holds a key which SECRET wrapped, and a data folder without that secret."""
    keys.current_key(session, cast.centre.id, SECRET)
    session.close()
    return Settings(data=str(tmp_path / "data"), database_url=url)


def put(settings: Settings, key: str) -> None:
    settings.folder.mkdir(mode=0o700, exist_ok=True)
    settings.key_path.write_text(key)
    settings.key_path.chmod(0o600)


STATES = [
    (None, "was lost"),
    ("", "is empty"),
    (" \n", "is empty"),
    ("abc", "too short: 3 bytes"),
    ("x" * 31, "too short"),
    ("x" * 64, "another one"),
]


@pytest.mark.parametrize(("key", "words"), STATES)
def test_a_fatal_state_is_refused_with_what_to_do(wrapped: Settings, session: Session, key: str | None, words: str) -> None:
    if key is not None:
        put(wrapped, key)
    with pytest.raises(KeyProblem, match=words) as refused:
        load_usable_key(session, wrapped)
    assert "Do not make a new one" in str(refused.value)
    assert SECRET not in str(refused.value)
    with pytest.raises(KeyProblem):
        create_app(wrapped)
    assert wrapped.key_path.exists() == (key is not None)  # none was made


def test_the_right_key_is_taken_and_a_first_one_made_only_where_nothing_is_wrapped(
    wrapped: Settings, session: Session
) -> None:
    put(wrapped, SECRET + "\n")
    assert load_usable_key(session, wrapped) == SECRET
    wrapped.key_path.unlink()
    session.execute(sa.text("DELETE FROM centre_key"))
    session.execute(sa.text("DELETE FROM code_key"))
    session.commit()
    made = load_usable_key(session, wrapped)
    assert made == load_usable_key(session, wrapped) == wrapped.key()


def test_a_second_factor_alone_is_reason_enough_to_make_no_key(
    url: str, tmp_path: Path, session: Session, cast: Cast
) -> None:
    set_up_app(session, cast.rosa, SECRET)
    settings = Settings(data=str(tmp_path / "data"), database_url=url)
    with pytest.raises(KeyProblem, match="was lost"):
        load_usable_key(session, settings)
    with pytest.raises(KeyProblem, match="another one"):
        load_usable_key(session, Settings(data=settings.data, database_url=url, secret_key="y" * 32))
    assert load_usable_key(session, Settings(data=settings.data, database_url=url, secret_key=SECRET)) == SECRET


@pytest.mark.parametrize("key", ["short", "x" * 31, " "])
def test_a_short_key_from_the_environment_is_refused_too(key: str) -> None:
    with pytest.raises(KeyProblem, match="FIELDAPP_SECRET_KEY"):
        Settings(secret_key=key).key()
    assert Settings(secret_key="é" * 16).key()  # bytes count, not characters


def test_processes_at_once_agree_on_one_whole_key(tmp_path: Path) -> None:
    for number in range(30):
        settings = Settings(data=str(tmp_path / str(number)))
        with pytest.raises(KeyMissing):
            settings.key()
        barrier, seen = threading.Barrier(4), list[str]()

        def make(settings: Settings = settings, barrier: threading.Barrier = barrier, seen: list[str] = seen) -> None:
            barrier.wait()
            seen.append(settings.make_key())

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 4 and set(seen) == {settings.key()} and len(seen[0]) == 64
        assert [path.name for path in settings.folder.iterdir()] == ["secret_key"]


def test_a_key_that_could_not_be_written_whole_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    settings = Settings(data=str(tmp_path))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        settings.make_key()
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def run(settings: Settings, *arguments: str, **more: str) -> Ended:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    return run_command({**os.environ, **settings.environment(), "FIELDAPP_PORT": port, **more}, *arguments)


COMMANDS = [("serve",), ("run",), ("scheduler",), ("release", "build", "x", "--period", "2026-Q1", "--out", "/tmp/x")]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda one: one[0])
def test_no_command_that_uses_the_key_starts_without_it(wrapped: Settings, arguments: tuple[str, ...]) -> None:
    lost = run(wrapped, *arguments)
    assert (lost.returncode, "was lost" in lost.stderr) == (1, True), lost.stderr
    assert not wrapped.key_path.exists()
    other = run(wrapped, *arguments, FIELDAPP_SECRET_KEY="x" * 40)
    assert (other.returncode, "another one" in other.stderr) == (1, True), other.stderr
    assert "Traceback" not in lost.stderr + other.stderr


def test_doctor_says_it_and_exports_still_work(wrapped: Settings) -> None:
    lost = run(wrapped, "doctor")
    assert (lost.returncode, "PUT RIGHT: There is no secret key" in lost.stderr) == (1, True)
    assert not wrapped.key_path.exists()
    assert run(wrapped, "export", "encounter").returncode == 0  # needs no key: what is open can be saved
    put(wrapped, "x" * 64)
    assert "another one" in run(wrapped, "doctor").stderr
    put(wrapped, SECRET)
    well = run(wrapped, "doctor")
    assert (well.returncode, "All is well" in well.stdout) == (0, True), well.stderr
    empty = run(wrapped, "doctor", FIELDAPP_SECRET_KEY_FILE=os.devnull, FIELDAPP_SECRET_KEY="")
    assert empty.returncode == 1


def test_an_empty_key_file_named_by_a_setting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    environment = {"PATH": os.environ["PATH"], "FIELDAPP_DATA": str(tmp_path / "data")}
    environment["FIELDAPP_SECRET_KEY_FILE"] = str(tmp_path / "key")
    done = run_command(environment, "doctor")
    assert (done.returncode, "the file is empty" in done.stderr) == (1, True)


def test_doctor_sees_what_others_can_read_and_a_damaged_database(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    settings = Settings(data=str(tmp_path))
    assert run(settings, "db", "upgrade").returncode == 0
    assert (tmp_path / "fieldapp.db").stat().st_mode & 0o777 == 0o600
    put(settings, "k" * 64)
    (tmp_path / "secret_key").chmod(0o644)
    found = run(settings, "doctor").stderr
    assert f"chmod 700 {tmp_path}" in found and f"chmod 600 {tmp_path / 'secret_key'}" in found
    (tmp_path / "fieldapp.db").chmod(0o644)  # as an older version left it
    assert run(settings, "db", "upgrade").returncode == 0
    assert (tmp_path / "fieldapp.db").stat().st_mode & 0o777 == 0o600
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"fieldapp.db{suffix}").unlink(missing_ok=True)
    (tmp_path / "fieldapp.db").write_bytes(b"no database" * 5000)
    for arguments in (("doctor",), ("serve",), ("export", "encounter"), ("db", "upgrade")):
        damaged = run(settings, *arguments)
        assert (damaged.returncode, "The database is damaged" in damaged.stderr) == (1, True), damaged.stderr
        assert "sqlalche.me" not in damaged.stderr


def test_the_demo_and_a_real_centre_never_share_a_database(settings: Settings, tmp_path: Path) -> None:
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    with Session(engine, expire_on_commit=False) as session:
        centre = Centre(slug="rexdale", name="Rexdale", created_at=users.dt.datetime.now(users.dt.UTC))
        session.add(centre)
        session.commit()
        add_first_admin(session, centre, "rosa")
    for arguments in (("demo",), ("demo", "--if-empty"), ("run", "--demo")):
        refused = run(settings, *arguments)
        assert (refused.returncode, "real centre" in refused.stderr) == (1, True), refused.stderr
        assert "demo-only-password" not in refused.stdout
    with Session(engine) as session:
        assert session.scalars(sa.text('SELECT username FROM "user"')).all() == ["rosa"]
        accounts.add_person(
            session, Actor.system(centre.id), username="jane.admin", label="x", role="admin", password="demo-only-password"
        )
    engine.dispose()
    assert "whose password is published" in run(settings, "doctor").stderr


def test_a_real_centre_is_not_added_to_the_demo(settings: Settings) -> None:
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    with Session(engine, expire_on_commit=False) as session:
        centre = Centre(slug="rexdale", name="Rexdale", created_at=users.dt.datetime.now(users.dt.UTC))
        session.add(centre)
        session.commit()
        add_first_admin(session, centre, "rexdale.admin", "demo-only-password")
    engine.dispose()
    refused = run(settings, "centre", "add", "parkdale", "Parkdale", "--admin", "rosa")
    assert (refused.returncode, "holds the demo" in refused.stderr) == (1, True)
    again = run(settings, "demo")
    assert (again.returncode, "there already" in again.stderr) == (1, True)


def test_healthz_says_that_a_key_does_not_open_or_the_disk_is_full(
    app: Flask, settings: Settings, web_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_for(settings.url)
    with Session(engine) as session:
        key = keys.current_key(session, web_cast.centre.id, settings.secret_key)
        assert app.test_client().get("/healthz").status_code == 200
        kid = key.kid
        session.execute(sa.text("UPDATE centre_key SET wrapped = :other"), {"other": b"\x01" * 60})
        session.commit()
    engine.dispose()
    sick = app.test_client().get("/healthz")
    assert (sick.status_code, sick.json["ready"]) == (503, False)
    assert "secret key does not open" in sick.json["reason"] and kid not in sick.text
    with Session(engine_for(settings.url)) as session:
        session.execute(sa.text("DELETE FROM centre_key"))
        session.commit()
    monkeypatch.setattr("fieldapp.services.disk.NEEDED", 1 << 60)
    full = app.test_client().get("/healthz")
    assert (full.status_code, "full" in full.json["reason"]) == (503, True)
