"""Make a backup: one checked copy of everything, while phones go on sending."""

import base64
import dataclasses
import datetime as dt
import hashlib
import importlib.metadata
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fieldapp.paths import ROOT
from fieldapp.services.acts import utcnow
from fieldapp.services.operations.backup import data_lock, journal, marks, names, places
from fieldapp.services.operations.backup.contents import (
    DATABASES,
    FILES,
    FORMAT,
    MANIFEST,
    OPENING,
    BackupProblem,
    check_parts,
    copy_file,
    describe_part,
    drop_from_memory,
    iterate_data_files,
    make_durable,
    read_manifest,
)
from fieldapp.services.operations.backup.marks import Work
from fieldapp.services.operations.backup.old_backups import delete_old
from fieldapp.services.operations.backup.sealed import END, is_sealed, read_recipients, seal
from fieldapp.services.operations.backup.tries import noted_try
from fieldapp.services.operations.server_key import Wrapped
from fieldapp.services.people.second_factor import wrapped_as
from fieldapp.services.transports.remote_stores import open_store
from fieldapp.services.transports.stores import FolderStore, Store, StoreProblem
from fieldapp.settings import Settings, sync_folder
from fieldapp.store import copies
from fieldapp.store.copies import Contents, CopyProblem
from fieldapp.store.database import WriteTransaction, engine_for, sqlite_file
from fieldapp.store.operations import centre_log
from fieldapp.store.operations.journal import ChainEnd, note_copy
from fieldapp.store.session import DatabaseError, OperationalError, Session

WORK = ".backup-"  # how the names begin of folders in which an encrypted backup is made
ROOM = 300_000_000  # bytes that a backup leaves to phones and the database


@dataclass(frozen=True)
class Backup:
    """A backup that is complete and checked."""

    where: Path  # of one in a folder of this machine
    address: str  # where it is, in words
    manifest: dict[str, Any]
    sha256: str  # of the file; of an open folder its manifest's, which names the hash of everything else
    left_out: list[str]  # what must be kept by other means, in words
    is_safe: bool  # it is in the place off this machine, and phones may rely on it
    is_sealed: bool = False  # only the custodians can open it


def take_backup(settings: Settings, target: Path) -> Backup:
    """Make a backup, which appears only when it is complete.

    It is a new folder, or a file that is encrypted. The server's secret key is never in it: who takes both has
    everything. Raises BackupProblem, and leaves nothing behind, when anything is missing or damaged, or the
    custodians' keys do not fit the name.
    """
    target = target.absolute()
    _check_target(settings, target)
    keys = _choose_keys(settings, target)
    if keys:
        store: Store = FolderStore(target.parent)
        return _take_sealed(settings, lambda: nullcontext(store), target.name, keys, _is_in_place(settings, target))
    # Shared: backups may run beside the server, but not beside a restore.
    with data_lock.share(settings):
        # In the target's own folder: a rename across disks is a copy that can stop halfway.
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.part-", dir=target.parent))
        try:
            is_safe = _is_in_place(settings, target)
            manifest = _copy_everything(settings, work, is_safe)
            text = _write_manifest(work, manifest)
            make_durable(work)
            if is_safe:
                _require_not_replaced(settings, FolderStore(target.parent), manifest)
                drop_from_memory(work)
                check_parts(work, read_manifest(work))
            work.rename(target)  # only now is it a backup
            sync_folder(target.parent)
            if is_safe:
                _note_safe(settings, manifest)
        except CopyProblem as problem:
            raise BackupProblem(str(problem)) from None
        finally:
            shutil.rmtree(work, ignore_errors=True)
        # Written only for a backup that is complete, since doctor believes it.
        made_at = dt.datetime.fromisoformat(manifest["made_at"])
        marks.save_last_backup(settings, made_at, str(target), is_safe, target.name)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Backup(target, str(target), manifest, sha256, _list_left_out(settings), is_safe)


