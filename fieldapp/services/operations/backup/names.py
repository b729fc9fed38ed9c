"""Names of backups and segments of the journal in a place.

They say when each was made and what it follows, without opening it.
"""

import datetime as dt
import re
from dataclasses import dataclass

from fieldapp.services.operations.backup.sealed import END

PREFIX = "fieldapp-"
NAME = re.compile(PREFIX + r"(\d{8}-\d{6}-\d{6})(?:-(\d{1,19})-([0-9a-f]{16})\.tar\.gz\.age)?")
SEGMENT_PREFIX = "journal-"
SEGMENT = re.compile(
    SEGMENT_PREFIX + r"(\d{8}-\d{6}-\d{6})-([0-9a-f]{16})-(\d{8,19})-(\d{6,10})-([0-9a-f]{16})-([0-9a-f]{16})\.tar\.gz\.age"
)
MOMENT = "%Y%m%d-%H%M%S-%f"  # to the microsecond: two may be made within a second


@dataclass(frozen=True, order=True)
class NamedBackup:
    """A backup in a place, by its name; later ones are greater."""

    epoch: int  # those of a later one are newer, whatever the clock said
    made_at: dt.datetime
    name: str
    sha256: str  # its beginning; "" for a folder


def make_name(made_at: dt.datetime, epoch: int = 0, sha256: str = "") -> str:
    """Return the name of a backup.

    It is that of an encrypted file when there is a hash, else that of a folder.
    """
    name = f"{PREFIX}{made_at.astimezone(dt.UTC):{MOMENT}}"
    return f"{name}-{epoch}-{sha256[:16]}.tar.gz{END}" if sha256 else name


def parse_names(names: list[str]) -> list[NamedBackup]:
    """Return what is a backup by its name, the oldest first; other files are passed over."""
    backups = []
    for name in names:
        match = NAME.fullmatch(name)
        if match is not None:
            made_at = dt.datetime.strptime(match[1], MOMENT).replace(tzinfo=dt.UTC)
            backups.append(NamedBackup(int(match[2] or 0), made_at, name, match[3] or ""))
    return sorted(backups)


@dataclass(frozen=True, order=True)
class NamedSegment:
    """A segment of the journal in a place, by its name."""

    chain: str
    number: int
    begun: int  # whole copies that were begun before it
    made_at: dt.datetime
    name: str
    previous: str  # the beginning of the hash of the one before
    sha256: str  # the beginning of its own


def make_segment_name(made_at: dt.datetime, chain: str, number: int, begun: int, previous: str, sha256: str) -> str:
    """Return the name of a segment of the journal."""
    moment = f"{made_at.astimezone(dt.UTC):{MOMENT}}"
    return f"{SEGMENT_PREFIX}{moment}-{chain}-{number:08}-{begun:06}-{previous[:16]}-{sha256[:16]}.tar.gz{END}"


def parse_segment_names(names: list[str]) -> list[NamedSegment]:
    """Return what is a segment by its name, in the order of the chain."""
    segments = []
    for name in names:
        match = SEGMENT.fullmatch(name)
        if match is not None:
            made_at = dt.datetime.strptime(match[1], MOMENT).replace(tzinfo=dt.UTC)
            segments.append(NamedSegment(match[2], int(match[3]), int(match[4]), made_at, name, match[5], match[6]))
    return sorted(segments)


def is_segment(name: str) -> bool:
    """Say whether a name is that of a segment of the journal, or begins as theirs do."""
    return name.startswith(SEGMENT_PREFIX)
