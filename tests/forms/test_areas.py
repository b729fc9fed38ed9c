"""Outlines of areas, on a small synthetic city of four squares and a lake."""

import json
from typing import Any

import pytest

from forms.areas import read_areas, simplify_ring
from forms.problems import AreasRefused
from tests.city import CODES, geojson, topojson


def test_a_file_that_is_none_is_refused() -> None:
    for data in (b"", b"{}", b"[]", b'{"type": "FeatureCollection"}', b'{"type": "Topology", "objects": {}}'):
        with pytest.raises(AreasRefused):
            read_areas(data, "code", CODES)


def test_metres_instead_of_degrees_are_refused() -> None:
    city = json.loads(geojson())
    city["features"][0]["geometry"]["coordinates"][0][0] = [609_000, 4_827_000]
    with pytest.raises(AreasRefused):
        read_areas(json.dumps(city).encode(), "code", CODES)


def test_areas_that_are_missing_are_named() -> None:
    with pytest.raises(AreasRefused, match="north_pole"):
        read_areas(geojson(), "code", {*CODES, "north_pole"})
    with pytest.raises(AreasRefused, match=r"neither|lacks"):
        read_areas(geojson(), "no_such_property", CODES)


def changed(code: str, corners: list[list[float]]) -> bytes:
    city = json.loads(geojson())
    for feature in city["features"]:
        if feature["properties"]["code"] == code:
            feature["geometry"] = {"type": "Polygon", "coordinates": [corners]}
    return json.dumps(city).encode()


def test_areas_that_cross_themselves_or_lie_over_each_other_are_named_all_at_once() -> None:
    tie = [[20.02, 10.0], [20.04, 10.02], [20.04, 10.0], [20.02, 10.02], [20.02, 10.0]]
    with pytest.raises(AreasRefused, match="cannot be used") as refused:
        read_areas(changed("b", tie), "code", CODES)
    assert "b crosses itself" in refused.value.details["broken"]
    wide = [[20.0, 10.0], [20.03, 10.0], [20.03, 10.02], [20.0, 10.02], [20.0, 10.0]]  # half over its neighbour
    with pytest.raises(AreasRefused) as refused:
        read_areas(changed("a", wide), "code", CODES)
    assert "a and b overlap" in refused.value.details["broken"]
    line = [[20.02, 10.0], [20.04, 10.0], [20.02, 10.0]]
    with pytest.raises(AreasRefused) as refused:
        read_areas(changed("b", line), "code", CODES)
    assert "b is empty" in refused.value.details["broken"]


def test_areas_that_only_touch_are_taken() -> None:
    assert set(rings(read_areas(geojson(), "code", CODES))) == CODES


def rings(outlines: str) -> Any:
    return json.loads(outlines)["areas"]


def test_both_formats_give_the_same_outlines_and_strangers_are_left_out() -> None:
    from_geojson, from_topojson = (rings(read_areas(data, "code", CODES)) for data in (geojson(), topojson()))
    assert set(from_geojson) == set(from_topojson) == CODES
    for code in CODES:
        assert [sorted(corners(ring)) for ring in from_geojson[code]] == [
            sorted(corners(ring)) for ring in from_topojson[code]
        ]
    assert len(from_geojson["a"]) == 2  # with its lake


def corners(ring: list[int]) -> set[tuple[int, int]]:
    x = y = 0
    found = set()
    for dx, dy in zip(ring[::2], ring[1::2], strict=True):
        x, y = x + dx, y + dy
        found.add((x, y))
    return found


def test_simplifying_keeps_corners_that_stand_out() -> None:
    ring = [(0, 0), (500, 3), (1000, 0), (1000, 1000), (500, 1200), (0, 1000), (0, 0)]
    assert (500, 3) not in simplify_ring(ring)
    assert (500, 1200) in simplify_ring(ring)
