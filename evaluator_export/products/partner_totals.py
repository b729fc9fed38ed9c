"""Totals of a partner organisation, counted by its own calendar.

Read from CSV, refused with everything wrong in it.
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from evaluator_export.formulas import RISKY
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.products.indicators import State
from evaluator_export.tables.protected_counts import PUBLIC_THRESHOLD

COLUMNS = ("indicator", "title_en", "title_fr", "unit", "period", "from", "to", "part", "value")
PART_WORDS = ("part_en", "part_fr")  # a file may have these, too
UNITS = ("count", "percent", "rate", "hours")
TOTAL = "total"
MOST_BYTES = 1_000_000
MOST_ROWS = 5000
MOST = 1e12
WHOLE = 100  # percent
LEAST_WIDTH = 5  # numbers that a hidden part can still be
EARLIEST = dt.date(2000, 1, 1)
SEPARATORS = ("\t", ";", ",")
PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class PartnerTotal:
    indicator: str
    title: dict[str, str]
    unit: str
    period: str
    first: str
    last: str
    part: str
    value: str  # a number, or "<n" where it is too small to show
    label: dict[str, str] = field(default_factory=dict)  # the part in both languages, where the file says it

    def as_json(self) -> dict[str, Any]:
        """Return the fields as editions and feeds hold them."""
        return dict(vars(self))


def bound_value(value: str, unit: str) -> dict[str, Any]:
    """Return what a partner's figure is or may be: value, at_least, at_most and state."""
    if not value.startswith("<"):
        number = float(value)
        state = State.VALUE if number else State.ZERO
        return {"value": number, "at_least": number, "at_most": number, "state": state}
    # A hidden count ends at the whole number before.
    most = float(value[1:]) - (1 if unit == "count" else 0)
    return {"value": None, "at_least": 0.0, "at_most": most, "state": State.FEW}


def read_partner(data: bytes, today: dt.date) -> list[PartnerTotal]:
    """Return the figures in a CSV file with COLUMNS, as spreadsheets write it.

    That is in UTF-8 or Windows-1252, with commas, semicolons or tabs between cells; with semicolons, a comma may be the
    decimal sign. Raise ExportProblem with all that is wrong, by row.
    """
    # Before anything is decoded: the file is somebody else's.
    if len(data) > MOST_BYTES:
        raise ExportProblem(Reason("partner.large"))
    lines = _read_lines(data)
    missing = [name for name in COLUMNS if not lines or name not in lines[0]]
    if missing:
        details = {"missing": ", ".join(missing), "columns": ", ".join(COLUMNS)}
        raise ExportProblem(Reason("partner.columns", details))
    if len(lines) > MOST_ROWS:
        raise ExportProblem(Reason("partner.rows", {"most": MOST_ROWS}))
    problems: list[Reason] = []
    totals = []
    # From 2, since people look rows up in a spreadsheet, where the first is the header.
    for number, line in enumerate(lines, 2):
        total = _read_total(number, line, today, problems)
        if total is not None:
            totals.append(total)
    _check_calendars(totals, problems)
    _check_totals(totals, problems)
    if problems:
        raise ExportProblem(*problems)
    return totals


def _read_lines(data: bytes) -> list[dict[str, str]]:
    try:
        text = _decode(data)
        separator = next((sign for sign in SEPARATORS if sign in text.partition("\n")[0]), ",")
        lines = list(csv.DictReader(io.StringIO(text), delimiter=separator))
    except (UnicodeDecodeError, csv.Error):
        raise ExportProblem(Reason("partner.csv")) from None
    if separator == ";":
        for line in lines:
            line["value"] = str(line.get("value") or "").replace(",", ".")
    return lines


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _read_total(number: int, line: Mapping[str, Any], today: dt.date, problems: list[Reason]) -> PartnerTotal | None:
    cells = {name: str(line.get(name) or "").strip() for name in COLUMNS}
    # As French writes thousands.
    cells["value"] = cells["value"].replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    words = {name: str(line.get(name) or "").strip() for name in PART_WORDS}
    before = len(problems)
    problems += [Reason("partner.empty", {"column": name}, (number,)) for name in COLUMNS if not cells[name]]
    # The totals go on into CSV and workbooks of ours; a formula would travel with them.
    problems += [
        Reason("partner.formula", {"column": name}, (number,))
        for name, cell in (*cells.items(), *words.items())
        if cell.startswith(RISKY)
    ]
    if cells["unit"] and cells["unit"] not in UNITS:
        problems.append(Reason("partner.unit", {"unit": cells["unit"], "known": ", ".join(UNITS)}, (number,)))
    problems += [reason.inside(number) for reason in (*_check_days(cells, today), *_check_value(cells))]
    if len(problems) > before:
        return None
    return PartnerTotal(
        indicator=cells["indicator"],
        title={"en": cells["title_en"], "fr": cells["title_fr"]},
        unit=cells["unit"],
        period=cells["period"],
        first=cells["from"],
        last=cells["to"],
        part=cells["part"],
        value=cells["value"],
        label={"en": words["part_en"], "fr": words["part_fr"]} if all(words.values()) else {},
    )


