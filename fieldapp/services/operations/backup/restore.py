"""Restore a backup: check it, move aside what is there, and begin a new epoch."""

import base64
import contextlib
import datetime as dt
import errno
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any

from fieldapp.key_ring import ServerSecret
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.caseload.earlier_cards import tell_in_every_centre
from fieldapp.services.consent.forgotten import attach, find_list_problem, merge_lists
from fieldapp.services.consent.lowered_list import lower_again
from fieldapp.services.consent.withdrawals import end_listed
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.backup import data_lock, marks, places
from fieldapp.services.operations.backup.contents import (
    ASIDE,
    DATABASES,
    FILES,
    KEY,
    NEVER_BACK,
    OPENING,
    BackupProblem,
    check_parts,
    copy_file,
    list_data_entries,
    make_durable,
    read_manifest,
)
from fieldapp.services.operations.backup.journal_reading import JournalRead, find_chain, read_journal
from fieldapp.services.operations.backup.leftovers import RESTORING, delete_leftovers
from fieldapp.services.operations.backup.names import NamedBackup, parse_names, parse_segment_names
from fieldapp.services.operations.backup.sealed import read_identities, unseal
from fieldapp.services.operations.server_key import Wrapped, can_open
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.earlier_refusals import cut_in_every_centre
from fieldapp.services.transports.remote_stores import open_store
from fieldapp.services.transports.stores import FolderStore, Store, StoreProblem
from fieldapp.settings import FORGOTTEN, HEALTH_NOTE, KEEP_IT, KeyMissing, Settings, read_key_copy, sync_folder
from fieldapp.store import copies, migrations, row_journal
from fieldapp.store.consent import erased_bytes
from fieldapp.store.copies import CopyProblem
from fieldapp.store.database import WriteTransaction, engine_for, sqlite_file
from fieldapp.store.operations import centre_log, centres, epochs
from fieldapp.store.operations.journal import ChainEnd
from fieldapp.store.people import one_time_codes, web_sessions
from fieldapp.store.session import Engine, OperationalError, Session
from fieldapp.store.sweeping import sweep_clear_text

NEWER = (
    "{newer} is a newer backup of the same centre. What phones deleted because it was safe there would be lost. "
    "Put the newer one back; only if it is damaged, add --older."
)


NO_JOURNAL = (
    "Without the journal everything is lost that phones deleted because it was safe there. Set FIELDAPP_COPIES to the place "
    "where backups are made each night. Only if its journal is lost, add --without-journal. Nothing was changed."
)

Identity = tuple[str, dt.datetime]  # of a centre: its short name, and when it was set up

OTHER = (
    "This is a backup of {theirs}, and here is {ours}. If it is to take that place all the same, add --other-centre; what "
    "is here is only moved aside. Nothing was changed."
)
UNSURE_WHOSE = (
    "This backup has no keys, so nobody can tell whether it is of the centre to which the secret key in {where} belongs. If "
    "you know that it is, add --other-centre. Nothing was changed."
)


@dataclass(frozen=True)
class Restored:
    """What a restore did; `aside` says where everything is now that was there before."""

    manifest: dict[str, Any]
    epoch: int
    aside: list[str]
    unnoted: list[str]  # places in which the number of the epoch could not be written
    unknown_packages: list[str]  # handed out after the backup was made, so its ledger lacks them
    journal: JournalRead  # what came after the backup and is in place too


@dataclass(frozen=True)
class OpenBackup:
    """The backup that is put back: its folder, opened and checked, and where it lay."""

    folder: Path
    manifest: dict[str, Any]
    parts: dict[str, str]
    beside: Path | None  # the folder in which it lay; None when it was fetched from another machine
    journal: JournalRead = field(default_factory=JournalRead)  # what follows it


@dataclass(frozen=True)
class ReplacedDatabase:
    """What is known of the database that was there before the restore."""

    has_tables: bool
    epoch: int
    centres: frozenset[Identity]
    packages: dict[str, str]  # handed out: SHA-256 → file name
    is_drill: bool = False  # nobody will use the database that takes its place
    may_differ: bool = False  # the backup may be another centre's


