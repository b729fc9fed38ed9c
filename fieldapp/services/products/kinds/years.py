"""The year of an indicator: its newest twelve months beside those before.

By its own periods where all of them show: twelve months, or four quarters. Else by the twelve months as they were counted
by themselves. Sums of what is shown already tell nothing new.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator_export.periods import Period, find_containing
from evaluator_export.products.change import Change, Word
from evaluator_export.products.indicators import Indicator, IndicatorValue, State, Texts, combine, compare, read_parts
from evaluator_export.tables.protected_counts import TOTAL
from fieldapp.services.releases.grace import GRACE_DAYS

PIECES = {"month": 12, "quarter": 4, "twelve": 1, "year": 1}  # periods of a calendar that make a year
MONTHS_OF_TWO_YEARS = 24
QUARTERS_OF_A_YEAR = 4

Published = Mapping[str, Texts]  # by the period's name: what is published of the indicator's table


@dataclass(frozen=True)
class _Span:
    """Periods beside each other, oldest first, and what is published of each."""

    periods: Sequence[Period]
    tables: Sequence[Texts]

    @property
    def is_shown(self) -> bool:
        """Say whether there are tables, and the total of each shows."""
        return bool(self.tables) and all(table.get(TOTAL, "").isdecimal() for table in self.tables)


def make_year(
    kpi: Indicator, published: Published, periods: Mapping[str, Sequence[Period]], is_of_persons: bool
) -> dict[str, Any] | None:
    """Return the year of an indicator as editions keep it; None where nothing was counted yet.

    `periods`: those that are complete, by calendar, oldest first.
    """
    spans = [_choose_span(kpi, calendar, published, periods, is_of_persons) for calendar in _list_ladder(kpi, is_of_persons)]
    counted = [(now, before) for now, before in spans if now.tables]
    if not counted:
        return None
    # The finest of which everything shows; else the last, which is the coarsest.
    now, before = next((pair for pair in counted if pair[0].is_shown), counted[-1])
    change = _compare(kpi, now, before)
    return {
        **_describe(kpi, now),
        "before": _describe(kpi, before) if before.tables else None,
        "word": change.word,
        "chance": round(change.chance, 4),
        "compare_from": str(_find_first_comparison(periods[kpi.calendar], is_of_persons)),
    }


def find_ready_day(kpi: Indicator, periods: Mapping[str, Sequence[Period]]) -> str | None:
    """Return the day by which an indicator has its first number; None if unknown."""
    months = periods.get("month", ())
    if not months:
        return None
    first = find_containing(months[0].first, "quarter" if kpi.calendar == "twelve" else kpi.calendar)
    if first.first < months[0].first:  # begun before there were records
        first = first.following()
    last = first.last
    if kpi.calendar == "twelve":
        last = first.following().following().following().last
    return str(last + dt.timedelta(days=kpi.ripens + GRACE_DAYS + 1))


def _list_ladder(kpi: Indicator, is_of_persons: bool) -> list[str]:
    # People are never counted over spans that overlap.
    return [kpi.calendar] if is_of_persons or kpi.calendar == "twelve" else [kpi.calendar, "twelve"]


def _choose_span(
    kpi: Indicator,
    calendar: str,
    published: Published,
    periods: Mapping[str, Sequence[Period]],
    is_of_persons: bool,
) -> tuple[_Span, _Span]:
    """Return the newest year by a calendar, and the year before it.

    Each is without tables where it was not counted.
    People are counted by the quarter or the year, and are not added up: one of them may be in several.
    """
    pieces = 1 if is_of_persons else PIECES[calendar]
    complete = [period for period in periods.get(calendar, ()) if period.name in published]
    now = complete[-pieces:]
    if not now:
        return _Span((), ()), _Span((), ())
    # A year before: the same seasons, whatever the calendar.
    by_first = {period.first: period for period in complete}
    before = [by_first[first] for first in map(_go_back_a_year, now) if first in by_first]
    if len(before) < pieces:
        before = []
    return _make_span(now, published), _make_span(before, published)


def _make_span(periods: Sequence[Period], published: Published) -> _Span:
    return _Span(periods, [published[period.name] for period in periods])


def _go_back_a_year(period: Period) -> dt.date:
    return period.first.replace(year=period.first.year - 1)


def _compare(kpi: Indicator, now: _Span, before: _Span) -> Change:
    if not before.tables or len(before.tables) < len(now.tables):
        return Change(Word.NOT_YET)
    return compare(kpi, now.tables, before.tables)


def _describe(kpi: Indicator, span: _Span) -> dict[str, Any]:
    number = kpi.number(combine(span.tables), len(span.tables))
    return {
        "first": str(span.periods[0].first),
        "last": str(span.periods[-1].last),
        **describe_number(number),
        **_describe_counts(kpi, span),
    }


def _describe_counts(kpi: Indicator, span: _Span) -> dict[str, Any]:
    """Return the published counts of a year, from which its word can be worked out.

    `part` and `whole` of a share; a count that is no share is a whole. `part_counts` and `whole_counts`: of how many
    rounded counts each is a sum. None of what is hidden or exact.
    """
    counts: dict[str, Any] = dict.fromkeys(("part", "part_counts", "whole", "whole_counts"))
    sums = combine(span.tables)
    total = sums.get(TOTAL, "")
    if kpi.is_exact or not total.isdecimal():
        return counts
    counts |= {"whole": total, "whole_counts": len(span.tables)}
    if kpi.kind == "share":
        _, parts = read_parts(kpi, sums)
        values = [part.value for part in parts]
        if None not in values:
            counts |= {"part": str(int(sum(filter(None, values)))), "part_counts": len(parts) * len(span.tables)}
    return counts


def describe_number(number: IndicatorValue) -> dict[str, Any]:
    """Return a number as editions keep it."""
    return {
        "state": State(number.state),
        "text": number.text,
        "value": number.value,
        "at_least": number.at_least,
        "at_most": number.at_most,
    }


def _find_first_comparison(periods: Sequence[Period], is_of_persons: bool) -> dt.date:
    """Return the first day on which a year can be compared with the one before."""
    oldest = periods[0]
    months = MONTHS_OF_TWO_YEARS
    if is_of_persons and oldest.cadence == "quarter":
        months = 12 + 12 // QUARTERS_OF_A_YEAR
    years, month = divmod(oldest.first.month - 1 + months, 12)
    return oldest.first.replace(year=oldest.first.year + years, month=month + 1)
