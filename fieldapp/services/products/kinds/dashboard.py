"""The dashboard: every indicator with its periods, its parts, its definition; and partners' totals beside them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from evaluator_export.datasets.recipe import Audience, TableSpec
from evaluator_export.labels import Labels
from evaluator_export.periods import Period
from evaluator_export.policy.hierarchies import MISSING
from evaluator_export.products.indicators import HIDDEN, SHOWN, Indicator, IndicatorValue
from evaluator_export.products.share_image import card
from evaluator_export.tables.protected_counts import BASE, PUBLIC_THRESHOLD, TOTAL
from fieldapp.services.products.catalogue import Product, kpis
from fieldapp.services.products.tables import (
    PublishedTexts,
    list_periods_to_count,
    list_table_specs,
    load_published_texts,
    threshold_of,
)
from fieldapp.services.releases.datasets import hierarchy_words, load_catalogue
from fieldapp.store.operations import centres
from fieldapp.store.products import products
from fieldapp.store.session import Session

FORMAT = 1
SHOWN_PERIODS = {"month": 13, "quarter": 9, "year": 5}
LANGUAGES = ("en", "fr")


def build(
    session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the dashboard of a month: numbers of all calendars up to its end. Those for staff are marked so."""
    centre, known = centres.get(session, centre_id), load_catalogue(session, centre_id)
    specs = list_table_specs(known, Audience.PUBLIC, [name for kpi in kpis() for name in kpi.tables])
    kept, labels = load_published_texts(session, centre_id, specs.values()), Labels(known.definitions, hierarchy_words())
    calendars = {
        name: [one for one in found if one.last <= period.last][-SHOWN_PERIODS[name] :]
        for name, found in list_periods_to_count(session, centre, now).items()
    }
    name = centre.name
    shown = [
        _indicator(kpi, specs, kept, calendars[kpi.calendar], labels) | {"source": name}
        for kpi in kpis()
        if all(name in specs for name in kpi.tables)
    ]
    return {
        "format": FORMAT,
        "centre": {"slug": centre.slug, "name": centre.name},
        "period": period.name,
        "threshold": PUBLIC_THRESHOLD,
        "rounding": BASE,
        "indicators": shown,
        "partners": [_partner(one) for one in products.partners(session, centre_id)],
    }, {f"card-{language}.png": card(name, period, shown, language) for language in LANGUAGES}


def _indicator(
    kpi: Indicator,
    specs: Mapping[str, TableSpec],
    kept: Mapping[tuple[str, str], PublishedTexts],
    periods: list[Period],
    labels: Labels,
) -> dict[str, Any]:
    spec, parts = specs[kpi.table], specs[kpi.shown_by]
    numbers = []
    for period in periods:
        table = kept.get((spec.key, period.name))
        number = kpi.number(table.texts if table else None)
        numbers.append(
            {"period": period.name, **_told(kpi, number, spec, labels), "revised": table.revision if table else 0}
        )
    newest = next((one for one in reversed(periods) if (parts.key, one.name) in kept), None)
    return {
        "id": kpi.id,
        "code": kpi.code,
        "title": kpi.title,
        "meaning": kpi.meaning,
        "formula": kpi.formula,
        "denominator": kpi.denominator or None,
        "read": kpi.read,
        "unit": kpi.unit,
        "calendar": kpi.calendar,
        "safeto": kpi.safeto,
        "audience": "staff" if kpi.audience == Audience.STAFF else "public",
        "threshold": threshold_of(spec),
        "table": kpi.shown_by,
        "numbers": numbers,
        "parts": _parts(parts, kept[parts.key, newest.name], newest, labels) if newest else None,
    }


def _told(kpi: Indicator, number: IndicatorValue, spec: TableSpec, labels: Labels) -> dict[str, Any]:
    told: dict[str, Any] = {"state": number.state, "text": number.text, "value": number.value}
    if number.state == HIDDEN and not number.text:
        told["text"] = ""
    if kpi.kind == "half" and number.state == SHOWN:
        told["label"] = {code: labels.value(spec.dataset, spec.by[0][0], number.text, code) for code in LANGUAGES}
    return told


def _parts(spec: TableSpec, kept: PublishedTexts, period: Period, labels: Labels) -> dict[str, Any]:
    column = spec.by[0][0]
    _, hierarchy, level = spec.sources[0]
    order = {label: place for place, label in enumerate(hierarchy.at(value, level) for value in hierarchy.domain)}
    cells = sorted(
        (cell for cell in kept.texts if cell != TOTAL), key=lambda cell: (cell[0] == MISSING, order.get(cell[0], 999), cell)
    )
    return {
        "period": period.name,
        "title": spec.title,
        "column": {code: labels.column(spec.dataset, column, code) for code in LANGUAGES},
        "total": kept.texts.get(TOTAL, ""),
        "rows": [
            {
                "key": cell[0],
                "label": {code: labels.value(spec.dataset, column, cell[0], code) or "–" for code in LANGUAGES},
                "text": kept.texts[cell],
                "value": int(kept.texts[cell]) if kept.texts[cell].isdecimal() else None,
            }
            for cell in cells
        ],
    }


def _partner(source: products.PartnerSource) -> dict[str, Any]:
    return {"source": source.name, "calendar": source.calendar, "figures": source.figures}