@dataclass
class AsideFolder:
    """The folder, and the schema, to which is moved what was there; created on first use."""

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


def restore(
    settings: Settings,
    source: Path,
    replace: bool = False,
    key: Path | None = None,
    *,
    identity: Path | None = None,
    older: bool = False,
    after: int | None = None,
    is_drill: bool = False,
    is_fetched: bool = False,
    without_list: bool = False,
    other_centre: bool = False,
    without_journal: bool = False,
    place: Settings | None = None,
) -> Restored:
    """Restore the backup `source`, a folder or an encrypted file, and the journal after it.

    `identity`: the file with a private key that opens an encrypted one. `replace` allows data to be there already: it
    is moved aside. `key` is a copy of the server's key file, for a machine that has none yet: it is put where the
    settings say. `older` allows that a newer backup lies beside this one. `after`: the highest number of the centre's
    copy that a phone shows (None: nobody looked), for when the backups' place cannot be written. `is_drill`: nothing
    is noted there, since the centre's server goes on. `without_list` allows that the second list of what people took
    back cannot be read now, or lacks what the backup has of it; `other_centre`, that the backup is of another centre than
    what is there; `without_journal`, that what came after the backup stays out. `place`: settings that name the place
    with the journal, where others do than `settings`. Raises BackupProblem before anything is changed when the backup is
    damaged or does not fit, or one of these is missing.
    """
    identities = read_identities(identity) if identity is not None else []
    if not source.exists():
        raise BackupProblem(f"There is no {source}. Look at its name, and whether its disk is mounted. Nothing was changed.")
    with _opened(settings, source, identities) as folder:
        # Read and checked before anything is locked or moved.
        manifest = read_manifest(folder)
        parts = check_parts(folder, manifest)
        newer = None if older or is_drill else places.find_newer(source, manifest, identities, settings.folder)
        if newer is not None:
            raise BackupProblem(NEWER.format(newer=newer))
        origin = OpenBackup(folder, manifest, parts, None if is_fetched else source.absolute().parent)
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=settings.folder, prefix=OPENING) as work:
            wants_journal = bool(manifest.get("journal") and not without_journal)

            def read(secret: ServerSecret) -> JournalRead:
                if not wants_journal:
                    return JournalRead()
                return _read_journal(place or settings, origin, identities, secret, Path(work), is_drill)

            return _restore_opened(settings, origin, replace, key, after, is_drill, without_list, other_centre, read)


def _read_journal(
    settings: Settings, origin: OpenBackup, identities: list[Any], secret: ServerSecret, work: Path, is_drill: bool
) -> JournalRead:
    """Return what follows a backup, from its folder or the place off this machine.

    Raises BackupProblem when nobody can tell whether anything follows it.
    """
    openings: list[places.Opening] = []
    if origin.beside is not None:
        beside = FolderStore(origin.beside)
        openings.append(lambda: nullcontext(beside))
    if settings.copies and settings.copies_folder != origin.beside:
        openings.append(lambda: open_store(settings))
    chain = origin.manifest["journal"]["chain"]
    is_any = is_drill or bool(settings.copies)
    try:
        for opening in openings:
            with opening() as store, _told_when_full(settings):
                segments = parse_segment_names(store.list_names())
                is_any = is_any or bool(segments)
                if any(segment.chain == chain for segment in segments):
                    _require_key(store, origin.manifest, identities)
                    return read_journal(store, origin.manifest, identities, secret, work)
    except StoreProblem as problem:
        raise BackupProblem(f"{problem} {NO_JOURNAL}") from None
    if not is_any:
        raise BackupProblem(f"What came after this backup is in a journal, which does not lie beside it. {NO_JOURNAL}")
    return JournalRead()


