"""Tables of counts that give away no small number, however often they are rebuilt.

Counts are rounded to a multiple of 5 at random, without bias, by a key that depends only on which records are counted
(cell-key method of the Australian Bureau of Statistics). A count shows when it is at least 5 over the floor after rounding;
else it shows as "<25". So nothing under the floor ever shows, and that a cell shows says nothing exact. The key is the
centre's, so all recipients see the same numbers. A period that was published stays as it is until a cell has changed by k.
Every cell that there can be is listed, so a missing one says nothing. Things that anybody can count are exact.
"""

import datetime as dt
import hashlib
import hmac
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from evaluator_export.datasets.eligibility import add_derived_columns
from evaluator_export.datasets.recipe import Method, TableSpec
from evaluator_export.periods import Period
from evaluator_export.policy.hierarchies import ALL

BASE = 5
# Sums of keys are cut to 64 bits, which round_to_5 hashes.
MASK = (1 << 64) - 1
TOTAL = ("total",)
PUBLIC_THRESHOLD = 20  # persons or events about them, for everybody (Ontario IPC guideline, high sensitivity)
MOST_LISTED = 2500  # cells; of a table that could have more, only those that show are listed

Cell = tuple[str, ...]
Tally = tuple[int, int]  # how many, and the sum of their records' keys
Published = dict[Cell, tuple[int, str]]  # the true count when it was published, and the text that was


@dataclass(frozen=True)
class Protection:
    """How the counts of one table are shown.

    `floor`: no count under it ever shows. `step`: by how much a count must move before it is published again. `domain`:
    the cells that are always listed; others are only where they show.
    """

    floor: int
    step: int
    secret: bytes
    domain: frozenset[Cell] = frozenset()
    is_exact: bool = False

    @property
    def hidden(self) -> str:
        """Return what stands for a count that does not show."""
        return write_hidden(self.floor)

    def format(self, tally: Tally) -> str:
        """Return a count as text: rounded to 5, or hidden as "<25" with a floor of 20.

        By the rounded count and not the true one: else a cell that comes to show would tell that its true count reached
        the floor just then.
        """
        if self.is_exact:
            return str(tally[0])
        value = round_to_5(*tally, self.secret)
        return str(value) if value >= find_least_shown(self.floor) else self.hidden

    def keep(self, text: str) -> str:
        """Return a text that was published before, hidden where it would not show now."""
        is_shown = text.isdecimal() and (self.is_exact or int(text) >= find_least_shown(self.floor))
        return text if is_shown else self.hidden


def find_least_shown(floor: int) -> int:
    """Return the least rounded count that shows; its true count is above the floor."""
    return floor + BASE


def write_hidden(floor: int) -> str:
    return f"<{find_least_shown(floor)}"


def make_protection(spec: TableSpec, threshold: int, secret: bytes, period: Period | None = None) -> Protection:
    """Return how a table is protected; `threshold` is the recipe's.

    Without a period no cell is listed for being in the domain.
    """
    domain = list_domain(spec, period) if period else frozenset()
    return Protection(spec.min_count(threshold), spec.step(threshold), secret, domain, spec.method == Method.EXACT)


def list_domain(spec: TableSpec, period: Period) -> frozenset[Cell]:
    """Return the cells that a table can have in a period, with its margins and its total.

    Only the total where a column has no list of values, or there would be more than MOST_LISTED.
    """
    days = [str(period.first + dt.timedelta(days=number)) for number in range((period.last - period.first).days + 1)]
    columns = []
    for _, hierarchy, level in spec.sources:
        values = days if hierarchy.is_of_days else hierarchy.domain
        columns.append(sorted({hierarchy.at(value, level) for value in values}))
    if spec.has_margins:
        columns = [[*labels, ALL] for labels in columns]
    if math.prod(map(len, columns)) > MOST_LISTED:
        return frozenset({TOTAL})
    return frozenset({*itertools.product(*columns), TOTAL}) - {(ALL,) * len(columns)}


@dataclass(frozen=True)
class ProtectedTable:
    """Counts by cell, as text: a number, or "<25" where it is hidden.

    `is_revision`: the period was published before, with other counts.
    """

    spec: TableSpec
    period: str
    cells: tuple[tuple[Cell, str], ...]
    total: str
    is_revision: bool = False

    @property
    def headings(self) -> tuple[str, ...]:
        """Return the names of the columns that the table counts by."""
        return tuple(name for name, _ in self.spec.by)


def record_key(secret: bytes, unit: str) -> int:
    """Return the 64-bit key of a record: it decides how counts of it are rounded."""
    return int.from_bytes(hmac.digest(secret, unit.encode(), "sha256")[:8], "big")


def round_to_5(count: int, keys: int, secret: bytes) -> int:
    """Round a count to a multiple of 5, up or down at random, without bias.

    A count with the rest r (count mod 5) goes up with probability r/5. `keys`, the sum of its
    records' keys, decides: the same records are always rounded the same way.
    """
    rest = count % BASE
    hashed = hashlib.blake2b(keys.to_bytes(8, "big"), key=secret, digest_size=8).digest()
    draw = int.from_bytes(hashed, "big")  # from 0 to 2^64 - 1
    goes_up = rest > 0 and draw * BASE < rest << 64
    return count - rest + (BASE if goes_up else 0)


