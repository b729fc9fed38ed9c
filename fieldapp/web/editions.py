"""Editions as pages show them: numbers with units, periods in words, what a chart draws."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from flask_babel import gettext

from evaluator_export import periods
from evaluator_export.products.indicators import HIDDEN, SHOWN
from forms.problems import N_

SAFETO = {
    "sd": N_("Social development"),
    "prev": N_("Prevention"),
    "ri": N_("Risk intervention"),
    "er": N_("Emergency response"),
}
ORDER = ("prev", "ri", "er", "sd")
CALENDARS = {"month": N_("by the month"), "quarter": N_("by the quarter"), "year": N_("by the year")}
CHART_WIDTH, CHART_HEIGHT = 320, 96


@dataclass(frozen=True)
class Bar:
    """One bar of a chart, in the chart's own units; `height` 0 with `is_hidden`: drawn hatched."""

    x: float
    width: float
    height: float
    label: str
    text: str
    is_hidden: bool


@dataclass(frozen=True)
class Point:
    period: str
    name: str
    text: str
    value: float | None
    state: str
    revised: int


@dataclass(frozen=True)
class PartRow:
    label: str
    text: str
    share: float  # of the greatest, 0 to 1
    is_hidden: bool


@dataclass(frozen=True)
class IndicatorView:
    """An indicator in one language. `points` are oldest first; `last` is the newest of them."""

    id: str
    code: str
    title: str
    meaning: str
    formula: str
    denominator: str
    source: str
    read: str
    finding: str
    safeto: str
    safeto_order: int  # from prevention to emergency, then the long view
    calendar: str
    threshold: int
    points: list[Point]
    bars: list[Bar]
    parts: list[PartRow]
    parts_title: str
    parts_column: str
    parts_total: str
    parts_period: str
    audience: str

    @property
    def last(self) -> Point | None:
        return self.points[-1] if self.points else None


def period_name(name: str, language: str) -> str:
    """Return a period in words: October 2026, 3rd quarter 2026, 2026, the week of 16 November 2026."""
    period = periods.parse(name)
    if period.cadence == "year":
        return name
    if period.cadence == "quarter":
        return str(format_date(period.first, "QQQQ y", locale=language))
    if period.cadence == "week":
        return str(gettext("week of %(day)s", day=format_date(period.first, "long", locale=language)))
    return str(format_date(period.first, "LLLL y", locale=language))


def short_name(name: str, language: str) -> str:
    period = periods.parse(name)
    if period.cadence == "quarter":
        return f"{format_date(period.first, 'QQQ', locale=language)} {name[2:4]}"
    return str(format_date(period.first, "MMM", locale=language)) if period.cadence == "month" else name


def indicators(body: dict[str, Any], language: str, with_staff: bool = False) -> list[IndicatorView]:
    """Return the indicators of a dashboard's edition; those for staff only where asked for."""
    return [_indicator(one, language) for one in body["indicators"] if with_staff or one["audience"] == "public"]


def _indicator(one: dict[str, Any], language: str) -> IndicatorView:
    points = [_point(one, number, language) for number in one["numbers"]]
    parts, part_of_plan, calendar = one["parts"], SAFETO[one["safeto"]], CALENDARS[one["calendar"]]
    most = max((row["value"] or 0 for row in parts["rows"]), default=0) if parts else 0
    return IndicatorView(
        id=one["id"],
        code=one["code"],
        title=one["title"][language],
        meaning=one["meaning"][language],
        formula=one["formula"][language],
        denominator=(one["denominator"] or {}).get(language, ""),
        source=one["source"],
        read=one["read"][language],
        finding=_finding(points),
        safeto=gettext(part_of_plan),
        safeto_order=ORDER.index(one["safeto"]),
        calendar=gettext(calendar),
        threshold=one["threshold"],
        points=points,
        bars=_bars(points, language),
        parts=[
            PartRow(
                row["label"][language],
                number_text(row["value"], row["text"], language),
                (row["value"] or 0) / most if most else 0,
                row["value"] is None,
            )
            for row in parts["rows"]
        ]
        if parts
        else [],
        parts_title=parts["title"][language] if parts else "",
        parts_column=parts["column"][language] if parts else "",
        parts_total=number_text(None, parts["total"], language) if parts else "",
        parts_period=period_name(parts["period"], language) if parts else "",
        audience=one["audience"],
    )