def _check_days(cells: Mapping[str, str], today: dt.date) -> list[Reason]:
    try:
        first = dt.date.fromisoformat(cells["from"])
        last = dt.date.fromisoformat(cells["to"])
    except ValueError:
        return [Reason("partner.days")]
    if first > last:
        return [Reason("partner.backwards")]
    if last > today or first < EARLIEST:
        return [Reason("partner.span", {"earliest": str(EARLIEST)})]
    return []


def _check_value(cells: Mapping[str, str]) -> list[Reason]:
    """Return why a value is no number, is impossible, or could point to somebody."""
    value = cells["value"]
    number = _read_number(value.removeprefix("<"))
    if not value:
        return []  # said already
    if number is None:
        return [Reason("partner.value", {"value": value, "threshold": PUBLIC_THRESHOLD})]
    if cells["unit"] == "percent" and number > WHOLE:
        return [Reason("partner.percent", {"value": value})]
    if cells["unit"] != "count":
        return []
    if number != int(number):
        return [Reason("partner.fraction", {"value": value})]
    if value.startswith("<"):
        return [Reason("partner.bound", {"least": LEAST_WIDTH})] if number < LEAST_WIDTH else []
    # The partner's small numbers are as dangerous as ours: the public threshold holds for them, too.
    if 0 < number < PUBLIC_THRESHOLD:
        return [Reason("partner.small", {"value": value, "threshold": PUBLIC_THRESHOLD})]
    return []


def _read_number(text: str) -> float | None:
    """Return a number in plain digits; None for what is none, or is too large."""
    if PLAIN.fullmatch(text) and float(text) < MOST:
        return float(text)
    return None


def _check_calendars(totals: list[PartnerTotal], problems: list[Reason]) -> None:
    """Add a problem for periods that overlap, or whose name has two spans of days."""
    for indicator in dict.fromkeys(total.indicator for total in totals):
        own = [total for total in totals if total.indicator == indicator]
        spans: dict[str, tuple[str, str]] = {}
        for total in own:
            span = (total.first, total.last)
            # One name, two spans: the second would replace the first in silence.
            if spans.setdefault(total.period, span) != span:
                problems.append(Reason("partner.spans", {"period": total.period}, (indicator,)))
        ordered = sorted((span, name) for name, span in spans.items())
        for (before, name), (following, other) in pairwise(ordered):
            # A day that two periods share would be counted twice in any sum of them.
            if following[0] <= before[1]:
                problems.append(Reason("partner.overlap", {"period": name, "other": other}, (indicator,)))
        if len({(total.unit, total.title["en"], total.title["fr"]) for total in own}) > 1:
            problems.append(Reason("partner.units", where=(indicator,)))


def _check_totals(totals: list[PartnerTotal], problems: list[Reason]) -> None:
    """Add a problem where parts do not add up, or where a hidden one could be worked out."""
    by_period: dict[tuple[str, str], dict[str, str]] = {}
    for figure in totals:
        place = (figure.indicator, figure.period)
        parts = by_period.setdefault(place, {})
        if figure.part in parts:
            problems.append(Reason("partner.part_twice", {"part": figure.part}, place))
        parts[figure.part] = figure.value
    units = {figure.indicator: figure.unit for figure in totals}
    for (indicator, period), parts in by_period.items():
        # Readers look at the total first; without it a hidden part would look like nothing.
        if TOTAL not in parts:
            problems.append(Reason("partner.no_total", {"part": TOTAL}, (indicator, period)))
            continue
        if units[indicator] != "count" or len(parts) == 1 or parts[TOTAL].startswith("<"):
            continue
        problems += [reason.inside(indicator, period) for reason in _check_sum(parts)]


def _check_sum(parts: Mapping[str, str]) -> list[Reason]:
    """Return why parts cannot add up, or how a hidden one could be worked out.

    A hidden part, such as "<20", is 0 to 19. What it can be beside the other numbers must stay LEAST_WIDTH wide.
    """
    open_parts = [float(value) for name, value in parts.items() if name != TOTAL and not value.startswith("<")]
    most = [float(value[1:]) - 1 for name, value in parts.items() if name != TOTAL and value.startswith("<")]
    total = float(parts[TOTAL])
    rest = total - sum(open_parts)  # what the hidden parts are together
    if not most and rest:
        return [Reason("partner.sum", {"sum": f"{sum(open_parts):g}", "total": f"{total:g}"})]
    if rest < 0:
        return [Reason("partner.over", {"total": f"{total:g}"})]
    if rest > sum(most):
        return [Reason("partner.under", {"total": f"{total:g}"})]
    for largest in most:
        width = min(largest, rest) - max(0.0, rest - (sum(most) - largest))
        if width < LEAST_WIDTH:
            return [Reason("partner.worked_out")]
    return []
