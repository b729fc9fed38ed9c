"""Editions of products as pages show them: numbers with units, periods in words, charts."""

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from flask_babel import gettext

from evaluator_export import periods
from evaluator_export.products.indicators import State, read_state
from fieldapp.services.products.content import PartOfPeriod, iterate_parts
from fieldapp.web.year_words import YearView, make_year_view
from fieldapp.web.year_words import write_number as write_indicator
from forms.problems import N_

SAFETO = {
    "sd": N_("Social development"),
    "prev": N_("Prevention"),
    "ri": N_("Risk intervention"),
    "er": N_("Emergency response"),
}
ORDER = ("prev", "ri", "er", "sd")
CALENDARS = {
    "month": N_("by the month"),
    "quarter": N_("by the quarter"),
    "year": N_("by the year"),
    "twelve": N_("by twelve months"),
}
# In the units of the chart's SVG.
CHART_WIDTH = 320
CHART_HEIGHT = 96
MOST_POINTS = 13  # periods of a chart and its table; files and feeds have more
MOST_VALUES = 9  # bars on which each number has room
BAR_GAP = 0.12  # left free on each side of a bar, as a share of its slot


@dataclass(frozen=True)
class ChartBar:
    """A bar of a chart, in the chart's units.

    A number that is hidden has a bracket as high as what it may be, at most; `kind` is value, few or none.
    """

    x: float
    width: float
    height: float
    low: float  # the ends of the range of a share; both 0 where there is none
    high: float
    label: str
    text: str
    kind: str
    has_value: bool  # the number stands on the bar


@dataclass(frozen=True)
class ChartPoint:
    period: str
    name: str
    text: str
    value: float | None
    at_least: float | None
    at_most: float | None
    is_share: bool
    is_shown: bool
    revised: int
    short: str  # under its bar


@dataclass(frozen=True)
class PartRow:
    label: str
    text: str
    share: float  # of the greatest, 0 to 1
    is_hidden: bool


@dataclass(frozen=True)
class Panel:
    """A group's own small chart, on the scale of all panels; `text` is its newest number."""

    label: str
    text: str
    finding: str
    bars: list[ChartBar]


@dataclass(frozen=True)
class IndicatorView:
    """An indicator in one language.

    `year`: None of an edition of before there were years. `points` are oldest first; `last` is the newest of them.
    """

    id: str
    code: str
    title: str
    meaning: str
    formula: str
    denominator: str
    source: str
    read: str
    finding: str
    year: YearView | None
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
    is_by_group: bool
    panels: list[Panel]  # of each group that shows in some period
    unshown: int  # groups that show in none

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
    if period.cadence == "twelve":
        return str(gettext("twelve months to %(month)s", month=format_date(period.last, "LLLL y", locale=language)))
    if period.cadence == "week":
        return str(gettext("week of %(day)s", day=format_date(period.first, "long", locale=language)))
    return str(format_date(period.first, "LLLL y", locale=language))


def short_name(name: str, language: str) -> str:
    period = periods.parse(name)
    if period.cadence == "quarter":
        return f"{format_date(period.first, 'QQQ', locale=language)} {name[2:4]}"
    if period.cadence == "month":
        return str(format_date(period.first, "MMM", locale=language))
    if period.cadence == "twelve":
        return str(format_date(period.last, "MMM y", locale=language))
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
    points = [_make_point(indicator, number, language) for number in indicator["numbers"][-MOST_POINTS:]]
    year = make_year_view(indicator, language)
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
        finding=f"{year.sentence} {year.comparison}" if year else _write_finding(indicator, points, language),
        year=year,
        safeto=gettext(part_of_plan),
        safeto_order=ORDER.index(indicator["safeto"]),
        calendar=gettext(calendar),
        threshold=indicator["threshold"],
        points=points,
        bars=make_bars(points, language),
        audience=indicator["audience"],
        is_by_group=bool(indicator.get("by_group")),
        **_make_parts(indicator["parts"], language),
        **_make_panels(indicator, language),
    )


def _make_panels(indicator: dict[str, Any], language: str) -> dict[str, Any]:
    """Return a small chart of each group of an indicator that tells its groups.

    By the groups' own order and not by size: where two counts are alike, their order would be chance.
    """
    parts = list(iterate_parts(indicator)) if indicator.get("by_group") else []
    counted = list(dict.fromkeys(part.period for part in parts))
    by_place = {(part.key, part.period): part for part in parts}
    labels = {part.key: part.label[language] if part.key else str(gettext("Not known")) for part in parts}
    points_by_label: dict[str, list[ChartPoint]] = {}
    for key, label in labels.items():
        # One that is not listed in a period that was counted is hidden there.
        numbers = [_describe_part(by_place.get((key, period)), period, indicator["threshold"]) for period in counted]
        points_by_label[label] = [_make_point(indicator, number, language) for number in numbers]
    to_show = {label: points for label, points in points_by_label.items() if any(map(_is_shown, points))}
    scale = _compute_scale(list(itertools.chain.from_iterable(to_show.values()))) if to_show else 0.0
    panels = []
    for label, points in to_show.items():
        newest = points[-MOST_POINTS:]
        finding = f"{label}: {newest[-1].text}, {newest[-1].name}"
        panels.append(Panel(label, newest[-1].text, finding, make_bars(newest, language, scale)))
    return {"panels": panels, "unshown": len(points_by_label) - len(to_show)}


