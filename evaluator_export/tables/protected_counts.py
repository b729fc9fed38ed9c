"""Step 5: tables of counts that give away no small number, however often they are rebuilt.

Counts are rounded to a multiple of 5 at random, without bias, by a key that depends only on which records are counted
(cell-key method of the Australian Bureau of Statistics); then every count under the threshold shows as "<20". The key is the
centre's, so all recipients see the same numbers. A period that was published stays as it is until a cell has changed by k.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from evaluator_export.datasets.eligibility import add_derived_columns
from evaluator_export.datasets.recipe import TableSpec
from evaluator_export.policy.hierarchies import ALL

BASE = 5
MASK = (1 << 64) - 1
TOTAL = ("total",)
PUBLIC_THRESHOLD = 20  # persons or events about them, for everybody (Ontario IPC guideline, high sensitivity)

Cell = tuple[str, ...]
Tally = tuple[int, int]  # how many, and the sum of their records' keys
Published = dict[Cell, tuple[int, str]]  # the true count when it was published, and the text that was


@dataclass(frozen=True)
class ProtectedTable:
    """Counts by cell, as text: a number or "<threshold". `is_revision`: of a period that was published before."""

    spec: TableSpec
    period: str
    cells: tuple[tuple[Cell, str], ...]
    total: str
    is_revision: bool = False

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.spec.by)


def record_key(secret: bytes, unit: str) -> int:
    return int.from_bytes(hmac.digest(secret, unit.encode(), "sha256")[:8], "big")


def rounded(count: int, keys: int, secret: bytes) -> int:
    """Round a count to a multiple of 5: n mod 5 = r goes up with probability r/5, decided by the keys of its records."""
    rest = count % BASE
    draw = int.from_bytes(hashlib.blake2b(keys.to_bytes(8, "big"), key=secret, digest_size=8).digest(), "big")
    return count - rest + (BASE if rest and draw * BASE < rest << 64 else 0)


class Counter:
    """Counts the records of one table, one by one; about people, each person once a cell."""

    def __init__(self, spec: TableSpec, secret: bytes):
        self.spec, self.secret = spec, secret
        self.tallies: dict[Cell, list[int]] = {TOTAL: [0, 0]}
        self.seen: set[tuple[Cell, str]] = set()
        self.labels: list[dict[str, str]] = [{} for _ in spec.by]
        self.is_many = [spec.dataset.columns[name].is_multiple for name, _ in spec.by]
        self.days: dict[Cell, set[str]] = {}
        self.records: dict[str, int] = {}  # by person, where that is what the table is by

    def add(self, unit: str, row: Mapping[str, str], day: str = "") -> None:
        """Count a record that the table is about and whose consent reaches so far."""
        if not self.spec.counts(row):
            return
        row = add_derived_columns(self.spec.dataset, row)
        if self.spec.is_by_records:
            who = row[self.spec.person]
            self.records[who] = self.records.get(who, 0) + 1
            return
        cells: list[Cell] = [()]
        for known, many, (question, hierarchy, level) in zip(self.labels, self.is_many, self.spec.sources, strict=True):
            value = row.get(question, "")
            values = value.split() if many else (value,)  # of several choices, the record counts once for each
            labels = {known.get(one) or known.setdefault(one, hierarchy.at(one, level)) for one in values}
            cells = [(*cell, label) for cell in cells for label in sorted(labels)]
        if self.spec.has_margins:
            cells += sorted({margin for cell in cells for margin in ((cell[0], ALL), (ALL, cell[1]))})
        who = row.get(self.spec.person, "") if self.spec.person else ""
        key = record_key(self.secret, who or unit)
        for one in (*cells, TOTAL):
            if self.spec.days:
                self.days.setdefault(one, set()).add(day)
            if who:
                if (one, who) in self.seen:
                    continue
                self.seen.add((one, who))
            tally = self.tallies.setdefault(one, [0, 0])
            tally[0] += 1
            tally[1] = (tally[1] + key) & MASK

    def counted(self) -> dict[Cell, Tally]:
        """Return the counts; where too few days are behind one, as if nothing had been counted."""
        if self.spec.is_by_records:
            return self._by_records()
        few = {cell for cell, days in self.days.items() if len(days) < self.spec.days}
        return {cell: (0, 0) if cell in few else (count, keys) for cell, (count, keys) in self.tallies.items()}

    def _by_records(self) -> dict[Cell, Tally]:
        ((_, hierarchy, level),) = self.spec.sources
        found: dict[Cell, Tally] = {TOTAL: (0, 0)}
        for who, number in self.records.items():
            key = record_key(self.secret, who)
            for cell in ((hierarchy.at(str(number), level),), TOTAL):
                count, keys = found.get(cell, (0, 0))
                found[cell] = (count + 1, (keys + key) & MASK)
        return found


def shown(tally: Tally, threshold: int, secret: bytes) -> str:
    """Return what a count shows as. Nothing counted shows as 0 only in the total; empty cells are not listed."""
    value = rounded(*tally, secret)
    return str(value) if value >= threshold else f"<{threshold}"


def publish(counted: Mapping[Cell, Tally], before: Published | None, threshold: int, step: int, secret: bytes) -> Published:
    """Return what is published of a period now: cells as before, except those that changed by `step` records or more."""
    found: Published = {}
    for cell in {**counted, **(before or {})}:
        tally = counted.get(cell, (0, 0))
        if before is not None:
            known = before.get(cell, (0, f"<{threshold}"))
            if abs(tally[0] - known[0]) < step:
                if cell in before:
                    found[cell] = known
                continue
        found[cell] = (tally[0], shown(tally, threshold, secret))
    return found


def table_of(spec: TableSpec, period: str, published: Published, is_revision: bool = False) -> ProtectedTable:
    cells = tuple((cell, text) for cell, (_, text) in sorted(published.items()) if cell != TOTAL)
    return ProtectedTable(spec, period, cells, published[TOTAL][1], is_revision)