def _require_key(store: Store, manifest: dict[str, Any], identities: list[Any]) -> None:
    """Raise BackupProblem where a journal follows and nobody gave the key that opens it."""
    following, later = find_chain(store.list_names(), ChainEnd(**manifest["journal"]))
    if not identities and (following or later):
        raise BackupProblem(
            "What came after this backup is in its journal, which a custodian's key opens. Name it: --identity FILE. "
            "Nothing was changed. To restore the backup without what came after it, add --without-journal."
        )


def restore_from_place(
    settings: Settings,
    name: str = "",
    replace: bool = False,
    key: Path | None = None,
    *,
    identity: Path | None = None,
    older: bool = False,
    after: int | None = None,
    is_drill: bool = False,
    without_list: bool = False,
    other_centre: bool = False,
    without_journal: bool = False,
) -> Restored:
    """Restore a backup from the place off this machine: the one with a name, or the newest.

    Raises BackupProblem as `restore` does, and when there is none, or the place cannot be reached.
    """
    if not settings.copies:
        raise BackupProblem("Name a backup, or set FIELDAPP_COPIES to the place off this machine where they are.")
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.folder, prefix=OPENING) as folder:
        try:
            with open_store(settings) as store, _told_when_full(settings):
                chosen = choose_backup(store, name, older)
                source = Path(folder, chosen.name)
                if settings.copies_folder is None:
                    fetch_backup(store, chosen, source)
                else:
                    source = settings.copies_folder / chosen.name
        except StoreProblem as problem:
            raise BackupProblem(f"{problem} Nothing was changed.") from None
        return restore(
            settings,
            source,
            replace,
            key,
            identity=identity,
            older=older,
            after=after,
            is_drill=is_drill,
            is_fetched=settings.copies_folder is None,
            without_list=without_list,
            other_centre=other_centre,
            without_journal=without_journal,
        )


def choose_backup(store: Store, name: str = "", older: bool = True) -> NamedBackup:
    """Return the backup of a store with a name, or the newest; raise BackupProblem for none."""
    backups = parse_names(store.list_names())
    matching = [backup for backup in backups if name in ("", backup.name)]
    if not matching:
        newest = f" The newest is {backups[-1].name}." if backups else ""
        raise BackupProblem(f"There is no backup {name or 'that the server made'} in {store.describe()}.{newest}")
    if matching[-1] != backups[-1] and not older:
        raise BackupProblem(NEWER.format(newer=backups[-1].name))
    return matching[-1]


def fetch_backup(store: Store, backup: NamedBackup, target: Path) -> None:
    """Copy a backup from another machine.

    Raises BackupProblem when it is not what was put there.
    """
    if not store.fetch(backup.name, target).startswith(backup.sha256):
        raise BackupProblem(f"{store.describe(backup.name)} is not what was put there. Nothing was changed. Use another.")


@contextmanager
def _opened(settings: Settings, source: Path, identities: list[Any]) -> Iterator[Path]:
    """Yield the folder of a backup.

    An encrypted one is opened into the data folder, and deleted there again.
    """
    if not source.is_file():
        yield source
        return
    if not identities:
        raise BackupProblem(
            f"{source} is an encrypted backup. Name the file with a custodian's private age key: --identity KEYFILE"
        )
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.folder, prefix=OPENING) as folder:
        with _told_when_full(settings):
            unseal(source, Path(folder), identities)
        yield Path(folder)


@contextmanager
def _told_when_full(settings: Settings) -> Iterator[None]:
    """Say in words that the disk is full; nothing was changed yet."""
    try:
        yield
    except (OSError, OperationalError) as error:
        # SQLite says so in words alone.
        is_full = isinstance(error, OperationalError) and "disk is full" in str(error)
        if not is_full and getattr(error, "errno", None) not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        text = f"The disk of {settings.folder} is full, so the backup could not be opened."
        raise BackupProblem(f"{text} Nothing was changed. Make room and try again.") from None


