"""For evaluators: outreach by area and month with the staff on duty there; and whom the programme reaches, by group."""

import datetime as dt
from typing import Any

from evaluator_export.datasets.recipe import Audience
from evaluator_export.formats import csv_files
from evaluator_export.labels import Labels
from evaluator_export.periods import Period
from evaluator_export.products.reach import reach
from evaluator_export.tables.protected_counts import TOTAL
from fieldapp.services.products.catalogue import PANEL, REACH, Product
from fieldapp.services.products.tables import list_periods_to_count, list_table_specs, load_published_texts
from fieldapp.services.releases.datasets import hierarchy_words, load_catalogue
from fieldapp.store.operations import centres
from fieldapp.store.products import products
from fieldapp.store.session import Session

COLUMNS = ("area", "month", *PANEL.values())
GROUP = ("by", "group", "count", "share", "low", "high", "population", "disparity", "disparity_low", "disparity_high")


def build_panel(
    session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return one row an area and month up to a quarter's end: encounters, mediations, and the shifts there."""
    centre, known = centres.get(session, centre_id), load_catalogue(session, centre_id)
    specs = list_table_specs(known, Audience.PUBLIC, list(PANEL))
    kept = load_published_texts(session, centre_id, specs.values())
    months = [one for one in list_periods_to_count(session, centre, now)["month"] if one.last <= period.last]
    tables = {
        (name, month.name): kept[spec.key, month.name].texts
        for name, spec in specs.items()
        for month in months
        if (spec.key, month.name) in kept
    }
    areas = sorted({cell[0] for texts in tables.values() for cell in texts if cell != TOTAL and cell[0]})
    rows = [
        (area, month.name, *(tables.get((name, month.name), {}).get((area,), "") for name in PANEL))
        for area in areas
        for month in months
    ]
    labels = Labels(known.definitions, hierarchy_words())
    names = {area: {code: labels.words.get(area, {}).get(code, area) for code in ("en", "fr")} for area in areas}
    body = {
        "format": 1,
        "period": period.name,
        "columns": list(COLUMNS),
        "rows": list(map(list, rows)),
        "areas": names,
    }
    return body, {"panel.csv": csv_files.rows(COLUMNS, rows)}


def build_equity(
    session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the reach of a year by age, gender and race; population shares come from a partner's totals."""
    known = load_catalogue(session, centre_id)
    specs = list_table_specs(known, Audience.PUBLIC, REACH)
    kept = load_published_texts(session, centre_id, specs.values())
    population = _population(session, centre_id)
    labels = Labels(known.definitions, hierarchy_words())
    groups = []
    for spec in specs.values():
        table = kept.get((spec.key, period.name))
        column = spec.by[0][0]
        for one in reach(table.texts, population) if table else ():
            label = {code: labels.value(spec.dataset, column, one.group, code) or "–" for code in ("en", "fr")}
            groups.append({"by": column, "label": label, **vars(one)})
    lines = [tuple(_cell(one["text"] if name == "count" else one[name]) for name in GROUP) for one in groups]
    return {"format": 1, "period": period.name, "groups": groups}, {"reach.csv": csv_files.rows(GROUP, lines)}


def _population(session: Session, centre_id: int) -> dict[str, float]:
    """Return shares of the population by group, from totals whose indicator is “population_share”, in percent."""
    return {
        str(figure["part"]): float(figure["value"]) / 100
        for source in products.partners(session, centre_id)
        for figure in source.figures
        if figure["indicator"] == "population_share" and figure["part"] != TOTAL[0] and not figure["value"].startswith("<")
    }


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
