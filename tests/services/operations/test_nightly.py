"""Backups that make themselves each night: when they are due, which old ones go, what the operator hears."""

import datetime as dt
import os
import zoneinfo
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp import settings as settings_module
from fieldapp.jobs.timetable import back_up_each_night, write_journal_each_minute
from fieldapp.services.consent.retention_rules import load_rules
from fieldapp.services.operations.backup import marks
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import back_up_off_machine
from fieldapp.services.operations.backup.marks import BackupNotes, CopiesState, judge_backups
from fieldapp.services.operations.backup.names import NamedBackup, make_name, parse_names
from fieldapp.services.operations.backup.old_backups import choose_old, find_oldest
from fieldapp.services.operations.backup.schedule import find_last_night, is_backup_due
from fieldapp.services.transports.stores import FolderStore
from fieldapp.settings import Settings, SettingsProblem
from fieldapp.store.operations import centre_log
from tests.cast import Cast
from tests.commands import run_command
from tests.services.operations.backups import Custodians, Phone
from tests.services.servers import smtp_server

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the other database would show nothing else
NOW = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TORONTO = zoneinfo.ZoneInfo("America/Toronto")


@pytest.fixture
def here(settings: Settings, tmp_path: Path) -> Settings:
    """A server with custodians, a place, and a backup that is due since an hour."""
    (tmp_path / "place").mkdir()
    custodians = Custodians(tmp_path / "keys")
    an_hour_ago = dt.datetime.now(TORONTO) - dt.timedelta(hours=1)
    return replace(
        settings,
        copies=str(tmp_path / "place"),
        custodians=str(custodians.public),
        backup_at=f"{an_hour_ago:%H:%M}",
    )


def list_place(settings: Settings) -> list[str]:
    assert settings.copies_folder
    return [backup.name for backup in parse_names(FolderStore(settings.copies_folder).list_names())]


def named(days: float, epoch: int = 0) -> NamedBackup:
    """A backup that was made some days ago."""
    (backup,) = parse_names([make_name(NOW - days * DAY, epoch, "ab" * 32)])
    return backup


def days_kept(backups: list[NamedBackup], limit: dt.timedelta = 35 * DAY) -> list[int]:
    old = choose_old(backups, NOW, limit)
    return sorted(round((NOW - backup.made_at) / DAY) for backup in backups if backup not in old)


def test_of_every_night_stay_fourteen_days_then_weeks_and_none_beyond_the_promise() -> None:
    every_night = [named(days) for days in range(400)]
    assert days_kept(every_night) == [*range(15), 15, 22, 29]
    assert load_rules().copies == 35 * DAY, "what a proof of erasure says of backups"
    kept = days_kept(every_night)
    for _ in range(3):  # the rule on what is left changes nothing
        assert days_kept([named(days) for days in kept]) == kept


def test_night_after_night_none_is_ever_older_than_the_promise() -> None:
    backups: list[NamedBackup] = []
    for night in range(100):
        moment = NOW + night * DAY
        backups += parse_names([make_name(moment, 0, "ab" * 32)])
        old = choose_old(backups, moment, 35 * DAY)
        backups = [backup for backup in backups if backup not in old]
        assert min(backup.made_at for backup in backups) > moment - 35 * DAY
    assert 16 <= len(backups) <= 19


def test_the_two_newest_stay_however_old_they_are() -> None:
    assert days_kept([named(300), named(301), named(302)]) == [300, 301]
    assert days_kept([named(0.1), named(0.2), named(0.3)]) == [0, 0], "both hold what phones have deleted"
    after_a_restore = [named(3), named(5, epoch=7), named(6, epoch=7)]
    assert choose_old(after_a_restore, NOW, 4 * DAY) == [], "the newest are those of the newest epoch"


def test_a_backup_is_due_each_night_and_what_was_missed_is_due_too(here: Settings, phone: Phone, session: Session) -> None:
    here = replace(here, backup_at="02:30")
    night = find_last_night(session, here, NOW)
    assert night.astimezone(TORONTO).isoformat() == "2026-11-30T02:30:00-05:00"
    assert find_last_night(session, here, night - dt.timedelta(minutes=1)) == night - DAY
    assert is_backup_due(BackupNotes(), night, NOW)
    assert is_backup_due(BackupNotes(safe_at=night - dt.timedelta(minutes=1)), night, NOW)
    assert not is_backup_due(BackupNotes(safe_at=night), night, NOW)
    assert is_backup_due(BackupNotes(safe_at=NOW + 400 * DAY), night, NOW), "by a clock that was wrong"
    tried = BackupNotes(tries=1, tried_at=NOW - dt.timedelta(minutes=29))
    assert not is_backup_due(tried, night, NOW)
    assert is_backup_due(tried, night, NOW + dt.timedelta(minutes=2))


