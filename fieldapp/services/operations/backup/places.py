"""The places where backups lie: which is the newest there, and the last epoch that began."""

import contextlib
import datetime as dt
import tempfile
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from fieldapp.services.acts import utcnow
from fieldapp.services.operations.backup import marks
from fieldapp.services.operations.backup.contents import OPENING, BackupProblem, read_manifest
from fieldapp.services.operations.backup.names import is_segment
from fieldapp.services.operations.backup.sealed import is_sealed, read_sealed_manifest
from fieldapp.services.transports.remote_stores import open_store
from fieldapp.services.transports.stores import FolderStore, Store, StoreProblem
from fieldapp.settings import Settings
from sync.keeping import GREATEST_EPOCH

Opening = Callable[[], AbstractContextManager[Store]]
LAST_EPOCH = "last-epoch"  # beside the backups: the number of the newest epoch
UNSURE = (
    "{places} cannot be written, and this machine's clock is before the day of the backup. So the number of this restore "
    "could be one that phones know already, and they would lose records. Correct the clock, or look at Mine, This phone, on "
    "the phones and name the highest number of the centre's copy there: --after NUMBER (0 where none shows one)."
)


def find_newer(source: Path, manifest: dict[str, Any], identities: list[Any], work: Path) -> Path | None:
    """Return the newest whole backup of the same centres beside this one, if it is newer.

    `identities` open those that are encrypted; `work`: a folder to open them in.
    """
    newest: tuple[tuple[int, dt.datetime], Path] | None = None
    ours = {name for name, _ in manifest["keys"]}
    for path in source.absolute().parent.iterdir():
        if is_segment(path.name):
            continue
        # What is no backup, or is damaged, is none that could be put back.
        with contextlib.suppress(BackupProblem, OSError):
            other = _read_any_manifest(path, identities, work)
            age = _read_age(other)
            is_ours = not ours or not ours.isdisjoint(name for name, _ in other["keys"])
            if is_ours and (newest is None or age > newest[0]):
                newest = (age, path)
    if newest is None or newest[0] <= _read_age(manifest):
        return None
    return newest[1]


def _read_any_manifest(path: Path, identities: list[Any], work: Path) -> dict[str, Any]:
    """Return the manifest of any backup; raise BackupProblem where there is none."""
    if path.is_dir() or not identities:
        return read_manifest(path)
    if not is_sealed(path):
        raise BackupProblem(f"{path} is no backup.")
    with tempfile.TemporaryDirectory(dir=work, prefix=OPENING) as folder:
        return read_sealed_manifest(path, identities, Path(folder))


def _read_age(manifest: dict[str, Any]) -> tuple[int, dt.datetime]:
    """Return what orders backups: those of a later epoch are newer, whatever the clock said."""
    return int(manifest["epoch"]), dt.datetime.fromisoformat(manifest["made_at"])


def _list_places(settings: Settings, beside: Path | None) -> dict[str, Opening]:
    """Return how each place in which backups lie is opened.

    These are the folder of this one, and the place off this machine.
    """
    places: dict[str, Opening] = {}
    if beside is not None:
        store: Store = FolderStore(beside)
        places[str(beside)] = lambda: nullcontext(store)
    if settings.copies:
        places[settings.copies] = lambda: open_store(settings)
    return places


FORGED = (
    "The number of the last restore that is noted in {place} ({name}) is none that a server can have: somebody changed it. "
    "Delete that file and try again. Nothing was changed."
)


def read_last_epoch(settings: Settings, beside: Path | None, manifest: dict[str, Any], after: int | None) -> int:
    """Return the number of the newest epoch that is known anywhere.

    `beside`: the folder with the backup, if it is one of this machine. Raises BackupProblem when the number after it
    could be one that was used: nothing can be noted beside the backups, and the clock is wrong.
    """
    places = _list_places(settings, beside)
    numbers = {where: _try_number(place) for where, place in places.items()}
    for where, noted in numbers.items():
        if noted > GREATEST_EPOCH:
            raise BackupProblem(FORGED.format(place=where, name=LAST_EPOCH))
    number = max([int(manifest["epoch"]), after or 0, *numbers.values()])
    is_clock_wrong = utcnow() < dt.datetime.fromisoformat(manifest["made_at"])
    if after is None and is_clock_wrong and not all(_write_number(place, number) for place in places.values()):
        raise BackupProblem(UNSURE.format(places=" or ".join(places)))
    return number


def write_last_epoch(settings: Settings, beside: Path | None, epoch: int) -> list[str]:
    """Note the number of an epoch beside the backups; return where that did not work."""
    places = _list_places(settings, beside)
    return [where for where, place in places.items() if not _write_number(place, epoch)]


def read_number(store: Store) -> int:
    """Return the number of the newest epoch that is noted beside the backups; 0 without one.

    Raises StoreProblem when the place cannot be read.
    """
    try:
        return int(store.read_text(LAST_EPOCH))
    except ValueError:
        return 0


def note_number(settings: Settings, store: Store) -> None:
    """Note the number of the newest epoch beside the backups.

    So pages need not ask their place. One that no server can have is passed over: somebody else wrote it. Raises
    StoreProblem when it cannot be read.
    """
    number = read_number(store)
    if number <= GREATEST_EPOCH and number != marks.read_notes(settings).newest_epoch:
        marks.change_notes(settings, newest_epoch=number)


def find_missing_newest(settings: Settings, names: Collection[str]) -> str:
    """Return a sentence when the newest backup is not in its place any more; "" when it is."""
    newest = marks.read_notes(settings).safe_name
    if not newest or newest in names:
        return ""
    return (
        f"The newest backup, {newest}, is not in {settings.copies} any more, so what phones deleted because it was there is "
        "on this machine only. Make another one at once (fieldapp backup), and find out who deleted it."
    )


def _try_number(place: Opening) -> int:
    """Return the number as `read_number` does; 0 also where the place cannot be read."""
    try:
        with place() as store:
            return read_number(store)
    except StoreProblem:
        return 0


def _write_number(place: Opening, number: int) -> bool:
    """Write a number beside the backups; say whether that worked."""
    try:
        with place() as store:
            store.write_text(LAST_EPOCH, f"{number}\n")
    except StoreProblem:
        return False
    return True
