"""Outlines of areas, from GeoJSON or TopoJSON to what phones use to find an area's code.

The phone gets `{"attribution": line, "areas": {code: [ring, …]}}`; a ring is whole numbers, 1 for 0.00001 degrees (about a
metre): longitude and latitude of its first corner, then the steps to each next one. Holes are rings too: a place is inside
when it crosses an odd number of edges.
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from forms.problems import N_, AreasRefused

UNIT = 100_000
MOST_CORNERS = 200_000
TOLERANCE = 12  # units; corners that stand out less from their line are left out when there are many
MANY = 20_000
LEAST_WRONG = 0.01  # of an area: less comes of rounding

Corner = tuple[int, int]


def read_areas(data: bytes, code: str, codes: set[str], attribution: str = "") -> str:
    """Return the outlines of the areas whose property `code` is one of `codes`, as JSON.

    Raise AreasRefused when the file is neither GeoJSON nor TopoJSON in degrees, or most areas are missing: a list may have
    choices without an outline (“not known”), but not many.
    """
    try:
        outlines = dict(_read_features(json.loads(data), code))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, AttributeError):
        raise AreasRefused(N_("This is neither GeoJSON nor TopoJSON with areas in degrees.")) from None
    named = {name: rings for name, rings in outlines.items() if name in codes}
    missing = sorted(codes - set(named))
    # A list has choices such as "somewhere else"; more missing than that means the wrong property
    # or the wrong file.
    if len(missing) > len(codes) / 10:
        text = N_("The file lacks these areas of the list: {missing}. Is “{code}” the property with their codes?")
        raise AreasRefused(text, {"missing": ", ".join(missing[:8]), "code": code})
    broken = _find_invalid_areas(named)
    if broken:
        text = N_("The outlines cannot be used: {broken}. Correct them in a mapping tool, then import them again.")
        raise AreasRefused(text, {"broken": "; ".join(broken[:8])})
    corners = sum(map(len, itertools.chain.from_iterable(named.values())))
    if corners > MOST_CORNERS:
        raise AreasRefused(N_("The outlines have more than 200,000 corners. Simplify them first."))
    # Few corners stay exact: simplifying cannot help a small file, and would shift borders.
    if corners > MANY:
        named = {name: list(map(simplify_ring, rings)) for name, rings in named.items()}
    # Sorted, so that the same outlines give the same file, and phones need not fetch it again.
    areas = {name: list(map(_make_steps, rings)) for name, rings in sorted(named.items())}
    return json.dumps({"attribution": attribution, "areas": areas}, separators=(",", ":"))


def _find_invalid_areas(named: dict[str, list[list[Corner]]]) -> list[str]:
    """Return which areas cross themselves and which lie over each other.

    A place must be in one area.
    """
    import shapely  # noqa: PLC0415  heavy, and needed only here

    shapes = {}
    reasons = []
    for code, rings in named.items():
        whole = shapely.Polygon()
        for ring in rings:
            # Three corners, the first one twice, enclose nothing.
            plain = shapely.Polygon(ring) if len(ring) > 3 else shapely.Polygon()
            # Compared with its own repair: where the two differ in area, the outline runs through
            # itself.
            mended = shapely.make_valid(plain)
            if abs(mended.area - plain.area) > LEAST_WRONG * max(mended.area, 1):
                reasons.append(f"{code} crosses itself")
            # Symmetric difference, as the phone counts edges: a ring inside another is a hole.
            whole = whole.symmetric_difference(mended)
        if whole.area == 0:
            reasons.append(f"{code} is empty")
        shapes[code] = whole
    codes = list(shapes)
    tree = shapely.STRtree(list(shapes.values()))
    for first, second in tree.query(list(shapes.values()), predicate="intersects").T:
        if first < second:
            shape = shapes[codes[first]]
            neighbour = shapes[codes[second]]
            # Borders that were drawn apart lie over each other a little; that much is let pass.
            if shape.intersection(neighbour).area > LEAST_WRONG * min(shape.area, neighbour.area):
                reasons.append(f"{codes[first]} and {codes[second]} overlap")
    return list(dict.fromkeys(reasons))


def _read_features(body: Any, code: str) -> Iterator[tuple[str, list[list[Corner]]]]:
    pairs: list[tuple[Any, str, Any, list[list[Corner]] | None]]
    if body["type"] == "Topology":
        shared = _read_arcs(body)
        collections = [collection["geometries"] for collection in body["objects"].values()]
        geometries = itertools.chain.from_iterable(collections)
        pairs = [(feature["properties"], feature["type"], feature["arcs"], shared) for feature in geometries]
    else:
        shapes = [(feature["properties"], feature["geometry"]) for feature in body["features"]]
        pairs = [(properties, shape["type"], shape["coordinates"], None) for properties, shape in shapes]
    for properties, kind, shape, arcs in pairs:
        polygons = {"MultiPolygon": shape, "Polygon": [shape]}.get(kind, [])
        rings = itertools.chain.from_iterable(polygons)
        yield str(properties[code]), [_make_ring(ring, arcs) for ring in rings]


def _make_ring(ring: Any, arcs: list[list[Corner]] | None) -> list[Corner]:
    if arcs is None:
        return [_make_corner(point[0], point[1]) for point in ring]
    corners: list[Corner] = []
    for number in ring:
        arc = _get_arc(arcs, number)
        if corners:
            arc = arc[1:]  # an arc begins where the one before ended
        corners += arc
    return corners


def _get_arc(arcs: list[list[Corner]], number: int) -> list[Corner]:
    """Return an arc by its number; ~number, which is negative, means the arc read backwards."""
    if number < 0:
        return arcs[~number][::-1]
    return arcs[number]


def _read_arcs(topology: Any) -> list[list[Corner]]:
    """Return the arcs in our units.

    Source: https://github.com/topojson/topojson-specification, section 2.1.4.
    """
    east, north = topology["transform"]["scale"]
    x0, y0 = topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        corners = []
        for dx, dy in arc:
            x += dx
            y += dy
            corners.append(_make_corner(x * east + x0, y * north + y0))
        arcs.append(corners)
    return arcs


def _make_corner(longitude: float, latitude: float) -> Corner:
    # Metres of some national grid would give a file that looks right and in which no place is
    # found.
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise ValueError("not degrees")
    return round(longitude * UNIT), round(latitude * UNIT)


def _make_steps(ring: list[Corner]) -> list[int]:
    steps: list[int] = []
    before = (0, 0)
    for corner in ring:
        steps += [corner[0] - before[0], corner[1] - before[1]]
        before = corner
    return steps


def simplify_ring(ring: list[Corner]) -> list[Corner]:
    """Return a ring without corners that stand out less than the tolerance.

    Source: Douglas and Peucker, Algorithms for the Reduction of the Number of Points (1973).
    """
    if len(ring) < 5:
        return ring
    # Three fixed corners: between only two, which are the same corner in a ring, there is no line
    # to measure from.
    keep = {0, len(ring) // 2, len(ring) - 1}
    spans = [(0, len(ring) // 2), (len(ring) // 2, len(ring) - 1)]
    # With an own list in place of recursion: coasts have thousands of corners.
    while spans:
        first, last = spans.pop()
        ax, ay = ring[first]
        bx, by = ring[last]
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5 or 1
        farthest = first
        most = float(TOLERANCE)
        for index in range(first + 1, last):
            x, y = ring[index]
            away = abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length
            if away > most:
                farthest = index
                most = away
        if farthest != first:
            keep.add(farthest)
            spans += [(first, farthest), (farthest, last)]
    return [corner for index, corner in enumerate(ring) if index in keep]
