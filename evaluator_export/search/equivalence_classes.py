"""Equivalence classes of a table at a node: their rows and persons, and which must stay.

A class is all rows whose labels are alike. It is known by its key: the label numbers of all columns
as the digits of one number. Rows that are alike at some node can be added up once and then be
counted at every node above it, which is what makes a search over thousands of nodes affordable.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.privacy_models import (
    PrivacyModel,
    ValueCounts,
    find_classes_with_few_values,
    find_violating_classes,
)
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.search.encoding import Microdata, count_keys

Node = tuple[int, ...]  # one level per column
PERSON = "\0person"  # a name that no column of a file can have
MOST_KEYS = 1 << 62  # keys are signed 64-bit numbers
PACKED_VALUES = 1 << 16  # columns are looked up together while their values fit two bytes


@dataclass(frozen=True)
class EquivalenceClasses:
    """The classes at a node, ascending by key; each array has one entry per class.

    `sizes`: how many labels each column has, that is, the base of each digit of a key, most
    significant first. `violating`: classes that must not be published. `violates_monotone`: classes
    that fail k or distinct values, which rows only do more at less coarse levels.
    """

    node: Node
    keys: Array
    sizes: tuple[int, ...]
    rows: Array
    persons: Array
    violating: Array
    violates_monotone: Array

    def labels(self, chosen: Array) -> list[Array]:
        """Return one array per column: its label numbers in the chosen classes."""
        return _split_digits(self.keys[chosen], self.sizes)


@dataclass(frozen=True)
class PackedColumns:
    """Some columns (positions) as one number per row: one look-up instead of many."""

    columns: tuple[int, ...]
    codes: Array


class GroupedRows:
    """Rows at a node, alike ones added up, ready to be counted at any node above.

    `codes`: one array per column, the label number of each row. `weights`: how many rows of the
    table each stands for (None: one). `others`: by name, the columns that no one generalizes.
    """

    def __init__(
        self,
        table: Microdata,
        node: Node,
        codes: Sequence[Array],
        weights: Array | None,
        others: dict[str, Array],
    ):
        self.table = table
        self.node = node
        self.weights = weights
        self.others = others
        self.length = len(codes[0]) if codes else table.rows
        self.packed = _pack_columns(codes, _count_labels(table, node))

    def is_below(self, node: Node) -> bool:
        """Say whether no column is coarser here than at `node`."""
        return all(own <= other for own, other in zip(self.node, node, strict=True))

    def keys(self, node: Node) -> tuple[Array, tuple[int, ...]]:
        """Return the key of each row's class at a node, and how many labels each column has there.

        Raises ExportProblem when the columns have too many combinations for a 64-bit key.
        """
        sizes = _count_labels(self.table, node)
        # From the last column on: the least significant digit has stride 1.
        strides = np.cumprod([1, *sizes[:0:-1]], dtype=object)[::-1]
        # As Python integers: in 64 bits the check for an overflow would overflow itself.
        if int(np.prod(sizes, dtype=object)) >= MOST_KEYS:
            raise ExportProblem(Reason("table.combinations"))
        keys = np.zeros(self.length, dtype=np.int64)
        buffer: Array | None = None
        for number, packed in enumerate(self.packed):
            lookup = self._make_lookup(packed, node, strides)
            if number == 0:
                np.take(lookup, packed.codes, out=keys)
            else:
                # One buffer for all columns: a new array of a million rows each time costs more
                # than the additions.
                buffer = np.take(lookup, packed.codes, out=buffer)
                keys += buffer
        return keys, sizes

    def _make_lookup(self, packed: PackedColumns, node: Node, strides: Array) -> Array:
        """Return what each packed number adds to a key at `node`."""
        lookup: Array = np.zeros((), dtype=np.int64)
        for position in packed.columns:
            column = self.table.columns[position]
            labels = column.map_to_level(self.node[position], node[position])
            lookup = lookup[..., None] + labels * int(strides[position])
        return lookup.ravel()

    def classes(
        self, node: Node, model: PrivacyModel, totals: dict[str, Array], limit: int | None = None
    ) -> EquivalenceClasses:
        """Return the classes at a node at or above this one.

        `totals`: rows of the whole table by value, for each column with a demand on t. `limit`:
        when classes under k rows have more rows than this, only they count as violating, which is
        enough to refuse the node and spares counting persons and values.
        """
        keys, sizes = self.keys(node)
        domain = int(np.prod(sizes, dtype=np.int64))
        class_keys, rows = count_keys(keys, domain, self.weights)
        few = rows < model.k  # a class has at least as many rows as persons
        if limit is not None and rows[few].sum() > limit:
            return EquivalenceClasses(node, class_keys, sizes, rows, rows, few, few)
        persons = rows
        # Only where rows can share a person; else counting persons gives the counts of rows again.
        if PERSON in self.others:
            counts = self._count_values(keys, domain, len(class_keys), PERSON)
            persons = np.bincount(counts.classes, minlength=len(class_keys))
        values = {}
        for demand in model.diversities:
            counts = self._count_values(keys, domain, len(class_keys), demand.field)
            values[demand.field] = counts
        violating = find_violating_classes(model, rows, persons, values, totals)
        violates_monotone = violating
        if not model.is_monotone:
            violates_monotone = find_classes_with_few_values(model, persons, values)
        return EquivalenceClasses(
            node=node,
            keys=class_keys,
            sizes=sizes,
            rows=rows,
            persons=persons,
            violating=violating,
            violates_monotone=violates_monotone,
        )

    def _count_values(self, keys: Array, domain: int, classes: int, name: str) -> ValueCounts:
        """Return how often each value of the column `name` occurs in each class."""
        values = self.others[name]
        width = _count_possible_values(values)
        if domain * width >= MOST_KEYS:
            # Number the classes anew, from 0 on: a pair then fits a key again.
            keys = np.unique(keys, return_inverse=True)[1]
            domain = classes
        pairs, counts = count_keys(keys * width + values, domain * width, self.weights)
        owners, values_inside = np.divmod(pairs, width)
        class_numbers = np.cumsum(np.diff(owners, prepend=owners[:1]) != 0)
        return ValueCounts(class_numbers, values_inside, counts)

    def aggregate(self, node: Node) -> "GroupedRows | None":
        """Return the rows at `node` with alike ones added up; None if that does not halve them."""
        keys, sizes = self.keys(node)
        widths = tuple(_count_possible_values(values) for values in self.others.values())
        bases = (*sizes, *widths)
        if int(np.prod(bases, dtype=object)) >= MOST_KEYS:
            return None
        for width, values in zip(widths, self.others.values(), strict=True):
            keys = keys * width + values
        row_keys, counts = count_keys(keys, int(np.prod(bases, dtype=object)), self.weights)
        if 2 * len(row_keys) > self.length:
            return None
        digits = _split_digits(row_keys, bases)
        others = dict(zip(self.others, digits[len(sizes) :], strict=True))
        return GroupedRows(self.table, node, digits[: len(sizes)], counts, others)


def group_rows(table: Microdata, node: Node, model: PrivacyModel) -> GroupedRows:
    """Return a table's rows at a node, not yet added up, with what the model asks about."""
    others = {demand.field: table.sensitive[demand.field] for demand in model.diversities}
    if table.persons is not None:
        others = {PERSON: table.persons, **others}
    codes = []
    for column, level in zip(table.columns, node, strict=True):
        codes.append(column.levels[level].map[column.codes])
    return GroupedRows(table, node, codes, None, others)


