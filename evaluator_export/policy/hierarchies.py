"""Hierarchies of generalisation: from a value as it was answered to ever coarser ones, the last of which is "*".

A rule gives a value's labels at every level. Labels must nest: what is one at a level is one at every level above.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import h3

from evaluator_export.problems import ExportProblem, Reason

ALL = "*"
OTHER = "other"  # a value that the hierarchy does not know
MISSING = ""  # no answer


@dataclass(frozen=True)
class Hierarchy:
    """Levels of one column; `rule` gives the labels of a value, one a level; `domain` is level 0 (empty: what occurs)."""

    names: tuple[str, ...]
    domain: tuple[str, ...]
    rule: Callable[[str], tuple[str, ...]]

    @property
    def top(self) -> int:
        return len(self.names) - 1

    def labels(self, value: str) -> tuple[str, ...]:
        if value == MISSING:
            return (*[MISSING] * self.top, ALL)
        return self.rule(value)

    def at(self, value: str, level: int) -> str:
        return self.labels(value)[level]

    def shares(self, domain: Iterable[str]) -> list[dict[str, float]]:
        """Return for each level and label the share of the domain that it stands for; ExportProblem if it does not nest."""
        counts: list[dict[str, int]] = [{} for _ in self.names]
        parents: list[dict[str, str]] = [{} for _ in self.names]
        size = 0
        for value in domain:
            labels = self.labels(value)
            size += 1
            for level, label in enumerate(labels):
                counts[level][label] = counts[level].get(label, 0) + 1
                if level and parents[level].setdefault(labels[level - 1], label) != label:
                    details = {"label": labels[level - 1], "level": self.names[level]}
                    raise ExportProblem(Reason("hierarchy.nest", details))
        return [{label: count / size for label, count in found.items()} for found in counts]


def make_hierarchy(rows: Sequence[Sequence[str]]) -> Hierarchy:
    """Return the hierarchy in a table: level names, then a row a value; "*" is added on top where it is missing."""
    names, *body = rows
    problems = [
        Reason("hierarchy.cells", {"cells": len(row), "columns": len(names)}, (number,))
        for number, row in enumerate(body, 2)
        if len(row) != len(names)
    ]
    if not body:
        problems.append(Reason("hierarchy.empty"))
    if problems:
        raise ExportProblem(*problems)
    has_top = all(row[-1] == ALL for row in body)
    labels = {row[0]: tuple(row) if has_top else (*row, ALL) for row in body}
    levels = tuple(names) if has_top else (*names, "all")
    unknown = (*[OTHER] * (len(levels) - 1), ALL)
    found = Hierarchy(levels, tuple(labels), lambda value: labels.get(value, unknown))
    found.shares(found.domain)
    return found


def make_choice_hierarchy(names: Sequence[str]) -> Hierarchy:
    """Return the hierarchy of a list of choices: as it is, or all."""
    return make_hierarchy([["value"], *[[name] for name in dict.fromkeys(names)]])


def make_numeric_bands(starts: Sequence[int]) -> Hierarchy:
    """Return bands of whole numbers from their first numbers: [1, 2, 4, 10] gives 1, 2-3, 4-9, 10+."""
    labels = [
        f"{start}+" if following is None else str(start) if following == start + 1 else f"{start}-{following - 1}"
        for start, following in zip(starts, [*starts[1:], None], strict=True)
    ]

    def rule(value: str) -> tuple[str, ...]:
        number = _number(value)
        found = [label for start, label in zip(starts, labels, strict=True) if number is not None and number >= start]
        return (found[-1] if found else OTHER, ALL)

    return Hierarchy(("band", "all"), tuple(str(start) for start in starts), rule)


def make_equal_width_bands(sizes: Sequence[int]) -> Hierarchy:
    """Return bands of equal width: [5, 10] gives the number itself, then 15-19, then 10-19. Each must divide the next."""
    wrong = [
        Reason("hierarchy.divide", {"small": small, "large": large}) for small, large in pairwise(sizes) if large % small
    ]
    if wrong:
        raise ExportProblem(*wrong)

    def rule(value: str) -> tuple[str, ...]:
        number = _number(value)
        if number is None:
            return (*[OTHER] * (len(sizes) + 1), ALL)
        starts = ((number // size * size, size) for size in sizes)
        return (str(number), *(f"{start}-{start + size - 1}" for start, size in starts), ALL)

    return Hierarchy(("value", *(f"{size} wide" for size in sizes), "all"), (), rule)


def _number(value: str) -> int | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if abs(number) < 1e15 else None


DATES: dict[str, Callable[[int, int, str], str]] = {
    "day": lambda year, month, day: f"{year:04}-{month:02}-{day}",
    "month": lambda year, month, day: f"{year:04}-{month:02}",
    "quarter": lambda year, month, day: f"{year:04}-Q{(month + 2) // 3}",
    "half": lambda year, month, day: f"{year:04}-H{(month + 5) // 6}",
    "year": lambda year, month, day: f"{year:04}",
}


def make_date_hierarchy(names: Sequence[str] = ("month", "quarter", "year")) -> Hierarchy:
    """Return levels of days: any of day, month, quarter, half, year, in that order. Weeks lie in two months: no level."""
    unknown = [name for name in names if name not in DATES]
    if unknown or [name for name in DATES if name in names] != list(names):
        raise ExportProblem(Reason("hierarchy.dates", {"levels": ", ".join(DATES), "names": ", ".join(names)}))

    def rule(value: str) -> tuple[str, ...]:
        year, month, day = value[:4], value[5:7], value[8:10]
        if not (year.isdecimal() and month.isdecimal() and 1 <= int(month) <= 12):
            return (*[OTHER] * len(names), ALL)
        return (*(DATES[name](int(year), int(month), day) for name in names), ALL)

    return Hierarchy((*names, "all"), (), rule)


SQUARE = re.compile(r"c500:([NS])(\d{1,5}):([EW])(\d{1,5})")  # 500 m by 500 m, as phones name it
SQUARE_METRES, DEGREE_METRES = 500, 111_320


def find_h3_cell(square: str, resolution: int) -> str:
    """Return the H3 cell in which the middle of a square lies; what is no square comes back as it is."""
    match = SQUARE.fullmatch(square)
    if not match:
        return square
    row, column = int(match[2]) * (1 if match[1] == "N" else -1), int(match[4]) * (1 if match[3] == "E" else -1)
    latitude = (row + 0.5) * SQUARE_METRES / DEGREE_METRES
    if abs(latitude) >= 89:
        return square
    longitude = (column + 0.5) * SQUARE_METRES / (DEGREE_METRES * math.cos(math.radians(latitude)))
    return str(h3.latlng_to_cell(latitude, longitude, resolution))


def make_h3_hierarchy(finest: int, coarsest: int) -> Hierarchy:
    """Return the cells of a place (H3 index, or a phone's square) from one resolution down to a coarser one."""

    @cache
    def rule(value: str) -> tuple[str, ...]:
        value = find_h3_cell(value, finest)
        if not h3.is_valid_cell(value) or h3.get_resolution(value) < finest:
            return (*[OTHER] * (finest - coarsest + 1), ALL)
        return (*(h3.cell_to_parent(value, resolution) for resolution in range(finest, coarsest - 1, -1)), ALL)

    return Hierarchy((*(f"H3 {resolution}" for resolution in range(finest, coarsest - 1, -1)), "all"), (), rule)
