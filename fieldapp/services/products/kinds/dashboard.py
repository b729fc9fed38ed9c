"""The dashboard: indicators by period and by group, and partners' totals beside them."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from evaluator_export.datasets.recipe import Audience, Method, TableSpec
from evaluator_export.labels import Labels
from evaluator_export.periods import Period
from evaluator_export.policy.hierarchies import MISSING
from evaluator_export.products.change import Change, Word, choose_sure
from evaluator_export.products.indicators import Indicator, State, bound_count
from evaluator_export.products.share_image import ShareLine, card
from evaluator_export.tables.protected_counts import BASE, PUBLIC_THRESHOLD, TOTAL, Cell, find_least_shown
from fieldapp.services.products.catalogue import Product, load_kpis
from fieldapp.services.products.content import LANGUAGES, EditionContent, label_column, label_value, read_count
from fieldapp.services.products.kinds.years import describe_number, find_ready_day, make_year
from fieldapp.services.products.tables import (
    PublishedTexts,
    find_ripe_day,
    get_least_shown,
    list_periods_to_show,
    list_table_specs,
    load_published_texts,
)
from fieldapp.services.products.withdrawal_numbers import count_withdrawals
from fieldapp.services.releases.datasets import hierarchy_words, load_catalogue
from fieldapp.store.operations import centres
from fieldapp.store.products import products
from fieldapp.store.session import Session

FORMAT = 3
# Two whole years of months or quarters: from them anybody can work out how the newest year compares with the one before.
SHOWN_PERIODS = {"month": 24, "quarter": 9, "year": 5}
NEW_EACH_QUARTER = 4  # spans of twelve months that do not overlap are so many apart
LAST = 999  # after every label of a hierarchy


@dataclass(frozen=True)
class _Source:
    """What indicators are read from.

    `specs`: tables by name. `published`: by the table's key and the period's name.
    """

    specs: Mapping[str, TableSpec]
    published: Mapping[tuple[str, str], PublishedTexts]
    labels: Labels


def build_dashboard(session: Session, centre_id: int, product: Product, period: Period, now: dt.datetime) -> EditionContent:
    """Return the dashboard of a month: numbers of all calendars up to its end.

    Indicators for staff are in it too, marked as such; what is public leaves them out.
    """
    centre = centres.get(session, centre_id)
    catalogue = load_catalogue(session, centre_id)
    specs = list_table_specs(catalogue, Audience.PUBLIC, list(_iterate_table_names()))
    published = load_published_texts(session, centre_id, specs.values())
    source = _Source(specs, published, Labels(catalogue.definitions, hierarchy_words()))
    # Every calendar up to the end of this month: a quarter that goes on has no number yet, and an old edition can be
    # built again.
    complete = {
        calendar: _list_until(some, period.last) for calendar, some in list_periods_to_show(session, centre, now).items()
    }
    indicators = []
    for kpi in load_kpis():
        # Without its dataset an indicator cannot be counted here.
        if set(kpi.tables) <= set(specs):
            body = _make_indicator_body(kpi, source, complete)
            indicators.append(body | {"source": centre.name})
    content = {
        "format": FORMAT,
        "centre": {"slug": centre.slug, "name": centre.name},
        "period": period.name,
        "threshold": find_least_shown(PUBLIC_THRESHOLD),
        "rounding": BASE,
        "indicators": indicators,
        "sure": sorted(choose_headline(indicators)),
        "withdrawals": count_withdrawals(session, centre, product.name, complete["quarter"][-SHOWN_PERIODS["quarter"] :]),
        "partners": load_partner_bodies(session, centre_id),
    }
    images = {f"card-{language}.png": card(centre.name, _list_share_lines(indicators, language)) for language in LANGUAGES}
    return EditionContent(content, images)


def _list_until(periods: Sequence[Period], day: dt.date) -> list[Period]:
    return [period for period in periods if period.last <= day]


def _iterate_table_names() -> Iterator[str]:
    for kpi in load_kpis():
        yield from kpi.tables


def choose_headline(indicators: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Return the indicators whose change may be said of the page as a whole.

    Of one count in two tables one is enough; and in what is exact there is no chance.
    """
    changes = {}
    for indicator in indicators:
        year = indicator["year"]
        is_told = indicator["audience"] == "public" and not indicator["exact"] and not indicator["by_group"]
        if is_told and year and year["word"] not in (Word.NOT_YET, Word.UNSURE):
            changes[indicator["id"]] = Change(Word(year["word"]), year["chance"])
    return choose_sure(changes)


def _choose_shown_periods(kpi: Indicator, complete: Sequence[Period], counted: Collection[str]) -> Sequence[Period]:
    """Return the periods of an indicator, oldest first.

    Of spans of twelve months those that do not overlap, from the newest that was counted.
    """
    if kpi.calendar == "twelve":
        return [period for period in complete if period.name in counted][::-NEW_EACH_QUARTER][::-1]
    return complete[-SHOWN_PERIODS[kpi.calendar] :]


