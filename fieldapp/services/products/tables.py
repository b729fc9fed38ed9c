"""Count protected tables and keep what is published of them: each period once, again only when late records could matter.

A period is counted again when the records that came late or changed are as many as a revision needs, and one in a hundred
of those counted: so the work is in proportion to what is new, however much there is.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evaluator_export import periods
from evaluator_export.datasets import eligibility, table_reader
from evaluator_export.datasets.dataset_spec import RECEIVED
from evaluator_export.datasets.recipe import Audience, TableSpec
from evaluator_export.periods import Period
from evaluator_export.tables.protected_counts import PUBLIC_THRESHOLD, Cell, Counter, Published, publish, shown
from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.consent.standing import TRIES, ConsentFell, Standings
from fieldapp.services.definitions import definition_of
from fieldapp.services.products.catalogue import counted_tables
from fieldapp.services.releases.datasets import Catalogue, catalogue, table_menu
from fieldapp.store.consent import standing
from fieldapp.store.database import WriteTransaction
from fieldapp.store.forms import versions as forms
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.products import products
from fieldapp.store.records import records
from fieldapp.store.releases import datasets
from fieldapp.store.releases.datasets import PublishedTable
from fieldapp.store.session import Session
from forms.definition import FormDefinition

HISTORY = {"month": 37, "quarter": 9, "year": 5}  # periods of each calendar that are kept counted
GRACE_DAYS = 3  # as releases have, so that the numbers are the same
REVISED_FOR = dt.timedelta(days=400)
OVERLAP = dt.timedelta(minutes=10)  # transactions that began earlier and ended later
MATTERS = 100  # one in so many

Job = tuple[Period, TableSpec]


@dataclass(frozen=True)
class Counted:
    """One table of one period, as it was counted just now."""

    spec: TableSpec
    period: Period
    published: Published
    records: int


def last_complete(cadence: str, today: dt.date, grace: int = GRACE_DAYS) -> Period:
    """Return the newest period that has ended, with its grace."""
    return periods.find_containing(today - dt.timedelta(days=grace), cadence).before()


def today_at(centre: Centre, now: dt.datetime) -> dt.date:
    return now.astimezone(zoneinfo.ZoneInfo(centre.time_zone)).date()


def specs_for(known: Catalogue, audience: Audience, names: Sequence[str]) -> dict[str, TableSpec]:
    """Return tables of the menu as they can be counted here; those whose dataset is broken are not in it."""
    menu = [item for item in table_menu() if item["dataset"] in known.datasets]
    offered = {str(item["name"]) for item in menu}
    return table_reader.read_tables_for_audience(
        audience, [name for name in names if name in offered], known.datasets, known.definitions, menu
    )


def threshold_of(spec: TableSpec) -> int:
    return spec.min_count(PUBLIC_THRESHOLD)


def wanted_periods(session: Session, centre: Centre, now: dt.datetime) -> dict[str, list[Period]]:
    """Return the complete periods of each calendar for which there are records, oldest first."""
    first = records.first_day(session, centre.id)
    found: dict[str, list[Period]] = {}
    for calendar, most in HISTORY.items():
        period, mine = last_complete(calendar, today_at(centre, now)), list[Period]()
        while first is not None and len(mine) < most and period.last >= first:
            mine.append(period)
            period = period.before()
        found[calendar] = mine[::-1]
    return found


def count_due(session: Session, centre_id: int, now: dt.datetime) -> int:
    """Count what was never counted, and what late records could change; return how many tables were."""
    centre = centres.get(session, centre_id)
    known = catalogue(session, centre_id)
    specs = {calendar: specs_for(known, Audience.PUBLIC, names) for calendar, names in counted_tables().items()}
    by_key = {spec.key: spec for some in specs.values() for spec in some.values()}
    states = {(one.key, one.period): one for one in datasets.published_tables(session, centre_id, list(by_key))}
    late = _note_late(session, centre_id, list(states.values()), by_key, now)
    jobs = []
    for calendar, mine in wanted_periods(session, centre, now).items():
        for period in mine:
            for spec in specs[calendar].values():
                state = states.get((spec.key, period.name))
                is_open = now.date() - period.last < REVISED_FOR
                if state is None or (is_open and _matters(state, late.get((spec.key, period.name), 0), spec)):
                    jobs.append((period, spec))
    if not jobs:
        return 0
    for tries_left in reversed(range(TRIES)):
        standings = Standings(session, centre_id)
        counted = count(session, centre, known, jobs, states, now, standings)
        try:
            _keep(session, Actor.system(centre_id), counted, standings)
        except ConsentFell:
            if not tries_left:
                raise
        else:
            break
    return len(counted)


def _matters(state: PublishedTable, late: int, spec: TableSpec) -> bool:
    return state.late + late >= max(spec.step(PUBLIC_THRESHOLD), state.records // MATTERS)


def _note_late(
    session: Session, centre_id: int, states: Sequence[PublishedTable], by_key: Mapping[str, TableSpec], now: dt.datetime
) -> dict[tuple[str, str], int]:
    """Add to each published table how many records of its period changed since the last look; return how many."""
    before = products.checked_at(session, centre_id)
    changes = _changes(session, centre_id, before - OVERLAP) if before else []
    found = {}
    for state in states:
        period, form = periods.parse(state.period), by_key[state.key].dataset.form
        late = sum(number for one, day, number in changes if one == form and period.first <= day <= period.last)
        if late:
            found[state.key, state.period] = late
    with WriteTransaction(session):
        for (key, name), late in found.items():
            datasets.add_late(session, centre_id, key, name, late)
        products.note_check(session, centre_id, now)
    return found


def _changes(session: Session, centre_id: int, since: dt.datetime) -> list[tuple[str, dt.date, int]]:
    """Return how many records, by form and day, changed since a moment, or are of people whose consent fell since."""
    fallen = standing.lowered_since(session, centre_id, since)
    return [
        *records.changed_since(session, centre_id, since),
        *records.of_persons_before(session, centre_id, fallen, since),
    ]


def count(
    session: Session,
    centre: Centre,
    known: Catalogue,
    jobs: Iterable[Job],
    states: Mapping[tuple[str, str], PublishedTable],
    now: dt.datetime,
    standings: Standings,
) -> list[Counted]:
    """Count tables of periods, reading the records of each form once."""
    secret = bytes.fromhex(centre.table_secret)
    counters = {(period.name, spec.key): (period, Counter(spec, secret)) for period, spec in jobs}
    read: dict[int, int] = {}
    for form in sorted({counter.spec.dataset.form for _, counter in counters.values()}):
        mine = [one for one in counters.values() if one[1].spec.dataset.form == form]
        span = min(period.first for period, _ in mine), max(period.last for period, _ in mine)
        by_day: dict[dt.date, list[Counter]] = {}
        for day, unit, row in rows_of(session, centre, form, known, *span, now, standings):
            if day not in by_day:
                by_day[day] = [counter for period, counter in mine if period.first <= day <= period.last]
            for counter in by_day[day]:
                counter.add(unit, row, day.isoformat())
                read[id(counter)] = read.get(id(counter), 0) + 1
    found = []
    for period, counter in counters.values():
        spec = counter.spec
        state = states.get((spec.key, period.name))
        before = {tuple(cell): (number, text) for cell, number, text in state.cells} if state else None
        published = publish(counter.counted(), before, threshold_of(spec), spec.step(PUBLIC_THRESHOLD), secret)
        found.append(Counted(spec, period, published, read.get(id(counter), 0)))
    return found


def rows_of(
    session: Session,
    centre: Centre,
    form: str,
    known: Catalogue,
    first: dt.date,
    last: dt.date,
    now: dt.datetime,
    standings: Standings,
) -> Iterable[tuple[dt.date, str, dict[str, str]]]:
    """Yield day, name and answers of a form's records in a span, with the day on which each was received."""
    zone = zoneinfo.ZoneInfo(centre.time_zone)
    versions: dict[str, FormDefinition] = {}
    for record in records.for_release(session, centre.id, form, first, last, now):
        if record.version not in versions:
            stored = forms.find(session, centre.id, form, record.version)
            versions[record.version] = definition_of(stored) if stored else known.definitions[form]
        row = eligibility.flatten_answers(versions[record.version], record.answers, standings.of(record.person))
        row[RECEIVED] = record.received_at.astimezone(zone).date().isoformat()
        yield record.day, record.unit, row


