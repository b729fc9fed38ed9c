"""Key performance indicators.

Each defined once, computed from protected tables, so that every product says the same number.

Each number has a state: every file, page and feed says it in its own way, and none has another.
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from evaluator_export.datasets.recipe import Audience
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.products.change import UNSURE, Change, compare_counts, compare_exact, compare_shares
from evaluator_export.products.shares import Share, find_middle, find_share
from evaluator_export.tables.protected_counts import BASE, PUBLIC_THRESHOLD, TOTAL, Cell, write_hidden
from evaluator_export.yaml_text import read_yaml

CALENDARS = ("month", "quarter", "year", "twelve")
KINDS = ("total", "share", "half", "hours")
UNITS = ("count", "percent", "hours", "minutes")
SAFETO = ("sd", "prev", "ri", "er")
MOST_RIPENING = 120  # days
MOST_ROUNDED = BASE - 1  # how far a published count lies from the true one, at most

Texts = Mapping[Cell, str]  # a protected table: what each cell shows as


class State(StrEnum):
    """What there is to say of a number; the values stand in editions, files and feeds."""

    VALUE = "value"
    FEW = "few"  # none, or too few to show
    ZERO = "zero"  # exactly none, of what anybody can count
    NOT_YET = "not_yet"  # the period is not over, or nothing is counted for it yet


# As editions of before there were these states say it.
EARLIER_STATES = {"shown": State.VALUE, "hidden": State.FEW, "missing": State.NOT_YET}


def read_state(text: str) -> State:
    """Return the state that an edition names, also one of before."""
    return EARLIER_STATES.get(text) or State(text)


@dataclass(frozen=True)
class IndicatorValue:
    """One number of one period: its text without a unit, and its value where it shows.

    The true one lies between `at_least` and `at_most`; None where nothing is known.
    """

    state: State
    text: str = ""
    value: float | None = None
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Indicator:
    id: str
    code: str
    title: dict[str, str]
    meaning: dict[str, str]
    formula: dict[str, str]
    denominator: dict[str, str]  # of a share: what it is a share of
    unit: str
    kind: str
    table: str
    of: tuple[str, ...]
    each: Mapping[str, float]
    shown_by: str
    calendar: str
    safeto: str
    audience: str
    read: dict[str, str]
    is_exact: bool = False  # counts what anybody can count
    is_by_group: bool = False  # its parts are what it tells; its total is another indicator's
    ripens: int = 0  # days after an event until its outcome counts as known

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Return the tables that the indicator reads, each once."""
        return tuple(dict.fromkeys([self.table, self.shown_by]))

    def number(self, table: Texts | None, pieces: int = 1) -> IndicatorValue:
        """Return the number that a protected table gives, or a sum of so many (`combine`)."""
        # A table without a total is one that nothing was counted in. That is said differently from
        # a number that is too small to show.
        if not table or TOTAL not in table:
            return IndicatorValue(State.NOT_YET)
        return COMPUTE[self.kind](self, table, pieces)


def read_kpis(text: str) -> list[Indicator]:
    """Return the indicators written in YAML.

    Raise ExportProblem with everything wrong in them.
    """
    problems: list[Reason] = []
    indicators = []
    for item in read_yaml(text):
        name = str(item.get("id"))
        value = dict(item.get("value") or {})
        kind = next((kind for kind in KINDS if kind in value), "")
        wrong = _check(item, kind)
        # One wrong indicator must not hide what is wrong with the next.
        problems += [reason.inside(name) for reason in wrong]
        if not wrong:
            indicators.append(_read_indicator(item, kind, value))
    names = Counter(indicator.id for indicator in indicators)
    problems += [Reason("indicator.twice", where=(name,)) for name, count in names.items() if count > 1]
    if problems:
        raise ExportProblem(*problems)
    return indicators


