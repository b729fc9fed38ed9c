"""An upgrade is rehearsed on a copy: it says what changes for people's consent, and the database is as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from fieldapp.cli import cli
from fieldapp.cli.db import REHEARSAL, write_report
from fieldapp.services.consent.card_consent import find_card, lower_card
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.keys import attach_keys
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.consent.overview import ConsentCounts
from fieldapp.store.database import engine_for
from fieldapp.store.records.submissions import Submission
from tests.cast import Cast, publish_others
from tests.services.consent.consents import MAY, intake
from tests.services.consent.endings import CARD, OTHER, send, talked

BEFORE_STANDING = "0015"
BEFORE_CUTTING = "0021"


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("FIELDAPP_DATABASE_URL", settings.url)
    monkeypatch.setenv("FIELDAPP_DATA", str(settings.data))
    monkeypatch.setenv("FIELDAPP_SECRET_KEY", settings.secret_key)
    return CliRunner()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # only SQLite is copied
def test_an_upgrade_is_rehearsed_on_a_copy_that_is_deleted(settings: Settings, web_cast: Cast, command: CliRunner) -> None:
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    with Session(engine) as session:
        send(session, web_cast.amina, talked())
    migrations.downgrade(engine, BEFORE_STANDING)
    left_by_a_kill = settings.folder / f"{REHEARSAL}0"
    left_by_a_kill.mkdir(parents=True)
    rehearsed = command.invoke(cli, ["db", "upgrade", "--rehearse"])
    assert rehearsed.exit_code == 0, rehearsed.output
    assert "people whose consent reaches public totals: 1" in rehearsed.output
    assert "The database is as it was." in rehearsed.output
    assert CARD not in rehearsed.output
    assert not migrations.is_current(engine)
    assert list(settings.folder.glob(f"{REHEARSAL}*")) == []
    upgraded = command.invoke(cli, ["db", "upgrade"])
    assert "people whose consent reaches public totals: 1" in upgraded.output
    assert migrations.is_current(engine)
    assert command.invoke(cli, ["db", "upgrade"]).output == ""  # nothing changes any more


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # only SQLite is copied
def test_what_consent_did_not_reach_before_is_taken_out_and_said(
    settings: Settings, web_cast: Cast, command: CliRunner
) -> None:
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    attach(engine, settings)
    with Session(engine) as session:
        publish_others(session, web_cast)
        send(session, web_cast.amina, intake(CARD, MAY))
        card_id = find_card(session, web_cast.rosa, code=CARD)
        lower_card(session, web_cast.rosa, card_id=card_id, tier=1, reason="in_person")
        send(session, web_cast.amina, intake(OTHER, MAY, tier="2"))
    migrations.downgrade(engine, BEFORE_CUTTING)
    said = "people of whom answers were taken out that their consent does not reach any more: 1\n"
    assert said in command.invoke(cli, ["db", "upgrade", "--rehearse"]).output
    assert command.invoke(cli, ["db", "upgrade"]).output == said
    with Session(engine) as session:
        bodies = "".join(session.scalars(sa.select(Submission.body)))
    assert bodies.count("man_boy") == 1
    assert command.invoke(cli, ["db", "upgrade"]).output == ""


def test_another_database_is_not_copied(command: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIELDAPP_DATABASE_URL", "postgresql:///no_such_database")
    refused = command.invoke(cli, ["db", "upgrade", "--rehearse"])
    assert refused.exit_code == 1
    assert "createdb no_such_database_rehearsal && pg_dump -Fc no_such_database | pg_restore" in refused.output
    assert "no_such_database_rehearsal fieldapp db upgrade" in refused.output


@pytest.mark.slow
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_the_commands_for_postgresql_rehearse_on_a_copy_and_delete_it(
    postgres_url: str, programs: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = engine_for(postgres_url)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("DROP DATABASE IF EXISTS centre"))
        connection.execute(sa.text("CREATE DATABASE centre"))
    old = engine_for(server.url.set(database="centre").render_as_string(hide_password=False))
    migrations.upgrade(old)
    migrations.downgrade(old, BEFORE_STANDING)
    monkeypatch.setenv("FIELDAPP_DATABASE_URL", old.url.render_as_string(hide_password=False))
    monkeypatch.setenv("FIELDAPP_DATA", str(settings.data))
    monkeypatch.setenv("FIELDAPP_SECRET_KEY", settings.secret_key)
    old.dispose()
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    refused = CliRunner().invoke(cli, ["db", "upgrade", "--rehearse"])
    commands = [line for line in refused.output.splitlines() if line.startswith("  ")]
    assert len(commands) == 2
    for line in commands:
        done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert not migrations.is_current(old)
    old.dispose()
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        left = connection.scalars(sa.text("SELECT datname FROM pg_database WHERE datname LIKE 'centre%'")).all()
        connection.execute(sa.text("DROP DATABASE centre"))
    server.dispose()
    assert left == ["centre"]


def test_the_report_says_only_what_changed() -> None:
    before = ConsentCounts({"encounter": 3, "referral": 2}, {3: 5, 1: 2})
    after = ConsentCounts({"encounter": 10, "referral": 2}, {3: 4, 1: 2, 0: 1}, in_doubt=1)
    assert write_report(before, after) == [
        "encounter: 7 records hold only what is kept after a no (3 before)",
        "people whose consent reaches public totals: 4 (5 before)",
        "people whose consent reaches their team: 2 (2 before)",
        "people whose consent reaches nobody: 1 (0 before)",
        "people of whom two answers differ, so that the lower one holds: 1",
    ]
    assert write_report(after, after) == []
