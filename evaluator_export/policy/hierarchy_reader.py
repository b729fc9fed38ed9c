"""Read hierarchies: from files beside a policy, or as a policy writes them."""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluator_export.policy import hierarchies
from evaluator_export.policy.hierarchies import Hierarchy
from evaluator_export.problems import ExportProblem, Reason

WITH_NUMBERS = re.compile(r"(\w+)\[([^\]]*)\]")  # such as bins[5,10]
FINEST_H3 = 15

OpenHierarchy = Callable[[str], Hierarchy]  # by name; raises ExportProblem


def read_hierarchy(folder: Path, name: str) -> Hierarchy:
    """Return the hierarchy in a file of `folder`.

    With ";" in its first line it is as ARX writes it, without names of levels; else it is CSV whose
    first row names the levels. Raises ExportProblem when it cannot be read or does not nest.
    """
    path = folder / name
    # With or without a byte order mark: spreadsheets write one.
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ExportProblem(make_file_reason(path, error)) from None
    except UnicodeDecodeError:
        raise ExportProblem(Reason("file.encoding", {"file": str(path)})) from None
    is_from_arx = ";" in text.split("\n", 1)[0]
    reader = csv.reader(text.splitlines(), delimiter=";" if is_from_arx else ",")
    rows = [row for row in reader if row]
    if is_from_arx:
        rows.insert(0, [f"level {number}" for number in range(len(rows[0]))])
    try:
        return hierarchies.make_hierarchy(rows)
    except ExportProblem as problem:
        raise ExportProblem(*(reason.inside(name) for reason in problem.reasons)) from None


def parse_hierarchy(spec: Any, open_hierarchy: OpenHierarchy) -> Hierarchy:
    """Return the hierarchy that a policy writes as `spec`.

    One of file:NAME, NAME, bins[5,10], bands[1,2,4], date, date[month,year], h3[8,7,6]. Raises
    ExportProblem when it is none of these.
    """
    text = str(spec)
    if text.startswith("file:"):
        return open_hierarchy(text.removeprefix("file:"))
    if text == "date":
        return hierarchies.make_date_hierarchy()
    if re.fullmatch(r"\w+", text):
        return open_hierarchy(text)
    match = WITH_NUMBERS.fullmatch(text)
    if match is None or match[1] not in ("date", "bins", "bands", "h3"):
        raise ExportProblem(Reason("policy.hierarchy", {"hierarchy": text}))
    kind = match[1]
    parts = [part.strip() for part in match[2].split(",")]
    if kind == "date":
        return hierarchies.make_date_hierarchy(parts)
    # `isdecimal` refuses a minus and a point, so int() below cannot fail.
    if not all(part.isdecimal() for part in parts):
        raise ExportProblem(Reason("policy.whole_numbers", {"hierarchy": text}))
    numbers = [int(part) for part in parts]
    if kind == "h3":
        return _make_h3_hierarchy(numbers, text)
    if numbers != sorted(set(numbers)) or (kind == "bins" and numbers[0] < 1):
        raise ExportProblem(Reason("policy.rising", {"hierarchy": text}))
    if kind == "bins":
        return hierarchies.make_equal_width_bands(numbers)
    return hierarchies.make_numeric_bands(numbers)


def _make_h3_hierarchy(resolutions: list[int], text: str) -> Hierarchy:
    finest = resolutions[0]
    coarsest = resolutions[-1]
    goes_down_by_one = resolutions == list(range(finest, coarsest - 1, -1))
    if not goes_down_by_one or not 0 <= coarsest <= finest <= FINEST_H3:
        raise ExportProblem(Reason("policy.resolutions", {"hierarchy": text}))
    return hierarchies.make_h3_hierarchy(finest, coarsest)


def keep_values(hierarchy: Hierarchy, values: Sequence[str]) -> Hierarchy:
    """Return a hierarchy in which some values keep their own label below the top.

    `values`: labels of level 0, such as "declined", that must not be joined with others.
    """
    own = set(values)

    def rule(value: str) -> tuple[str, ...]:
        labels = hierarchy.rule(value)
        # Compared with the value itself, since upper levels may already have joined it with others.
        if labels[0] not in own:
            return labels
        return (*[labels[0]] * hierarchy.top, labels[-1])

    return replace(hierarchy, rule=rule)


def make_file_reason(path: Path, error: OSError) -> Reason:
    """Return the reason for a file that cannot be opened."""
    return Reason("file.unreadable", {"file": str(path), "why": str(error.strerror)})
