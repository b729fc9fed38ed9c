"""Build releases: what is due, and one period of a series at most once."""

import csv
import datetime as dt
import hashlib
import os
import secrets
import tempfile
import zoneinfo
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evaluator_export import periods, recipe, release, seal
from evaluator_export.parts import Occasion
from evaluator_export.periods import Period
from fieldapp.services.acts import Act, Actor, act, utcnow
from fieldapp.services.definitions import definition_of
from fieldapp.store import centres, forms, records, releases
from fieldapp.store.database import WriteTransaction
from fieldapp.store.releases import Release, ReleaseRun, Series
from forms.definition import FormDefinition

PROGRAMME = Path(__file__).parent.parent / "programme"
LEASE = dt.timedelta(minutes=10)
MAX_ATTEMPTS = 5
GRACE_DAYS = 3  # after a period's end, so that phones out of signal can still send


def due(session: Session, now: dt.datetime) -> list[tuple[Series, Period]]:
    """Return every period of every series that has ended, with its grace, and has no finished run; oldest first."""
    found = []
    for series in releases.active_series(session):
        zone = zoneinfo.ZoneInfo(centres.get(session, series.centre_id).time_zone)
        today = (now.astimezone(zone) - dt.timedelta(days=GRACE_DAYS)).date()
        ended = {run.period for run in releases.runs_of(session, [series.id]) if _is_over(run)}
        complete = periods.complete(series.first_period, series.cadence, today)
        found += [(series, period) for period in complete if period.name not in ended]
    return found


def _is_over(run: ReleaseRun) -> bool:
    return run.state == "done" or (run.state == "failed" and run.attempts >= MAX_ATTEMPTS)


def build_release(session: Session, series: Series, period: Period, packages: Path) -> Release | None:
    """Build one period of a series; None when another process has it, or it is done. Killed midway, it is built anew."""
    now = utcnow()
    run = _claim(session, series, period, now)
    if run is None:
        return None
    run_id, token = run.id, run.token
    try:
        data, manifest = _package(session, series, period, run.started_at)
        path = _keep(data, packages)
        return _publish(session, Actor.system(series.centre_id), run_id, token, series, period, path, manifest)
    except Exception as error:
        session.rollback()
        with WriteTransaction(session):
            releases.finish(session, run_id, token, "failed", utcnow(), f"{type(error).__name__}: {error}"[:2000])
        raise


def _claim(session: Session, series: Series, period: Period, now: dt.datetime) -> ReleaseRun | None:
    """Take the period, with a new token, unless it is over or another runner's lease still holds."""
    try:
        with WriteTransaction(session):
            run = releases.run_of(session, series.id, period.name)
            if run is None:
                run = ReleaseRun(series_id=series.id, period=period.name, attempts=0)
                session.add(run)
            elif _is_over(run) or (run.state == "running" and run.lease_until > now):
                return None
            run.state, run.token, run.lease_until = "running", secrets.token_hex(16), now + LEASE
            run.attempts, run.started_at, run.ended_at, run.problem = run.attempts + 1, now, None, ""
    except IntegrityError:  # another process made the row between our look and our insert
        return None
    return run


def _package(session: Session, series: Series, period: Period, cut_off: dt.datetime) -> tuple[bytes, dict[str, object]]:
    definitions = _definitions(session, series)
    spec = recipe.read(series.recipe, definitions, hierarchies())
    rows = {
        form: list(records.for_release(session, series.centre_id, form, period.first, period.last, cut_off))
        for form in definitions
    }
    occasion = Occasion(
        centre=centres.get(session, series.centre_id).name,
        period=period,
        cut_off=cut_off.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        secret=bytes.fromhex(series.secret),
    )
    versions = {}
    for form, version in {(form, row["version"]) for form, found in rows.items() for row in found}:
        if stored := forms.find(session, series.centre_id, form, version):
            versions[form, version] = definition_of(stored)
    return seal.seal(release.build(spec, definitions, rows, hierarchy_words(), occasion, versions))


def _definitions(session: Session, series: Series) -> dict[str, FormDefinition]:
    found = {}
    for form in recipe.forms_of(series.recipe):
        version = forms.latest(session, series.centre_id, form)
        if version is not None:
            found[form] = definition_of(version)
    return found


def hierarchies() -> dict[str, list[list[str]]]:
    """Return the programme's hierarchies by name: level names, then a row a value."""
    tables = {}
    for path in sorted((PROGRAMME / "hierarchies").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            tables[path.stem] = list(csv.reader(file))
    tables.pop("words")
    return tables


def hierarchy_words() -> dict[str, dict[str, str]]:
    with (PROGRAMME / "hierarchies" / "words.csv").open(encoding="utf-8") as file:
        return {row["value"]: {"en": row["en"], "fr": row["fr"]} for row in csv.DictReader(file)}


def _keep(data: bytes, packages: Path) -> Path:
    """Write a package under its own hash: whole or not at all."""
    packages.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = packages / f"{hashlib.sha256(data).hexdigest()}.zip"
    descriptor, temporary = tempfile.mkstemp(dir=packages)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


@act("release.build")
def _publish(
    a: Act, run_id: int, token: str, series: Series, period: Period, path: Path, manifest: dict[str, object]
) -> Release | None:
    if not releases.finish(a.session, run_id, token, "done", a.now):
        a.note(f"series/{series.id}", period=period.name, overtaken=True)
        return None
    built = Release(
        run_id=run_id,
        series_id=series.id,
        centre_id=a.centre_id,
        period=period.name,
        filename=f"{series.key}-{period.name}.zip",
        sha256=path.stem,
        size=path.stat().st_size,
        manifest=manifest,
        created_at=a.now,
    )
    a.session.add(built)
    a.session.flush()
    a.note(f"release/{built.id}", sha256=built.sha256)
    return built