def count_window(
    session: Session,
    centre: Centre,
    known: Catalogue,
    specs: Iterable[TableSpec],
    first: dt.date,
    last: dt.date,
    now: dt.datetime,
) -> dict[str, dict[Cell, str]]:
    """Return tables over any span of days, by name, as texts. Nothing is kept: the same records round the same way."""
    secret, standings = bytes.fromhex(centre.table_secret), Standings(session, centre.id)
    counters = [Counter(spec, secret) for spec in specs]
    for form in sorted({counter.spec.dataset.form for counter in counters}):
        mine = [counter for counter in counters if counter.spec.dataset.form == form]
        for day, unit, row in rows_of(session, centre, form, known, first, last, now, standings):
            for counter in mine:
                counter.add(unit, row, day.isoformat())
    return {
        counter.spec.name: {
            cell: shown(tally, threshold_of(counter.spec), secret) for cell, tally in counter.counted().items()
        }
        for counter in counters
    }


@act("tables.count")
def _keep(ctx: ActContext, counted: Sequence[Counted], standings: Standings) -> None:
    standings.check(ctx.session)
    for one in counted:
        cells = [[list(cell), number, text] for cell, (number, text) in sorted(one.published.items())]
        datasets.keep_table(ctx.session, ctx.centre_id, one.spec.key, one.period.name, cells, ctx.now, one.records)
    ctx.describe(f"centre/{ctx.centre_id}", tables=len(counted))


@dataclass(frozen=True)
class Kept:
    """What is published of a table for a period: texts by cell, and how often it was revised."""

    texts: dict[Cell, str]
    revision: int


def kept_tables(session: Session, centre_id: int, specs: Iterable[TableSpec]) -> dict[tuple[str, str], Kept]:
    """Return what is published, by the table's key and the period's name."""
    return {
        (one.key, one.period): Kept({tuple(cell): text for cell, _, text in one.cells}, one.revision)
        for one in datasets.published_tables(session, centre_id, [spec.key for spec in specs])
    }
