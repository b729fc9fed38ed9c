"""The server's keys: outside the data folder, changed while the server runs, never in a backup and never shown."""

import dataclasses
import datetime as dt
import hashlib
import json
import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp import settings as settings_module
from fieldapp.app import create_app
from fieldapp.key_ring import add_cookie_key, add_root, format_secret, list_cookie_keys, make_secret, parse_secret
from fieldapp.services import keys
from fieldapp.services.consent.forgotten import ForgottenList
from fieldapp.services.keys import KeyUnavailable, find_receipt_signer
from fieldapp.services.operations import key_rotation
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import take_backup
from fieldapp.services.operations.backup.restore import restore
from fieldapp.services.operations.server_key import count_by_root, load_usable_key
from fieldapp.services.phones.devices import recovery_secret
from fieldapp.settings import KeyProblem, Settings, SettingsProblem
from fieldapp.store.operations.keys import CentreKey
from sync.slips import tag_slip
from tests.cast import Cast
from tests.commands import Ended, run_command
from tests.second_steps import set_up_app

SECRET = "5e" * 32
NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the key is a file, whatever the database


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "WAIT", 0)


@pytest.fixture
def old(url: str, tmp_path: Path, session: Session, cast: Cast) -> Settings:
    """An installation of before: its key, one line, lies in the data folder."""
    settings = Settings(data=str(tmp_path / "data"), database_url=url)
    settings.folder.mkdir(mode=0o700)
    settings.own_key_path.write_text(SECRET + "\n")
    settings.own_key_path.chmod(0o600)
    keys.current_key(session, cast.centre.id, SECRET)
    keys.signing_key(session, cast.centre.id, SECRET)
    set_up_app(session, cast.rosa, SECRET)
    session.rollback()
    return settings


@pytest.fixture
def new(old: Settings, tmp_path: Path) -> Settings:
    """The same, with a file outside the data folder named for the key."""
    (tmp_path / "etc").mkdir(mode=0o700)
    return Settings(data=old.data, database_url=old.database_url, key_file=str(tmp_path / "etc/key"))


def run(settings: Settings, *arguments: str, **more: str) -> Ended:
    done = run_command({**os.environ, **settings.environment(), **more}, *arguments)
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_key_of_an_installation_moves_out_of_the_data_folder_by_one_command(old: Settings, new: Settings) -> None:
    assert "LOOK AT: the secret key is in the data folder" in run(old, "doctor").stdout
    for arguments in (("doctor",), ("serve",), ("keys", "show")):
        early = run(new, *arguments)
        assert (early.returncode, "Run: fieldapp keys move" in early.stderr) == (1, True), early
    assert not new.key_path.exists()  # none was made
    moved = run(new, "keys", "move")
    assert moved.returncode == 0, moved
    assert not old.own_key_path.exists()
    assert (new.key(), new.key_path.stat().st_mode & 0o777) == (SECRET, 0o600)
    create_app(new)
    well = run(new, "doctor")
    assert (well.returncode, "secret key" in well.stdout.split("LOOK AT")[-1]) == (0, False), well
    assert "already" in run(new, "keys", "move").stdout
    shown = run(new, "keys", "show").stdout
    assert "(mode 600), outside the data folder" in shown
    assert "root 1, of unknown age: opens 6 keys in the database" in shown


def test_a_key_among_the_settings_moves_too_and_is_said_to_be_taken_out(old: Settings, new: Settings) -> None:
    old.own_key_path.unlink()
    both = dataclasses.replace(new, secret_key=SECRET)
    assert "Run: fieldapp keys move" in run(both, "doctor").stderr
    assert "Take FIELDAPP_SECRET_KEY out" in run(both, "keys", "move").stdout
    assert new.key() == SECRET


def test_a_key_that_is_nowhere_is_not_called_lost_by_the_move(old: Settings, new: Settings) -> None:
    old.own_key_path.unlink()  # as when FIELDAPP_SECRET_KEY had it, and was taken out of the settings too early
    refused = run(new, "keys", "move")
    assert (refused.returncode, "There is no key to move" in refused.stderr) == (1, True), refused
    assert "lost" not in refused.stderr and "FIELDAPP_SECRET_KEY" in refused.stderr
    assert not new.key_path.exists()


