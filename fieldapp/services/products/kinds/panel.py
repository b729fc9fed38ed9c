"""For evaluators: outreach by area and month beside the shifts there; and reach by group."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from evaluator_export.datasets.recipe import Audience, TableSpec
from evaluator_export.formats import csv_files
from evaluator_export.labels import Labels
from evaluator_export.periods import Period
from evaluator_export.products.reach import reach
from evaluator_export.tables.protected_counts import TOTAL, Cell
from fieldapp.services.products.catalogue import PANEL, REACH, Product
from fieldapp.services.products.content import LANGUAGES, EditionContent, label_value
from fieldapp.services.products.tables import (
    PublishedTexts,
    list_periods_to_show,
    list_table_specs,
    load_published_texts,
)
from fieldapp.services.releases.datasets import hierarchy_words, load_catalogue
from fieldapp.store.operations import centres
from fieldapp.store.products import products
from fieldapp.store.session import Session

COLUMNS = ("area", "month", *PANEL.values())
GROUP = ("by", "group", "count", "share", "low", "high", "population", "disparity", "disparity_low", "disparity_high")

Texts = Mapping[Cell, str]  # a protected table: what each cell shows as


def build_panel(session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime) -> EditionContent:
    """Return one row for each area and month, up to the end of a quarter.

    A row has the month's encounters, mediations and shifts in the area.
    """
    centre = centres.get(session, centre_id)
    catalogue = load_catalogue(session, centre_id)
    specs = list_table_specs(catalogue, Audience.PUBLIC, list(PANEL))
    published = load_published_texts(session, centre_id, specs.values())
    complete = list_periods_to_show(session, centre, now)["month"]
    # The panel ends with the quarter, so that a rebuild later in the year shows the same months.
    months = [month.name for month in complete if month.last <= period.last]
    tables = _choose_tables(specs, published, months)
    areas = _list_areas(tables.values())
    rows = list(_iterate_panel_rows(areas, months, tables))
    labels = Labels(catalogue.definitions, hierarchy_words())
    body = {
        "format": 1,
        "period": period.name,
        "columns": list(COLUMNS),
        "rows": [list(row) for row in rows],
        "areas": {area: _label_area(labels, area) for area in areas},
    }
    return EditionContent(body, {"panel.csv": csv_files.rows(COLUMNS, rows)})


def _choose_tables(
    specs: Mapping[str, TableSpec], published: Mapping[tuple[str, str], PublishedTexts], months: Sequence[str]
) -> dict[tuple[str, str], Texts]:
    """Return what is published, by the table's name and the month's."""
    tables: dict[tuple[str, str], Texts] = {}
    for name, spec in specs.items():
        for month in months:
            if (spec.key, month) in published:
                tables[name, month] = published[spec.key, month].texts
    return tables


def _list_areas(tables: Iterable[Texts]) -> list[str]:
    """Return every area that any table has, sorted, so that each month has a row for each."""
    areas: set[str] = set()
    for texts in tables:
        areas |= {cell[0] for cell in texts if cell != TOTAL and cell[0]}
    return sorted(areas)


def _iterate_panel_rows(
    areas: Sequence[str], months: Sequence[str], tables: Mapping[tuple[str, str], Texts]
) -> Iterator[tuple[str, ...]]:
    for area in areas:
        for month in months:
            # An area without a count has a row as well: a gap would look like an area that does not
            # exist.
            counts = [tables.get((name, month), {}).get((area,), "") for name in PANEL]
            yield (area, month, *counts)


def _label_area(labels: Labels, area: str) -> dict[str, str]:
    words = labels.words.get(area, {})
    return {language: words.get(language, area) for language in LANGUAGES}


def build_equity(session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime) -> EditionContent:
    """Return the reach of a year by age, gender and race.

    Shares of the population come from a partner's totals; without them there is no comparison.
    """
    catalogue = load_catalogue(session, centre_id)
    specs = list_table_specs(catalogue, Audience.PUBLIC, REACH)
    published = load_published_texts(session, centre_id, specs.values())
    population = load_population_shares(session, centre_id)
    labels = Labels(catalogue.definitions, hierarchy_words())
    groups = []
    for spec in specs.values():
        table = published.get((spec.key, period.name))
        if table is None:
            continue
        column = spec.by[0][0]
        for group in reach(table.texts, population):
            label = label_value(labels, spec.dataset, column, group.group)
            groups.append({"by": column, "label": label, **vars(group)})
    # With what partners said, so that a later look can tell whether they say something else.
    body = {"format": 1, "period": period.name, "groups": groups, "partners": population}
    return EditionContent(body, {"reach.csv": csv_files.rows(GROUP, map(_list_group_fields, groups))})


def load_population_shares(session: Session, centre_id: int) -> dict[str, float]:
    """Return the share of the population in each group, 0 to 1.

    They come from partners' totals with the indicator “population_share”, in percent.
    """
    shares = {}
    for source in products.partners(session, centre_id):
        for figure in source.figures:
            is_share = figure["indicator"] == "population_share" and figure["part"] != TOTAL[0]
            # A hidden share of a partner is no number to compare with.
            if is_share and not figure["value"].startswith("<"):
                shares[str(figure["part"])] = float(figure["value"]) / 100
    return shares


def _list_group_fields(group: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a line of reach.csv; its count is the text that is published, such as "<20"."""
    fields = {**group, "count": group["text"]}
    return tuple(_write_field(fields[name]) for name in GROUP)


def _write_field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)
