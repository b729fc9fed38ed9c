"""Notes in the data folder about its backups, and what they say of how it stands."""

import dataclasses
import datetime as dt
import fcntl
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fieldapp.services.operations.backup import data_lock
from fieldapp.services.operations.backup.data_lock import open_lock
from fieldapp.settings import Settings

NAME = "last-backup.json"
LOCK = ".last-backup.lock"
OLD_AFTER = dt.timedelta(days=2)
UNPROVED_AFTER = dt.timedelta(days=8)
TOO_EARLY = dt.timedelta(days=1)  # a moment further ahead was noted by a clock that was wrong
JOURNAL_LATE_AFTER = dt.timedelta(minutes=10)
ENDED = "It was ended before it was done."


class Work(StrEnum):
    """What is noted of its tries; the value is how the names of these notes begin."""

    BACKUP = ""
    DRILL = "drill_"

    @property
    def lock(self) -> str:
        return f".running-{self.name.lower()}"


@dataclass(frozen=True)
class BackupNotes:
    """What is known of the backups of a data folder; None and "" where nothing is."""

    lowered_epoch: int = 0  # the last restore after which the whole list of what people lowered was read
    lowered_lines: int = 0  # how many lines it had then
    at: dt.datetime | None = None  # when the last one was made
    where: str = ""
    safe_at: dt.datetime | None = None  # when the last one was made in the place off this machine
    first_safe_at: dt.datetime | None = None
    oldest_at: dt.datetime | None = None  # when the oldest was made that is in that place
    safe_name: str = ""  # what the newest is called there
    newest_epoch: int = 0  # the highest number of a restore that was seen there
    undeleted: str = ""  # why old ones could not be deleted there
    began_at: dt.datetime | None = None  # when the one was begun that has not ended yet
    tried_at: dt.datetime | None = None  # when the last one was begun that failed
    tries: int = 0  # that failed since one worked
    problem: str = ""  # of the last try
    journal_at: dt.datetime | None = None  # the last moment of which the journal off this machine has everything
    journal_tries: int = 0  # that failed since one worked
    journal_problem: str = ""
    proved_at: dt.datetime | None = None  # when one was last restored as a test
    proved: dt.datetime | None = None  # when that one was made
    drill_began_at: dt.datetime | None = None
    drill_tried_at: dt.datetime | None = None
    drill_tries: int = 0
    drill_problem: str = ""


class CopiesState(StrEnum):
    """How it stands with backups off this machine."""

    FINE = "fine"
    NO_PLACE = "no_place"
    OLD = "old"  # none for two days
    FAILED = "failed"  # the scheduler tried more than once


@dataclass(frozen=True)
class BackupHealth:
    """How it stands with backups off this machine, and with proving that they can be restored."""

    copies: CopiesState
    notes: BackupNotes
    is_unproved: bool  # none was restored as a test for eight days
    is_journal_late: bool = False  # what changed in the last ten minutes, or longer, is on this machine only


def judge_backups(settings: Settings, now: dt.datetime, since: dt.datetime | None = None) -> BackupHealth:
    """Say how it stands with backups off this machine.

    `since`: from when on the first could be made, so that a server of some minutes is not late with it.
    Their place itself is not looked at: a share that is not there would make this wait.
    """
    notes = read_notes(settings)
    if not settings.copies:
        return BackupHealth(CopiesState.NO_PLACE, notes, is_unproved=False)
    copies = CopiesState.FINE
    if not is_recent(notes.safe_at or since, now, OLD_AFTER):
        copies = CopiesState.OLD
    elif notes.tries > 1:
        copies = CopiesState.FAILED
    # Counted from the first backup, so that a new server is not red before it could have proved one.
    since = notes.proved_at or notes.first_safe_at or notes.safe_at
    is_unproved = since is not None and not is_recent(since, now, UNPROVED_AFTER)
    return BackupHealth(copies, notes, is_unproved, _is_journal_late(settings, notes, now))