@pytest.mark.parametrize("time", ["2:30", "24:00", "night", "02:60", ""])
def test_a_time_that_is_none_stops_the_start(time: str) -> None:
    with pytest.raises(SettingsProblem, match="FIELDAPP_BACKUP_AT"):
        settings_module.read({"FIELDAPP_BACKUP_AT": time})


def test_how_it_stands_is_judged_by_what_was_noted(here: Settings) -> None:
    assert judge_backups(replace(here, copies=""), NOW).copies is CopiesState.NO_PLACE
    assert judge_backups(here, NOW).copies is CopiesState.OLD
    marks.save_last_backup(here, NOW - 1.9 * DAY, "/place/1", is_safe=True)
    assert judge_backups(here, NOW).copies is CopiesState.FINE
    marks.change_notes(here, tries=1, tried_at=NOW)
    assert judge_backups(here, NOW).copies is CopiesState.FINE, "it is tried again in half an hour"
    marks.change_notes(here, tries=2)
    assert judge_backups(here, NOW).copies is CopiesState.FAILED
    marks.save_last_backup(here, NOW, "/place/2", is_safe=True)
    assert judge_backups(here, NOW).copies is CopiesState.FINE
    assert judge_backups(here, NOW + 2.1 * DAY).copies is CopiesState.OLD
    assert judge_backups(here, NOW - 2 * DAY).copies is CopiesState.OLD, "a moment to come is not believed"
    (here.folder / marks.NAME).write_text("{")
    assert judge_backups(here, NOW).copies is CopiesState.OLD


def test_notes_of_the_version_before_are_read(here: Settings) -> None:
    here.folder.mkdir(parents=True)
    (here.folder / marks.NAME).write_text(f'{{"at": "{NOW.isoformat()}", "where": "/x/1", "safe_at": ""}}')
    assert marks.read_notes(here) == BackupNotes(at=NOW, where="/x/1")


def test_the_scheduler_makes_it_once_a_night_and_phones_hear_of_it(
    here: Settings, phone: Phone, session: Session, cast: Cast
) -> None:
    phone.send(session, phone.make())
    back_up_each_night(session, replace(here, copies=""))
    assert list_place(here) == []
    for count in (1, 2, 2):  # a journal can go on once there are two
        back_up_each_night(session, here)
        assert len(list_place(here)) == count
    notes = marks.read_notes(here)
    assert (notes.tries, notes.problem) == (0, "")
    assert notes.oldest_at == notes.first_safe_at
    assert notes.at == notes.safe_at
    assert find_oldest(here) is not None
    session.rollback()
    assert centre_log.read_head(session, cast.centre.id).safe == 1
    phone.send(session, phone.make())
    write_journal_each_minute(session, here)
    session.rollback()
    assert centre_log.read_head(session, cast.centre.id).safe == 2
    marks.change_notes(here, safe_at=notes.safe_at - DAY if notes.safe_at else None)  # a night later
    back_up_each_night(session, here)
    assert len(list_place(here)) == 2, "of one day the two newest stay"