def _check(item: Mapping[str, Any], kind: str) -> list[Reason]:
    """Return what is wrong in one indicator.

    `kind` is empty when its value is of no kind that there is.
    """
    chosen = {
        "value": (kind, KINDS),
        "unit": (item.get("unit"), UNITS),
        "calendar": (item.get("calendar"), CALENDARS),
        "safeto": (item.get("safeto"), SAFETO),
        "audience": (item.get("audience"), ("public", Audience.STAFF)),
    }
    wrong = [
        Reason("indicator.choice", {"key": key, "known": ", ".join(choices)})
        for key, (choice, choices) in chosen.items()
        if choice not in choices
    ]
    if kind == "share" and not _has_both_languages(item.get("denominator")):
        wrong.append(Reason("indicator.denominator"))
    ripens = item.get("ripens", 0)
    if not isinstance(ripens, int) or not 0 <= ripens <= MOST_RIPENING:
        wrong.append(Reason("indicator.ripens", {"most": MOST_RIPENING}))
    needed = ("title", "meaning", "formula", "read")
    wrong += [Reason("indicator.words", {"key": key}) for key in needed if not _has_both_languages(item.get(key))]
    return wrong


def _has_both_languages(words: Any) -> bool:
    return isinstance(words, dict) and bool(words.get("en")) and bool(words.get("fr"))


def _read_indicator(item: Mapping[str, Any], kind: str, value: Mapping[str, Any]) -> Indicator:
    table = str(value[kind])
    audience = Audience.STAFF
    if item["audience"] == "public":
        audience = Audience.PUBLIC
    return Indicator(
        id=str(item["id"]),
        code=str(item.get("code", "")),
        title=item["title"],
        meaning=item["meaning"],
        formula=item["formula"],
        denominator=item.get("denominator") or {},
        unit=item["unit"],
        kind=kind,
        table=table,
        of=tuple(map(str, value.get("of", ()))),
        each={str(name): float(number) for name, number in (value.get("each") or {}).items()},
        shown_by=str(item.get("shown_by", table)),
        calendar=item["calendar"],
        safeto=item["safeto"],
        audience=audience,
        read=item["read"],
        is_exact=bool(item.get("exact")),
        is_by_group=bool(item.get("by_group")),
        ripens=int(item.get("ripens") or 0),
    )


def combine(tables: Sequence[Texts]) -> Texts:
    """Return the sum of published tables, cell by cell; hidden where one of them is.

    A sum without a hidden piece would be another number.
    """
    if len(tables) == 1:
        return tables[0]
    sums: dict[Cell, str] = {}
    for cell in set(itertools.chain.from_iterable(tables)):
        texts = [table.get(cell, "") for table in tables]
        hidden = [text for text in texts if not text.isdecimal()]
        sums[cell] = hidden[0] if hidden else str(sum(map(int, texts)))
    return sums


def bound_count(text: str, pieces: int = 1, is_exact: bool = False) -> dict[str, float | None]:
    """Return between what the true count lies that shows as a text.

    `pieces`: of how many published counts it is a sum. None where nobody knows.
    """
    if not text.isdecimal():
        return {"at_least": 0.0, "at_most": float(text[1:]) - 1 if text[1:].isdecimal() else None}
    error = 0 if is_exact else MOST_ROUNDED * pieces
    return {"at_least": max(0.0, float(text) - error), "at_most": float(text) + error}


def _parse_cell(text: str, pieces: int = 1) -> IndicatorValue:
    """Return the number that a cell shows, and between what the true one lies."""
    bounds = bound_count(text, pieces)
    if text.isdecimal():
        return IndicatorValue(State.VALUE, text, float(text), **bounds)
    return IndicatorValue(State.FEW, text, **bounds)


def _total(kpi: Indicator, table: Texts, pieces: int) -> IndicatorValue:
    if not kpi.is_exact:
        return _parse_cell(table[TOTAL], pieces)
    number = float(table[TOTAL])
    return IndicatorValue(State.VALUE if number else State.ZERO, table[TOTAL], number, number, number)


def read_share(kpi: Indicator, table: Texts, pieces: int = 1) -> Share | None:
    """Return the share that an indicator gives; None where a part or the whole is hidden."""
    whole, parts = read_parts(kpi, table)
    counts = [part.value for part in parts if part.value is not None]
    if whole.value is None or len(counts) < len(parts):
        return None
    return find_share(sum(counts), whole.value, pieces, len(parts))


def read_parts(kpi: Indicator, table: Texts) -> tuple[IndicatorValue, list[IndicatorValue]]:
    """Return the whole and the parts of a share.

    A table lists every value that there can be; other labels of the indicator are those of earlier lists. Where it lists
    none of them, nobody knows.
    """
    texts = [table[label,] for label in kpi.of if (label,) in table] or [write_hidden(PUBLIC_THRESHOLD)]
    return _parse_cell(table[TOTAL]), [_parse_cell(text) for text in texts]


