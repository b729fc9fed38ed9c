"""Put a backup back: checked before anything changes, what was there moved aside, a new epoch begun."""

import base64
import contextlib
import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from fieldapp.services import data_lock
from fieldapp.services.acts import Act, Actor, act, utcnow
from fieldapp.services.backup_parts import (
    ASIDE,
    DATABASES,
    FILES,
    KEY,
    BackupProblem,
    check_parts,
    copy_file,
    data_entries,
    make_durable,
    read_manifest,
)
from fieldapp.services.server_key import Wrapped, opens
from fieldapp.settings import KEEP_IT, KeyMissing, Settings, sync_folder
from fieldapp.store import centres, copies, epochs, migrations
from fieldapp.store.copies import CopyProblem
from fieldapp.store.database import WriteTransaction, engine_for, sqlite_file


@dataclass(frozen=True)
class Restored:
    manifest: dict[str, Any]
    epoch: int
    aside: list[str]  # where that is now which was there before
    unknown_packages: list[str]  # handed out after the copy was made; the copy's ledger does not know them


def restore(settings: Settings, source: Path, replace: bool = False) -> Restored:
    """Put a backup back; raise BackupProblem before anything was changed when it is not fit, or data is there already."""
    manifest = read_manifest(source)
    parts = check_parts(source, manifest)
    with data_lock.take_alone(settings):
        engine = engine_for(settings.url)
        try:
            _check(settings, manifest, engine, source, replace)
            before, handed_out = _known_before(engine)
            engine.dispose()
            return _put_back(settings, source, manifest, parts, before, handed_out)
        except CopyProblem as problem:
            raise BackupProblem(str(problem)) from None
        finally:
            engine.dispose()


def _check(settings: Settings, manifest: dict[str, Any], engine: Engine, source: Path, replace: bool) -> None:
    kind = copies.kind_of(settings.url)
    if manifest["kind"] != kind:
        text = f"This is a backup of {manifest['kind']}, and FIELDAPP_DATABASE_URL names {kind}. Set it to the same kind."
        raise BackupProblem(text)
    if not migrations.is_known(engine, manifest["schema"]):
        text = f"The backup's schema ({manifest['schema']}) is newer than this version. Use the version that made it, or a newer one."
        raise BackupProblem(text)
    _check_key(settings, manifest, source)
    if kind == copies.POSTGRESQL and (others := copies.others_connected(engine)):
        text = f"{others} others are connected to the database. Stop every server and scheduler, then try again."
        raise BackupProblem(text)
    if not replace and (_has_data(settings, engine)):
        raise BackupProblem(
            f"There is data in {settings.folder} or its database already. To move it aside and put the backup in its place, "
            "add --replace. Nothing is deleted."
        )


def _check_key(settings: Settings, manifest: dict[str, Any], source: Path) -> None:
    """Raise BackupProblem unless the secret key that is here, or in the backup, opens what the backup's database holds."""
    keys, factors = (_unpacked(manifest[name]) for name in ("keys", "factors"))
    try:
        secret = settings.key()
    except KeyMissing as missing:
        if manifest["has_key"]:
            secret = (source / KEY).read_text().strip()
        elif keys or factors:
            raise BackupProblem(f"{missing} The backup does not hold it. {KEEP_IT} Nothing was changed.") from None
        else:
            return
    if not opens(secret, keys, factors):
        where = "FIELDAPP_SECRET_KEY" if settings.secret_key else settings.key_file
        raise BackupProblem(
            f"The secret key in {where} does not open the keys in the backup. {KEEP_IT} Nothing was changed."
        )


def _unpacked(listed: list[list[str]]) -> Wrapped:
    return [(name, base64.b64decode(wrapped)) for name, wrapped in listed]


def _has_data(settings: Settings, engine: Engine) -> bool:
    path = sqlite_file(settings.url)
    is_held = path.stat().st_size > 0 if path else copies.has_tables(engine)
    return is_held or bool(data_entries(settings))


def _known_before(engine: Engine) -> tuple[int, dict[str, str]]:
    """Return the epoch and the packages of the database that is there now, as far as it can be read."""
    with contextlib.suppress(DatabaseError), Session(engine) as session:
        handed_out = copies.handed_out(session)
        with contextlib.suppress(DatabaseError):
            return epochs.current(session), handed_out
        return 0, handed_out
    return 0, {}


