"""A backup or its test that runs is not called ended, one that was killed is, and one that failed is noted whoever ran it."""

import datetime as dt
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from fieldapp.jobs.timetable import back_up_each_night, prove_a_restore_each_week
from fieldapp.services.operations.backup import marks
from fieldapp.services.operations.backup.create import back_up_off_machine
from fieldapp.services.operations.backup.marks import ENDED, BackupNotes, Work
from fieldapp.services.operations.backup.schedule import is_drill_due
from fieldapp.services.operations.backup.tries import noted_try
from fieldapp.settings import Settings, SettingsProblem
from tests.commands import Ended, run_command
from tests.services.operations.backups import Custodians, Phone

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # notes are files, whatever the database
NOW = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
HOLDING = """
import sys, time
from fieldapp import settings
from fieldapp.services.operations.backup.marks import Work
from fieldapp.services.operations.backup.tries import noted_try
with noted_try(settings.read(), Work[sys.argv[1]]):
    print("running", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def here(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "place").mkdir()
    custodians = Custodians(tmp_path / "keys")
    return replace(
        settings,
        copies=str(tmp_path / "place"),
        custodians=str(custodians.public),
        drill_key=str(tmp_path / "keys/drill"),
    )


def ask(settings: Settings, *arguments: str) -> Ended:
    return run_command({**os.environ, **settings.environment()}, *arguments)


def start_another(settings: Settings, work: Work) -> "subprocess.Popen[str]":
    """Start a process that is in the midst of a backup or a test of one."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDING, work.name],
        env={**os.environ, **settings.environment()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "running\n"
    return other


@on_sqlite
@pytest.mark.parametrize("work", list(Work))
def test_what_runs_is_no_alarm_and_what_was_killed_is_one(here: Settings, phone: Phone, work: Work) -> None:
    with start_another(here, work) as other:
        while_it_runs = marks.read_notes(here)
        doctor = ask(here, "doctor").stderr
        with pytest.raises(SettingsProblem, match="is running"), noted_try(here, work):
            pass
        other.send_signal(signal.SIGKILL)
    assert (getattr(while_it_runs, f"{work}tries"), getattr(while_it_runs, f"{work}problem")) == (0, "")
    assert ENDED not in doctor
    killed = marks.read_notes(here)
    assert (getattr(killed, f"{work}tries"), getattr(killed, f"{work}problem")) == (1, ENDED)
    assert getattr(killed, f"{work}tried_at")
    assert ENDED in ask(here, "doctor").stderr
    # It counts once, also after another one that fails.
    with pytest.raises(ZeroDivisionError), noted_try(here, work):
        raise ZeroDivisionError
    after = marks.read_notes(here)
    assert (getattr(after, f"{work}tries"), getattr(after, f"{work}problem")) == (2, "Unexpected: ZeroDivisionError")


@on_sqlite
def test_who_stops_it_at_the_terminal_knows_it(here: Settings, phone: Phone) -> None:
    with pytest.raises(KeyboardInterrupt), noted_try(here, Work.BACKUP):
        raise KeyboardInterrupt
    assert marks.read_notes(here).tries == 0


@on_sqlite
def test_the_first_backup_of_a_new_server_is_never_called_ended(here: Settings, phone: Phone, session: Session) -> None:
    back_up_each_night(session, here)
    notes = marks.read_notes(here)
    assert (notes.tries, notes.problem, notes.began_at) == (0, "", None)
    assert notes.safe_at


@on_sqlite
def test_a_backup_or_test_that_failed_by_hand_is_noted_and_a_good_one_ends_the_alarm(here: Settings, phone: Phone) -> None:
    made = back_up_off_machine(here).where
    whole = made.read_bytes()
    made.write_bytes(whole[:-1])
    told = ask(here, "drill")
    assert (told.returncode, "is not what was put there" in told.stderr) == (1, True)
    assert "could not be restored as a test" in ask(here, "doctor").stderr
    made.write_bytes(whole)
    assert ask(here, "drill").returncode == 0
    assert "could not be restored" not in ask(here, "doctor").stderr
    Path(here.custodians).rename(f"{here.custodians}-away")
    assert ask(here, "backup").returncode == 1
    assert marks.read_notes(here).tries == 1
    Path(f"{here.custodians}-away").rename(here.custodians)
    assert ask(here, "backup").returncode == 0
    assert marks.read_notes(here).tries == 0


@on_sqlite
def test_a_wrong_file_at_the_terminal_says_nothing_of_the_backup(here: Settings, phone: Phone) -> None:
    back_up_off_machine(here)
    assert ask(here, "drill", "--identity", here.custodians).returncode == 1
    assert marks.read_notes(here).drill_tries == 0


@on_sqlite
def test_a_newest_backup_that_is_gone_is_found_by_doctor_and_by_the_test(
    here: Settings, phone: Phone, session: Session
) -> None:
    back_up_off_machine(here)
    made = back_up_off_machine(here).where
    made.unlink()
    assert f"The newest backup, {made.name}, is not in" in ask(here, "doctor").stderr
    prove_a_restore_each_week(session, here)
    notes = marks.read_notes(here)
    assert (notes.proved_at, notes.drill_tries) == (None, 1)
    assert "not in its place any more" in notes.drill_problem
    # Another one is made and proved, and nothing of it stays.
    back_up_off_machine(here)
    prove_a_restore_each_week(session, here)
    told = ask(here, "doctor").stderr
    assert "newest backup" not in told, told


def test_a_test_that_failed_is_tried_again_before_the_week_is_over() -> None:
    night = NOW.replace(hour=7)
    proved = BackupNotes(safe_at=night, proved_at=night - dt.timedelta(days=1))
    assert not is_drill_due(proved, night, NOW)
    failed = replace(proved, drill_tries=1, drill_tried_at=NOW - dt.timedelta(hours=7))
    assert is_drill_due(failed, night, NOW)
    just_now = replace(failed, drill_tried_at=NOW - dt.timedelta(hours=1))
    assert not is_drill_due(just_now, night, NOW)
    assert is_drill_due(replace(just_now, safe_at=NOW - dt.timedelta(minutes=1)), night, NOW), "a newer one may be whole"
