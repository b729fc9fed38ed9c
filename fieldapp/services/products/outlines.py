"""Outlines of areas as shapes, for what is computed from who borders whom."""

from collections.abc import Mapping
from typing import Any

UNIT = 100_000  # of the outlines' numbers: see forms/areas.py


def shapes_of(outlines: Mapping[str, Any]) -> dict[str, Any]:
    """Return polygons in degrees by area code; a ring inside another is a hole."""
    import shapely  # noqa: PLC0415  only where maps are built

    found = {}
    for code, rings in outlines["areas"].items():
        whole = shapely.Polygon()
        for steps in rings:
            whole = whole.symmetric_difference(shapely.make_valid(shapely.Polygon(_corners(steps))))
        found[code] = whole
    return found


def _corners(steps: list[int]) -> list[tuple[float, float]]:
    x = y = 0
    corners = []
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + dx, y + dy
        corners.append((x / UNIT, y / UNIT))
    return corners
