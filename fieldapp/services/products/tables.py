"""Count protected tables and save what is published of them, once for each period.

A period is counted again when the records that came late or changed are as many as a revision needs,
and at least one in a hundred of those counted. So the work grows with what is new, not with all there is.
"""

import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evaluator_export import periods
from evaluator_export.datasets import table_reader
from evaluator_export.datasets.dataset_spec import RECEIVED
from evaluator_export.datasets.recipe import Audience, Method, TableSpec
from evaluator_export.periods import Period
from evaluator_export.tables.protected_counts import (
    PUBLIC_THRESHOLD,
    Cell,
    CellCounter,
    Published,
    Tally,
    find_least_shown,
    make_protection,
    publish_counts,
    record_key,
)
from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.consent.standing import TRIES, ConsentFell, Standings
from fieldapp.services.products.catalogue import list_counted_tables, list_ripening
from fieldapp.services.releases.datasets import DatasetCatalogue, load_catalogue, load_table_menu
from fieldapp.services.releases.gathering.answers import RecordReader
from fieldapp.services.releases.grace import GRACE_DAYS
from fieldapp.store.consent import standing
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.products import products
from fieldapp.store.records import records
from fieldapp.store.releases import datasets
from fieldapp.store.releases.datasets import PublishedCountsView
from fieldapp.store.session import Session

HISTORY = {"month": 37, "quarter": 9, "year": 5, "twelve": 9}  # periods of each calendar that are counted
OVERLAP = dt.timedelta(minutes=10)  # transactions that began earlier and ended later
LATE_SHARE = 100  # recounting at one late record in so many reads each record about a hundred times at most

Job = tuple[Period, TableSpec]


@dataclass(frozen=True)
class TableCount:
    """One table of one period, as it was counted just now."""

    spec: TableSpec
    period: Period
    published: Published
    records: int


def find_last_complete_period(cadence: str, today: dt.date) -> Period:
    """Return the newest period whose end lies more than GRACE_DAYS back."""
    return periods.find_containing(today - dt.timedelta(days=GRACE_DAYS), cadence).before()


def get_local_today(centre: Centre, now: dt.datetime) -> dt.date:
    """Return the calendar day of a moment in the centre's time zone."""
    return now.astimezone(zoneinfo.ZoneInfo(centre.time_zone)).date()


def list_table_specs(catalogue: DatasetCatalogue, audience: Audience, names: Sequence[str]) -> dict[str, TableSpec]:
    """Return tables of the menu by name, without those whose dataset the centre lacks."""
    menu = [item for item in load_table_menu() if item["dataset"] in catalogue.datasets]
    offered = {str(item["name"]) for item in menu}
    countable = [name for name in names if name in offered]
    return table_reader.read_tables_for_audience(audience, countable, catalogue.datasets, catalogue.definitions, menu)


def get_floor(spec: TableSpec) -> int:
    """Return the floor of a table: no count under it shows."""
    return spec.min_count(PUBLIC_THRESHOLD)


def get_least_shown(spec: TableSpec) -> int:
    """Return the number under which a table's numbers are hidden; 0 for exact ones."""
    return 0 if spec.method == Method.EXACT else find_least_shown(get_floor(spec))


def list_periods_to_count(session: Session, centre: Centre, now: dt.datetime) -> dict[str, list[Period]]:
    """Return the complete periods of each calendar since the first record, oldest first."""
    first_day = records.first_day(session, centre.id)
    periods_by_calendar: dict[str, list[Period]] = {}
    for calendar, most in HISTORY.items():
        newest_first: list[Period] = []
        period = find_last_complete_period(calendar, get_local_today(centre, now))
        # Back to the first record: earlier periods have nothing to count.
        while first_day is not None and len(newest_first) < most and period.last >= first_day:
            newest_first.append(period)
            period = period.before()
        periods_by_calendar[calendar] = newest_first[::-1]
    return periods_by_calendar


def list_periods_to_show(session: Session, centre: Centre, now: dt.datetime) -> dict[str, list[Period]]:
    """Return the complete periods of each calendar since the first whole month, oldest first.

    A part of a month, a quarter or a year would look like a whole one, and each chart would begin with a rise.
    """
    first_day = find_first_whole_day(records.first_day(session, centre.id))
    counted = list_periods_to_count(session, centre, now)
    if first_day is None:
        return counted
    return {calendar: _list_since(some, first_day) for calendar, some in counted.items()}


