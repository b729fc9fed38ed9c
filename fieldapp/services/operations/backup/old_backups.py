"""Which backups in a place are old, and deleting them.

Of the last fourteen days the newest of each day stays, before that the newest of each week, none for longer than the
rules of retention say of backups. The two newest always stay: what both hold, phones have deleted.
"""

import datetime as dt
import json
from pathlib import Path

from fieldapp.services.consent.retention_rules import load_rules
from fieldapp.services.operations.backup import data_lock, marks
from fieldapp.services.operations.backup.contents import MANIFEST
from fieldapp.services.operations.backup.names import (
    PREFIX,
    SEGMENT_PREFIX,
    NamedBackup,
    is_segment,
    parse_names,
    parse_segment_names,
)
from fieldapp.services.operations.backup.sealed import END
from fieldapp.services.transports.stores import Store
from fieldapp.settings import Settings

DAILY = dt.timedelta(days=14)
ALWAYS = 2  # the newest ones
ONE_DAY = dt.timedelta(days=1)


def choose_old(backups: list[NamedBackup], now: dt.datetime, limit: dt.timedelta) -> list[NamedBackup]:
    """Return the backups that are to be deleted; none may stay longer than `limit`."""
    old = []
    periods: set[tuple[int, ...]] = set()
    newest_first = sorted(backups, reverse=True)
    for number, backup in enumerate(newest_first):
        age = now - backup.made_at
        period = _name_period(backup, age)
        # A day less: it is gone on the day that a proof of erasure names, not in the night after it.
        is_over = age > limit - ONE_DAY
        if number >= ALWAYS and (is_over or period in periods):
            old.append(backup)
        periods.add(period)
    return old


def _name_period(backup: NamedBackup, age: dt.timedelta) -> tuple[int, ...]:
    """Return the day or the week of which one backup stays."""
    day = backup.made_at.date()
    if age <= DAILY:
        return (day.year, day.month, day.day)
    return day.isocalendar()[:2]


def delete_old(settings: Settings, store: Store, now: dt.datetime) -> None:
    """Delete the old backups of the place off this machine, and note the oldest that is left.

    Raises StoreProblem when one cannot be deleted.
    """
    names = store.list_names()
    marks.change_notes(settings, oldest_at=_find_oldest_of(names))
    old = [backup.name for backup in choose_old(parse_names(names), now, load_rules().copies)]
    old += choose_old_segments(names, now)
    for name in old:
        store.delete(name)
    # Nothing else is written there now. What was killed on the way would otherwise hold for ever what was erased.
    store.delete_unfinished(PREFIX)
    with data_lock.only_moment(settings):
        store.delete_unfinished(SEGMENT_PREFIX)
    left = [name for name in names if name not in old]
    marks.change_notes(settings, oldest_at=_find_oldest_of(left), undeleted="")


def choose_old_segments(names: list[str], now: dt.datetime) -> list[str]:
    """Return the segments of the journal that no backup needs of the two newest.

    Who puts an older one back gets what was in it, and nothing after that. Those of before the last restore stay for
    fourteen days: it may have left some of them out. Those of a moment that is still to come were made by a wrong clock.
    """
    backups = parse_names(names)
    newest = backups[-ALWAYS:]
    # Where backups are later than now, it is the clock of now that is wrong.
    if len(newest) < ALWAYS or max(backup.made_at for backup in newest) > now + ONE_DAY:
        return []
    since = min(backup.made_at for backup in newest)
    of_epoch = [backup for backup in backups if backup.epoch == backups[-1].epoch]
    restored_at = min(backup.made_at for backup in of_epoch) if len(of_epoch) < len(backups) else None
    old = []
    for segment in parse_segment_names(names):
        is_of_before = restored_at is not None and segment.made_at < restored_at
        needed_since = min(since, now - DAILY) if is_of_before else since
        if segment.made_at < needed_since or segment.made_at > now + ONE_DAY:
            old.append(segment.name)
    return old


def _find_oldest_of(names: list[str]) -> dt.datetime | None:
    """Return when the oldest backup or segment was made; None when one does not say it."""
    backups = parse_names(names)
    if len(backups) < sum(name.endswith(END) and not is_segment(name) for name in names):
        return None
    # Segments too: after a restore some are older than every backup, and hold what they held.
    moments = [backup.made_at for backup in backups] + [segment.made_at for segment in parse_segment_names(names)]
    return min(moments, default=None)


def find_oldest(settings: Settings) -> dt.datetime | None:
    """Return when the oldest backup was made that can be seen.

    None when there is none, or one does not say it. What is on another machine was seen when old ones were deleted there.
    """
    notes = marks.read_notes(settings)
    folders = {settings.copies_folder} if settings.copies_folder else set()
    if notes.where and "://" not in notes.where:
        # In its folder the older backups lie too.
        folders.add(Path(notes.where).parent)
    moments = [find_oldest_in(folder) for folder in folders if folder.is_dir()]
    if settings.copies and settings.copies_folder is None:
        moments.append(notes.oldest_at)
    if None in moments:
        return None
    return min((moment for moment in moments if moment is not None), default=None)


def find_oldest_in(folder: Path) -> dt.datetime | None:
    """Return when the oldest backup in a folder was made; None when one does not say it."""
    sealed = [path.name for path in folder.glob(f"*{END}")]
    oldest = _find_oldest_of(sealed)
    if sealed and oldest is None:
        return None
    moments = [] if oldest is None else [oldest]
    for manifest in folder.glob(f"*/{MANIFEST}"):
        try:
            moments.append(dt.datetime.fromisoformat(json.loads(manifest.read_text(encoding="utf-8"))["made_at"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None
    return min(moments, default=None)
