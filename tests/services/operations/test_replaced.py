"""A server whose centre went on elsewhere knows it, by the number beside the backups or by phones, and says so."""

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.app import create_app
from fieldapp.jobs import timetable
from fieldapp.services.acts import Actor
from fieldapp.services.operations.backup import marks
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import back_up_off_machine
from fieldapp.services.operations.backup.marks import CopiesState, judge_backups
from fieldapp.services.operations.backup.restore import restore_from_place
from fieldapp.services.operations.health_notes import HealthNotes, find_scheduler_age, find_start, read_notes, save_notes
from fieldapp.services.operations.overview import view_home
from fieldapp.services.phones.pull import note_shown_epoch
from fieldapp.services.products import editions
from fieldapp.settings import Settings
from fieldapp.store.operations.centres import Centre
from fieldapp.store.phones.devices import Device
from fieldapp.store.releases import releases
from fieldapp.web.sessions import db
from sync.keeping import GREATEST_EPOCH
from tests.cast import Cast, a_series
from tests.commands import Ended, run_command
from tests.services.operations.backups import SECRET, Custodians, Phone, opened

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the other database would show nothing else
NOW = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def here(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "place").mkdir()
    custodians = Custodians(tmp_path / "keys")
    return replace(settings, copies=str(tmp_path / "place"), custodians=str(custodians.public))


def ask_doctor(settings: Settings) -> Ended:
    return run_command({**os.environ, **settings.environment()}, "doctor")


def ask_health(settings: Settings) -> dict[str, Any]:
    app = create_app(settings)
    answer = app.test_client().get("/healthz").json
    with app.app_context():
        db.engine.dispose()
    app.extensions["data_lock"].close()  # as when the process ends
    assert answer is not None
    return dict(answer)


def restore_elsewhere(here: Settings, elsewhere: Settings) -> int:
    """Restore the newest backup on another machine; return the number of that restore."""
    identity = Path(here.custodians).parent / "custodian-0"
    return restore_from_place(replace(elsewhere, copies=here.copies), identity=identity).epoch


def test_a_server_that_was_replaced_says_so_everywhere_and_the_new_one_does_not(
    here: Settings, elsewhere: Settings, phone: Phone, session: Session, cast: Cast
) -> None:
    phone.send(session, phone.make())
    back_up_off_machine(here)
    assert "put back on another machine" not in ask_doctor(here).stderr
    assert ask_health(here)["replaced"] == "no"
    number = restore_elsewhere(here, elsewhere)
    told = ask_doctor(here)
    assert (told.returncode, "put back on another machine" in told.stderr) == (1, True), told.stderr
    health = ask_health(here)
    assert (health["ready"], health["replaced"]) == (False, "yes")
    assert "not the centre's server" in health["reason"]
    session.rollback()
    home = view_home(session, cast.rosa, secret=SECRET, backups=judge_backups(here, NOW))
    assert home.is_replaced
    there = replace(elsewhere, copies=here.copies)
    told = ask_doctor(there)
    assert "another machine" not in told.stderr, told.stderr
    assert marks.read_notes(there).newest_epoch == number
    assert ask_health(there)["replaced"] == "no"


@on_sqlite
def test_a_backup_that_is_refused_there_is_enough_to_know(
    here: Settings, elsewhere: Settings, phone: Phone, session: Session
) -> None:
    back_up_off_machine(here)
    restore_elsewhere(here, elsewhere)
    with pytest.raises(BackupProblem, match="Stop this server for good"):
        back_up_off_machine(here)
    assert ask_health(here)["replaced"] == "yes"
    # Put back on this machine, the centre goes on here, and nothing of it stays.
    identity = Path(here.custodians).parent / "custodian-0"
    session.close()
    restore_from_place(here, replace=True, identity=identity)
    assert ask_health(here)["replaced"] == "no"
    assert "another machine" not in ask_doctor(here).stderr