def _list_since(counted: Sequence[Period], day: dt.date) -> list[Period]:
    return [period for period in counted if period.first >= day]


def find_first_whole_day(first_day: dt.date | None) -> dt.date | None:
    """Return the first day of the first whole month with records; None without any."""
    if first_day is None or first_day.day == 1:
        return first_day
    return periods.find_containing(first_day, "month").following().first


def find_ripe_day(name: str, period: Period) -> dt.date:
    """Return the first day on which a table of a period may be counted.

    All of it has arrived by then, and its outcomes are known: nobody was followed up within 7 days who was met yesterday.
    """
    return period.last + dt.timedelta(days=list_ripening().get(name, 0) + GRACE_DAYS + 1)


def count_due_tables(session: Session, centre_id: int, now: dt.datetime) -> int:
    """Count tables never counted and those that late records could change; return how many."""
    centre = centres.get(session, centre_id)
    catalogue = load_catalogue(session, centre_id)
    specs = {
        calendar: list_table_specs(catalogue, Audience.PUBLIC, names) for calendar, names in list_counted_tables().items()
    }
    specs_by_key: dict[str, TableSpec] = {}
    # By key: two tables of the menu that count the same are counted once.
    for specs_by_name in specs.values():
        specs_by_key.update({spec.key: spec for spec in specs_by_name.values()})
    tables = datasets.published_tables(session, centre_id, list(specs_by_key))
    states = {(table.key, table.period): table for table in tables}
    late = _add_late_records(session, centre_id, tables, specs_by_key, now)
    jobs: list[Job] = []
    longer: list[Job] = []  # of twelve months: decided once their pieces are
    finer = _list_finer_calendars(specs)
    today = get_local_today(centre, now)
    for calendar, periods_to_count in list_periods_to_count(session, centre, now).items():
        for period in periods_to_count:
            for name, spec in specs[calendar].items():
                state = states.get((spec.key, period.name))
                # What is counted before its outcomes are known stays too low for good.
                if state is None and today < find_ripe_day(name, period):
                    continue
                if calendar == "twelve" and spec.key in finer:
                    longer.append((period, spec))
                # However long ago it ended: each new edition publishes it again, and who took consent back is not in it.
                elif state is None or _needs_recount(state, late.get((spec.key, period.name), 0), spec):
                    jobs.append((period, spec))
    sums = _choose_sums(longer, jobs, states, finer)
    if jobs:
        _count_until_consent_holds(session, centre, catalogue, jobs, states, now)
    if sums:
        _add_up_until_consent_holds(session, centre, sums, finer)
    return len(jobs) + len(sums)


def _choose_sums(
    longer: Sequence[Job],
    jobs: list[Job],
    states: Mapping[tuple[str, str], PublishedCountsView],
    finer: Mapping[str, str],
) -> list[Job]:
    """Return which twelve months are to be added up.

    New ones, and those of which a piece is counted now. Those that began before there are pieces are added to the jobs,
    to be counted by themselves.
    """
    to_count = {(spec.key, period.name) for period, spec in jobs}
    sums = []
    for period, spec in longer:
        pieces = {(spec.key, piece.name) for piece in _list_pieces(period, finer[spec.key])}
        is_new = (spec.key, period.name) not in states
        if pieces <= states.keys() | to_count:
            if is_new or pieces & to_count:
                sums.append((period, spec))
        elif is_new:
            jobs.append((period, spec))
    return sums


def _list_finer_calendars(specs: Mapping[str, Mapping[str, TableSpec]]) -> dict[str, str]:
    """Return by which shorter calendar tables are counted too, by the table's key."""
    finer: dict[str, str] = {}
    for calendar in ("quarter", "month"):
        finer |= dict.fromkeys((spec.key for spec in specs.get(calendar, {}).values()), calendar)
    return finer


def _list_pieces(span: Period, calendar: str) -> list[Period]:
    """Return the months or quarters that twelve months consist of."""
    pieces = [periods.find_containing(span.first, calendar)]
    while pieces[-1].last < span.last:
        pieces.append(pieces[-1].following())
    return pieces


