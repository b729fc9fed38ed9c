"""Put a backup back: checked before anything changes, what was there moved aside, a new epoch begun."""

import base64
import contextlib
import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.operations.backup import data_lock
from fieldapp.services.operations.backup.contents import (
    ASIDE,
    DATABASES,
    FILES,
    KEY,
    BackupProblem,
    check_parts,
    copy_file,
    list_data_entries,
    make_durable,
    read_manifest,
)
from fieldapp.services.operations.server_key import Wrapped, can_open
from fieldapp.services.records.earlier_refusals import cut_in_every_centre
from fieldapp.settings import KEEP_IT, KeyMissing, Settings, sync_folder
from fieldapp.store import copies, migrations
from fieldapp.store.copies import CopyProblem
from fieldapp.store.database import WriteTransaction, engine_for, sqlite_file
from fieldapp.store.operations import centres
from fieldapp.store.phones import epochs
from fieldapp.store.session import Engine, Session


@dataclass(frozen=True)
class Restored:
    manifest: dict[str, Any]
    epoch: int
    aside: list[str]  # where that is now which was there before
    unknown_packages: list[str]  # handed out after the copy was made; the copy's ledger does not know them


@dataclass(frozen=True)
class ReplacedDatabase:
    """What is known of the database that was there before."""

    has_tables: bool
    epoch: int
    packages: dict[str, str]  # handed out: SHA-256 → file name


@dataclass
class AsideFolder:
    """Where that goes which was there before; made when the first thing goes there."""

    stamp: str
    data: Path
    used: list[str] = field(default_factory=list)

    @property
    def schema(self) -> str:
        return f"{copies.ASIDE}{self.stamp.replace('-', '_')}"

    def folder(self) -> Path:
        path = self.data / f"{ASIDE}{self.stamp}"
        if str(path) not in self.used:
            path.mkdir(mode=0o700)
            self.used.append(str(path))
        return path


def restore(settings: Settings, source: Path, replace: bool = False) -> Restored:
    """Put a backup back; raise BackupProblem before anything was changed when it is not fit, or data is there already."""
    manifest = read_manifest(source)
    parts = check_parts(source, manifest)
    with data_lock.take_alone(settings):
        engine = engine_for(settings.url)
        try:
            _check_fit(settings, manifest, engine, source, replace)
            before = _read_before(engine)
            engine.dispose()
            return _put_back(settings, source, manifest, parts, before)
        except CopyProblem as problem:
            raise BackupProblem(str(problem)) from None
        finally:
            engine.dispose()


def _check_fit(settings: Settings, manifest: dict[str, Any], engine: Engine, source: Path, replace: bool) -> None:
    kind = copies.get_kind(settings.url)
    if manifest["kind"] != kind:
        text = f"This is a backup of {manifest['kind']}, and FIELDAPP_DATABASE_URL names {kind}. Set it to the same kind."
        raise BackupProblem(text)
    if not migrations.is_known(engine, manifest["schema"]):
        text = f"The backup's schema ({manifest['schema']}) is newer than this version."
        raise BackupProblem(f"{text} Use the version that made it, or a newer one.")
    _check_key(settings, manifest, source)
    if kind == copies.POSTGRESQL and (others := copies.count_other_connections(engine)):
        text = f"{others} others are connected to the database. Stop every server and scheduler, then try again."
        raise BackupProblem(text)
    if not replace and (_has_data(settings, engine)):
        raise BackupProblem(
            f"There is data in {settings.folder} or its database already. To move it aside and put the backup in its place, "
            "add --replace. Nothing is deleted."
        )


def _check_key(settings: Settings, manifest: dict[str, Any], source: Path) -> None:
    """Raise BackupProblem unless the secret key that is here, or in the backup, opens what the backup's database holds."""
    keys, factors = (_decode_wrapped(manifest[name]) for name in ("keys", "factors"))
    where = "FIELDAPP_SECRET_KEY" if settings.secret_key else settings.key_file
    try:
        secret = settings.key()
    except KeyMissing as missing:
        if manifest["has_key"]:
            where = source / KEY
            secret = where.read_text().strip()
        elif keys or factors:
            raise BackupProblem(f"{missing} The backup does not hold it. {KEEP_IT} Nothing was changed.") from None
        else:
            return
    if not can_open(secret, keys, factors):
        raise BackupProblem(
            f"The secret key in {where} does not open the keys in the backup. {KEEP_IT} Nothing was changed."
        )


