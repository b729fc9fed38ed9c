"""Whether the disk can still take what phones send."""

import shutil
from pathlib import Path

NEEDED = 20_000_000  # bytes: two of the largest requests, with what the database writes beside them


def has_room(folder: Path) -> bool:
    """Say whether the disk of a folder can take what the next requests bring."""
    return shutil.disk_usage(folder).free >= NEEDED
