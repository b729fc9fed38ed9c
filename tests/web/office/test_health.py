"""What would not work is found before it is needed: by doctor, on the office's home page, by mail, at /healthz and /metrics."""

import datetime as dt
import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.app import create_app
from fieldapp.cli.serve import listener_at, serve_on
from fieldapp.jobs import timetable
from fieldapp.services.acts import utcnow
from fieldapp.services.operations.centres import add_first_admin
from fieldapp.services.operations.health_notes import HealthNotes, read_notes, save_notes
from fieldapp.settings import Settings, SettingsProblem, read
from fieldapp.store import migrations
from fieldapp.store.operations.centres import Centre
from fieldapp.store.releases import releases
from fieldapp.web.public import views
from fieldapp.web.sessions import db
from tests.cast import Cast
from tests.commands import Ended, run_command
from tests.opening import open_engine
from tests.services.servers import smtp_server

TOKEN = "a" * 20


def run(settings: Settings, *arguments: str, **more: str) -> Ended:
    return run_command({"PATH": os.environ["PATH"], **settings.environment(), **more}, *arguments)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Settings]:
    """A real centre's folder, as its operator left it."""
    settings = Settings(data=str(tmp_path / "data"), secret_key="k" * 64, port=str(find_free_port()))
    engine = open_engine(settings)
    migrations.upgrade(engine)
    with Session(engine, expire_on_commit=False) as session:
        centre = Centre(slug="rexdale", name="Rexdale", created_at=utcnow())
        session.add(centre)
        session.commit()
        add_first_admin(session, centre, "rosa")
    engine.dispose()
    yield settings


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def list_cookies(client: Any) -> list[str]:
    return [f"{cookie.key}={cookie.value}" for cookie in client._cookies.values()]


def write(settings: Settings, query: str, *values: object) -> None:
    with sqlite3.connect(settings.folder / "fieldapp.db") as connection:
        connection.execute(query, values)


def test_what_is_well_is_said_to_be_well(here: Settings) -> None:
    told = run(here, "doctor")
    assert (told.returncode, "All is well" in told.stdout) == (0, True), told.stderr
    assert "nobody is told by mail" in told.stdout


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"FIELDAPP_SMTP_URL": "smtp://127.0.0.1:1", "FIELDAPP_MAIL_FROM": "a@example.org"}, "Mail cannot be sent"),
        ({"FIELDAPP_SMTP_URL": "smtp://127.0.0.1:1"}, "Mail cannot be sent"),
        ({"FIELDAPP_ALERTS_TO": "a@example.org"}, "no mail server"),
        ({"FIELDAPP_SECURE_COOKIES": "true"}, "FIELDAPP_SECURE_COOKIES must be yes or no"),
        ({"FIELDAPP_METRICS_TOKEN": "short"}, "at least 20 characters"),
        ({"FIELDAPP_COPIES": "/nowhere/at/all"}, "/nowhere/at/all"),
    ],
)
def test_doctor_finds_a_setting_that_would_not_work(here: Settings, variables: dict[str, str], words: str) -> None:
    told = run(here, "doctor", **variables)
    assert (told.returncode, words in told.stderr) == (1, True), told.stderr


def test_doctor_asks_a_mail_server_that_works_and_sends_nothing(here: Settings) -> None:
    with smtp_server() as (url, mailbox):
        told = run(here, "doctor", FIELDAPP_SMTP_URL=url, FIELDAPP_MAIL_FROM="a@example.org")
        assert told.returncode == 0, told.stderr
        assert not mailbox.messages


def test_doctor_finds_a_scheduler_that_stopped_or_never_ran(here: Settings) -> None:
    write(here, "UPDATE centre SET created_at = '2020-01-01 00:00:00'")
    assert "The scheduler never ran" in run(here, "doctor").stderr
    write(here, "INSERT INTO scheduler_beat (id, at) VALUES (1, '2020-01-01 00:00:00')")
    assert "The scheduler was last active 2020-01-01" in run(here, "doctor").stderr
    assert "scheduler" not in run(here, "doctor", "--note").stderr  # the scheduler itself has this run


def test_doctor_finds_a_clock_that_is_behind(here: Settings) -> None:
    write(here, "UPDATE audit SET at = '2199-01-01 00:00:00'")
    assert "The clock of this machine is behind" in run(here, "doctor").stderr


