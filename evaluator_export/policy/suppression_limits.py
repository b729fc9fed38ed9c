"""How many rows a policy lets be suppressed, and how evenly that must fall on groups of people."""

from dataclasses import dataclass

import numpy as np

from evaluator_export.arrays import Array


@dataclass(frozen=True)
class GroupLimit:
    """Limit how unevenly suppression may fall on the groups of one column.

    `ratio` is the highest allowed (rate of a group) / (rate of all rows). Groups under
    `min_group_size` rows and rates up to `tolerated_rate` (0 to 1) are not tested. `waived` names
    the person who lifted the limit; then nothing is refused, and the report says who did.
    """

    field: str
    ratio: float = 2.0
    min_group_size: int = 50
    tolerated_rate: float = 0.01
    waived: str = ""

    def find_worst_ratio(self, sizes: Array, suppressed: Array) -> float:
        """Return the greatest (rate of a group) / (rate of all); 0 when no group is tested.

        Both arrays have one value per group: its rows, and how many of them are suppressed.
        """
        overall = suppressed.sum() / max(sizes.sum(), 1)
        rates = suppressed / np.maximum(sizes, 1)
        tested = rates[(sizes >= self.min_group_size) & (rates > self.tolerated_rate)]
        if not len(tested):
            return 0.0
        return float(tested.max() / overall)


@dataclass(frozen=True)
class SuppressionLimits:
    """What a policy demands of the rows that stay and of those that do not.

    `max_suppressed`: highest share of rows suppressed (0 to 1). `is_local`: recode in passes, so
    that rows of small classes become less detailed than the others. `group`: None means no limit by
    group. `average`: persons that a class must have on average; 0 means no demand.
    """

    max_suppressed: float
    is_local: bool = False
    group: GroupLimit | None = None
    average: float = 0.0
