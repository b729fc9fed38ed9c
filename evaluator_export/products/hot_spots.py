"""Hot spots: where and when there is much more, or less, than round about; from rounded counts, so they give nothing away.

Getis and Ord's local G* (1992, 1995) by esda, with false discoveries held to 5 % (Benjamini and Hochberg, 1995).
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

HOT, WARM, COLD = "hot", "warm", "cold"
FALSE_DISCOVERIES = 0.05
SURE = 0.01
LEAST_AREAS = 12  # with fewer, the statistic says nothing

Shapes = Mapping[str, Any]  # shapely polygons by area code


def neighbours_of(shapes: Shapes) -> dict[str, list[str]]:
    """Return who borders whom; an area by itself gets the nearest one."""
    import shapely  # noqa: PLC0415  heavy, and needed where maps are built only

    codes = list(shapes)
    tree = shapely.STRtree([shapes[code] for code in codes])
    found: dict[str, list[str]] = {}
    for code in codes:
        near = [codes[index] for index in tree.query(shapes[code], predicate="dwithin", distance=0.0002)]
        others = sorted(set(near) - {code})
        if not others and len(codes) > 1:
            others = sorted((one for one in codes if one != code), key=lambda one: shapes[code].distance(shapes[one]))[:1]
        found[code] = others
    return found


def classes(counts: Mapping[str, float], neighbours: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return which areas are hot (sure), warm, or cold; the others are not in it. `counts` are rounded; none counts as 0."""
    codes = [code for code in neighbours if neighbours[code]]
    values = np.array([counts.get(code, 0.0) for code in codes])
    if len(codes) < LEAST_AREAS or values.max(initial=0) == values.min(initial=0):
        return {}
    from esda.getisord import G_Local  # noqa: PLC0415  heavy, and needed where maps are built only
    from libpysal.weights import W  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = set(codes)
        weights = W(
            {code: [one for one in neighbours[code] if one in known] for code in codes},
            id_order=codes,
            silence_warnings=True,
        )
        scores = np.nan_to_num(G_Local(values, weights, transform="B", permutations=0, star=True).Zs)
    chances = np.array([math.erfc(abs(score) / math.sqrt(2)) for score in scores])
    order = np.argsort(chances)
    limits = FALSE_DISCOVERIES * np.arange(1, len(codes) + 1) / len(codes)
    passed = np.nonzero(chances[order] <= limits)[0]
    found = {}
    for index in order[: passed[-1] + 1] if len(passed) else ():
        kind = COLD if scores[index] < 0 else HOT if chances[index] <= SURE else WARM
        found[codes[index]] = kind
    return found


def busiest(times: Mapping[tuple[str, ...], str], limit: int = 24) -> list[tuple[str, str, str, int]]:
    """Return where and when to go: (area, weekday, band, count), busiest first."""
    shown = [(*cell, int(text)) for cell, text in times.items() if len(cell) == 3 and text.isdecimal() and all(cell)]
    return sorted(shown, key=lambda one: (-one[3], one[1], one[2], one[0]))[:limit]
