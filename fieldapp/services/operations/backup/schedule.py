"""When backups and their tests are due: each night, and once a week."""

import datetime as dt
import zoneinfo

from fieldapp.services.operations.backup import marks
from fieldapp.services.operations.backup.marks import BackupNotes
from fieldapp.settings import Settings
from fieldapp.store.operations import centres
from fieldapp.store.session import Session

AGAIN_AFTER = dt.timedelta(minutes=30)  # a failed backup is tried again
DRILL_AGAIN_AFTER = dt.timedelta(hours=6)
ONE_DAY = dt.timedelta(days=1)
# Half a day less than a week: the test of this night follows the one of seven nights ago, whatever each took.
BETWEEN_DRILLS = dt.timedelta(days=6, hours=12)


def find_last_night(session: Session, settings: Settings, now: dt.datetime) -> dt.datetime:
    """Return the last moment at which a backup was due, by the clock of the first centre."""
    all_centres = centres.list_all(session)
    zone = zoneinfo.ZoneInfo(all_centres[0].time_zone) if all_centres else dt.UTC
    local = now.astimezone(zone)
    moment = dt.datetime.combine(local.date(), settings.backup_time, zone)
    if moment > local:
        moment = dt.datetime.combine(local.date() - ONE_DAY, settings.backup_time, zone)
    return moment


def is_backup_due(notes: BackupNotes, night: dt.datetime, now: dt.datetime, is_needed: bool = False) -> bool:
    """Say whether a backup is due: what was missed while nothing ran is due too.

    `is_needed`: the journal waits for it.
    """
    is_made = notes.safe_at is not None and marks.is_recent(notes.safe_at, now, now - night)
    is_waiting = notes.tries > 0 and marks.is_recent(notes.tried_at, now, AGAIN_AFTER)
    return (is_needed or not is_made) and not is_waiting


def is_drill_due(notes: BackupNotes, night: dt.datetime, now: dt.datetime) -> bool:
    """Say whether a backup is to be restored as a test, right after that of the night.

    One that failed is due again, at once when there is a newer backup, so that an alarm ends with its cause.
    """
    has_backup = notes.safe_at is not None and marks.is_recent(notes.safe_at, now, now - night)
    is_proved = notes.drill_tries == 0 and marks.is_recent(notes.proved_at, now, now - night + BETWEEN_DRILLS)
    is_waiting = notes.drill_tries > 0 and marks.is_recent(notes.drill_tried_at, now, DRILL_AGAIN_AFTER)
    is_newer = notes.safe_at is not None and notes.drill_tried_at is not None and notes.safe_at > notes.drill_tried_at
    return has_backup and not is_proved and (is_newer or not is_waiting)
