"""Hot spots for front-line staff: by area and by time, and a plan for one night.

No points and no people are in a map. Its windows end every four weeks, and are sums of frozen weeks: two editions that
overlap by less would tell by their difference what was in a week.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evaluator_export import periods
from evaluator_export.datasets.recipe import TableSpec
from evaluator_export.periods import Period
from evaluator_export.policy.hierarchies import ALL, OTHER
from evaluator_export.products import expectation, hot_spots, night_map
from evaluator_export.products.expectation import NIGHTS, Place, Seen
from evaluator_export.products.night_map import Plan, Window
from evaluator_export.tables.pieces import Sum, show_sum
from evaluator_export.tables.protected_counts import (
    PUBLIC_THRESHOLD,
    TOTAL,
    Cell,
    Protection,
    find_least_shown,
    make_protection,
)
from fieldapp.services.forms.roles import find_area_list, list_areas
from fieldapp.services.products import pieces
from fieldapp.services.products.catalogue import Product
from fieldapp.services.products.content import LANGUAGES, EditionContent
from fieldapp.services.products.outlines import UNIT, build_shapes
from fieldapp.services.products.staff_tables import CELLS, LAYERS, list_map_specs
from fieldapp.services.releases.datasets import load_catalogue
from fieldapp.store.forms import areas
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.records import records
from fieldapp.store.session import Session
from forms.definition import Choice
from forms.lists import in_language

NOWHERE = ("", OTHER, ALL)
WEEKS = {"hot_spots_week": 4, "hot_spots_month": 12}
# Of a plan: the shortest with enough records. All are whole blocks, so that no two windows differ by less than one, and
# none is of two: with one block shown beside, it would prove of one small block in ten that somebody is in it.
PLAN_WEEKS = (4, 12, 24, 52)
BLOCK = 4  # weeks between the ends of two windows
FIRST_LINE = dt.date(1970, 1, 5)  # a Monday: every BLOCK weeks from here a window may end
FLOOR = 5  # staff see finer places and times than the public, but no count under this
SURER = 0.99
BANDS = ("00h-04h", "04h-08h", "08h-12h", "12h-16h", "16h-20h", "20h-00h")

Table = Mapping[Cell, str]  # a protected table: what each cell shows as


def build_hot_spots(session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime) -> EditionContent:
    """Return a map's numbers: rounded, none under 10, none of a single day."""
    centre = centres.get(session, centre_id)
    specs = list_map_specs(load_catalogue(session, centre_id))
    first_day = records.first_day(session, centre_id) or period.first
    line = find_line(period.last)
    # Up to the period itself, though no window reaches so far yet: late records must not be in them then.
    longest = _list_weeks(period.last, 2 * max(PLAN_WEEKS) + BLOCK)
    pieces.freeze(session, centre, specs.values(), _list_since(longest, first_day), now)
    weeks = WEEKS[product.name]
    spans = _list_weeks(line, weeks)
    tables = _show_tables(session, centre, specs, spans)
    # The span before has as many days and the same weekdays, so the two can be compared.
    before = _show_tables(session, centre, specs, _list_weeks(spans[0].first - dt.timedelta(days=1), weeks))
    outlines = areas.get(session, centre_id, find_area_list(session, centre_id))
    planner = _Planner(session, centre, line, first_day)
    layers = []
    for layer in LAYERS:
        if f"spots_{layer}" in specs and f"times_{layer}" in specs:
            numbers = _make_layer(layer, tables, before)
            layers.append({**numbers, "plan": planner.make(specs[f"nights_{layer}"])})
    shapes = build_shapes(json.loads(outlines.outlines)) if outlines else {}
    cells: list[str] = []
    if CELLS in specs:
        cell_layer = _make_cell_layer(tables[CELLS], before[CELLS])
        cells = list(cell_layer["areas"])
        # Counts by cell are left out where no dataset of the centre has cells.
        if cells:
            layers.append(cell_layer)
    area_names = {choice.name: _label_area(choice) for choice in list_areas(session, centre_id)}
    body = {
        "format": 2,
        "period": spans[-1].name,
        "first": str(spans[0].first),
        "last": str(line),
        "threshold": find_least_shown(FLOOR),
        "bands": list(BANDS),
        "outlines": outlines.sha256 if outlines else "",
        "layers": layers,
        "cells": {cell: [_make_ring(cell)] for cell in cells},
        "names": area_names | _name_cells(cells, shapes, area_names),
    }
    return EditionContent(body)


