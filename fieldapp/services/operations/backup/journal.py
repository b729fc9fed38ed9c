"""The journal: what changed between backups, put beside them each minute.

It is sealed to the custodians. A segment is a backup of the rows that changed since the one before, whose hash it
names. So the newest backup and the segments after it are the centre as it was a minute ago.
"""

import datetime as dt
import hashlib
import hmac
import json
import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fieldapp.key_ring import list_roots
from fieldapp.services.acts import utcnow
from fieldapp.services.keys import derive_journal_key
from fieldapp.services.operations.backup import data_lock, marks, places
from fieldapp.services.operations.backup.contents import (
    FILES,
    MANIFEST,
    BackupProblem,
    copy_file,
    describe_part,
    iterate_data_files,
)
from fieldapp.services.operations.backup.names import make_segment_name, parse_names
from fieldapp.services.operations.backup.sealed import read_recipients, seal
from fieldapp.services.transports.remote_stores import open_store
from fieldapp.services.transports.stores import StoreProblem
from fieldapp.settings import KeyProblem, Settings
from fieldapp.store import copies, migrations, row_journal
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import centre_log, epochs, journal
from fieldapp.store.session import Session

FORMAT = 1
ROWS = "rows.txt"
WORK = ".journal-"  # how the names begin of folders in which a segment is made
# A file counts as new when it was changed after the segment before, give or take what a file system's clock may differ.
MARGIN = dt.timedelta(seconds=5)
AHEAD = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class _Segment:
    """A segment that was put together and lies on this machine still."""

    manifest: dict[str, Any]
    at: dt.datetime
    seen: list[tuple[int, int]]  # the notes whose rows are in it


def prepare(session: Session, settings: Settings, is_safe: bool) -> None:
    """Note that a copy is about to be made, in the same turn.

    `is_safe`: the journal will go on from it, so changes are noted from now on. A chain that can go on is left as it
    is. Nothing is done before the schema is up to date.
    """
    schema = migrations.newest_revision()
    if migrations.revision_of(session.connection()) != schema:
        return
    if is_safe and marks.is_journal_wanted(settings):
        _begin(session, schema)
    with WriteTransaction(session):
        journal.note_begun(session)


def _begin(session: Session, schema: str) -> None:
    head = journal.read_head(session)
    # A chain whose last segment is of later than now was written by a wrong clock, and could not go on for that long.
    is_of_wrong_clock = head is not None and head.at > utcnow() + AHEAD
    is_going_on = journal.goes_on(session, head, schema) and not is_of_wrong_clock
    if not row_journal.has_triggers(session):
        is_going_on = False
        row_journal.set_triggers(session)
    if not is_going_on:
        with WriteTransaction(session):
            journal.begin_chain(session, schema, utcnow())


def needs_copy(session: Session, settings: Settings) -> bool:
    """Say whether a whole copy is needed before the journal can make anything safe.

    The newest two must both lead to its end, since either may be put back.
    """
    if not marks.is_journal_wanted(settings):
        return False
    head = journal.read_head(session)
    is_whole = journal.goes_on(session, head, migrations.newest_revision()) and row_journal.has_triggers(session)
    return not is_whole or head is None or head.copies < journal.ENOUGH


def write_segment(session: Session, settings: Settings) -> bool:
    """Put what changed since the last segment beside the backups; return whether anything had.

    Only what was read back counts, and makes phones' records safe. Raises BackupProblem when that did not work; it is
    tried again as a whole.
    """
    if not marks.is_journal_wanted(settings):
        _turn_off(session)
        return False
    with data_lock.only_moment(settings):
        head = journal.read_head(session)
        if head is None or head.copies == 0 or not _goes_on(session, head):
            return False  # a whole copy comes first: the scheduler makes it
        if not journal.has_news(session):
            session.rollback()
            marks.change_notes(settings, journal_at=utcnow(), journal_tries=0, journal_problem="")
            return False
        # Nothing of the database is held while a slow network is written to.
        session.expunge(head)
        session.rollback()
        try:
            _put_segment(session, settings, head)
        except (StoreProblem, KeyProblem) as problem:
            raise BackupProblem(str(problem)) from None
    return True


def _goes_on(session: Session, head: journal.JournalHead) -> bool:
    return journal.goes_on(session, head, migrations.newest_revision()) and row_journal.has_triggers(session)


