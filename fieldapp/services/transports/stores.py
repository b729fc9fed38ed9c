"""Stores: places where files lie under a name, such as a folder on another machine's disk.

A file appears under its name only when all of it is there and was read back.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from fieldapp.settings import sync_folder

PIECE = 1 << 20
PARTIAL = ".part"  # how names end of what is still being written
READ_OTHERWISE = "{where} gave back another file than was written. It counts for nothing. See whether its disk is sound."


class StoreProblem(Exception):
    """A store that cannot be used, or gave back something else.

    The text says why and what to do.
    """


class Store(Protocol):
    def describe(self, name: str = "") -> str:
        """Return where the store, or a file in it, is; without secrets."""
        ...

    def list_names(self) -> list[str]:
        """Return the names of what is there and whole."""
        ...

    def put(self, source: Path, name: str, sha256: str) -> None:
        """Write a file, read it back, and only then give it its name.

        Raises StoreProblem, and leaves nothing under the name, when that did not work.
        """
        ...

    def fetch(self, name: str, target: Path) -> str:
        """Copy a file of the store to a new file here; return its SHA-256."""
        ...

    def delete(self, name: str) -> None:
        """Delete what has a name; do nothing where there is nothing."""
        ...

    def delete_unfinished(self, prefix: str) -> None:
        """Delete what is left of files that were never whole, whose names begin so."""
        ...

    def read_text(self, name: str) -> str:
        """Return the text of a small file; "" where there is none."""
        ...

    def write_text(self, name: str, text: str) -> None:
        """Write a small file, also over one that is there."""
        ...


def copy_hashed(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> str:
    """Copy piece by piece; return the SHA-256 of what was read."""
    digest = hashlib.sha256()
    while piece := read(PIECE):
        digest.update(piece)
        write(piece)
    return digest.hexdigest()


def require_same(received: str, sha256: str, where: str) -> None:
    """Raise StoreProblem unless what was read back is what was written."""
    if received != sha256:
        raise StoreProblem(READ_OTHERWISE.format(where=where))


def create_here(target: Path) -> IO[bytes]:
    """Open a new file for writing, readable by its owner only."""
    return os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


class FolderStore:
    """A folder of this machine, such as a share or a disk that is mounted."""

    def __init__(self, folder: Path):
        self.folder = folder

    def describe(self, name: str = "") -> str:
        return str(self.folder / name)

    def list_names(self) -> list[str]:
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise self._problem(error) from None
        return sorted(name for name in names if not name.startswith("."))

    def put(self, source: Path, name: str, sha256: str) -> None:
        partial = self.folder / f".{name}{PARTIAL}"
        try:
            partial.unlink(missing_ok=True)  # of one that was killed
            with source.open("rb") as reading, create_here(partial) as file:
                copy_hashed(reading.read, file.write)
                file.flush()
                os.fsync(file.fileno())
            try:
                require_same(_hash_on_disk(partial), sha256, self.describe(name))
                partial.replace(self.folder / name)
            finally:
                partial.unlink(missing_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise self._problem(error) from None

    def fetch(self, name: str, target: Path) -> str:
        try:
            with (self.folder / name).open("rb") as reading, create_here(target) as file:
                return copy_hashed(reading.read, file.write)
        except OSError as error:
            raise self._problem(error) from None

    def delete(self, name: str) -> None:
        try:
            _delete(self.folder / name)
        except OSError as error:
            raise self._problem(error) from None

    def delete_unfinished(self, prefix: str) -> None:
        try:
            for path in self.folder.glob(f".{prefix}*{PARTIAL}*"):
                _delete(path)
        except OSError as error:
            raise self._problem(error) from None

    def read_text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise self._problem(error) from None

    def write_text(self, name: str, text: str) -> None:
        partial = self.folder / f".{name}{PARTIAL}"
        try:
            with partial.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.folder / name)
            sync_folder(self.folder)
        except OSError as error:
            raise self._problem(error) from None

    def _problem(self, error: OSError | UnicodeDecodeError) -> StoreProblem:
        why = getattr(error, "strerror", None) or "it holds no text"
        advice = "See whether its disk is mounted, has room, and may be written."
        return StoreProblem(f"{self.folder} cannot be used: {why}. {advice}")


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _hash_on_disk(path: Path) -> str:
    """Return the SHA-256 of what the disk has, and not of what is still in memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return hashlib.file_digest(file, "sha256").hexdigest()
