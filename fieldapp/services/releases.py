"""Releases for those who may have them: list, download."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldapp.services.acts import Act, act, reading
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.store import releases
from fieldapp.store.releases import Release, ReleaseRun, Series


@dataclass(frozen=True)
class Shelf:
    series: Sequence[Series]
    releases: Sequence[Release]
    runs: Sequence[ReleaseRun]


@reading("releases.list")
def list_releases(a: Act) -> Shelf:
    series = releases.series_of(a.session, a.centre_id)
    runs = releases.runs_of(a.session, [one.id for one in series])
    return Shelf(series, releases.list_for(a.session, a.centre_id), runs)


@act("release.download")
def download_release(a: Act, release_id: int, packages: Path) -> tuple[Path, Release]:
    """Return the file of a release; every download is written down."""
    found = releases.get(a.session, a.centre_id, release_id)
    if found is None:
        raise not_found()
    path = packages / f"{found.sha256}.zip"
    if not path.is_file():
        raise ActProblem("release.missing", N_("The file of this release is not on this server. Tell the centre."))
    a.note(f"release/{found.id}", sha256=found.sha256)
    return path, found