def _turn_off(session: Session) -> None:
    """Let changes not be noted where no journal is kept any more."""
    if journal.read_head(session) is None:
        return
    row_journal.drop_triggers(session)
    with WriteTransaction(session):
        journal.forget_all(session)


def _put_segment(session: Session, settings: Settings, head: journal.JournalHead) -> None:
    now = utcnow()
    if now < head.at:
        raise BackupProblem(
            "The last part of the journal was made later than now, so the clock of this machine was wrong, or is. Correct "
            "the clock, and make a backup: fieldapp backup"
        )
    recipients = read_recipients(settings)
    number = head.number + 1
    name = partial(make_segment_name, now, head.chain, number, head.begun, head.sha256)
    _delete_leftovers(settings)
    with tempfile.TemporaryDirectory(prefix=WORK, dir=settings.folder) as work:
        folder = Path(work, "segment")
        folder.mkdir(mode=0o700)
        segment = _collect(session, settings, folder, head, now)
        sha256 = seal(folder, Path(work, "sealed"), recipients)
        with open_store(settings) as store:
            places.note_number(settings, store)
            if places.read_number(store) > segment.manifest["epoch"]:
                raise BackupProblem(
                    f"A backup from {store.describe()} was put back on another machine, so this is not the centre's server "
                    "any more. Its journal ends. Stop this server for good."
                )
            # Another place than before, or one that somebody emptied, has no backup from which this goes on.
            whole = min(head.copies, len(parse_names(store.list_names())))
            store.put(Path(work, "sealed"), name(sha256), sha256)
    positions = {int(centre_id): position for centre_id, position in segment.manifest["positions"].items()}
    with WriteTransaction(session):
        # Another chain may have begun only under the lock that is held here.
        if not journal.note_segment(session, head, sha256, segment.at, whole):
            raise BackupProblem("Another scheduler writes the journal too. Run only one for a centre's database.")
        journal.forget(session, segment.seen)
        centre_log.note_journal(session, positions, segment.manifest["epoch"], is_safe=whole >= journal.ENOUGH)
    marks.change_notes(settings, journal_at=segment.at, journal_tries=0, journal_problem="")


def _delete_leftovers(settings: Settings) -> None:
    for left in settings.folder.glob(f"{WORK}*"):
        shutil.rmtree(left, ignore_errors=True)


def _collect(session: Session, settings: Settings, folder: Path, head: journal.JournalHead, now: dt.datetime) -> _Segment:
    """Write what changed into a folder.

    That is one moment of the database, and the files that are new.
    """
    since = head.at - MARGIN
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "chain": head.chain,
        "number": head.number + 1,
        "begun": head.begun,
        "previous": head.sha256,
        "made_at": now.isoformat(),
        "schema": head.schema,
        "kind": copies.get_kind(settings.url),
        "keys": row_journal.list_key_columns(),
    }
    with row_journal.one_moment(session) as moment:
        seen = journal.read_runs(moment)
        manifest["epoch"] = epochs.current(moment)
        manifest["positions"] = {str(each): position for each, position in centre_log.list_positions(moment).items()}
        manifest["sequences"] = row_journal.list_sequences(moment)
        with (folder / ROWS).open("x", encoding="utf-8", newline="\n") as file:
            count = 0
            for line in row_journal.iterate_changed(moment):
                file.write(line)
                count += 1
    manifest["rows"] = count
    for name, path in iterate_data_files(settings):  # after the database: what it names is there
        if path.stat().st_ctime >= since.timestamp():
            _copy_if_there(path, folder / FILES / name)
    manifest["parts"] = [describe_part(path, folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    secret = settings.key()
    manifest["root"] = list_roots(secret)[0].number
    manifest["mac"] = make_mac(manifest, list_roots(secret)[0].secret)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return _Segment(manifest, now, seen)


def _copy_if_there(source: Path, target: Path) -> None:
    try:
        copy_file(source, target)
    except FileNotFoundError:  # it was deleted meanwhile
        target.unlink(missing_ok=True)


def make_mac(manifest: dict[str, Any], root: str) -> str:
    """Return what only a server of the centre can have made of a segment's manifest.

    The manifest names the hashes of all parts. Anybody who may write into the place could else seal rows of their
    own to the custodians.
    """
    content = {name: value for name, value in manifest.items() if name != "mac"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(derive_journal_key(root), text, hashlib.sha256).hexdigest()
