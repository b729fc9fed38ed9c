"""Totals of a partner organisation, counted by its own calendar.

Read from CSV, refused with everything wrong in it.
"""

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from evaluator_export.formulas import RISKY
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.tables.protected_counts import PUBLIC_THRESHOLD

COLUMNS = ("indicator", "title_en", "title_fr", "unit", "period", "from", "to", "part", "value")
UNITS = ("count", "percent", "rate", "hours")
TOTAL = "total"
MOST_BYTES = 1_000_000
MOST_ROWS = 5000


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

    def as_json(self) -> dict[str, Any]:
        """Return the fields as editions and feeds hold them."""
        return dict(vars(self))


def read_partner(data: bytes) -> list[PartnerTotal]:
    """Return the figures in a CSV file (UTF-8, with COLUMNS).

    Raise ExportProblem with all that is wrong, by row.
    """
    # Before anything is decoded: the file is somebody else's.
    if len(data) > MOST_BYTES:
        raise ExportProblem(Reason("partner.large"))
    try:
        lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        raise ExportProblem(Reason("partner.csv")) from None
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
        total = _read_total(number, line, problems)
        if total is not None:
            totals.append(total)
    _check_calendars(totals, problems)
    _check_totals(totals, problems)
    if problems:
        raise ExportProblem(*problems)
    return totals


def _read_total(number: int, line: Mapping[str, Any], problems: list[Reason]) -> PartnerTotal | None:
    cells = {name: str(line.get(name) or "").strip() for name in COLUMNS}
    before = len(problems)
    problems += [Reason("partner.empty", {"column": name}, (number,)) for name in COLUMNS if not cells[name]]
    # The totals go on into CSV and workbooks of ours; a formula would travel with them.
    problems += [
        Reason("partner.formula", {"column": name}, (number,)) for name, cell in cells.items() if cell.startswith(RISKY)
    ]
    if cells["unit"] and cells["unit"] not in UNITS:
        problems.append(Reason("partner.unit", {"unit": cells["unit"], "known": ", ".join(UNITS)}, (number,)))
    try:
        if dt.date.fromisoformat(cells["from"]) > dt.date.fromisoformat(cells["to"]):
            problems.append(Reason("partner.backwards", where=(number,)))
    except ValueError:
        problems.append(Reason("partner.days", where=(number,)))
    value = cells["value"]
    number_of = _number(value.removeprefix("<"))
    if value and number_of is None:
        problems.append(Reason("partner.value", {"value": value, "threshold": PUBLIC_THRESHOLD}, (number,)))
    # The partner's small numbers are as dangerous as ours: the public threshold holds for them,
    # too.
    elif cells["unit"] == "count" and not value.startswith("<") and number_of and 0 < number_of < PUBLIC_THRESHOLD:
        problems.append(Reason("partner.small", {"value": value, "threshold": PUBLIC_THRESHOLD}, (number,)))
    if len(problems) > before:
        return None
    title = {"en": cells["title_en"], "fr": cells["title_fr"]}
    return PartnerTotal(
        cells["indicator"], title, cells["unit"], cells["period"], cells["from"], cells["to"], cells["part"], value
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if 0 <= number < 1e12:
        return number
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
        hidden = [value for value in parts.values() if value.startswith("<")]
        open_parts = [float(value) for name, value in parts.items() if name != TOTAL and not value.startswith("<")]
        open_sum = sum(open_parts)
        total = float(parts[TOTAL])
        if not hidden and open_sum != total:
            details = {"sum": f"{open_sum:g}", "total": f"{total:g}"}
            problems.append(Reason("partner.sum", details, (indicator, period)))
        elif open_sum > total:
            problems.append(Reason("partner.over", {"total": f"{total:g}"}, (indicator, period)))
        # One hidden part is the total less the others. Two or more cannot be told apart.
        elif len(hidden) == 1:
            problems.append(Reason("partner.one_hidden", where=(indicator, period)))
