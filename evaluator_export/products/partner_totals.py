"""Totals of a partner organisation, counted by its own calendar: read from CSV, refused with everything wrong in it."""

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
MOST_BYTES, MOST_ROWS = 1_000_000, 5000


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
        return dict(vars(self))


def read_partner(data: bytes) -> list[PartnerTotal]:
    """Return the figures in a CSV file (UTF-8, with COLUMNS); raise ExportProblem with all that is wrong, by row."""
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
    found = [figure for number, line in enumerate(lines, 2) if (figure := _read_total(number, line, problems))]
    _check_calendars(found, problems)
    _check_totals(found, problems)
    if problems:
        raise ExportProblem(*problems)
    return found


def _read_total(number: int, line: Mapping[str, Any], problems: list[Reason]) -> PartnerTotal | None:
    cells = {name: str(line.get(name) or "").strip() for name in COLUMNS}
    before = len(problems)
    problems += [Reason("partner.empty", {"column": name}, (number,)) for name in COLUMNS if not cells[name]]
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
    return number if 0 <= number < 1e12 else None


def _check_calendars(found: list[PartnerTotal], problems: list[Reason]) -> None:
    """A calendar is one line of periods: each name has one span, and no two spans share a day."""
    for indicator in dict.fromkeys(one.indicator for one in found):
        spans: dict[str, tuple[str, str]] = {}
        for one in found:
            if one.indicator == indicator and spans.setdefault(one.period, (one.first, one.last)) != (one.first, one.last):
                problems.append(Reason("partner.spans", {"period": one.period}, (indicator,)))
        ordered = sorted((span, name) for name, span in spans.items())
        for (span, name), (following, other) in pairwise(ordered):
            if following[0] <= span[1]:
                problems.append(Reason("partner.overlap", {"period": name, "other": other}, (indicator,)))
        if len({(one.unit, one.title["en"], one.title["fr"]) for one in found if one.indicator == indicator}) > 1:
            problems.append(Reason("partner.units", where=(indicator,)))


def _check_totals(found: list[PartnerTotal], problems: list[Reason]) -> None:
    by_period: dict[tuple[str, str], dict[str, str]] = {}
    for one in found:
        parts = by_period.setdefault((one.indicator, one.period), {})
        if one.part in parts:
            problems.append(Reason("partner.part_twice", {"part": one.part}, (one.indicator, one.period)))
        parts[one.part] = one.value
    units = {one.indicator: one.unit for one in found}
    for (indicator, period), parts in by_period.items():
        if TOTAL not in parts:
            problems.append(Reason("partner.no_total", {"part": TOTAL}, (indicator, period)))
            continue
        if units[indicator] != "count" or len(parts) == 1 or parts[TOTAL].startswith("<"):
            continue
        hidden = [value for value in parts.values() if value.startswith("<")]
        known = sum(float(value) for name, value in parts.items() if name != TOTAL and not value.startswith("<"))
        total = float(parts[TOTAL])
        if not hidden and known != total:
            details = {"sum": f"{known:g}", "total": f"{total:g}"}
            problems.append(Reason("partner.sum", details, (indicator, period)))
        elif known > total:
            problems.append(Reason("partner.over", {"total": f"{total:g}"}, (indicator, period)))
        elif len(hidden) == 1:
            problems.append(Reason("partner.one_hidden", where=(indicator, period)))
