"""The crisis team's board by hand: its shift report."""

import sys

import click

from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor
from fieldapp.services.board.board import authorize_report
from fieldapp.services.board.report_file import make_report_file
from fieldapp.services.board.shifts import see_history


@click.group()
def board() -> None:
    """The crisis team's board."""


@board.command()
@click.option("--centre", "slug", default="rexdale", show_default=True)
@click.option("--centre-id", type=int, hidden=True, help="The centre by its number.")
@click.option("--hours", default=12, show_default=True, help="How far back it goes.")
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)
def report(slug: str, centre_id: int | None, hours: int, language: str) -> None:
    """Write the shift report to standard output, as PDF."""
    with opened() as (session, _):
        actor = Actor.system(centre_id or centre_named(session, slug).id)
        if centre_id is None:
            # By hand. The office, which gives the number, has written its own line in the audit log.
            authorize_report(session, actor, hours=hours)
        contents = see_history(session, actor, hours=hours)
    sys.stdout.buffer.write(make_report_file(contents, language))
