"""A note in the data folder about its last backup: when it was made, and where."""

import datetime as dt
import json
from dataclasses import dataclass
from enum import StrEnum

from fieldapp.settings import Settings

NAME = "last-backup.json"
OLD_AFTER = dt.timedelta(days=2)


@dataclass(frozen=True)
class LastBackup:
    """When the last backup was made, and in which folder."""

    at: dt.datetime
    where: str
    safe_at: dt.datetime | None = None  # when the last one was made in the place off this machine


class CopiesState(StrEnum):
    """How it stands with backups off this machine."""

    FINE = "fine"
    NO_PLACE = "no_place"
    OLD = "old"  # none for two days


def judge_copies(settings: Settings, now: dt.datetime) -> CopiesState:
    """Say how it stands with backups off this machine.

    Their place itself is not looked at: a share that is not there would make this wait.
    """
    if not settings.copies:
        return CopiesState.NO_PLACE
    last = read_last_backup(settings)
    if last is None or last.safe_at is None or now - last.safe_at > OLD_AFTER:
        return CopiesState.OLD
    return CopiesState.FINE


def save_last_backup(settings: Settings, at: dt.datetime, where: str, is_safe: bool = False) -> None:
    """Note a backup that is complete."""
    last = read_last_backup(settings)
    safe_at = last.safe_at if last else None
    if is_safe:
        safe_at = at
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written beside it and renamed, so that nobody reads half a note.
    partial = settings.folder / f".{NAME}"
    note = {"at": at.isoformat(), "where": where, "safe_at": safe_at.isoformat() if safe_at else ""}
    partial.write_text(json.dumps(note))
    partial.replace(settings.folder / NAME)


def read_last_backup(settings: Settings) -> LastBackup | None:
    """Return the last backup of this folder; None when there was none, or the note is damaged."""
    try:
        note = json.loads((settings.folder / NAME).read_text())
        safe_at = note.get("safe_at", "")
        return LastBackup(
            dt.datetime.fromisoformat(note["at"]),
            str(note["where"]),
            dt.datetime.fromisoformat(safe_at) if safe_at else None,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
