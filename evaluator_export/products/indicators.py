"""Key performance indicators.

Each defined once, computed from protected tables, so that every product says the same number.

A number is shown, hidden (too small to show), or missing (nothing was counted in the period).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evaluator_export.datasets.recipe import Audience
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.tables.protected_counts import TOTAL, Cell
from evaluator_export.yaml_text import read_yaml

CALENDARS = ("month", "quarter", "year")
KINDS = ("total", "share", "half", "hours")
UNITS = ("count", "percent", "hours", "minutes")
SAFETO = ("sd", "prev", "ri", "er")
SHOWN = "shown"
HIDDEN = "hidden"
MISSING = "missing"
LEAST_WHOLE = 20  # a share of fewer is not shown
FINE_WHOLE = 400  # from here on a share is told in steps of 1 %, below in steps of 5 %

Texts = Mapping[Cell, str]  # a protected table: what each cell shows as


@dataclass(frozen=True)
class IndicatorValue:
    """One number of one period.

    Its words without a unit, its value where it is one, and whether it is shown.
    """

    state: str
    text: str = ""
    value: float | None = None


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

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Return the tables that the indicator reads, each once."""
        return tuple(dict.fromkeys([self.table, self.shown_by]))

    def number(self, table: Texts | None) -> IndicatorValue:
        """Return the number that a protected table gives."""
        # A table without a total is one that nothing was counted in. That is said differently from
        # a number that is too small to show.
        if not table or TOTAL not in table:
            return IndicatorValue(MISSING)
        return COMPUTE[self.kind](self, table)


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
    )


def _parse_cell(text: str) -> IndicatorValue:
    if text.isdecimal():
        return IndicatorValue(SHOWN, text, float(text))
    return IndicatorValue(HIDDEN, text)


def _total(kpi: Indicator, table: Texts) -> IndicatorValue:
    return _parse_cell(table[TOTAL])


def _share(kpi: Indicator, table: Texts) -> IndicatorValue:
    """Return a percentage, rounded as coarsely as its rounded parts ask for.

    Hidden where a part or the whole is.
    """
    whole = _parse_cell(table[TOTAL])
    # A label that the table does not list was never counted; it adds nothing, and is not a hidden
    # part.
    parts = [_parse_cell(table[(label,)]) for label in kpi.of if (label,) in table]
    seen = [part.value for part in parts if part.value is not None]
    if whole.value is None or whole.value < LEAST_WHOLE or not parts or len(seen) < len(parts):
        return IndicatorValue(HIDDEN)
    step = 5  # rounded counts carry an error of up to 4 each: finer steps would pretend
    if whole.value >= FINE_WHOLE:
        step = 1
    # Parts and whole are rounded each on its own, so together they can come out above 100.
    percent = min(100, step * round(100 * sum(seen) / whole.value / step))
    return IndicatorValue(SHOWN, str(percent), float(percent))


def _find_median_band(kpi: Indicator, table: Texts) -> IndicatorValue:
    """Return the band in which the middle one lies.

    Its label, and the band's first number as its value.
    """
    # Labels such as "other" or no answer are in no order, and cannot be in the middle.
    bands = sorted((cell[0] for cell in table if cell != TOTAL and cell[0][:1].isdecimal()), key=_start)
    numbers = [(band, _parse_cell(table[(band,)]).value) for band in bands]
    # The sum of the bands that show, not the table's total: that is rounded on its own, too.
    whole = sum(value for _, value in numbers if value is not None)
    hidden = sum(value is None for _, value in numbers)
    if whole < LEAST_WHOLE or hidden * LEAST_WHOLE > whole / 4:  # what is hidden could move the middle
        return IndicatorValue(HIDDEN)
    reached = 0.0
    for band, value in numbers:
        reached += value or 0
        if reached * 2 >= whole:
            return IndicatorValue(SHOWN, band, float(_start(band)))
    return IndicatorValue(HIDDEN)


def _hours(kpi: Indicator, table: Texts) -> IndicatorValue:
    """Return the hours of all shifts, to tens: each band counts with its middle."""
    # Bands that the indicator does not name have no middle to count with.
    numbers = [(_parse_cell(table[(band,)]), hours) for band, hours in kpi.each.items() if (band,) in table]
    if not any(number.value for number, _ in numbers):
        return IndicatorValue(HIDDEN)
    hours = sum((number.value or 0) * hours for number, hours in numbers)
    return IndicatorValue(SHOWN, str(int(round(hours, -1))), float(round(hours, -1)))


def _start(band: str) -> int:
    return int(band.rstrip("+").split("-")[0])


COMPUTE = {"total": _total, "share": _share, "half": _find_median_band, "hours": _hours}


def tables_by_calendar(kpis: Sequence[Indicator]) -> dict[str, list[str]]:
    """Return which tables are to be counted for which calendar."""
    tables: dict[str, list[str]] = {}
    for kpi in kpis:
        names = tables.setdefault(kpi.calendar, [])
        # Each once: counting a table is what costs, and indicators share tables.
        names += [table for table in kpi.tables if table not in names]
    return tables