def _restore_opened(
    settings: Settings,
    origin: OpenBackup,
    replace: bool,
    key: Path | None,
    after: int | None,
    is_drill: bool,
    without_list: bool,
    other_centre: bool,
    read_journal_with: Callable[[ServerSecret], JournalRead],
) -> Restored:
    # Alone: a server that writes while its files are moved would write into what was moved away.
    with data_lock.take_alone(settings):
        delete_leftovers(settings)
        if not (is_drill or without_list):
            _check_list(settings, origin.folder / FILES / FORGOTTEN)
        engine = engine_for(settings.url)
        try:
            _check_fit(settings, origin.manifest, engine, replace)
            if not (is_drill or other_centre):
                _require_keys(settings, origin.manifest)
            secret = _find_new_key(settings, origin.manifest, origin.folder, key)
            if origin.manifest.get("journal"):
                origin = _add_journal(origin, read_journal_with(secret or settings.key()))
            before = _read_before(engine)
            last_epoch = places.read_last_epoch(settings, origin.beside, origin.manifest, after)
            before = replace_fields(before, epoch=max(before.epoch, last_epoch), is_drill=is_drill, may_differ=other_centre)
            # Every connection ends before the file is replaced, or it would go on with the old one.
            engine.dispose()
            if secret is not None:
                settings.replace_key(secret, is_first=True)
            done = _put_back(settings, origin, before)
            _end_cards(settings)
            # What was wrong with the database that was here says nothing of this one.
            marks.forget_troubles(settings)
            (settings.folder / HEALTH_NOTE).unlink(missing_ok=True)
            return done
        except CopyProblem as problem:
            raise BackupProblem(str(problem)) from None
        finally:
            engine.dispose()
            _delete_empty_database(settings, engine)
            engine.dispose()


def _add_journal(origin: OpenBackup, journal: JournalRead) -> OpenBackup:
    """Return a backup with what follows it; its moment is then that of the last segment."""
    if not journal.segments:
        return replace_fields(origin, journal=journal)
    manifest = {**origin.manifest, "made_at": journal.segments[-1].manifest["made_at"]}
    parts = origin.parts | {name: sha256 for name, (_, sha256) in journal.find_files().items()}
    return replace_fields(origin, journal=journal, manifest=manifest, parts=parts)


def _delete_empty_database(settings: Settings, engine: Engine) -> None:
    """Delete the file without tables that looking for a database makes."""
    path = sqlite_file(settings.url)
    if path is None or copies.has_tables(engine):
        return
    engine.dispose()
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _check_list(settings: Settings, backed_up: Path) -> None:
    """Raise BackupProblem when the list of what people took back cannot be read now.

    Or when the second one is not where that of the backup (`backed_up`) shows that it was.
    """
    problem = find_list_problem(settings, backed_up)
    if problem:
        raise BackupProblem(
            f"{problem} Without it, whoever took something back after the backup was made would be counted again. "
            "Make it readable (is its disk mounted?) and try again. Only if it is lost for good, add --without-list. "
            "Nothing was changed."
        )


def _check_fit(settings: Settings, manifest: dict[str, Any], engine: Engine, replace: bool) -> None:
    kind = copies.get_kind(settings.url)
    if manifest["kind"] != kind:
        text = f"This is a backup of {manifest['kind']}, and FIELDAPP_DATABASE_URL names {kind}."
        raise BackupProblem(f"{text} Set it to the same kind.")
    # A newer schema cannot be taken back; an older one is brought up to date below.
    if not migrations.is_known(engine, manifest["schema"]):
        text = f"The backup's schema ({manifest['schema']}) is newer than this version."
        raise BackupProblem(f"{text} Use the version that made it, or a newer one.")
    # Checked for PostgreSQL only: for SQLite the lock on the data folder says the same.
    if kind == copies.POSTGRESQL:
        _require_nobody_connected(engine)
    if not replace and _has_data(settings, engine):
        raise BackupProblem(
            f"There is data in {settings.folder} or its database already. To move it aside and put "
            "the backup in its place, add --replace. Nothing is deleted."
        )


def _require_nobody_connected(engine: Engine) -> None:
    others = copies.count_other_connections(engine)
    if others:
        text = f"Others are connected to the database: {others}."
        raise BackupProblem(f"{text} Stop every server and scheduler, then try again.")


