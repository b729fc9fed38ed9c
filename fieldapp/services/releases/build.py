"""Build releases: each due period of a series once, even when a process dies midway.

The path of a build: claim the period, gather what goes in, write and check the package, publish it.
"""

import datetime as dt
import hashlib
import logging
import secrets
import shutil
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator_export import periods
from evaluator_export.package import seal, verify
from evaluator_export.periods import Period
from evaluator_export.problems import Detail, ExportProblem, Reason
from evaluator_export.series import ledger
from fieldapp.services import keys
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.consent.standing import TRIES, ConsentFell
from fieldapp.services.failures import note_failure
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.releases.datasets import hierarchy_words, install_program_datasets, is_missing_datasets
from fieldapp.services.releases.grace import GRACE_DAYS
from fieldapp.services.releases.retries import needs_alert, next_try
from fieldapp.services.releases.withdrawals import (
    replace_packages,
    require_unchanged,
    update_rounds,
)
from fieldapp.services.stored_problems import explain, is_foreseen, write_problems
from fieldapp.store.database import ReadTransaction, WriteTransaction
from fieldapp.store.operations import audit, centres
from fieldapp.store.releases import datasets, releases
from fieldapp.store.releases.releases import FAILED, PackageDelivery, Release, ReleaseRun, ReleaseSeries
from fieldapp.store.session import IntegrityError, Session

# What gathers and writes a release loads pandas and the like: twice what the rest of a scheduler takes, which asks each
# minute whether a release is due and seldom builds one. So it is imported where a release is built.
if TYPE_CHECKING:
    from fieldapp.services.releases.gathering.gather import ReleaseContents
    from fieldapp.services.releases.gathering.ledger_state import PendingBatch
    from fieldapp.services.releases.gathering.table_counts import PeriodCounts

log = logging.getLogger("fieldapp.releases")

# Renewed at each step and while records are read; a process that died holds a period no longer than this.
LEASE = dt.timedelta(minutes=10)
MOVED = ".moved"  # ends the name of a mark in a build's folder: the package lies among the others
SPACE_NEEDED = 50_000_000  # bytes that a small release needs on the disk
# Bytes: a row is written in several formats, and the package is zipped twice.
SPACE_PER_ROW = 1500
# A broken recipe can have thousands of reasons; nobody reads more than the first.
MOST_REASONS = 20


class LeaseLost(Exception):
    """Another process builds the period now."""


@dataclass(frozen=True)
class BuildRun:
    """A build under way: its row, the token of this process, and up to when records count."""

    series: ReleaseSeries
    period: Period
    run_id: int
    token: str
    cut_off: dt.datetime

    def make_work_folder(self, packages: Path) -> Path:
        return packages / f".work-{self.run_id}-{self.token}"

    def renew_lease(self, session: Session, step: str, records: int) -> None:
        """Save which step the build is at, and keep others from claiming it.

        Raises LeaseLost when another process has claimed it.
        """
        with WriteTransaction(session):
            if not releases.renew_lease(session, self.run_id, self.token, step, utcnow() + LEASE, records):
                raise LeaseLost


@dataclass(frozen=True)
class BuiltPackage:
    """A package on the disk, whole and checked."""

    path: Path
    manifest: dict[str, object]


def list_due_periods(session: Session, now: dt.datetime) -> list[tuple[ReleaseSeries, Period]]:
    """Return every period that has ended and is not built, oldest first of each series.

    A period is left out for GRACE_DAYS after its end, so that late records are in it, and for a while after a failure.
    """
    due = []
    for series in releases.active_series(session):
        zone = zoneinfo.ZoneInfo(centres.get(session, series.centre_id).time_zone)
        # A period ends at midnight where the centre is, not in UTC.
        today = (now.astimezone(zone) - dt.timedelta(days=GRACE_DAYS)).date()
        runs = releases.runs_of(session, [series.id])
        settled = {run.period for run in runs if run.state == "done" or _waits_after_failure(run, now)}
        for period in periods.list_complete(series.first_period, series.cadence, today):
            if period.name not in settled:
                due.append((series, period))
    return due


