"""What `fieldapp doctor` found last, in a note in the data folder.

For the office's home page, for mail and for monitoring.
"""

import datetime as dt
import json
import math
import shutil
from dataclasses import asdict, dataclass

from fieldapp.services.operations.backup import marks
from fieldapp.settings import HEALTH_NOTE, Settings
from fieldapp.store.releases import releases
from fieldapp.store.session import Session

OLD_AFTER = dt.timedelta(hours=3)  # the scheduler has it made each hour


@dataclass(frozen=True)
class HealthNotes:
    """What was found: sentences for the operator, in English as all that commands say."""

    at: str  # when, as ISO 8601
    problems: tuple[str, ...]  # what must be put right
    advice: tuple[str, ...]  # what could be safer

    def is_recent(self, now: dt.datetime) -> bool:
        """Say whether this may still be so."""
        return abs(now - dt.datetime.fromisoformat(self.at)) < OLD_AFTER


def save_notes(settings: Settings, notes: HealthNotes) -> None:
    """Write down what was found, in full or not at all."""
    partial = settings.folder / f".{HEALTH_NOTE}"
    partial.write_text(json.dumps(asdict(notes)), encoding="utf-8")
    partial.replace(settings.folder / HEALTH_NOTE)


def read_notes(settings: Settings) -> HealthNotes | None:
    """Return what was found last; None when nobody looked yet, or the note is damaged."""
    try:
        note = json.loads((settings.folder / HEALTH_NOTE).read_text(encoding="utf-8"))
        notes = HealthNotes(note["at"], tuple(note["problems"]), tuple(note["advice"]))
        dt.datetime.fromisoformat(notes.at)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return notes


def find_scheduler_age(session: Session, now: dt.datetime) -> dt.timedelta:
    """Return how long ago the scheduler was active.

    The longest time there is when it never was.
    """
    heartbeat = releases.scheduler_beat(session)
    return now - heartbeat.at if heartbeat else dt.timedelta.max


def measure(session: Session, settings: Settings, now: dt.datetime) -> dict[str, float]:
    """Return numbers about the server for monitoring.

    Nothing of people or of what a centre does; NaN where something never happened.
    """
    notes = read_notes(settings)
    backups = marks.read_notes(settings)
    heartbeat = releases.scheduler_beat(session)
    moments = {
        "scheduler_age_seconds": heartbeat.at if heartbeat else None,
        "backup_age_seconds": backups.at,
        "safe_backup_age_seconds": backups.safe_at,
        "proved_restore_age_seconds": backups.proved_at,
        "check_age_seconds": dt.datetime.fromisoformat(notes.at) if notes else None,
    }
    numbers = {name: (now - at).total_seconds() if at else math.nan for name, at in moments.items()}
    numbers["problems"] = float(len(notes.problems)) if notes else math.nan
    numbers["disk_free_bytes"] = float(shutil.disk_usage(settings.folder).free)
    return numbers