def _share(kpi: Indicator, table: Texts, pieces: int) -> IndicatorValue:
    """Return a percentage and its range; of hidden parts the range alone."""
    share = read_share(kpi, table, pieces)
    if share is None:
        return _bound_share(kpi, table, pieces)
    percent = min(100, round(100 * share.value))
    low = min(percent, math.floor(100 * share.low))
    high = max(percent, math.ceil(100 * share.high))
    return IndicatorValue(State.VALUE, str(percent), float(percent), float(low), float(high))


def _bound_share(kpi: Indicator, table: Texts, pieces: int) -> IndicatorValue:
    """Return between what a share of hidden parts lies; nothing of a hidden whole."""
    whole, parts = read_parts(kpi, table)
    most = sum(part.value or part.at_most or 0 for part in parts)
    least = sum(part.value or 0 for part in parts)
    if whole.value is None:
        return IndicatorValue(State.FEW)
    low = find_share(least, whole.value, pieces, len(parts))
    high = find_share(most, whole.value, pieces, len(parts))
    if low is None or high is None:
        return IndicatorValue(State.FEW)
    at_least = 100 * low.low if least else 0.0
    return IndicatorValue(State.FEW, "", None, float(math.floor(at_least)), float(math.ceil(100 * high.high)))


def _find_median_band(kpi: Indicator, table: Texts, pieces: int) -> IndicatorValue:
    """Return the bands in which the middle one may lie, as text and as bounds."""
    # Labels such as "other" or no answer are in no order, and cannot be in the middle.
    bands = sorted((cell[0] for cell in table if cell != TOTAL and cell[0][:1].isdecimal()), key=_start)
    middle = find_middle([_parse_cell(table[(band,)]).value for band in bands])
    if middle is None:
        return IndicatorValue(State.FEW)
    low, high = (bands[position] for position in middle)
    text = low if low == high else f"{low}, {high}"
    return IndicatorValue(State.VALUE, text, float(_start(low)), float(_start(low)), _end(high))


def _hours(kpi: Indicator, table: Texts, pieces: int) -> IndicatorValue:
    """Return the hours of all shifts, to tens: each band counts with its middle."""
    # Bands that the indicator does not name have no middle to count with.
    counts = {band: table.get((band,), "0") for band in kpi.each}
    if not all(text.isdecimal() for text in counts.values()):
        return IndicatorValue(State.FEW)
    hours = sum(float(counts[band]) * middle for band, middle in kpi.each.items())
    rounded = float(round(hours, -1))
    return IndicatorValue(State.VALUE if hours else State.ZERO, str(int(rounded)), rounded)


def compare(kpi: Indicator, now: Sequence[Texts], before: Sequence[Texts]) -> Change:
    """Say how the published tables of a year compare with those of the year before.

    In their order of time, and of the same seasons. Of the middle of bands nothing is said.
    """
    if kpi.kind == "share":
        shares = [read_share(kpi, combine(tables), len(tables)) for tables in (now, before)]
        return compare_shares(*shares)
    if kpi.kind == "total" and not kpi.is_exact:
        return compare_counts(_list_values(kpi, now), _list_values(kpi, before))
    if kpi.kind == "half":
        return UNSURE
    numbers = [kpi.number(combine(tables)).value or 0.0 for tables in (now, before)]
    return compare_exact(*numbers)


def _list_values(kpi: Indicator, tables: Sequence[Texts]) -> list[float | None]:
    return [kpi.number(table).value for table in tables]


def _start(band: str) -> int:
    return int(band.rstrip("+").split("-")[0])


def _end(band: str) -> float | None:
    """Return the last number of a band; None of one that is open."""
    return None if band.endswith("+") else float(band.rsplit("-", maxsplit=1)[-1])


COMPUTE = {"total": _total, "share": _share, "half": _find_median_band, "hours": _hours}


def tables_by_calendar(kpis: Sequence[Indicator]) -> dict[str, list[str]]:
    """Return which tables are to be counted for which calendar."""
    tables: dict[str, list[str]] = {}
    for kpi in kpis:
        names = tables.setdefault(kpi.calendar, [])
        # Each once: counting a table is what costs, and indicators share tables.
        names += [table for table in kpi.tables if table not in names]
    return tables