@on_sqlite
def test_a_server_that_was_replaced_hands_nothing_out_but_says_that_it_runs(
    here: Settings, phone: Phone, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would build and send, the other machine builds and sends, with a ledger of its own."""
    handed_out: list[str] = []
    monkeypatch.setattr(timetable, "list_due_periods", lambda *_: handed_out.append("releases") or [])
    monkeypatch.setattr(timetable, "deliver_due", lambda *_: handed_out.append("packages") or 0)
    monkeypatch.setattr(editions, "build_due", lambda *_: handed_out.append("products"))
    jobs = [timetable.build_due_releases, timetable.send_packages, timetable.build_due_products]
    marks.change_notes(here, newest_epoch=1790000000000)
    for job in jobs:
        job(session, here)
        session.rollback()
    assert handed_out == []
    assert find_scheduler_age(session, dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    marks.change_notes(here, newest_epoch=0)
    for job in jobs:
        job(session, here)
        session.rollback()
    assert handed_out == ["releases", "packages", "products"]


@on_sqlite
def test_a_number_that_no_server_can_have_replaces_nobody(here: Settings, phone: Phone) -> None:
    back_up_off_machine(here)
    assert here.copies_folder
    (here.copies_folder / "last-epoch").write_text(f"{GREATEST_EPOCH + 1}\n")
    told = ask_doctor(here)
    assert (told.returncode, "somebody changed it" in told.stderr) == (1, True)
    assert ask_health(here)["replaced"] == "no"


def test_a_phone_that_knows_a_newer_server_is_heard_but_takes_nobodys_server_away(
    here: Settings, phone: Phone, session: Session, cast: Cast
) -> None:
    device = session.scalars(sa.select(Device).where(Device.uid == phone.key.device)).one()
    worker = Actor(cast.centre.id, "worker", cast.amina.user_id, device.id)
    for cursor in ("7", "0:7", f"{GREATEST_EPOCH + 1}:7", "nonsense", ""):
        note_shown_epoch(session, worker, cursor=cursor)
    session.rollback()
    assert ask_health(here)["replaced"] == "no"
    note_shown_epoch(session, worker, cursor="1790000000000:7")
    note_shown_epoch(session, worker, cursor="1780000000000:7")
    session.rollback()
    session.expire_all()
    assert device.shown_epoch == 1790000000000
    health = ask_health(here)
    assert (health["ready"], health["replaced"]) == (True, "maybe")
    told = ask_doctor(here)
    assert "1 phones were in touch with a newer server" in told.stderr
    assert view_home(session, cast.rosa, secret=SECRET).phones_ahead == 1
    # A phone that lies is locked, and then it is no alarm any more.
    device.revoked_at = NOW
    session.commit()
    assert ask_health(here)["replaced"] == "no"
    assert view_home(session, cast.rosa, secret=SECRET).phones_ahead == 0


@on_sqlite
def test_a_server_of_some_minutes_is_not_late_with_its_first_backup(
    here: Settings, phone: Phone, session: Session, cast: Cast
) -> None:
    session.get_one(Centre, cast.centre.id).created_at = dt.datetime.now(dt.UTC)
    session.commit()
    assert "No backup" not in ask_doctor(here).stderr
    start = find_start(session)
    assert start is not None
    assert judge_backups(here, start, start).copies is CopiesState.FINE
    assert judge_backups(here, start + 2.1 * DAY, start).copies is CopiesState.OLD
    session.get_one(Centre, cast.centre.id).created_at = dt.datetime.now(dt.UTC) - 3 * DAY
    session.commit()
    assert "No backup was ever made" in ask_doctor(here).stderr


@on_sqlite
def test_a_scheduler_that_is_about_to_be_started_is_no_alarm(
    here: Settings, elsewhere: Settings, phone: Phone, session: Session, cast: Cast
) -> None:
    """On a server of some minutes, and right after a restore, whose backup says when another one last ran."""
    a_series(session, cast)
    long_ago = dt.datetime.now(dt.UTC) - 3 * DAY
    session.get_one(Centre, cast.centre.id).created_at = dt.datetime.now(dt.UTC)
    session.commit()
    assert not view_home(session, cast.rosa, secret=SECRET).is_scheduler_late
    session.get_one(Centre, cast.centre.id).created_at = long_ago
    session.commit()
    assert view_home(session, cast.rosa, secret=SECRET).is_scheduler_late
    assert "The scheduler never ran" in ask_doctor(here).stderr
    releases.record_heartbeat(session, long_ago)
    session.commit()
    back_up_off_machine(here)
    restore_elsewhere(here, elsewhere)
    assert "The scheduler was last active" in ask_doctor(here).stderr
    assert "scheduler was" not in ask_doctor(replace(elsewhere, copies=here.copies)).stderr
    with opened(elsewhere) as other:
        assert not view_home(other, cast.rosa, secret=SECRET).is_scheduler_late


@on_sqlite
def test_what_doctor_does_not_find_any_more_leaves_the_offices_home_at_once(here: Settings, phone: Phone) -> None:
    now = dt.datetime.now(dt.UTC).isoformat()
    here.folder.mkdir(exist_ok=True)
    save_notes(here, HealthNotes(now, ("Mail cannot be sent: no.",), ("something",)))
    told = ask_doctor(replace(here, copies="/nowhere/at/all"))
    assert "/nowhere/at/all" in told.stderr
    # Nothing is added by hand: the settings of a terminal may be others than the server's.
    assert read_notes(here) == HealthNotes(now, (), ("something",))
