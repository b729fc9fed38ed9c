"""Encrypted backups: one file that two custodians can open, each alone, and nobody else."""

import io
import json
import os
import resource
import shutil
import subprocess
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.operations.backup import sealed
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import take_backup
from fieldapp.services.operations.backup.data_lock import only_backup
from fieldapp.services.operations.backup.restore import restore
from fieldapp.settings import Settings, SettingsProblem
from fieldapp.store.operations import centre_log
from tests.cast import Cast
from tests.commands import run_command
from tests.services.operations.backups import Custodians, Phone, opened

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the other database would show nothing else


@pytest.fixture
def custodians(tmp_path: Path) -> Custodians:
    return Custodians(tmp_path / "keys")


@pytest.fixture
def sealing(settings: Settings, custodians: Custodians) -> Settings:
    return replace(settings, custodians=str(custodians.public))


def list_left(folder: Path) -> set[str]:
    """Return what a refused restore or backup left in a data folder, beside locks and an empty database."""
    if not folder.exists():
        return set()
    return {path.name for path in folder.iterdir()} - {
        "in-use",
        ".backing-up",
        ".taking-a-moment",
        "fieldapp.db",
        "last-backup.json",
        ".last-backup.lock",
    }


@on_sqlite
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "names 0 custodians' keys"),
        ("{one}", "Let another person run age-keygen"),
        ("{one}\n# again\n{one}", "names 1 custodians' keys"),
        ("{one}\n{two}x", "Line 2 of .* is no public age key"),
        ("{private}\n{two}", "Line 1 of .* is a private key"),
        (None, "cannot be read"),
    ],
)
def test_backups_need_the_keys_of_two_custodians(
    sealing: Settings, custodians: Custodians, phone: Phone, tmp_path: Path, lines: str | None, words: str
) -> None:
    one, two = custodians.keys
    private = str(custodians.identities[0])
    if lines is None:
        custodians.public.unlink()
    else:
        custodians.public.write_text(lines.format(one=one, two=two, private=private))
    with pytest.raises(BackupProblem, match=words) as refused:
        take_backup(sealing, tmp_path / "copy.age")
    assert private not in str(refused.value)
    assert not (tmp_path / "copy.age").exists()