def _choose_keys(settings: Settings, target: Path) -> list[str]:
    """Return the keys that a backup is encrypted to; none for one that is not encrypted."""
    keys = read_recipients(settings)
    if is_sealed(target) and not keys:
        raise BackupProblem(
            f"A name that ends with {END} is that of an encrypted backup, and no custodians are set. Set "
            "FIELDAPP_CUSTODIANS to a file with their public age keys, two at least."
        )
    if keys and not is_sealed(target):
        raise BackupProblem(
            "Backups of this server are encrypted (FIELDAPP_CUSTODIANS), so name a file that ends with "
            f"{END}, such as {target}{END}"
        )
    return keys


def back_up_off_machine(settings: Settings) -> Backup:
    """Make a backup in the place off this machine, and delete old ones there.

    Its name says when it was made. It is encrypted where custodians are set. Raises BackupProblem as `take_backup` does.
    """
    if not settings.copies:
        raise BackupProblem(
            "There is no place for backups off this machine. Name a folder or file, or set FIELDAPP_COPIES to a place: a "
            "folder on another machine's disk, sftp://user@host/folder or s3://host/bucket/folder"
        )
    with noted_try(settings, Work.BACKUP):
        backup = _back_up_in_place(settings)
    try:
        with open_store(settings) as store:
            delete_old(settings, store, dt.datetime.fromisoformat(backup.manifest["made_at"]))
    except StoreProblem as problem:
        # The backup is good all the same. An account that may only add is a good one, too.
        marks.change_notes(settings, undeleted=str(problem))
    return backup


def _back_up_in_place(settings: Settings) -> Backup:
    keys = read_recipients(settings)
    folder = settings.copies_folder
    if not keys and folder is None:
        raise BackupProblem(f"{settings.copies}: backups go there encrypted only. Set FIELDAPP_CUSTODIANS.")
    if not keys and folder is not None:
        return take_backup(settings, folder / names.make_name(utcnow()))
    return _take_sealed(settings, partial(open_store, settings), None, keys, is_safe=True)


def _take_sealed(
    settings: Settings,
    opening: Callable[[], AbstractContextManager[Store]],
    name: str | None,
    keys: list[str],
    is_safe: bool,
) -> Backup:
    """Make an encrypted backup in a store, which counts once it was read back there.

    `opening` opens the store; `name`: None for one that says when it was made. `is_safe`: it is the place off this
    machine.
    """
    with data_lock.share(settings), data_lock.only_backup(settings), work_folder(settings) as work:
        try:
            with opening() as store:
                store.list_names()  # a place that cannot be used is known before an hour's work
            copy = work / "copy"
            copy.mkdir(mode=0o700)
            manifest = _copy_everything(settings, copy, is_safe)
            _write_manifest(copy, manifest)
            sha256 = seal(copy, work / "sealed", keys)
            shutil.rmtree(copy)
            made_at = dt.datetime.fromisoformat(manifest["made_at"])
            name = name or names.make_name(made_at, manifest["epoch"], sha256)
            # Opened once more: no server keeps a connection for as long as a large copy takes.
            with opening() as store:
                if is_safe:
                    _require_not_replaced(settings, store, manifest)
                    _require_newest(store, manifest)
                store.put(work / "sealed", name, sha256)
                address = store.describe(name)
            if is_safe:
                _note_safe(settings, manifest)
        except (CopyProblem, StoreProblem) as problem:
            raise BackupProblem(str(problem)) from None
        marks.save_last_backup(settings, made_at, address, is_safe, name)
    return Backup(Path(address), address, manifest, sha256, _list_left_out(settings), is_safe, is_sealed=True)


