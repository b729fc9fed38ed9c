"""The office's products: the registry, the numbers for staff, the map, the heat map, partners' totals."""

import io
import json
from typing import Any

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext

from evaluator_export.products.reach import LEAST_WHOLE
from fieldapp.services.acts import utcnow
from fieldapp.services.problems import ActProblem
from fieldapp.services.products import maps, subscriptions
from fieldapp.services.products import registry as product_registry
from fieldapp.services.products.registry import next_due
from fieldapp.services.products.tables import today_at
from fieldapp.web import editions, language
from fieldapp.web.office.blueprint import admin
from fieldapp.web.overtaken import seen
from fieldapp.web.problem_words import write_problem
from fieldapp.web.sessions import actor, session
from fieldapp.web.words import spot_words

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MENDABLE = {"subscription.address", "partner.incomplete", "partner.refused"}  # said on the page, to be tried again
FILES = {"heat-map-en.xlsx": XLSX, "heat-map-fr.xlsx": XLSX, "panel.csv": "text/csv", "reach.csv": "text/csv"}


@admin.get("/products")
def products() -> Any:
    registry = product_registry.list_products(session(), actor())
    today = today_at(registry.centre, utcnow())
    due = {one.name: next_due(one, registry.latest.get(one.name), today) for one in registry.products}
    return render_template("products/products.html", registry=registry, due=due, period_name=editions.period_name)


@admin.post("/products/<name>/<any(on, off):state>")
def product_switch(name: str, state: str) -> Any:
    product_registry.switch_product(session(), actor(), name=name, is_on=state == "on", seen=seen())
    if state == "on":
        flash(gettext("Switched on. It is built within ten minutes."), "safe")
    else:
        flash(gettext("Switched off. Nobody sees it any more."), "wait")
    return redirect(url_for("admin.products"))


@admin.post("/products/<name>/subscribe")
def product_subscribe(name: str) -> Any:
    address = request.form.get("address", "")
    return _done(lambda: subscriptions.subscribe(session(), actor(), product=name, address=address), gettext("Noted."))


@admin.post("/products/subscriptions/<int:key>/end")
def product_unsubscribe(key: int) -> Any:
    subscriptions.unsubscribe(session(), actor(), subscription_id=key, seen=seen())
    return redirect(url_for("admin.products"))


@admin.post("/products/partners")
def partner_bring() -> Any:
    sent = request.files.get("file")
    data = sent.read() if sent else b""
    name, calendar = request.form.get("name", ""), request.form.get("calendar", "")
    return _done(
        lambda: product_registry.bring_partner(session(), actor(), name=name, calendar=calendar, data=data, seen=seen()),
        gettext("The totals are in. They show with the next edition of the dashboard."),
    )


@admin.post("/products/partners/remove")
def partner_remove() -> Any:
    product_registry.remove_partner(session(), actor(), name=request.form.get("name", ""), seen=seen())
    return redirect(url_for("admin.products"))


def _done(act: Any, text: str) -> Any:
    try:
        act()
    except ActProblem as problem:
        if problem.code not in MENDABLE:
            raise
        sentences = [gettext(problem.text).format(**problem.details)]
        if isinstance(problem, product_registry.PartnerRefused):
            sentences += [write_problem(reason) for reason in problem.reasons]
        flash(" ".join(sentences), "danger")
    else:
        flash(text, "safe")
    return redirect(url_for("admin.products"))


@admin.get("/products/<name>/<filename>")
def product_file(name: str, filename: str) -> Any:
    called, data = product_registry.take_file(session(), actor(), name=name, filename=filename)
    return send_file(io.BytesIO(data), mimetype=FILES.get(filename, "image/png"), as_attachment=True, download_name=called)


@admin.get("/figures")
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


@admin.get("/heat-map")
def heat_map() -> Any:
    found = product_registry.see_figures(session(), actor(), name="heat_map")
    return render_template("products/heat_map.html", found=found, shade=_shade)


def _shade(text: str, grid: dict[str, Any]) -> int:
    """Return the class of a cell's colour, 0 to 5."""
    most = max((int(cell) for row in grid["cells"] for cell in row if cell.isdecimal()), default=0)
    return -(-5 * int(text) // most) if most and text.isdecimal() else 0


@admin.get("/map")
def spot_map() -> Any:
    span = "month" if request.args.get("span") == "month" else "week"
    found = maps.see_map(session(), actor(), span=span)
    given = ""
    if found.body:
        outlines = url_for("admin.outlines", hash=found.outlines) if found.outlines else ""
        body = {"spots": found.body, "outlines": outlines, "viewer": found.viewer, "words": spot_words()}
        given = json.dumps(body, ensure_ascii=False).replace("<", "\\u003c")
    return render_template("products/map.html", found=found, given=given, span=span)


@admin.get("/map/outlines.json")
def outlines() -> Response:
    return Response(maps.see_outlines(session(), actor()), mimetype="application/json")
