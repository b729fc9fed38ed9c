"""Totals of partners as pages show them.

By the partner's own periods, with a chart and parts, as our indicators have.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from flask_babel import gettext

from evaluator_export.products.indicators import State
from evaluator_export.products.partner_totals import TOTAL, bound_value
from fieldapp.web.editions import ChartBar, ChartPoint, PartRow, make_bars

MOST_PERIODS = 13  # as many months as the charts of our own indicators have
LONGEST_LABEL = 8  # characters that fit under a bar

Figure = Mapping[str, Any]


@dataclass(frozen=True)
class PartnerIndicator:
    """What a partner counts, in one language.

    Its fields have the names that an IndicatorView has, for the same templates.
    """

    title: str
    calendar: str
    finding: str
    points: list[ChartPoint]
    bars: list[ChartBar]
    parts: list[PartRow]
    parts_title: str
    parts_column: str
    parts_total: str
    parts_period: str
    threshold: str  # under which its hidden parts are, as the file says

    @property
    def last(self) -> ChartPoint:
        return self.points[-1]


@dataclass(frozen=True)
class PartnerView:
    source: str
    calendar: str
    indicators: list[PartnerIndicator]


def make_partner_views(body: Mapping[str, Any], language: str) -> list[PartnerView]:
    """Return what partners of an edition count; none that gave nothing."""
    views = []
    for source in body["partners"]:
        by_indicator: dict[str, list[Figure]] = {}
        for figure in source["figures"]:
            by_indicator.setdefault(figure["indicator"], []).append(figure)
        indicators = [_make_indicator(figures, source["calendar"], language) for figures in by_indicator.values()]
        if indicators:
            views.append(PartnerView(source["source"], source["calendar"], indicators))
    return views


def _make_indicator(figures: Sequence[Figure], calendar: str, language: str) -> PartnerIndicator:
    totals = [figure for figure in figures if figure["part"] == TOTAL]
    # Partners have calendars of their own, so order is by the last day and not by a name.
    totals.sort(key=lambda figure: str(figure["last"]))
    points = [_make_point(total, language) for total in totals[-MOST_PERIODS:]]
    last = points[-1]
    title = totals[-1]["title"][language]
    return PartnerIndicator(
        title=title,
        calendar=calendar,
        finding=str(gettext("%(number)s in %(period)s.", number=last.text, period=last.name)),
        points=points,
        bars=make_bars(points, language),
        parts_title=title,
        parts_column=gettext("Part"),
        **_make_parts(figures, totals, language),
    )


def _make_parts(figures: Sequence[Figure], totals: Sequence[Figure], language: str) -> dict[str, Any]:
    """Return the fields of a view about the newest period that has parts."""
    parts = [figure for figure in figures if figure["part"] != TOTAL]
    newest = max((str(figure["last"]) for figure in parts), default="")
    parts = [figure for figure in parts if figure["last"] == newest]
    if not parts:
        return {"parts": [], "parts_total": "", "parts_period": "", "threshold": ""}
    total = next(figure for figure in totals if figure["last"] == newest)
    values = [bound_value(part["value"], part["unit"])["value"] or 0 for part in parts]
    greatest = max(values) or 1
    rows = [
        PartRow(
            label=part.get("label", {}).get(language) or part["part"],
            text=write_partner_value(part, language),
            share=value / greatest,
            is_hidden=part["value"].startswith("<"),
        )
        for part, value in zip(parts, values, strict=True)
    ]
    bounds = [part["value"][1:] for part in parts if part["value"].startswith("<")]
    return {
        "parts": rows,
        "parts_total": write_partner_value(total, language),
        "parts_period": _name_period(total, language),
        "threshold": max(bounds, key=float, default=""),
    }


def _make_point(total: Figure, language: str) -> ChartPoint:
    bounds = bound_value(total["value"], total["unit"])
    name = str(total["period"])
    short = name
    if len(name) > LONGEST_LABEL:
        short = str(format_date(dt.date.fromisoformat(total["last"]), "MMM yy", locale=language))
    return ChartPoint(
        period=name,
        name=_name_period(total, language),
        text=write_partner_value(total, language),
        value=bounds["value"],
        # What a partner says has no range.
        at_least=None,
        at_most=bounds["at_most"] if bounds["state"] == State.FEW else None,
        is_share=total["unit"] == "percent",
        is_shown=bounds["state"] != State.FEW,
        revised=0,
        short=short,
    )


def _name_period(total: Figure, language: str) -> str:
    days = [format_date(dt.date.fromisoformat(total[name]), "medium", locale=language) for name in ("first", "last")]
    span = gettext("%(first)s to %(last)s", first=days[0], last=days[1])
    return f"{total['period']} ({span})"


def write_partner_value(total: Figure, language: str) -> str:
    """Return a figure with its unit, as the language writes it; “<5” as the file has it."""
    value = total["value"]
    text = value if value.startswith("<") else str(format_decimal(float(value), locale=language))
    if total["unit"] == "percent":
        return str(gettext("%(number)s%%", number=text))
    return str(text)