def _find_new_key(settings: Settings, manifest: dict[str, Any], source: Path, key: Path | None) -> ServerSecret | None:
    """Return the secret key that this server gets with the backup; None for none.

    It is the one that was named, or one that an older version put into the backup. Raises BackupProblem unless the
    key that will count opens the keys in the backup's database.
    """
    keys = _decode_wrapped(manifest["keys"])
    factors = _decode_wrapped(manifest["factors"])
    where: str | Path = settings.key_place
    is_new = False
    try:
        # A key of the server itself is never replaced by another one.
        secret = settings.key()
    except KeyMissing as missing:
        if key is None and manifest["has_key"]:
            key = source / KEY
        if key is None and not (keys or factors):
            return None
        if key is None:
            text = f"{missing} The backup does not hold it: name a copy of the key's file with --key FILE."
            raise BackupProblem(f"{text} {KEEP_IT} Nothing was changed.") from None
        where = key
        is_new = True
        secret = read_key_copy(key)
    if not can_open(secret, keys, factors):
        raise BackupProblem(
            f"The secret key in {where} does not open the keys in the backup. {KEEP_IT} Nothing was changed."
        )
    return secret if is_new else None


def _decode_wrapped(pairs: list[list[str]]) -> Wrapped:
    return [(name, base64.b64decode(wrapped)) for name, wrapped in pairs]


def _require_keys(settings: Settings, manifest: dict[str, Any]) -> None:
    """Raise BackupProblem for a backup without keys, beside a server that has one."""
    if manifest["keys"] or manifest["factors"] or manifest["has_key"]:
        return
    # Without any key there is no centre yet to which another one's records could come.
    with contextlib.suppress(KeyMissing):
        settings.key()
        raise BackupProblem(UNSURE_WHOSE.format(where=settings.key_place))


def _require_same_centres(engine: Engine, before: ReplacedDatabase) -> None:
    """Raise BackupProblem when a restored database has no centre of those that were there."""
    with Session(engine) as session:
        theirs = centres.list_identities(session)
    if before.may_differ or before.is_drill or not before.centres or theirs & before.centres:
        return
    raise BackupProblem(OTHER.format(theirs=_name_centres(theirs), ours=_name_centres(before.centres)))


def _name_centres(identities: Collection[Identity]) -> str:
    names = [f"the centre {slug} (set up {created_at:%Y-%m-%d})" for slug, created_at in sorted(identities)]
    return ", ".join(names) or "a database without a centre"


def _has_data(settings: Settings, engine: Engine) -> bool:
    # The list of forgotten cards is no data that a restore could overwrite: it is merged.
    entries = [entry for entry in list_data_entries(settings) if entry.name != FORGOTTEN]
    return copies.has_tables(engine) or bool(entries)


def _read_before(engine: Engine) -> ReplacedDatabase:
    """Return what must be known of the database that is there, as far as it can be read.

    It may be damaged: that is what restores are for.
    """
    epoch = 0
    packages: dict[str, str] = {}
    identities: frozenset[Identity] = frozenset()
    # Each by itself: the epoch may be readable where the packages are not.
    with contextlib.suppress(*copies.UNREADABLE), Session(engine) as session:
        epoch = epochs.current(session)
    with contextlib.suppress(*copies.UNREADABLE), Session(engine) as session:
        packages = copies.list_handed_out_packages(session)
    with contextlib.suppress(*copies.UNREADABLE), Session(engine) as session:
        identities = centres.list_identities(session)
    return ReplacedDatabase(copies.has_tables(engine), epoch, identities, packages)