def test_another_key_in_the_new_place_is_not_replaced_nor_the_old_one_lost(old: Settings, new: Settings) -> None:
    new.key_path.write_text("x" * 64)
    refused = run(new, "keys", "move")
    assert (refused.returncode, "holds another key" in refused.stderr) == (1, True)
    assert (new.key_path.read_text(), old.key()) == ("x" * 64, SECRET)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("abc", "too short"),
        ("x" * 64, "another one"),
        (format_secret(make_secret(NOW)), "another one"),
        (format_secret(make_secret(NOW))[:-40], "cut or changed"),
        ('{"format": "fieldapp keys 1", "roots": [], "cookies": []}', "cut or changed"),
        ("\xff", "does not hold|too short"),
    ],
)
def test_an_empty_cut_or_foreign_key_file_stops_the_start(new: Settings, session: Session, text: str, words: str) -> None:
    new.own_key_path.unlink()
    new.key_path.write_bytes(text.encode("latin-1"))
    with pytest.raises(KeyProblem, match=words):
        load_usable_key(session, new)
    with pytest.raises(KeyProblem):
        create_app(new)
    assert run(new, "doctor").returncode == 1
    assert run(new, "keys", "rotate", "root").returncode == 1
    assert new.key_path.read_bytes() == text.encode("latin-1")


def test_a_key_may_come_from_a_command_or_from_the_service_manager(old: Settings, tmp_path: Path) -> None:
    environment = {"FIELDAPP_DATA": str(tmp_path / "none"), "FIELDAPP_KEY_COMMAND": f"echo {SECRET}"}
    settings = settings_module.read(environment)
    assert (settings.key(), settings.key_place) == (SECRET, "FIELDAPP_KEY_COMMAND")
    with pytest.raises(KeyProblem, match="cannot be changed here"):
        settings.replace_key(settings.key())
    for command in ("false", "/nonexistent", f"sh -c 'echo {SECRET}; exit 3'"):
        with pytest.raises(KeyProblem, match="did not print") as refused:
            settings_module.read({**environment, "FIELDAPP_KEY_COMMAND": command}).key()
        assert SECRET not in str(refused.value)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/fieldapp-key").write_text(SECRET)
    handed_over = settings_module.read({"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")})
    assert (handed_over.key(), handed_over.key_place) == (SECRET, str(tmp_path / "credentials/fieldapp-key"))
    own = settings_module.read({"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"), "FIELDAPP_SECRET_KEY": "y" * 32})
    assert own.key() == "y" * 32


def test_a_key_file_in_the_data_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="outside the data folder"):
        settings_module.read({"FIELDAPP_DATA": str(tmp_path), "FIELDAPP_KEY_FILE": str(tmp_path / "x/key")})


def test_a_new_root_opens_everything_and_what_was_made_under_the_old_one_goes_on(
    new: Settings, session: Session, cast: Cast
) -> None:
    if os.geteuid() == 0:  # the server's user is another one than the operator
        os.chown(new.own_key_path, 4711, 4712)
    owner = new.own_key_path.stat().st_uid
    run(new, "keys", "move")
    assert new.key_path.stat().st_uid == owner
    before = new.key()
    slip = tag_slip("K7QM3RXDQ2FA", keys.derive_slip_key(before))
    ended = ForgottenList(new).tag_card(cast.centre.id, "K7QM3RXDQ")
    wrapped = dict(session.execute(sa.select(CentreKey.kid, CentreKey.wrapped)).all())
    session.rollback()
    done = run(new, "keys", "rotate", "root")
    assert (done.returncode, "new secret key" in done.stdout) == (0, True), done
    after = new.key()
    assert [root.number for root in after.roots] == [2, 1]
    assert after != before
    assert (new.key_path.stat().st_uid, new.key_path.stat().st_mode & 0o777) == (owner, 0o600)
    session.expire_all()
    assert count_by_root(session, after) == {2: 6}
    assert load_usable_key(session, new) == after
    for kid, was in wrapped.items():
        now = session.scalars(sa.select(CentreKey.wrapped).where(CentreKey.kid == kid)).one()
        assert now != was
        assert keys.unwrap(kid, now, after) == keys.unwrap(kid, was, before)
        with pytest.raises(KeyUnavailable):
            keys.unwrap(kid, now, before)
    assert slip in [tag_slip("K7QM3RXDQ2FA", key) for key in keys.list_slip_keys(after)]
    assert ForgottenList(new).tag_card(cast.centre.id, "K7QM3RXDQ") == ended
    assert recovery_secret(after, 7) == recovery_secret(SECRET, 7)
    assert find_receipt_signer(session, cast.centre.id, after)
    session.rollback()
    shown = run(new, "keys", "show").stdout
    assert "root 2, made 20" in shown and "opens 6 keys in the database; all that is new is under it" in shown
    assert "root 1, of unknown age: opens 0 keys in the database; ended, and stays" in shown
    assert after.roots[0].secret not in shown


def test_a_change_that_was_killed_is_finished_by_the_next(new: Settings, session: Session) -> None:
    run(new, "keys", "move")
    begun = add_root(new.key(), NOW)
    new.replace_key(begun)  # killed here: nothing is under it yet
    assert load_usable_key(session, new) == begun
    create_app(new)
    assert "is not finished" not in run(new, "doctor").stderr
    assert "LOOK AT: the change of the secret key is not finished" in run(new, "doctor").stdout
    assert "not ended yet" in run(new, "keys", "show").stdout
    assert "is finished" in run(new, "keys", "rotate", "root").stdout
    assert new.key().roots == begun.roots
    assert count_by_root(session, begun) == {2: 6}
    assert "not finished" not in run(new, "doctor").stdout


