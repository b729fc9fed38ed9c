"""Build a release by hand."""

import shutil
from pathlib import Path

import click

from evaluator_export import periods
from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import utcnow
from fieldapp.services.build_release import build_release
from fieldapp.store import releases


@click.group()
def release() -> None:
    """Build releases."""


@release.command()
@click.argument("series")
@click.option("--period", required=True, help="2026-Q3, or 2026-10 for a monthly series.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the package.")
@click.option("--centre", "slug", default="rexdale", show_default=True)
def build(series: str, period: str, out: Path, slug: str) -> None:
    """Build one period of a series, once; a period that is built already is copied as it was."""
    wanted = periods.parse(period)
    with opened() as (session, settings):
        centre = centre_named(session, slug)
        found = releases.series_by_key(session, centre.id, series)
        if found is None:
            known = ", ".join(one.key for one in releases.series_of(session, centre.id))
            raise click.ClickException(f"There is no series “{series}”. There is: {known}")
        if ("Q" in period) != (found.cadence == "quarter"):
            raise click.ClickException(f"The series {series} is built by {found.cadence}.")
        if wanted.last >= utcnow().date():
            raise click.ClickException(f"{period} has not ended yet; a release is built once, so it waits for the end.")
        build_release(session, found, wanted, settings.packages, settings.key())
        built = [one for one in releases.list_for(session, centre.id) if one.series_id == found.id and one.period == period]
        if not built:
            raise click.ClickException("Another process is building this period just now. Try again in some minutes.")
        out.mkdir(parents=True, exist_ok=True)
        target = out / built[0].filename
        shutil.copyfile(settings.packages / f"{built[0].sha256}.zip", target)
    click.echo(f"{target} (SHA-256 {built[0].sha256})")