def _make_indicator_body(kpi: Indicator, source: _Source, complete: Mapping[str, Sequence[Period]]) -> dict[str, Any]:
    spec = source.specs[kpi.table]
    periods = _choose_shown_periods(kpi, complete[kpi.calendar], {name for key, name in source.published if key == spec.key})
    numbers = []
    for period in periods:
        table = source.published.get((spec.key, period.name))
        texts = None
        revision = 0
        if table:
            texts = table.texts
            revision = table.revision
        number = {"period": period.name, **describe_number(kpi.number(texts)), "revised": revision}
        if texts is None:
            number["ripe_on"] = str(find_ripe_day(kpi.table, period))
        numbers.append(number)
    published = {name: table.texts for (key, name), table in source.published.items() if key == spec.key}
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
        # Marked here once; the public page, its files and the feed all go by this mark.
        "audience": "staff" if kpi.audience == Audience.STAFF else "public",
        "threshold": get_least_shown(spec),
        "exact": kpi.is_exact,
        "by_group": kpi.is_by_group,
        "table": kpi.shown_by,
        "numbers": numbers,
        "year": make_year(kpi, published, complete, bool(spec.person)),
        "ready_on": find_ready_day(kpi, complete),
        "parts": _make_parts_of_newest(source.specs[kpi.shown_by], source, periods),
        "series": _make_series(source.specs[kpi.shown_by], source, periods),
    }


def _make_parts_of_newest(spec: TableSpec, source: _Source, periods: Sequence[Period]) -> dict[str, Any] | None:
    """Return the counts by group of the newest period that has any; None when none has."""
    for period in reversed(periods):
        published = source.published.get((spec.key, period.name))
        if published is not None:
            return _make_parts(spec, published, period, source.labels)
    return None


def _make_series(spec: TableSpec, source: _Source, periods: Sequence[Period]) -> dict[str, Any]:
    """Return the counts by group of every period.

    A text for each, "" where nothing was counted.
    """
    tables = [source.published.get((spec.key, period.name)) for period in periods]
    all_cells: set[Cell] = set()
    for table in tables:
        all_cells.update(table.texts if table else ())
    cells = _sort_cells(spec, all_cells)
    column = spec.by[0][0]
    rows = []
    for cell in cells:
        texts = [table.texts.get(cell, "") if table else "" for table in tables]
        rows.append({"key": cell[0], "label": label_value(source.labels, spec.dataset, column, cell[0]), "texts": texts})
    return {"periods": [period.name for period in periods], "rows": rows}


def _make_parts(spec: TableSpec, published: PublishedTexts, period: Period, labels: Labels) -> dict[str, Any]:
    column = spec.by[0][0]
    rows = []
    for cell in _sort_cells(spec, published.texts):
        text = published.texts[cell]
        label = label_value(labels, spec.dataset, column, cell[0])
        bounds = bound_count(text, is_exact=spec.method == Method.EXACT)
        rows.append({"key": cell[0], "label": label, "text": text, "value": read_count(text), **bounds})
    return {
        "period": period.name,
        "title": spec.title,
        "column": label_column(labels, spec.dataset, column),
        "total": published.texts.get(TOTAL, ""),
        "rows": rows,
    }


def _sort_cells(spec: TableSpec, all_cells: Collection[Cell]) -> list[Cell]:
    """Return the cells but the total, in the order of the hierarchy, “no answer” last."""
    _, hierarchy, level = spec.sources[0]
    order = {hierarchy.at(value, level): position for position, value in enumerate(hierarchy.domain)}
    cells = [cell for cell in all_cells if cell != TOTAL]
    return sorted(cells, key=lambda cell: (cell[0] == MISSING, order.get(cell[0], LAST), cell))


def _list_share_lines(indicators: Sequence[Mapping[str, Any]], language: str) -> list[ShareLine]:
    """Return the counts of the newest year that everybody may see, in the page's order."""
    lines = []
    for indicator in indicators:
        year = indicator["year"]
        is_count = indicator["audience"] == "public" and indicator["unit"] == "count"
        # The parts of a number that stands there already are no number of their own.
        if is_count and year and year["state"] == State.VALUE and not indicator["by_group"]:
            days = [dt.date.fromisoformat(year[name]) for name in ("first", "last")]
            span = " - ".join(format_date(day, "LLL y", locale=language) for day in days)
            number = format_decimal(year["value"], locale=language)
            lines.append(ShareLine(str(number), indicator["title"][language], span))
    return lines


def load_partner_bodies(session: Session, centre_id: int) -> list[dict[str, Any]]:
    """Return partners' totals as an edition holds them."""
    return [_make_partner_body(partner) for partner in products.partners(session, centre_id)]


def _make_partner_body(source: products.PartnerSource) -> dict[str, Any]:
    return {"source": source.name, "calendar": source.calendar, "figures": source.figures}
