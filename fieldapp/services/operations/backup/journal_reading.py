"""Read the journal back: what follows a backup, and whether it is what was written."""

import datetime as dt
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldapp.key_ring import list_roots
from fieldapp.services.operations.backup.contents import FILES, MANIFEST, BackupProblem, check_parts
from fieldapp.services.operations.backup.journal import FORMAT, ROWS, make_mac
from fieldapp.services.operations.backup.names import NamedSegment, parse_segment_names
from fieldapp.services.operations.backup.sealed import unseal
from fieldapp.services.transports.stores import Store
from fieldapp.store.operations.journal import ChainEnd
from fieldapp.store.row_journal import SegmentRows


class NewerKey(BackupProblem):
    """A segment that is whole, and that a newer copy of the server's key opens."""


@dataclass(frozen=True)
class Segment:
    """A segment that was opened and is what was written."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def made_at(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.manifest["made_at"])

    @property
    def rows(self) -> SegmentRows:
        return SegmentRows(self.folder / ROWS, self.manifest["keys"], self.manifest["sequences"])


@dataclass(frozen=True)
class JournalRead:
    """What follows a backup: the segments that can be put back, and why there are no more."""

    segments: list[Segment] = field(default_factory=list)
    problem: str = ""  # names the segment that is missing or changed; "" when nothing is
    unused: int = 0  # segments after that

    def find_files(self) -> dict[str, tuple[Path, str]]:
        """Return path and SHA-256 of files newer than in the backup, by their name in it."""
        files: dict[str, tuple[Path, str]] = {}
        for segment in self.segments:
            for part in segment.manifest["parts"]:
                if part["path"].startswith(f"{FILES}/"):
                    files[part["path"]] = (segment.folder / part["path"], part["sha256"])
        return files


def find_chain(names: Sequence[str], end: ChainEnd) -> tuple[list[NamedSegment], list[NamedSegment]]:
    """Return the segments that follow a backup, in their order.

    And those that come later and follow none of these.
    """
    # One that was written before the backup and never noted is older than it, so it is no part of this.
    ours = [each for each in parse_segment_names(list(names)) if each.chain == end.chain and each.begun >= end.begun]
    later = [each for each in ours if each.number > end.number]
    path: list[NamedSegment] = []
    number = end.number
    begun = end.begun
    sha256 = end.sha256[:16]
    while True:
        following = [each for each in later if each.number == number + 1 and each.begun >= begun and each.previous == sha256]
        if not following:
            return path, [each for each in later if each.number > number]
        # Two when a server was killed after it wrote the first: the second has all of it. Later ones know which counted.
        named = {each.previous for each in later if each.number == number + 2}
        chosen = next((each for each in following if each.sha256 in named), following[-1])
        path.append(chosen)
        number = chosen.number
        begun = chosen.begun
        sha256 = chosen.sha256


def read_journal(store: Store, backup: dict[str, Any], identities: list[Any], secret: str, work: Path) -> JournalRead:
    """Open the segments that follow a backup (`backup`: its manifest) into the folder `work`.

    The first that is missing, or is not what was written, ends them, and is named. Raises StoreProblem when the store
    cannot be read, and NewerKey where one needs a newer copy of the server's key.
    """
    end = ChainEnd(**backup["journal"])
    path, rest = find_chain(store.list_names(), end)
    read = JournalRead()
    previous = end.sha256
    for named in path:
        file = work / named.name
        try:
            sha256 = store.fetch(named.name, file)
            if not sha256.startswith(named.sha256):
                raise BackupProblem("it is not what was put there.")
            segment = _open(file, work / f"{named.number}", named, identities)
            _check(segment, named, previous, backup, secret)
        except NewerKey:
            raise  # with the right key it can be read: nothing is put back without it
        except BackupProblem as problem:
            text = f"Part {named.number} of the journal ({named.name}) cannot be used: {problem}"
            return JournalRead(read.segments, text, len(path) + len(rest) - len(read.segments))
        finally:
            file.unlink(missing_ok=True)
        read.segments.append(segment)
        previous = sha256
    if rest:
        number = path[-1].number + 1 if path else end.number + 1
        what = "does not follow the one before it" if rest[0].number == number else "is missing"
        return JournalRead(read.segments, f"Part {number} of the journal {what}.", len(rest))
    return read


def _open(file: Path, folder: Path, named: NamedSegment, identities: list[Any]) -> Segment:
    folder.mkdir(mode=0o700)
    try:
        unseal(file, folder, identities)
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        made_at = dt.datetime.fromisoformat(manifest["made_at"])
    except (OSError, ValueError, TypeError, KeyError):
        raise BackupProblem("it is damaged.") from None
    if made_at.tzinfo is None:
        raise BackupProblem("it is damaged.")
    return Segment(folder, manifest)


def _check(segment: Segment, named: NamedSegment, previous: str, backup: dict[str, Any], secret: str) -> None:
    """Raise BackupProblem unless this centre's server wrote a segment after the one before."""
    manifest = segment.manifest
    if manifest.get("format") != FORMAT:
        raise BackupProblem(f"it has format {manifest.get('format')}, and this version reads format {FORMAT}.")
    roots = {root.number: root.secret for root in list_roots(secret)}
    if manifest.get("root") not in roots:
        raise NewerKey(
            "The journal after this backup was made under a newer secret key than this one. Use the newest copy of the "
            "key. Nothing was changed. To restore the backup without what came after it, add --without-journal."
        )
    if not hmac.compare_digest(make_mac(manifest, roots[manifest["root"]]), str(manifest.get("mac"))):
        raise BackupProblem("this centre's server did not write it.")
    # From here on the manifest is ours.
    place = (manifest["chain"], manifest["number"], manifest["begun"], manifest["previous"])
    if place != (named.chain, named.number, named.begun, previous):
        raise BackupProblem("it belongs to another place in the journal.")
    if (manifest["kind"], manifest["schema"], manifest["epoch"]) != (backup["kind"], backup["schema"], backup["epoch"]):
        raise BackupProblem("it is of another database than the backup.")
    check_parts(segment.folder, manifest)
