"""Editions of products as pages show them: numbers with units, periods in words, charts."""

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
# In the units of the chart's SVG.
CHART_WIDTH = 320
CHART_HEIGHT = 96
BAR_GAP = 0.12  # left free on each side of a bar, as a share of its slot


@dataclass(frozen=True)
class ChartBar:
    """A bar of a chart, in the chart's units. A hidden one has no height and is hatched."""

    x: float
    width: float
    height: float
    label: str
    text: str
    is_hidden: bool


@dataclass(frozen=True)
class ChartPoint:
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
    points: list[ChartPoint]
    bars: list[ChartBar]
    parts: list[PartRow]
    parts_title: str
    parts_column: str
    parts_total: str
    parts_period: str
    audience: str

    @property
    def last(self) -> ChartPoint | None:
        if self.points:
            return self.points[-1]
        return None


def period_name(name: str, language: str) -> str:
    """Return a period in words: October 2026, 3rd quarter 2026, week of November 16, 2026."""
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
    if period.cadence == "month":
        return str(format_date(period.first, "MMM", locale=language))
    return name


def make_indicator_views(body: dict[str, Any], language: str, with_staff: bool = False) -> list[IndicatorView]:
    """Return the indicators of a dashboard's edition; those for staff only where asked for."""
    views = []
    for indicator in body["indicators"]:
        if with_staff or indicator["audience"] == "public":
            # Staff's indicators are in the edition too: whoever forgets the argument shows less, not more.
            views.append(_make_indicator_view(indicator, language))
    return views


def _make_indicator_view(indicator: dict[str, Any], language: str) -> IndicatorView:
    points = [_make_point(indicator, number, language) for number in indicator["numbers"]]
    part_of_plan = SAFETO[indicator["safeto"]]
    calendar = CALENDARS[indicator["calendar"]]
    return IndicatorView(
        id=indicator["id"],
        code=indicator["code"],
        title=indicator["title"][language],
        meaning=indicator["meaning"][language],
        formula=indicator["formula"][language],
        denominator=(indicator["denominator"] or {}).get(language, ""),
        source=indicator["source"],
        read=indicator["read"][language],
        finding=_write_finding(points),
        safeto=gettext(part_of_plan),
        safeto_order=ORDER.index(indicator["safeto"]),
        calendar=gettext(calendar),
        threshold=indicator["threshold"],
        points=points,
        bars=_make_bars(points, language),
        audience=indicator["audience"],
        **_make_parts(indicator["parts"], language),
    )


def _make_parts(parts: dict[str, Any] | None, language: str) -> dict[str, Any]:
    """Return the fields of a view about the parts of a number; an indicator may have none."""
    if not parts:
        return {"parts": [], "parts_title": "", "parts_column": "", "parts_total": "", "parts_period": ""}
    # A hidden value is None; in the bars it has no length.
    greatest = max((row["value"] or 0 for row in parts["rows"]), default=0)
    rows = []
    for row in parts["rows"]:
        value = row["value"]
        text = write_number(value, row["text"], language)
        share = (value or 0) / greatest if greatest else 0
        rows.append(PartRow(row["label"][language], text, share, is_hidden=value is None))
    return {
        "parts": rows,
        "parts_title": parts["title"][language],
        "parts_column": parts["column"][language],
        # A total may itself be hidden, so it is a text.
        "parts_total": write_number(None, parts["total"], language),
        "parts_period": period_name(parts["period"], language),
    }


def write_number(value: float | None, text: str, language: str) -> str:
    """Return a number as the language writes it; a text that is no number ("<5") as it is."""
    # Editions keep numbers as text, so that “<5” can stand where a number would; here it becomes
    # one again.
    if value is None and text.isdecimal():
        value = float(text)
    if value is None:
        return text
    return str(format_decimal(value, locale=language))


def _make_point(indicator: dict[str, Any], number: dict[str, Any], language: str) -> ChartPoint:
    return ChartPoint(
        period=number["period"],
        name=period_name(number["period"], language),
        text=_write_value(indicator["unit"], number, language),
        value=number["value"],
        state=number["state"],
        revised=number["revised"],
    )


