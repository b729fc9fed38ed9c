"""A small synthetic city: four squares of about 2 km around 10° N 20° E; the square “a” has a lake."""

import json

CODES = {"a", "b", "c", "d"}
WEST, SOUTH, SIDE = 20.0, 10.0, 0.02
PLACES = {"a": (0, 0), "b": (1, 0), "c": (0, 1), "d": (1, 1), "elsewhere": (5, 5)}


def _square(column: float, row: float, side: float = 1) -> list[list[float]]:
    west, south = WEST + column * SIDE, SOUTH + row * SIDE
    east, north = west + side * SIDE, south + side * SIDE
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _rings(code: str) -> list[list[list[float]]]:
    column, row = PLACES[code]
    lake = [_square(0.4, 0.4, 0.2)] if code == "a" else []
    return [_square(column, row), *lake]


def middle(code: str) -> tuple[float, float]:
    """Longitude and latitude of a place well inside; of “a” beside its lake."""
    column, row = PLACES[code]
    return WEST + (column + 0.25) * SIDE, SOUTH + (row + 0.25) * SIDE


def geojson() -> bytes:
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": _rings(code)}}
        for code in PLACES
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def topojson() -> bytes:
    arcs, geometries = [], []
    for code in PLACES:
        numbers = []
        for ring in _rings(code):
            steps, before = [], [0, 0]
            for longitude, latitude in ring:
                corner = [round((longitude - WEST) * 100_000), round((latitude - SOUTH) * 100_000)]
                steps.append([corner[0] - before[0], corner[1] - before[1]])
                before = corner
            arcs.append(steps)
            numbers.append([~(len(arcs) - 1)])  # walked backwards
        geometries.append({"type": "MultiPolygon", "properties": {"code": code}, "arcs": [numbers]})
    transform = {"scale": [0.00001, 0.00001], "translate": [WEST, SOUTH]}
    return json.dumps(
        {"type": "Topology", "transform": transform, "objects": {"city": {"geometries": geometries}}, "arcs": arcs}
    ).encode()


def squares(codes: list[str]) -> str:
    """Return outlines of a made-up city: squares side by side, as many as the list has neighbourhoods."""
    features = []
    for place, code in enumerate(codes):
        west, south = -79.6 + (place % 13) * 0.02, 43.6 + (place // 13) * 0.02
        ring = [[west, south], [west + 0.02, south], [west + 0.02, south + 0.02], [west, south + 0.02], [west, south]]
        features.append(
            {
                "type": "Feature",
                "properties": {"AREA_SHORT_CODE": code},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features})
