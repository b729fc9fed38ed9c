"""Shares and middles of rounded counts, each with the range in which the true one lies.

From what readers see of the counts. Shares of true counts would give the counts away.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from evaluator_export.tables.protected_counts import BASE

LEAST_WHOLE = 25  # of fewer, no share is told
RANGE_FIRST = 60  # of fewer, the range is told before the share
ROUNDING = 4.0  # mean variance of rounding at random to a multiple of 5
Z = NormalDist().inv_cdf(0.975)
HIDDEN_MIDDLE = 9.0  # what a hidden band counts as: it has 0 to 24, and rather few
HIDDEN_ERROR = 6.0
LEAST_OF_MIDDLE = 20
LEAST_OF_ONE_BAND = 100  # of fewer, one band alone would be named too surely


@dataclass(frozen=True)
class Share:
    """A share of rounded counts, 0 to 1: as told, its range, and what comparisons need."""

    value: float
    low: float
    high: float
    middle: float
    variance: float


def find_share(part: float, whole: float, pieces: int = 1, parts: int = 1) -> Share | None:
    """Return the share of a part in a whole, both rounded; None of fewer than LEAST_WHOLE.

    `pieces`: of how many published tables they are sums; `parts`: of how many cells of each the part is. The
    range holds the true share in 95 of 100 cases.
    Source: Agresti and Coull (The American Statistician 52, 1998), with the variance of the rounding added.
    """
    if whole < LEAST_WHOLE:
        return None
    # Rounded each on its own, a part can come out above its whole, or at 0 though it is not.
    part = min(max(part, BASE), whole - BASE)
    middle = (part + 2) / (whole + 4)
    variance = middle * (1 - middle) / (whole + 4) + ROUNDING * pieces * (parts + middle * middle) / whole**2
    half = Z * math.sqrt(variance)
    return Share(part / whole, max(0.0, middle - half), min(1.0, middle + half), middle, variance)


def find_middle(bands: Sequence[float | None]) -> tuple[int, int] | None:
    """Return the two bands between which the middle one lies; None of too few to say.

    As positions. `bands`: rounded counts in the order of the bands, None where hidden.
    """
    counts = [HIDDEN_MIDDLE if band is None else band for band in bands]
    whole = sum(counts)
    in_shown = sum(band for band in bands if band is not None)
    if in_shown < LEAST_OF_MIDDLE or in_shown < whole / 2:
        return None
    errors = [HIDDEN_ERROR**2 if band is None else ROUNDING for band in bands]
    # The rank of a middle one is known as well as a share of one half is.
    slack = Z * math.sqrt(whole / 4 + sum(errors) / 4)
    low = _find_band(counts, max(0.0, whole / 2 - slack))
    high = _find_band(counts, min(whole, whole / 2 + slack))
    if low == high and whole < LEAST_OF_ONE_BAND:
        return max(0, low - 1), min(len(counts) - 1, high + 1)
    return low, high


def _find_band(counts: Sequence[float], rank: float) -> int:
    """Return the position of the band in which the one of this rank lies."""
    reached = 0.0
    for position, count in enumerate(counts):
        reached += count
        if reached >= rank:
            return position
    return len(counts) - 1