@contextmanager
def work_folder(settings: Settings, copies: int = 2) -> Iterator[Path]:
    """Yield a folder for a copy that nobody else may see.

    What a killed backup left there is deleted first. `copies`: for how many of everything there must be room. Raises
    BackupProblem when there is not.
    """
    _delete_leftovers(settings)
    _require_room(settings, copies)
    work = Path(tempfile.mkdtemp(prefix=WORK, dir=settings.folder))  # readable by its owner only
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _delete_leftovers(settings: Settings) -> None:
    """Delete the open copies that killed backups, drills and restores left."""
    for left in settings.folder.glob(f"{WORK}*"):
        shutil.rmtree(left, ignore_errors=True)
    # A restore may be opening a backup just now; none takes a day.
    yesterday = utcnow().timestamp() - 24 * 3600
    for left in settings.folder.glob(f"{OPENING}*"):
        if left.stat().st_mtime < yesterday:
            shutil.rmtree(left, ignore_errors=True)


def _require_room(settings: Settings, copies: int) -> None:
    """Raise BackupProblem where a backup could fill the disk that phones' records need."""
    database = sqlite_file(settings.url)
    size = sum(path.stat().st_size for _, path in iterate_data_files(settings))
    if database is not None and database.is_file():
        size += database.stat().st_size
    needed = copies * size + ROOM
    if shutil.disk_usage(settings.folder).free < needed:
        text = f"The disk of {settings.folder} has too little room: {needed // 1_000_000} MB are needed for a while."
        raise BackupProblem(f"{text} Nothing was done. Make room.")


def _write_manifest(work: Path, manifest: dict[str, Any]) -> str:
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    (work / MANIFEST).write_text(text, encoding="utf-8")
    return text


def _is_in_place(settings: Settings, target: Path) -> bool:
    """Say whether a backup is in the place off this machine."""
    return settings.copies_folder is not None and target.parent.resolve() == settings.copies_folder


def _require_not_replaced(settings: Settings, store: Store, manifest: dict[str, Any]) -> None:
    """Raise BackupProblem when a backup of this store was put back on another machine."""
    places.note_number(settings, store)
    if places.read_number(store) > manifest["epoch"]:
        raise BackupProblem(
            f"A backup from {store.describe()} was put back on another machine since this one last ran, so this is not the "
            "centre's server any more. No backup was made. Stop this server for good."
        )


def _require_newest(store: Store, manifest: dict[str, Any]) -> None:
    """Raise BackupProblem when a backup seems to be newer than the one just made.

    Of two such backups a restore would choose the wrong one.
    """
    newest = names.parse_names(store.list_names())[-1:]
    made_at = dt.datetime.fromisoformat(manifest["made_at"])
    if newest and newest[0].epoch == manifest["epoch"] and newest[0].made_at > made_at:
        raise BackupProblem(
            f"{store.describe(newest[0].name)} was made later than now, so the clock of this machine was wrong, or is. No "
            "backup was made. Correct the clock, and give that backup another name."
        )


def _prepare_journal(settings: Settings, is_safe: bool) -> None:
    path = sqlite_file(settings.url)
    if path is not None and not path.is_file():
        return
    engine = engine_for(settings.url)
    try:
        with Session(engine) as session:
            journal.prepare(session, settings, is_safe)
    except OperationalError as error:
        raise BackupProblem(f"The database cannot be written ({str(error.orig).strip()}). No backup was made.") from None
    except DatabaseError:
        return  # it is damaged, which the copy finds and says
    finally:
        engine.dispose()


def _note_safe(settings: Settings, manifest: dict[str, Any]) -> None:
    """Note how far the copies off this machine reach.

    Phones then delete what is in this one and in the one before it.
    """
    # An upgrade begins with a backup: there the table may be missing.
    if not (manifest["positions"] or manifest["journal"]):
        return
    positions = {int(centre_id): position for centre_id, position in manifest["positions"].items()}
    engine = engine_for(settings.url)
    try:
        with Session(engine) as session, WriteTransaction(session):
            centre_log.note_copied(session, positions, manifest["epoch"])
            if manifest["journal"]:
                note_copy(session, ChainEnd(**manifest["journal"]))
    finally:
        engine.dispose()


