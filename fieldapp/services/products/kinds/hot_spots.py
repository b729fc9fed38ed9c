"""Hot spots for front-line staff: by area and by time, beside the span before.

No points and no people are in a map.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from evaluator_export.datasets.recipe import Audience
from evaluator_export.periods import Period
from evaluator_export.policy.hierarchies import ALL, OTHER
from evaluator_export.products import hot_spots
from evaluator_export.tables.protected_counts import TOTAL, Cell, find_least_shown
from fieldapp.services.forms.roles import find_area_list, list_areas
from fieldapp.services.products.catalogue import Product
from fieldapp.services.products.content import LANGUAGES, EditionContent
from fieldapp.services.products.outlines import UNIT, build_shapes
from fieldapp.services.products.tables import count_span, list_table_specs, make_reader
from fieldapp.services.releases.datasets import load_catalogue
from fieldapp.store.forms import areas
from fieldapp.store.operations import centres
from fieldapp.store.session import Session
from forms.definition import Choice
from forms.lists import in_language

CELLS = "cells_encounters"
NOWHERE = ("", OTHER, ALL)
DAYS = {"week": 28, "month": 91}  # whole weeks, so that every weekday is there as often
FLOOR = 5  # staff see finer places and times than the public, but no count under this
LAYERS = {
    "encounters": {"en": "Encounters", "fr": "Rencontres"},
    "mediations": {"en": "Mediations", "fr": "Médiations"},
    "incidents": {"en": "Critical incidents", "fr": "Incidents critiques"},
}
BANDS = ("00h-04h", "04h-08h", "08h-12h", "12h-16h", "16h-20h", "20h-00h")

Table = Mapping[Cell, str]  # a protected table: what each cell shows as


def build_hot_spots(session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime) -> EditionContent:
    """Return a map's numbers: rounded, none under 10, none of a single day.

    Hot and cold spots need outlines of the areas; without them there are numbers only.
    """
    centre = centres.get(session, centre_id)
    catalogue = load_catalogue(session, centre_id)
    days = dt.timedelta(days=DAYS[product.cadence])
    last = period.last
    first = last - days + dt.timedelta(days=1)
    specs = list_table_specs(catalogue, Audience.STAFF, list(_iterate_table_names()))
    reader = make_reader(session, centre, catalogue, now)
    tables = count_span(reader, centre, specs.values(), first, last)
    # Times of day are shown for this span only, so they are not counted for the one before.
    compared = [spec for name, spec in specs.items() if name.startswith("spots") or name == CELLS]
    # The span before has as many days and the same weekdays, so the two can be compared.
    before = count_span(reader, centre, compared, first - days, last - days)
    outlines = areas.get(session, centre_id, find_area_list(session, centre_id))
    shapes: dict[str, Any] = {}
    neighbours: dict[str, list[str]] = {}
    outlines_hash = ""
    if outlines:
        outlines_hash = outlines.sha256
        shapes = build_shapes(json.loads(outlines.outlines))
        neighbours = hot_spots.find_neighbours(shapes)
    layers = list(_iterate_layers(tables, before, neighbours))
    cells: list[str] = []
    if CELLS in specs:
        cell_layer = _make_cell_layer(tables[CELLS], before[CELLS])
        cells = list(cell_layer["areas"])
        # Counts by cell are left out where no dataset of the centre has cells.
        if cells:
            layers.append(cell_layer)
    area_names = {choice.name: _label_area(choice) for choice in list_areas(session, centre_id)}
    body = {
        "format": 1,
        "period": period.name,
        "first": str(first),
        "last": str(last),
        "threshold": find_least_shown(FLOOR),
        "bands": list(BANDS),
        "outlines": outlines_hash,
        "layers": layers,
        "cells": {cell: [_make_ring(cell)] for cell in cells},
        "names": area_names | _name_cells(cells, shapes, area_names),
    }
    return EditionContent(body)


def _iterate_table_names() -> Iterator[str]:
    for layer in LAYERS:
        yield f"spots_{layer}"
        yield f"times_{layer}"
        yield f"when_{layer}"
    yield CELLS


def _label_area(choice: Choice) -> dict[str, str]:
    return {language: in_language(choice.label, language) or choice.name for language in LANGUAGES}


def _iterate_layers(
    tables: Mapping[str, Table], before: Mapping[str, Table], neighbours: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, Any]]:
    """Yield the layers whose two tables can be counted here."""
    for layer in LAYERS:
        spots = f"spots_{layer}"
        times = f"times_{layer}"
        if spots in tables and times in tables:
            yield _make_layer(layer, tables[spots], before[spots], tables[times], tables[f"when_{layer}"], neighbours)


def _make_layer(
    layer: str, spots: Table, before: Table, times: Table, when: Table, neighbours: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    counts = {code: count for code, count in _read_counts(spots).items() if code}
    earlier = {code: count for code, count in _read_counts(before).items() if code}
    kinds: dict[str, str] = {}
    if neighbours:
        values = {code: float(count) for code, count in counts.items()}
        # Without outlines nobody knows which areas are neighbours, and nothing can be said of
        # chance.
        kinds = hot_spots.classify_areas(values, _keep_served(neighbours, {*counts, *earlier}))
    return {
        "id": layer,
        "title": LAYERS[layer],
        "total": spots.get(TOTAL, ""),
        "before": before.get(TOTAL, ""),
        "areas": {
            code: {"n": counts.get(code), "was": earlier.get(code), "spot": kinds.get(code, "")}
            for code in sorted({*counts, *earlier, *kinds})
        },
        "times": list(_iterate_times(times)),
        "when": list(_iterate_when(when)),
        "busy": [list(time) for time in hot_spots.find_busy_times(when)],
    }


def _keep_served(neighbours: Mapping[str, Sequence[str]], served: Set[str]) -> dict[str, list[str]]:
    """Return who borders whom among the areas that the centre serves.

    Beside areas where nobody works each of them would look hot.
    """
    bordering = {}
    for area, others in neighbours.items():
        if area in served:
            bordering[area] = [other for other in others if other in served]
    return bordering


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
        "areas": {code: {"n": count, "was": earlier.get(code), "spot": ""} for code, count in sorted(counts.items())},
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
