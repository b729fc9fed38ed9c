"""Heat maps as a workbook: pairs of dimensions over twelve months, and months by years."""

import datetime as dt
import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from evaluator_export.datasets.recipe import Audience, TableSpec
from evaluator_export.labels import Labels
from evaluator_export.periods import Period, find_containing
from evaluator_export.products.cross_tab import CrossTab, make_cross_tab
from evaluator_export.tables.pieces import show_sum
from evaluator_export.tables.protected_counts import PUBLIC_THRESHOLD, TOTAL, find_least_shown, make_protection
from fieldapp.services.products import pieces
from fieldapp.services.products.catalogue import Product
from fieldapp.services.products.content import LANGUAGES, EditionContent
from fieldapp.services.products.staff_tables import list_grid_specs
from fieldapp.services.products.tables import count_due_tables, get_floor, list_table_specs, load_published_texts
from fieldapp.services.releases.datasets import hierarchy_words, load_catalogue
from fieldapp.store.operations import centres
from fieldapp.store.session import Session

MONTHS = 12
BY_YEAR = "encounters_by_type"
NOT_YET = ""
BEFORE = "–"
TITLE = {"en": "Encounters by month and year", "fr": "Rencontres selon le mois et l’année"}

LabelValue = Callable[[CrossTab, int, str, str], str]  # grid, position of its heading, value, language


def build_heat_map(session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime) -> EditionContent:
    """Return the grids of twelve months up to `period`, and a workbook for each language."""
    centre = centres.get(session, centre_id)
    centre_name = centre.name
    from evaluator_export.formats import heat_map  # noqa: PLC0415  heavy, and needed when one is built only

    catalogue = load_catalogue(session, centre_id)
    months = _list_months(period)
    first = months[0]
    specs = list_grid_specs(catalogue)
    # Months that were frozen, so that no late record shows in the difference of two editions.
    pieces.freeze(session, centre, specs.values(), months, now)
    grids = []
    secret = bytes.fromhex(centre.table_secret)
    for name, sums in pieces.sum_tables(session, centre_id, specs.values(), months).items():
        spec = specs[name]
        protection = make_protection(spec, PUBLIC_THRESHOLD, secret)
        texts = {cell: show_sum(cell_sum, spec.days, protection) for cell, cell_sum in sums.items()}
        grids.append(make_cross_tab(spec, texts, get_floor(spec)))
    grids.append(_make_grid_by_year(session, centre_id, period, now))
    label = functools.partial(_label_value, Labels(catalogue.definitions, hierarchy_words()), specs)
    span = f"{first.name} – {period.name}"
    # Not the present moment: the same numbers must give the same bytes, or each build would be a new edition.
    built_at = dt.datetime.combine(period.last, dt.time(), dt.UTC)
    files = {}
    for language in LANGUAGES:
        label_in_language = functools.partial(label, language=language)
        workbook = heat_map.write(grids, label_in_language, centre_name, span, built_at, language)
        files[f"heat-map-{language}.xlsx"] = workbook
    body = {
        "format": 1,
        "period": period.name,
        "first": str(first.first),
        "last": str(period.last),
        "grids": [_make_grid_body(grid, label) for grid in grids],
    }
    return EditionContent(body, files)


def _list_months(period: Period) -> list[Period]:
    """Return twelve months up to a month, the oldest first."""
    months = [period]
    while len(months) < MONTHS:
        months.append(months[-1].before())
    return months[::-1]


def _label_value(
    labels: Labels, specs: Mapping[str, TableSpec], grid: CrossTab, position: int, value: str, language: str
) -> str:
    """Return the words for a value of a grid's heading; months and years stand for themselves."""
    if grid.name not in specs:
        return value
    return labels.value(specs[grid.name].dataset, grid.headings[position], value, language) or "–"


def _make_grid_by_year(session: Session, centre_id: int, period: Period, now: dt.datetime) -> CrossTab:
    """Return months by years, from the monthly totals that are published anyway."""
    count_due_tables(session, centre_id, now)
    specs = list_table_specs(load_catalogue(session, centre_id), Audience.PUBLIC, [BY_YEAR])
    totals: dict[tuple[str, str], str] = {}
    newest = find_containing(period.last, "month").name
    for (_, name), table in load_published_texts(session, centre_id, specs.values()).items():
        # "2026-03" is a month; quarters and years are named otherwise.
        is_month = len(name) == 7 and name[5:6] in "01"
        if is_month and name <= newest:
            year = name[:4]
            month = name[5:7]
            totals[month, year] = table.texts.get(TOTAL, "")
    years = sorted({year for _, year in totals})
    months = [f"{month:02}" for month in range(1, 13)]
    # What was before the first month, and what has not come yet, is neither hidden nor none.
    for place in itertools.product(months, years):
        if place not in totals:
            totals[place] = NOT_YET if f"{place[1]}-{place[0]}" > newest else BEFORE
    # No margins: sums of rounded totals would not be rounded as the totals are.
    return CrossTab(
        name="month_year",
        title=TITLE,
        headings=("month", "year"),
        rows=tuple(months),
        columns=tuple(years),
        cells=totals,
        row_totals=dict.fromkeys(months, ""),
        column_totals=dict.fromkeys(years, ""),
        total="",
        least_shown=find_least_shown(PUBLIC_THRESHOLD),
    )


def _make_grid_body(grid: CrossTab, label: LabelValue) -> dict[str, Any]:
    return {
        "name": grid.name,
        "title": grid.title,
        "threshold": grid.least_shown,
        "rows": [_make_heading(grid, 0, value, label) for value in grid.rows],
        "columns": [_make_heading(grid, 1, value, label) for value in grid.columns],
        "cells": [_list_row_texts(grid, row) for row in grid.rows],
        "row_totals": [grid.row_totals[row] for row in grid.rows],
        "column_totals": [grid.column_totals[column] for column in grid.columns],
        "total": grid.total,
    }


def _make_heading(grid: CrossTab, position: int, value: str, label: LabelValue) -> dict[str, str]:
    words = {language: label(grid, position, value, language) for language in LANGUAGES}
    return {"key": value, **words}


def _list_row_texts(grid: CrossTab, row: str) -> list[str]:
    return [grid.cells.get((row, column), grid.hidden) for column in grid.columns]
