"""Equivalence classes of a table at a node: how many rows and persons each holds, and which must not be published."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.privacy_models import Model, Spread, failing
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.search.encoding import Table, tallied

Node = tuple[int, ...]  # a level a column
PERSON = "\0person"  # beside sensitive columns, whose names are people's own
MOST_KEYS = 1 << 62
COMPOSITE = 1 << 16  # columns are counted together while their values fit two bytes


@dataclass(frozen=True)
class Classes:
    """Classes ascending by key; `sizes` are the label counts that a key is made of, most significant first."""

    node: Node
    keys: Array
    sizes: tuple[int, ...]
    rows: Array
    persons: Array
    bad: Array
    thin: Array  # fails k or distinct values: what only grows towards finer levels

    def labels(self, chosen: Array) -> list[Array]:
        """Return each column's label numbers of the chosen classes."""
        rest, found = self.keys[chosen], list[Array]()
        for size in reversed(self.sizes):
            rest, label = np.divmod(rest, size)
            found.append(label)
        return found[::-1]


@dataclass(frozen=True)
class Composite:
    """Some columns' labels as one number."""

    columns: tuple[int, ...]
    codes: Array


class Base:
    """Rows at some node, alike ones added up, ready to be counted at any node above."""

    def __init__(self, table: Table, node: Node, codes: Sequence[Array], weights: Array | None, others: dict[str, Array]):
        self.table, self.node, self.weights, self.others = table, node, weights, others
        sizes = [len(column.levels[level].labels) for column, level in zip(table.columns, node, strict=True)]
        self.length = len(codes[0]) if codes else table.rows
        self.composites = _composed(codes, sizes)
        self.sizes = sizes

    def is_below(self, node: Node) -> bool:
        return all(mine <= theirs for mine, theirs in zip(self.node, node, strict=True))

    def keys(self, node: Node) -> tuple[Array, tuple[int, ...]]:
        """Return each row's class key at a node, and the label counts that it is made of."""
        columns = self.table.columns
        sizes = tuple(len(column.levels[level].labels) for column, level in zip(columns, node, strict=True))
        strides = np.cumprod([1, *sizes[:0:-1]], dtype=object)[::-1]
        if int(np.prod(sizes, dtype=object)) >= MOST_KEYS:
            raise ExportProblem(Reason("table.combinations"))
        keys = np.zeros(self.length, dtype=np.int64)
        buffer: Array | None = None
        for number, composite in enumerate(self.composites):
            lookup: Array = np.zeros((), dtype=np.int64)
            for column in composite.columns:
                upward = columns[column].upward(self.node[column], node[column]) * int(strides[column])
                lookup = lookup[..., None] + upward
            lookup = lookup.ravel()
            if number == 0:
                np.take(lookup, composite.codes, out=keys)
            else:
                buffer = np.take(lookup, composite.codes, out=buffer)
                keys += buffer
        return keys, sizes

    def classes(self, node: Node, model: Model, totals: dict[str, Array], limit: int | None = None) -> Classes:
        """Return the classes at a node. When those under k rows hold more than `limit` rows already, only these are bad."""
        keys, sizes = self.keys(node)
        domain = int(np.prod(sizes, dtype=np.int64))
        found, rows = tallied(keys, domain, self.weights)
        few = rows < model.k  # rows are at least as many as persons
        if limit is not None and rows[few].sum() > limit:
            return Classes(node, found, sizes, rows, rows, few, few)
        persons = rows
        if PERSON in self.others:
            spread = self._spread(keys, domain, len(found), PERSON)
            persons = np.bincount(spread.classes, minlength=len(found))
        spreads = {one.field: self._spread(keys, domain, len(found), one.field) for one in model.diversities}
        bad = failing(model, rows, persons, spreads, totals)
        thin = bad
        if not model.is_monotone:
            thin = persons < model.k
            for diversity in model.diversities:
                thin = thin | (np.bincount(spreads[diversity.field].classes, minlength=len(rows)) < diversity.distinct)
        return Classes(node, found, sizes, rows, persons, bad, thin)

    def _spread(self, keys: Array, domain: int, classes: int, name: str) -> Spread:
        """Return how a column's values are spread over the classes."""
        values = self.others[name]
        width = int(values.max()) + 1 if len(values) else 1
        if domain * width >= MOST_KEYS:
            keys, domain = np.unique(keys, return_inverse=True)[1], classes
        pairs, counts = tallied(keys * width + values, domain * width, self.weights)
        owners, inside = np.divmod(pairs, width)
        return Spread(np.cumsum(np.diff(owners, prepend=owners[:1]) != 0), inside, counts)

    def gathered(self, node: Node) -> "Base | None":
        """Return the rows of a node with alike ones added up, if that at least halves them."""
        keys, sizes = self.keys(node)
        widths = [int(values.max()) + 1 if len(values) else 1 for values in self.others.values()]
        if int(np.prod(sizes, dtype=object)) * int(np.prod(widths, dtype=object)) >= MOST_KEYS:
            return None
        for width, values in zip(widths, self.others.values(), strict=True):
            keys = keys * width + values
        found, counts = tallied(keys, int(np.prod([*sizes, *widths], dtype=object)), self.weights)
        if 2 * len(found) > self.length:
            return None
        others = {}
        for width, name in reversed(list(zip(widths, self.others, strict=True))):
            found, others[name] = np.divmod(found, width)
        codes = []
        for size in reversed(sizes):
            found, label = np.divmod(found, size)
            codes.append(label)
        return Base(self.table, node, codes[::-1], counts, {name: others[name] for name in self.others})


def base_of(table: Table, node: Node, model: Model) -> Base:
    """Return a table's rows at a node, one by one."""
    others = {} if table.persons is None else {PERSON: table.persons}
    others |= {diversity.field: table.sensitive[diversity.field] for diversity in model.diversities}
    codes = [column.levels[level].map[column.codes] for column, level in zip(table.columns, node, strict=True)]
    return Base(table, node, codes, None, others)


def _composed(codes: Sequence[Array], sizes: Sequence[int]) -> list[Composite]:
    """Put columns together, smallest first, while one number of two bytes can stand for them."""
    groups: list[list[int]] = []
    fill = 1
    for column in sorted(range(len(codes)), key=lambda column: sizes[column]):
        if groups and fill * sizes[column] <= COMPOSITE:
            groups[-1].append(column)
            fill *= sizes[column]
        else:
            groups.append([column])
            fill = sizes[column]
    return [_composite(group, codes, sizes) for group in groups]


def _composite(group: list[int], codes: Sequence[Array], sizes: Sequence[int]) -> Composite:
    room = int(np.prod([sizes[column] for column in group], dtype=np.int64))
    together = codes[group[0]].astype(np.int64)
    for column in group[1:]:
        together *= sizes[column]
        together += codes[column]
    return Composite(tuple(group), together.astype(np.min_scalar_type(max(room - 1, 0)), copy=False))