def test_doctor_finds_something_else_at_the_servers_port(here: Settings) -> None:
    with smtp_server() as (url, _):
        told = run(here, "doctor", FIELDAPP_PORT=url.rpartition(":")[2])
    assert "Something else than fieldapp answers" in told.stderr


def test_doctor_hears_from_the_server_that_it_is_not_ready(
    settings: Settings, web_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "has_room", lambda folder: False)
    chosen = Settings(**{**settings.__dict__, "port": "0"})
    listener = listener_at(chosen)
    threading.Thread(target=serve_on, args=(chosen, listener), daemon=True).start()
    told = run(settings, "doctor", FIELDAPP_PORT=str(listener.getsockname()[1]))
    assert "The server is not ready: The disk is full." in told.stderr


def test_what_was_found_is_noted_and_a_damaged_note_is_none(here: Settings) -> None:
    assert run(here, "doctor", "--note", FIELDAPP_ALERTS_TO="a@example.org").returncode == 1
    notes = read_notes(here)
    assert notes is not None
    assert any("no mail server" in problem for problem in notes.problems)
    assert notes.is_recent(utcnow())
    assert not notes.is_recent(utcnow() + dt.timedelta(hours=4))
    (here.folder / "last-check.json").write_text("{")
    assert read_notes(here) is None


def test_what_is_new_is_mailed_once(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    mails: list[str] = []
    monkeypatch.setattr(timetable, "send_alert", lambda settings, text: mails.append(text))
    found: list[tuple[str, ...]] = [("One thing.",), ("One thing.",), ("One thing.", "Another."), ()]
    moments = iter(range(4))

    def check(settings: Settings, arguments: list[str]) -> str:
        number = next(moments)
        save_notes(settings, HealthNotes(f"2026-11-30T0{number}:00:00+00:00", found[number], ()))
        return ""

    monkeypatch.setattr(timetable, "run_gently", check)
    engine = open_engine(here)
    with Session(engine) as session:
        for _ in found:
            timetable.check_health(session, here)
    engine.dispose()
    assert [text.splitlines()[1:] for text in mails] == [["- One thing."], ["- Another."]]


def test_the_hourly_check_runs_by_itself(here: Settings) -> None:
    engine = open_engine(here)
    with Session(engine) as session:
        timetable.check_health(session, here)
    engine.dispose()
    assert read_notes(here) is not None


def test_files_are_for_their_owner_alone_whatever_folder_they_lie_in(here: Settings, tmp_path: Path) -> None:
    here.folder.chmod(0o755)
    before = os.umask(0)
    try:
        assert run(here, "doctor", "--note").returncode == 1
        assert run(here, "backup", str(tmp_path / "backup")).returncode == 0
    finally:
        os.umask(before)
    made = [here.folder / "last-check.json", here.folder / "fieldapp.db", *(tmp_path / "backup").rglob("*")]
    assert len(made) > 3
    assert [path for path in made if path.is_file() and path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("command", ["serve", "run"])
def test_nothing_is_served_to_others_under_any_name_or_with_the_demos_password(here: Settings, command: str) -> None:
    refused = run(here, command, FIELDAPP_HOST="0.0.0.0")
    assert (refused.returncode, "Set FIELDAPP_TRUSTED_HOSTS" in refused.stderr) == (1, True)
    engine = open_engine(here)
    with Session(engine) as session:
        user = session.execute(sa.text('SELECT password FROM "user"')).scalar_one()
        assert user
        centre = session.get(Centre, 1)
        assert centre is not None
        add_first_admin(session, centre, "rexdale.admin", "demo-only-password")
    engine.dispose()
    refused = run(here, command, FIELDAPP_HOST="0.0.0.0", FIELDAPP_TRUSTED_HOSTS="a.example.org")
    assert (refused.returncode, "served to this machine only" in refused.stderr) == (1, True)


def test_cookies_are_for_https_only_wherever_others_reach_the_app() -> None:
    def is_secure(**more: str) -> bool:
        return read({f"FIELDAPP_{name.upper()}": value for name, value in more.items()}).is_https_only

    assert not is_secure()
    assert is_secure(host="192.0.2.1")
    assert is_secure(trusted_proxies="1")
    assert not is_secure(host="192.0.2.1", secure_cookies="no")
    assert is_secure(secure_cookies="yes")
    with pytest.raises(SettingsProblem):
        is_secure(secure_cookies="on")


def test_over_https_the_sessions_cookie_is_this_hosts_alone(settings: Settings) -> None:
    for value, begins in (("yes", "__Host-session="), ("no", "session=")):
        made = create_app(Settings(**{**settings.__dict__, "secure_cookies": value}))
        cookie = made.test_client().get("/", base_url="https://localhost/").headers["Set-Cookie"]
        assert cookie.startswith(begins)
        assert ("Secure" in cookie) == (value == "yes")
        assert "Path=/" in cookie and "Domain" not in cookie and "HttpOnly" in cookie
        with made.app_context():
            db.engine.dispose()


def test_healthz_says_that_the_scheduler_is_late_and_stays_ready(app: Flask, web_cast: Cast, settings: Settings) -> None:
    answer = app.test_client().get("/healthz").json
    assert answer == {"ready": True, "reason": "", "scheduler": "late", "replaced": "no", "journal": "off"}
    engine = open_engine(settings)
    with Session(engine) as session:
        releases.record_heartbeat(session, utcnow())
        session.commit()
    engine.dispose()
    assert app.test_client().get("/healthz").json["scheduler"] == "seen"


def test_healthz_is_not_ready_when_nothing_can_be_written(app: Flask, web_cast: Cast, settings: Settings) -> None:
    engine = open_engine(settings)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO scheduler_beat (id, at) VALUES (1, '2026-01-01 00:00:00')")
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE UPDATE ON scheduler_beat BEGIN SELECT RAISE(ABORT, 'cannot be written'); END"
        )
    engine.dispose()
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, "not written" in answer.json["reason"]) == (503, True)


