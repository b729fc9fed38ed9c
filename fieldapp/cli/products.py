"""The City's products by hand: list, build, switch on, bring in a partner's totals."""

from pathlib import Path

import click

from evaluator_export import periods
from evaluator_export.periods import Period
from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.products.catalogue import LIVE, Product, get_product, list_products
from fieldapp.services.products.editions import build_edition, find_due_period
from fieldapp.services.products.odata.build import build_feed_files
from fieldapp.services.products.odata.keys import make_key
from fieldapp.services.products.partners import import_partner_totals
from fieldapp.services.products.pieces import count_again
from fieldapp.services.products.registry import switch_product
from fieldapp.store.products import products as store
from fieldapp.store.products.products import ProductState
from fieldapp.store.releases import releases
from fieldapp.store.session import Session

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
        for product in list_products():
            latest = store.latest(session, centre.id, product.name)
            line = _describe_product(product, states.get(product.name))
            if latest:
                line += f", {latest.period} edition {latest.number}"
            state = states.get(product.name)
            if state and state.problem:
                line += f", failed: {state.problem}"
            click.echo(line)


def _describe_product(product: Product, state: ProductState | None) -> str:
    """Return the name of a product, whether it is on, and how often it is made."""
    kind = "off"
    if product.kind == LIVE:
        kind = "always up to date"
    elif state and state.is_on:
        kind = "on"
    return f"{product.name}: {kind}, {product.cadence}"


@products.command()
@click.argument("name", default="")
@click.option("--period", default="", help="2026-10, 2026-W47, 2026-Q3 or 2026; the newest that is over when left out.")
@CENTRE
def build(name: str, period: str, slug: str) -> None:
    """Build NAME, or every product that is switched on."""
    with opened() as (session, settings):
        centre = centre_named(session, slug)
        now = utcnow()
        names = [name]
        if not name:
            names = _list_switched_on(session, centre.id)
        if not names:
            raise click.ClickException("No product is switched on. Name one, or: fieldapp products switch NAME on")
        for product in map(get_product, names):
            chosen = _choose_period(session, centre.id, product, period)
            edition = build_edition(session, centre.id, product.name, chosen, now)
            result = "nothing has changed"
            if edition:
                result = f"edition {edition.number}"
            click.echo(f"{product.name} {chosen.name}: {result}")
        # Feeds show products as well, so they follow each build.
        build_feed_files(session, settings.packages)


def _choose_period(session: Session, centre_id: int, product: Product, name: str) -> Period:
    """Return the period of this name; for "", the newest that the product is due for."""
    if name:
        return periods.parse(name)
    return find_due_period(session, centre_id, product, utcnow())


def _list_switched_on(session: Session, centre_id: int) -> list[str]:
    states = store.states(session, centre_id)
    names = [product.name for product in list_products()]
    return [name for name in names if name in states and states[name].is_on]


@products.command()
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
@CENTRE
def switch(name: str, state: str, slug: str) -> None:
    """Switch a product on or off. The dashboard is public as soon as it is on."""
    with opened() as (session, _):
        centre = centre_named(session, slug)
        # By the system, as with all commands; the log says that it was no person of the office.
        switch_product(session, Actor.system(centre.id), name=name, is_on=state == "on")
    click.echo(f"{name} is {state}.")


@products.command()
@click.argument("series")
@click.option("--label", required=True, help="Whose key it is.")
@CENTRE
def key(series: str, label: str, slug: str) -> None:
    """Make a key with which a recipient reads what was released in SERIES.

    It is read by OData, from Power BI or Excel.
    """
    with opened() as (session, _):
        centre = centre_named(session, slug)
        row = releases.series_by_key(session, centre.id, series)
        if row is None:
            raise click.ClickException(f"There is no series “{series}”.")
        # Printed once and stored as a hash, like every key here.
        click.echo(make_key(session, Actor.system(centre.id), series_id=row.id, label=label))


@products.command("count-again")
@click.argument("period")
@click.option("--why", required=True, help="What was wrong, in a few words: it is stored with the numbers.")
@CENTRE
def recount(period: str, why: str, slug: str) -> None:
    """Count a week (2026-W47) or month of the maps again.

    Only where 20 of its records or more were wrong or missing.
    """
    with opened(uses_key=True) as (session, _):
        count_again(session, Actor.system(centre_named(session, slug).id), period, why)
    click.echo(f"{period} was counted again. Maps that were shown stay; the next ones have the new numbers.")


@products.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="The organisation that counted.")
@click.option("--calendar", required=True, help="How it counts time, in words: “financial periods of four weeks”.")
@CENTRE
def bring(file: Path, source: str, calendar: str, slug: str) -> None:
    """Bring in a partner's totals from a CSV file."""
    with opened() as (session, _):
        actor = Actor.system(centre_named(session, slug).id)
        count = import_partner_totals(session, actor, name=source, calendar=calendar, data=file.read_bytes())
    click.echo(f"{count} totals of {source}.")
