"""Shuffle with a seed, the same on phone and server; the twin of `shuffled` in client/src/engine/evaluator.ts.

Source: ODK XForms specification, randomize(): Park and Miller's minimal standard generator, then Fisher and Yates.
"""

import math
from collections.abc import Sequence
from typing import Any

MODULUS = 2_147_483_647
MULTIPLIER = 16_807


def shuffled(items: Sequence[Any], seed: float) -> list[Any]:
    """Return the items in the order that a seed gives; in their own order when the seed is no number."""
    result = list(items)
    if not math.isfinite(seed):
        return result
    state = int(math.fmod(math.trunc(seed), MODULUS))
    if state <= 0:
        state += MODULUS - 1
    for last in range(len(result) - 1, 0, -1):
        state = state * MULTIPLIER % MODULUS
        other = int((state - 1) / (MODULUS - 1) * (last + 1))
        result[last], result[other] = result[other], result[last]
    return result
