"""A table as whole numbers: each column's values numbered, each level a map from those numbers to coarser ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.hierarchies import Hierarchy

MOST_DIRECT = 1 << 22  # cells that are counted in place rather than sorted


@dataclass(frozen=True)
class Level:
    """One level over the values that occur: `map` from value to label, the labels, and the loss of each label (0 to 1)."""

    map: Array
    labels: tuple[str, ...]
    losses: Array


@dataclass(frozen=True)
class QuasiIdentifier:
    """A quasi-identifier: a number a row, and its levels from `minimum` to `maximum` (positions in the hierarchy)."""

    name: str
    codes: Array
    levels: tuple[Level, ...]  # of the hierarchy, all of them
    minimum: int
    maximum: int
    weight: float = 1.0

    def map_to_level(self, below: int, above: int) -> Array:
        """Return the map from the labels of a level to those of a level above it; levels nest."""
        found = np.zeros(len(self.levels[below].labels), dtype=np.int64)
        found[self.levels[below].map] = self.levels[above].map
        return found


@dataclass(frozen=True)
class Microdata:
    """Rows to be protected: quasi-identifiers, who each row is about (None: each row about another), other columns."""

    columns: tuple[QuasiIdentifier, ...]
    rows: int
    persons: Array | None = None
    sensitive: dict[str, Array] = field(default_factory=dict)
    groups: Array | None = None

    @cached_property
    def total_weight(self) -> float:
        return sum(column.weight for column in self.columns) or 1.0

    def subset(self, mask: Array) -> "Microdata":
        """Return the rows of a mask or of positions."""
        columns = tuple(
            QuasiIdentifier(column.name, column.codes[mask], column.levels, column.minimum, column.maximum, column.weight)
            for column in self.columns
        )
        return Microdata(
            columns,
            int(mask.sum()) if mask.dtype == bool else len(mask),
            None if self.persons is None else self.persons[mask],
            {name: codes[mask] for name, codes in self.sensitive.items()},
            None if self.groups is None else self.groups[mask],
        )


def encode_quasi_identifier(
    name: str, codes: Array, values: Sequence[str], hierarchy: Hierarchy, **limits: Any
) -> QuasiIdentifier:
    """Return a column's levels over `values`, the words behind its codes; ExportProblem when the levels do not nest.

    Loss of a label is ARX's: (share of the domain that it stands for − 1/m) / (1 − 1/m), m the size of the domain.
    """
    domain = hierarchy.domain or tuple(values)
    shares = hierarchy.shares(domain)
    labels = [hierarchy.labels(value) for value in values]
    leaf = 1 / max(len(domain), 1)
    levels = []
    for level in range(len(hierarchy.names)):
        numbers: dict[str, int] = {}
        mapped = np.fromiter((numbers.setdefault(found[level], len(numbers)) for found in labels), np.int64, len(labels))
        losses = [
            min(1.0, max(0.0, (shares[level].get(label, leaf if level == 0 else 1.0) - leaf) / (1 - leaf)))
            if leaf < 1
            else float(level > 0)
            for label in numbers
        ]
        levels.append(Level(_shrink(mapped), tuple(numbers), np.array(losses)))
    return QuasiIdentifier(name, _shrink(codes), tuple(levels), **limits)


def _shrink(codes: Array) -> Array:
    top = int(codes.max()) if len(codes) else 0
    return codes.astype(np.min_scalar_type(top), copy=False)


def find_runs(ordered: Array) -> tuple[Array, Array]:
    """Return the different values of a sorted array and where each begins, with the end at last."""
    if not len(ordered):
        return ordered, np.zeros(1, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[starts], np.append(starts, len(ordered))


def count_keys(keys: Array, size: int, weights: Array | None) -> tuple[Array, Array]:
    """Return the different keys, ascending, and how often each occurs; `size` bounds the keys."""
    if size <= max(MOST_DIRECT, 4 * len(keys)):
        counts = np.bincount(keys, weights, minlength=0)
        found = np.flatnonzero(counts)
        return found, counts[found].astype(np.int64, copy=False)
    if weights is None:
        found, bounds = find_runs(np.sort(keys))
        return found, np.diff(bounds)
    order = np.argsort(keys)
    found, bounds = find_runs(keys[order])
    return found, np.add.reduceat(weights[order], bounds[:-1]) if len(found) else weights[:0]
