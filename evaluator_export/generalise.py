"""Hierarchies of generalisation: from a value as it was answered to ever coarser ones, the last of which is "*"."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluator_export.problems import ExportProblem

ALL = "*"
OTHER = "other"  # a value that the hierarchy does not know


@dataclass(frozen=True)
class Hierarchy:
    """Levels of one column; `at(value, level)` generalises."""

    names: tuple[str, ...]
    domain: tuple[str, ...]  # the values of level 0; empty when the domain is open (dates)
    at: Callable[[str, int], str]

    @property
    def top(self) -> int:
        return len(self.names) - 1

    def shares(self, level: int, present: Sequence[str]) -> dict[str, float]:
        """Return for each generalised value the share of the domain that it stands for (ARX's loss counts leaves)."""
        domain = self.domain or tuple(sorted(set(present)))
        counts: dict[str, int] = {}
        for value in domain:
            counts[self.at(value, level)] = counts.get(self.at(value, level), 0) + 1
        return {value: count / len(domain) for value, count in counts.items()} if domain else {}


def from_table(rows: Sequence[Sequence[str]]) -> Hierarchy:
    """Return the hierarchy in a table: level names, then a row a value. Levels must nest; else ExportProblem."""
    names, *body = rows
    maps = [{row[0]: row[level] for row in body} for level in range(len(names))]
    for level in range(1, len(names)):
        parents: dict[str, str] = {}
        for row in body:
            if parents.setdefault(row[level - 1], row[level]) != row[level]:
                raise ExportProblem([f"“{row[level - 1]}” lies in two values of {names[level]}: the levels do not nest."])

    def at(value: str, level: int) -> str:
        return ALL if level >= len(maps) else maps[level].get(value, OTHER)

    return Hierarchy((*names, "all"), tuple(row[0] for row in body), at)


def from_choices(names: Sequence[str]) -> Hierarchy:
    """Return the hierarchy of a list of choices: as it is, or all."""
    known = set(names)

    def at(value: str, level: int) -> str:
        return ALL if level else value if value in known or not value else OTHER

    return Hierarchy(("value", "all"), tuple(names), at)


def bins(starts: Sequence[int]) -> Hierarchy:
    """Return bands of whole numbers from their first numbers: [1, 2, 4, 10] gives 1, 2-3, 4-9, 10+."""
    labels = [
        f"{start}+" if following is None else str(start) if following == start + 1 else f"{start}-{following - 1}"
        for start, following in zip(starts, [*starts[1:], None], strict=True)
    ]

    def at(value: str, level: int) -> str:
        if level:
            return ALL
        try:
            number = int(float(value))
        except ValueError:
            return OTHER
        found = [label for start, label in zip(starts, labels, strict=True) if number >= start]
        return found[-1] if found else OTHER

    return Hierarchy(("band", "all"), tuple(str(start) for start in starts), at)


def by_date() -> Hierarchy:
    """Return month → quarter → year → all. A day never leaves."""

    def at(value: str, level: int) -> str:
        year, month = value[:4], value[5:7]
        if not (year.isdecimal() and month.isdecimal()):
            return OTHER
        names = (f"{year}-{month}", f"{year}-Q{(int(month) + 2) // 3}", year)
        return names[level] if level < len(names) else ALL

    return Hierarchy(("month", "quarter", "year", "all"), (), at)
