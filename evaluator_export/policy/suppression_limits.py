"""How many rows a policy lets be suppressed, and how evenly that must fall on groups of people."""

from dataclasses import dataclass

import numpy as np

from evaluator_export.arrays import Array


@dataclass(frozen=True)
class GroupLimit:
    """No group of a column may be suppressed more than `ratio` times as often as all are; groups under `least` rows and
    rates up to `free` are let pass. `waived` names who decided otherwise, and then nothing is refused."""

    field: str
    ratio: float = 2.0
    least: int = 50
    free: float = 0.01
    waived: str = ""

    def worst(self, sizes: Array, suppressed: Array) -> float:
        """Return the greatest ratio of a group's rate to the rate of all; 0 when no group bears more than is free."""
        overall = suppressed.sum() / max(sizes.sum(), 1)
        rates = suppressed / np.maximum(sizes, 1)
        counted = rates[(sizes >= self.least) & (rates > self.free)]
        return float(counted.max() / overall) if len(counted) else 0.0


@dataclass(frozen=True)
class Limits:
    """How many rows may be suppressed (a share), by whom, and how big classes are on average (persons, 0: no demand)."""

    max_suppressed: float
    is_local: bool = False
    group: GroupLimit | None = None
    average: float = 0.0
