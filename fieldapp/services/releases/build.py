"""Build releases: what is due, and one period of a series at most once, whatever dies midway."""

import datetime as dt
import hashlib
import logging
import secrets
import shutil
import zoneinfo
from dataclasses import dataclass
from pathlib import Path

from evaluator_export import periods
from evaluator_export.package import seal, verify, verify_formats, write
from evaluator_export.periods import Period
from evaluator_export.problems import Detail, ExportProblem, Reason
from evaluator_export.series import ledger
from fieldapp.services import keys
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.consent.standing import TRIES, ConsentFell
from fieldapp.services.failures import note_failure
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.releases.datasets import hierarchy_words, lacks_some, take_in_datasets
from fieldapp.services.releases.gather import Gathered, gather
from fieldapp.services.releases.retries import next_try, should_tell
from fieldapp.services.stored_problems import explain, is_foreseen, write_problems
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import centres
from fieldapp.store.releases import datasets, releases
from fieldapp.store.releases.releases import FAILED, Delivery, Release, ReleaseRun, Series
from fieldapp.store.session import IntegrityError, Session

log = logging.getLogger("fieldapp.releases")

LEASE = dt.timedelta(minutes=10)
GRACE_DAYS = 3  # after a period's end, so that phones out of signal can still send
ROOM = 50_000_000  # bytes that a small release needs on the disk
ROOM_A_ROW = 1500
MOST_REASONS = 20


class Overtaken(Exception):
    """Another runner has the period now."""


@dataclass(frozen=True)
class Made:
    """A package on the disk, whole and checked."""

    path: Path
    manifest: dict[str, object]


def due(session: Session, now: dt.datetime) -> list[tuple[Series, Period]]:
    """Return every period that has ended, with its grace, and is not built nor waits after a failure; oldest first."""
    found = []
    for series in releases.active_series(session):
        zone = zoneinfo.ZoneInfo(centres.get(session, series.centre_id).time_zone)
        today = (now.astimezone(zone) - dt.timedelta(days=GRACE_DAYS)).date()
        not_now = {run.period for run in releases.runs_of(session, [series.id]) if run.state == "done" or _waits(run, now)}
        complete = periods.list_complete(series.first_period, series.cadence, today)
        found += [(series, period) for period in complete if period.name not in not_now]
    return found


def _waits(run: ReleaseRun, now: dt.datetime) -> bool:
    again_at = next_try(run)
    return again_at is not None and again_at > now


def is_to_be_told(session: Session, series: Series, period: Period) -> bool:
    """Say whether a period has failed so often by now that somebody should be told, or told again."""
    run = releases.run_of(session, series.id, period.name)
    session.rollback()
    return run is not None and should_tell(run)


def build_release(session: Session, series: Series, period: Period, packages: Path, secret: str) -> Release | None:
    """Build one period of a series; None when another process has it, or it is done. Killed midway, it is built anew.

    `packages` is the folder that packages lie in, `secret` the server's, which unwraps the key that signs them.
    """
    now = utcnow()
    run = _claim(session, series, period, now)
    if run is None:
        return None
    run_id, token, cut_off = run.id, run.token, run.started_at
    work = packages / f".work-{run_id}-{token}"
    try:
        _make_room(packages, run_id, work)

        def beat(done: int, step: str = "reading") -> None:
            with WriteTransaction(session):
                if not releases.progress(session, run_id, token, step, utcnow() + LEASE, done):
                    raise Overtaken

        beat(0)
        if lacks_some(session, series.centre_id):
            take_in_datasets(session, Actor.system(series.centre_id))
        for tries_left in reversed(range(TRIES)):
            gathered = gather(session, series, period, cut_off, beat)
            beat(0, "writing")
            made = write_package(session, series, gathered, work, secret)
            target = packages / made.path.name
            made.path.replace(target)
            whole = Made(target, made.manifest)
            try:
                return _publish(session, Actor.system(series.centre_id), run_id, token, series, period, whole, gathered)
            except ConsentFell:
                target.unlink()
                if not tries_left:
                    raise
                shutil.rmtree(work)
                work.mkdir(mode=0o700)
        return None
    except Overtaken:
        return None
    except Exception as error:
        session.rollback()
        with WriteTransaction(session):
            releases.finish(session, run_id, token, FAILED, utcnow(), _why(error))
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _why(error: Exception) -> str:
    """Return why a build failed, to be kept; what nobody foresaw leaves its frames in the log, and their number here."""
    number = "" if is_foreseen(error) else note_failure(log, "a release could not be built", error)
    return write_problems(explain(error, number)[:MOST_REASONS])


def _make_room(packages: Path, run_id: int, work: Path) -> None:
    """Take away what a killed build of the same period left, and see that the disk is not full."""
    packages.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in packages.glob(f".work-{run_id}-*"):
        shutil.rmtree(left, ignore_errors=True)
    _check_room(packages, ROOM)
    work.mkdir(mode=0o700)


