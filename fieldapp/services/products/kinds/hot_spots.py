"""Hot spots for front-line staff: by neighbourhood, by day and time, against the time before; no points, no people."""

import datetime as dt
import json
from typing import Any

from evaluator_export.datasets.recipe import Audience
from evaluator_export.periods import Period
from evaluator_export.policy.hierarchies import ALL, OTHER
from evaluator_export.products import hot_spots
from evaluator_export.tables.protected_counts import TOTAL, Cell
from fieldapp.services.forms.roles import find_area_list, list_areas
from fieldapp.services.products.catalogue import Product
from fieldapp.services.products.outlines import UNIT, shapes_of
from fieldapp.services.products.tables import count_span, list_table_specs, make_reader
from fieldapp.services.releases.datasets import load_catalogue
from fieldapp.store.forms import areas
from fieldapp.store.operations import centres
from fieldapp.store.session import Session
from forms.lists import in_language

CELLS = "cells_encounters"
NOWHERE = ("", OTHER, ALL)
DAYS = {"week": 28, "month": 91}  # whole weeks, so that every weekday is there as often
LAYERS = {
    "encounters": {"en": "Encounters", "fr": "Rencontres"},
    "mediations": {"en": "Mediations", "fr": "Médiations"},
    "incidents": {"en": "Critical incidents", "fr": "Incidents critiques"},
}
BANDS = ("00h-04h", "04h-08h", "08h-12h", "12h-16h", "16h-20h", "20h-00h")


def build(
    session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return a map's numbers: rounded, none under 5, none of a single day. Hot and cold spots need outlines of the areas."""
    centre, known = centres.get(session, centre_id), load_catalogue(session, centre_id)
    days = dt.timedelta(days=DAYS[product.cadence])
    last = period.last
    first = last - days + dt.timedelta(days=1)
    names = [f"{kind}_{layer}" for layer in LAYERS for kind in ("spots", "times")] + [CELLS]
    specs = list_table_specs(known, Audience.STAFF, names)
    reader = make_reader(session, centre, known, now)
    tables = count_span(reader, centre, specs.values(), first, last)
    spots = [spec for name, spec in specs.items() if name.startswith("spots") or name == CELLS]
    before = count_span(reader, centre, spots, first - days, last - days)
    kept = areas.get(session, centre_id, find_area_list(session, centre_id))
    shapes = shapes_of(json.loads(kept.outlines)) if kept else {}
    neighbours = hot_spots.find_neighbours(shapes) if shapes else {}
    layers = [
        _layer(layer, tables[f"spots_{layer}"], before[f"spots_{layer}"], tables[f"times_{layer}"], neighbours)
        for layer in LAYERS
        if f"spots_{layer}" in specs and f"times_{layer}" in specs
    ]
    cells = _cells(tables[CELLS], before[CELLS]) if CELLS in specs else {"areas": {}}
    if cells["areas"]:
        layers.append(cells)
    named = {
        choice.name: {code: in_language(choice.label, code) or choice.name for code in ("en", "fr")}
        for choice in list_areas(session, centre_id)
    }
    return {
        "format": 1,
        "period": period.name,
        "first": str(first),
        "last": str(last),
        "threshold": 5,
        "bands": list(BANDS),
        "outlines": kept.sha256 if kept else "",
        "layers": layers,
        "cells": {cell: [_ring(cell)] for cell in cells["areas"]},
        "names": named | _cell_names(list(cells["areas"]), shapes, named),
    }, {}


def _cells(now: dict[Cell, str], before: dict[Cell, str]) -> dict[str, Any]:
    """Return the layer of H3 cells: counts alone, since cells that hold too little are not there to compare with."""
    shown = {
        cell[0]: int(text) for cell, text in now.items() if cell != TOTAL and text.isdecimal() and cell[0] not in NOWHERE
    }
    earlier = {cell[0]: int(text) for cell, text in before.items() if cell != TOTAL and text.isdecimal()}
    return {
        "id": "cells",
        "title": {"en": "Encounters by cell", "fr": "Rencontres selon la maille"},
        "total": now.get(TOTAL, ""),
        "before": before.get(TOTAL, ""),
        "areas": {cell: {"n": number, "was": earlier.get(cell), "spot": ""} for cell, number in sorted(shown.items())},
        "times": [],
        "go": [],
    }


def _cell_names(cells: list[str], shapes: dict[str, Any], named: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return what to call each cell: the area in which its middle lies, and a number."""
    import h3  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    found, counts = {}, dict[str, int]()
    for cell in cells:
        latitude, longitude = h3.cell_to_latlng(cell)
        middle = shapely.Point(longitude, latitude)
        area = next((code for code, shape in shapes.items() if shape.contains(middle)), "")
        counts[area] = counts.get(area, 0) + 1
        words = named.get(area, {"en": "Outside", "fr": "Dehors"})
        found[cell] = {code: f"{text} {counts[area]}" for code, text in words.items()}
    return found


def _ring(cell: str) -> list[int]:
    """Return the corners of an H3 cell as outlines are written: longitude and latitude, then steps, in 0.00001 degrees."""
    import h3  # noqa: PLC0415

    steps: list[int] = []
    at = (0, 0)
    for latitude, longitude in h3.cell_to_boundary(cell):
        corner = (round(longitude * UNIT), round(latitude * UNIT))
        steps += [corner[0] - at[0], corner[1] - at[1]]
        at = corner
    return steps


def _layer(
    layer: str, spots: dict[Cell, str], before: dict[Cell, str], times: dict[Cell, str], neighbours: dict[str, list[str]]
) -> dict[str, Any]:
    counts = {cell[0]: int(text) for cell, text in spots.items() if cell != TOTAL and text.isdecimal() and cell[0]}
    earlier = {cell[0]: int(text) for cell, text in before.items() if cell != TOTAL and text.isdecimal() and cell[0]}
    kinds = (
        hot_spots.classify_areas({code: float(number) for code, number in counts.items()}, neighbours) if neighbours else {}
    )
    return {
        "id": layer,
        "title": LAYERS[layer],
        "total": spots.get(TOTAL, ""),
        "before": before.get(TOTAL, ""),
        "areas": {
            code: {"n": counts.get(code), "was": earlier.get(code), "spot": kinds.get(code, "")}
            for code in sorted({*counts, *earlier, *kinds})
        },
        "times": [
            [*cell, int(text)] for cell, text in sorted(times.items()) if len(cell) == 3 and text.isdecimal() and all(cell)
        ],
        "go": [list(one) for one in hot_spots.list_busiest_times(times)],
    }
