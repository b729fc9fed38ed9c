"""Step 3: tables of counts that give away no small number, however often they are rebuilt.

Counts are rounded to a multiple of 5 at random, without bias, by a key that depends only on which records are counted
(cell-key method of the Australian Bureau of Statistics); then every count under the threshold shows as "<20".
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from evaluator_export.recipe import Recipe, TableSpec

BASE = 5
MASK = (1 << 64) - 1


@dataclass(frozen=True)
class ProtectedTable:
    """Counts by cell; a cell is one value for each column. The text of a cell is a number or "<threshold"."""

    spec: TableSpec
    headings: tuple[str, ...]
    cells: tuple[tuple[tuple[str, ...], str], ...]
    total: str


def record_key(secret: bytes, unit: str) -> int:
    return int.from_bytes(hmac.digest(secret, unit.encode(), "sha256")[:8], "big")


def rounded(count: int, keys: int, secret: bytes) -> int:
    """Round a count to a multiple of 5: n mod 5 = r goes up with probability r/5, decided by the keys of its records."""
    rest = count % BASE
    draw = int.from_bytes(hashlib.blake2b(keys.to_bytes(8, "big"), key=secret, digest_size=8).digest(), "big")
    return count - rest + (BASE if rest and draw * BASE < rest << 64 else 0)


def protect(recipe: Recipe, spec: TableSpec, rows: Sequence[tuple[str, dict[str, str]]], secret: bytes) -> ProtectedTable:
    """Return the protected table of a spec; `rows` are (unit, answers by column) of every event in the period."""
    dataset = next(dataset for dataset in recipe.datasets if dataset.name == spec.dataset)
    columns = {column.name: column for column in dataset.columns}
    counts: dict[tuple[str, ...], list[int]] = {}
    total = [0, 0]
    for unit, row in rows:
        cell = tuple(
            columns[name].hierarchy.at(row.get(columns[name].question, ""), max(level, columns[name].minimum))
            for name, level in spec.by
        )
        key = record_key(secret, unit)
        for tally in (counts.setdefault(cell, [0, 0]), total):
            tally[0] += 1
            tally[1] = (tally[1] + key) & MASK

    def shown(tally: list[int]) -> str:
        value = rounded(tally[0], tally[1], secret)
        return str(value) if value >= recipe.threshold else f"<{recipe.threshold}"

    cells = tuple((cell, shown(counts[cell])) for cell in sorted(counts))
    return ProtectedTable(spec, tuple(name for name, _ in spec.by), cells, shown(total))
