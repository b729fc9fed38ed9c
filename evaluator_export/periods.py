"""Reporting periods: a week, a month, a quarter, a year, or twelve months, by their names.

Names: 2026-W47 (ISO week, Monday to Sunday), 2026-10, 2026-Q4, 2026, P1Y/2026-Q3 (the year that ends with that quarter).
"""

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from evaluator_export.problems import ExportProblem, Reason

TWELVE_MONTHS = "P1Y/"  # begins the name; as ISO 8601 writes a span of a year with its end
PATTERN = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])|W(0[1-9]|[1-4]\d|5[0-3])))?")


class Cadence(StrEnum):
    """How long a period is; the values are stored with series and products."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"  # of products only: a year of rows is four quarters of them
    TWELVE = "twelve"  # of products only; there is a new one each quarter, so they overlap


CADENCES = (Cadence.WEEK, Cadence.MONTH, Cadence.QUARTER)  # of releases

NOT_OF_CADENCE = {
    Cadence.WEEK: "period.not_week",
    Cadence.MONTH: "period.not_month",
    Cadence.QUARTER: "period.not_quarter",
    Cadence.YEAR: "period.not_year",
}


@dataclass(frozen=True, order=True)
class Period:
    """One period; `first` and `last` are its days, both within it. Periods sort by time."""

    first: dt.date
    last: dt.date
    name: str

    @property
    def cadence(self) -> Cadence:
        """How long the period is, as its name says."""
        if self.name.startswith(TWELVE_MONTHS):
            return Cadence.TWELVE
        if "Q" in self.name:
            return Cadence.QUARTER
        if "W" in self.name:
            return Cadence.WEEK
        if "-" in self.name:
            return Cadence.MONTH
        return Cadence.YEAR

    def following(self) -> "Period":
        """Return the next period of the same length."""
        if self.cadence == Cadence.TWELVE:
            return _end_with(self._quarter.following())
        return find_containing(self.last + dt.timedelta(days=1), self.cadence)

    def before(self) -> "Period":
        """Return the period of the same length before this one.

        Of twelve months, those that end a quarter earlier.
        """
        if self.cadence == Cadence.TWELVE:
            return _end_with(self._quarter.before())
        return find_containing(self.first - dt.timedelta(days=1), self.cadence)

    @property
    def _quarter(self) -> "Period":
        """The quarter that twelve months end with."""
        return parse(self.name.removeprefix(TWELVE_MONTHS))


def parse(name: str) -> Period:
    """Return the period of a name. Raises ExportProblem when it is the name of none.

    Example: `parse("2026-Q4")` is from October 1 to December 31, 2026.
    """
    if name.startswith(TWELVE_MONTHS):
        last = parse(name.removeprefix(TWELVE_MONTHS))
        if last.cadence != Cadence.QUARTER:
            raise ExportProblem(Reason("period.format", {"period": name}))
        return _end_with(last)
    match = PATTERN.fullmatch(name)
    if not match:
        raise ExportProblem(Reason("period.format", {"period": name}))
    year, quarter, month, week = match.groups()
    if week:
        return _make_week(name, int(year), int(week))
    if quarter:
        return _make_months(name, int(year), 3 * int(quarter) - 2, 3 * int(quarter))
    if month:
        return _make_months(name, int(year), int(month), int(month))
    return _make_months(name, int(year), 1, 12)


def _end_with(quarter: Period) -> Period:
    """Return the twelve months that end with a quarter."""
    first = quarter.before().before().before().first
    return Period(first, quarter.last, f"{TWELVE_MONTHS}{quarter.name}")


def _make_week(name: str, year: int, week: int) -> Period:
    try:
        monday = dt.date.fromisocalendar(year, week, 1)
    except ValueError:
        # Only some years have a week 53.
        raise ExportProblem(Reason("period.weeks", {"period": name})) from None
    return Period(monday, monday + dt.timedelta(days=6), name)


def _make_months(name: str, year: int, first_month: int, last_month: int) -> Period:
    last_day = calendar.monthrange(year, last_month)[1]
    return Period(dt.date(year, first_month, 1), dt.date(year, last_month, last_day), name)


def find_containing(day: dt.date, cadence: str) -> Period:
    """Return the period of a cadence that a day lies in.

    Of twelve months, those that end with its quarter.

    Example: 2027-01-01 is a Friday, so its week is 2026-W53.
    """
    if cadence == Cadence.WEEK:
        # ISO's year of the week, which around New Year is not the calendar's.
        year, week, _ = day.isocalendar()
        return parse(f"{year:04}-W{week:02}")
    if cadence == Cadence.YEAR:
        return parse(f"{day.year:04}")
    if cadence == Cadence.TWELVE:
        return _end_with(find_containing(day, Cadence.QUARTER))
    if cadence == Cadence.QUARTER:
        return parse(f"{day.year:04}-Q{(day.month + 2) // 3}")
    return parse(f"{day.year:04}-{day.month:02}")


def list_around(day: dt.date) -> list[str]:
    """Return the names of the periods that a day lies in.

    Month, quarter, year, and the spans of twelve months.
    """
    names = [find_containing(day, cadence).name for cadence in (Cadence.MONTH, Cadence.QUARTER, Cadence.YEAR)]
    span = find_containing(day, Cadence.TWELVE)
    while span.first <= day:
        names.append(span.name)
        span = span.following()
    return names


def list_complete(first: str, cadence: str, today: dt.date) -> list[Period]:
    """Return the periods from `first` (a name) on that ended before today, oldest first.

    Raises ExportProblem when `first` is no period of that cadence.
    """
    period = parse(first)
    if period.cadence != cadence:
        raise ExportProblem(Reason(NOT_OF_CADENCE[Cadence(cadence)], {"period": first}))
    periods = []
    # A period counts once it is over: numbers of one that goes on would change after they were
    # sent.
    while period.last < today:
        periods.append(period)
        period = period.following()
    return periods