def is_journal_wanted(settings: Settings) -> bool:
    """Say whether a journal is kept.

    There is a place off this machine then, and it is known who may open what lies there.
    """
    return bool(settings.copies and settings.custodians)


def _is_journal_late(settings: Settings, notes: BackupNotes, now: dt.datetime) -> bool:
    """Say whether the journal lags behind; before the first backup there can be none."""
    last = notes.journal_at or notes.first_safe_at
    return is_journal_wanted(settings) and last is not None and not is_recent(last, now, JOURNAL_LATE_AFTER)


def is_recent(moment: dt.datetime | None, now: dt.datetime, limit: dt.timedelta) -> bool:
    """Say whether something happened within a time.

    A moment that is still to come is not believed.
    """
    return moment is not None and -TOO_EARLY <= now - moment <= limit


def save_last_backup(settings: Settings, at: dt.datetime, where: str, is_safe: bool = False, name: str = "") -> None:
    """Note a backup that is complete; `name`: what it is called in the place off this machine."""
    changes: dict[str, Any] = {"at": at, "where": where}
    if is_safe:
        first = read_notes(settings).first_safe_at or at
        changes |= {"safe_at": at, "first_safe_at": first, "safe_name": name, "tries": 0, "problem": ""}
    change_notes(settings, **changes)


def forget_troubles(settings: Settings) -> None:
    """Take out of the notes what went wrong with a database that was replaced."""
    changes: dict[str, Any] = {"safe_name": "", "undeleted": "", "journal_tries": 0, "journal_problem": ""}
    # Its chain begins anew with the next backup, which the scheduler makes at once.
    changes["journal_at"] = dt.datetime.now(dt.UTC)
    for work in Work:
        changes |= {f"{work}began_at": None, f"{work}tries": 0, f"{work}problem": ""}
    change_notes(settings, **changes)


def describe_failure(notes: BackupNotes, work: Work, began_at: dt.datetime, problem: str) -> dict[str, Any]:
    """Return the changes of the notes by a try that failed."""
    tries = getattr(notes, f"{work}tries") + 1
    return {
        f"{work}began_at": None,
        f"{work}tried_at": began_at,
        f"{work}tries": tries,
        f"{work}problem": problem[:500],
    }


def change_notes(settings: Settings, **changes: Any) -> None:
    """Change some of the notes; others may be changed by another process meanwhile."""
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open_lock(settings.folder / LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        notes = dataclasses.asdict(dataclasses.replace(read_notes(settings), **changes))
        texts = {name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in notes.items()}
        # Written beside it and renamed, so that nobody reads half a note.
        partial = settings.folder / f".{NAME}"
        partial.write_text(json.dumps(texts), encoding="utf-8")
        partial.replace(settings.folder / NAME)


def read_notes(settings: Settings) -> BackupNotes:
    """Return the notes of this folder; empty ones when there are none, or they are damaged.

    What was begun, has not ended and does not run any more was killed: it counts as a try that failed.
    """
    notes = _read_file(settings)
    for work in Work:
        began_at = getattr(notes, f"{work}began_at")
        if began_at is None or data_lock.is_held(settings, work.lock):
            continue
        # Read again: it may have ended between the two looks.
        if getattr(_read_file(settings), f"{work}began_at") == began_at:
            notes = dataclasses.replace(notes, **describe_failure(notes, work, began_at, ENDED))
    return notes


def _read_file(settings: Settings) -> BackupNotes:
    try:
        texts = json.loads((settings.folder / NAME).read_text(encoding="utf-8"))
        return BackupNotes(**{field.name: _parse(field, texts[field.name]) for field in FIELDS if texts.get(field.name)})
    except (OSError, ValueError, TypeError, AttributeError):
        return BackupNotes()


def _parse(field: "dataclasses.Field[Any]", text: Any) -> Any:
    if field.default is None:  # a moment
        return dt.datetime.fromisoformat(text)
    return int(text) if isinstance(field.default, int) else str(text)


FIELDS = dataclasses.fields(BackupNotes)
