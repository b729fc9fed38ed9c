"""Totals of a partner organisation, counted by its own calendar: read from CSV, refused with everything wrong in it."""

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from evaluator_export.formulas import RISKY
from evaluator_export.problems import ExportProblem
from evaluator_export.tables.protected_counts import PUBLIC_THRESHOLD

COLUMNS = ("indicator", "title_en", "title_fr", "unit", "period", "from", "to", "part", "value")
UNITS = ("count", "percent", "rate", "hours")
TOTAL = "total"
MOST_BYTES, MOST_ROWS = 1_000_000, 5000


@dataclass(frozen=True)
class Figure:
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


def read_partner(data: bytes) -> list[Figure]:
    """Return the figures in a CSV file (UTF-8, with COLUMNS); raise ExportProblem with all that is wrong, by row."""
    if len(data) > MOST_BYTES:
        raise ExportProblem(["The file is over 1 MB; send totals, not rows about people."])
    try:
        lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        raise ExportProblem(["This is not CSV in UTF-8."]) from None
    missing = [name for name in COLUMNS if not lines or name not in lines[0]]
    if missing:
        raise ExportProblem([f"The file lacks the columns {', '.join(missing)}. It needs: {', '.join(COLUMNS)}."])
    if len(lines) > MOST_ROWS:
        raise ExportProblem([f"The file has over {MOST_ROWS} rows; send totals, not rows about people."])
    problems: list[str] = []
    found = [figure for number, line in enumerate(lines, 2) if (figure := _figure(number, line, problems))]
    _check_calendars(found, problems)
    _check_totals(found, problems)
    if problems:
        raise ExportProblem(problems)
    return found


def _figure(number: int, line: Mapping[str, Any], problems: list[str]) -> Figure | None:
    cells = {name: str(line.get(name) or "").strip() for name in COLUMNS}
    where, before = f"Row {number}", len(problems)
    problems += [f"{where}: {name} is empty." for name in COLUMNS if not cells[name]]
    problems += [
        f"{where}: {name} begins with a sign that spreadsheets run as a formula."
        for name, cell in cells.items()
        if cell.startswith(RISKY)
    ]
    if cells["unit"] and cells["unit"] not in UNITS:
        problems.append(f"{where}: unit is “{cells['unit']}”; write {', '.join(UNITS)}.")
    try:
        if dt.date.fromisoformat(cells["from"]) > dt.date.fromisoformat(cells["to"]):
            problems.append(f"{where}: the period ends before it begins.")
    except ValueError:
        problems.append(f"{where}: from and to are days, like 2026-01-31.")
    value = cells["value"]
    number_of = _number(value.removeprefix("<"))
    if value and number_of is None:
        problems.append(
            f"{where}: value is “{value}”; write a number, or <{PUBLIC_THRESHOLD} where it is too small to show."
        )
    elif cells["unit"] == "count" and not value.startswith("<") and number_of and 0 < number_of < PUBLIC_THRESHOLD:
        problems.append(
            f"{where}: the count {value} could point to somebody; write <{PUBLIC_THRESHOLD} instead, or join it with others."
        )
    if len(problems) > before:
        return None
    title = {"en": cells["title_en"], "fr": cells["title_fr"]}
    return Figure(
        cells["indicator"], title, cells["unit"], cells["period"], cells["from"], cells["to"], cells["part"], value
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e12 else None


def _check_calendars(found: list[Figure], problems: list[str]) -> None:
    """A calendar is one line of periods: each name has one span, and no two spans share a day."""
    for indicator in dict.fromkeys(one.indicator for one in found):
        spans: dict[str, tuple[str, str]] = {}
        for one in found:
            if one.indicator == indicator and spans.setdefault(one.period, (one.first, one.last)) != (one.first, one.last):
                problems.append(f"{indicator}: the period {one.period} has two different spans.")
        ordered = sorted((span, name) for name, span in spans.items())
        for (span, name), (following, other) in pairwise(ordered):
            if following[0] <= span[1]:
                problems.append(f"{indicator}: the periods {name} and {other} overlap.")
        if len({(one.unit, one.title["en"], one.title["fr"]) for one in found if one.indicator == indicator}) > 1:
            problems.append(f"{indicator}: it has two units or titles.")


def _check_totals(found: list[Figure], problems: list[str]) -> None:
    by_period: dict[tuple[str, str], dict[str, str]] = {}
    for one in found:
        parts = by_period.setdefault((one.indicator, one.period), {})
        if one.part in parts:
            problems.append(f"{one.indicator}, {one.period}: the part “{one.part}” is there twice.")
        parts[one.part] = one.value
    units = {one.indicator: one.unit for one in found}
    for (indicator, period), parts in by_period.items():
        if TOTAL not in parts:
            problems.append(f"{indicator}, {period}: the row with the part “{TOTAL}” is missing.")
            continue
        if units[indicator] != "count" or len(parts) == 1 or parts[TOTAL].startswith("<"):
            continue
        hidden = [value for value in parts.values() if value.startswith("<")]
        known = sum(float(value) for name, value in parts.items() if name != TOTAL and not value.startswith("<"))
        total = float(parts[TOTAL])
        if not hidden and known != total:
            problems.append(f"{indicator}, {period}: the parts add up to {known:g}, the total says {total:g}.")
        elif known > total:
            problems.append(f"{indicator}, {period}: the parts add up to more than the total of {total:g}.")
        elif len(hidden) == 1:
            problems.append(
                f"{indicator}, {period}: one hidden part can be worked out from the total; hide a second one, or round."
            )
