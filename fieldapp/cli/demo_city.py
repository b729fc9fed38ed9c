"""The outlines of an invented city.

So the demo has a map before anybody imports real ones. The shapes are nobody's: only the codes are those of the form's list.
"""

import json
import math
import random
from collections.abc import Sequence
from typing import Any

import shapely
from shapely.geometry import mapping

ATTRIBUTION = "Invented outlines for the demo. Real ones: City of Toronto, Open Government Licence – Toronto."
WEST = -79.62  # degrees
NORTH = 43.84
WIDE = 0.023  # of one area, in degrees of longitude
HIGH = 0.0155
CORNERS = 0.004  # degrees between the corners of a border, so that it can bend


def make_outlines(codes: Sequence[str], served: Sequence[str], seed: int) -> bytes:
    """Return GeoJSON with an outline for each code.

    Areas that the demo serves lie beside each other.
    """
    chance = random.Random(f"city {seed}")
    columns = math.ceil(math.sqrt(len(codes) * 1.4))
    places = [(number % columns, number // columns) for number in range(len(codes))]
    middle = (columns * 0.3, columns * 0.25)
    # The served ones nearest to a middle in the north-west, the others around it, as the list has them.
    places.sort(key=lambda place: math.dist(place, middle))
    ordered = [*served, *(code for code in codes if code not in served)]
    points = [_scatter(chance, place) for place in places]
    land = shapely.union_all([point.buffer(WIDE * 0.9) for point in points]).buffer(WIDE).buffer(-WIDE)
    cells = list(shapely.voronoi_polygons(shapely.MultiPoint(points), ordered=True, extend_to=land).geoms)
    features = []
    for code, cell in zip(ordered, cells, strict=True):
        shape = shapely.transform(shapely.segmentize(shapely.intersection(cell, land), CORNERS), _bend)
        outline = mapping(shapely.set_precision(shape, 0.00001))
        features.append({"type": "Feature", "properties": {"AREA_SHORT_CODE": code}, "geometry": outline})
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def _scatter(chance: random.Random, place: tuple[int, int]) -> shapely.Point:
    column, row = place
    east = WEST + (column + 0.5 * (row % 2) + chance.uniform(-0.25, 0.25)) * WIDE
    north = NORTH - (row + chance.uniform(-0.25, 0.25)) * HIGH
    return shapely.Point(east, north)


def _bend(corners: Any) -> Any:
    """Return corners moved in waves.

    By where they are, so that neighbours keep their common border.
    """
    import numpy as np  # noqa: PLC0415  heavy, and needed for the demo only

    east = corners[:, 0]
    north = corners[:, 1]
    # Waves that are gentle enough not to fold: amplitude times frequency stays well under 1.
    aside = 0.0012 * np.sin(north * 300) + 0.0004 * np.sin(north * 700 + east * 200)
    along = 0.0009 * np.sin(east * 280) + 0.0003 * np.sin(east * 800 + north * 150)
    return np.column_stack([east + aside, north + along])