def test_metrics_are_there_for_who_has_the_token_and_say_nothing_of_anybody(
    settings: Settings, web_cast: Cast, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    client = app.test_client()
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    app.config["SETTINGS"] = Settings(**{**settings.__dict__, "metrics_token": TOKEN})
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer é"}).status_code == 404
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    numbers = dict(line.split() for line in answer.text.splitlines() if not line.startswith("#"))
    assert numbers["fieldapp_ready"] == "1"
    assert numbers["fieldapp_scheduler_age_seconds"] == "nan"
    assert set(numbers) == {
        f"fieldapp_{name}"
        for name in (
            "ready", "disk_free_bytes", "problems", "scheduler_age_seconds", "backup_age_seconds", "safe_backup_age_seconds",
            "proved_restore_age_seconds", "check_age_seconds", "journal_age_seconds",
        )
    }  # fmt: skip


def test_the_office_sees_what_the_check_found(
    app: Flask, client_of: Callable[[str], FlaskClient], settings: Settings
) -> None:
    rosa: Any = client_of("rosa")
    assert "hourly check" not in rosa.get("/office/").text
    save_notes(settings, HealthNotes(utcnow().isoformat(), ("Mail cannot be sent: no.",), ("something",)))
    page = rosa.get("/office/").text
    assert "The hourly check of the server found 1 fault" in page
    assert "Mail cannot be sent: no." in page
    save_notes(settings, HealthNotes("2026-01-01T00:00:00+00:00", ("Mail cannot be sent: no.",), ()))
    assert "hourly check" not in rosa.get("/office/").text  # what is old may not be so any more


def test_the_office_sees_that_any_name_is_believed(client_of: Callable[[str], FlaskClient], app: Flask) -> None:
    rosa: Any = client_of("rosa")
    assert "believes any name" not in rosa.get("/office/").text
    elsewhere = {"HTTP_HOST": "outreach.example.org", "HTTP_COOKIE": "; ".join(map(str, list_cookies(rosa)))}
    assert "believes any name" in app.test_client(use_cookies=False).get("/office/", environ_overrides=elsewhere).text
    app.config["TRUSTED_HOSTS"] = ["localhost"]
    for path in ("/", "/office/", "/sync/v1/manifest", "/static/nothing"):
        refused = app.test_client().get(path, base_url="http://outreach.example.org/")
        assert (refused.status_code, "not known by this name" in refused.text) == (400, True)
        assert "outreach" not in refused.text
