"""A table as whole numbers: values have numbers, and levels map them to labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.policy import Field, Policy
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.tabular import CategoricalColumn

MOST_DIRECT = 1 << 22  # keys that are counted in place (8 bytes each), although sorting needs less memory


@dataclass(frozen=True)
class Level:
    """One level of a hierarchy over the values that occur.

    `map`: one label number per value. `labels`: the text of each label. `losses`: the loss of each
    label, from 0 (as precise as the value) to 1 (says nothing).
    """

    map: Array
    labels: tuple[str, ...]
    losses: Array


@dataclass(frozen=True)
class QuasiIdentifier:
    """A column that others may know: `codes`, one value number per row, and all its levels.

    Only levels from `minimum` to `maximum` (positions in `levels`) may be chosen. `weight` says how
    much a loss of detail in this column counts beside the others.
    """

    name: str
    codes: Array
    levels: tuple[Level, ...]
    minimum: int
    maximum: int
    weight: float = 1.0

    def map_to_level(self, below: int, above: int) -> Array:
        """Return the label number at level `above` for each label number at level `below`."""
        # Every value of a label below lies in the same label above: levels nest.
        labels_above = np.zeros(len(self.levels[below].labels), dtype=np.int64)
        labels_above[self.levels[below].map] = self.levels[above].map
        return labels_above

    def subset(self, chosen: Array) -> "QuasiIdentifier":
        """Return the column with only the chosen rows (a mask, or positions)."""
        return replace(self, codes=self.codes[chosen])


@dataclass(frozen=True)
class Microdata:
    """Rows to be protected, as numbers.

    All arrays have one entry per row. `persons` says whom a row is about (None: each row is about
    another person), `sensitive` holds other columns by name, `groups` the column whose groups must
    not bear more suppression than others.
    """

    columns: tuple[QuasiIdentifier, ...]
    rows: int
    persons: Array | None = None
    sensitive: dict[str, Array] = field(default_factory=dict)
    groups: Array | None = None

    @cached_property
    def total_weight(self) -> float:
        """The sum of the columns' weights, by which losses are divided; never 0."""
        return sum(column.weight for column in self.columns) or 1.0

    def subset(self, chosen: Array) -> "Microdata":
        """Return the chosen rows; `chosen` is a mask or an array of positions."""
        rows = np.arange(self.rows)[chosen]
        return Microdata(
            columns=tuple(column.subset(rows) for column in self.columns),
            rows=len(rows),
            persons=_subset(self.persons, rows),
            sensitive={name: codes[rows] for name, codes in self.sensitive.items()},
            groups=_subset(self.groups, rows),
        )


def _subset(codes: Array | None, rows: Array) -> Array | None:
    return None if codes is None else codes[rows]


def encode_table(policy: Policy, columns: Mapping[str, CategoricalColumn]) -> Microdata:
    """Return the rows of `columns` as numbers, with the roles that the policy gives them.

    Raises ExportProblem with every column whose hierarchy does not nest.
    """
    # All columns before any complaint: who mends a policy wants to know of all at once.
    problems: list[Reason] = []
    identifiers = []
    for policy_field in policy.identifiers:
        try:
            identifiers.append(encode_quasi_identifier(policy_field, columns[policy_field.name]))
        except ExportProblem as problem:
            problems += [reason.inside(policy_field.name) for reason in problem.reasons]
    if problems:
        raise ExportProblem(*problems)
    group = policy.limits.group
    rows = len(next(iter(columns.values())).codes) if columns else 0
    return Microdata(
        tuple(identifiers),
        rows,
        columns[policy.person].codes if policy.person else None,
        {demand.field: columns[demand.field].codes for demand in policy.model.diversities},
        columns[group.field].codes if group else None,
    )


def encode_quasi_identifier(policy_field: Field, column: CategoricalColumn) -> QuasiIdentifier:
    """Return a column with all levels of its hierarchy over the values that it has.

    Raises ExportProblem when the levels do not nest. Source of the loss of a label: ARX's Loss,
    (share of the domain that the label stands for - 1/m) / (1 - 1/m), m the size of the domain.
    """
    hierarchy = policy_field.hierarchy
    if hierarchy is None:
        raise ValueError("a quasi-identifier has a hierarchy")
    domain = hierarchy.domain or column.values
    shares = hierarchy.shares(domain)
    all_labels = [hierarchy.labels(value) for value in column.values]
    levels = []
    for number in range(len(hierarchy.names)):
        # Only labels that occur have a number: fewer labels make keys of classes smaller.
        numbers: dict[str, int] = {}
        for labels in all_labels:
            numbers.setdefault(labels[number], len(numbers))
        label_numbers = (numbers[labels[number]] for labels in all_labels)
        mapped = np.fromiter(label_numbers, np.int64, len(all_labels))
        losses = _compute_losses(list(numbers), number, shares[number], len(domain))
        levels.append(Level(_shrink(mapped), tuple(numbers), losses))
    return QuasiIdentifier(
        policy_field.name,
        _shrink(column.codes),
        tuple(levels),
        policy_field.minimum,
        policy_field.maximum,
        policy_field.weight,
    )


def _compute_losses(
    labels: Sequence[str],
    level: int,
    shares: Mapping[str, float],
    domain_size: int,
) -> Array:
    """Return the loss of each label (0 to 1).

    A label that the domain does not have is counted as if all of it lay under it.
    """
    leaf = 1 / max(domain_size, 1)
    if leaf >= 1:  # a domain of one value: only its own level keeps it
        return np.array([float(level > 0) for _ in labels])
    unknown = leaf if level == 0 else 1.0
    losses = [(shares.get(label, unknown) - leaf) / (1 - leaf) for label in labels]
    return np.array([min(1.0, max(0.0, loss)) for loss in losses])


def _shrink(codes: Array) -> Array:
    """Return numbers in the smallest type that holds them: memory is what limits a search."""
    top = int(codes.max()) if len(codes) else 0
    return codes.astype(np.min_scalar_type(top), copy=False)


def find_runs(ordered: Array) -> tuple[Array, Array]:
    """Return the different values of a sorted array, and where each begins.

    The second array has one more entry, the length of the array.
    Example: `find_runs([4, 4, 7])` is `([4, 7], [0, 2, 3])`.
    """
    if not len(ordered):
        return ordered, np.zeros(1, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[starts], np.append(starts, len(ordered))


def count_keys(keys: Array, size: int, weights: Array | None) -> tuple[Array, Array]:
    """Return the different keys, ascending, and the sum of weights of each.

    Keys are from 0 to `size` - 1. `weights` has one whole number per key; None counts each as 1.
    """
    # Few possible keys for each that is there: counting in place is faster than sorting. With many,
    # looking through the empty places takes longer than the sort.
    possible_per_key = 16 if size <= MOST_DIRECT else 4
    if size <= possible_per_key * len(keys):
        counts = np.bincount(keys, weights, minlength=0)
        # Comparing first makes bytes of the numbers: several times faster than `flatnonzero(counts)`.
        present = np.flatnonzero(counts != 0)
        return present, counts[present].astype(np.int64, copy=False)
    if weights is None:
        present, bounds = find_runs(np.sort(keys))
        return present, np.diff(bounds)
    order = np.argsort(keys)
    present, bounds = find_runs(keys[order])
    if not len(present):
        return present, weights[:0]
    return present, np.add.reduceat(weights[order], bounds[:-1])