def _put_back(
    settings: Settings, source: Path, manifest: dict[str, Any], parts: dict[str, str], before: int, known: dict[str, str]
) -> Restored:
    now = utcnow()
    stamp = now.strftime("%Y%m%d-%H%M%S")
    work = Path(tempfile.mkdtemp(prefix=".restoring-", dir=settings.folder))
    try:
        for name, sha256 in parts.items():
            if copy_file(source / name, work / name) != sha256:
                raise BackupProblem(f"{name} changed while it was read. Nothing was changed.")
        (work / FILES).mkdir(exist_ok=True)
        make_durable(work)
        with _database_put_back(settings, work / DATABASES[manifest["kind"]], stamp) as (engine, aside):
            with Session(engine, expire_on_commit=False) as session:
                epoch = _begin_epoch(session, manifest, now, before)
                unknown = [name for sha256, name in known.items() if sha256 not in copies.handed_out(session)]
            engine.dispose()
            aside += _move_files(settings, work, stamp)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Restored(manifest, epoch, aside, unknown)


@contextmanager
def _database_put_back(settings: Settings, copy: Path, stamp: str) -> Iterator[tuple[Engine, list[str]]]:
    """Give an engine on the copy, at this version's schema; a SQLite file takes its place when all the rest is done."""
    aside: list[str] = []
    path = sqlite_file(settings.url)
    if path is None:
        engine = engine_for(settings.url)
        schema = f"{copies.ASIDE}{stamp.replace('-', '_')}"
        if copies.has_tables(engine):
            aside.append(f"the schema {schema} of the database")
        with copies.put_back_postgresql(engine, copy, schema):
            migrations.upgrade(engine)
            yield engine, aside
        engine.dispose()
        return
    engine = engine_for(f"sqlite:///{copy}")
    migrations.upgrade(engine)
    yield engine, aside
    engine.dispose()  # the last to close it writes everything into the one file
    fresh = path.with_name(f".{path.name}.restoring-{stamp}")
    shutil.move(copy, fresh)
    aside += _move_database(path, settings.folder / f"{ASIDE}{stamp}")
    fresh.rename(path)
    sync_folder(path.parent)


def _move_database(path: Path, folder: Path) -> list[str]:
    """Move a SQLite database aside, with what belongs to it; an empty file, which opening it made, is no data."""
    held = [path.with_name(path.name + end) for end in ("", "-wal", "-shm", "-journal")]
    if path.stat().st_size == 0:
        for one in held:
            one.unlink(missing_ok=True)
        return []
    was_there = folder.exists()
    folder.mkdir(exist_ok=True, mode=0o700)
    for one in held:
        if one.exists():
            shutil.move(one, folder / one.name)
    return [] if was_there else [str(folder)]


def _move_files(settings: Settings, work: Path, stamp: str) -> list[str]:
    """Put files in their place in the data folder; move aside what was there."""
    folder = settings.folder / f"{ASIDE}{stamp}"
    old = data_entries(settings)
    if old:
        folder.mkdir(mode=0o700)
    for entry in old:
        entry.rename(folder / entry.name)
    for entry in sorted((work / FILES).iterdir()):
        entry.rename(settings.folder / entry.name)
    if (work / KEY).exists() and not settings.secret_key and not settings.key_file.exists():
        (work / KEY).rename(settings.key_file)
    sync_folder(settings.folder)
    return [str(folder)] if old else []


def _begin_epoch(session: Session, manifest: dict[str, Any], now: dt.datetime, before: int) -> int:
    copied_at = dt.datetime.fromisoformat(manifest["made_at"])
    with WriteTransaction(session):
        epoch = epochs.begin(session, now, copied_at, manifest["position"], before).number
    for centre in centres.list_all(session):
        _note_restored(session, Actor.system(centre.id), epoch=epoch, position=manifest["position"])
    return epoch


@act("database.restore")
def _note_restored(a: Act, epoch: int, position: int) -> None:
    """Leave the line in a centre's audit trail that says that a copy was put back."""
    a.note(f"epoch/{epoch}", position=position)
