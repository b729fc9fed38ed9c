"""The lock of the data folder: servers and commands share it, a restore needs it alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fieldapp.settings import Settings, SettingsProblem

NAME = "in-use"
IN_USE = "Something is running on {folder}. Stop the server and the scheduler, then try again."
BACKUPS = ".backing-up"
BACKING_UP = "Another backup or drill of {folder} is running. Wait until it has ended, then try again."
MOMENT = ".taking-a-moment"
RESTORING = "A restore is running on {folder}. Wait until it has ended, then try again."


class Busy(SettingsProblem):
    """Something else has the lock."""


def share(settings: Settings) -> IO[bytes]:
    """Lock the data folder, together with others, until the file is closed.

    Raises SettingsProblem during a restore.
    """
    return _lock(settings, fcntl.LOCK_SH, RESTORING)


def take_alone(settings: Settings) -> IO[bytes]:
    """Lock the data folder for this process alone, until the file is closed.

    Raises SettingsProblem while anything else runs on it.
    """
    return _lock(settings, fcntl.LOCK_EX, IN_USE)


@contextmanager
def only_backup(settings: Settings) -> Iterator[None]:
    """Let no other backup or drill work in the data folder meanwhile.

    Raises SettingsProblem while another one does.
    """
    with _lock(settings, fcntl.LOCK_EX, BACKING_UP, BACKUPS):
        yield


@contextmanager
def only_moment(settings: Settings) -> Iterator[None]:
    """Let nobody else read a moment of the database for a copy or the journal meanwhile.

    Waits for who does. A segment that was begun before a copy and ended after it would take the copy back to what was
    before it.
    """
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open_lock(settings.folder / MOMENT) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def hold(settings: Settings, name: str) -> IO[bytes]:
    """Hold a lock of the data folder that says that something runs, until the file is closed.

    The system ends it with the process, however that ends. Raises Busy while another process has it.
    """
    return _lock(settings, fcntl.LOCK_EX, BACKING_UP, name)


def is_held(settings: Settings, name: str) -> bool:
    """Say whether some process holds a lock of the data folder."""
    path = settings.folder / name
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def open_lock(path: Path) -> IO[bytes]:
    """Open a file that is only ever locked."""
    # For reading: a command that root runs may have made it, and the server's user must be able to lock it.
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_CREAT, 0o644), "rb")


def _lock(settings: Settings, mode: int, refusal: str, name: str = NAME) -> IO[bytes]:
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = open_lock(settings.folder / name)
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise Busy(refusal.format(folder=settings.folder)) from None
    return file
