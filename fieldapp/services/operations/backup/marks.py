"""A note in the data folder about its last backup: when it was made, and where."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

from fieldapp.settings import Settings

NAME = "last-backup.json"


@dataclass(frozen=True)
class LastBackup:
    """When the last backup was made, and in which folder."""

    at: dt.datetime
    where: str


def save_last_backup(settings: Settings, at: dt.datetime, where: Path) -> None:
    """Note a backup that is complete."""
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written beside it and renamed, so that nobody reads half a note.
    partial = settings.folder / f".{NAME}"
    partial.write_text(json.dumps({"at": at.isoformat(), "where": str(where)}))
    partial.replace(settings.folder / NAME)


def read_last_backup(settings: Settings) -> LastBackup | None:
    """Return the last backup of this folder; None when there was none, or the note is damaged."""
    try:
        note = json.loads((settings.folder / NAME).read_text())
        return LastBackup(dt.datetime.fromisoformat(note["at"]), str(note["where"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
