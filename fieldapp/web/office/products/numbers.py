"""The numbers for staff: the dashboard, the heat map, the map."""

import itertools
import json
import math
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evaluator_export.products.expectation import NIGHTS
from evaluator_export.products.reach import LEAST_WHOLE
from fieldapp.services.products import maps
from fieldapp.services.products import registry as product_registry
from fieldapp.web import editions, language
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.products.plan import make_plan_views
from fieldapp.web.office.products.words import get_map_words
from fieldapp.web.sessions import actor, session


@office.get("/numbers")
def numbers() -> ResponseReturnValue:
    view = product_registry.see_figures(session(), actor(), name="dashboard")
    equity = product_registry.see_figures(session(), actor(), name="equity")
    indicators = []
    centre = {}
    period = ""
    if view:
        current = language.current()
        indicators = editions.make_indicator_views(view.body, current, with_staff=True)
        centre = view.body["centre"]
        period = editions.period_name(view.edition.period, current)
    return render_template(
        "products/numbers.html",
        view=view,
        indicators=indicators,
        equity=equity,
        centre=centre,
        period=period,
        least=LEAST_WHOLE,
    )


@office.get("/heat-map")
def heat_map() -> ResponseReturnValue:
    view = product_registry.see_figures(session(), actor(), name="heat_map")
    return render_template("products/heat_map.html", view=view, shade=_choose_shade)


def _choose_shade(text: str, grid: dict[str, Any]) -> int:
    """Return the class of a cell's colour, 0 to 5; a hidden count has no colour."""
    if not text.isdecimal():
        return 0
    counts = [int(cell) for cell in itertools.chain.from_iterable(grid["cells"]) if cell.isdecimal()]
    greatest = max(counts, default=0)
    if greatest == 0:
        return 0
    return math.ceil(5 * int(text) / greatest)


@office.get("/map")
def spot_map() -> ResponseReturnValue:
    span = "week"
    if request.args.get("span") == "month":
        span = "month"
    spots = maps.view_map(session(), actor(), span=span)
    night = request.args.get("night", "")
    if night not in NIGHTS:
        night = spots.tonight
    plans = make_plan_views(spots.body, night) if spots.body else []
    data = _write_map_data(spots, night)
    return render_template("products/map.html", spots=spots, data=data, span=span, night=night, plans=plans)


def _write_map_data(spots: maps.SpotMap, night: str) -> str:
    """Return what the map's script reads from the page, as JSON; "" when there is no map yet."""
    if not spots.body:
        return ""
    outlines_address = ""
    if spots.outlines:
        outlines_address = url_for("office.outlines", hash=spots.outlines)
    data = {
        "spots": spots.body, "outlines": outlines_address, "viewer": spots.viewer, "words": get_map_words(), "night": night,
    }  # fmt: skip
    # A "<" in a name would end the script element that the data are in.
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")


@office.get("/map/outlines.json")
def outlines() -> Response:
    return Response(maps.view_outlines(session(), actor()), mimetype="application/json")
