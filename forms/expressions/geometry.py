"""Areas, distances and fences on the earth; the twin of client/src/engine/geometry.ts.

Points are "latitude longitude [altitude accuracy]" in degrees, with ";" between the points of a line or shape. Distances are
great circles (haversine) and areas those of a sphere of radius 6,378,100 m, as JavaRosa has them; results to 12 digits.
"""

import itertools
import math
from collections.abc import Iterable

from forms.expressions.values import NUMBER, SPACES, Value, fixed, to_string

RADIUS = 6_378_100.0  # metres
Point = tuple[float, float]


def points_of(texts: Iterable[Value]) -> list[Point] | None:
    """Return the points in some answers; None where one is no point."""
    points: list[Point] = []
    for text in texts:
        for part in to_string(text).split(";"):
            numbers = [number for number in SPACES.split(part) if number]
            if not numbers:
                continue
            if len(numbers) < 2 or not all(NUMBER.fullmatch(number) for number in numbers[:2]):
                return None
            latitude = float(numbers[0])
            longitude = float(numbers[1])
            if abs(latitude) > 90 or abs(longitude) > 180:
                return None
            points.append((latitude, longitude))
    return points


def distance(texts: Iterable[Value]) -> float:
    """Return the length of a line in metres; 0 for fewer than two points."""
    points = points_of(texts)
    if points is None:
        return math.nan
    total = 0.0
    for (lat1, lon1), (lat2, lon2) in itertools.pairwise(points):
        dlat = math.radians(lat2 - lat1)
        dlon = math.radians(lon2 - lon1)
        a = math.sin(dlat / 2) ** 2 + math.cos(math.radians(lat1)) * math.cos(math.radians(lat2)) * math.sin(dlon / 2) ** 2
        # Rounding can push this over 1 for points at opposite ends of the earth, which have no
        # arcsine then.
        total += 2 * RADIUS * math.asin(min(1.0, math.sqrt(a)))
    return fixed(total)


def area(texts: Iterable[Value]) -> float:
    """Return the area of a shape in square metres; 0 for fewer than three points."""
    points = points_of(texts)
    if points is None:
        return math.nan
    if len(points) < 3:
        return 0.0
    total = 0.0
    for (lat1, lon1), (lat2, lon2) in zip(points, [*points[1:], points[0]], strict=True):
        total += math.radians(lon2 - lon1) * (2 + math.sin(math.radians(lat1)) + math.sin(math.radians(lat2)))
    # The direction in which the corners go round decides the plus or minus; an area has none.
    return fixed(abs(total * RADIUS * RADIUS / 2))


def geofence(point: Value, shape: Value) -> bool:
    """Return whether a point lies in a shape (even-odd rule on latitude and longitude)."""
    at = points_of([point])
    corners = points_of([shape])
    if not at or not corners:
        return False
    y, x = at[0]
    is_inside = False
    for (y1, x1), (y2, x2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        # Corners at the very height of the point count for one of their two edges, not for both.
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            is_inside = not is_inside
    return is_inside
