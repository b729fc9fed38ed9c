"""Hierarchies: from a value as it was answered to ever broader labels, at last "*".

A rule gives the labels of a value, one per level. Labels must nest: values that share a label at
one level share one at every level above.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from evaluator_export.problems import ExportProblem, Reason

ALL = "*"
OTHER = "other"  # a value that the hierarchy does not know
MISSING = ""  # no answer
LARGEST_NUMBER = 1e15  # whole numbers above it are not exact as floats

# By level: the label of a year, a month and a day, in the order of levels.
DATES: dict[str, Callable[[int, int, str], str]] = {
    "day": lambda year, month, day: f"{year:04}-{month:02}-{day}",
    "month": lambda year, month, day: f"{year:04}-{month:02}",
    "quarter": lambda year, month, day: f"{year:04}-Q{(month + 2) // 3}",
    "half": lambda year, month, day: f"{year:04}-H{(month + 5) // 6}",
    "year": lambda year, month, day: f"{year:04}",
}

SQUARE = re.compile(r"c500:([NS])(\d{1,5}):([EW])(\d{1,5})")  # 500 m by 500 m, as phones name it
SIGN = {"N": 1, "S": -1, "E": 1, "W": -1}
SQUARE_METRES = 500
DEGREE_METRES = 111_320  # of latitude; of longitude, at the equator
NEAR_POLE = 89  # degrees; beyond, a degree of longitude is too short to divide by


@dataclass(frozen=True)
class Hierarchy:
    """The levels of one column, from the value itself (0) to "*" (`top`).

    `names`: of the levels. `domain`: the values that there can be; empty means those that occur.
    `rule` gives the labels of a value that is not missing, one per level. `is_of_days`: its values are days.
    """

    names: tuple[str, ...]
    domain: tuple[str, ...]
    rule: Callable[[str], tuple[str, ...]]
    is_of_days: bool = False

    @property
    def top(self) -> int:
        """The highest level, at which all values are "*"."""
        return len(self.names) - 1

    def labels(self, value: str) -> tuple[str, ...]:
        """Return the labels of a value, one per level; no answer stays so below the top."""
        if value == MISSING:
            # Not "other": a missing answer is shared by many, and joining it with unknown values
            # would say that they were given.
            return (*[MISSING] * self.top, ALL)
        return self.rule(value)

    def at(self, value: str, level: int) -> str:
        """Return the label of a value at a level."""
        return self.labels(value)[level]

    def shares(self, domain: Iterable[str]) -> list[dict[str, float]]:
        """Return for each level the share of the domain (0 to 1) that each label stands for.

        Raises ExportProblem when the labels do not nest.
        """
        counts: list[dict[str, int]] = [{} for _ in self.names]
        parents: list[dict[str, str]] = [{} for _ in self.names]
        size = 0
        for value in domain:
            labels = self.labels(value)
            size += 1
            # Each label has to have one parent. Else two classes at a fine level could overlap at a
            # coarse one, and could be subtracted from each other.
            for level, label in enumerate(labels):
                counts[level][label] = counts[level].get(label, 0) + 1
                if level == 0:
                    continue
                below = labels[level - 1]
                if parents[level].setdefault(below, label) != label:
                    details = {"label": below, "level": self.names[level]}
                    raise ExportProblem(Reason("hierarchy.nest", details))
        shares = []
        for level_counts in counts:
            shares.append({label: count / size for label, count in level_counts.items()})
        return shares


def make_hierarchy(rows: Sequence[Sequence[str]]) -> Hierarchy:
    """Return the hierarchy in a table: names of levels, then one row per value.

    A level "*" is added on top where it is missing. Raises ExportProblem when rows differ in
    length, there are none, or the labels do not nest.
    Example: `[["choice", "group"], ["fist", "no weapon"], ["knife", "weapon"]]`.
    """
    names, *body = rows
    problems = []
    for number, row in enumerate(body, 2):
        if len(row) != len(names):
            details = {"cells": len(row), "columns": len(names)}
            problems.append(Reason("hierarchy.cells", details, (number,)))
    if not body:
        problems.append(Reason("hierarchy.empty"))
    if problems:
        raise ExportProblem(*problems)
    has_top = all(row[-1] == ALL for row in body)
    levels = tuple(names)
    labels = {row[0]: tuple(row) for row in body}
    if not has_top:
        levels = (*levels, "all")
        labels = {value: (*row, ALL) for value, row in labels.items()}
    # An unknown value gets a label of its own kind and not its text: free text would leave that
    # way.
    unknown = (*[OTHER] * (len(levels) - 1), ALL)
    hierarchy = Hierarchy(levels, tuple(labels), lambda value: labels.get(value, unknown))
    # The shares are not wanted here: to compute them is what finds labels that do not nest.
    hierarchy.shares(hierarchy.domain)
    return hierarchy


def make_choice_hierarchy(names: Sequence[str]) -> Hierarchy:
    """Return the hierarchy of a list of choices: each as it is, or all."""
    return make_hierarchy([["value"], *([name] for name in dict.fromkeys(names))])


def make_numeric_bands(starts: Sequence[int]) -> Hierarchy:
    """Return bands of whole numbers by their first numbers, which rise.

    Example: `[1, 2, 4, 10]` gives 1, 2-3, 4-9, 10+.
    """
    labels = [_name_band(start, following) for start, following in pairwise(starts)]
    labels.append(f"{starts[-1]}+")

    def rule(value: str) -> tuple[str, ...]:
        number = _read_whole_number(value)
        label = OTHER
        if number is not None:
            for start, band in zip(starts, labels, strict=True):
                if number >= start:
                    label = band
        return (label, ALL)

    return Hierarchy(("band", "all"), tuple(str(start) for start in starts), rule)


def _name_band(start: int, following: int) -> str:
    if following == start + 1:
        return str(start)
    return f"{start}-{following - 1}"


def make_equal_width_bands(sizes: Sequence[int]) -> Hierarchy:
    """Return bands of equal width, one level per width, above the number itself.

    Raises ExportProblem when a width does not divide the next.
    Example: with `[5, 10]`, 17 is "17", then "15-19", then "10-19", then "*".
    """
    problems = []
    for small, large in pairwise(sizes):
        if large % small:
            problems.append(Reason("hierarchy.divide", {"small": small, "large": large}))
    if problems:
        raise ExportProblem(*problems)

    def rule(value: str) -> tuple[str, ...]:
        number = _read_whole_number(value)
        if number is None:
            return (*[OTHER] * (len(sizes) + 1), ALL)
        labels = [str(number)]
        for size in sizes:
            # Rounded down also below zero, so that bands of negative numbers have the same width.
            start = number // size * size
            labels.append(f"{start}-{start + size - 1}")
        return (*labels, ALL)

    names = [f"{size} wide" for size in sizes]
    return Hierarchy(("value", *names, "all"), (), rule)


def _read_whole_number(value: str) -> int | None:
    """Return a number without its fraction; None for what is none, or is too large."""
    try:
        number = float(value)
    except ValueError:
        return None
    if abs(number) < LARGEST_NUMBER:
        return int(number)
    return None


def make_date_hierarchy(names: Sequence[str] = ("month", "quarter", "year")) -> Hierarchy:
    """Return levels of days: any of day, month, quarter, half, year, in that order.

    A week lies in two months, so it is no level. Raises ExportProblem for other levels.
    Example: with ("month", "year"), 2026-01-31 is "2026-01", then "2026", then "*".
    """
    # Any other order, and any other name, differs from this list.
    ordered = [name for name in DATES if name in names]
    if ordered != list(names):
        details = {"levels": ", ".join(DATES), "names": ", ".join(names)}
        raise ExportProblem(Reason("hierarchy.dates", details))

    def rule(value: str) -> tuple[str, ...]:
        # Cut, not parsed: a time with its zone and a plain day both begin with the day, and it is
        # the phone's own day that counts.
        year = value[:4]
        month = value[5:7]
        if not (year.isdecimal() and month.isdecimal() and 1 <= int(month) <= 12):
            return (*[OTHER] * len(names), ALL)
        labels = [DATES[name](int(year), int(month), value[8:10]) for name in names]
        return (*labels, ALL)

    return Hierarchy((*names, "all"), (), rule, is_of_days=True)


def find_h3_cell(square: str, resolution: int) -> str:
    """Return the H3 cell in which the middle of a phone's square lies.

    What is no square, or lies at a pole, comes back as it is.
    """
    import h3  # noqa: PLC0415  heavy, and needed where places are made coarser only

    match = SQUARE.fullmatch(square)
    if not match:
        return square
    row = int(match[2]) * SIGN[match[1]]
    column = int(match[4]) * SIGN[match[3]]
    # The middle of the square; its corner could lie in the neighbouring cell.
    latitude = (row + 0.5) * SQUARE_METRES / DEGREE_METRES
    if abs(latitude) >= NEAR_POLE:
        return square
    metres_per_degree = DEGREE_METRES * math.cos(math.radians(latitude))
    longitude = (column + 0.5) * SQUARE_METRES / metres_per_degree
    return str(h3.latlng_to_cell(latitude, longitude, resolution))


def make_h3_hierarchy(finest: int, coarsest: int) -> Hierarchy:
    """Return the H3 cells of a place, from one resolution to a coarser one.

    Values are H3 indexes, or squares as phones name them. A place that is known less exactly than
    `finest` is an unknown value.
    """
    import h3  # noqa: PLC0415  heavy, as above

    resolutions = range(finest, coarsest - 1, -1)

    # A place occurs in many rows, and H3 takes a microsecond or more for each level of each.
    @cache
    def rule(value: str) -> tuple[str, ...]:
        cell = find_h3_cell(value, finest)
        # A coarse cell cannot be put into a fine one; guessing one would move the event on the map.
        if not h3.is_valid_cell(cell) or h3.get_resolution(cell) < finest:
            return (*[OTHER] * len(resolutions), ALL)
        return (*(h3.cell_to_parent(cell, resolution) for resolution in resolutions), ALL)

    names = [f"H3 {resolution}" for resolution in resolutions]
    return Hierarchy((*names, "all"), (), rule)
