"""Freeze the weeks and months that maps are sums of, and follow consent in them.

A piece is counted once, some days after its end. Then no late record enters it, or two editions would tell by their
difference that something was added, where and when. Decision 38 says how this goes together with a no.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence

from evaluator_export import periods
from evaluator_export.datasets.recipe import TableSpec
from evaluator_export.periods import Period
from evaluator_export.products.expectation import MOST_AREAS, Spot, measure_shift, split_shift
from evaluator_export.tables.pieces import Allowed, Piece, PieceCounter, Sum, add_pieces
from evaluator_export.tables.protected_counts import Cell, CellCounter, record_key
from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.consent.standing import TRIES, ConsentFell, Standings
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products.staff_tables import list_grid_specs, list_map_specs
from fieldapp.services.products.tables import OVERLAP, get_local_today, iterate_rows, make_reader
from fieldapp.services.releases.datasets import DatasetCatalogue, load_catalogue
from fieldapp.services.releases.gathering.answers import RecordReader
from fieldapp.store.consent import standing
from fieldapp.store.consent.erased_bytes import note_erased
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.products import pieces as store
from fieldapp.store.products.pieces import FrozenPiece
from fieldapp.store.session import Session
from forms.roles import FormRole, QuestionRole

AT_ONCE = 8  # periods that are counted in one pass, so that memory does not grow with the years
KEPT_DAYS = 800  # no window reaches back further
MOVED_DAYS = 31  # a record whose day was corrected by more is taken as gone
MANY = 20  # records of a period that must have changed before it is counted again
LEAST_REASON = 10  # characters
HOURS = "hours"  # the key of what is not a table: hours of shifts
SHIFT_ROLES = (QuestionRole.SHIFT_START, QuestionRole.SHIFT_END, QuestionRole.SHIFT_AREAS)

Job = tuple[Period, TableSpec]
Bodies = dict[tuple[str, str], dict[str, object]]  # by key and period


def freeze(session: Session, centre: Centre, specs: Iterable[TableSpec], spans: Sequence[Period], now: dt.datetime) -> None:
    """Freeze the pieces of some tables, and the hours of shifts, that are not there yet."""
    take_back(session, centre.id, now)
    frozen = store.list_frozen(session, centre.id)
    tables = list(specs)
    catalogue = load_catalogue(session, centre.id)
    for first in range(0, len(spans), AT_ONCE):
        pairs = itertools.product(spans[first : first + AT_ONCE], tables)
        jobs = [(span, spec) for span, spec in pairs if (spec.key, span.name) not in frozen]
        if jobs:
            _freeze_until_consent_holds(session, centre, catalogue, jobs, now)


def _freeze_until_consent_holds(
    session: Session, centre: Centre, catalogue: DatasetCatalogue, jobs: Sequence[Job], now: dt.datetime
) -> None:
    for tries_left in reversed(range(TRIES)):
        reader = make_reader(session, centre, catalogue, now)
        bodies = _count_jobs(reader, centre, jobs)
        try:
            _save_pieces(session, Actor.system(centre.id), bodies, reader.standings)
        # Somebody took consent back between reading and saving; what was counted includes them.
        except ConsentFell:
            if not tries_left:
                raise
        else:
            return


def _count_jobs(reader: RecordReader, centre: Centre, jobs: Sequence[Job]) -> Bodies:
    """Return the pieces of tables in periods, reading the records of each form once."""
    secret = bytes.fromhex(centre.table_secret)
    counters = {(spec.key, span.name): (span, PieceCounter(spec, secret)) for span, spec in jobs}
    by_form: dict[str, list[tuple[Period, PieceCounter]]] = {}
    for span, counter in counters.values():
        by_form.setdefault(counter.counter.spec.dataset.form, []).append((span, counter))
    for form, some in sorted(by_form.items()):
        first = min(span.first for span, _ in some)
        last = max(span.last for span, _ in some)
        for day, unit, row in iterate_rows(reader, centre, form, first, last):
            for span, counter in some:
                if span.first <= day <= span.last:
                    counter.add(unit, row, day)
    bodies: Bodies = {name: counter.piece.write() for name, (_, counter) in counters.items()}
    for span in {span.name: span for span, _ in jobs}.values():
        bodies[HOURS, span.name] = _measure_shifts(reader, span)
    return bodies


def _measure_shifts(reader: RecordReader, span: Period) -> dict[str, object]:
    """Return the hours of a period's shifts by area, kind of night and band."""
    hours: dict[Spot, float] = {}
    clear = 0.0
    for form in reader.newest.values():
        if form.role != FormRole.SHIFT:
            continue
        for read in reader.iterate(form.id, span.first, span.last):
            start, end, areas = (form.read_role(read.record.answers, role) for role in SHIFT_ROLES)
            shift = split_shift(areas.split(), measure_shift(start, end))
            for spot, part in shift.items():
                hours[spot] = hours.get(spot, 0.0) + part
            if len(areas.split()) <= MOST_AREAS:
                clear += sum(shift.values())
    return {"hours": [[*spot, round(part, 3)] for spot, part in sorted(hours.items())], "clear": round(clear, 3)}


