"""Shuffle with a seed, the same on phone and server.

The twin of `shuffled` in client/src/engine/evaluator.ts.

Source: ODK XForms specification, randomize(): Park and Miller's minimal standard generator, and the
"inside-out" shuffle of Fisher and Yates.
"""

import math
from collections.abc import Sequence
from typing import Any

MODULUS = 2_147_483_647
MULTIPLIER = 16_807


def shuffled(items: Sequence[Any], seed: float) -> list[Any]:
    """Return the items in the order that a seed gives.

    In their own order when the seed is no number.
    """
    result = list(items)
    if not math.isfinite(seed):
        return result
    # Truncated towards 0 like a phone does, also for negative seeds.
    state = int(math.fmod(math.trunc(seed), MODULUS))
    if state <= 0:
        state += MODULUS - 1
    for count, item in enumerate(items):
        state = state * MULTIPLIER % MODULUS
        # The same arithmetic in floats as on phones, so that both draw the same place.
        place = int((state - 1) / (MODULUS - 1) * (count + 1))
        result[count] = result[place]
        result[place] = item
    return result
