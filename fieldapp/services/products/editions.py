"""Build products: one edition for each period; a failure is noted beside the product.

An edition is frozen. It gets a new number only when its content changed, because late records
revised the tables that it is made of.
"""

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping

from evaluator_export.periods import Period
from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.consent.standing import TRIES, ConsentFell, Standings
from fieldapp.services.failures import note_failure
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products import pieces, tables
from fieldapp.services.products.catalogue import LIVE, Product, get_product, list_products
from fieldapp.services.products.content import EditionContent
from fieldapp.services.products.kinds import dashboard, heat_map, hot_spots, panel
from fieldapp.services.releases.grace import GRACE_DAYS
from fieldapp.services.stored_problems import explain, write_problems
from fieldapp.store.consent import standing
from fieldapp.store.database import ReadTransaction, WriteTransaction
from fieldapp.store.operations import centres
from fieldapp.store.products import products as store
from fieldapp.store.products.products import PROBLEM_LENGTH, Edition
from fieldapp.store.session import IntegrityError, Session

log = logging.getLogger("fieldapp.products")

BuildContent = Callable[[Session, int, Product, Period, dt.datetime], EditionContent]
KINDS: Mapping[str, BuildContent] = {
    "dashboard": dashboard.build_dashboard,
    "hot_spots": hot_spots.build_hot_spots,
    "heat_map": heat_map.build_heat_map,
    "panel": panel.build_panel,
    "equity": panel.build_equity,
}
REVISED = {"dashboard", "panel", "equity"}  # made of tables that late records can revise
# What of partners' files is in a product: the newest edition is built again once it is another. In the body as "partners".
FOLLOWS_PARTNERS: Mapping[str, Callable[[Session, int], object]] = {
    "dashboard": dashboard.load_partner_bodies,
    "equity": panel.load_population_shares,
}
FOLLOWS_CONSENT = {"hot_spots", "heat_map"}  # for staff: the newest edition is built again once somebody's consent fell
# Who takes something back has it written with the time at which that began, and may wait for an edition to be saved.
BEFORE = dt.timedelta(minutes=5)
CATCH_UP = 12  # periods: how far back a missed edition is still built


def build_due(session: Session, now: dt.datetime) -> int:
    """Build every edition that is due, in every centre; return how many were built."""
    with ReadTransaction(session):
        centre_ids = [centre.id for centre in centres.list_all(session)]
    return sum(_build_due_of_centre(session, centre_id, now) for centre_id in centre_ids)


def _build_due_of_centre(session: Session, centre_id: int, now: dt.datetime) -> int:
    _take_back(session, centre_id, now)
    with ReadTransaction(session):
        products = list(_iterate_switched_on(session, centre_id))
    if not products:
        return 0
    try:
        counted = tables.count_due_tables(session, centre_id, now)
    except Exception as error:  # one centre must not stop the others; nothing is half-saved, the next turn tries again
        with ReadTransaction(session):  # ends what the failure left open
            note_failure(log, f"could not count the tables of centre {centre_id}", error)
        return 0
    number = 0
    for product in products:
        for period in _list_missed_periods(session, centre_id, product, now):
            number += _build_if_due(session, centre_id, product, period, now, is_recounted=bool(counted))
    return number


def _take_back(session: Session, centre_id: int, now: dt.datetime) -> None:
    """Take out of the pieces of maps who took consent back, also while maps are off."""
    try:
        pieces.take_back(session, centre_id, now)
    except Exception as error:  # one centre must not stop the others; nothing is half-saved, the next turn tries again
        with ReadTransaction(session):  # ends what the failure left open
            note_failure(log, f"could not follow consent in the pieces of centre {centre_id}", error)


def _iterate_switched_on(session: Session, centre_id: int) -> Iterator[Product]:
    for product in list_products():
        if product.kind != LIVE and store.is_on(session, centre_id, product.name):
            yield product


def find_due_period(session: Session, centre_id: int, product: Product, now: dt.datetime) -> Period:
    """Return the newest period that a product is due for, by the centre's own calendar day."""
    today = tables.get_local_today(centres.get(session, centre_id), now)
    return tables.find_last_complete_period(product.cadence, today)


def _list_missed_periods(session: Session, centre_id: int, product: Product, now: dt.datetime) -> list[Period]:
    """Return the newest complete period, then earlier ones whose edition was never built."""
    with ReadTransaction(session):
        period = find_due_period(session, centre_id, product, now)
        last_days = store.periods_before(session, centre_id, product.name, period.first)
    missed = [period]
    if not last_days:  # never built: it begins with the newest, not with years of history
        return missed
    for _ in range(CATCH_UP):
        period = period.before()
        if period.last < min(last_days.values()):
            break
        if period.name not in last_days:
            missed.append(period)
    return missed


