"""Heat maps as a workbook: two dimensions of the menu, over twelve months; and the months of the years."""

import datetime as dt
import functools
from typing import Any

from evaluator_export.datasets.recipe import Audience
from evaluator_export.formats import heat_map
from evaluator_export.labels import Labels
from evaluator_export.periods import Period, find_containing
from evaluator_export.products.cross_tab import CrossTab, make_cross_tab
from evaluator_export.tables.protected_counts import PUBLIC_THRESHOLD, TOTAL
from fieldapp.services.products.catalogue import Product
from fieldapp.services.products.tables import (
    count_due_tables,
    count_span,
    list_table_specs,
    load_published_texts,
    make_reader,
    threshold_of,
)
from fieldapp.services.releases.datasets import hierarchy_words, load_catalogue
from fieldapp.store.operations import centres
from fieldapp.store.session import Session

GRIDS = ("grid_weekday_hour", "grid_area_month", "grid_area_weekday", "grid_setting_hour", "grid_mediations")
MONTHS = 12
BY_YEAR = "encounters_by_type"
TITLE = {"en": "Encounters by month and year", "fr": "Rencontres selon le mois et l'année"}


def build(
    session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the grids of the twelve months that end with a month, and a workbook in each language."""
    centre, known = centres.get(session, centre_id), load_catalogue(session, centre_id)
    name = centre.name
    first = period
    for _ in range(MONTHS - 1):
        first = first.before()
    specs = list_table_specs(known, Audience.STAFF, GRIDS)
    reader = make_reader(session, centre, known, now)
    tables = count_span(reader, centre, specs.values(), first.first, period.last)
    grids = [make_cross_tab(spec, tables[one], threshold_of(spec)) for one, spec in specs.items()]
    grids.append(_by_year(session, centre_id, period, now))
    labels = Labels(known.definitions, hierarchy_words())

    def label(grid: CrossTab, place: int, value: str, language: str) -> str:
        if grid.name not in specs:
            return value
        return labels.value(specs[grid.name].dataset, grid.headings[place], value, language) or "–"

    span = f"{first.name} – {period.name}"
    built_at = dt.datetime.combine(period.last, dt.time(), dt.UTC)
    files = {}
    for language in ("en", "fr"):
        label_here = functools.partial(label, language=language)
        files[f"heat-map-{language}.xlsx"] = heat_map.write(grids, label_here, name, span, built_at, language)
    body = {"format": 1, "period": period.name, "first": str(first.first), "last": str(period.last)}
    return {**body, "grids": [_as_json(grid, label) for grid in grids]}, files


def _by_year(session: Session, centre_id: int, period: Period, now: dt.datetime) -> CrossTab:
    """Return months by years, from the monthly totals that are published anyway."""
    count_due_tables(session, centre_id, now)
    specs = list_table_specs(load_catalogue(session, centre_id), Audience.PUBLIC, [BY_YEAR])
    kept = load_published_texts(session, centre_id, specs.values())
    totals = {
        (one[5:7], one[:4]): table.texts.get(TOTAL, "")
        for (_, one), table in kept.items()
        if find_containing(period.last, "month").name >= one and len(one) == 7 and one[5:6] in "01"
    }
    years = sorted({year for _, year in totals})
    months = tuple(f"{month:02}" for month in range(1, 13))
    yearly = dict.fromkeys(years, "")
    return CrossTab(
        "month_year", TITLE, ("month", "year"), months, tuple(years), totals,
        dict.fromkeys(months, ""), yearly, "", PUBLIC_THRESHOLD,
    )  # fmt: skip


def _as_json(grid: CrossTab, label: Any) -> dict[str, Any]:
    def words(place: int, values: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"key": one, **{code: label(grid, place, one, code) for code in ("en", "fr")}} for one in values]

    return {
        "name": grid.name,
        "title": grid.title,
        "threshold": grid.threshold,
        "rows": words(0, grid.rows),
        "columns": words(1, grid.columns),
        "cells": [[grid.cells.get((row, column), "") for column in grid.columns] for row in grid.rows],
        "row_totals": [grid.row_totals[row] for row in grid.rows],
        "column_totals": [grid.column_totals[column] for column in grid.columns],
        "total": grid.total,
    }
