"""An upgrade is rehearsed on a copy: it says what changes for people's consent, and the database is as it was."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from fieldapp.cli import cli
from fieldapp.cli.db import REHEARSAL, write_report
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.consent.overview import ConsentCounts
from fieldapp.store.database import engine_for
from tests.cast import Cast
from tests.services.consent.endings import CARD, send, talked

BEFORE_STANDING = "0015"


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("FIELDAPP_DATABASE_URL", settings.url)
    monkeypatch.setenv("FIELDAPP_DATA", str(settings.data))
    return CliRunner()


def test_an_upgrade_is_rehearsed_on_a_copy_that_is_deleted(settings: Settings, web_cast: Cast, command: CliRunner) -> None:
    engine = engine_for(settings.url)
    with Session(engine) as session:
        send(session, web_cast.amina, talked())
    migrations.downgrade(engine, BEFORE_STANDING)
    left_by_a_kill = settings.folder / f"{REHEARSAL}0"
    left_by_a_kill.mkdir()
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


def test_another_database_is_not_copied(command: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIELDAPP_DATABASE_URL", "postgresql:///no_such_database")
    refused = command.invoke(cli, ["db", "upgrade", "--rehearse"])
    assert refused.exit_code == 1
    assert "restore a backup into another database" in refused.output


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