@act("pieces.freeze")
def _save_pieces(ctx: ActContext, bodies: Bodies, standings: Standings) -> None:
    # Inside the transaction that saves: from here on nobody can take consent back unseen.
    standings.check(ctx.session)
    frozen = store.list_frozen(ctx.session, ctx.centre_id)
    for (key, name), body in sorted(bodies.items()):
        # Once: another scheduler may have frozen it at this moment.
        if (key, name) not in frozen:
            ctx.session.add(_make_piece(ctx, key, name, body))
    store.delete_before(ctx.session, ctx.centre_id, ctx.now.date() - dt.timedelta(days=KEPT_DAYS))
    ctx.describe(f"centre/{ctx.centre_id}", pieces=len(bodies))


def _make_piece(ctx: ActContext, key: str, name: str, body: dict[str, object]) -> FrozenPiece:
    last_day = periods.parse(name).last
    return FrozenPiece(
        centre_id=ctx.centre_id, key=key, period=name, last_day=last_day, frozen_at=ctx.now, checked_at=ctx.now, body=body
    )


# Windows.


def sum_tables(
    session: Session, centre_id: int, specs: Iterable[TableSpec], spans: Iterable[Period]
) -> dict[str, dict[Cell, Sum]]:
    """Return the sums of a window by table and cell; its pieces have to be frozen."""
    names = [span.name for span in spans]
    sums = {}
    for spec in specs:
        rows = store.load(session, centre_id, [spec.key], names)
        sums[spec.name] = add_pieces(Piece.read(row.body) for row in rows)
    return sums


def sum_hours(session: Session, centre_id: int, spans: Iterable[Period]) -> tuple[dict[Spot, float], float]:
    """Return a window's hours by spot, and how many are of shifts in few areas."""
    hours: dict[Spot, float] = {}
    clear = 0.0
    for row in store.load(session, centre_id, [HOURS], [span.name for span in spans]):
        for area, night, band, part in row.body["hours"]:
            hours[area, night, band] = hours.get((area, night, band), 0.0) + part
        clear += row.body["clear"]
    return hours, clear


# A no.


def take_back(session: Session, centre_id: int, now: dt.datetime) -> None:
    """Take out of every piece the records that may not count any more.

    It looks for them if anybody's consent fell. Nothing is counted again: what stays of a piece is what was in it.
    """
    checked_at = store.find_oldest_check(session, centre_id)
    if checked_at is None or not standing.has_fallen_since(session, centre_id, checked_at - OVERLAP):
        return
    centre = centres.get(session, centre_id)
    catalogue = load_catalogue(session, centre_id)
    for tries_left in reversed(range(TRIES)):
        reader = make_reader(session, centre, catalogue, now)
        allowed = _list_allowed(reader, centre, catalogue)
        try:
            _save_taken_back(session, Actor.system(centre_id), allowed, reader.standings)
        except ConsentFell:
            if not tries_left:
                raise
        else:
            return


def _list_specs(catalogue: DatasetCatalogue) -> list[TableSpec]:
    return [*list_map_specs(catalogue).values(), *list_grid_specs(catalogue).values()]


