"""Reporting periods: a week (2026-W47, ISO: Monday to Sunday), a month (2026-10), a quarter (2026-Q4) or a year (2026)."""

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from evaluator_export.problems import ExportProblem, Reason

PATTERN = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])|W(0[1-9]|[1-4]\d|5[0-3])))?")
CADENCES = ("week", "month", "quarter")  # of releases
YEAR = "year"  # of products only: a year of rows is four quarters of them
NOT_OF_CADENCE = {
    "week": "period.not_week",
    "month": "period.not_month",
    "quarter": "period.not_quarter",
    YEAR: "period.not_year",
}


@dataclass(frozen=True, order=True)
class Period:
    """A week, month, quarter or year; `first` and `last` are its days, inclusive."""

    first: dt.date
    last: dt.date
    name: str

    @property
    def cadence(self) -> str:
        return "quarter" if "Q" in self.name else "week" if "W" in self.name else "month" if "-" in self.name else YEAR

    def following(self) -> "Period":
        return containing(self.last + dt.timedelta(days=1), self.cadence)

    def before(self) -> "Period":
        return containing(self.first - dt.timedelta(days=1), self.cadence)


def parse(name: str) -> Period:
    """Return the period of a name; raise ExportProblem when it is not one."""
    match = PATTERN.fullmatch(name)
    if not match:
        raise ExportProblem(Reason("period.format", {"period": name}))
    year = int(match[1])
    if match[4]:
        try:
            monday = dt.date.fromisocalendar(year, int(match[4]), 1)
        except ValueError:
            raise ExportProblem(Reason("period.weeks", {"period": name})) from None
        return Period(monday, monday + dt.timedelta(days=6), name)
    start, months = (int(match[2]) * 3 - 2, 3) if match[2] else (int(match[3]), 1) if match[3] else (1, 12)
    end = start + months - 1
    return Period(dt.date(year, start, 1), dt.date(year, end, calendar.monthrange(year, end)[1]), name)


def containing(day: dt.date, cadence: str) -> Period:
    if cadence == "week":
        year, week, _ = day.isocalendar()
        return parse(f"{year:04}-W{week:02}")
    if cadence == YEAR:
        return parse(f"{day.year:04}")
    if cadence == "quarter":
        return parse(f"{day.year:04}-Q{(day.month + 2) // 3}")
    return parse(f"{day.year:04}-{day.month:02}")


def complete(first: str, cadence: str, today: dt.date) -> list[Period]:
    """Return the periods from `first` on that ended before today, oldest first."""
    period, found = parse(first), list[Period]()
    if period.cadence != cadence:
        raise ExportProblem(Reason(NOT_OF_CADENCE[cadence], {"period": first}))
    while period.last < today:
        found.append(period)
        period = period.following()
    return found
