"""Outlines of areas as shapes, for what is computed from who borders whom."""

from collections.abc import Mapping, Sequence
from typing import Any

UNIT = 100_000  # steps in one degree, as forms/areas.py writes outlines


def build_shapes(outlines: Mapping[str, Any]) -> dict[str, Any]:
    """Return polygons in degrees by area code; a ring inside another is a hole."""
    import shapely  # noqa: PLC0415  only where maps are built

    shapes = {}
    for code, rings in outlines["areas"].items():
        shape = shapely.Polygon()
        for steps in rings:
            # Adding outer rings and cutting holes is one operation, whichever order they come in.
            shape = shape.symmetric_difference(shapely.make_valid(shapely.Polygon(_list_corners(steps))))
        shapes[code] = shape
    return shapes


def _list_corners(steps: Sequence[int]) -> list[tuple[float, float]]:
    """Return (longitude, latitude) of each corner; steps are from one corner to the next."""
    x = 0
    y = 0
    corners = []
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x += dx
        y += dy
        corners.append((x / UNIT, y / UNIT))
    return corners
