"""Write the records of a form as CSV."""

import datetime as dt
import io
import os
import sys

import click

from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.exports import write_csv
from fieldapp.store.records import Filter

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
    """Write the records of a FORM to standard output, as CSV: everything, also what never leaves the centre."""
    os.nice(10)  # phones come first
    days = {"since": since.date() if since else None, "until": until.date() if until else None}
    with opened() as (session, _):
        wanted = Filter(form=form, area=area, author_id=worker, **days)
        number = centre_id or centre_named(session, slug).id
        with io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8-sig", newline="", write_through=False) as file:
            write_csv(session, number, wanted, file)
