"""Reporting periods: a month (2026-10) or a quarter (2026-Q4)."""

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from evaluator_export.problems import ExportProblem

PATTERN = re.compile(r"(\d{4})-(?:Q([1-4])|(0[1-9]|1[0-2]))")


@dataclass(frozen=True, order=True)
class Period:
    """A month or quarter; `first` and `last` are its days, inclusive."""

    first: dt.date
    last: dt.date
    name: str

    def following(self) -> "Period":
        return containing(self.last + dt.timedelta(days=1), "quarter" if "Q" in self.name else "month")


def parse(name: str) -> Period:
    """Return the period of a name; raise ExportProblem when it is not one."""
    match = PATTERN.fullmatch(name)
    if not match:
        raise ExportProblem([f"“{name}” is not a period. Write 2026-10 for a month or 2026-Q4 for a quarter."])
    year = int(match[1])
    start, months = (int(match[2]) * 3 - 2, 3) if match[2] else (int(match[3]), 1)
    end = start + months - 1
    return Period(dt.date(year, start, 1), dt.date(year, end, calendar.monthrange(year, end)[1]), name)


def containing(day: dt.date, cadence: str) -> Period:
    if cadence == "quarter":
        return parse(f"{day.year:04}-Q{(day.month + 2) // 3}")
    return parse(f"{day.year:04}-{day.month:02}")


def complete(first: str, cadence: str, today: dt.date) -> list[Period]:
    """Return the periods from `first` on that ended before today, oldest first."""
    period, found = parse(first), list[Period]()
    if ("Q" in first) != (cadence == "quarter"):
        raise ExportProblem([f"“{first}” is not a {cadence}."])
    while period.last < today:
        found.append(period)
        period = period.following()
    return found
