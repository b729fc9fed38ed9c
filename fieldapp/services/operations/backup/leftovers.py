"""What a killed restore leaves in the data folder: a whole copy of the database.

Those who took everything back since are still in it.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from fieldapp.settings import Settings
from fieldapp.store.database import sqlite_file

RESTORING = ".restoring-"


def find_leftovers(settings: Settings) -> Iterator[Path]:
    """Yield what is there of restores.

    One may be running, unless the caller holds the lock of the data folder.
    """
    yield from settings.folder.glob(f"{RESTORING}*")
    database = sqlite_file(settings.url)
    if database is not None:
        yield from database.parent.glob(f".{database.name}.restoring")


def delete_leftovers(settings: Settings) -> None:
    """Delete what killed restores left.

    To be called by who holds the lock of the data folder, so that none is running.
    """
    for left in find_leftovers(settings):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