def _build_if_due(
    session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime, *, is_recounted: bool
) -> int:
    """Build an edition unless it is up to date; return 1 if it has new content, else 0."""
    with ReadTransaction(session):
        is_built = store.edition(session, centre_id, product.name, period.name) is not None
    may_be_revised = is_recounted and product.kind in REVISED
    is_overtaken = (
        may_be_revised
        or _has_consent_fallen(session, centre_id, product, period, now)
        or _have_partners_changed(session, centre_id, product, period, now)
    )
    if is_built and not is_overtaken:
        return 0
    try:
        edition = build_edition(session, centre_id, product.name, period, now)
    except IntegrityError:  # another scheduler saved the same edition at this moment
        return 0
    except Exception as error:  # one product must not stop the others; its page shows what went wrong
        _save_failure(session, centre_id, product, period, now, error)
        return 0
    return int(edition is not None)


def _has_consent_fallen(session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime) -> bool:
    """Say whether somebody's consent fell since a map was built.

    It may count people after their no then.
    """
    if product.kind not in FOLLOWS_CONSENT:
        return False
    with ReadTransaction(session):
        if period != find_due_period(session, centre_id, product, now):
            return False  # nobody sees older editions
        state = store.states(session, centre_id)[product.name]
        if state.problem or state.tried_at is None:
            return True
        return standing.has_fallen_since(session, centre_id, state.tried_at - BEFORE)


def _have_partners_changed(session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime) -> bool:
    """Say whether partners' files say something else now than the newest edition does."""
    load = FOLLOWS_PARTNERS.get(product.kind)
    if load is None:
        return False
    with ReadTransaction(session):
        if period != find_due_period(session, centre_id, product, now):
            return False  # older editions say what partners said then
        edition = store.edition(session, centre_id, product.name, period.name)
        return edition is not None and json.loads(edition.body).get("partners", {}) != load(session, centre_id)


def _save_failure(
    session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime, error: Exception
) -> None:
    number = note_failure(log, f"could not build {product.name} {period.name}", error)
    with WriteTransaction(session):
        state = store.state(session, centre_id, product.name)
        state.tried_at = now
        state.problem = write_problems(explain(error, number), most=PROBLEM_LENGTH)


def build_edition(session: Session, centre_id: int, name: str, period: Period, now: dt.datetime) -> Edition | None:
    """Build a product of a period; return its edition, or None when nothing changed.

    Raise ActProblem for a product without editions, a period of another calendar, or one that is not over.
    """
    product = get_product(name)
    if product.kind == LIVE:
        raise ActProblem("product.live", N_("This product is always up to date; it has no editions."))
    if period.cadence != product.cadence:
        raise ActProblem("product.period", N_("{name} is built by {cadence}."), {"name": name, "cadence": product.cadence})
    # What maps are sums of is counted once: not before late records have come.
    open_days = dt.timedelta(days=GRACE_DAYS if product.kind in FOLLOWS_CONSENT else 0)
    if period.last + open_days >= tables.get_local_today(centres.get(session, centre_id), now):
        raise ActProblem("product.open", N_("{period} has not ended yet."), {"period": period.name})
    if product.kind in REVISED:
        tables.count_due_tables(session, centre_id, now)
    # Somebody may take consent back while the content is computed. Then what was computed must not
    # be saved, and it is computed again.
    for tries_left in reversed(range(TRIES)):
        standings = Standings.of_all(session, centre_id)
        content = KINDS[product.kind](session, centre_id, product, period, now)
        try:
            return _save_edition(session, Actor.system(centre_id), product, period, content, standings)
        except ConsentFell:
            if not tries_left:
                raise
    return None


@act("product.build")
def _save_edition(
    ctx: ActContext, product: Product, period: Period, content: EditionContent, standings: Standings
) -> Edition | None:
    """Save an edition under the next number; return None if its content is as before."""
    standings.check(ctx.session)
    text = json.dumps(content.body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = _compute_hash(text, content.files)
    state = store.state(ctx.session, ctx.centre_id, product.name)
    state.tried_at = ctx.now
    state.problem = ""
    edition = store.edition(ctx.session, ctx.centre_id, product.name, period.name)
    ctx.describe(f"product/{product.name}", period=period.name)
    if edition is not None and edition.sha256 == digest:
        return None
    if edition is None:
        edition = Edition(centre_id=ctx.centre_id, product=product.name, period=period.name, last_day=period.last, number=0)
        ctx.session.add(edition)
    edition.number += 1
    edition.sha256 = digest
    edition.body = text
    edition.built_at = ctx.now
    ctx.session.flush()  # gives a new edition the id that its files refer to
    store.put_files(ctx.session, edition.id, dict(content.files))
    return edition


def _compute_hash(text: str, files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of an edition: its text, then its files in the order of their names."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(files):
        digest.update(files[name])
    return digest.hexdigest()