def _is_shown(point: ChartPoint) -> bool:
    return point.is_shown


def _describe_part(part: PartOfPeriod | None, period: str, threshold: int) -> dict[str, Any]:
    """Return a part as editions keep numbers."""
    number: dict[str, Any] = {"period": period, "revised": 0}
    if part is None or part.value is None:
        hidden = {"state": State.FEW, "text": f"<{threshold}", "value": None, "at_least": 0, "at_most": threshold - 1}
        return number | hidden
    state = State.VALUE if part.value else State.ZERO
    return number | {
        "state": state,
        "text": part.text,
        "value": part.value,
        "at_least": part.at_least,
        "at_most": part.at_most,
    }


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
        label = row["label"][language] if row["key"] else gettext("Not known")
        rows.append(PartRow(label, text, share, is_hidden=value is None))
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
        text=_write_value(indicator, number, language),
        value=number["value"],
        at_least=number.get("at_least"),
        at_most=number.get("at_most"),
        is_share=indicator["unit"] == "percent",
        is_shown=read_state(number["state"]) in (State.VALUE, State.ZERO),
        revised=number["revised"],
        short=short_name(number["period"], language),
    )


def _write_value(indicator: dict[str, Any], number: dict[str, Any], language: str) -> str:
    """Return a number of an indicator with its unit, or why there is none."""
    # Of editions of before there were ranges: the band in words.
    if "label" in number:
        return str(gettext("%(band)s minutes", band=number["label"][language]))
    return " ".join(write_indicator(indicator, number, language)).strip()


def _write_finding(indicator: dict[str, Any], points: list[ChartPoint], language: str) -> str:
    """Return the newest number of an indicator without a year, or when one comes.

    With the period before it is not compared: what differs between two months is chance and season.
    """
    if not points and indicator.get("ready_on"):
        month = format_date(dt.date.fromisoformat(indicator["ready_on"]), "LLLL y", locale=language)
        return str(gettext("The first number comes in %(month)s.", month=month))
    if not points:
        return str(gettext("Nothing was counted yet."))
    last = points[-1]
    if not last.is_shown:
        return str(gettext("%(period)s: too few to show.", period=last.name))
    return str(gettext("%(number)s in %(period)s.", number=last.text, period=last.name))


def make_bars(points: list[ChartPoint], language: str, scale: float | None = None) -> list[ChartBar]:
    """Return a bar for each point, side by side.

    `scale`: how high a unit is; else the greatest is as high as the chart, and of shares the whole is.
    """
    if not points:
        return []
    highest = max(points, key=lambda point: point.value or 0)
    if scale is None:
        scale = _compute_scale(points)
    slot = CHART_WIDTH / len(points)
    bars = []
    for index, point in enumerate(points):
        kind = _choose_mark(point)
        has_range = point.is_share and kind != "none"
        bars.append(
            ChartBar(
                x=round(index * slot + slot * BAR_GAP, 1),
                width=round(slot * (1 - 2 * BAR_GAP), 1),
                height=round(scale * ((point.at_most if kind == "few" else point.value) or 0), 1),
                low=round(scale * (point.at_least or 0), 1) if has_range else 0.0,
                high=round(scale * (point.at_most or 0), 1) if has_range else 0.0,
                label=point.short,
                text=write_number(point.value, "", language),
                kind=kind,
                has_value=kind == "value" and (len(points) <= MOST_VALUES or point in (points[-1], highest)),
            )
        )
    return bars


def _compute_scale(points: list[ChartPoint]) -> float:
    """Return how high a unit is in a chart."""
    greatest = 100.0 if points[0].is_share else max((point.value or point.at_most or 0) for point in points)
    return CHART_HEIGHT / greatest if greatest else 0.0


def _choose_mark(point: ChartPoint) -> str:
    """Return the mark for a number: a bar, a bracket over all that it may be, or none."""
    if point.is_shown:
        return "value"
    return "none" if point.at_most is None else "few"


def make_withdrawal_views(body: dict[str, Any], language: str) -> list[dict[str, str]]:
    """Return how many people took everything back, by quarter, the newest first.

    Editions from before have none.
    """
    numbers = body.get("withdrawals", ())
    return [{"period": period_name(number["period"], language), "text": number["text"]} for number in reversed(numbers)]