class CellCounter:
    """Counts the records of one table, one by one; about people, each person once a cell."""

    def __init__(self, spec: TableSpec, secret: bytes):
        self.spec = spec
        self.secret = secret
        self.tallies: dict[Cell, list[int]] = {TOTAL: [0, 0]}
        self.seen: set[tuple[Cell, str]] = set()
        # A place has thousands of values and few labels; looking one up takes longest of all.
        self.labels: list[dict[str, str]] = [{} for _ in spec.by]
        self.is_multiple = [spec.dataset.columns[name].is_multiple for name, _ in spec.by]
        self.days: dict[Cell, set[str]] = {}
        self.records: dict[str, int] = {}  # by person, where that is what the table is by

    def add(self, unit: str, row: Mapping[str, str], day: str = "") -> None:
        """Count a record that the table is about and whose consent reaches so far.

        `unit`: the record's own name, the same whenever it is counted. `day`: on which it was, where
        the table shows only what several days are behind.
        """
        if not self.spec.counts(row):
            # Never empty where persons are counted: spec.counts refuses a row without a card.
            return
        row = add_derived_columns(self.spec.dataset, row)
        person = ""
        if self.spec.person:
            person = row.get(self.spec.person, "")
        if self.spec.is_by_records:
            self.records[person] = self.records.get(person, 0) + 1
            return
        # The person's key, not the record's: a second record of a person must not change how the
        # cell is rounded.
        key = record_key(self.secret, person or unit)
        for cell in self._list_cells(row):
            if self.spec.days:
                self.days.setdefault(cell, set()).add(day)
            if person and (cell, person) in self.seen:
                continue
            if person:
                self.seen.add((cell, person))
            tally = self.tallies.setdefault(cell, [0, 0])
            tally[0] += 1
            # Added and cut off: the sum does not depend on the order in which records are read.
            tally[1] = (tally[1] + key) & MASK

    def list_cells_of(self, row: Mapping[str, str]) -> list[Cell]:
        """Return the cells that a record counts in; none where the table does not count it."""
        if not self.spec.counts(row):
            return []
        return self._list_cells(add_derived_columns(self.spec.dataset, row))

    def _list_cells(self, row: Mapping[str, str]) -> list[Cell]:
        """Return every cell that a record counts in, its margins and the total included."""
        cells: list[Cell] = [()]
        for position, (question, hierarchy, level) in enumerate(self.spec.sources):
            value = row.get(question, "")
            # Of several choices, the record counts once for each.
            values = value.split() if self.is_multiple[position] else [value]
            label_of = self.labels[position]
            for one_value in values:
                if one_value not in label_of:
                    label_of[one_value] = hierarchy.at(one_value, level)
            labels = sorted({label_of[one_value] for one_value in values})
            cells = list(itertools.starmap(_extend, itertools.product(cells, labels)))
        if self.spec.has_margins:
            rows = {(cell[0], ALL) for cell in cells}
            columns = {(ALL, cell[1]) for cell in cells}
            cells += sorted(rows | columns)
        return [*cells, TOTAL]

    def counted(self) -> dict[Cell, Tally]:
        """Return the counts; where too few days are behind one, as if nothing had been counted."""
        if self.spec.is_by_records:
            return self._count_by_records()
        counts = {}
        for cell, (count, keys) in self.tallies.items():
            has_few_days = cell in self.days and len(self.days[cell]) < self.spec.days
            counts[cell] = (0, 0) if has_few_days else (count, keys)
        return counts

    def _count_by_records(self) -> dict[Cell, Tally]:
        """Return how many persons have how many records."""
        ((_, hierarchy, level),) = self.spec.sources
        counts: dict[Cell, Tally] = {TOTAL: (0, 0)}
        for person, number in self.records.items():
            key = record_key(self.secret, person)
            for cell in ((hierarchy.at(str(number), level),), TOTAL):
                count, keys = counts.get(cell, (0, 0))
                counts[cell] = (count + 1, (keys + key) & MASK)
        return counts


def _extend(cell: Cell, label: str) -> Cell:
    return (*cell, label)


def publish_counts(counted: Mapping[Cell, Tally], before: Published | None, protection: Protection) -> Published:
    """Return the counts to publish for one period, as (true count, text) by cell.

    A cell keeps its earlier text unless its true count moved by a step or more: two releases that differ by few records
    must not be subtracted from each other. `before`: what was published of the period; None the first time.
    """
    published: Published = {}
    # Cells that were published and have no records any more, too: a cell that disappears would say
    # that it went to 0.
    for cell in {**counted, **(before or {}), **dict.fromkeys(protection.domain)}:
        tally = counted.get(cell, (0, 0))
        is_listed = cell in protection.domain or cell in (before or {})
        if before is not None:
            earlier = before.get(cell, (0, protection.hidden))
            # By true counts: comparing rounded ones would let single records through.
            if abs(tally[0] - earlier[0]) < protection.step:
                if is_listed:
                    published[cell] = (earlier[0], protection.keep(earlier[1]))
                continue
        text = protection.format(tally)
        # A value that the form does not list is only told where it shows: its name alone would say that it occurred.
        if is_listed or text != protection.hidden:
            published[cell] = (tally[0], text)
    return published


def make_protected_table(spec: TableSpec, period: str, published: Published, is_revision: bool = False) -> ProtectedTable:
    """Return the texts that are published of a period, without the true counts."""
    cells = tuple((cell, text) for cell, (_, text) in sorted(published.items()) if cell != TOTAL)
    return ProtectedTable(spec, period, cells, published[TOTAL][1], is_revision)
