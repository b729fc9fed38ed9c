"""The registry of products: for whom each is, when it was last built, what failed."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator_export import periods
from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.products import catalogue
from fieldapp.services.products.catalogue import LIVE, Product, get_product
from fieldapp.services.releases.grace import GRACE_DAYS
from fieldapp.services.revisions import mark_of, require
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.products import products as store
from fieldapp.store.products.products import Edition, PartnerSource, ProductState, Subscription


@dataclass(frozen=True)
class ProductsPage:
    """What the office shows of all products; states, editions and subscriptions by product."""

    centre: Centre
    products: Sequence[Product]
    states: Mapping[str, ProductState]
    latest: Mapping[str, Edition]
    subscriptions: Mapping[str, Sequence[Subscription]]
    partners: Sequence[PartnerSource]


@read_act("products.list")
def list_products(ctx: ActContext) -> ProductsPage:
    """Return all products with what the centre has of them."""
    latest: dict[str, Edition] = {}
    for edition in store.editions(ctx.session, ctx.centre_id):  # newest first
        latest.setdefault(edition.product, edition)
    subscriptions: dict[str, list[Subscription]] = {}
    for subscription in store.subscriptions(ctx.session, ctx.centre_id):
        subscriptions.setdefault(subscription.product, []).append(subscription)
    return ProductsPage(
        centre=centres.get(ctx.session, ctx.centre_id),
        products=catalogue.list_products(),
        states=store.states(ctx.session, ctx.centre_id),
        latest=latest,
        subscriptions=subscriptions,
        partners=store.partners(ctx.session, ctx.centre_id),
    )


@act("product.switch")
def switch_product(ctx: ActContext, name: str, is_on: bool, seen: str | None = None) -> None:
    """Switch a product on (the scheduler then builds it) or off (nobody sees it any more)."""
    product = get_product(name)
    if product.kind == LIVE:
        raise ActProblem("product.live", N_("This product is always up to date; it has no editions."))
    state = store.state(ctx.session, ctx.centre_id, name)
    require(ctx, seen, switch_revision(name, state), f"product/{name}", ("product.switch",))
    state.is_on = is_on
    ctx.describe(f"product/{name}", on=is_on)


def switch_revision(name: str, state: ProductState | None) -> str:
    """Return the mark of whether a product is on."""
    # Not the mark of the row: a build also writes to it, and that is no colleague's change.
    return mark_of("product", name, state is not None and state.is_on)


@act("product.download")
def download_file(ctx: ActContext, name: str, filename: str) -> tuple[str, bytes]:
    """Return what to call a file of a product's newest edition, and its bytes.

    Each download is audited. Raise ActProblem "access.not_found".
    """
    edition = _find_visible_edition(ctx, name)
    if edition is None:
        raise make_not_found()
    data = store.file(ctx.session, edition.id, filename)
    if data is None:
        raise make_not_found()
    ctx.describe(f"product/{name}", period=edition.period)
    stem, _, extension = filename.rpartition(".")
    return f"{stem}-{edition.period}.{extension}", data


def _find_visible_edition(ctx: ActContext, name: str) -> Edition | None:
    """Return a product's newest edition; None when it is off or was never built."""
    # Off is off at once, also for a build that is already here.
    if not store.is_on(ctx.session, ctx.centre_id, name):
        return None
    return store.latest(ctx.session, ctx.centre_id, name)


@dataclass(frozen=True)
class EditionView:
    """An edition and its body, read from JSON."""

    edition: Edition
    body: dict[str, Any]


@read_act("product.view")
def see_figures(ctx: ActContext, name: str) -> EditionView | None:
    """Return a product's newest edition for the office; None when it is off or never built."""
    get_product(name)
    return load_latest_edition(ctx, name)


def load_latest_edition(ctx: ActContext, name: str) -> EditionView | None:
    """Return a product's newest edition; None when it is off or was never built."""
    edition = _find_visible_edition(ctx, name)
    if edition is None:
        return None
    return EditionView(edition, json.loads(edition.body))


def compute_next_edition_day(product: Product, latest: Edition | None, today: dt.date) -> dt.date | None:
    """Return the day from which the next edition can be expected; None for a live product."""
    if product.kind == LIVE:
        return None
    if latest is None:
        return today
    wait = dt.timedelta(days=GRACE_DAYS + 1)  # the period's last day has to be over too
    return periods.parse(latest.period).following().last + wait
