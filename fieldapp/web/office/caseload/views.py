"""The caseload as supervisors see it, and giving a card to another worker."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.caseload import hand_over
from fieldapp.services.problems import ActProblem
from fieldapp.web.office.blueprint import office
from fieldapp.web.overtaken import seen
from fieldapp.web.parsing import parse_number
from fieldapp.web.sessions import actor, session


@office.get("/caseload")
def caseload() -> ResponseReturnValue:
    after = request.args.get("after", "")[:9]
    worker_id = parse_number(request.args.get("worker", ""))
    page = hand_over.list_caseload(session(), actor(), after=after, worker_id=worker_id)
    return render_template("caseload/caseload.html", caseload=page)


@office.post("/caseload/assign")
def card_assign() -> ResponseReturnValue:
    user_id = parse_number(request.form.get("worker", ""))
    try:
        hand_over.assign_card(session(), actor(), code=request.form.get("code", ""), user_id=user_id, seen=seen())
    except ActProblem as problem:
        if problem.code != "card.worker":
            raise
        flash(gettext(problem.text), "danger")
        return redirect(url_for("office.caseload"))
    flash(gettext("Done. Both phones show it when they next sync."), "safe")
    return redirect(url_for("office.caseload"))


@office.post("/caseload/records/<instance_id>/assign")
def record_assign(instance_id: str) -> ResponseReturnValue:
    user_id = parse_number(request.form.get("worker", ""))
    try:
        hand_over.assign_record(session(), actor(), root_id=instance_id, user_id=user_id, seen=seen())
    except ActProblem as problem:
        if problem.code not in ("card.worker", "follow_ups.none"):
            raise
        flash(gettext(problem.text), "danger")
        return redirect(url_for("office.caseload"))
    flash(gettext("Done. Both phones show it when they next sync."), "safe")
    return redirect(url_for("office.caseload"))
