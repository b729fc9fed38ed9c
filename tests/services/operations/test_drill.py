"""Restoring the newest backup as a test: it is fetched, opened, restored beside everything, and deleted again."""

import datetime as dt
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp import settings as settings_module
from fieldapp.jobs.timetable import prove_a_restore_each_week
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.backup import marks, sealed
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import back_up_off_machine
from fieldapp.services.operations.backup.drill import prove_restore
from fieldapp.services.operations.backup.marks import BackupNotes, judge_backups
from fieldapp.services.operations.backup.names import make_name
from fieldapp.services.operations.backup.restore import restore
from fieldapp.services.operations.backup.schedule import is_drill_due
from fieldapp.settings import Settings, SettingsProblem
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from tests.cast import Cast
from tests.commands import run_command
from tests.services.operations.backups import Custodians, Phone, opened
from tests.services.servers import sftp_server, smtp_server

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the other database would show nothing else
on_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)
NOW = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def custodians(tmp_path: Path) -> Custodians:
    return Custodians(tmp_path / "keys")


@pytest.fixture
def here(settings: Settings, custodians: Custodians, tmp_path: Path) -> Settings:
    (tmp_path / "place").mkdir()
    return replace(
        settings,
        copies=str(tmp_path / "place"),
        custodians=str(custodians.public),
        drill_key=str(tmp_path / "keys/drill"),
    )


@pytest.fixture
def by_sftp(here: Settings, tmp_path: Path) -> Iterator[Settings]:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "shelf/backups").mkdir(parents=True)
    with sftp_server(tmp_path / "shelf") as server:
        (tmp_path / "secrets/backups").write_text(server.password)
        (tmp_path / "secrets/backups-host-key").write_text(server.host_key)
        address = f"sftp://institute@127.0.0.1:{server.port}/backups"
        yield replace(here, copies=address, delivery_secrets=str(tmp_path / "secrets"))


def list_left(settings: Settings) -> list[str]:
    """Return what a test left in the data folder, or beside the database."""
    left = [path.name for path in settings.folder.iterdir() if path.name.startswith((".backup-", ".opening-"))]
    if settings.url.startswith("postgresql"):
        with opened(settings) as session:
            left += session.scalars(sa.text("SELECT datname FROM pg_database WHERE datname LIKE 'fieldapp_drill%'"))
    return left


def test_the_newest_backup_is_proved_and_nothing_of_the_centre_changes(
    by_sftp: Settings, phone: Phone, session: Session
) -> None:
    phone.send(session, phone.make(), phone.make())
    made = back_up_off_machine(by_sftp)
    proof = prove_restore(by_sftp)
    assert proof.name in made.address
    assert proof.manifest["rows"]["submission"] == 2
    notes = marks.read_notes(by_sftp)
    assert notes.proved == dt.datetime.fromisoformat(made.manifest["made_at"])
    assert list_left(by_sftp) == []
    with opened(by_sftp) as other:
        assert other.scalars(sa.text("SELECT count(*) FROM epoch")).one() == 0, "no epoch began"
        assert phone.send(other, phone.make()) == ["stored"]
    assert back_up_off_machine(by_sftp).is_safe, "the place does not take it for a restore"


@on_sqlite
def test_the_drills_key_is_made_once_for_its_owner_only(here: Settings, custodians: Custodians, phone: Phone) -> None:
    with pytest.raises(SettingsProblem, match="outside the data folder"):
        settings_module.read({"FIELDAPP_DATA": here.data, "FIELDAPP_DRILL_KEY": f"{here.data}/drill"})
    first = back_up_off_machine(here).where
    key = here.drill_key_file
    assert key is not None
    text = key.read_text()
    assert key.stat().st_mode & 0o777 == 0o600
    back_up_off_machine(here)
    assert key.read_text() == text
    for identity in (key, *custodians.files):
        folder = here.folder / f"open-{identity.name}"
        folder.mkdir()
        sealed.unseal(first, folder, sealed.read_identities(identity))
        shutil.rmtree(folder)
    key.write_text("cut")
    with pytest.raises(BackupProblem, match="holds no private age key"):
        back_up_off_machine(here)
    with pytest.raises(BackupProblem, match="cannot be written"):
        back_up_off_machine(replace(here, drill_key="/nowhere/at/all"))


@on_sqlite
def test_without_a_key_of_the_server_a_custodian_can_prove_it(
    here: Settings, custodians: Custodians, phone: Phone, session: Session
) -> None:
    here = replace(here, drill_key="")
    with pytest.raises(BackupProblem, match="There is no backup"):
        prove_restore(here)
    back_up_off_machine(here)
    with pytest.raises(BackupProblem, match="FIELDAPP_DRILL_KEY"):
        prove_restore(here)
    tries = marks.read_notes(here).drill_tries
    prove_a_restore_each_week(session, here)
    assert marks.read_notes(here).drill_tries == tries, "the scheduler does not try what cannot work"
    told = run_command({**os.environ, **here.environment()}, "drill", "--identity", str(custodians.files[0]))
    assert told.returncode == 0, told.stderr
    assert "A server could start with it" in told.stdout
    assert marks.read_notes(here).proved_at
    told = run_command({**os.environ, **here.environment()}, "drill", "--identity", str(custodians.public))
    assert (told.returncode, "holds no private age key" in told.stderr) == (1, True)
    with pytest.raises(BackupProblem, match="FIELDAPP_COPIES"):
        prove_restore(replace(here, copies=""))


@on_sqlite
def test_an_open_backup_is_proved_too(here: Settings, phone: Phone) -> None:
    here = replace(here, custodians="", drill_key="")
    back_up_off_machine(here)
    assert prove_restore(here).manifest["kind"] == "sqlite"
    assert list_left(here) == []


