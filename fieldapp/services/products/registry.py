"""The registry of products: what there is, for whom, when it was last built, what failed; switched on and off here."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator_export import periods
from evaluator_export.formulas import RISKY
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.products.partner_totals import read_partner
from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.products.catalogue import LIVE, Product, product_named, products
from fieldapp.services.products.tables import GRACE_DAYS
from fieldapp.services.revisions import check_revision, mark_of, require, revision_of
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.products import products as store
from fieldapp.store.products.products import Edition, PartnerSource, ProductState, Subscription


@dataclass(frozen=True)
class Registry:
    centre: Centre
    products: Sequence[Product]
    states: Mapping[str, ProductState]
    latest: Mapping[str, Edition]
    subscriptions: Mapping[str, Sequence[Subscription]]
    partners: Sequence[PartnerSource]


@read_act("products.list")
def list_products(ctx: ActContext) -> Registry:
    latest: dict[str, Edition] = {}
    for edition in store.editions(ctx.session, ctx.centre_id):
        latest.setdefault(edition.product, edition)
    told: dict[str, list[Subscription]] = {}
    for one in store.subscriptions(ctx.session, ctx.centre_id):
        told.setdefault(one.product, []).append(one)
    states, centre = store.states(ctx.session, ctx.centre_id), centres.get(ctx.session, ctx.centre_id)
    return Registry(centre, products(), states, latest, told, store.partners(ctx.session, ctx.centre_id))


@act("product.switch")
def switch_product(ctx: ActContext, name: str, is_on: bool, seen: str | None = None) -> None:
    """Switch a product on (it is built at the next turn of the clock) or off (nobody sees it any more)."""
    product = product_named(name)
    if product.kind == LIVE:
        raise ActProblem("product.live", N_("This product is always up to date; it has no editions."))
    state = store.state(ctx.session, ctx.centre_id, name)
    require(ctx, seen, switch_revision(name, state), f"product/{name}", ("product.switch",))
    state.is_on = is_on
    ctx.describe(f"product/{name}", on=is_on)


def switch_revision(name: str, state: ProductState | None) -> str:
    """Return the mark of whether a product is on."""
    return mark_of("product", name, state is not None and state.is_on)


@act("product.take")
def take_file(ctx: ActContext, name: str, filename: str) -> tuple[str, bytes]:
    """Return a file of a product's newest edition and what to call it; every time is written down."""
    latest = store.latest(ctx.session, ctx.centre_id, name) if store.is_on(ctx.session, ctx.centre_id, name) else None
    data = store.file(ctx.session, latest.id, filename) if latest else None
    if latest is None or data is None:
        raise make_not_found()
    ctx.describe(f"product/{name}", period=latest.period)
    stem, _, kind = filename.rpartition(".")
    return f"{stem}-{latest.period}.{kind}", data


@dataclass(frozen=True)
class Shown:
    edition: Edition
    body: dict[str, Any]


@read_act("figures.see")
def see_figures(ctx: ActContext, name: str) -> Shown | None:
    """Return a product's newest edition for the office; None when it is off or was never built."""
    product_named(name)
    return shown(ctx, name)


def shown(ctx: ActContext, name: str) -> Shown | None:
    latest = store.latest(ctx.session, ctx.centre_id, name) if store.is_on(ctx.session, ctx.centre_id, name) else None
    return Shown(latest, json.loads(latest.body)) if latest else None


MOST_REASONS = 20  # of what is wrong in one file


class PartnerRefused(ActProblem):
    """A file with a partner's totals that has something wrong in it; `reasons` say what, by row."""

    def __init__(self, reasons: Sequence[Reason]):
        super().__init__("partner.refused", N_("Nothing was imported. Correct this in the file and choose it again:"))
        self.reasons = reasons

    def __str__(self) -> str:
        return "\n".join([self.text, *(str(reason) for reason in self.reasons)])


@act("partner.bring")
def bring_partner(ctx: ActContext, name: str, calendar: str, data: bytes, seen: str | None = None) -> int:
    """Keep a partner's totals in place of its older ones; return how many. ActProblem says all that is wrong."""
    name, calendar = name.strip()[:120], calendar.strip()[:120]
    if not name or not calendar or name.startswith(RISKY) or calendar.startswith(RISKY):
        raise ActProblem("partner.incomplete", N_("Name the organisation, and the calendar by which it counts."))
    try:
        figures = read_partner(data)
    except ExportProblem as problem:
        raise PartnerRefused(problem.reasons[:MOST_REASONS]) from None
    centres.lock(ctx.session, ctx.centre_id)
    now = partners_revision(store.partners(ctx.session, ctx.centre_id))
    require(ctx, seen, now, f"partner/{name}", ("partner.bring", "partner.remove"))
    kept = store.partner(ctx.session, ctx.centre_id, name) or PartnerSource(centre_id=ctx.centre_id, name=name)
    kept.calendar, kept.figures, kept.brought_at = calendar, [one.as_json() for one in figures], ctx.now
    kept.sha256 = hashlib.sha256(data).hexdigest()
    ctx.session.add(kept)
    ctx.describe(f"partner/{name}", figures=len(figures))
    return len(figures)


@act("partner.remove")
def remove_partner(ctx: ActContext, name: str, seen: str | None = None) -> None:
    """Take a partner's totals away."""
    kept = store.partner(ctx.session, ctx.centre_id, name)
    if kept is None:
        raise make_not_found()
    check_revision(ctx, seen, kept, f"partner/{name}", ("partner.bring", "partner.remove"))
    ctx.session.delete(kept)
    ctx.describe(f"partner/{name}")


def partners_revision(partners: Sequence[PartnerSource]) -> str:
    """Return the mark of all totals of partners: whose file a new one takes the place of is known by its name only."""
    return mark_of(*(revision_of(one) for one in partners))


def next_due(product: Product, latest: Edition | None, today: dt.date) -> dt.date | None:
    """Return the day from which the next edition can be expected; None for what is always up to date."""
    if product.kind == LIVE:
        return None
    grace = dt.timedelta(days=(1 if product.kind == "hot_spots" else GRACE_DAYS) + 1)
    if latest is None:
        return today
    return periods.parse(latest.period).following().last + grace
