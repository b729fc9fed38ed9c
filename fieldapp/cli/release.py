"""Releases by hand: try one, build one, take one back."""

import shutil
from pathlib import Path

import click

from evaluator_export import periods
from evaluator_export.periods import Period
from evaluator_export.problems import ExportProblem
from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.problems import ActProblem
from fieldapp.services.releases.build import build_release
from fieldapp.services.releases.downloads import delete_expired_packages, revoke_release
from fieldapp.services.releases.gathering.gather import gather_release
from fieldapp.services.stored_problems import explain, write_lines
from fieldapp.store.operations.centres import Centre
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ReleaseSeries
from fieldapp.store.session import Session

CENTRE = click.option("--centre", "slug", default="rexdale", show_default=True)


def _parsed(_: click.Context, __: click.Parameter, value: str) -> Period:
    try:
        return periods.parse(value)
    except ExportProblem as problem:
        raise click.ClickException(str(problem)) from None


PERIOD = click.option(
    "--period", required=True, callback=_parsed, help="2026-Q3, 2026-10 or 2026-W47, as the series is built."
)


@click.group()
def release() -> None:
    """Try, build and revoke releases."""


def _series(session: Session, centre: Centre, key: str) -> ReleaseSeries:
    series = releases.series_by_key(session, centre.id, key)
    if series is None:
        keys = ", ".join(series.key for series in releases.series_of(session, centre.id))
        raise click.ClickException(f"There is no series “{key}”. There is: {keys}")
    return series


def _require_cadence(series: ReleaseSeries, period: Period) -> None:
    """Raise ClickException unless a series is built by periods of this length."""
    if period.cadence != series.cadence:
        raise click.ClickException(f"The series {series.key} is built by {series.cadence}.")


def _why_not(session: Session, series: ReleaseSeries, period: Period) -> str:
    """Return why a period is not built although nothing failed: somebody else has begun it."""
    # “running” with a lease is somebody's; everything else means that it changed between our try
    # and this look.
    run = releases.find_run(session, series.id, period.name)
    if run is None or run.state != "running":
        return f"{period.name} was taken over by another process midway. Ask again in some minutes."
    return (
        f"A build of {period.name} began at {run.started_at:%H:%M} UTC and has not said that it ended. "
        f"If it was stopped, the period can be built again after {run.lease_until:%H:%M} UTC."
    )


@release.command()
@click.argument("series")
@PERIOD
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the package.")
@CENTRE
def build(series: str, period: Period, out: Path, slug: str) -> None:
    """Build one period of a series, once, also one that failed before.

    What is built already is copied as it was.
    """
    with opened(uses_key=True) as (session, settings):
        centre = centre_named(session, slug)
        row = _series(session, centre, series)
        _require_cadence(row, period)
        # A period that goes on would be published half, and never again: a row leaves once.
        if period.last >= utcnow().date():
            raise click.ClickException(f"{period.name} has not ended yet; a release is built once, so it waits for the end.")
        try:
            build_release(session, row, period, settings.packages, settings.key())
        except Exception as error:
            raise click.ClickException(f"{period.name} was not built. {write_lines(explain(error))}") from error
        all_releases = releases.list_for(session, centre.id)
        built = [release for release in all_releases if (release.series_id, release.period) == (row.id, period.name)]
        if not built:
            raise click.ClickException(_why_not(session, row, period))
        out.mkdir(parents=True, exist_ok=True)
        target = out / built[0].filename
        # The file is named by its hash, so it can be neither mixed up with another nor replaced
        # without notice.
        package = settings.packages / f"{built[0].sha256}.zip"
        if not package.is_file():
            raise click.ClickException("The package was revoked or has expired; its file is gone.")
        shutil.copyfile(package, target)
    click.echo(f"{target} (SHA-256 {built[0].sha256})")


@release.command()
@click.argument("series")
@PERIOD
@CENTRE
def preview(series: str, period: Period, slug: str) -> None:
    """Say what a release would be if it were built now. Nothing is written."""
    with opened() as (session, _):
        row = _series(session, centre_named(session, slug), series)
        _require_cadence(row, period)
        try:
            contents = gather_release(session, row, period, utcnow())
        except ExportProblem as problem:
            raise click.ClickException(str(problem)) from None
        for part in contents.datasets:
            click.echo(f"{part.name}: {part.rows} rows, {part.withheld} wait, {part.without_consent} without consent")
            if part.elsewhere:
                click.echo(f"  {part.elsewhere} are left out: they left as rows of another dataset of the same form")
            limit = part.view.dataset.policy.max_singled_out
            if part.too_fine:
                click.echo(f"  no rows: {part.too_fine:.1%} would be like no other on all columns, more than {limit:.1%}")
            elif part.rows:
                click.echo(f"  {part.singled_out['alone']:.1%} of them are like no other on all columns")
            for sent in part.sent:
                sizes = sent.report["class_sizes"]
                loss = sent.report["loss"]
                click.echo(f"  {sizes['classes']} classes, smallest {sizes['smallest']}, loss {loss:.4f}")
                for name, level in part.levels.items():
                    lost = sent.report["utility"]["loss_by_field"][name]
                    click.echo(f"  {name}: {part.view.dataset.hierarchy(name).names[level]}, {lost:.0%} of its detail lost")
            for advice in contents.advice.get(part.name, ()):
                click.echo(f"  {advice}")
        for table in contents.tables:
            # A hidden cell holds words or “<5”, so what is no number is hidden.
            hidden = sum(not text.isdecimal() for _, text in table.cells)
            click.echo(f"{table.spec.name} {table.period}: {len(table.cells)} cells, {hidden} hidden")


@release.command()
@click.argument("series")
@PERIOD
@click.option("--because", required=True, help="Why; the recipients read it.")
@CENTRE
def revoke(series: str, period: Period, because: str, slug: str) -> None:
    """Revoke a release.

    Its file is deleted, what waits is not sent, and recipients are asked to delete their copies.
    """
    with opened() as (session, settings):
        centre = centre_named(session, slug)
        row = _series(session, centre, series)
        built = [release for release in releases.of_series(session, row.id) if release.period == period.name]
        if not built:
            raise click.ClickException(f"{series} has no release of {period.name}.")
        try:
            revoke_release(session, Actor.system(centre.id), release_id=built[0].id, because=because)
        except ActProblem as problem:
            raise click.ClickException(str(problem)) from None
        # At once, not with the next round: a file that was revoked must not be downloaded
        # meanwhile.
        delete_expired_packages(session, settings.packages)
    click.echo(f"{series} {period.name} is revoked. Tell its recipients; their copies cannot be called back.")
