"""What a class of rows must have to be published.

At least k persons, and no sensitive value that it gives away.

Sources: k-anonymity (Sweeney 2002), counted in persons; distinct and entropy l-diversity
(Machanavajjhala et al. 2007); the greatest confidence of a value in a class; t-closeness with equal
distances (Li et al. 2007).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluator_export.arrays import Array

ROUNDING = 1e-9  # shares are floating-point numbers: a class exactly at a limit keeps within it


@dataclass(frozen=True)
class Diversity:
    """What the sensitive column `field` must show in each class; the defaults ask nothing.

    `distinct`: at least so many different values. `entropy`: at least this exponential of the
    entropy; 3 is as varied as three equally frequent values. `max_confidence`: the share of rows
    (0 to 1) that may have the same value. `t`: the distance (0 to 1) that the values of a class may
    have from those of all rows.
    """

    field: str
    distinct: int = 1
    entropy: float = 0.0
    max_confidence: float = 1.0
    t: float = 1.0

    @property
    def is_monotone(self) -> bool:
        """Say whether coarser levels never make more rows fail: true of counts, not of shares."""
        return self.entropy <= 1 and self.max_confidence >= 1 and self.t >= 1


@dataclass(frozen=True)
class PrivacyModel:
    """At least `k` persons in each class, and what its sensitive columns must show."""

    k: int
    diversities: tuple[Diversity, ...] = ()

    @property
    def is_monotone(self) -> bool:
        """Say whether coarser levels never make more rows fail."""
        return all(diversity.is_monotone for diversity in self.diversities)


@dataclass(frozen=True)
class ValueCounts:
    """How often each value of a sensitive column occurs in each class.

    One entry per (class, value) that occurs: its class number (ascending, from 0 on), its value
    number, and its rows.
    """

    classes: Array
    values: Array
    counts: Array

    def measure(self, rows: Array, total: Array | None = None) -> dict[str, Array]:
        """Return how varied the values are, one number per class.

        `rows`: rows of each class. `total`: rows of the whole table by value; only with it is `t`
        measured. Keys of the result: `distinct` values, exponential of the `entropy`, greatest
        `confidence` (0 to 1), and distance `t` to the whole table (0 to 1).
        """
        import numpy as np  # noqa: PLC0415  heavy, and servers read policies without computing with them

        number = len(rows)
        shares = self.counts / rows[self.classes]
        entropy = -np.bincount(self.classes, shares * np.log(shares), minlength=number)
        confidence = np.zeros(number)
        np.maximum.at(confidence, self.classes, shares)
        measured = {
            "distinct": np.bincount(self.classes, minlength=number),
            "entropy": np.exp(entropy),
            "confidence": confidence,
        }
        if total is not None:
            shares_of_all = (total / max(total.sum(), 1))[self.values]
            # The distance is half the sum of all differences. What some values gain the others
            # lose, so the gains alone are that half, also over values that the class lacks.
            gains = np.maximum(shares - shares_of_all, 0)
            measured["t"] = np.bincount(self.classes, gains, minlength=number)
        return measured


def find_violating_classes(
    model: PrivacyModel,
    rows: Array,
    persons: Array,
    values: Mapping[str, ValueCounts],
    totals: Mapping[str, Array],
) -> Array:
    """Return one bool per class: whether it must not be published.

    `rows` and `persons` have one count per class. `values` has the counts of each column that the
    model names, `totals` the rows of the whole table by value where `t` is asked for.
    """
    violating: Array = persons < model.k
    # Or, not and: each demand can only make more classes fail.
    for demand in model.diversities:
        total = None
        if demand.t < 1:
            total = totals[demand.field]
        measured = values[demand.field].measure(rows, total)
        violating = violating | (measured["distinct"] < demand.distinct)
        # An entropy of 1 is that of a single value, which every class reaches: nothing to ask.
        if demand.entropy > 1:
            violating = violating | (measured["entropy"] < demand.entropy - ROUNDING)
        if demand.max_confidence < 1:
            violating = violating | (measured["confidence"] > demand.max_confidence + ROUNDING)
        if demand.t < 1:
            violating = violating | (measured["t"] > demand.t + ROUNDING)
    return violating


def find_classes_with_few_values(
    model: PrivacyModel,
    persons: Array,
    values: Mapping[str, ValueCounts],
) -> Array:
    """Return one bool per class: whether it has under k persons or too few different values.

    A part of `find_violating_classes`: what fails this fails at every less coarse level, too.
    """
    import numpy as np  # noqa: PLC0415  heavy, as above

    few: Array = persons < model.k
    for demand in model.diversities:
        distinct = np.bincount(values[demand.field].classes, minlength=len(persons))
        few = few | (distinct < demand.distinct)
    return few