def _waits_after_failure(run: ReleaseRun, now: dt.datetime) -> bool:
    again_at = next_try(run)
    return again_at is not None and again_at > now


def should_alert(session: Session, series: ReleaseSeries, period: Period) -> bool:
    """Say whether a period has failed so often that somebody should be alerted, or again."""
    with ReadTransaction(session):
        run = releases.find_run(session, series.id, period.name)
        return run is not None and needs_alert(run)


def build_release(session: Session, series: ReleaseSeries, period: Period, packages: Path, secret: str) -> Release | None:
    """Build one period of a series; None when it is done, or another process has it.

    `packages` is the folder of packages; `secret` is the server's secret key, which unwraps the key
    for signing them. A build that was killed midway begins again. Raises what stopped the build, after
    saving the reason.
    """
    run = _claim_run(session, series, period, utcnow())
    if run is None:
        return None
    # The name has the run's token, so two processes never share a folder.
    work = run.make_work_folder(packages)
    try:
        _prepare_work_folder(session, packages, run, work)
        run.renew_lease(session, "reading", 0)
        if is_missing_datasets(session, series.centre_id):
            install_program_datasets(session, Actor.system(series.centre_id))
        return _build_until_consent_holds(session, run, packages, work, secret)
    except LeaseLost:
        return None
    except Exception as error:
        with WriteTransaction(session):
            releases.finish_run(session, run.run_id, run.token, FAILED, utcnow(), _describe_error(error))
        raise
    finally:
        _discard_folder(session, packages, work)


def _build_until_consent_holds(session: Session, run: BuildRun, packages: Path, work: Path, secret: str) -> Release | None:
    """Gather, write and publish a release.

    It begins again, up to TRIES times, when somebody withdraws consent meanwhile, or takes back what was published.
    """
    from fieldapp.services.releases.gathering.gather import gather_release  # noqa: PLC0415  heavy, see above
    from fieldapp.services.releases.withdrawal_draw import draw_before_build  # noqa: PLC0415

    for tries_left in reversed(range(TRIES)):
        draw_before_build(session, run.series)
        contents = gather_release(
            session, run.series, run.period, run.cut_off, lambda records: run.renew_lease(session, "reading", records)
        )
        run.renew_lease(session, "writing", 0)
        package = write_package(session, run.series, contents, work, secret)
        try:
            return _publish_release(session, Actor.system(run.series.centre_id), run, package, contents, packages)
        except ConsentFell:
            if not tries_left:
                raise
            # The package has the records of a person who said no: it must not stay on the disk.
            shutil.rmtree(work)
            work.mkdir(mode=0o700)
    return None


def _describe_error(error: Exception) -> str:
    """Return why a build failed, to be stored.

    An unexpected error leaves its frames in the log, and only their number here: its message may
    contain answers.
    """
    number = "" if is_foreseen(error) else note_failure(log, "a release could not be built", error)
    return write_problems(explain(error, number)[:MOST_REASONS])


def _prepare_work_folder(session: Session, packages: Path, run: BuildRun, work: Path) -> None:
    """Remove what killed builds left behind, and make the folder of this one."""
    packages.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(session, packages, run)
    _require_disk_space(packages, SPACE_NEEDED)
    work.mkdir(mode=0o700)


def _sweep(session: Session, packages: Path, run: BuildRun) -> None:
    """Remove what builds left behind that nobody runs any more."""
    running = releases.running_tokens(session, utcnow())
    for folder in packages.glob(".work-*"):
        run_id, _, token = folder.name.removeprefix(".work-").partition("-")
        # An earlier build of this period lost its lease, whatever its folder says.
        if token not in running or run_id == str(run.run_id):
            _discard_folder(session, packages, folder)


