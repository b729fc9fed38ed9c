"""The counts of a recipe's table, of this period and of earlier ones that can change."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from evaluator_export import periods
from evaluator_export.datasets.recipe import Method, TableSpec
from evaluator_export.tables.protected_counts import CellCounter, Published, make_protection, publish_counts
from evaluator_export.tables.suppression import suppress_cells
from fieldapp.services.releases.gathering.assembly import Assembly
from fieldapp.store.records.records import ReleasableRecord
from fieldapp.store.releases import datasets

REVISED_FOR = dt.timedelta(days=400)  # how long a published period can still change


@dataclass(frozen=True)
class PeriodCounts:
    """What is published of a table for one period; a revision replaces earlier counts."""

    spec: TableSpec
    period: str
    published: Published
    is_revision: bool


@dataclass
class TableCounts:
    """A table while records are read: what was published by period, and what is counted now."""

    assembly: Assembly
    spec: TableSpec
    before: dict[str, Published]
    counters: dict[str, CellCounter] = field(default_factory=dict)

    @property
    def first_day(self) -> dt.date:
        """Return the first day whose records can still change a published period."""
        starts = [periods.parse(name).first for name in self.before]
        return min([self.assembly.period.first, *starts])

    def add(self, record: ReleasableRecord, row: Mapping[str, str]) -> None:
        """Count a record in its period, if that is released now or was published before."""
        period = self.assembly.period
        name = periods.find_containing(record.day, period.cadence).name
        if name != period.name and name not in self.before:
            return
        if name not in self.counters:
            self.counters[name] = CellCounter(self.spec, self.assembly.table_secret)
        self.counters[name].add(record.unit, row)

    def publish(self) -> Iterator[PeriodCounts]:
        """Yield the counts to publish, newest period first.

        Those of this period, of earlier ones that changed enough, and of packages that are replaced.
        """
        this_period = self.assembly.period.name
        again = self.assembly.list_periods_again()
        # Of these, the recipient has no number yet.
        own_periods = {this_period, *(package.period for package in self.assembly.replaced)}
        names = sorted({this_period, *self.before}, key=_find_first_day, reverse=True)
        for name in names:
            before = self.before.get(name)
            published = self._protect(name, before)
            if name == this_period or name in again or published != before:
                is_revision = before is not None and name not in own_periods
                yield PeriodCounts(self.spec, name, published, is_revision)

    def _protect(self, name: str, before: Published | None) -> Published:
        secret = self.assembly.table_secret
        threshold = self.assembly.recipe.threshold
        counted = (self.counters.get(name) or CellCounter(self.spec, secret)).counted()
        if self.spec.method == Method.SUPPRESS:
            return before or suppress_cells(counted, self.spec.min_count(threshold))
        protection = make_protection(self.spec, threshold, secret, periods.parse(name))
        return publish_counts(counted, before, protection)


def load_table_counts(assembly: Assembly, spec: TableSpec) -> TableCounts:
    """Return a table with what was published of it before, where that can still change."""
    before: dict[str, Published] = {}
    for name, cells in datasets.table_states(assembly.session, assembly.centre_id, spec.key).items():
        if _can_change(assembly, name):
            before[name] = {tuple(cell): (count, text) for cell, count, text in cells}
    return TableCounts(assembly, spec, before)


def _can_change(assembly: Assembly, name: str) -> bool:
    """Say whether a published period can change: same calendar, not later, not long past."""
    earlier = periods.parse(name)
    if earlier.cadence != assembly.period.cadence or earlier > assembly.period:
        return False
    return assembly.period.first - earlier.first < REVISED_FOR


def _find_first_day(name: str) -> dt.date:
    return periods.parse(name).first