def _check_room(folder: Path, needed: int) -> None:
    """Raise ExportProblem when the disk is too full for so many bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        details: dict[str, Detail] = {"folder": str(folder), "free": free // 1_000_000, "needed": needed // 1_000_000}
        raise ExportProblem(Reason("release.disk", details))


def _claim(session: Session, series: Series, period: Period, now: dt.datetime) -> ReleaseRun | None:
    """Take the period, with a new token, unless it is over or another runner's lease still holds."""
    try:
        with WriteTransaction(session):
            run = releases.run_of(session, series.id, period.name)
            if run is None:
                run = ReleaseRun(series_id=series.id, period=period.name, attempts=0)
                session.add(run)
            elif run.state == "done" or (run.state == "running" and run.lease_until > now):
                return None
            run.state, run.token, run.lease_until = "running", secrets.token_hex(16), now + LEASE
            run.attempts, run.started_at, run.ended_at, run.problem = run.attempts + 1, now, None, ""
            run.step, run.done = "waiting", 0
    except IntegrityError:  # another process made the row between our look and our insert
        return None
    return run


def write_package(session: Session, series: Series, gathered: Gathered, work: Path, secret: str) -> Made:
    """Write a package into a folder of its own, check it on another path than it was made on, and only then sign it."""
    rows = sum(part.rows for part in gathered.parts)
    _check_room(work, ROOM + ROOM_A_ROW * rows)
    folder, unsigned = work / "package", work / "unsigned.zip"
    body = write.build(
        gathered.recipe, gathered.parts, gathered.tables, gathered.definitions, hierarchy_words(), gathered.occasion, folder
    )
    seed = keys.package_seed(session, series.centre_id, secret)
    manifest = seal.manifest_of(folder, {**body, "key": seal.public_key(seed)})
    (folder / seal.MANIFEST).write_bytes(manifest)
    seal.zip_up(folder, unsigned)
    problems = [Reason("package.check", {"line": line}) for line in verify.verify(unsigned, is_signed=False)]
    problems = problems or verify_formats.differing(unsigned)
    if problems:
        raise ExportProblem(Reason("package.promise"), *problems)
    unsigned.unlink()
    comment = f"{gathered.recipe.id} {gathered.occasion.period.name} of {gathered.occasion.centre}"
    (folder / seal.SIGNATURE).write_bytes(seal.sign(manifest, seed, comment))
    whole = work / "package.zip"
    seal.zip_up(folder, whole)
    with whole.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Made(whole.rename(work / f"{digest}.zip"), seal.parsed(manifest))


@act("release.build")
def _publish(
    ctx: ActContext, run_id: int, token: str, series: Series, period: Period, made: Made, gathered: Gathered
) -> Release | None:
    """Make a package visible, together with what the ledger remembers of it: both or neither.

    Raise ConsentFell when somebody whose records were read has taken something back since.
    """
    gathered.standings.check(ctx.session)
    if not releases.finish(ctx.session, run_id, token, "done", ctx.now):
        ctx.describe(f"series/{series.id}", period=period.name, overtaken=True)
        return None
    heads = datasets.heads(ctx.session, ctx.centre_id)
    if any(heads.get(identity) != head for new in gathered.batches for identity, head in new.others.items()):
        raise ActProblem("release.overtaken", N_("Another release has published rows of the same records just now."))
    for new in gathered.batches:
        first = "" if new.entry.before == ledger.compute_genesis_hash(new.entry.dataset) else new.entry.before
        if not datasets.move_head(ctx.session, new.dataset_id, first, new.entry.hash):
            raise ActProblem("release.overtaken", N_("Another release has published rows of the same dataset just now."))
        ctx.session.add(
            datasets.Batch(
                dataset_id=new.dataset_id,
                number=new.entry.number,
                entry=new.entry.as_json(),
                report=new.batch.report,
                data=new.data,
                created_at=ctx.now,
            )
        )
        datasets.add_rows(ctx.session, new.dataset_id, new.entry.number, new.batch.tags)
    for key, name, published in gathered.states:
        cells = [[list(cell), count, text] for cell, (count, text) in sorted(published.items())]
        datasets.keep_table(ctx.session, ctx.centre_id, key, name, cells, ctx.now)
    built = Release(
        run_id=run_id,
        series_id=series.id,
        centre_id=ctx.centre_id,
        period=period.name,
        filename=f"{series.key}-{period.name}.zip",
        sha256=made.path.stem,
        size=made.path.stat().st_size,
        manifest=made.manifest,
        created_at=ctx.now,
        expires_at=ctx.now + dt.timedelta(days=series.keep_days),
    )
    ctx.session.add(built)
    ctx.session.flush()
    for number, target in enumerate(series.targets):
        ctx.session.add(
            Delivery(
                release_id=built.id, centre_id=ctx.centre_id, number=number, target=target, state="waiting", due_at=ctx.now
            )
        )
    ctx.describe(f"release/{built.id}", sha256=built.sha256)
    return built
