"""The City's products by hand: list, build, switch on, bring in a partner's totals."""

from pathlib import Path

import click

from evaluator_export import periods
from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.products.catalogue import LIVE, product_named
from fieldapp.services.products.catalogue import products as listed
from fieldapp.services.products.editions import build as build_edition
from fieldapp.services.products.editions import due_period
from fieldapp.services.products.odata.build import build_feeds
from fieldapp.services.products.odata.keys import make_key
from fieldapp.services.products.registry import bring_partner, switch_product
from fieldapp.store.products import products as store
from fieldapp.store.releases import releases

CENTRE = click.option("--centre", "slug", default="rexdale", show_default=True)


@click.group()
def products() -> None:
    """Build the dashboard, maps, heat maps and panels."""


@products.command("list")
@CENTRE
def list_all(slug: str) -> None:
    """Say what there is, and when each was last built."""
    with opened() as (session, _):
        centre = centre_named(session, slug)
        states = store.states(session, centre.id)
        for product in listed():
            latest, state = store.latest(session, centre.id, product.name), states.get(product.name)
            kind = "always up to date" if product.kind == LIVE else "on" if state and state.is_on else "off"
            last = f", {latest.period} edition {latest.number}" if latest else ""
            failed = f", failed: {state.problem}" if state and state.problem else ""
            click.echo(f"{product.name}: {kind}, {product.cadence}{last}{failed}")


@products.command()
@click.argument("name", default="")
@click.option("--period", default="", help="2026-10, 2026-W47, 2026-Q3 or 2026; the newest that is over when left out.")
@CENTRE
def build(name: str, period: str, slug: str) -> None:
    """Build NAME, or every product that is switched on."""
    with opened() as (session, settings):
        centre = centre_named(session, slug)
        key, now = centre.id, utcnow()
        states = store.states(session, key)
        names = [name] if name else [one.name for one in listed() if one.name in states and states[one.name].is_on]
        if not names:
            raise click.ClickException("No product is switched on. Name one, or: fieldapp products switch NAME on")
        for one in names:
            wanted = periods.parse(period) if period else due_period(session, key, product_named(one), now)
            made = build_edition(session, key, one, wanted, now)
            click.echo(f"{one} {wanted.name}: " + (f"edition {made.number}" if made else "nothing has changed"))
        build_feeds(session, settings.packages)


@products.command()
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
@CENTRE
def switch(name: str, state: str, slug: str) -> None:
    """Switch a product on or off. The dashboard is public as soon as it is on."""
    with opened() as (session, _):
        centre = centre_named(session, slug)
        switch_product(session, Actor.system(centre.id), name=name, is_on=state == "on")
    click.echo(f"{name} is {state}.")


@products.command()
@click.argument("series")
@click.option("--label", required=True, help="Whose key it is.")
@CENTRE
def key(series: str, label: str, slug: str) -> None:
    """Make a key with which a recipient reads what was released in SERIES: OData, for Power BI and Excel."""
    with opened() as (session, _):
        centre = centre_named(session, slug)
        found = releases.series_by_key(session, centre.id, series)
        if found is None:
            raise click.ClickException(f"There is no series “{series}”.")
        click.echo(make_key(session, Actor.system(centre.id), series_id=found.id, label=label))


@products.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="The organisation that counted.")
@click.option("--calendar", required=True, help="How it counts time, in words: “financial periods of four weeks”.")
@CENTRE
def bring(file: Path, source: str, calendar: str, slug: str) -> None:
    """Bring in a partner's totals from a CSV file."""
    with opened() as (session, _):
        actor = Actor.system(centre_named(session, slug).id)
        count = bring_partner(session, actor, name=source, calendar=calendar, data=file.read_bytes())
    click.echo(f"{count} totals of {source}.")
