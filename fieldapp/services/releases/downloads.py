"""Releases for their recipients: list, download, attest deletion; and revoke one."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator_export.package import seal
from fieldapp.services import keys
from fieldapp.services.access import EVALUATOR
from fieldapp.services.acts import ActContext, act, read_act, utcnow
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.releases.agreements import AGREEMENT_OVER, is_agreement_over
from fieldapp.services.releases.retries import next_try
from fieldapp.services.releases.withdrawals import update_rounds
from fieldapp.services.releases.withheld import (
    WITHDRAWN,
    compute_deadline,
    count_listed,
    find_withheld,
    is_list_settled,
)
from fieldapp.services.revisions import check_revision
from fieldapp.services.transports.targets import DeliveryFailed, encrypt_for_recipient
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.people import users
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import PackageDelivery, Release, ReleaseRun, ReleaseSeries
from fieldapp.store.session import Session

SHORTEST_REASON = 5  # characters
SHORTEST_NAME = 3
ENDING_ACTS = ("release.revoke", "release.attest_deletion", "release.attest_withdrawal")


@dataclass(frozen=True)
class ReleasesPage:
    """Releases and runs that the actor may see; downloads are audit events, by release."""

    series: Sequence[ReleaseSeries]
    releases: Sequence[Release]
    runs: Sequence[ReleaseRun]
    next_tries: Mapping[int, dt.datetime]  # when failed runs are tried again automatically, by run
    deliveries: Mapping[int, Sequence[PackageDelivery]]
    downloads: Mapping[int, Sequence[AuditEvent]]
    people: Mapping[int, str]
    key: str  # the public key that packages are signed with
    withheld: set[int]  # ids of releases in which rows were taken back since
    over: set[int]  # ids of releases whose agreement with their recipient is over
    delete_by: Mapping[int, dt.datetime]  # until when the rows that a release lists must be deleted
    now: dt.datetime


@read_act("releases.list")
def list_releases(ctx: ActContext) -> ReleasesPage:
    """Return the series that the actor may read, with their releases, runs and deliveries."""
    all_series = releases.series_of(ctx.session, ctx.centre_id)
    series = [row for row in all_series if _may_read(ctx, row)]
    series_ids = [row.id for row in series]
    readable = []
    for release in releases.list_for(ctx.session, ctx.centre_id):
        if release.series_id in series_ids:
            readable.append(release)
    runs = releases.runs_of(ctx.session, series_ids)
    return ReleasesPage(
        series=series,
        releases=readable,
        runs=runs,
        next_tries=_find_next_tries(runs),
        deliveries=_load_deliveries(ctx, readable),
        downloads={release.id: _list_downloads(ctx, release) for release in readable},
        people=users.labels(ctx.session, ctx.centre_id),
        key=_find_signing_key(readable),
        withheld=find_withheld(ctx.session, readable),
        over=_find_over(series, readable, ctx.now),
        delete_by={row.id: compute_deadline(row) for row in readable if count_listed(row.manifest)},
        now=ctx.now,
    )


def _find_over(series: Sequence[ReleaseSeries], readable: Sequence[Release], now: dt.datetime) -> set[int]:
    over_series = {row.id for row in series if is_agreement_over(row, now)}
    return {release.id for release in readable if release.series_id in over_series}


def _find_next_tries(runs: Sequence[ReleaseRun]) -> dict[int, dt.datetime]:
    next_tries = {}
    for run in runs:
        tried_at = next_try(run)
        if tried_at is not None:
            next_tries[run.id] = tried_at
    return next_tries


def _load_deliveries(ctx: ActContext, readable: Sequence[Release]) -> dict[int, list[PackageDelivery]]:
    """Return the deliveries of releases, by release."""
    deliveries: dict[int, list[PackageDelivery]] = {}
    for delivery in releases.deliveries_of(ctx.session, [release.id for release in readable]):
        deliveries.setdefault(delivery.release_id, []).append(delivery)
    return deliveries


def _list_downloads(ctx: ActContext, release: Release) -> list[AuditEvent]:
    events = audit.list_for_target(ctx.session, ctx.centre_id, f"release/{release.id}")
    return [event for event in events if event.act == "release.download"]


def _find_signing_key(readable: Sequence[Release]) -> str:
    """Return the public key of the newest package that names one; "" without any."""
    for release in readable:
        if "key" in release.manifest:
            return str(release.manifest["key"])
    return ""


def _may_read(ctx: ActContext, series: ReleaseSeries) -> bool:
    return ctx.actor.role != EVALUATOR or not series.readers or ctx.actor.user_id in series.readers


def _get_readable_release(ctx: ActContext, release_id: int) -> Release:
    """Return a release.

    Raises ActProblem for one that is not there, and the same for an evaluator who may not read its
    series: they must not learn that it exists.
    """
    release = releases.get(ctx.session, ctx.centre_id, release_id)
    if release is None or not _may_read(ctx, ctx.session.get_one(ReleaseSeries, release.series_id)):
        raise make_not_found()
    return release


@act("release.download")
def download_release(ctx: ActContext, release_id: int, packages: Path) -> tuple[Path, str]:
    """Return the file of a release and its name; every download leaves an audit event.

    It is encrypted where the series has a key of its recipient. Raises ActProblem when the release
    is revoked or expired, rows in it were taken back, the agreement is over, or its file is not on this server.
    """
    release = _get_readable_release(ctx, release_id)
    if release.revoked_at:
        text = N_("This release was revoked. Delete the copies that you have.")
        raise ActProblem("release.revoked", text)
    if release.expires_at and release.expires_at < ctx.now:
        text = N_("The time to download this release is over. Ask the centre.")
        raise ActProblem("release.expired", text)
    if release.id in find_withheld(ctx.session, [release]):
        raise ActProblem("release.withdrawn", WITHDRAWN)
    series = ctx.session.get_one(ReleaseSeries, release.series_id)
    if is_agreement_over(series, ctx.now):
        raise ActProblem("release.agreement_over", AGREEMENT_OVER)
    path = packages / f"{release.sha256}.zip"
    name = release.filename
    if not path.is_file():
        raise _make_missing()
    if series.age_key:
        try:
            path = encrypt_for_recipient(packages, release.sha256, series.age_key)
        except DeliveryFailed:
            raise _make_missing() from None
        name = f"{name}.age"
    ctx.describe(f"release/{release.id}", sha256=release.sha256)
    return path, name


def _make_missing() -> ActProblem:
    text = N_("The file of this release is not on this server. Tell the centre.")
    return ActProblem("release.missing", text)


@act("release.revoke")
def revoke_release(ctx: ActContext, release_id: int, because: str, seen: str | None = None) -> Release:
    """Revoke a release: nobody can download it, and deliveries that wait are not sent.

    Recipients are asked to delete their copies; they read the reason `because`. `seen` is the
    revision that the page showed.
    """
    release = _get_readable_release(ctx, release_id)
    if len(because.strip()) < SHORTEST_REASON:
        text = N_("Say why, in a few words: the recipients read it.")
        raise ActProblem("release.no_reason", text)
    check_revision(ctx, seen, release, f"release/{release.id}", ENDING_ACTS)
    if not release.revoked_at:
        release.revoked_at = ctx.now
        release.revoked_because = because.strip()
        releases.stop_deliveries(ctx.session, release.id)
    ctx.describe(f"release/{release.id}")
    return release


@act("release.attest_deletion")
def attest_deletion(ctx: ActContext, release_id: int, name: str, seen: str | None = None) -> None:
    """Write down that a recipient has deleted every copy of a release, and who attests it.

    `seen` is the revision that the page showed.
    """
    release = _get_readable_release(ctx, release_id)
    if len(name.strip()) < SHORTEST_NAME:
        raise ActProblem("release.no_name", N_("Write the name of who answers for this."))
    check_revision(ctx, seen, release, f"release/{release.id}", ENDING_ACTS)
    release.attested_at = ctx.now
    release.attested_by = name.strip()[:120]
    ctx.describe(f"release/{release.id}")


@act("release.attest_withdrawal")
def attest_list(ctx: ActContext, release_id: int, name: str, seen: str | None = None) -> None:
    """Write down who attests that the rows on a package's list are deleted.

    It counts for the lists of earlier packages of the series, too: what was not attested is listed again. `seen` is the
    revision that the page showed. Raises ActProblem for a package that lists nothing.
    """
    release = _get_readable_release(ctx, release_id)
    if not count_listed(release.manifest):
        raise ActProblem("release.no_list", N_("This package lists no rows to delete."))
    if len(name.strip()) < SHORTEST_NAME:
        raise ActProblem("release.no_name", N_("Write the name of who answers for this."))
    check_revision(ctx, seen, release, f"release/{release.id}", ENDING_ACTS)
    for earlier in releases.of_series(ctx.session, release.series_id):
        if earlier.id <= release.id and not is_list_settled(earlier):
            earlier.list_attested_at = ctx.now
            earlier.list_attested_by = name.strip()[:120]
    ctx.session.flush()
    update_rounds(ctx)
    ctx.describe(f"release/{release.id}")


def delete_expired_packages(session: Session, packages: Path) -> None:
    """Delete the files of revoked and expired releases; what the ledger has of them stays."""
    for release in releases.list_ended(session, utcnow()):
        encrypted = packages.glob(f"{release.sha256}-*.zip.age")
        for path in [packages / f"{release.sha256}.zip", *encrypted]:
            path.unlink(missing_ok=True)


def public_key(session: Session, centre_id: int, secret: str) -> str:
    """Return the public key that checks the centre's packages, in minisign's format."""
    return seal.public_key(keys.load_package_seed(session, centre_id, secret))