def number_text(value: float | None, text: str, language: str) -> str:
    if value is None and text.isdecimal():
        value = float(text)
    return str(format_decimal(value, locale=language) if value is not None else text)


def _point(one: dict[str, Any], number: dict[str, Any], language: str) -> Point:
    state, value = number["state"], number["value"]
    if state == HIDDEN:
        text = number["text"] or gettext("too few")
    elif state != SHOWN:
        text = gettext("none yet")
    elif "label" in number:
        text = gettext("%(band)s minutes", band=number["label"][language])
    else:
        text = number_text(value, number["text"], language)
        if one["unit"] == "percent":
            text = gettext("%(number)s%%", number=text)
        elif one["unit"] == "hours":
            text = gettext("about %(number)s hours", number=text)
    return Point(number["period"], period_name(number["period"], language), text, value, state, number["revised"])


def _finding(points: list[Point]) -> str:
    """Return what the chart says, in a sentence."""
    if not points:
        return str(gettext("Nothing was counted yet."))
    last = points[-1]
    if last.state != SHOWN:
        return str(gettext("%(period)s: too few to show.", period=last.name))
    before = points[-2] if len(points) > 1 and points[-2].state == SHOWN else None
    if before is None or last.value is None or before.value is None:
        return str(gettext("%(number)s in %(period)s.", number=last.text, period=last.name))
    if last.value == before.value:
        return str(gettext("%(number)s in %(period)s, as before.", number=last.text, period=last.name))
    told = {"number": last.text, "period": last.name, "before": before.text}
    if last.value > before.value:
        return str(gettext("%(number)s in %(period)s, up from %(before)s.", **told))
    return str(gettext("%(number)s in %(period)s, down from %(before)s.", **told))


def _bars(points: list[Point], language: str) -> list[Bar]:
    most = max((point.value or 0 for point in points), default=0)
    if not points:
        return []
    slot = CHART_WIDTH / len(points)
    return [
        Bar(
            round(place * slot + slot * 0.12, 1),
            round(slot * 0.76, 1),
            round(CHART_HEIGHT * (point.value or 0) / most, 1) if most and point.state == SHOWN else 0,
            short_name(point.period, language),
            point.text,
            point.state != SHOWN,
        )
        for place, point in enumerate(points)
    ]


@dataclass(frozen=True)
class Partner:
    source: str
    calendar: str
    rows: list[dict[str, str]]


def partners(body: dict[str, Any], language: str) -> list[Partner]:
    """Return partners' newest totals, each indicator once, with its own period."""
    found = []
    for source in body["partners"]:
        newest: dict[str, dict[str, Any]] = {}
        for figure in source["figures"]:
            if figure["part"] == "total" and figure["last"] >= newest.get(figure["indicator"], figure)["last"]:
                newest[figure["indicator"]] = figure
        rows = [
            {
                "title": figure["title"][language],
                "text": _partner_text(figure, language),
                "period": figure["period"],
                "span": _span(figure["first"], figure["last"], language),
            }
            for figure in newest.values()
        ]
        if rows:
            found.append(Partner(source["source"], source["calendar"], rows))
    return found


def _partner_text(figure: dict[str, Any], language: str) -> str:
    value = figure["value"]
    text = value if value.startswith("<") else format_decimal(float(value), locale=language)
    return str(gettext("%(number)s%%", number=text)) if figure["unit"] == "percent" else text


def _span(first: str, last: str, language: str) -> str:
    days = [format_date(dt.date.fromisoformat(day), "medium", locale=language) for day in (first, last)]
    return str(gettext("%(first)s to %(last)s", first=days[0], last=days[1]))
