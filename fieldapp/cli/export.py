"""Write all answers of a form: an archive of CSV files."""

import datetime as dt
import os
import sys

import click

from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor
from fieldapp.services.records.export import allow_export, write_export
from fieldapp.store.records.records import RecordFilter

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("form")
@click.option("--centre", "slug", default="rexdale", show_default=True)
@click.option("--centre-id", type=int, hidden=True, help="The centre by its number.")
@click.option("--area", default="", help="Only records of this area.")
@click.option("--worker", type=int, hidden=True)
@click.option("--since", type=DAY, help="Only from this day on.")
@click.option("--until", type=DAY, help="Only up to this day.")
def export(
    form: str, slug: str, centre_id: int | None, area: str, worker: int | None, since: dt.datetime, until: dt.datetime
) -> None:
    """Write all answers of a FORM to standard output, as a ZIP of CSV files, also what never leaves the centre."""
    if sys.stdout.isatty():
        raise click.ClickException(f"This writes an archive. Send it to a file: fieldapp export {form} > {form}.zip")
    os.nice(10)  # phones come first
    days = {"since": since.date() if since else None, "until": until.date() if until else None}
    with opened() as (session, settings):
        wanted = RecordFilter(form=form, area=area, author_id=worker, **days)
        number = centre_id or centre_named(session, slug).id
        if centre_id is None:  # by hand; the office has written its own line
            allow_export(session, Actor.system(number), wanted=wanted, by="command")
        write_export(session, number, wanted, sys.stdout.buffer, settings.folder)
