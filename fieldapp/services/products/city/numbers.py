"""Which tables a centre can give to the City's sum, and its numbers in them."""

from collections.abc import Mapping
from typing import Any

from evaluator_export import periods
from evaluator_export.citysum.member import Numbers
from evaluator_export.citysum.protect import is_published_text
from evaluator_export.citysum.registry import CADENCE, Registry, RoundCall
from evaluator_export.datasets.recipe import Audience, TableSpec
from evaluator_export.labels import Labels
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.tables.protected_counts import BASE, TOTAL, Cell, list_domain, write_hidden
from fieldapp.services.products.catalogue import list_counted_tables
from fieldapp.services.products.content import label_column, label_value
from fieldapp.services.products.tables import get_least_shown, list_table_specs
from fieldapp.services.releases.datasets import hierarchy_words, load_catalogue
from fieldapp.store.releases import datasets
from fieldapp.store.session import Session

# Two quarters of unlike length: a table whose cells differ between them cannot be summed by a list made once.
TWO_QUARTERS = (periods.parse("2026-Q1"), periods.parse("2026-Q3"))


def load_specs(session: Session, centre_id: int) -> dict[str, TableSpec]:
    """Return the tables that are counted each quarter and have the same cells in each."""
    catalogue = load_catalogue(session, centre_id)
    specs = list_table_specs(catalogue, Audience.PUBLIC, list_counted_tables()[CADENCE])
    return {name: spec for name, spec in sorted(specs.items()) if _has_fixed_cells(spec)}


def _has_fixed_cells(spec: TableSpec) -> bool:
    first, second = (list_domain(spec, period) for period in TWO_QUARTERS)
    return first == second and len(first) > 1


def make_layouts(specs: Mapping[str, TableSpec]) -> dict[str, dict[str, Any]]:
    """Return what each table counts, as centres compare it."""
    return {name: _make_layout(spec) for name, spec in specs.items()}


def _make_layout(spec: TableSpec) -> dict[str, Any]:
    cells = sorted(list_domain(spec, TWO_QUARTERS[0]) - {TOTAL})
    return {
        "counts": f"{spec.dataset.name}/{'persons' if spec.person else 'events'}",
        "person": bool(spec.person),
        "columns": [name for name, _ in spec.by],
        "cells": [*map(list, cells), list(TOTAL)],
        "least": get_least_shown(spec),
    }


def make_words(session: Session, centre_id: int, specs: Mapping[str, TableSpec]) -> dict[str, dict[str, Any]]:
    """Return the titles of tables and columns and the labels of values, in both languages."""
    labels = Labels(load_catalogue(session, centre_id).definitions, hierarchy_words())
    return {name: _make_words(spec, labels) for name, spec in specs.items()}


def _make_words(spec: TableSpec, labels: Labels) -> dict[str, Any]:
    cells = list_domain(spec, TWO_QUARTERS[0]) - {TOTAL}
    by_column = []
    for place, (column, _) in enumerate(spec.by):
        values = sorted({cell[place] for cell in cells})
        by_column.append({value: label_value(labels, spec.dataset, column, value) for value in values})
    titles = [label_column(labels, spec.dataset, column) for column, _ in spec.by]
    return {"title": spec.title, "columns": titles, "labels": by_column}


def check_layouts(session: Session, centre_id: int, registry: Registry) -> None:
    """Raise ExportProblem where this centre counts one of the City's tables otherwise."""
    own = make_layouts(load_specs(session, centre_id))
    for name, layout in registry.tables.items():
        if own.get(name) != layout:
            raise ExportProblem(Reason("city.layout", {"table": name}))


def read_numbers(session: Session, centre_id: int, registry: Registry, call: RoundCall) -> Numbers:
    """Return the centre's numbers of a round: those that its published tables were made from.

    They are frozen with what was published; a late record changes them no more than it changes that. Raise ExportProblem
    where a table of the period is not published yet, or where this version counts it otherwise.
    """
    check_layouts(session, centre_id, registry)  # again: a new version may have come since the centre joined
    specs = load_specs(session, centre_id)
    counts: list[int] = []
    texts: list[str] = []
    for name in call.tables:
        published = _load_published(session, centre_id, specs[name], call.period)
        hidden = write_hidden(int(registry.tables[name]["least"]) - BASE)
        for cell in registry.tables[name]["cells"]:
            number, text = published.get(tuple(cell), (0, hidden))
            counts.append(number)
            # What an earlier version published under another floor stays hidden here.
            texts.append(text if is_published_text(text, registry.tables[name]) else hidden)
    return Numbers(counts, texts)


def _load_published(session: Session, centre_id: int, spec: TableSpec, period: str) -> dict[Cell, tuple[int, str]]:
    for table in datasets.published_tables(session, centre_id, [spec.key]):
        if table.period == period:
            return {tuple(cell): (number, text) for cell, number, text in table.cells}
    raise ExportProblem(Reason("city.early", {"period": period}))