def _decode_wrapped(listed: list[list[str]]) -> Wrapped:
    return [(name, base64.b64decode(wrapped)) for name, wrapped in listed]


def _has_data(settings: Settings, engine: Engine) -> bool:
    return copies.has_tables(engine) or bool(list_data_entries(settings))


def _read_before(engine: Engine) -> ReplacedDatabase:
    """Return what must be known of the database that is there now, as far as it can be read: it may be damaged."""
    epoch, packages = 0, dict[str, str]()
    with contextlib.suppress(*copies.UNREADABLE), Session(engine) as session:
        epoch = epochs.current(session)
    with contextlib.suppress(*copies.UNREADABLE), Session(engine) as session:
        packages = copies.list_handed_out_packages(session)
    return ReplacedDatabase(copies.has_tables(engine), epoch, packages)


def _put_back(
    settings: Settings, source: Path, manifest: dict[str, Any], parts: dict[str, str], before: ReplacedDatabase
) -> Restored:
    now = utcnow()
    aside = AsideFolder(now.strftime("%Y%m%d-%H%M%S"), settings.folder)
    work = Path(tempfile.mkdtemp(prefix=".restoring-", dir=settings.folder))
    try:
        for name, sha256 in parts.items():
            if copy_file(source / name, work / name) != sha256:
                raise BackupProblem(f"{name} changed while it was read. Nothing was changed.")
        (work / FILES).mkdir(exist_ok=True)
        make_durable(work)
        with _database_put_back(settings, work / DATABASES[manifest["kind"]], aside, before) as engine:
            with Session(engine, expire_on_commit=False) as session:
                epoch = _begin_epoch(session, manifest, now, before.epoch)
                held = copies.list_handed_out_packages(session)
            engine.dispose()
            _move_files(settings, work, aside)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    unknown = [name for sha256, name in before.packages.items() if sha256 not in held]
    return Restored(manifest, epoch, aside.used, unknown)


def _bring_up_to_date(engine: Engine) -> None:
    """Bring a copy to this schema, and cut what an older version kept after a no."""
    migrations.upgrade(engine)
    with Session(engine) as session:
        cut_in_every_centre(session)


@contextmanager
def _database_put_back(settings: Settings, copy: Path, aside: AsideFolder, before: ReplacedDatabase) -> Iterator[Engine]:
    """Give an engine on the copy, at this version's schema; a SQLite file takes its place when all the rest is done."""
    path = sqlite_file(settings.url)
    if path is None:
        engine = engine_for(settings.url)
        with copies.put_back_postgresql(engine, copy, aside.schema):
            _bring_up_to_date(engine)
            yield engine
        engine.dispose()
        if before.has_tables:
            aside.used.append(f"the schema {aside.schema} of the database")
        return
    engine = engine_for(f"sqlite:///{copy}")
    _bring_up_to_date(engine)
    yield engine
    copies.close_in_one_file(engine)
    fresh = path.with_name(f".{path.name}.restoring")
    fresh.unlink(missing_ok=True)
    copy_file(copy, fresh)
    for end in ("", "-wal", "-shm", "-journal"):
        old = path.with_name(path.name + end)
        if old.exists() and before.has_tables:
            shutil.move(old, aside.folder() / old.name)
        else:
            old.unlink(missing_ok=True)  # an empty file: opening it made it
    fresh.rename(path)
    sync_folder(path.parent)


def _move_files(settings: Settings, work: Path, aside: AsideFolder) -> None:
    """Put files in their place in the data folder; move aside what was there."""
    for entry in list_data_entries(settings):
        entry.rename(aside.folder() / entry.name)
    for entry in sorted((work / FILES).iterdir()):
        entry.rename(settings.folder / entry.name)
    if (work / KEY).exists() and not settings.secret_key and not settings.key_file.exists():
        (work / KEY).rename(settings.key_file)
    sync_folder(settings.folder)


def _begin_epoch(session: Session, manifest: dict[str, Any], now: dt.datetime, before: int) -> int:
    copied_at = dt.datetime.fromisoformat(manifest["made_at"])
    with WriteTransaction(session):
        epoch = epochs.begin(session, now, copied_at, manifest["position"], before).number
    for centre in centres.list_all(session):
        _note_restored(session, Actor.system(centre.id), epoch=epoch, position=manifest["position"])
    return epoch


@act("database.restore")
def _note_restored(ctx: ActContext, epoch: int, position: int) -> None:
    """Leave the line in a centre's audit trail that says that a copy was put back."""
    ctx.describe(f"epoch/{epoch}", position=position)
