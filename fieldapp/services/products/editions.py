"""Build products: an edition a period, frozen; a new number only when what it is made of was revised. Failures are kept."""

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evaluator_export.periods import Period
from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.consent.standing import TRIES, ConsentFell, Standings
from fieldapp.services.failures import note_failure
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products import tables
from fieldapp.services.products.catalogue import LIVE, Product, product_named, products
from fieldapp.services.products.kinds import dashboard, heat_map, hot_spots, panel
from fieldapp.services.stored_problems import explain, write_problems
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import centres
from fieldapp.store.products import products as store
from fieldapp.store.products.products import PROBLEM_LENGTH, Edition
from fieldapp.store.session import IntegrityError, Session

log = logging.getLogger("fieldapp.products")


@dataclass(frozen=True)
class Built:
    """An edition that is to be kept: its body, and files beside it."""

    body: Mapping[str, Any]
    files: Mapping[str, bytes]


Kind = Callable[[Session, int, Product, Period, dt.datetime], tuple[dict[str, Any], dict[str, bytes]]]
KINDS: Mapping[str, Kind] = {
    "dashboard": dashboard.build,
    "hot_spots": hot_spots.build,
    "heat_map": heat_map.build,
    "panel": panel.build_panel,
    "equity": panel.build_equity,
}
REVISED = {"dashboard", "panel", "equity"}  # made of tables that late records can revise
GRACE = {"hot_spots": 1}  # a day's delay, so that nobody is met where they were counted
CATCH_UP = 12  # periods: how far back an edition is made that was missed


def build_due(session: Session, now: dt.datetime) -> int:
    """Bring every product that is switched on up to date, in every centre; return how many editions were made."""
    made = 0
    for centre in [one.id for one in centres.list_all(session)]:
        on = [one for one in products() if one.kind != LIVE and store.is_on(session, centre, one.name)]
        session.rollback()
        if not on:
            continue
        try:
            counted = tables.count_due_tables(session, centre, now)
        except Exception as error:  # one centre must not stop the others; nothing is half-kept, the next turn tries again
            session.rollback()
            note_failure(log, f"could not count the tables of centre {centre}", error)
            continue
        for product in on:
            for period in _missed(session, centre, product, now):
                made += _bring_up_to_date(session, centre, product, period, now, bool(counted))
    return made


def due_period(session: Session, centre_id: int, product: Product, now: dt.datetime) -> Period:
    today = tables.get_local_today(centres.get(session, centre_id), now)
    return tables.find_last_complete_period(product.cadence, today, GRACE.get(product.kind, tables.GRACE_DAYS))


def _missed(session: Session, centre_id: int, product: Product, now: dt.datetime) -> list[Period]:
    """Return the newest complete period, then those before it whose editions could not be made in their time."""
    period = due_period(session, centre_id, product, now)
    known = store.periods_before(session, centre_id, product.name, period.first)
    session.rollback()
    found = [period]
    if not known:  # it was never built: it begins with the newest
        return found
    for _ in range(CATCH_UP):
        period = period.before()
        if period.last < min(known.values()):
            break
        if period.name not in known:
            found.append(period)
    return found


def _bring_up_to_date(
    session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime, is_recounted: bool
) -> int:
    before = store.edition(session, centre_id, product.name, period.name)
    session.rollback()
    if before is not None and not (is_recounted and product.kind in REVISED):
        return 0
    try:
        return int(build(session, centre_id, product.name, period, now) is not None)
    except IntegrityError:  # another scheduler has made it in this moment
        session.rollback()
        return 0
    except Exception as error:  # one product must not stop the others; what went wrong stands beside it
        session.rollback()
        number = note_failure(log, f"could not build {product.name} {period.name}", error)
        with WriteTransaction(session):
            state = store.state(session, centre_id, product.name)
            state.tried_at = now
            state.problem = write_problems(explain(error, number), most=PROBLEM_LENGTH)
        return 0


def build(session: Session, centre_id: int, name: str, period: Period, now: dt.datetime) -> Edition | None:
    """Build a product of a period now and return its edition; None when nothing in it has changed.

    Raise ActProblem for a product without editions, a period of another calendar, or one that is not over.
    """
    product = product_named(name)
    if product.kind == LIVE:
        raise ActProblem("product.live", N_("This product is always up to date; it has no editions."))
    if period.cadence != product.cadence:
        raise ActProblem("product.period", N_("{name} is built by {cadence}."), {"name": name, "cadence": product.cadence})
    if period.last >= tables.get_local_today(centres.get(session, centre_id), now):
        raise ActProblem("product.open", N_("{period} has not ended yet."), {"period": period.name})
    if product.kind in REVISED:
        tables.count_due_tables(session, centre_id, now)
    for tries_left in reversed(range(TRIES)):
        standings = Standings.of_all(session, centre_id)
        body, files = KINDS[product.kind](session, centre_id, product, period, now)
        try:
            return _keep_edition(session, Actor.system(centre_id), product, period, Built(body, files), standings)
        except ConsentFell:
            if not tries_left:
                raise
    return None


@act("product.build")
def _keep_edition(ctx: ActContext, product: Product, period: Period, built: Built, standings: Standings) -> Edition | None:
    standings.check(ctx.session)
    text = json.dumps(built.body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode())
    for name in sorted(built.files):
        digest.update(built.files[name])
    state = store.state(ctx.session, ctx.centre_id, product.name)
    state.tried_at, state.problem = ctx.now, ""
    kept = store.edition(ctx.session, ctx.centre_id, product.name, period.name)
    ctx.describe(f"product/{product.name}", period=period.name)
    if kept is not None and kept.sha256 == digest.hexdigest():
        return None
    if kept is None:
        kept = Edition(centre_id=ctx.centre_id, product=product.name, period=period.name, last_day=period.last, number=0)
        ctx.session.add(kept)
    kept.number, kept.sha256, kept.body, kept.built_at = kept.number + 1, digest.hexdigest(), text, ctx.now
    ctx.session.flush()
    store.put_files(ctx.session, kept.id, dict(built.files))
    return kept