def _add_up_until_consent_holds(session: Session, centre: Centre, sums: Sequence[Job], finer: Mapping[str, str]) -> None:
    """Publish twelve months as the sum of their published months or quarters.

    Counted by themselves beside a quarter that has not changed yet, they would tell by the difference how many people took
    everything back since, also fewer than are told.
    """
    for tries_left in reversed(range(TRIES)):
        standings = Standings(session, centre.id)
        keys = list({spec.key for _, spec in sums})
        tables = datasets.published_tables(session, centre.id, keys)
        states = {(table.key, table.period): table for table in tables}
        counted = [_add_up(centre, job, states, finer) for job in sums]
        try:
            _save_counts(session, Actor.system(centre.id), counted, standings)
        except ConsentFell:
            if not tries_left:
                raise
        else:
            return


def _add_up(
    centre: Centre, job: Job, states: Mapping[tuple[str, str], PublishedCountsView], finer: Mapping[str, str]
) -> TableCount:
    """Return twelve months of a table, added up.

    How a sum is rounded is drawn by its cell: sums of records' own keys would follow a single record through all tables.
    """
    period, spec = job
    secret = bytes.fromhex(centre.table_secret)
    numbers: Counter[Cell] = Counter()
    records_read = 0
    for piece in _list_pieces(period, finer[spec.key]):
        table = states[spec.key, piece.name]
        records_read += table.records
        numbers.update({tuple(cell): number for cell, number, _ in table.cells})
    tallies = {
        cell: (number, record_key(secret, "\n".join((spec.key, period.name, *cell)))) for cell, number in numbers.items()
    }
    return _protect(spec, period, tallies, states, secret, records_read)


def _count_until_consent_holds(
    session: Session,
    centre: Centre,
    catalogue: DatasetCatalogue,
    jobs: Sequence[Job],
    states: Mapping[tuple[str, str], PublishedCountsView],
    now: dt.datetime,
) -> None:
    """Count and save; start again when somebody takes consent back meanwhile, TRIES times."""
    for tries_left in reversed(range(TRIES)):
        reader = make_reader(session, centre, catalogue, now)
        counted = count_tables(reader, centre, jobs, states)
        try:
            _save_counts(session, Actor.system(centre.id), counted, reader.standings)
        # Somebody took consent back between reading and saving; what was counted includes them.
        except ConsentFell:
            if not tries_left:
                raise
        else:
            return