@on_sqlite
def test_a_journal_that_is_late_is_said_by_the_doctor_and_noted(
    here: Settings, phone: Phone, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    session.rollback()
    back_up_off_machine(here)
    assert here.copies_folder
    here.copies_folder.rename(here.copies_folder.with_name("unmounted"))
    with smtp_server() as (address, mailbox):
        mailing = replace(here, smtp_url=address, mail_from="centre@example.org", alerts_to="operator@example.org")
        for _ in range(12):
            phone.send(session, phone.make())
            write_journal_each_minute(session, mailing)
        (message,) = mailbox.messages
    assert "is mounted" in message.get_payload(decode=True).decode()  # type: ignore[union-attr]
    notes = marks.read_notes(here)
    assert notes.journal_tries == 12
    assert notes.first_safe_at
    assert not judge_backups(here, notes.first_safe_at + dt.timedelta(minutes=9)).is_journal_late
    assert judge_backups(here, notes.first_safe_at + dt.timedelta(minutes=11)).is_journal_late
    marks.change_notes(here, first_safe_at=notes.first_safe_at - dt.timedelta(minutes=11))
    told = run_command({**os.environ, **here.environment()}, "doctor")
    assert "is on this machine only" in told.stderr and "is mounted" in told.stderr
    here.copies_folder.with_name("unmounted").rename(here.copies_folder)
    write_journal_each_minute(session, here)
    assert not judge_backups(here, dt.datetime.now(dt.UTC)).is_journal_late


@on_sqlite
def test_a_backup_that_fails_is_tried_again_noted_and_mailed(
    here: Settings, phone: Phone, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    assert here.copies_folder
    here.copies_folder.rmdir()
    with smtp_server() as (address, mailbox):
        mailing = replace(here, smtp_url=address, mail_from="centre@example.org", alerts_to="operator@example.org")
        for tries in range(1, 5):
            back_up_each_night(session, mailing)
            assert marks.read_notes(here).tries == tries
            back_up_each_night(session, mailing)  # too early
            assert marks.read_notes(here).tries == tries
            marks.change_notes(here, tried_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=31))
        (message,) = mailbox.messages
    assert "is mounted" in message.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "is mounted" in marks.read_notes(here).problem
    assert judge_backups(here, dt.datetime.now(dt.UTC)).copies is CopiesState.OLD
    told = run_command({**os.environ, **here.environment()}, "doctor")
    assert told.returncode == 1
    assert "The backup failed" in told.stderr and "4 tries" in told.stderr
    here.copies_folder.mkdir()
    back_up_each_night(session, here)
    assert marks.read_notes(here).tries == 0


@on_sqlite
def test_old_ones_go_when_a_new_one_is_there(here: Settings, phone: Phone, tmp_path: Path) -> None:
    assert here.copies_folder
    now = dt.datetime.now(dt.UTC)
    # Noon, so that none falls into the day of another.
    noon = now.replace(hour=12, minute=0) - DAY
    for days in (1, 2, 40, 41, 300):
        (here.copies_folder / make_name(noon - days * DAY, 0, "ab" * 32)).write_bytes(b"an older one")
    (here.copies_folder / "holiday.jpg").write_bytes(b"not ours")
    back_up_off_machine(here)
    assert len(list_place(here)) == 3
    assert (here.copies_folder / "holiday.jpg").exists()
    assert find_oldest(here) == parse_names(list_place(here))[0].made_at
    (here.copies_folder / "by-hand.age").write_bytes(b"nobody knows of when")
    assert find_oldest(here) is None


@on_sqlite
def test_what_cannot_be_deleted_makes_no_backup_fail(here: Settings, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with an account that may only add."""
    assert here.copies_folder
    (here.copies_folder / make_name(dt.datetime.now(dt.UTC) - 300 * DAY, 0, "ab" * 32)).write_bytes(b"an older one")
    (here.copies_folder / make_name(dt.datetime.now(dt.UTC) - 301 * DAY, 0, "ab" * 32)).write_bytes(b"an older one")
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> Any:
        if path.name.startswith("fieldapp-") and path.name.endswith(".age"):
            raise PermissionError(13, "Permission denied")
        return unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert back_up_off_machine(here).is_safe
    monkeypatch.undo()
    told = run_command({**os.environ, **here.environment()}, "doctor")
    assert "old backups could not be deleted" in told.stdout
    back_up_off_machine(here)
    assert "could not be deleted" not in run_command({**os.environ, **here.environment()}, "doctor").stdout


@on_sqlite
def test_a_clock_that_was_ahead_is_noticed(here: Settings, phone: Phone) -> None:
    assert here.copies_folder
    (here.copies_folder / make_name(dt.datetime.now(dt.UTC) + 400 * DAY, 0, "ab" * 32)).write_bytes(b"of another time")
    with pytest.raises(BackupProblem, match="clock of this machine"):
        back_up_off_machine(here)


@on_sqlite
def test_doctor_says_what_could_be_safer(here: Settings, phone: Phone, tmp_path: Path) -> None:
    back_up_off_machine(here)
    told = run_command({**os.environ, **here.environment()}, "doctor")
    assert "FIELDAPP_DRILL_KEY" in told.stdout and "last backup was made" in told.stdout
    told = run_command({**os.environ, **replace(here, custodians="").environment()}, "doctor")
    assert "backups are not encrypted" in told.stdout
    (tmp_path / "one").write_text("age1x\n")
    told = run_command({**os.environ, **replace(here, custodians=str(tmp_path / "one")).environment()}, "doctor")
    assert "is no public age key" in told.stderr