def _discard_folder(session: Session, packages: Path, folder: Path) -> None:
    """Remove the folder of a build, and its package if that was moved but not published."""
    moved = [mark.stem for mark in folder.glob(f"*{MOVED}")]
    with ReadTransaction(session):
        published = releases.known_digests(session, moved)
    # Killed between the move and the commit: a package that no row knows would lie there for good.
    for digest in moved:
        if digest not in published:
            (packages / f"{digest}.zip").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _require_disk_space(folder: Path, needed: int) -> None:
    """Raise ExportProblem when the disk is too full for so many bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        details: dict[str, Detail] = {"folder": str(folder), "free": free // 1_000_000, "needed": needed // 1_000_000}
        raise ExportProblem(Reason("release.disk", details))


def _claim_run(session: Session, series: ReleaseSeries, period: Period, now: dt.datetime) -> BuildRun | None:
    """Claim the build of one period for this process.

    Returns None if it is finished or another process has an unexpired lease. The new token fences off
    the former process: its writes no longer match.
    """
    try:
        with WriteTransaction(session):
            run = releases.find_run(session, series.id, period.name)
            if run is None:
                run = ReleaseRun(series_id=series.id, period=period.name, attempts=0)
                session.add(run)
            elif run.state == "done" or (run.state == "running" and run.lease_until > now):
                return None
            run.state = "running"
            run.token = secrets.token_hex(16)
            run.lease_until = now + LEASE
            run.attempts += 1
            run.started_at = now
            run.ended_at = None
            run.problem = ""
            run.step = "waiting"
            run.done = 0
    except IntegrityError:  # another process made the row between our look and our insert
        return None
    return BuildRun(series, period, run.id, run.token, run.started_at)


def write_package(
    session: Session, series: ReleaseSeries, contents: "ReleaseContents", work: Path, secret: str
) -> BuiltPackage:
    """Write a package into the folder `work`, check it, and only then sign it.

    The check reads the written files on another path than they were made on. Raises ExportProblem when they do not
    hold what the package promises, or the disk is too full.
    """
    from evaluator_export.package import write  # noqa: PLC0415  heavy, see above

    rows = sum(dataset.rows for dataset in contents.datasets)
    _require_disk_space(work, SPACE_NEEDED + SPACE_PER_ROW * rows)
    folder = work / "package"
    body = write.write_package_files(
        contents.recipe,
        contents.datasets,
        contents.tables,
        contents.definitions,
        hierarchy_words(),
        contents.context,
        folder,
    )
    seed = keys.load_package_seed(session, series.centre_id, secret)
    # With the end of the audit log, where nobody here can change it afterwards.
    ends = {"key": seal.public_key(seed), "audit": audit.read_link(session, series.centre_id)}
    manifest = seal.manifest_of(folder, {**body, **ends})
    (folder / seal.MANIFEST).write_bytes(manifest)
    # Signed only after the check: a signature on a wrong package cannot be taken back.
    _check_package(folder, work / "unsigned.zip")
    context = contents.context
    comment = f"{contents.recipe.id} {context.period.name} of {context.centre}"
    (folder / seal.SIGNATURE).write_bytes(seal.sign(manifest, seed, comment))
    signed = work / "package.zip"
    seal.zip_up(folder, signed)
    with signed.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BuiltPackage(signed.rename(work / f"{digest}.zip"), seal.parse_manifest(manifest))


def _check_package(folder: Path, unsigned: Path) -> None:
    """Zip a package as it will be sent, and read it back.

    Raises ExportProblem with everything that is not as promised.
    """
    from evaluator_export.package import verify_formats  # noqa: PLC0415  heavy, see above

    seal.zip_up(folder, unsigned)
    problems = [Reason("package.check", {"line": line}) for line in verify.verify(unsigned, is_signed=False)]
    problems = problems or verify_formats.find_differing_files(unsigned)
    if problems:
        raise ExportProblem(Reason("package.promise"), *problems)
    unsigned.unlink()


@act("release.build")
def _publish_release(
    ctx: ActContext, run: BuildRun, package: BuiltPackage, contents: "ReleaseContents", packages: Path
) -> Release | None:
    """Publish a package, together with its entries in the ledger: both or neither.

    Its file is moved last: it lies in `packages` only when nothing else prevents its release.
    Returns None when another process has taken the build over. Raises ConsentFell when a person whose
    records were read has withdrawn consent since, or rows of earlier packages were taken back.
    """
    contents.standings.check(ctx.session)
    require_unchanged(ctx, contents.withdrawal_mark)
    if not releases.finish_run(ctx.session, run.run_id, run.token, "done", ctx.now):
        ctx.describe(f"series/{run.series.id}", period=run.period.name, overtaken=True)
        return None
    _check_other_heads(ctx, contents.batches)
    for pending in contents.batches:
        _publish_batch(ctx, pending)
    for counts in contents.counts:
        _save_counts(ctx, counts)
    release = _add_release(ctx, run, package)
    release.listed_round = contents.listed_round
    replace_packages(ctx, contents.replaced, run.period.name)
    ctx.session.flush()
    update_rounds(ctx)
    ctx.describe(f"release/{release.id}", sha256=release.sha256)
    # The mark comes before the move, so that after a crash _discard_folder finds what was moved.
    package.path.with_suffix(MOVED).touch()
    package.path.replace(packages / package.path.name)
    return release


def _save_counts(ctx: ActContext, counts: "PeriodCounts") -> None:
    cells = []
    for cell, (count, text) in sorted(counts.published.items()):
        cells.append([list(cell), count, text])
    datasets.save_counts(ctx.session, ctx.centre_id, counts.spec.key, counts.period, cells, ctx.now)


def _check_other_heads(ctx: ActContext, batches: "Sequence[PendingBatch]") -> None:
    """Raise ActProblem when another dataset has published rows of the same records meanwhile."""
    heads = datasets.heads(ctx.session, ctx.centre_id)
    for pending in batches:
        for dataset_id, head in pending.other_heads.items():
            if heads.get(dataset_id) != head:
                text = N_("Another release has published rows of the same records just now.")
                raise ActProblem("release.overtaken", text)


def _publish_batch(ctx: ActContext, pending: "PendingBatch") -> None:
    """Add a batch to its dataset's ledger.

    Raises ActProblem when another build has added one since.
    """
    entry = pending.entry
    is_first = entry.before == ledger.compute_genesis_hash(entry.dataset)
    before = "" if is_first else entry.before
    # One UPDATE with the head as its condition: of two builds at once only one matches.
    if not datasets.advance_ledger_head(ctx.session, pending.dataset_id, before, entry.hash):
        text = N_("Another release has published rows of the same dataset just now.")
        raise ActProblem("release.overtaken", text)
    ctx.session.add(
        datasets.PublishedBatch(
            dataset_id=pending.dataset_id,
            number=entry.number,
            entry=entry.as_json(),
            report=pending.batch.report,
            data=pending.data,
            created_at=ctx.now,
        )
    )
    datasets.add_rows(ctx.session, pending.dataset_id, entry.number, pending.batch.tags)


def _add_release(ctx: ActContext, run: BuildRun, package: BuiltPackage) -> Release:
    """Add the row of a package, and one for each place that it is to be sent to."""
    series = run.series
    release = Release(
        run_id=run.run_id,
        series_id=series.id,
        centre_id=ctx.centre_id,
        period=run.period.name,
        filename=f"{series.key}-{run.period.name}.zip",
        sha256=package.path.stem,
        size=package.path.stat().st_size,
        manifest=package.manifest,
        created_at=ctx.now,
        expires_at=ctx.now + dt.timedelta(days=series.keep_days),
    )
    ctx.session.add(release)
    ctx.session.flush()
    for number, target in enumerate(series.targets):
        delivery = PackageDelivery(
            release_id=release.id,
            centre_id=ctx.centre_id,
            number=number,
            target=target,
            state="waiting",
            due_at=ctx.now,
        )
        ctx.session.add(delivery)
    return release
