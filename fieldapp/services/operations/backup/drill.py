"""Prove that the newest backup can be restored.

It is fetched, opened, restored beside everything, compared with its manifest, and deleted again.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldapp.services.acts import utcnow
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.backup import data_lock, marks, places
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import work_folder
from fieldapp.services.operations.backup.journal_reading import JournalRead
from fieldapp.services.operations.backup.marks import Work
from fieldapp.services.operations.backup.restore import choose_backup, fetch_backup, restore
from fieldapp.services.operations.backup.sealed import read_identities
from fieldapp.services.operations.backup.tries import noted_try
from fieldapp.services.operations.server_key import load_usable_key
from fieldapp.services.transports.remote_stores import open_store
from fieldapp.services.transports.stores import StoreProblem
from fieldapp.settings import Settings
from fieldapp.store import copies, migrations
from fieldapp.store.copies import CopyProblem
from fieldapp.store.database import engine_for, is_sound, sqlite_file
from fieldapp.store.session import Session

COPIES = 5  # of everything: fetched, opened, read again, restored, and what upgrading it writes
NO_KEY = (
    "The newest backup is encrypted, and this server has no key to open it. Set FIELDAPP_DRILL_KEY to a file outside the "
    "data folder and make a backup, or let a custodian run: fieldapp drill --identity KEYFILE"
)
MISSING = (
    "The newest backup is not in its place any more, and an older one proves nothing. Make another one: fieldapp backup"
)


@dataclass(frozen=True)
class Proof:
    """A backup that was restored as a test, and what was in it."""

    name: str
    manifest: dict[str, Any]
    journal: JournalRead


def can_drill(settings: Settings) -> bool:
    """Say whether this server can open its own backups."""
    return not settings.custodians or (settings.drill_key_file is not None and settings.drill_key_file.exists())


def prove_restore(settings: Settings, identity: Path | None = None) -> Proof:
    """Restore the newest backup off this machine as a test, and note whether it worked.

    `identity`: the file with a private key; None for the one of this server. Nothing of the centre is touched. Raises
    BackupProblem when the backup cannot be fetched, opened or restored, or holds something else than its manifest says.
    """
    if not settings.copies:
        raise BackupProblem("There is no place with backups off this machine: FIELDAPP_COPIES is not set.")
    if identity is not None:
        read_identities(identity)  # a wrong file says nothing of the backup
    with noted_try(settings, Work.DRILL):
        return _prove_newest(settings, identity)


def _prove_newest(settings: Settings, identity: Path | None) -> Proof:
    began_at = utcnow()
    with data_lock.share(settings), data_lock.only_backup(settings), work_folder(settings, COPIES) as work:
        try:
            source, name = _fetch_newest(settings, work)
            if source.is_file():
                identity = identity or settings.drill_key_file
                if identity is None:
                    raise BackupProblem(NO_KEY)
            with _other_settings(settings, work) as other:
                done = restore(other, source, identity=identity, is_drill=True, is_fetched=True, place=settings)
                if done.journal.problem:
                    raise BackupProblem(f"{done.journal.problem} Make another backup: fieldapp backup")
                _check_restored(other)
        except (StoreProblem, CopyProblem) as problem:
            raise BackupProblem(str(problem)) from None
    made_at = dt.datetime.fromisoformat(done.manifest["made_at"])
    marks.change_notes(settings, proved_at=began_at, proved=made_at, drill_tries=0, drill_problem="")
    return Proof(name, done.manifest, done.journal)


def _fetch_newest(settings: Settings, work: Path) -> tuple[Path, str]:
    """Return a copy of the newest backup, and its name.

    One that is a folder is read where it lies.
    """
    with open_store(settings) as store:
        newest = choose_backup(store)
        if places.find_missing_newest(settings, store.list_names()):
            raise BackupProblem(MISSING)
        if settings.copies_folder is not None and (settings.copies_folder / newest.name).is_dir():
            return settings.copies_folder / newest.name, newest.name
        target = work / newest.name
        fetch_backup(store, newest, target)
        return target, newest.name


@contextmanager
def _other_settings(settings: Settings, work: Path) -> Iterator[Settings]:
    """Yield the settings of a server with a database of its own and the same secret key."""
    other = dataclasses.replace(
        settings,
        data=str(work / "data"),
        database_url="",
        key_file=str(settings.key_path) if settings.has_key_file else "",
        copies="",
        custodians="",
        forgotten="",
        forgotten_copy="",
    )
    if sqlite_file(settings.url) is not None:
        yield other
        return
    with copies.temporary_database(settings.url) as url:
        yield dataclasses.replace(other, database_url=url)


def _check_restored(other: Settings) -> None:
    """Raise BackupProblem unless a server could start with what was restored."""
    engine = engine_for(other.url)
    attach_keys(engine, other)
    try:
        with Session(engine) as session:
            if not (is_sound(session) and migrations.is_current(engine)):
                raise BackupProblem(
                    "The restored database is damaged. Make another backup, and look at the disk of the place."
                )
            load_usable_key(session, other, may_make=False)
    finally:
        engine.dispose()
