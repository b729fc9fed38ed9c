"""Hot spots: where and when there is much more, or less, than round about.

From rounded counts, so they give nothing away.

Getis and Ord's local G* (1992, 1995), with false discoveries held to 5 % (Benjamini and Hochberg, 1995).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from evaluator_export.arrays import Array
from evaluator_export.tables.protected_counts import TOTAL

HOT = "hot"
WARM = "warm"
COLD = "cold"
FALSE_DISCOVERIES = 0.05
SURE = 0.01
LEAST_AREAS = 12  # with fewer, the statistic says nothing
TIMES = 42  # seven days of six bands
CLUSTER = 1.4  # variance over mean of counts of a time: some events come together
ROUNDING = 4.0  # mean variance of rounding to a multiple of 5
SURE_DEVIATIONS = 2.33  # passed by one time in a hundred by chance
USUAL = 1.25

Shapes = Mapping[str, Any]  # shapely polygons by area code


def find_neighbours(shapes: Shapes) -> dict[str, list[str]]:
    """Return who borders whom; an area by itself gets the nearest one."""
    import shapely  # noqa: PLC0415  heavy, and needed where maps are built only

    codes = list(shapes)
    tree = shapely.STRtree([shapes[code] for code in codes])
    neighbours: dict[str, list[str]] = {}
    for code in codes:
        # A little more than 0: borders of areas that were drawn apart do not touch to the last
        # digit.
        near = [codes[index] for index in tree.query(shapes[code], predicate="dwithin", distance=0.0002)]
        others = sorted(set(near) - {code})
        if not others and len(codes) > 1:
            # An island still belongs somewhere: its nearest area stands in for a border.
            rest = [other for other in codes if other != code]
            others = sorted(rest, key=lambda other: shapes[code].distance(shapes[other]))[:1]
        neighbours[code] = others
    return neighbours


def classify_areas(counts: Mapping[str, float], neighbours: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return which areas are HOT (sure), WARM or COLD; the others are not in it.

    `counts` are rounded, by area code; an area without one counts as 0. Only areas that the centre serves belong in
    `neighbours`: beside areas where nobody works, each served one would look hot. It has the codes
    of the areas that border each; an area without any is left out.
    """
    import numpy as np  # noqa: PLC0415  heavy, and needed where maps are built only

    codes = [code for code in neighbours if neighbours[code]]
    values = np.array([counts.get(code, 0.0) for code in codes])
    if len(codes) < LEAST_AREAS:
        return {}
    position_of = {code: position for position, code in enumerate(codes)}
    near = []
    for code in codes:
        # A neighbour that was left out itself has no position.
        near.append([position_of[other] for other in neighbours[code] if other in position_of])
    scores = compute_gi_star(values, near)
    chances = np.array([math.erfc(abs(score) / math.sqrt(2)) for score in scores])
    kinds = {}
    for position in _find_discoveries(chances):
        # "Hot" has to be surer than "warm": workers may be sent somewhere because of it.
        kind = WARM
        if scores[position] < 0:
            kind = COLD
        elif chances[position] <= SURE:
            kind = HOT
        kinds[codes[position]] = kind
    return kinds


def compute_gi_star(values: Array, neighbours: Sequence[Sequence[int]]) -> Array:
    """Return Getis and Ord's G* of each area, in standard deviations from chance.

    It is the sum over an area and its neighbours, compared with what chance gives.

    `values`: one number per area. `neighbours`: for each area, the positions of those that border
    it. 0 where nothing can be said: all values are the same, or the neighbours are the whole map.

    Source: Ord and Getis, Local Spatial Autocorrelation Statistics (Geographical Analysis 27, 1995),
    equation 5, weights 1 for neighbours and for the area itself.

        compute_gi_star(np.array([9.0, 9.0, 0.0, 0.0]), [[1], [0, 2], [1, 3], [2]])  # 1.73, 0.58, -0.58, -1.73
    """
    import numpy as np  # noqa: PLC0415  as above

    number = len(values)
    scores = np.zeros(number)
    if number == 0 or values.max() == values.min():  # else rounding would make a spread of nothing
        return scores
    groups = [sorted({position, *near}) for position, near in enumerate(neighbours)]
    sizes = np.array([len(group) for group in groups], dtype=float)
    sums = np.array([values[group].sum() for group in groups])
    spread = values.std() * np.sqrt(sizes * (number - sizes) / max(number - 1, 1))
    np.divide(sums - sizes * values.mean(), spread, out=scores, where=spread > 0)
    return scores


def _find_discoveries(chances: Array) -> Array:
    """Return the positions of the areas that are no accident, the surest first.

    Benjamini and Hochberg: of all areas that are named, at most FALSE_DISCOVERIES are named wrongly.
    """
    import numpy as np  # noqa: PLC0415  as above

    order = np.argsort(chances)
    limits = FALSE_DISCOVERIES * np.arange(1, len(chances) + 1) / len(chances)
    passed = np.nonzero(chances[order] <= limits)[0]
    if len(passed) == 0:
        return order[:0]
    return order[: passed[-1] + 1]


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
