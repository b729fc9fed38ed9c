"""Releases for those who may have them: list, download, say that all copies are deleted; and take one back."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator_export.package import seal
from fieldapp.services import keys
from fieldapp.services.access import EVALUATOR
from fieldapp.services.acts import ActContext, act, read_act, utcnow
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.releases.retries import next_try
from fieldapp.services.revisions import check_revision
from fieldapp.services.transports.targets import NotSent, encrypted
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditLine
from fieldapp.store.people import users
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import Delivery, Release, ReleaseRun, Series
from fieldapp.store.session import Session


@dataclass(frozen=True)
class Shelf:
    series: Sequence[Series]
    releases: Sequence[Release]
    runs: Sequence[ReleaseRun]
    next_tries: Mapping[int, dt.datetime]  # of runs that failed: when they are tried again by themselves
    deliveries: Mapping[int, Sequence[Delivery]]
    downloads: Mapping[int, Sequence[AuditLine]]
    people: Mapping[int, str]
    key: str  # the public key that packages are signed with
    now: dt.datetime


@read_act("releases.list")
def list_releases(ctx: ActContext) -> Shelf:
    series = [one for one in releases.series_of(ctx.session, ctx.centre_id) if _may_read(ctx, one)]
    readable = {one.id for one in series}
    found = [one for one in releases.list_for(ctx.session, ctx.centre_id) if one.series_id in readable]
    runs = releases.runs_of(ctx.session, [one.id for one in series])
    deliveries: dict[int, list[Delivery]] = {}
    for delivery in releases.deliveries_of(ctx.session, [one.id for one in found]):
        deliveries.setdefault(delivery.release_id, []).append(delivery)
    downloads = {
        one.id: [
            line
            for line in audit.of_target(ctx.session, ctx.centre_id, f"release/{one.id}")
            if line.act == "release.download"
        ]
        for one in found
    }
    key = next((str(one.manifest["key"]) for one in found if "key" in one.manifest), "")
    next_tries = {run.id: at for run in runs if (at := next_try(run))}
    return Shelf(
        series, found, runs, next_tries, deliveries, downloads, users.labels(ctx.session, ctx.centre_id), key, ctx.now
    )


def _may_read(ctx: ActContext, series: Series) -> bool:
    return ctx.actor.role != EVALUATOR or not series.readers or ctx.actor.user_id in series.readers


def _open(ctx: ActContext, release_id: int) -> Release:
    """Return a release; for an evaluator who is not among its series' readers there is nothing."""
    found = releases.get(ctx.session, ctx.centre_id, release_id)
    if found is None or not _may_read(ctx, ctx.session.get_one(Series, found.series_id)):
        raise make_not_found()
    return found


@act("release.download")
def download_release(ctx: ActContext, release_id: int, packages: Path) -> tuple[Path, str]:
    """Return the file of a release and its name, encrypted where the series has a key; every download is written down."""
    found = _open(ctx, release_id)
    if found.revoked_at:
        raise ActProblem("release.revoked", N_("This release was revoked. Delete the copies that you have."))
    if found.expires_at and found.expires_at < ctx.now:
        raise ActProblem("release.expired", N_("The time to download this release is over. Ask the centre."))
    path, name = packages / f"{found.sha256}.zip", found.filename
    if not path.is_file():
        raise ActProblem("release.missing", N_("The file of this release is not on this server. Tell the centre."))
    series = ctx.session.get_one(Series, found.series_id)
    if series.age_key:
        try:
            path, name = encrypted(packages, found.sha256, series.age_key), f"{name}.age"
        except NotSent:
            raise ActProblem(
                "release.missing", N_("The file of this release is not on this server. Tell the centre.")
            ) from None
    ctx.describe(f"release/{found.id}", sha256=found.sha256)
    return path, name


@act("release.revoke")
def revoke_release(ctx: ActContext, release_id: int, because: str, seen: str | None = None) -> Release:
    """Take a release back: nobody can fetch it, what waits is not sent, recipients are asked to delete their copies."""
    found = _open(ctx, release_id)
    if len(because.strip()) < 5:
        raise ActProblem("release.no_reason", N_("Say why, in a few words: the recipients read it."))
    check_revision(ctx, seen, found, f"release/{found.id}", ("release.revoke", "release.attest"))
    if not found.revoked_at:
        found.revoked_at, found.revoked_because = ctx.now, because.strip()
        releases.stop_deliveries(ctx.session, found.id)
    ctx.describe(f"release/{found.id}")
    return found


@act("release.attest")
def attest_deletion(ctx: ActContext, release_id: int, name: str, seen: str | None = None) -> None:
    """Write down that a recipient has deleted every copy of a release, and who says so."""
    found = _open(ctx, release_id)
    if len(name.strip()) < 3:
        raise ActProblem("release.no_name", N_("Write the name of who answers for this."))
    check_revision(ctx, seen, found, f"release/{found.id}", ("release.revoke", "release.attest"))
    found.attested_at, found.attested_by = ctx.now, name.strip()[:120]
    ctx.describe(f"release/{found.id}")


def remove_fallen(session: Session, packages: Path) -> None:
    """Take the files of revoked and expired releases off the disk; what the ledger remembers stays."""
    for release in releases.fallen(session, utcnow()):
        for path in [packages / f"{release.sha256}.zip", *packages.glob(f"{release.sha256}-*.zip.age")]:
            path.unlink(missing_ok=True)


def public_key(session: Session, centre_id: int, secret: str) -> str:
    """Return the key that the centre's packages are signed with, as minisign takes it."""
    return seal.public_key(keys.package_seed(session, centre_id, secret))
