"""The crisis team's board by hand: its shift report."""

import sys
import zoneinfo

import click
from babel.dates import format_datetime
from babel.support import Translations

from evaluator_export.products import shift_report
from fieldapp.cli.opening import opened
from fieldapp.paths import TRANSLATIONS
from fieldapp.services.acts import ActContext, Actor, utcnow
from fieldapp.services.board import board as acts
from fieldapp.services.board.words import INCIDENT, NEEDS, REQUEST, STEPS
from fieldapp.store.operations import centres


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
        centre = centres.get(session, centre_id) if centre_id else centres.by_slug(session, slug)
        if centre is None:
            raise click.ClickException(f"There is no centre “{slug}”.")
        found = acts.make_shift_report(ActContext(session, Actor.system(centre.id), utcnow()), hours)
    zone = zoneinfo.ZoneInfo(found.zone)
    say = Translations.load(TRANSLATIONS, [language]).gettext

    def moment(value: object) -> str:
        return str(format_datetime(value, "d MMM y, HH:mm", tzinfo=zone, locale=language))

    lines = [
        (
            moment(step.at),
            say(STEPS[step.kind]) + (f" ({found.people.get(step.to_id, '')})" if step.to_id else ""),
            f"{say(REQUEST)} {step.item_id}: {say(NEEDS[item.need])}"
            if not item.root_id
            else f"{say(INCIDENT)} {step.item_id}",
            found.people.get(step.author_id, ""),
        )
        for step in found.steps
        if (item := found.items.get(step.item_id))
    ]
    span = f"{moment(found.first)} – {moment(found.last)}"
    data = shift_report.draw(found.centre, span, found.open_incidents, found.open_requests, found.due, lines, language)
    sys.stdout.buffer.write(data)
