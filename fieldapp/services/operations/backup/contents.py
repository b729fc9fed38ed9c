"""What a backup consists of: its manifest, its files and their hashes."""

import base64
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from fieldapp.services.operations.backup import data_lock, marks
from fieldapp.settings import FORGOTTEN, HEALTH_NOTE, OWN_KEY, Settings, sync_folder
from fieldapp.store.database import sqlite_file

FORMAT = 1
MANIFEST = "manifest.json"
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
FILES = "files"  # what is in the data folder beside the database
KEY = OWN_KEY  # in no backup; older versions could put it in
ASIDE = "replaced-"  # folders that a restore moved aside begin with this
OPENING = ".opening-"  # folders into which an encrypted backup is opened begin with this
# What must not be older than what was sent out: a diary of the City's sums that forgot what it signed would sign twice.
NEVER_BACK = {"city"}
REBUILT = {"packages/feeds"}  # the scheduler builds them from the database


class BackupProblem(Exception):
    """A backup that cannot be made or restored; the text says why and what to do."""


def list_data_entries(settings: Settings) -> list[Path]:
    """Return the entries of the data folder that a backup has, beside database and secret key."""
    if not settings.folder.is_dir():
        return []
    database = sqlite_file(settings.url)
    names = {"fieldapp.db", database.name if database else "fieldapp.db"}
    left_out = {KEY, data_lock.NAME, marks.NAME, HEALTH_NOTE, "lost+found", *NEVER_BACK}
    for end in ("", "-wal", "-shm", "-journal"):
        left_out.update(name + end for name in names)
    entries = [path for path in settings.folder.iterdir() if path.name not in left_out]
    return sorted(path for path in entries if not path.name.startswith((".", ASIDE)))


def iterate_data_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield every file that a backup has, with its path in the data folder.

    Hidden files are left out: they are being written, and are renamed when they are whole.
    """
    if settings.forgotten_file.is_file() and settings.forgotten_file.parent != settings.folder:
        yield FORGOTTEN, settings.forgotten_file
    for entry in list_data_entries(settings):
        if entry.is_file():
            yield entry.name, entry
            continue
        for folder, folders, names in os.walk(entry, followlinks=True):
            inside = PurePosixPath(entry.name, *Path(folder).relative_to(entry).parts)
            # os.walk goes into what is left in this list.
            folders[:] = [name for name in folders if _is_copied(inside / name)]
            for name in sorted(names):
                path = Path(folder, name)
                if not name.startswith(".") and path.is_file():
                    yield str(inside / name), path


def _is_copied(folder: PurePosixPath) -> bool:
    return not folder.name.startswith(".") and str(folder) not in REBUILT


def create_file(path: Path) -> IO[bytes]:
    """Open a new file for writing, readable by its owner only; it must not be there yet."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def copy_file(source: Path, target: Path) -> str:
    """Copy a file durably, readable by its owner only; return the SHA-256 of what was read."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with source.open("rb") as reading, create_file(target) as file:
        # Hashed while it is copied: reading it a second time could see another file.
        while piece := reading.read(1 << 20):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def describe_part(path: Path, folder: Path) -> dict[str, Any]:
    """Return a part's entry in the manifest, with the hash of what is on the disk now."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": path.relative_to(folder).as_posix(), "size": path.stat().st_size, "sha256": digest}


def make_durable(folder: Path) -> None:
    """Write a whole folder to the disk, files and names, so that a power cut loses nothing."""
    for inside, _, names in os.walk(folder, topdown=False):
        for name in names:
            with Path(inside, name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(inside))


def drop_from_memory(folder: Path) -> None:
    """Let what was written be read from the disk next time, not from memory."""
    for inside, _, names in os.walk(folder):
        for name in names:
            with Path(inside, name).open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_manifest(source: Path) -> dict[str, Any]:
    """Return the manifest of a backup.

    Raises BackupProblem when it is missing or damaged, or of a format that this version cannot read.
    """
    try:
        manifest = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        if isinstance(manifest["format"], int) and manifest["format"] != FORMAT:
            text = f"{source} has format {manifest['format']}, and this version reads format {FORMAT}."
            raise BackupProblem(f"{text} Use the version that made it.")
        _check_shape(manifest)
    except (OSError, ValueError, TypeError, KeyError):
        text = f"{source} is no whole backup: its {MANIFEST} is missing or damaged. Nothing was changed."
        raise BackupProblem(text) from None
    return dict(manifest)


def _check_shape(manifest: dict[str, Any]) -> None:
    """Raise ValueError, TypeError or KeyError for a manifest without the right shape."""
    dt.datetime.fromisoformat(manifest["made_at"])
    parts = [part["path"] for part in manifest["parts"] if str(part["sha256"])]
    numbers = [int(manifest["position"]), int(manifest["rows"]["submission"])]
    wrapped = [base64.b64decode(text) for _, text in [*manifest["keys"], *manifest["factors"]]]
    is_whole = DATABASES[manifest["kind"]] in parts and all(isinstance(part, str) for part in parts)
    if not is_whole or min(numbers) < 0 or not all(wrapped) or manifest["has_key"] != (KEY in parts):
        raise ValueError


def check_parts(source: Path, manifest: dict[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each part by its path, after checking every part.

    Raises BackupProblem when a part is missing, changed, added, or names a place outside the backup.
    """
    listed: dict[str, str] = {}
    problems = []
    for part in manifest["parts"]:
        name = str(part["path"])
        # A backup comes from outside: its names must not lead to other files of this machine.
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise BackupProblem(f"The backup names a part outside itself ({name}). Nothing was changed.")
        listed[name] = part["sha256"]
        path = source / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif describe_part(path, source) != part:
            problems.append(f"{name} is not what was backed up")
    files = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    problems += [f"{name} was added" for name in sorted(files - set(listed) - {MANIFEST})]
    if problems:
        # One broken disk can damage every part; five are enough to see it.
        text = "; ".join(problems[:5])
        raise BackupProblem(f"The backup is damaged or was changed: {text}. Nothing was changed. Use another backup.")
    return listed
