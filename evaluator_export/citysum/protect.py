"""How a sum is shown, and what it can be beside what the centres publish."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from evaluator_export.citysum.registry import Registry, RoundCall, Table, list_cells
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.tables.protected_counts import BASE, TOTAL, write_hidden

ROUNDED_BY = BASE - 1  # the most by which a rounded number differs from the true one
MOST_DIGITS = 9
Cell = tuple[str, ...]


def protect_sum(number: int, table: Table, cell: Cell, period: str, secret: bytes) -> str:
    """Return a sum as text: rounded to 5, or hidden as "<25"; exact where anybody can count.

    The draw belongs to the period and to what the cell counts: in whatever table and attempt it stands, it is rounded alike.
    """
    least = int(table["least"])
    if not least:
        return str(number)
    rest = number % BASE
    name = f"{period}|{name_cell(table, cell)}".encode()
    draw = int.from_bytes(hashlib.blake2b(name, key=secret, digest_size=8).digest(), "big")
    value = number - rest
    if rest and draw * BASE < rest << 64:
        value += BASE
    return str(value) if value >= least else write_hidden(least - BASE)


def name_cell(table: Table, cell: Cell) -> str:
    """Return what a cell counts, whatever the table it is in."""
    columns = () if cell == TOTAL else zip(table["columns"], cell, strict=True)
    return "|".join([str(table["counts"]), *sorted(f"{name}={value}" for name, value in columns)])


def is_published_text(text: Any, table: Table) -> bool:
    """Say whether a centre can publish this of a cell of the table."""
    least = int(table["least"])
    if not isinstance(text, str) or len(text) > MOST_DIGITS:
        return False
    if least and text == write_hidden(least - BASE):
        return True
    is_number = text.isascii() and text.isdecimal()
    return is_number and (not least or (int(text) >= least and int(text) % BASE == 0))


@functools.lru_cache(maxsize=4_000)
def bound_text(text: str, rounded_by: int = ROUNDED_BY) -> tuple[int, int]:
    """Return the least and most that a published text can stand for."""
    if text.startswith("<"):
        return 0, int(text[1:]) - 1
    number = int(text)
    return max(0, number - rounded_by), number + rounded_by


def check_sums(registry: Registry, call: RoundCall, sums: Sequence[int], published: Mapping[str, Sequence[str]]) -> None:
    """Raise ExportProblem for a sum that cannot be.

    Each must lie within what the centres publish of the same cell, and the parts of a table must not exceed its total.
    """
    cells = list_cells(registry, call)
    parts: dict[str, int] = {}
    totals: dict[str, int] = {}
    for place, ((name, cell), number) in enumerate(zip(cells, sums, strict=True)):
        rounded_by = ROUNDED_BY if registry.tables[name]["least"] else 0
        bounds = [bound_text(texts[place], rounded_by) for texts in published.values()]
        if not sum(low for low, _ in bounds) <= number <= sum(high for _, high in bounds):
            raise ExportProblem(Reason("city.bounds", {"table": name, "cell": ", ".join(cell)}))
        if cell == TOTAL:
            totals[name] = number
        else:
            parts[name] = parts.get(name, 0) + number
    for name, number in parts.items():
        # A margin is a part, too, so tables of two columns say each of their numbers more than once.
        is_simple = len(registry.tables[name]["columns"]) == 1 and not registry.tables[name]["person"]
        if is_simple and number > totals[name]:
            raise ExportProblem(Reason("city.bounds", {"table": name, "cell": ", ".join(TOTAL)}))
