"""Backups: whole while phones send, put back on an empty machine, refused when they are not what was made."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from fieldapp.app import create_app
from fieldapp.jobs.timetable import follow_up_ends
from fieldapp.services.consent.card_consent import find_card, lower_card
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.lowered_list import list_lowered_in_talks
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.backup import restore as restoring
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import take_backup
from fieldapp.services.operations.backup.data_lock import share
from fieldapp.services.operations.backup.restore import restore
from fieldapp.services.operations.overview import list_audit, view_home
from fieldapp.services.people.accounts import list_people
from fieldapp.services.phones.missing import give_up_missing
from fieldapp.services.phones.pull import pull_changes
from fieldapp.services.problems import ActProblem
from fieldapp.settings import KeyProblem, Settings, SettingsProblem
from fieldapp.store.consent import standing
from fieldapp.store.database import WriteTransaction, engine_for, sqlite_file
from fieldapp.store.phones import pull as feed
from fieldapp.store.releases.releases import Release, ReleaseRun
from fieldapp.web.sessions import db
from tests.cast import Cast, a_series, make_cast
from tests.commands import Ended, run_command
from tests.in_clear import list_bodies
from tests.services.caseload.meetings import code
from tests.services.consent.consents import knowing
from tests.services.consent.endings import CARD, OTHER, end, send, talked
from tests.services.operations.backups import SECRET, Phone, opened

ROOT = Path(__file__).parents[3]


def ids_in(settings: Settings) -> set[str]:
    with opened(settings) as session:
        return set(session.scalars(sa.text("SELECT instance_id FROM submission")))


on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the other database would show nothing else
on_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


def test_ten_backups_while_phones_send_are_whole_and_hold_all_that_was_receipted_before(
    settings: Settings, phone: Phone, tmp_path: Path
) -> None:
    stop = threading.Event()

    def sending() -> None:
        engine = engine_for(settings.url)
        attach_keys(engine, settings)
        with Session(engine) as session:
            while not stop.is_set():
                phone.send(session, phone.make(), phone.make())
        engine.dispose()

    thread = threading.Thread(target=sending)
    thread.start()
    try:
        for number in range(10):
            time.sleep(0.1)
            before = set(phone.receipted)
            made = take_backup(settings, tmp_path / f"copy{number}")
            assert made.manifest["rows"]["submission"] >= len(before)
            if settings.url.startswith("sqlite"):
                with contextlib.closing(sqlite3.connect(made.where / "database.sqlite3")) as copy:
                    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                    assert before <= {row[0] for row in copy.execute("SELECT instance_id FROM submission")}
    finally:
        stop.set()
        thread.join()
    assert before
    assert not list(tmp_path.glob(".copy*"))


def test_a_backup_comes_back_on_an_empty_machine(
    settings: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    phone.send(phone.session, phone.make(), phone.make())
    for name in ("packages/feeds/1-x.db", "packages/.work-1-a/half", "tls/ca.pem", "delivery-secrets/sftp", "secret_key"):
        path = settings.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    made = take_backup(settings, tmp_path / "copy")
    assert {part["path"] for part in made.manifest["parts"]} >= {"files/tls/ca.pem", "files/delivery-secrets/sftp"}
    assert not [part for part in made.manifest["parts"] if "secret_key" in part["path"] or "packages" in part["path"]]
    assert any("secret key" in words for words in made.left_out)
    done = restore(elsewhere, made.where)
    assert done.aside == []
    assert ids_in(elsewhere) == set(phone.receipted)
    assert (elsewhere.folder / "tls/ca.pem").read_text() == "tls/ca.pem"
    assert (elsewhere.folder / "tls/ca.pem").stat().st_mode & 0o077 == 0
    with opened(elsewhere) as session:
        assert phone.send(session, phone.make()) == ["stored"]  # its numbers go on
        assert "database.restore" in {line.act for line in list_audit(session, cast.rosa)[0]}


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), OperationalError("", None, Exception("database or disk is full"))],
)
def test_a_disk_that_is_full_in_the_midst_of_a_restore_leaves_everything_as_it_was(
    settings: Settings,
    phone: Phone,
    tmp_path: Path,
    engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    """All that needs room comes before anything is moved aside."""
    if sqlite_file(settings.url) is None:
        pytest.skip("PostgreSQL needs its room elsewhere, and puts its former schema back")
    phone.send(phone.session, phone.make())
    (settings.folder / "packages").mkdir(parents=True)
    (settings.folder / "packages/p1.zip").write_text("a package")
    made = take_backup(settings, tmp_path / "copy")
    phone.session.close()
    engine.dispose()
    before = sorted(path.relative_to(settings.folder) for path in settings.folder.rglob("*"))

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "_bring_beside", fail)
        with pytest.raises(BackupProblem, match=r"is full.* Nothing was changed"):
            restore(settings, made.where, replace=True)
    assert sorted(path.relative_to(settings.folder) for path in settings.folder.rglob("*")) == before
    assert restore(settings, made.where, replace=True).aside


def test_what_came_after_the_copy_is_missed_by_number_and_taken_again(
    settings: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    sent = [phone.make() for _ in range(5)]
    phone.send(phone.session, *sent)
    made = take_backup(settings, tmp_path / "copy")
    later = [phone.make() for _ in range(5)]
    phone.send(phone.session, *later)
    restore(elsewhere, made.where)
    with opened(elsewhere) as session:
        home = view_home(session, cast.rosa, secret=SECRET)
        assert (home.unheard_phones, home.missing) == (2, 0)  # nobody knows yet; Amina's first phone was not heard either
        phone.greet(session)
        home = view_home(session, cast.rosa, secret=SECRET)
        assert (home.unheard_phones, home.missing) == (1, 5)
        people = list_people(session, cast.rosa)
        assert [(one.count, one.numbers) for one in people.missing.values()] == [(5, "6–10")]
        assert people.restored is not None
        assert phone.send(session, sent[0], *later[:4]) == ["duplicate", *["stored"] * 4]
        phone.greet(session)
        assert [one.numbers for one in list_people(session, cast.rosa).missing.values()] == ["10"]
        (device,) = list_people(session, cast.rosa).missing
        with pytest.raises(ActProblem):
            give_up_missing(session, cast.olaf, device_id=device)
        give_up_missing(session, cast.rosa, device_id=device, most=0)
        assert view_home(session, cast.rosa, secret=SECRET).missing == 1, "the page did not show it yet"
        give_up_missing(session, cast.rosa, device_id=device, most=1)
        assert view_home(session, cast.rosa, secret=SECRET).missing == 0
        assert [one.count for one in list_people(session, cast.rosa).missing.values()] == [1]
        assert phone.send(session, later[4]) == ["stored"]
        phone.greet(session)
        assert list_people(session, cast.rosa).missing == {}


def test_a_phone_that_knows_more_than_the_copy_hears_everything_again(
    settings: Settings, elsewhere: Settings, session: Session, cast: Cast, tmp_path: Path
) -> None:
    def publish(to: Session, *names: str) -> None:
        with WriteTransaction(to):
            feed.upsert_items(to, {(cast.amina.user_id or 0, f"card/{name}"): '{"code":"x"}' for name in names})

    def told(by: Session, cursor: int | str) -> tuple[set[str], Any, bool]:
        answer = json.loads(pull_changes(by, cast.amina, cursor=cursor))
        return {key for key, _ in answer["items"]}, answer["cursor"], answer.get("reset", False)

    publish(session, "a", "b")
    made = take_backup(settings, tmp_path / "copy")
    publish(session, "c", "d", "e")
    _, ahead, was_reset = told(session, 0)
    assert (ahead, was_reset) == (5, False)
    assert told(session, 40)[2]  # a copy put back by hand: no number above the last was ever given out
    restore(elsewhere, made.where)
    with opened(elsewhere) as other:
        publish(other, "f")
        keys, cursor, was_reset = told(other, ahead)
        assert (keys, was_reset) == ({"card/a", "card/b", "card/f"}, True)
        assert isinstance(cursor, str)
        assert told(other, cursor) == (set(), cursor, False)
        publish(other, *"ghijkl")  # the numbers pass what the phone knew: an old one is still another epoch's
        assert told(other, ahead)[2]
        assert told(other, cursor)[0] == {f"card/{name}" for name in "ghijkl"}
        assert not told(other, 0)[2]


def test_two_restores_of_one_copy_do_not_share_an_epoch(
    settings: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path
) -> None:
    made = take_backup(settings, tmp_path / "copy")
    first = restore(elsewhere, made.where)
    with opened(elsewhere) as session:
        session.execute(sa.text("UPDATE epoch SET number = number + 1000000000"))  # the clock was ahead then
        session.commit()
    time.sleep(1)
    again = restore(elsewhere, made.where, replace=True)
    assert again.epoch > first.epoch + 1_000_000_000
    assert len(again.aside) == 1


def test_data_that_is_there_is_never_overwritten_and_moved_aside_when_asked(
    settings: Settings, phone: Phone, tmp_path: Path, engine: sa.Engine
) -> None:
    (settings.folder / "packages").mkdir(parents=True)
    (settings.folder / "packages/note.txt").write_text("before")
    made = take_backup(settings, tmp_path / "copy")
    phone.send(phone.session, phone.make())
    (settings.folder / "packages/note.txt").write_text("after")
    phone.session.close()
    engine.dispose()
    with pytest.raises(BackupProblem, match="add --replace"):
        restore(settings, made.where)
    assert ids_in(settings) == set(phone.receipted)
    done = restore(settings, made.where, replace=True)
    assert ids_in(settings) == set()
    assert (settings.folder / "packages/note.txt").read_text() == "before"
    folder = next(Path(where) for where in done.aside if where.startswith("/"))
    assert (folder / "packages/note.txt").read_text() == "after"
    if settings.url.startswith("sqlite"):
        assert ids_in(Settings(database_url=f"sqlite:///{folder / 'fieldapp.db'}")) == set(phone.receipted)
        return
    schema = next(where.split()[2] for where in done.aside if where.startswith("the schema"))
    with opened(settings) as session:
        try:
            assert set(session.scalars(sa.text(f"SELECT instance_id FROM {schema}.submission"))) == set(phone.receipted)
        finally:
            session.rollback()
            session.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))
            session.commit()


def test_the_same_after_a_restore_can_be_backed_up_and_put_back_again(
    settings: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path
) -> None:
    phone.send(phone.session, phone.make())
    restore(elsewhere, take_backup(settings, tmp_path / "first").where)
    second = take_backup(elsewhere, tmp_path / "second")
    restore(elsewhere, second.where, replace=True)
    third = take_backup(elsewhere, tmp_path / "third")
    assert third.manifest["rows"]["submission"] == 1
    assert not [part for part in third.manifest["parts"] if "replaced" in part["path"]]


@on_sqlite
@pytest.mark.parametrize("harm", ["changed", "missing", "added", "manifest", "half", "format", "schema", "outside"])
def test_a_backup_that_is_not_what_was_made_is_refused_and_changes_nothing(
    settings: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path, harm: str
) -> None:
    (settings.folder / "tls").mkdir(parents=True)
    (settings.folder / "tls/ca.pem").write_text("a certificate")
    where = take_backup(settings, tmp_path / "copy").where
    manifest = json.loads((where / "manifest.json").read_text())
    if harm == "changed":
        with (where / "database.sqlite3").open("r+b") as file:
            file.seek(5000)
            file.write(b"x")
    elif harm == "missing":
        (where / "files/tls/ca.pem").unlink()
    elif harm == "added":
        (where / "files/packages").mkdir()
        (where / "files/packages/x.zip").write_text("x")
    elif harm == "half":
        (where / "manifest.json").unlink()
    else:
        manifest |= {"format": {"format": 2}, "schema": {"schema": "9999"}}.get(harm, {})
        if harm == "outside":
            manifest["parts"].append({"path": "../secret", "size": 1, "sha256": "0"})
        text = "{" if harm == "manifest" else json.dumps(manifest)
        (where / "manifest.json").write_text(text)
    with pytest.raises(BackupProblem):
        restore(elsewhere, where)
    assert not elsewhere.folder.exists() or {path.name for path in elsewhere.folder.iterdir()} <= {"in-use"}


@on_sqlite
def test_a_damaged_database_is_not_backed_up_and_a_good_copy_takes_its_place(
    settings: Settings, phone: Phone, engine: sa.Engine, tmp_path: Path
) -> None:
    for _ in range(20):
        phone.send(phone.session, *(phone.make() for _ in range(5)))
    good = take_backup(settings, tmp_path / "good")
    phone.session.close()
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    path = tmp_path / "fieldapp.db"
    data = bytearray(path.read_bytes())
    data[100_000:180_000] = b"\x07" * 80_000
    path.write_bytes(data)
    with pytest.raises(BackupProblem, match=r"damaged|could not be copied"):
        take_backup(settings, tmp_path / "bad")
    assert not (tmp_path / "bad").exists()
    path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(BackupProblem, match="--replace"):
        restore(settings, good.where)
    restore(settings, good.where, replace=True)
    assert ids_in(settings) == set(phone.receipted)


def test_a_package_that_a_release_names_must_be_there(
    settings: Settings, session: Session, cast: Cast, tmp_path: Path, now: Any
) -> None:
    series = a_series(session, cast)
    run = ReleaseRun(series_id=series.id, period="2026-Q3", state="done", token="t", started_at=now, lease_until=now)
    session.add(run)
    session.flush()
    sha256 = hashlib.sha256(b"a package").hexdigest()
    release = Release(
        run_id=run.id, series_id=series.id, centre_id=cast.centre.id, period="2026-Q3", filename="q3.zip", sha256=sha256,
        size=9, manifest={}, created_at=now,
    )  # fmt: skip
    session.add(release)
    session.commit()
    with pytest.raises(BackupProblem, match=r"q3\.zip"):
        take_backup(settings, tmp_path / "copy")
    (settings.folder / "packages").mkdir(parents=True, exist_ok=True)
    (settings.folder / f"packages/{sha256}.zip").write_bytes(b"another package")
    with pytest.raises(BackupProblem, match="damaged"):
        take_backup(settings, tmp_path / "copy")
    (settings.folder / f"packages/{sha256}.zip").write_bytes(b"a package")
    made = take_backup(settings, tmp_path / "copy")
    assert f"files/packages/{sha256}.zip" in {part["path"] for part in made.manifest["parts"]}
    release.revoked_at = now
    session.commit()
    (settings.folder / f"packages/{sha256}.zip").unlink()
    take_backup(settings, tmp_path / "copy2")


@on_sqlite
def test_packages_built_after_the_copy_are_named(
    settings: Settings, session: Session, engine: sa.Engine, cast: Cast, tmp_path: Path, now: Any
) -> None:
    made = take_backup(settings, tmp_path / "copy")
    series = a_series(session, cast)
    run = ReleaseRun(series_id=series.id, period="2026-Q3", state="done", token="t", started_at=now, lease_until=now)
    session.add(run)
    session.flush()
    session.add(
        Release(
            run_id=run.id,
            series_id=series.id,
            centre_id=cast.centre.id,
            period="2026-Q3",
            filename="q3.zip",
            sha256="0" * 64,
            size=9,
            manifest={},
            created_at=now,
        )
    )
    session.commit()
    session.close()
    engine.dispose()
    assert restore(settings, made.where, replace=True).unknown_packages == ["q3.zip"]


@on_sqlite
def test_only_the_key_that_the_copy_was_made_with_puts_it_back(
    settings: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path
) -> None:
    bare = take_backup(settings, tmp_path / "bare")
    without = Settings(data=elsewhere.data)
    with pytest.raises(BackupProblem, match="no secret key at"):
        restore(without, bare.where)
    with pytest.raises(BackupProblem, match="does not open"):
        restore(Settings(data=elsewhere.data, secret_key="x" * 64), bare.where)
    (tmp_path / "copy of the key").write_text(SECRET)
    restore(without, bare.where, key=tmp_path / "copy of the key")
    assert without.key() == SECRET
    assert without.key_path.stat().st_mode & 0o777 == 0o600


@on_sqlite
@pytest.mark.parametrize("key", ["x" * 64, "abc", "", None])
def test_a_wrong_key_stops_no_backup(settings: Settings, phone: Phone, tmp_path: Path, key: str | None) -> None:
    wrong = Settings(data=settings.data, database_url=settings.url)
    wrong.folder.mkdir(parents=True, exist_ok=True)
    if key is not None:
        wrong.key_path.write_text(key)
    take_backup(wrong, tmp_path / "copy")
    assert not (tmp_path / "copy/secret_key").exists()


@on_sqlite
def test_odd_targets_are_refused(settings: Settings, phone: Phone, tmp_path: Path) -> None:
    settings.folder.mkdir(exist_ok=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/holiday.jpg").touch()
    (tmp_path / "empty").mkdir()
    for target, words in [
        (tmp_path / "full", "not empty"),
        (tmp_path / "full/holiday.jpg", "not empty|there already"),
        (tmp_path / "not/mounted", "no folder"),
        (settings.folder / "copy", "in the data folder"),
    ]:
        with pytest.raises(BackupProblem, match=words):
            take_backup(settings, target)
    take_backup(settings, tmp_path / "empty")
    with pytest.raises(BackupProblem, match="not empty"):
        take_backup(settings, tmp_path / "empty")


def test_nothing_is_put_back_under_a_running_server_nor_served_during_a_restore(
    settings: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path
) -> None:
    made = take_backup(settings, tmp_path / "copy")
    with share(elsewhere), pytest.raises(SettingsProblem, match="Stop the server"):
        restore(elsewhere, made.where)
    if settings.url.startswith("postgresql"):
        with opened(elsewhere) as session:
            session.execute(sa.text("SELECT 1"))  # a server on another machine
            with pytest.raises(BackupProblem, match="Others are connected to the database: 1"):
                restore(elsewhere, made.where)
    restore(elsewhere, made.where)


@on_postgresql
def test_without_pg_dump_it_says_so(
    settings: Settings, phone: Phone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupProblem, match="Debian: postgresql-client"):
        take_backup(settings, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_an_upgrade_may_begin_with_a_backup(
    settings: Settings, elsewhere: Settings, session: Session, tmp_path: Path
) -> None:
    """The new version backs up a database that has the schema of the one before, and puts it back at its own."""
    from fieldapp.store import migrations  # noqa: PLC0415

    make_cast(session)
    session.close()
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    migrations.downgrade(engine, "0006")
    try:
        made = take_backup(settings, tmp_path / "copy")
    finally:
        migrations.upgrade(engine)
        engine.dispose()
    assert made.manifest["schema"] == "0006"
    with pytest.raises(BackupProblem, match="has no keys"):
        restore(elsewhere, made.where)
    restore(elsewhere, made.where, other_centre=True)
    with opened(elsewhere) as other:
        assert other.execute(sa.text("SELECT count(*) FROM epoch")).scalar_one() == 1


def command(settings: Settings, *arguments: str, **more: str) -> Ended:
    return run_command({**os.environ, **settings.environment(), **more}, *arguments)


def test_by_the_commands_from_one_machine_to_another(
    settings: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path
) -> None:
    phone.send(phone.session, phone.make())
    made = command(settings, "backup", str(tmp_path / "copy"))
    assert made.returncode == 0, made.stderr
    assert "1 submissions" in made.stdout and "not encrypted" in made.stdout and "secret key" in made.stdout
    again = command(settings, "backup", str(tmp_path / "copy"))
    assert (again.returncode, "not empty" in again.stderr) == (1, True)
    wrong = command(elsewhere, "restore", str(tmp_path / "copy"), FIELDAPP_SECRET_KEY="x" * 40)
    assert (wrong.returncode, "Do not make a new one" in wrong.stderr) == (1, True)
    done = command(elsewhere, "restore", str(tmp_path / "copy"))
    assert done.returncode == 0, done.stderr
    assert ids_in(elsewhere) == set(phone.receipted)
    assert command(elsewhere, "restore", str(tmp_path / "copy")).returncode == 1
    assert command(elsewhere, "restore", str(tmp_path / "nothing")).returncode == 1
    checked = command(settings, "doctor")
    assert f"in {tmp_path / 'copy'}" in checked.stdout


@on_sqlite
def test_a_backup_that_was_killed_is_never_taken_for_one(settings: Settings, phone: Phone, tmp_path: Path) -> None:
    (settings.folder / "packages").mkdir(parents=True)
    with (settings.folder / "packages/large.zip").open("wb") as file:
        file.truncate(200_000_000)
    environment = {**os.environ, **settings.environment()}
    line = [sys.executable, "-m", "fieldapp", "backup", str(tmp_path / "copy")]
    process = subprocess.Popen(line, cwd=ROOT, env=environment)
    until = time.monotonic() + 60
    while not list(tmp_path.glob(".copy.part-*/files/packages/large.zip")) and time.monotonic() < until:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "copy").exists()
    (half,) = tmp_path.glob(".copy.part-*")
    with pytest.raises(BackupProblem, match="no whole backup"):
        restore(Settings(data=str(tmp_path / "other"), secret_key=SECRET), half)
    (settings.folder / "packages/large.zip").unlink()
    take_backup(settings, tmp_path / "copy")


@on_sqlite
def test_a_key_is_never_made_beside_a_copy_that_needs_one(settings: Settings, phone: Phone, tmp_path: Path) -> None:
    elsewhere = Settings(data=str(tmp_path / "other"))
    made = take_backup(settings, tmp_path / "copy")
    with pytest.raises(BackupProblem):
        restore(elsewhere, made.where)
    with pytest.raises(KeyProblem):
        elsewhere.key()


def test_who_took_everything_back_after_the_copy_is_not_brought_back(
    settings: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    """The copy is older than the end; the second list is all that the new machine has of it."""
    (tmp_path / "stick").mkdir()
    here = replace(settings, forgotten_copy=str(tmp_path / "stick"))
    there = replace(elsewhere, forgotten_copy=str(tmp_path / "stick"))
    attach(phone.session.get_bind().engine, here)
    send(phone.session, cast.amina, talked(), talked(OTHER))
    before = take_backup(here, tmp_path / "before")
    end(phone.session, cast)
    restore(there, before.where)
    with opened(there) as session:
        assert standing.list_tiers(session, cast.centre.id) == {OTHER: 3}
        assert CARD[4:] not in "".join(list_bodies(session))
        attach(session.get_bind().engine, there)
        (answer,) = send(session, cast.amina, talked())  # what the phone still has
        assert [problem["code"] for problem in answer["problems"]] == ["consent.ended"]
        assert standing.list_tiers(session, cast.centre.id) == {OTHER: 3}


def test_who_lowered_consent_after_the_copy_is_not_asked_to_do_it_again(
    settings: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    """In the office, and in a talk whose phone has nothing left of it."""
    (tmp_path / "stick").mkdir()
    here = replace(settings, forgotten_copy=str(tmp_path / "stick"))
    there = replace(elsewhere, forgotten_copy=str(tmp_path / "stick"))
    attach(phone.session.get_bind().engine, here)
    send(phone.session, cast.amina, talked(), talked(OTHER))
    before = take_backup(here, tmp_path / "before")
    card_id = find_card(phone.session, cast.rosa, code=CARD)
    lower_card(phone.session, cast.rosa, card_id=card_id, tier=0, reason="in_person")
    send(phone.session, cast.amina, knowing(phone.session, talked(OTHER, tier="1"), OTHER))
    list_lowered_in_talks(phone.session)
    restore(there, before.where)
    with opened(there) as session:
        assert standing.list_tiers(session, cast.centre.id) == {CARD: 0, OTHER: 1}
        assert json.loads(feed_of(session)[f"card/{OTHER}"])["tier"] == "1", "phones are told"


def test_without_the_second_list_nobody_is_raised_but_by_a_word_and_it_counts_when_it_is_back(
    settings: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    here = replace(settings, forgotten_copy=str(stick))
    there = replace(elsewhere, forgotten_copy=str(stick))
    attach(phone.session.get_bind().engine, here)
    send(phone.session, cast.amina, talked(), talked(OTHER))
    before = take_backup(here, tmp_path / "before")
    send(phone.session, cast.amina, knowing(phone.session, talked(OTHER, tier="1"), OTHER))
    list_lowered_in_talks(phone.session)
    end(phone.session, cast)
    stick.rename(tmp_path / "unplugged")
    with pytest.raises(BackupProblem, match="is no folder now"):
        restore(there, before.where)
    assert not (there.folder / "fieldapp.db").exists()
    restore(there, before.where, without_list=True)
    with opened(there) as session:
        attach(session.get_bind().engine, there)
        follow_up_ends(session, there)
        assert standing.list_tiers(session, cast.centre.id) == {CARD: 3, OTHER: 3}
        (tmp_path / "unplugged").rename(stick)
        follow_up_ends(session, there)
        session.rollback()
        assert standing.list_tiers(session, cast.centre.id) == {OTHER: 1}


@pytest.mark.parametrize("left", ["nothing", "one line", "another list"])
def test_a_second_folder_without_the_list_that_the_backup_has_is_not_taken_for_it(
    settings: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path, left: str
) -> None:
    """The disk is not mounted, so that its folder is there, and empty; or it is an older disk, or another one."""
    stick = tmp_path / "stick"
    stick.mkdir()
    here = replace(settings, forgotten_copy=str(stick))
    there = replace(elsewhere, forgotten_copy=str(stick))
    attach(phone.session.get_bind().engine, here)
    third = code(9)
    send(phone.session, cast.amina, talked(), talked(OTHER), talked(third))
    end(phone.session, cast, OTHER)
    card_id = find_card(phone.session, cast.rosa, code=third)
    lower_card(phone.session, cast.rosa, card_id=card_id, tier=1, reason="in_person")
    before = take_backup(here, tmp_path / "before")
    end(phone.session, cast)
    stick.rename(tmp_path / "unplugged")
    stick.mkdir()
    found = stick / "forgotten.jsonl"
    lines = (tmp_path / "unplugged/forgotten.jsonl").read_text().splitlines()
    if left == "one line":
        found.write_text(f"{lines[0]}\n")
    elif left == "another list":
        found.write_text("".join(f'{{"at": "2026-01-0{day}", "centre": 1, "tag": "ab"}}\n' for day in range(1, 6)))
    files = {path: path.read_bytes() for path in stick.iterdir()}
    with pytest.raises(BackupProblem, match=r"second list .*--without-list\. Nothing was changed"):
        restore(there, before.where)
    assert {path: path.read_bytes() for path in stick.iterdir()} == files
    assert not (there.folder / "fieldapp.db").exists()
    assert not there.forgotten_file.exists()
    shutil.rmtree(stick)
    (tmp_path / "unplugged").rename(stick)
    restore(there, before.where)
    with opened(there) as session:
        assert standing.list_tiers(session, cast.centre.id) == {third: 1}


def test_a_disk_that_is_mounted_only_after_the_restore_counts_from_then_on(
    settings: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    """Nobody had taken anything back when the backup was made, so nothing in it shows that there is a list."""
    stick = tmp_path / "stick"
    stick.mkdir()
    here = replace(settings, forgotten_copy=str(stick))
    there = replace(elsewhere, forgotten_copy=str(stick))
    attach(phone.session.get_bind().engine, here)
    send(phone.session, cast.amina, talked(), talked(OTHER))
    before = take_backup(here, tmp_path / "before")
    send(phone.session, cast.amina, knowing(phone.session, talked(OTHER, tier="1"), OTHER))
    list_lowered_in_talks(phone.session)
    end(phone.session, cast)
    stick.rename(tmp_path / "unplugged")
    stick.mkdir()
    restore(there, before.where)
    with opened(there) as session:
        attach(session.get_bind().engine, there)
        follow_up_ends(session, there)
        assert standing.list_tiers(session, cast.centre.id) == {CARD: 3, OTHER: 3}
        shutil.rmtree(stick)
        (tmp_path / "unplugged").rename(stick)
        follow_up_ends(session, there)
        session.rollback()
        assert standing.list_tiers(session, cast.centre.id) == {OTHER: 1}


def test_where_the_second_list_is_lost_for_good_that_of_the_backup_counts(
    settings: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    (tmp_path / "stick").mkdir()
    attach(phone.session.get_bind().engine, settings)
    send(phone.session, cast.amina, talked(), talked(OTHER))
    end(phone.session, cast, OTHER)
    before = take_backup(settings, tmp_path / "before")
    there = replace(elsewhere, forgotten_copy=str(tmp_path / "stick"))
    with pytest.raises(BackupProblem, match="backup shows that there was one"):
        restore(there, before.where)
    restore(there, before.where, without_list=True)
    with opened(there) as session:
        assert standing.list_tiers(session, cast.centre.id) == {CARD: 3}


def test_a_centre_where_nobody_took_anything_back_needs_no_list_to_come_back(
    settings: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    (tmp_path / "stick").mkdir()
    send(phone.session, cast.amina, talked())
    before = take_backup(settings, tmp_path / "before")
    restore(replace(elsewhere, forgotten_copy=str(tmp_path / "stick")), before.where)
    with opened(elsewhere) as session:
        assert standing.list_tiers(session, cast.centre.id) == {CARD: 3}


def test_what_a_killed_restore_left_is_deleted_by_the_next_start(settings: Settings, phone: Phone) -> None:
    phone.session.close()
    phone.session.get_bind().engine.dispose()
    left = settings.folder / ".restoring-abc"
    left.mkdir(parents=True)
    (left / "database.sqlite3").write_bytes(b"a whole copy")
    app = create_app(settings)
    app.extensions["data_lock"].close()
    assert not left.exists()


def feed_of(session: Session) -> dict[str, str]:
    return {item.key: item.body for item in session.scalars(sa.select(feed.PullItem))}


def test_a_restore_never_takes_the_list_back_to_an_older_one(
    settings: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    attach(phone.session.get_bind().engine, settings)
    send(phone.session, cast.amina, talked(), talked(OTHER))
    end(phone.session, cast, OTHER)
    older = take_backup(settings, tmp_path / "older")
    end(phone.session, cast)
    newest = settings.forgotten_file.read_text()
    phone.session.close()
    phone.session.get_bind().engine.dispose()
    restore(settings, older.where, replace=True)
    assert settings.forgotten_file.read_text() == newest
    with opened(settings) as session:
        assert standing.list_tiers(session, cast.centre.id) == {}
    settings.forgotten_file.unlink()
    time.sleep(1.1)  # what is moved aside is named by the second
    restore(settings, older.where, replace=True)  # the list is lost: the copy has its own
    assert newest.startswith(settings.forgotten_file.read_text())
    assert len(settings.forgotten_file.read_text().splitlines()) == 1


@on_sqlite
@pytest.mark.slow
@pytest.mark.parametrize("point", ["save_withdrawal", "erase_card", "untie", "audit.replace_targets"])
def test_killed_between_the_list_and_the_commit_the_card_ends_at_the_next_start(
    settings: Settings, phone: Phone, cast: Cast, tmp_path: Path, point: str
) -> None:
    """A process is killed by the system, not by an error; then the server starts."""
    send(phone.session, cast.amina, talked())
    phone.session.close()
    phone.session.get_bind().engine.dispose()
    program = f"""
import os, signal
from fieldapp.services.acts import Actor
from fieldapp.services.consent import ending
from fieldapp.services.consent.card_consent import end_card, find_card
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.keys import attach_keys
from fieldapp import settings as settings_module
from fieldapp.store.database import engine_for
from fieldapp.store.session import Session
settings = settings_module.read()
engine = engine_for(settings.url)
attach(engine, settings)
attach_keys(engine, settings)
*modules, name = "ending.{point}".split(".")
place = ending
for module in modules[1:]:
    place = getattr(place, module)
setattr(place, name, lambda *arguments, **more: os.kill(os.getpid(), signal.SIGKILL))
with Session(engine) as session:
    rosa = Actor({cast.centre.id}, "admin", {cast.rosa.user_id})
    end_card(session, rosa, card_id=find_card(session, rosa, code="{CARD}"), reason="in_person")
"""
    environment = {**os.environ, **settings.environment()}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with opened(settings) as session:
        assert standing.list_tiers(session, cast.centre.id) == {CARD: 3}
    app = create_app(settings)
    with app.app_context():
        db.engine.dispose()
    with opened(settings) as session:
        assert standing.list_tiers(session, cast.centre.id) == {}
        assert "".join(list_bodies(session)) == ""