@on_sqlite
def test_the_name_says_whether_it_is_encrypted(settings: Settings, sealing: Settings, phone: Phone, tmp_path: Path) -> None:
    with pytest.raises(BackupProblem, match="FIELDAPP_CUSTODIANS"):
        take_backup(settings, tmp_path / "copy.age")
    with pytest.raises(BackupProblem, match=r"such as .*copy\.age"):
        take_backup(sealing, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_each_custodian_alone_can_put_an_encrypted_backup_back(
    sealing: Settings, elsewhere: Settings, custodians: Custodians, phone: Phone, tmp_path: Path
) -> None:
    phone.send(phone.session, phone.make(), phone.make())
    (sealing.folder / "tls").mkdir(parents=True)
    (sealing.folder / "tls/ca.pem").write_text("CANARY of a certificate")
    made = take_backup(sealing, tmp_path / "copy.age")
    assert made.is_sealed
    assert made.where.stat().st_mode & 0o077 == 0
    assert b"CANARY" not in made.where.read_bytes()
    assert list_left(sealing.folder) == {"tls"}, "no open copy stays"
    for number, identity in enumerate(custodians.files):
        restore(elsewhere, made.where, identity=identity, replace=number > 0)
        with opened(elsewhere) as session:
            assert set(session.scalars(sa.text("SELECT instance_id FROM submission"))) == set(phone.receipted)
        assert (elsewhere.folder / "tls/ca.pem").read_text() == "CANARY of a certificate"
    assert {name for name in list_left(elsewhere.folder) if not name.startswith("replaced-")} == {"tls"}


@on_sqlite
def test_other_programs_open_it_as_well(sealing: Settings, custodians: Custodians, phone: Phone, tmp_path: Path) -> None:
    """In need, `age --decrypt | tar xz` is enough."""
    made = take_backup(sealing, tmp_path / "copy.age")
    plain = pyrage.decrypt(made.where.read_bytes(), [custodians.identities[1]])
    subprocess.run(["tar", "xz", "-C", str(tmp_path)], input=plain, check=True)
    assert json.loads((tmp_path / "manifest.json").read_text()) == made.manifest
    assert (tmp_path / "database.sqlite3").read_bytes()[:6] == b"SQLite"
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        assert archive.getnames()[0] == "manifest.json", "so that it is read first"


@on_sqlite
@pytest.mark.parametrize(
    "harm", ["cut", "cut in its head", "changed", "empty", "something else", "no archive", "half an archive"]
)
def test_an_encrypted_backup_that_is_not_whole_is_refused(
    sealing: Settings, elsewhere: Settings, custodians: Custodians, phone: Phone, tmp_path: Path, harm: str
) -> None:
    phone.send(phone.session, phone.make())
    where = take_backup(sealing, tmp_path / "copy.age").where
    data = where.read_bytes()
    middle = len(data) // 2
    keys = [pyrage.x25519.Recipient.from_str(key) for key in custodians.keys]
    harmed = {
        "cut": data[:-1],
        "cut in its head": data[:100],
        "changed": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "empty": b"",
        "something else": b"a holiday picture " * 1000,
        "no archive": pyrage.encrypt(b"a holiday picture", keys),
        "half an archive": pyrage.encrypt(pyrage.decrypt(data, [custodians.identities[0]])[:-5000], keys),
    }
    where.write_bytes(harmed[harm])
    with pytest.raises(BackupProblem, match=r"copy\.age is no whole encrypted backup"):
        restore(elsewhere, where, identity=custodians.files[0])
    assert list_left(elsewhere.folder) == set()


@on_sqlite
def test_names_in_an_encrypted_backup_lead_nowhere_else(elsewhere: Settings, custodians: Custodians, tmp_path: Path) -> None:
    keys = [pyrage.x25519.Recipient.from_str(key) for key in custodians.keys]
    for name, kind in [("../out", tarfile.REGTYPE), ("/tmp/out-of-it", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)]:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            entry.linkname = "/etc/passwd"
            archive.addfile(entry)
        (tmp_path / "copy.age").write_bytes(pyrage.encrypt(packed.getvalue(), keys))
        with pytest.raises(BackupProblem, match="cannot be right"):
            restore(elsewhere, tmp_path / "copy.age", identity=custodians.files[0])
        assert list_left(elsewhere.folder) == set()
    assert not Path("/tmp/out-of-it").exists()


@on_sqlite
def test_only_a_custodians_key_opens_it(
    sealing: Settings, elsewhere: Settings, custodians: Custodians, phone: Phone, tmp_path: Path
) -> None:
    where = take_backup(sealing, tmp_path / "copy.age").where
    stranger = Custodians(tmp_path / "stranger")
    locked = tmp_path / "locked"
    locked.write_text("-----BEGIN AGE ENCRYPTED FILE-----\n")
    for identity, words in [
        (None, "--identity KEYFILE"),
        (stranger.files[0], "keys of other custodians"),
        (custodians.public, "holds no private age key"),
        (locked, "passphrase"),
        (tmp_path / "none", "cannot be read"),
    ]:
        with pytest.raises(BackupProblem, match=words):
            restore(elsewhere, where, identity=identity)
        assert list_left(elsewhere.folder) == set()


@on_sqlite
def test_an_encrypted_backup_of_another_centre_or_a_newer_version_is_refused(
    sealing: Settings, elsewhere: Settings, custodians: Custodians, phone: Phone, tmp_path: Path
) -> None:
    where = take_backup(sealing, tmp_path / "copy.age").where
    with pytest.raises(BackupProblem, match="does not open the keys in the backup"):
        restore(replace(elsewhere, secret_key="x" * 64), where, identity=custodians.files[0])
    folder = tmp_path / "open"
    folder.mkdir()
    sealed.unseal(where, folder, sealed.read_identities(custodians.files[0]))
    manifest = json.loads((folder / "manifest.json").read_text())
    for change, words in [({"format": 2}, "Use the version that made it"), ({"schema": "9999"}, "newer than this version")]:
        (folder / "manifest.json").write_text(json.dumps(manifest | change))
        newer = tmp_path / f"newer-{len(change)}-{next(iter(change))}.age"
        sealed.seal(folder, newer, custodians.keys)
        with pytest.raises(BackupProblem, match=words):
            restore(elsewhere, newer, identity=custodians.files[0], older=True)
    assert list_left(elsewhere.folder) == set()


@on_sqlite
def test_an_older_encrypted_backup_is_put_back_only_when_asked_for(
    sealing: Settings, elsewhere: Settings, custodians: Custodians, phone: Phone, tmp_path: Path
) -> None:
    (tmp_path / "place").mkdir()
    first = take_backup(sealing, tmp_path / "place/1.age")
    take_backup(sealing, tmp_path / "place/2.age")
    (tmp_path / "place/3.age").write_bytes(b"what is no backup cannot be put back")
    with pytest.raises(BackupProblem, match=r"2\.age is a newer backup"):
        restore(elsewhere, first.where, identity=custodians.files[0])
    restore(elsewhere, first.where, identity=custodians.files[0], older=True)


def test_what_two_encrypted_backups_off_the_machine_hold_is_safe(
    sealing: Settings, phone: Phone, session: Session, cast: Cast, tmp_path: Path
) -> None:
    (tmp_path / "place").mkdir()
    here = replace(sealing, copies=str(tmp_path / "place"))
    phone.send(session, phone.make(), phone.make())
    for number in (1, 2):
        assert take_backup(here, tmp_path / f"place/{number}.age").is_safe
    session.rollback()
    assert centre_log.read_head(session, cast.centre.id).safe == 2


def test_what_a_place_gives_back_otherwise_makes_nothing_safe(
    sealing: Settings, phone: Phone, session: Session, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "place").mkdir()
    here = replace(sealing, copies=str(tmp_path / "place"))
    phone.send(session, phone.make())
    take_backup(here, tmp_path / "place/1.age")
    write = os.fsync

    def spoil(descriptor: int) -> None:
        write(descriptor)
        for partial in (tmp_path / "place").glob(".2.age.part"):
            partial.write_bytes(partial.read_bytes()[:-1] + b"?")

    monkeypatch.setattr(os, "fsync", spoil)
    with pytest.raises(BackupProblem, match="gave back another file"):
        take_backup(here, tmp_path / "place/2.age")
    assert [path.name for path in (tmp_path / "place").iterdir()] == ["1.age"]
    session.rollback()
    assert centre_log.read_head(session, cast.centre.id).safe == 0


@on_sqlite
def test_one_backup_at_a_time_and_what_a_killed_one_left_goes(sealing: Settings, phone: Phone, tmp_path: Path) -> None:
    sealing.folder.mkdir()
    (sealing.folder / ".backup-killed").mkdir()
    (sealing.folder / ".backup-killed/database.sqlite3").write_bytes(b"all of it, readable")
    (sealing.folder / ".opening-killed").mkdir()
    (sealing.folder / ".opening-at-work").mkdir()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(sealing.folder / ".opening-killed", (two_days_ago, two_days_ago))
    with only_backup(sealing), pytest.raises(SettingsProblem, match="Another backup"):
        take_backup(sealing, tmp_path / "copy.age")
    take_backup(sealing, tmp_path / "copy.age")
    assert list_left(sealing.folder) == {".opening-at-work"}


@on_sqlite
def test_a_full_disk_is_said_before_anything_changes(
    sealing: Settings,
    elsewhere: Settings,
    custodians: Custodians,
    phone: Phone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = take_backup(sealing, tmp_path / "copy.age").where
    # Not larger than this may a file be from now on, as on a disk that is full.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(BackupProblem, match="is full"):
            restore(elsewhere, where, identity=custodians.files[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list_left(elsewhere.folder) == set()
    real = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=1000))
    with pytest.raises(BackupProblem, match="too little room"):
        take_backup(sealing, tmp_path / "second.age")
    assert list_left(sealing.folder) == set()


def test_by_the_commands_with_a_custodians_key(
    sealing: Settings, elsewhere: Settings, custodians: Custodians, phone: Phone, tmp_path: Path
) -> None:
    phone.send(phone.session, phone.make())
    made = run_command({**os.environ, **sealing.environment()}, "backup", str(tmp_path / "copy.age"))
    assert made.returncode == 0, made.stderr
    assert "It is encrypted" in made.stdout and "1 submissions" in made.stdout
    there = {**os.environ, **elsewhere.environment()}
    refused = run_command(there, "restore", str(tmp_path / "copy.age"))
    assert (refused.returncode, "--identity KEYFILE" in refused.stderr) == (1, True)
    done = run_command(there, "restore", str(tmp_path / "copy.age"), "--identity", str(custodians.files[1]))
    assert done.returncode == 0, done.stderr
    with opened(elsewhere) as session:
        assert set(session.scalars(sa.text("SELECT instance_id FROM submission"))) == set(phone.receipted)
