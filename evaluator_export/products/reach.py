"""Reach by group: whom the program reaches, beside the population, with intervals.

The population is compared where its shares are known.

Share: Wilson's interval. Disparity: the share among participants over the share in the population, with the logarithmic
interval of a proportion against a fixed one. Groups under the floor are hidden, and so is any share of a small whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sqrt

from evaluator_export.tables.protected_counts import TOTAL, Cell

Z = 1.959964  # 95 %
LEAST_WHOLE = 20


@dataclass(frozen=True)
class Reach:
    """One group. Shares are 0 to 1.

    `disparity` over 1: reached more than its share of the population.
    """

    group: str
    text: str
    share: float | None = None
    low: float | None = None
    high: float | None = None
    population: float | None = None
    disparity: float | None = None
    disparity_low: float | None = None
    disparity_high: float | None = None


def wilson(count: float, whole: float) -> tuple[float, float]:
    """Return the 95% interval of the share `count` / `whole`: two numbers from 0 to 1.

    Source: Wilson, Probable Inference (Journal of the American Statistical Association 22, 1927).
    Example: wilson(20, 100) is about (0.133, 0.289).
    """
    share = count / whole
    square = Z * Z
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    half = Z * sqrt(share * (1 - share) / whole + square / (4 * whole * whole)) / (1 + square / whole)
    return max(0.0, middle - half), min(1.0, middle + half)


def reach(table: Mapping[Cell, str], population: Mapping[str, float]) -> list[Reach]:
    """Return each group's reach from a protected table.

    `population` has shares of the population by group, 0 to 1.
    """
    total = table.get(TOTAL, "")
    whole = 0.0
    if total.isdecimal():
        whole = float(total)
    groups = []
    for cell, text in sorted(table.items()):
        if cell == TOTAL:
            continue
        # Rounded each on its own, a part can come out above its whole: then no share is shown
        # rather than one over 100%.
        if not text.isdecimal() or whole < LEAST_WHOLE or float(text) > whole:
            groups.append(Reach(cell[0], text, population=population.get(cell[0])))
            continue
        count = float(text)
        low, high = wilson(count, whole)
        expected = population.get(cell[0])
        ratio: tuple[float | None, float | None, float | None] = (None, None, None)
        # No share of the population known, or none living there: a ratio would be a division by
        # nothing.
        if expected:
            value = count / whole / expected
            # The standard error of the logarithm, the population's share taken as known exactly.
            error = sqrt((1 - count / whole) / count)
            ratio = (value, exp(log(value) - Z * error), exp(log(value) + Z * error))
        groups.append(Reach(cell[0], text, count / whole, low, high, expected, *ratio))
    return groups
