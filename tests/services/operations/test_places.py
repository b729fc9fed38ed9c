"""Backups in a place off this machine: a folder, an SFTP server, a store that speaks S3."""

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp import settings as settings_module
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import back_up_off_machine
from fieldapp.services.operations.backup.names import make_name, parse_names
from fieldapp.services.operations.backup.restore import restore_from_place
from fieldapp.services.phones.log_state import read_log_state
from fieldapp.services.transports.stores import FolderStore
from fieldapp.settings import Settings, SettingsProblem
from fieldapp.store.operations import centre_log
from tests.cast import Cast
from tests.commands import run_command
from tests.services.operations.backups import Custodians, Phone, opened
from tests.services.servers import Sftp, s3_server, sftp_server

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the other database would show nothing else


@dataclass
class Place:
    """A place as a test sees it: its address, the folder behind it, and its server."""

    address: str
    folder: Path
    server: Sftp | None = None

    def list_files(self) -> list[Path]:
        """Return the files that hold backups; S3's server keeps notes of its own beside them."""
        found = [path for path in self.folder.rglob("*fieldapp-*") if path.is_file()]
        return sorted(path for path in found if path.stat().st_size > 10_000)


@pytest.fixture(params=["folder", "sftp", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "place"
    folder.mkdir()
    if request.param == "folder":
        yield Place(str(folder), folder)
    elif request.param == "sftp":
        (folder / "backups").mkdir()
        with sftp_server(folder) as server:
            yield Place(f"sftp://institute@127.0.0.1:{server.port}/backups", folder, server)
    else:
        with s3_server(folder) as address:
            yield Place(f"{address.replace('http:', 's3+http:')}/packages/from/rexdale", folder)


@pytest.fixture
def custodians(tmp_path: Path) -> Custodians:
    return Custodians(tmp_path / "keys")


def placed_at(settings: Settings, place: Place, custodians: Custodians, secrets: Path) -> Settings:
    """Return the settings of a server that makes encrypted backups in a place."""
    secrets.mkdir(exist_ok=True)
    (secrets / "backups").write_text("S3RVER\nS3RVER\n")
    if place.server is not None:
        (secrets / "backups").write_text(place.server.password)
        (secrets / "backups-host-key").write_text(place.server.host_key)
    return replace(
        settings, copies=place.address, custodians=str(custodians.public), delivery_secrets=str(secrets)
    )  # fmt: skip


@pytest.fixture
def here(settings: Settings, place: Place, custodians: Custodians, tmp_path: Path) -> Settings:
    return placed_at(settings, place, custodians, tmp_path / "secrets")


@pytest.fixture
def there(elsewhere: Settings, here: Settings) -> Settings:
    """Another machine, which has the settings, the place's password and the server's key, and no data."""
    return replace(elsewhere, copies=here.copies, custodians=here.custodians, delivery_secrets=here.delivery_secrets)


def read_safe(session: Session, cast: Cast) -> int:
    session.rollback()
    return centre_log.read_head(session, cast.centre.id).safe


def test_a_backup_goes_to_the_place_counts_there_and_comes_back_from_it(
    here: Settings,
    there: Settings,
    place: Place,
    custodians: Custodians,
    phone: Phone,
    session: Session,
    cast: Cast,
) -> None:
    phone.send(session, phone.make(), phone.make())
    made = back_up_off_machine(here)
    assert made.is_safe and made.is_sealed
    assert made.address.startswith(place.address)
    assert read_safe(session, cast) == 0, "one copy may be lost"
    phone.send(session, phone.make())
    back_up_off_machine(here)
    assert read_safe(session, cast) == 2
    assert len(place.list_files()) == 2
    assert not list(here.folder.glob(".backup-*")), "no open copy stays"
    phone.send(session, phone.make())
    done = restore_from_place(there, identity=custodians.files[0])
    assert done.unnoted == []
    assert {path.name for path in there.folder.glob(".*")} <= {".backing-up", ".last-backup.lock"}
    with opened(there) as other:
        assert set(other.scalars(sa.text("SELECT instance_id FROM submission"))) == set(phone.receipted[:3])
        lineage = read_log_state(other, cast.centre.id, has_place=True)["lineage"]
        assert lineage == [[0, 0], [done.epoch, 3]]
    with pytest.raises(BackupProblem, match="another machine"):
        back_up_off_machine(here)
    assert read_safe(session, cast) == 2
    assert len(place.list_files()) == 2
    again = restore_from_place(there, identity=custodians.files[1], replace=True)
    assert again.epoch > done.epoch


@on_sqlite
def test_an_older_one_comes_back_only_when_asked_for(
    here: Settings, there: Settings, place: Place, custodians: Custodians, phone: Phone
) -> None:
    with pytest.raises(BackupProblem, match="There is no backup that the server made"):
        restore_from_place(there, identity=custodians.files[0])
    first = back_up_off_machine(here).where.name
    phone.send(phone.session, phone.make())
    second = back_up_off_machine(here).where.name
    with pytest.raises(BackupProblem, match=f"{second} is a newer backup"):
        restore_from_place(there, first, identity=custodians.files[0])
    with pytest.raises(BackupProblem, match="no backup fieldapp-x"):
        restore_from_place(there, "fieldapp-x", identity=custodians.files[0])
    restore_from_place(there, first, identity=custodians.files[0], older=True)


@on_sqlite
@pytest.mark.parametrize("place", ["sftp", "s3"], indirect=True)
def test_what_the_place_changed_or_cut_is_not_put_back(
    here: Settings, there: Settings, place: Place, custodians: Custodians, phone: Phone
) -> None:
    back_up_off_machine(here)
    [path] = place.list_files()
    data = path.read_bytes()
    for harmed in (data[:-1] + bytes([data[-1] ^ 1]), data[:-100]):
        path.write_bytes(harmed)
        with pytest.raises(BackupProblem, match=r"not what was put there|cannot be used"):
            restore_from_place(there, identity=custodians.files[0])
        assert not (there.folder / "fieldapp.db").exists()
        assert not list(there.folder.glob(".opening-*"))


@on_sqlite
@pytest.mark.parametrize("place", ["sftp"], indirect=True)
def test_a_connection_that_breaks_leaves_nothing_that_counts(
    here: Settings, place: Place, phone: Phone, session: Session, cast: Cast
) -> None:
    phone.send(session, phone.make())
    back_up_off_machine(here)
    assert place.server
    place.server.dies_after = place.server.written + 20_000
    with pytest.raises(BackupProblem, match="cannot be used"):
        back_up_off_machine(here)
    assert place.server.dies_after is None, "it broke"
    assert [path.name.startswith(".") for path in place.list_files()].count(False) == 1
    assert read_safe(session, cast) == 0
    back_up_off_machine(here)
    assert read_safe(session, cast) == 1
    assert not list(place.folder.rglob("*.part")), "what was cut goes with the next"


@on_sqlite
@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_what_a_killed_backup_left_in_a_folder_goes_with_the_next(here: Settings, place: Place, phone: Phone) -> None:
    (place.folder / ".fieldapp-20261130.part-killed").mkdir()
    (place.folder / ".fieldapp-20261130.part-killed/database.sqlite3").write_bytes(b"all of it, readable")
    (place.folder / ".fieldapp-20261129.tar.gz.age.part").write_bytes(b"half a backup")
    (place.folder / ".holiday.jpg.part").write_bytes(b"not ours")
    back_up_off_machine(here)
    assert [path.name for path in place.folder.glob(".*")] == [".holiday.jpg.part"]


@on_sqlite
@pytest.mark.parametrize("place", ["sftp"], indirect=True)
def test_what_sftp_gives_back_otherwise_counts_for_nothing(
    here: Settings, place: Place, phone: Phone, session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncssh  # noqa: PLC0415

    phone.send(session, phone.make())
    back_up_off_machine(here)
    close = asyncssh.SFTPServer.close

    def spoil(self: asyncssh.SFTPServer, file: object) -> object:
        done = close(self, file)  # type: ignore[func-returns-value]
        for partial in place.folder.rglob(".*.part"):
            partial.write_bytes(partial.read_bytes()[:-1] + b"?")
        return done

    monkeypatch.setattr(asyncssh.SFTPServer, "close", spoil)
    with pytest.raises(BackupProblem, match="gave back another file"):
        back_up_off_machine(here)
    assert read_safe(session, cast) == 0


@on_sqlite
@pytest.mark.parametrize("place", ["sftp", "s3"], indirect=True)
def test_wrong_credentials_are_said_without_saying_them(
    here: Settings, place: Place, custodians: Custodians, phone: Phone, tmp_path: Path
) -> None:
    secrets = here.secrets_folder
    (secrets / "backups").write_text("WRONG-CANARY\nWRONG-CANARY")
    with pytest.raises(BackupProblem, match="cannot be used") as refused:
        back_up_off_machine(here)
    assert "CANARY" not in str(refused.value)
    (secrets / "backups").unlink()
    with pytest.raises(BackupProblem, match=r"needs a file .*backups with the password or key"):
        back_up_off_machine(here)
    if place.server is not None:
        placed_at(here, place, custodians, secrets)
        with sftp_server(place.folder) as other:
            (secrets / "backups-host-key").write_text(other.host_key)
        with pytest.raises(BackupProblem, match="cannot be used"):
            back_up_off_machine(here)
        (secrets / "backups-host-key").write_text("no key")
        with pytest.raises(BackupProblem, match="host key"):
            back_up_off_machine(here)
    assert place.list_files() == []


@on_sqlite
@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_disk_that_is_not_mounted_is_said(here: Settings, place: Place, phone: Phone) -> None:
    place.folder.rmdir()
    with pytest.raises(BackupProblem, match="is mounted"):
        back_up_off_machine(here)
    with pytest.raises(BackupProblem, match="no folder"):
        back_up_off_machine(replace(here, custodians=""))
    with pytest.raises(BackupProblem, match="set FIELDAPP_COPIES"):
        back_up_off_machine(replace(here, copies=""))


@on_sqlite
@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_without_custodians_the_folder_gets_an_open_backup(here: Settings, place: Place, phone: Phone) -> None:
    made = back_up_off_machine(replace(here, custodians=""))
    assert made.is_safe and not made.is_sealed
    assert (made.where / "manifest.json").is_file()
    assert parse_names(FolderStore(place.folder).list_names())[-1].name == made.where.name


def test_nothing_goes_over_a_network_that_is_not_encrypted() -> None:
    with pytest.raises(SettingsProblem, match="encrypted only"):
        settings_module.read({"FIELDAPP_COPIES": "sftp://backup@nas.example/rexdale"})
    settings = Settings(copies="sftp://backup@nas.example/rexdale")
    with pytest.raises(BackupProblem, match="encrypted only"):
        back_up_off_machine(settings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sftp://nas.example/rexdale", "must be a folder"),
        ("sftp://backup@nas.example", "must be a folder"),
        ("sftp://backup@nas.example:port/x", "must be a folder"),
        ("sftp://backup:CANARY@nas.example/rexdale", "must not hold a password"),
        ("ftp://backup@nas.example/rexdale", "must be a folder"),
        ("s3://store.example", "must be a folder"),
        ("s3+http://store.example/bucket", "must be a folder"),
    ],
)
def test_an_address_that_is_none_stops_the_start(text: str, words: str) -> None:
    with pytest.raises(SettingsProblem, match=words) as refused:
        settings_module.read({"FIELDAPP_COPIES": text, "FIELDAPP_CUSTODIANS": "/etc/fieldapp/custodians"})
    assert "CANARY" not in str(refused.value)


def test_addresses_name_their_parts() -> None:
    assert settings_module.parse_place("sftp://backup@nas.example/volume1/rexdale") == {
        "kind": "sftp", "host": "nas.example", "port": "22", "username": "backup", "folder": "/volume1/rexdale",
    }  # fmt: skip
    assert settings_module.parse_place("s3://store.example:9000/bucket/from/rexdale?region=ca-central-1") == {
        "kind": "s3", "endpoint": "https://store.example:9000", "bucket": "bucket", "prefix": "from/rexdale",
        "region": "ca-central-1",
    }  # fmt: skip


def test_names_are_in_the_order_in_which_backups_are_newer() -> None:
    moment = dt.datetime(2026, 11, 30, 2, 30, tzinfo=dt.UTC)
    names = [
        make_name(moment, 5, "ab" * 32),  # after a restore, by a clock that was behind
        make_name(moment + dt.timedelta(days=1), 0, "cd" * 32),
        make_name(moment),
        "last-epoch",
        "holiday.jpg",
        f".{make_name(moment, 5, 'ef' * 32)}.part",
    ]
    assert [backup.name for backup in parse_names(names)] == [
        "fieldapp-20261130-023000-000000",
        "fieldapp-20261201-023000-000000-0-cdcdcdcdcdcdcdcd.tar.gz.age",
        "fieldapp-20261130-023000-000000-5-abababababababab.tar.gz.age",
    ]


def test_by_the_commands_without_a_name(
    here: Settings, there: Settings, place: Place, custodians: Custodians, phone: Phone
) -> None:
    phone.send(phone.session, phone.make())
    made = run_command({**os.environ, **here.environment()}, "backup")
    assert made.returncode == 0, made.stderr
    assert place.address in made.stdout and "It was read back" in made.stdout
    done = run_command({**os.environ, **there.environment()}, "restore", "--identity", str(custodians.files[0]))
    assert done.returncode == 0, done.stderr
    with opened(there) as session:
        assert set(session.scalars(sa.text("SELECT instance_id FROM submission"))) == set(phone.receipted)