def _write_value(unit: str, number: dict[str, Any], language: str) -> str:
    """Return a number of an indicator with its unit, or why there is none."""
    if number["state"] == HIDDEN:
        return str(number["text"] or gettext("too few"))
    if number["state"] != SHOWN:
        return str(gettext("none yet"))
    # Times are given in bands: an exact middle of few shifts would be the time of one of them.
    if "label" in number:
        return str(gettext("%(band)s minutes", band=number["label"][language]))
    text = write_number(number["value"], number["text"], language)
    if unit == "percent":
        return str(gettext("%(number)s%%", number=text))
    if unit == "hours":
        return str(gettext("about %(number)s hours", number=text))
    return text


def _write_finding(points: list[ChartPoint]) -> str:
    """Return what the chart says, in a sentence."""
    if not points:
        return str(gettext("Nothing was counted yet."))
    last = points[-1]
    if last.state != SHOWN:
        return str(gettext("%(period)s: too few to show.", period=last.name))
    # Compared with the period before only where both can be seen; a hidden number says nothing of
    # up or down.
    before = points[-2] if len(points) > 1 else last
    if before is last or before.state != SHOWN or last.value is None or before.value is None:
        return str(gettext("%(number)s in %(period)s.", number=last.text, period=last.name))
    if last.value == before.value:
        return str(gettext("%(number)s in %(period)s, as before.", number=last.text, period=last.name))
    words = {"number": last.text, "period": last.name, "before": before.text}
    if last.value > before.value:
        return str(gettext("%(number)s in %(period)s, up from %(before)s.", **words))
    return str(gettext("%(number)s in %(period)s, down from %(before)s.", **words))


def _make_bars(points: list[ChartPoint], language: str) -> list[ChartBar]:
    """Return a bar for each point, side by side; the greatest is as high as the chart."""
    if not points:
        return []
    greatest = max(point.value or 0 for point in points)
    slot = CHART_WIDTH / len(points)
    bars = []
    for index, point in enumerate(points):
        # Hatched and without height: any height would be read as a number.
        is_hidden = point.state != SHOWN
        height = 0.0
        if greatest and not is_hidden:
            height = round(CHART_HEIGHT * (point.value or 0) / greatest, 1)
        bars.append(
            ChartBar(
                x=round(index * slot + slot * BAR_GAP, 1),
                width=round(slot * (1 - 2 * BAR_GAP), 1),
                height=height,
                label=short_name(point.period, language),
                text=point.text,
                is_hidden=is_hidden,
            )
        )
    return bars


@dataclass(frozen=True)
class PartnerView:
    source: str
    calendar: str
    rows: list[dict[str, str]]


def make_partner_views(body: dict[str, Any], language: str) -> list[PartnerView]:
    """Return partners' newest totals, each indicator once, with its own period."""
    views = []
    for source in body["partners"]:
        rows = [_make_partner_row(total, language) for total in _find_newest_totals(source["figures"])]
        if rows:
            views.append(PartnerView(source["source"], source["calendar"], rows))
    return views


def make_withdrawal_views(body: dict[str, Any], language: str) -> list[dict[str, str]]:
    """Return how many people took everything back, by quarter, the newest first.

    Editions from before have none.
    """
    numbers = body.get("withdrawals", ())
    return [{"period": period_name(number["period"], language), "text": number["text"]} for number in reversed(numbers)]


def _find_newest_totals(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    newest: dict[str, dict[str, Any]] = {}
    for figure in figures:
        if figure["part"] != "total":
            continue
        before = newest.get(figure["indicator"], figure)
        # Partners have calendars of their own, so "newest" is by the last day and not by a name.
        if figure["last"] >= before["last"]:
            newest[figure["indicator"]] = figure
    return list(newest.values())


def _make_partner_row(total: dict[str, Any], language: str) -> dict[str, str]:
    return {
        "title": total["title"][language],
        "text": _write_partner_value(total, language),
        "period": total["period"],
        "span": _write_span(total["first"], total["last"], language),
    }


def _write_partner_value(total: dict[str, Any], language: str) -> str:
    value = total["value"]
    text = str(format_decimal(float(value), locale=language))
    # “<5” is of a partner's file; nobody here knows what is behind it.
    if value.startswith("<"):
        text = value
    if total["unit"] == "percent":
        return str(gettext("%(number)s%%", number=text))
    return text


def _write_span(first: str, last: str, language: str) -> str:
    days = [format_date(dt.date.fromisoformat(day), "medium", locale=language) for day in (first, last)]
    return str(gettext("%(first)s to %(last)s", first=days[0], last=days[1]))