def test_a_backup_with_other_rows_than_it_says_is_not_proved_and_not_put_back(
    here: Settings, elsewhere: Settings, custodians: Custodians, phone: Phone, session: Session, tmp_path: Path
) -> None:
    phone.send(session, phone.make())
    where = back_up_off_machine(here).where
    folder = tmp_path / "open"
    folder.mkdir()
    sealed.unseal(where, folder, sealed.read_identities(custodians.files[0]))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["rows"]["submission"] += 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    where.unlink()
    target = tmp_path / "sealed"
    sha256 = sealed.seal(folder, target, sealed.read_recipients(here))
    target.rename(where.parent / make_name(NOW, 0, sha256))
    marks.change_notes(here, safe_name=make_name(NOW, 0, sha256))
    with pytest.raises(BackupProblem, match="other rows than the backup's manifest says, in submission"):
        prove_restore(here)
    assert marks.read_notes(here).proved_at is None
    assert list_left(here) == []
    with pytest.raises(BackupProblem, match="other rows"):
        restore(elsewhere, where.parent / make_name(NOW, 0, sha256), identity=custodians.files[1], without_journal=True)
    with opened(elsewhere) as other:
        assert sa.inspect(other.connection()).get_table_names() == []


@on_sqlite
@pytest.mark.parametrize("harm", ["cut", "other key"])
def test_what_cannot_be_put_back_is_noted_mailed_and_red(here: Settings, phone: Phone, session: Session, harm: str) -> None:
    where = back_up_off_machine(here).where
    if harm == "cut":
        where.write_bytes(where.read_bytes()[:-1])
    using = here if harm == "cut" else replace(here, secret_key="x" * 64)
    with smtp_server() as (address, mailbox):
        mailing = replace(using, smtp_url=address, mail_from="centre@example.org", alerts_to="operator@example.org")
        prove_a_restore_each_week(session, mailing)
        prove_a_restore_each_week(session, mailing)  # too early
    assert len(mailbox.messages) == 1
    notes = marks.read_notes(here)
    assert notes.drill_tries == 1
    assert ("not what was put there" if harm == "cut" else "does not open the keys") in notes.drill_problem
    told = run_command({**os.environ, **here.environment()}, "doctor")
    assert "could not be restored as a test" in told.stderr
    assert list_left(here) == []


def test_the_scheduler_proves_it_once_a_week(here: Settings, phone: Phone, session: Session) -> None:
    prove_a_restore_each_week(session, here)
    assert marks.read_notes(here) == BackupNotes(), "there is nothing to prove"
    back_up_off_machine(here)
    prove_a_restore_each_week(session, here)
    proved_at = marks.read_notes(here).proved_at
    assert proved_at
    prove_a_restore_each_week(session, here)
    assert marks.read_notes(here).proved_at == proved_at
    told = run_command({**os.environ, **here.environment()}, "doctor")
    assert "was restored as a test" in told.stdout


def test_it_is_due_right_after_the_backup_of_the_seventh_night() -> None:
    night = NOW.replace(hour=7)
    made = BackupNotes(safe_at=night, first_safe_at=NOW - 30 * DAY)
    assert is_drill_due(made, night, NOW)
    assert not is_drill_due(replace(made, safe_at=night - DAY), night, NOW), "after the backup, not before it"
    assert not is_drill_due(replace(made, proved_at=night - 6 * DAY), night, NOW)
    assert is_drill_due(replace(made, proved_at=night - 7 * DAY), night, NOW)
    tried = replace(made, drill_tries=1, drill_tried_at=NOW - dt.timedelta(hours=5))
    assert not is_drill_due(tried, night, NOW)
    assert is_drill_due(tried, night, NOW + dt.timedelta(hours=2))


def test_red_after_eight_days_without_proof(here: Settings) -> None:
    assert not judge_backups(here, NOW).is_unproved, "nothing is there to be proved"
    marks.save_last_backup(here, NOW - 7.9 * DAY, "/x/1", is_safe=True)
    marks.save_last_backup(here, NOW, "/x/2", is_safe=True)
    assert not judge_backups(here, NOW).is_unproved
    assert judge_backups(here, NOW + 0.2 * DAY).is_unproved
    marks.change_notes(here, proved_at=NOW, proved=NOW)
    assert not judge_backups(here, NOW + 7.9 * DAY).is_unproved
    assert judge_backups(here, NOW + 8.1 * DAY).is_unproved


@on_sqlite
def test_a_backup_of_an_older_schema_is_proved_by_bringing_it_up_to_date(
    here: Settings, session: Session, cast: Cast
) -> None:
    session.close()
    engine = engine_for(here.url)
    attach_keys(engine, here)
    migrations.downgrade(engine, "0024")
    try:
        back_up_off_machine(here)
    finally:
        migrations.upgrade(engine)
        engine.dispose()
    assert prove_restore(here).manifest["schema"] == "0024"


@on_postgresql
def test_a_user_who_may_make_no_database_is_told_so(here: Settings, phone: Phone) -> None:
    back_up_off_machine(here)
    with opened(here) as session:
        session.execute(sa.text("CREATE ROLE plain LOGIN PASSWORD 'plain'"))
        session.commit()
    plain = sa.make_url(here.url).set(username="plain", password="plain").render_as_string(hide_password=False)
    try:
        with pytest.raises(BackupProblem, match="CREATEDB"):
            prove_restore(replace(here, database_url=plain))
    finally:
        with opened(here) as session:
            session.execute(sa.text("DROP ROLE plain"))
            session.commit()
