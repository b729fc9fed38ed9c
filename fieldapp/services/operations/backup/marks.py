"""What the data folder remembers about backups: when the last one was made, and where to."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

from fieldapp.settings import Settings

NAME = "last-backup.json"


@dataclass(frozen=True)
class LastBackup:
    at: dt.datetime
    where: str


def save_last_backup(settings: Settings, at: dt.datetime, where: Path) -> None:
    """Remember a backup that is whole."""
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = settings.folder / f".{NAME}"
    fresh.write_text(json.dumps({"at": at.isoformat(), "where": str(where)}))
    fresh.replace(settings.folder / NAME)


def read_last_backup(settings: Settings) -> LastBackup | None:
    """Return the last backup that was made from this folder; None when there was none, or nobody can read of it."""
    try:
        held = json.loads((settings.folder / NAME).read_text())
        return LastBackup(dt.datetime.fromisoformat(held["at"]), str(held["where"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
