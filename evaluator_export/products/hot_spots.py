"""Which times of the week are busier than usual beyond chance.

From rounded counts, so it gives nothing away.
"""

import math
from collections.abc import Mapping

from evaluator_export.tables.protected_counts import TOTAL

TIMES = 42  # seven days of six bands
CLUSTER = 1.4  # variance over mean of counts of a time: some events come together
ROUNDING = 4.0  # mean variance of rounding to a multiple of 5
SURE_DEVIATIONS = 2.33  # passed by one time in a hundred by chance
USUAL = 1.25


def find_busy_times(when: Mapping[tuple[str, ...], str]) -> list[tuple[str, str]]:
    """Return the times, as (weekday, band), that are busier than usual beyond chance.

    `when`: counts by weekday and band over all areas, counted by themselves. A time is named where its count is a quarter
    over the mean of all times, and further from it than chance and rounding bring one in a hundred.
    """
    total = when.get(TOTAL, "")
    if not total.isdecimal():
        return []
    mean = int(total) / TIMES
    limit = mean + SURE_DEVIATIONS * math.sqrt(CLUSTER * mean + ROUNDING)
    busy = []
    for cell, text in when.items():
        if len(cell) == 2 and all(cell) and text.isdecimal() and int(text) > max(limit, USUAL * mean):
            weekday, band = cell
            busy.append((weekday, band))
    return sorted(busy)
