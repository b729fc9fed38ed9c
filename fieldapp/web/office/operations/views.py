"""The office: what a centre's admin sees and does."""

import io
from typing import Any

from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext

from fieldapp.services.forms import published
from fieldapp.services.operations import overview as home_act
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import export
from fieldapp.services.records import listing as records
from fieldapp.store.records.records import Filter
from fieldapp.web.office.blueprint import admin
from fieldapp.web.office.inputs import FilterInput
from fieldapp.web.overtaken import seen
from fieldapp.web.sessions import actor, session


@admin.get("/")
def home() -> Any:
    return render_template("operations/home.html", home=_home())


def _home() -> home_act.Home:
    return home_act.see_home(session(), actor(), secret=current_app.config["SECRET_KEY"])


@admin.get("/encounters")
def encounters() -> Any:
    chosen, wanted = _filter()
    listing = records.browse_records(session(), actor(), wanted=wanted, cursor=request.args.get("after", ""))
    return render_template("records/records.html", listing=listing, chosen=chosen)


def _filter() -> tuple[FilterInput, Filter]:
    chosen = FilterInput(request.args)
    is_usable = chosen.validate()
    worker = chosen.worker.data or ""
    return chosen, Filter(
        form=chosen.form.data or "",
        area=chosen.area.data or "",
        author_id=int(worker) if worker.isdecimal() and len(worker) < 10 else None,
        since=chosen.since.data if is_usable else None,
        until=chosen.until.data if is_usable else None,
    )


@admin.post("/encounters.zip")
def encounters_zip() -> Any:
    """Give all answers of one form as an archive, the filter kept; the way for the centre's own use."""
    _, wanted = _filter()
    who = actor()
    name = export.allow_export(session(), who, wanted=wanted)
    try:
        file = export.export_in_process(current_app.config["SETTINGS"], who.centre_id, wanted)
    except ActProblem as problem:
        flash(gettext(problem.text), "wait")
        return redirect(url_for("admin.encounters"))
    return send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)


@admin.get("/forms/<int:version_id>")
def form(version_id: int) -> Any:
    version, definition = published.open_form(session(), actor(), version_id=version_id)
    return render_template("forms/form.html", version=version, definition=definition)


@admin.get("/forms/<int:version_id>/workbook")
def form_workbook(version_id: int) -> Any:
    version, _ = published.open_form(session(), actor(), version_id=version_id)
    name = f"{version.form}-{version.version}.xlsx"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return send_file(io.BytesIO(version.workbook), mimetype=kind, as_attachment=True, download_name=name)


@admin.post("/forms/<int:version_id>/withdraw")
def form_withdraw(version_id: int) -> Any:
    published.withdraw_form(session(), actor(), version_id=version_id, seen=seen())
    flash(gettext("Withdrawn. Phones drop it the next time they have signal; what was filled in is still accepted."), "wait")
    return redirect(url_for("admin.form", version_id=version_id))


@admin.get("/system")
def system() -> Any:
    lines, names = home_act.see_system(session(), actor())
    return render_template("operations/system.html", lines=lines, names=names, home=_home())
