"""What a class of rows must hold to be published: k persons, and no sensitive value that it gives away.

k-anonymity (Sweeney 2002) counted in persons; distinct and entropy l-diversity (Machanavajjhala et al. 2007); the greatest
confidence of a value in a class; t-closeness with equal distances (Li et al. 2007).
"""

from dataclasses import dataclass

import numpy as np

from evaluator_export.arrays import Array


@dataclass(frozen=True)
class Diversity:
    """What one sensitive column must show in each class; 0 and 1 stand for no demand."""

    field: str
    distinct: int = 1
    entropy: float = 0.0  # the exponential of the entropy, "as many as so many equally frequent values"
    max_confidence: float = 1.0
    t: float = 1.0

    @property
    def is_monotone(self) -> bool:
        """Say whether making a table coarser can never add rows that fail (true of distinct values, not of shares)."""
        return self.entropy <= 1 and self.max_confidence >= 1 and self.t >= 1


@dataclass(frozen=True)
class PrivacyModel:
    k: int
    diversities: tuple[Diversity, ...] = ()

    @property
    def is_monotone(self) -> bool:
        return all(diversity.is_monotone for diversity in self.diversities)


@dataclass(frozen=True)
class ValueCounts:
    """How a sensitive column is spread over classes: one entry a (class, value) that occurs, classes ascending."""

    classes: Array
    values: Array
    counts: Array

    def measure(self, rows: Array, total: Array | None = None) -> dict[str, Array]:
        """Return, a class each: distinct values, exponential of the entropy, greatest confidence, distance to `total`."""
        number = len(rows)
        shares = self.counts / rows[self.classes]
        distinct = np.bincount(self.classes, minlength=number)
        entropy = np.exp(-np.bincount(self.classes, shares * np.log(shares), minlength=number))
        confidence = np.zeros(number)
        np.maximum.at(confidence, self.classes, shares)
        found = {"distinct": distinct, "entropy": entropy, "confidence": confidence}
        if total is not None:
            everywhere = total / max(total.sum(), 1)
            present = everywhere[self.values]
            gain = np.bincount(self.classes, np.maximum(shares - present, 0), minlength=number)
            found["t"] = gain  # half of the summed differences: what is gained equals what is lost
        return found


def find_violating_classes(
    model: PrivacyModel, rows: Array, persons: Array, spreads: dict[str, ValueCounts], totals: dict[str, Array]
) -> Array:
    """Return which classes must not be published."""
    bad: Array = persons < model.k
    for diversity in model.diversities:
        found = spreads[diversity.field].measure(rows, totals[diversity.field] if diversity.t < 1 else None)
        bad = bad | (found["distinct"] < diversity.distinct)
        if diversity.entropy > 1:
            bad = bad | (found["entropy"] < diversity.entropy - 1e-9)
        if diversity.max_confidence < 1:
            bad = bad | (found["confidence"] > diversity.max_confidence + 1e-9)
        if diversity.t < 1:
            bad = bad | (found["t"] > diversity.t + 1e-9)
    return bad