def _needs_recount(state: PublishedCountsView, late: int, spec: TableSpec) -> bool:
    # The share keeps the work bounded: a table of a million records is not read again for twenty.
    return state.late + late >= max(spec.step(PUBLIC_THRESHOLD), state.records // LATE_SHARE)


def _add_late_records(
    session: Session,
    centre_id: int,
    tables: Sequence[PublishedCountsView],
    specs_by_key: Mapping[str, TableSpec],
    now: dt.datetime,
) -> dict[tuple[str, str], int]:
    """Add to each published table how many of its records changed since the last check.

    Return the numbers added, by the table's key and the period's name.
    """
    checked_at = products.checked_at(session, centre_id)
    changes: list[tuple[str, dt.date, int]] = []
    if checked_at:
        # A little earlier than the last check: a transaction that was open then was not seen.
        # Counting one twice only recounts sooner.
        changes = _list_changes(session, centre_id, checked_at - OVERLAP)
    late_by_table: dict[tuple[str, str], int] = {}
    for table in tables:
        period = periods.parse(table.period)
        table_form = specs_by_key[table.key].dataset.form
        late = 0
        for form, day, number in changes:
            if form == table_form and period.first <= day <= period.last:
                late += number
        if late:
            late_by_table[table.key, table.period] = late
    with WriteTransaction(session):
        for (key, name), late in late_by_table.items():
            datasets.count_late_records(session, centre_id, key, name, late)
        # In the same transaction as the counts: else changes could be lost or counted twice.
        products.save_check_time(session, centre_id, now)
    return late_by_table


def _list_changes(session: Session, centre_id: int, since: dt.datetime) -> list[tuple[str, dt.date, int]]:
    """Return (form, day, number) of records that changed since a moment.

    Among them, though nobody touched them: records of a person whose consent fell since then, and records whose
    follow-ups came since then.
    """
    fallen = standing.list_lowered_since(session, centre_id, since)
    return [
        *records.changed_since(session, centre_id, since),
        *records.of_persons_before(session, centre_id, fallen, since),
        *records.followed_since(session, centre_id, since),
    ]


@dataclass
class _Counting:
    """A table of a period that is being counted."""

    period: Period
    counter: CellCounter
    records: int = 0

    def add(self, day: dt.date, unit: str, row: Mapping[str, str]) -> None:
        self.counter.add(unit, row, day.isoformat())
        self.records += 1


def count_tables(
    reader: RecordReader, centre: Centre, jobs: Iterable[Job], states: Mapping[tuple[str, str], PublishedCountsView]
) -> list[TableCount]:
    """Count tables of periods, reading the records of each form once."""
    secret = bytes.fromhex(centre.table_secret)
    countings = {(period.name, spec.key): _Counting(period, CellCounter(spec, secret)) for period, spec in jobs}
    by_form: dict[str, list[_Counting]] = {}
    for counting in countings.values():
        by_form.setdefault(counting.counter.spec.dataset.form, []).append(counting)
    for form, form_countings in sorted(by_form.items()):
        _count_form(reader, centre, form, form_countings)
    return [_publish(counting, states, secret) for counting in countings.values()]


def _count_form(reader: RecordReader, centre: Centre, form: str, countings: Sequence[_Counting]) -> None:
    first = min(counting.period.first for counting in countings)
    last = max(counting.period.last for counting in countings)
    countings_by_day: dict[dt.date, list[_Counting]] = {}
    for day, unit, row in iterate_rows(reader, centre, form, first, last):
        # Each day is looked up once: thousands of records share it, and there are hundreds of
        # tables and periods.
        if day not in countings_by_day:
            countings_by_day[day] = [
                counting for counting in countings if counting.period.first <= day <= counting.period.last
            ]
        for counting in countings_by_day[day]:
            counting.add(day, unit, row)


def _publish(counting: _Counting, states: Mapping[tuple[str, str], PublishedCountsView], secret: bytes) -> TableCount:
    tallies = counting.counter.counted()
    return _protect(counting.counter.spec, counting.period, tallies, states, secret, counting.records)


def _protect(
    spec: TableSpec,
    period: Period,
    tallies: Mapping[Cell, Tally],
    states: Mapping[tuple[str, str], PublishedCountsView],
    secret: bytes,
    records_read: int,
) -> TableCount:
    """Return what to publish; cells that changed too little keep their earlier text."""
    state = states.get((spec.key, period.name))
    before = None
    if state is not None:
        before = {tuple(cell): (number, text) for cell, number, text in state.cells}
    protection = make_protection(spec, PUBLIC_THRESHOLD, secret, period)
    return TableCount(spec, period, publish_counts(tallies, before, protection), records_read)


def make_reader(session: Session, centre: Centre, catalogue: DatasetCatalogue, now: dt.datetime) -> RecordReader:
    """Return a reader of the centre's records as they are, with people's standing consent."""
    return RecordReader(session, centre.id, catalogue.definitions, Standings(session, centre.id), now)


def iterate_rows(
    reader: RecordReader, centre: Centre, form: str, first: dt.date, last: dt.date
) -> Iterator[tuple[dt.date, str, dict[str, str]]]:
    """Yield (day, unit, answers) of a form's records in a span.

    `unit` names the record, the same each time. RECEIVED in the answers is the day it arrived, in the
    centre's time zone.
    """
    zone = zoneinfo.ZoneInfo(centre.time_zone)
    for read in reader.iterate(form, first, last):
        read.event[RECEIVED] = read.record.received_at.astimezone(zone).date().isoformat()
        yield read.record.day, read.record.unit, read.event


@act("tables.count")
def _save_counts(ctx: ActContext, counted: Sequence[TableCount], standings: Standings) -> None:
    # Inside the transaction that saves: from here on nobody can take consent back unseen.
    standings.check(ctx.session)
    for table in counted:
        cells = [[list(cell), number, text] for cell, (number, text) in sorted(table.published.items())]
        datasets.save_counts(ctx.session, ctx.centre_id, table.spec.key, table.period.name, cells, ctx.now, table.records)
    ctx.describe(f"centre/{ctx.centre_id}", tables=len(counted))


@dataclass(frozen=True)
class PublishedTexts:
    """What is published of a table for a period.

    `texts`: by cell, such as "40" or "<25". `revision`: how often the period was revised.
    """

    texts: dict[Cell, str]
    revision: int


def load_published_texts(
    session: Session, centre_id: int, specs: Iterable[TableSpec]
) -> dict[tuple[str, str], PublishedTexts]:
    """Return what is published, by the table's key and the period's name."""
    published = {}
    for row in datasets.published_tables(session, centre_id, [spec.key for spec in specs]):
        texts = {tuple(cell): text for cell, _, text in row.cells}
        published[row.key, row.period] = PublishedTexts(texts, row.revision)
    return published
