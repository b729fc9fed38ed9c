"""The invented city of the demo: outlines that the centre takes, and a hot spot that its map finds."""

import json

import shapely
from sqlalchemy.orm import Session

from fieldapp.cli.demo_city import ATTRIBUTION, make_outlines
from fieldapp.cli.demo_year import AREAS
from fieldapp.services.forms.areas import import_areas
from fieldapp.services.forms.roles import find_area_list, list_areas
from fieldapp.services.products.outlines import build_shapes
from fieldapp.store.forms import areas
from tests.cast import Cast


def test_every_area_has_an_outline_and_the_served_ones_lie_together(session: Session, cast: Cast) -> None:
    codes = [choice.name for choice in list_areas(session, cast.centre.id)]
    outlines = make_outlines(codes, list(AREAS), 1)
    assert outlines == make_outlines(codes, list(AREAS), 1)
    key = find_area_list(session, cast.centre.id)
    count, missing = import_areas(
        session, cast.system, key=key, data=outlines, code="AREA_SHORT_CODE", attribution=ATTRIBUTION
    )
    assert count == len(codes) and missing == []
    stored = areas.get(session, cast.centre.id, key)
    assert stored
    assert "Invented" in json.loads(stored.outlines)["attribution"]
    shapes = build_shapes(json.loads(stored.outlines))
    served = shapely.union_all([shapes[code].buffer(0.0001) for code in AREAS])
    assert served.geom_type == "Polygon"