def _count_labels(table: Microdata, node: Node) -> tuple[int, ...]:
    levels = zip(table.columns, node, strict=True)
    return tuple(len(column.levels[level].labels) for column, level in levels)


def _count_possible_values(values: Array) -> int:
    return int(values.max()) + 1 if len(values) else 1


def _split_digits(numbers: Array, bases: Sequence[int]) -> list[Array]:
    """Return the digits of numbers, one array per base, most significant first."""
    digits = []
    for base in reversed(bases):
        numbers, digit = np.divmod(numbers, base)
        digits.append(digit)
    return digits[::-1]


def _pack_columns(codes: Sequence[Array], sizes: Sequence[int]) -> list[PackedColumns]:
    """Put columns together, smallest first, while one number of two bytes can stand for them."""
    groups: list[list[int]] = []
    product = 1
    for column in sorted(range(len(codes)), key=lambda column: sizes[column]):
        if groups and product * sizes[column] <= PACKED_VALUES:
            groups[-1].append(column)
            product *= sizes[column]
        else:
            groups.append([column])
            product = sizes[column]
    return [_pack_group(group, codes, sizes) for group in groups]


def _pack_group(group: list[int], codes: Sequence[Array], sizes: Sequence[int]) -> PackedColumns:
    combinations = int(np.prod([sizes[column] for column in group], dtype=np.int64))
    packed = codes[group[0]].astype(np.int64)
    for column in group[1:]:
        packed *= sizes[column]
        packed += codes[column]
    smallest_type = np.min_scalar_type(max(combinations - 1, 0))
    return PackedColumns(tuple(group), packed.astype(smallest_type, copy=False))