def _put_back(settings: Settings, origin: OpenBackup, before: ReplacedDatabase) -> Restored:
    now = utcnow()
    manifest = origin.manifest
    aside = AsideFolder(now.strftime("%Y%m%d-%H%M%S"), settings.folder)
    work = Path(tempfile.mkdtemp(prefix=RESTORING, dir=settings.folder))
    try:
        with _told_when_full(settings):
            newer = origin.journal.find_files()
            for name, sha256 in origin.parts.items():
                source = newer[name][0] if name in newer else origin.folder / name
                # Hashed again while it is copied: what was checked above may lie on a disk that fails.
                if copy_file(source, work / name) != sha256:
                    raise BackupProblem(f"{name} changed while it was read. Nothing was changed.")
        (work / FILES).mkdir(exist_ok=True)
        # On the disk before anything is moved: a power cut must leave the old data or the new,
        # never half of each.
        make_durable(work)
        with (
            _told_when_full(settings),
            _database_put_back(settings, work, origin, aside, before) as engine,
        ):
            with Session(engine, expire_on_commit=False) as session:
                # A new epoch, so that phones notice that the centre may have forgotten what it told
                # them.
                epoch = _begin_epoch(session, manifest, now, before.epoch)
                _merge_list(settings, work)
                _lower_again(session, settings, manifest)
                # Before anything is served: the next restore of this copy must not choose the same.
                unnoted = []
                if not before.is_drill:
                    unnoted = places.write_last_epoch(settings, origin.beside, epoch)
                known_packages = copies.list_handed_out_packages(session)
            engine.dispose()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    unknown = [name for sha256, name in before.packages.items() if sha256 not in known_packages]
    return Restored(manifest, epoch, aside.used, unnoted, unknown, origin.journal)


def _merge_list(settings: Settings, work: Path) -> None:
    """Add the copy's list to the one that is there, which is never taken back to an older."""
    copied_list = work / FILES / FORGOTTEN
    if copied_list.exists():
        merge_lists(settings.forgotten_file, copied_list)
        copied_list.unlink()


def _lower_again(session: Session, settings: Settings, manifest: dict[str, Any]) -> None:
    """Let what people lowered after the copy was made count again.

    It is on the list outside the database. Without the secret key nobody can tell what it was; then nothing can leave
    either.
    """
    attach(session.get_bind().engine, settings)
    with contextlib.suppress(ActProblem):
        lower_again(session, dt.datetime.fromisoformat(manifest["made_at"]))


def _end_cards(settings: Settings) -> None:
    """End the cards of the list that the copy does not know to have ended.

    Without the secret key nobody can tell which they are: then it is done when the server starts with it.
    """
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    attach(engine, settings)
    try:
        with Session(engine, expire_on_commit=False) as session, contextlib.suppress(ActProblem):
            end_listed(session)
    finally:
        engine.dispose()


def _require_rows(engine: Engine, manifest: dict[str, Any]) -> None:
    """Raise BackupProblem unless each table has the rows that the manifest names."""
    with Session(engine) as session:
        rows = copies.count_rows(session)
    wrong = [table for table, count in manifest["rows"].items() if rows.get(table) != count]
    if wrong:
        text = f"The restored database has other rows than the backup's manifest says, in {', '.join(sorted(wrong))}."
        raise BackupProblem(f"{text} Nothing was changed. Use another backup.")


def _apply_journal(engine: Engine, file: Path | None, read: JournalRead) -> None:
    """Bring a copy up to the end of its journal; `file`: that of SQLite.

    Raises BackupProblem when the two do not fit.
    """
    if not read.segments:
        return
    try:
        engine.dispose()
        rows = [segment.rows for segment in read.segments]
        if file is not None:
            row_journal.apply_to_sqlite(file, rows)
        else:
            row_journal.apply_to_postgresql(engine, rows)
        with Session(engine) as session:
            positions = {str(each): position for each, position in centre_log.list_positions(session).items()}
        if positions != read.segments[-1].manifest["positions"]:
            raise row_journal.RowProblem("it does not end where it says")
    except row_journal.RowProblem as problem:
        raise BackupProblem(
            f"The journal does not fit the backup ({problem}). Nothing was changed. To restore the backup without what came "
            "after it, add --without-journal."
        ) from None


def _bring_up_to_date(engine: Engine, settings: Settings) -> None:
    """Upgrade a copy to this schema, and cut what an older version stored after a no."""
    attach_keys(engine, settings)
    migrations.upgrade(engine)
    sweep_clear_text(engine)
    with Session(engine) as session:
        cut_in_every_centre(session)
        tell_in_every_centre(session)