def find_line(day: dt.date) -> dt.date:
    """Return the last day of the newest block of weeks that ended by a day."""
    weeks = (day + dt.timedelta(days=1) - FIRST_LINE).days // 7
    return FIRST_LINE + dt.timedelta(weeks=weeks // BLOCK * BLOCK, days=-1)


def _list_weeks(last: dt.date, number: int) -> list[Period]:
    """Return so many weeks up to a Sunday, the oldest first."""
    days = [last - dt.timedelta(weeks=back) for back in reversed(range(number))]
    return [periods.find_containing(day, "week") for day in days]


def _list_since(spans: Sequence[Period], day: dt.date) -> list[Period]:
    return [span for span in spans if span.last >= day]


def _protect(spec: TableSpec, centre: Centre) -> Protection:
    return make_protection(spec, PUBLIC_THRESHOLD, bytes.fromhex(centre.table_secret))


def _show_tables(
    session: Session, centre: Centre, specs: Mapping[str, TableSpec], spans: Sequence[Period]
) -> dict[str, dict[Cell, str]]:
    """Return what the tables of a map show of some weeks, but those that are never shown."""
    texts = {}
    some = [spec for name, spec in specs.items() if not name.startswith("nights_")]
    for name, sums in pieces.sum_tables(session, centre.id, some, spans).items():
        protection = _protect(specs[name], centre)
        texts[name] = {cell: show_sum(cell_sum, specs[name].days, protection) for cell, cell_sum in sums.items()}
    return texts


class _Planner:
    """Makes the plan of each layer of a map that ends with a line."""

    def __init__(self, session: Session, centre: Centre, line: dt.date, first_day: dt.date):
        self.session = session
        self.centre = centre
        self.line = line
        self.first_day = first_day

    def make(self, spec: TableSpec) -> dict[str, Any]:
        """Return the plan from the shortest window with enough records."""
        protection = _protect(spec, self.centre)

        def show(seen: Seen) -> int | None:
            text = show_sum(Sum(seen.count, seen.keys, seen.days), spec.days, protection)
            return int(text) if text.isdecimal() else None

        for weeks in PLAN_WEEKS:
            spans = _list_weeks(self.line, weeks)
            window = self._load(spec, spans)
            plan = night_map.make_plan(window, None, show)
            # Older than the records: a longer one has no more.
            if plan.reason != night_map.NO_RECORDS or spans[0].first <= self.first_day:
                break
        earlier = _list_weeks(spans[0].first - dt.timedelta(days=1), weeks)
        if earlier[0].first >= self.first_day:
            plan = night_map.make_plan(window, self._load(spec, earlier), show)
        return _write_plan(plan, spans)

    def _load(self, spec: TableSpec, spans: Sequence[Period]) -> Window:
        sums = pieces.sum_tables(self.session, self.centre.id, [spec], spans)[spec.name]
        hours, clear = pieces.sum_hours(self.session, self.centre.id, spans)
        return night_map.make_window(sums, hours, clear, NOWHERE)


def _write_plan(plan: Plan, spans: Sequence[Period]) -> dict[str, Any]:
    return {
        "weeks": len(spans),
        "first": str(spans[0].first),
        "last": str(spans[-1].last),
        "total": plan.total,
        "reason": plan.reason,
        "places": [_write_place(place) for place in expectation.list_raised(plan.places)],
        "states": {night: expectation.describe_areas(plan.places, night) for night in NIGHTS},
        "changed": plan.changed,
    }


def _write_place(place: Place) -> dict[str, Any]:
    """Return a place as a page shows it.

    Hours are split evenly over areas, so they are about right at most.
    """
    nights = {night for _, night, _ in place.spots}
    bands = {band for _, _, band in place.spots}
    return {
        "area": place.spots[0][0],
        "nights": sorted(nights),
        "bands": [band for band in expectation.BANDS if band in bands],
        "n": place.count,
        "hours": round(place.hours),
        "expected": round(place.expected),
        "surer": place.chance >= SURER,
    }


def _label_area(choice: Choice) -> dict[str, str]:
    return {language: in_language(choice.label, language) or choice.name for language in LANGUAGES}


def _make_layer(layer: str, tables: Mapping[str, Table], tables_before: Mapping[str, Table]) -> dict[str, Any]:
    spots = tables[f"spots_{layer}"]
    before = tables_before[f"spots_{layer}"]
    when = tables[f"when_{layer}"]
    counts = {code: count for code, count in _read_counts(spots).items() if code}
    earlier = {code: count for code, count in _read_counts(before).items() if code}
    return {
        "id": layer,
        "title": LAYERS[layer],
        "total": spots.get(TOTAL, ""),
        "before": before.get(TOTAL, ""),
        "areas": {code: {"n": counts.get(code), "was": earlier.get(code)} for code in sorted({*counts, *earlier})},
        "times": list(_iterate_times(tables[f"times_{layer}"])),
        "when": list(_iterate_when(when)),
        "busy": [list(time) for time in hot_spots.find_busy_times(when)],
    }


def _iterate_when(when: Table) -> Iterator[list[Any]]:
    """Yield [weekday, band, count] over all areas, where the count is shown."""
    for cell, text in sorted(when.items()):
        if len(cell) == 2 and all(cell) and text.isdecimal():
            yield [*cell, int(text)]


def _read_counts(table: Table) -> dict[str, int]:
    """Return the counts that are shown, by the first label of their cell."""
    return {cell[0]: int(text) for cell, text in table.items() if cell != TOTAL and text.isdecimal()}


def _iterate_times(times: Table) -> Iterator[list[Any]]:
    """Yield [area, weekday, band, count] where all three are known and the count is shown."""
    for cell, text in sorted(times.items()):
        if len(cell) == 3 and all(cell) and text.isdecimal():
            yield [*cell, int(text)]


def _make_cell_layer(spots: Table, before: Table) -> dict[str, Any]:
    """Return the layer of H3 cells: counts only.

    Cells that hold too little are left out, so there is no whole to compare a cell with.
    """
    # Unknown places are no cell on a map.
    counts = {code: count for code, count in _read_counts(spots).items() if code not in NOWHERE}
    earlier = _read_counts(before)
    return {
        "id": "cells",
        "title": {"en": "Encounters by cell", "fr": "Rencontres selon la maille"},
        "total": spots.get(TOTAL, ""),
        "before": before.get(TOTAL, ""),
        "areas": {code: {"n": count, "was": earlier.get(code)} for code, count in sorted(counts.items())},
        "times": [],
        "when": [],
        "busy": [],
    }


def _name_cells(
    cells: Sequence[str], shapes: Mapping[str, Any], area_names: Mapping[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """Return what to call each cell: the area in which its middle lies, and a number."""
    import h3  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    names = {}
    cells_by_area: dict[str, int] = {}
    for cell in cells:
        latitude, longitude = h3.cell_to_latlng(cell)
        middle = shapely.Point(longitude, latitude)
        area = next((code for code, shape in shapes.items() if shape.contains(middle)), "")
        number = cells_by_area.get(area, 0) + 1
        # A name and a number, as cells have no name of their own, and their codes say nothing to
        # anybody.
        cells_by_area[area] = number
        words = area_names.get(area, {"en": "Outside", "fr": "Dehors"})
        names[cell] = {language: f"{text} {number}" for language, text in words.items()}
    return names


def _make_ring(cell: str) -> list[int]:
    """Return the corners of an H3 cell as outlines are written, in 0.00001 degrees.

    Longitude and latitude of the first corner, then the steps from each corner to the next.
    """
    import h3  # noqa: PLC0415

    steps: list[int] = []
    before = (0, 0)
    for latitude, longitude in h3.cell_to_boundary(cell):
        corner = (round(longitude * UNIT), round(latitude * UNIT))
        steps += [corner[0] - before[0], corner[1] - before[1]]
        before = corner
    return steps