def test_a_folder_that_is_not_there_is_named(new: Settings) -> None:
    nowhere = dataclasses.replace(new, key_file=str(new.folder.parent / "missing/key"))
    for arguments in (("keys", "move"), ("keys", "rotate", "root")):
        done = run(nowhere, *arguments)
        assert (done.returncode, "missing" in done.stderr) == (1, True), done
    new.own_key_path.unlink()
    with pytest.raises(KeyProblem, match="no folder"):
        nowhere.make_key()


def test_what_is_left_in_the_former_place_goes_also_after_a_change(new: Settings) -> None:
    run(new, "keys", "move")
    run(new, "keys", "rotate", "root")
    new.own_key_path.write_text(SECRET)  # somebody put a copy back
    assert "a copy of the secret key is still in" in run(new, "doctor").stdout
    assert run(new, "keys", "move").returncode == 0
    assert not new.own_key_path.exists()
    assert len(new.key().roots) == 2


def test_a_new_key_to_seal_to_leaves_the_earlier_ones(new: Settings, session: Session, cast: Cast) -> None:
    run(new, "keys", "move")
    first = keys.current_key(session, cast.centre.id, SECRET).kid
    session.rollback()
    assert run(new, "keys", "rotate", "seal").returncode == 0
    session.expire_all()
    newest = keys.current_key(session, cast.centre.id, SECRET)
    assert newest.kid != first
    earlier = session.scalars(sa.select(CentreKey).where(CentreKey.kid == first)).one()
    assert keys.private_key(earlier, SECRET)


def test_sessions_go_on_for_twelve_hours_after_their_key_changed(new: Settings) -> None:
    secret = make_secret(NOW)
    later = add_cookie_key(secret, NOW + dt.timedelta(days=1), is_at_once=False)
    hours = [dt.timedelta(days=1, hours=hour) for hour in (0, 11, 13)]
    assert [len(list_cookie_keys(later, NOW + hour)) for hour in hours] == [2, 2, 1]
    at_once = add_cookie_key(later, NOW + dt.timedelta(days=2), is_at_once=True)
    assert [key.number for key, _ in list_cookie_keys(at_once, NOW + dt.timedelta(days=2))] == [3]
    assert len(set(keys.derive_cookie_keys(add_root(later, NOW), NOW))) == 3
    assert parse_secret(format_secret(at_once)).cookie_keys == at_once.cookie_keys


@on_sqlite
def test_no_backup_holds_the_key_and_a_restore_asks_for_it(
    old: Settings, new: Settings, tmp_path: Path, session: Session
) -> None:
    session.close()
    for settings, name in ((old, "first"), (new, "second")):
        made = take_backup(settings, tmp_path / name)
        assert not any(SECRET.encode() in path.read_bytes() for path in made.where.rglob("*") if path.is_file())
        run(new, "keys", "move")
    machine = Settings(data=str(tmp_path / "machine"), key_file=str(tmp_path / "etc/other"))
    with pytest.raises(BackupProblem, match="--key FILE"):
        restore(machine, tmp_path / "first", older=True)
    (tmp_path / "envelope").write_text("y" * 64)
    with pytest.raises(BackupProblem, match="does not open"):
        restore(machine, tmp_path / "first", key=tmp_path / "envelope", older=True)
    assert not machine.key_path.exists()
    (tmp_path / "envelope").write_text(SECRET + "\n")
    done = run(machine, "restore", str(tmp_path / "first"), "--key", str(tmp_path / "envelope"), "--older")
    assert done.returncode == 0, done.stderr
    assert (machine.key(), machine.key_path.stat().st_mode & 0o777) == (SECRET, 0o600)
    create_app(machine)


@on_sqlite
def test_a_backup_of_an_older_version_that_has_the_key_is_put_back(old: Settings, tmp_path: Path, session: Session) -> None:
    session.close()
    made = take_backup(old, tmp_path / "copy")
    (made.where / "secret_key").write_text(SECRET)
    manifest = json.loads((made.where / "manifest.json").read_text())
    sha256 = hashlib.sha256(SECRET.encode()).hexdigest()
    manifest["parts"].append({"path": "secret_key", "size": len(SECRET), "sha256": sha256})
    (made.where / "manifest.json").write_text(json.dumps({**manifest, "has_key": True}))
    machine = Settings(data=str(tmp_path / "machine"))
    restore(machine, made.where)
    assert machine.key() == SECRET
