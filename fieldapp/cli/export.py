"""Write all answers of a form: an archive of CSV files."""

import datetime as dt
import os
import sys

import click

from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor
from fieldapp.services.records.export import authorize_export, write_records_archive
from fieldapp.services.records.export_consent import ExportPurpose
from fieldapp.store.records.records import RecordFilter

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("form")
@click.option("--centre", "slug", default="rexdale", show_default=True)
@click.option("--centre-id", type=int, hidden=True, help="The centre by its number.")
@click.option("--area", default="", help="Only records of this area.")
@click.option("--worker", type=int, hidden=True)
@click.option(
    "--purpose",
    type=click.Choice([str(purpose) for purpose in ExportPurpose]),
    default=str(ExportPurpose.WORK),
    show_default=True,
    help="The centre's own work; or evaluation: no codes, no notes, only with consent to it.",
)
@click.option("--since", type=DAY, help="Only from this day on.")
@click.option("--until", type=DAY, help="Only up to this day.")
def export(
    form: str,
    slug: str,
    centre_id: int | None,
    area: str,
    worker: int | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    purpose: str,
) -> None:
    """Write all answers of a FORM to standard output, as a ZIP of CSV files.

    For the centre's own work they include what never leaves it.
    """
    if sys.stdout.isatty():
        raise click.ClickException(f"This writes an archive. Send it to a file: fieldapp export {form} > {form}.zip")
    os.nice(10)  # phones come first
    record_filter = RecordFilter(
        form=form,
        area=area,
        author_id=worker,
        since=_get_date(since),
        until=_get_date(until),
    )
    with opened() as (session, settings):
        number = centre_id or centre_named(session, slug).id
        if centre_id is None:  # by hand; the office has written its own line
            authorize_export(
                session, Actor.system(number), record_filter=record_filter, purpose=ExportPurpose(purpose), by="command"
            )
        write_records_archive(session, number, record_filter, sys.stdout.buffer, settings.folder, ExportPurpose(purpose))


def _get_date(time: dt.datetime | None) -> dt.date | None:
    if time is None:
        return None
    return time.date()
