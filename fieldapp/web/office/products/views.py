"""The office's data products: the list of them, their files, partners' totals."""

import io
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.acts import utcnow
from fieldapp.services.problems import ActProblem
from fieldapp.services.products import partners, subscriptions
from fieldapp.services.products import registry as product_registry
from fieldapp.services.products.registry import compute_next_edition_day
from fieldapp.services.products.tables import get_local_today
from fieldapp.web import editions
from fieldapp.web.office.blueprint import office
from fieldapp.web.overtaken import seen
from fieldapp.web.problem_words import write_problem
from fieldapp.web.sessions import actor, session

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Problems that are shown on the page, so that people can try again.
SHOWN_PROBLEMS = {"subscription.address", "partner.incomplete", "partner.refused"}
FILES = {"heat-map-en.xlsx": XLSX, "heat-map-fr.xlsx": XLSX, "panel.csv": "text/csv", "reach.csv": "text/csv"}


@office.get("/products")
def products() -> ResponseReturnValue:
    registry = product_registry.list_products(session(), actor())
    today = get_local_today(registry.centre, utcnow())
    due = {
        product.name: compute_next_edition_day(product, registry.latest.get(product.name), today)
        for product in registry.products
    }
    return render_template("products/products.html", registry=registry, due=due, period_name=editions.period_name)


@office.post("/products/<name>/<any(on, off):state>")
def product_switch(name: str, state: str) -> ResponseReturnValue:
    product_registry.switch_product(session(), actor(), name=name, is_on=state == "on", seen=seen())
    if state == "on":
        flash(gettext("Switched on. It is built within ten minutes."), "safe")
    else:
        flash(gettext("Switched off. Nobody sees it any more."), "wait")
    return redirect(url_for("office.products"))


@office.post("/products/<name>/subscribe")
def product_subscribe(name: str) -> ResponseReturnValue:
    address = request.form.get("address", "")
    return _done(lambda: subscriptions.subscribe(session(), actor(), product=name, address=address), gettext("Saved."))


@office.post("/products/subscriptions/<int:key>/end")
def product_unsubscribe(key: int) -> ResponseReturnValue:
    subscriptions.unsubscribe(session(), actor(), subscription_id=key, seen=seen())
    return redirect(url_for("office.products"))


@office.post("/products/partners")
def partner_bring() -> ResponseReturnValue:
    sent = request.files.get("file")
    data = b""
    if sent:
        data = sent.read()
    name = request.form.get("name", "")
    calendar = request.form.get("calendar", "")
    return _done(
        lambda: partners.import_partner_totals(session(), actor(), name=name, calendar=calendar, data=data, seen=seen()),
        gettext("The totals were imported. They appear in the next edition of the dashboard."),
    )


@office.post("/products/partners/remove")
def partner_remove() -> ResponseReturnValue:
    partners.remove_partner(session(), actor(), name=request.form.get("name", ""), seen=seen())
    return redirect(url_for("office.products"))


def _done(act: Any, text: str) -> ResponseReturnValue:
    try:
        act()
    except ActProblem as problem:
        if problem.code not in SHOWN_PROBLEMS:
            raise
        sentences = [gettext(problem.text).format(**problem.details)]
        if isinstance(problem, partners.PartnerRefused):
            sentences += [write_problem(reason) for reason in problem.reasons]
        flash(" ".join(sentences), "danger")
    else:
        flash(text, "safe")
    return redirect(url_for("office.products"))


@office.get("/products/<name>/<filename>")
def product_file(name: str, filename: str) -> ResponseReturnValue:
    called, data = product_registry.download_file(session(), actor(), name=name, filename=filename)
    return send_file(io.BytesIO(data), mimetype=FILES.get(filename, "image/png"), as_attachment=True, download_name=called)
