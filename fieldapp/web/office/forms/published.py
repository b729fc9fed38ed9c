"""Published forms: look at one, take its workbook, withdraw it."""

import io

from flask import flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.forms import published
from fieldapp.web.office.blueprint import office
from fieldapp.web.overtaken import seen
from fieldapp.web.sessions import actor, session


@office.get("/forms/<int:version_id>")
def form(version_id: int) -> ResponseReturnValue:
    version, definition = published.open_form(session(), actor(), version_id=version_id)
    return render_template("forms/form.html", version=version, definition=definition)


@office.get("/forms/<int:version_id>/workbook")
def form_workbook(version_id: int) -> ResponseReturnValue:
    version, _ = published.open_form(session(), actor(), version_id=version_id)
    name = f"{version.form}-{version.version}.xlsx"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return send_file(io.BytesIO(version.workbook), mimetype=kind, as_attachment=True, download_name=name)


@office.post("/forms/<int:version_id>/withdraw")
def form_withdraw(version_id: int) -> ResponseReturnValue:
    published.withdraw_form(session(), actor(), version_id=version_id, seen=seen())
    flash(gettext("Withdrawn. Phones drop it the next time they have signal; what was filled in is still accepted."), "wait")
    return redirect(url_for("office.form", version_id=version_id))