@contextmanager
def _database_put_back(
    settings: Settings, work: Path, origin: OpenBackup, aside: AsideFolder, before: ReplacedDatabase
) -> Iterator[Engine]:
    """Yield an engine on the copy, then put it and the files in their place.

    The copy is brought to this version's schema first.
    Whatever needs room on the disk is done before anything is moved. PostgreSQL's former schema comes back when the
    block or the moving fails.
    """
    path = sqlite_file(settings.url)
    manifest = origin.manifest
    copy = work / DATABASES[manifest["kind"]]
    if path is None:
        engine = engine_for(settings.url)
        try:
            with copies.put_back_postgresql(engine, copy, aside.schema):
                _require_rows(engine, manifest)
                _apply_journal(engine, None, origin.journal)
                _require_same_centres(engine, before)
                _bring_up_to_date(engine, settings)
                yield engine
                _move_files(settings, work, aside)
        finally:
            engine.dispose()
        if before.has_tables:
            aside.used.append(f"the schema {aside.schema} of the database")
        return
    engine = engine_for(f"sqlite:///{copy}")
    _require_rows(engine, manifest)
    _apply_journal(engine, copy, origin.journal)
    _require_same_centres(engine, before)
    _bring_up_to_date(engine, settings)
    yield engine
    copies.close_in_one_file(engine)
    partial = path.with_name(f".{path.name}.restoring")
    # Next to the database, so that the rename below stays within one file system and happens at
    # once.
    _bring_beside(copy, partial)
    _move_files(settings, work, aside)
    # All four: a write-ahead log of the old file beside the new one would destroy it.
    for end in ("", "-wal", "-shm", "-journal"):
        old = path.with_name(path.name + end)
        if old.exists() and before.has_tables:
            shutil.move(old, aside.folder() / old.name)
        else:
            old.unlink(missing_ok=True)  # an empty file: opening it made it
    partial.rename(path)
    sync_folder(path.parent)


def _bring_beside(copy: Path, partial: Path) -> None:
    """Bring the copy into the database's folder; without room there, leave nothing of it."""
    partial.unlink(missing_ok=True)
    if copy.stat().st_dev == partial.parent.stat().st_dev:
        copy.rename(partial)  # needs no room at all
        return
    try:
        copy_file(copy, partial)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _move_files(settings: Settings, work: Path, aside: AsideFolder) -> None:
    """Move aside the files that are there, and put those of the backup in their place."""
    for entry in list_data_entries(settings):
        if entry.name != FORGOTTEN:
            entry.rename(aside.folder() / entry.name)
    for entry in sorted((work / FILES).iterdir()):
        if entry.name in NEVER_BACK:  # older backups have it
            continue
        entry.rename(settings.folder / entry.name)
    sync_folder(settings.folder)


def _begin_epoch(session: Session, manifest: dict[str, Any], now: dt.datetime, before: int) -> int:
    copied_at = dt.datetime.fromisoformat(manifest["made_at"])
    position = copies.read_last_submission(session)
    session.rollback()
    with WriteTransaction(session):
        # After the old epoch too: two restores of one copy must not have the same number.
        epoch = epochs.begin(session, now, copied_at, position, before).number
        centre_log.begin_epoch(session, epoch)
        # Rows that the journal took out lie in PostgreSQL's files until these are written again.
        erased_bytes.note_erased(session, now)
        # Who signed out after the backup was made must not be signed in again.
        web_sessions.delete_all(session)
        one_time_codes.delete_all(session)
    for centre in centres.list_all(session):
        _note_restored(session, Actor.system(centre.id), epoch=epoch, position=position)
    return epoch


@act("database.restore")
def _note_restored(ctx: ActContext, epoch: int, position: int) -> None:
    """Write into a centre's audit log that a backup was restored."""
    ctx.describe(f"epoch/{epoch}", position=position)
