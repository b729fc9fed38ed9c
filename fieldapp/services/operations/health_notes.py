"""What `fieldapp doctor` found last, in a note in the data folder.

For the office's home page, for mail and for monitoring.
"""

import datetime as dt
import json
import math
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from fieldapp.services.operations.backup import marks
from fieldapp.settings import HEALTH_NOTE, Settings
from fieldapp.store.operations import centres, epochs
from fieldapp.store.phones import devices
from fieldapp.store.releases import releases
from fieldapp.store.session import Session

OLD_AFTER = dt.timedelta(hours=3)  # the scheduler has it made each hour


class Replaced(StrEnum):
    """Whether another machine is the centre's server now, by a backup put back there."""

    NO = "no"
    MAYBE = "maybe"  # a phone says so, and one that lies must not take the centre's server away
    YES = "yes"  # the number beside the backups says so


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


def forget_solved(settings: Settings, problems: Collection[str]) -> None:
    """Take out of the last note what somebody who looked by hand does not find any more.

    Nothing is added: the settings of a terminal may be others than the server's.
    """
    notes = read_notes(settings)
    left = tuple(problem for problem in notes.problems if problem in problems) if notes else ()
    if notes and left != notes.problems:
        save_notes(settings, replace(notes, problems=left))


def read_notes(settings: Settings) -> HealthNotes | None:
    """Return what was found last; None when nobody looked yet, or the note is damaged."""
    try:
        note = json.loads((settings.folder / HEALTH_NOTE).read_text(encoding="utf-8"))
        notes = HealthNotes(note["at"], tuple(note["problems"]), tuple(note["advice"]))
        dt.datetime.fromisoformat(notes.at)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return notes


def find_replaced(session: Session, settings: Settings) -> Replaced:
    """Say whether another machine is the centre's server now.

    As far as it was seen beside the backups, and by phones.
    """
    epoch = epochs.current(session)
    if marks.read_notes(settings).newest_epoch > epoch:
        return Replaced.YES
    return Replaced.MAYBE if devices.count_ahead(session, epoch) else Replaced.NO


def find_start(session: Session) -> dt.datetime | None:
    """Return since when this database is in use here: from when on something can be due."""
    moments = [centre.created_at for centre in centres.list_all(session)[:1]]
    restored = epochs.last_restore(session)
    return max([*moments, *([restored.began_at] if restored else [])], default=None)


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
        "journal_age_seconds": backups.journal_at,
        "proved_restore_age_seconds": backups.proved_at,
        "check_age_seconds": dt.datetime.fromisoformat(notes.at) if notes else None,
    }
    numbers = {name: (now - at).total_seconds() if at else math.nan for name, at in moments.items()}
    numbers["problems"] = float(len(notes.problems)) if notes else math.nan
    numbers["disk_free_bytes"] = float(shutil.disk_usage(settings.folder).free)
    return numbers