def _check_target(settings: Settings, target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupProblem(
            f"{target} is there already and not empty. Name a new folder, such as {target.parent}/2026-11-29"
        )
    if not target.parent.is_dir():
        raise BackupProblem(f"There is no folder {target.parent}. Make it first, or see whether its disk is mounted.")
    if target.resolve().is_relative_to(settings.folder):
        raise BackupProblem(
            f"A backup in the data folder ({settings.folder}) is lost together with it. Name a folder elsewhere."
        )


def _copy_everything(settings: Settings, work: Path, is_safe: bool) -> dict[str, Any]:
    """Copy everything into the folder `work`, and return the manifest."""
    now = utcnow()
    kind = copies.get_kind(settings.url)
    database = work / DATABASES[kind]
    with data_lock.only_moment(settings):
        _prepare_journal(settings, is_safe)
        contents = _copy_database(settings, database, now)
    if not contents.schema:
        raise BackupProblem("The database is empty: it has not been set up. There is nothing to back up.")
    for name, path in iterate_data_files(settings):  # after the database: what it names was there before it was copied
        _copy_checked(path, work / FILES / name)
    _check_packages(contents, work / FILES / "packages")
    factors = [(wrapped_as(user_id), wrapped) for user_id, wrapped in contents.factors]
    parts = [describe_part(path, work) for path in sorted(work.rglob("*")) if path.is_file()]
    return {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "kind": kind,
        "schema": contents.schema,
        "code": {"version": importlib.metadata.version("fieldapp"), "commit": _find_commit()},
        "rows": contents.rows,
        "position": contents.position,
        "epoch": contents.epoch,
        "positions": {str(centre_id): position for centre_id, position in contents.positions.items()},
        "journal": dataclasses.asdict(contents.journal) if contents.journal else None,
        "has_key": False,  # older versions could put it in
        # Only the right secret key opens these, so a restore knows it before it changes anything.
        "keys": _encode_wrapped(contents.keys),
        "factors": _encode_wrapped(factors),
        "parts": parts,
    }


def _encode_wrapped(keys: Wrapped) -> list[list[str]]:
    return [[name, base64.b64encode(wrapped).decode()] for name, wrapped in keys]


def _copy_database(settings: Settings, target: Path, now: dt.datetime) -> Contents:
    path = sqlite_file(settings.url)
    if path is not None:
        if not path.is_file():
            raise BackupProblem(f"There is no database at {path}.")
        return copies.copy_sqlite(path, target, now)
    engine = engine_for(settings.url)
    try:
        return copies.dump_postgresql(engine, target, now)
    finally:
        engine.dispose()


def _copy_checked(source: Path, target: Path) -> None:
    """Copy a file; one that was deleted meanwhile is left out.

    Where a release names the file, _check_packages finds that it is missing.
    """
    try:
        copy_file(source, target)
    except FileNotFoundError:
        target.unlink(missing_ok=True)


def _check_packages(contents: Contents, folder: Path) -> None:
    """Raise BackupProblem unless every package that a release names is in the copy, undamaged.

    A package is named by the SHA-256 of its content.
    """
    for sha256, filename in contents.packages.items():
        path = folder / f"{sha256}.zip"
        if not path.is_file() or describe_part(path, folder)["sha256"] != sha256:
            raise BackupProblem(
                f"The package {filename} (packages/{path.name}) is missing or damaged, so the backup would not be whole. "
                "Put it back from an older backup, or revoke its release: fieldapp release revoke"
            )


def _list_left_out(settings: Settings) -> list[str]:
    """Return sentences that say what must be kept by other means."""
    left_out = [
        f"The secret key ({settings.key_place}) is not in it. Keep a copy of it in another place: "
        "without it this backup cannot be put back, and nothing that phones sealed can be opened."
    ]
    if not settings.secrets_folder.is_relative_to(settings.folder):
        text = f"The secrets of delivery targets ({settings.secrets_folder}) are not in it."
        left_out.append(text)
    return left_out


def _find_commit() -> str:
    """Return the commit that the code is at; "" outside a checkout, or without git."""
    if not (ROOT / ".git").exists():  # installed, perhaps inside a checkout of something else
        return ""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
