"""The numbers for staff: the dashboard, the heat map, the map."""

import json
from typing import Any

from flask import Response, render_template, request, url_for

from evaluator_export.products.reach import LEAST_WHOLE
from fieldapp.services.products import maps
from fieldapp.services.products import registry as product_registry
from fieldapp.web import editions, language
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.products.words import get_map_words
from fieldapp.web.sessions import actor, session


@office.get("/figures")
def numbers() -> Any:
    found = product_registry.see_figures(session(), actor(), name="dashboard")
    here = language.current()
    shown = editions.indicators(found.body, here, with_staff=True) if found else []
    equity = product_registry.see_figures(session(), actor(), name="equity")
    centre = found.body["centre"] if found else {}
    return render_template(
        "products/numbers.html", found=found, indicators=shown, equity=equity, centre=centre, least=LEAST_WHOLE,
        period=editions.period_name(found.edition.period, here) if found else "",
    )  # fmt: skip


@office.get("/heat-map")
def heat_map() -> Any:
    found = product_registry.see_figures(session(), actor(), name="heat_map")
    return render_template("products/heat_map.html", found=found, shade=_shade)


def _shade(text: str, grid: dict[str, Any]) -> int:
    """Return the class of a cell's colour, 0 to 5."""
    most = max((int(cell) for row in grid["cells"] for cell in row if cell.isdecimal()), default=0)
    return -(-5 * int(text) // most) if most and text.isdecimal() else 0


@office.get("/map")
def spot_map() -> Any:
    span = "month" if request.args.get("span") == "month" else "week"
    found = maps.see_map(session(), actor(), span=span)
    given = ""
    if found.body:
        outlines = url_for("office.outlines", hash=found.outlines) if found.outlines else ""
        body = {"spots": found.body, "outlines": outlines, "viewer": found.viewer, "words": get_map_words()}
        given = json.dumps(body, ensure_ascii=False).replace("<", "\\u003c")
    return render_template("products/map.html", found=found, given=given, span=span)


@office.get("/map/outlines.json")
def outlines() -> Response:
    return Response(maps.see_outlines(session(), actor()), mimetype="application/json")
