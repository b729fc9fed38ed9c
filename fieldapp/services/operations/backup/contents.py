"""What a backup is made of: its manifest, its files and their hashes."""

import base64
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from fieldapp.services.operations.backup import data_lock, marks
from fieldapp.settings import Settings, sync_folder
from fieldapp.store.database import sqlite_file

FORMAT = 1
MANIFEST = "manifest.json"
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
FILES = "files"  # what lies in the data folder beside the database
KEY = "secret_key"
ASIDE = "replaced-"  # folders that a restore moved aside begin with this
MADE_AGAIN = {"packages/feeds"}  # the scheduler makes them from the database


class BackupProblem(Exception):
    """A backup that cannot be made or put back; the text says why and what to do."""


def list_data_entries(settings: Settings) -> list[Path]:
    """Return what lies in the data folder and must come back, beside the database and the secret key."""
    if not settings.folder.is_dir():
        return []
    database = sqlite_file(settings.url)
    names = {"fieldapp.db", database.name if database else "fieldapp.db"}
    passed_over = {KEY, data_lock.NAME, marks.NAME, "lost+found"}
    passed_over |= {name + end for name in names for end in ("", "-wal", "-shm", "-journal")}
    found = [path for path in settings.folder.iterdir() if path.name not in passed_over]
    return sorted(path for path in found if not path.name.startswith((".", ASIDE)))


def iterate_data_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Give every file that must come back, with its path in the data folder; what is being written is passed over."""
    for entry in list_data_entries(settings):
        if entry.is_file():
            yield entry.name, entry
            continue
        for folder, folders, names in os.walk(entry, followlinks=True):
            inside = PurePosixPath(entry.name, *Path(folder).relative_to(entry).parts)
            folders[:] = [one for one in folders if not one.startswith(".") and str(inside / one) not in MADE_AGAIN]
            for name in sorted(names):
                path = Path(folder, name)
                if not name.startswith(".") and path.is_file():
                    yield str(inside / name), path


def copy_file(source: Path, target: Path) -> str:
    """Copy a file for its owner only, durably, and return its SHA-256 as it was read."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with source.open("rb") as reading, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := reading.read(1 << 20):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def describe_part(path: Path, folder: Path) -> dict[str, Any]:
    """Return a part's line in the manifest, hashed as it now lies on the disk."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": path.relative_to(folder).as_posix(), "size": path.stat().st_size, "sha256": digest}


def make_durable(folder: Path) -> None:
    """Bring a whole folder to the disk, files and names."""
    for inside, _, names in os.walk(folder, topdown=False):
        for name in names:
            with Path(inside, name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(inside))


def read_manifest(source: Path) -> dict[str, Any]:
    """Return the manifest of a backup; raise BackupProblem when it is none, or of a format that this version cannot read."""
    try:
        found = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        if isinstance(found["format"], int) and found["format"] != FORMAT:
            text = f"{source} has format {found['format']}, and this version reads format {FORMAT}."
            raise BackupProblem(f"{text} Use the version that made it.")
        _check_shape(found)
    except (OSError, ValueError, TypeError, KeyError):
        text = f"{source} is no whole backup: its {MANIFEST} is missing or damaged. Nothing was changed."
        raise BackupProblem(text) from None
    return dict(found)


def _check_shape(manifest: dict[str, Any]) -> None:
    """Raise ValueError, TypeError or KeyError for a manifest that no backup of this format has."""
    dt.datetime.fromisoformat(manifest["made_at"])
    parts = [part["path"] for part in manifest["parts"] if str(part["sha256"])]
    numbers = [int(manifest["position"]), int(manifest["rows"]["submission"])]
    wrapped = [base64.b64decode(one) for name in ("keys", "factors") for _, one in manifest[name]]
    is_whole = DATABASES[manifest["kind"]] in parts and all(isinstance(part, str) for part in parts)
    if not is_whole or min(numbers) < 0 or not all(wrapped) or manifest["has_key"] != (KEY in parts):
        raise ValueError


def check_parts(source: Path, manifest: dict[str, Any]) -> dict[str, str]:
    """Return the parts with their hashes, once every one is there and as it was made; raise BackupProblem otherwise."""
    listed: dict[str, str] = {}
    problems = []
    for part in manifest["parts"]:
        name = str(part["path"])
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise BackupProblem(f"The backup names a part outside itself ({name}). Nothing was changed.")
        listed[name] = part["sha256"]
        path = source / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif describe_part(path, source) != part:
            problems.append(f"{name} is not what was backed up")
    held = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    problems += [f"{name} was added" for name in sorted(held - set(listed) - {MANIFEST})]
    if problems:
        text = "; ".join(problems[:5])
        raise BackupProblem(f"The backup is damaged or was changed: {text}. Nothing was changed. Use another backup.")
    return listed