def _list_allowed(reader: RecordReader, centre: Centre, catalogue: DatasetCatalogue) -> dict[str, Allowed]:
    """Return what each table may count now, by the table's key."""
    secret = bytes.fromhex(centre.table_secret)
    today = get_local_today(centre, reader.cut_off)
    first = today - dt.timedelta(days=KEPT_DAYS + MOVED_DAYS)
    counters: dict[str, list[CellCounter]] = {}
    for spec in _list_specs(catalogue):
        counters.setdefault(spec.dataset.form, []).append(CellCounter(spec, secret))
    whole: dict[str, set[int]] = {}
    limited: dict[str, dict[int, frozenset[Cell]]] = {}
    for form, some in sorted(counters.items()):
        for read in reader.iterate(form, first, today + dt.timedelta(days=1)):
            key = record_key(secret, read.record.unit)
            for counter in some:
                spec = counter.spec
                # Of somebody who stands at a no, less is left than was counted; of all others, what was counted
                # stays, whatever was corrected since.
                if read.event is not read.row:
                    limited.setdefault(spec.key, {})[key] = frozenset(counter.list_cells_of(read.event))
                elif spec.counts(read.event):
                    whole.setdefault(spec.key, set()).add(key)
    return {key: Allowed(whole.get(key, set()), limited.get(key, {})) for key in {*whole, *limited}}


@act("pieces.take_back")
def _save_taken_back(ctx: ActContext, allowed: Mapping[str, Allowed], standings: Standings) -> None:
    standings.check(ctx.session)
    count = 0
    for row in store.load_all(ctx.session, ctx.centre_id):
        row.checked_at = ctx.now
        if row.key == HOURS:
            continue  # of staff; nobody whom the program serves is in them
        piece = Piece.read(row.body)
        # A table that is not counted any more has nothing that it may keep.
        remaining = piece.keep(allowed.get(row.key, Allowed()))
        if remaining != piece:
            row.body = remaining.write()
            count += 1
    if count:
        note_erased(ctx.session, ctx.now)
    ctx.describe(f"centre/{ctx.centre_id}", pieces=count)


# A bulk error.


@act("pieces.count_again")
def count_again(ctx: ActContext, name: str, why: str) -> None:
    """Count a frozen week or month again, because many of its records were wrong or missing.

    Raise ActProblem without a reason, for a period that is not frozen, or when fewer than MANY records changed: then
    one of them could be seen in the difference. Editions that were shown stay.
    """
    if len(why.strip()) < LEAST_REASON:
        raise ActProblem("pieces.why", N_("Say in a few words why it is counted again."))
    span = periods.parse(name)
    centre = centres.get(ctx.session, ctx.centre_id)
    catalogue = load_catalogue(ctx.session, ctx.centre_id)
    specs = {spec.key: spec for spec in _list_specs(catalogue)}
    rows = {row.key: row for row in store.load(ctx.session, ctx.centre_id, [*specs, HOURS], [span.name])}
    if not rows:
        raise ActProblem("pieces.none", N_("{period} is in no map yet."), {"period": span.name})
    reader = make_reader(ctx.session, centre, catalogue, ctx.now)
    bodies = _count_jobs(reader, centre, [(span, specs[key]) for key in rows if key != HOURS])
    changes = [_count_changes(row, bodies[key, span.name]) for key, row in rows.items() if key != HOURS]
    if max(changes, default=0) < MANY:
        text = N_("Fewer than {many} records of {period} changed, so it stays: each could be seen in the difference.")
        raise ActProblem("pieces.few", text, {"many": str(MANY), "period": span.name})
    for key, row in rows.items():
        row.body = {**bodies[key, span.name], "why": why.strip()}
        row.frozen_at = ctx.now
    ctx.describe(f"centre/{ctx.centre_id}", period=span.name, pieces=len(rows))


def _count_changes(row: FrozenPiece, body: Mapping[str, object]) -> int:
    """Return how many records are in one of two pieces only."""
    return len(Piece.read(row.body).keys ^ Piece.read(body).keys)
