"""The page of a card's consent, for people who come in person: lower it, or end it."""

import json

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.consent import card_consent, withdrawals
from fieldapp.services.problems import ActProblem
from fieldapp.web.office.blueprint import add_template_globals, office
from fieldapp.web.parsing import parse_number
from fieldapp.web.sessions import actor, session
from forms.problems import N_

TIERS = {
    0: N_("Nothing leaves, and nothing is counted; their team still sees what they said before"),
    1: N_("Only their team uses it"),
    2: N_("People who check the program may use facts too"),
    3: N_("They are also in public totals"),
    # Of a record that cannot be used yet: it ends the card once somebody has accepted it.
    -1: N_("Everything was taken back."),
}
HOW = {"form": N_("said to a worker"), "slip": N_("with a slip"), "office": N_("in the office")}
REASONS = {
    "in_person": N_("They asked for it in person"),
    "lost_slip": N_("They asked for it, and their slip is lost"),
    "letter": N_("They, or somebody who may speak for them, wrote"),
}
add_template_globals(consent_tiers=TIERS, consent_reasons=REASONS, consent_how=HOW)


@office.post("/caseload/card")
def card_find() -> ResponseReturnValue:
    """Find a card by its code, which is in no address."""
    try:
        card_id = card_consent.find_card(session(), actor(), code=request.form.get("code", "")[:20])
    except ActProblem as problem:
        if problem.code != "consent.no_card":
            raise
        flash(gettext(problem.text), "danger")
        return redirect(url_for("office.caseload"))
    return redirect(url_for("office.card", card_id=card_id))


@office.get("/caseload/card/<int:card_id>")
def card(card_id: int) -> ResponseReturnValue:
    page = card_consent.view_card(session(), actor(), card_id=card_id)
    return render_template("caseload/card.html", page=page)


@office.post("/caseload/card/<int:card_id>/lower")
def card_lower(card_id: int) -> ResponseReturnValue:
    tier = parse_number(request.form.get("tier", ""), -1)
    try:
        card_consent.lower_card(session(), actor(), card_id=card_id, tier=tier, reason=request.form.get("reason", ""))
    except ActProblem as problem:
        return _say_why(problem, url_for("office.card", card_id=card_id))
    flash(gettext("Done. It counts from now on; phones show it when they next sync."), "safe")
    return redirect(url_for("office.card", card_id=card_id))


@office.post("/caseload/card/<int:card_id>/record")
def card_record(card_id: int) -> ResponseReturnValue:
    """Hand out what was said about consent as a file for other systems."""
    receipt = card_consent.take_record(session(), actor(), card_id=card_id)
    text = json.dumps(receipt, ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": "attachment; filename=consent-record.json", "Cache-Control": "no-store"}
    return Response(text, mimetype="application/json", headers=headers)


@office.get("/caseload/card/<int:card_id>/end")
def card_end(card_id: int) -> ResponseReturnValue:
    """Say what cannot be undone; nothing is done yet."""
    page = card_consent.view_card(session(), actor(), card_id=card_id)
    return render_template("caseload/card_end.html", page=page)


@office.post("/caseload/card/<int:card_id>/end")
def card_end_now(card_id: int) -> ResponseReturnValue:
    try:
        withdrawal_id = card_consent.end_card(session(), actor(), card_id=card_id, reason=request.form.get("reason", ""))
    except ActProblem as problem:
        return _say_why(problem, url_for("office.card_end", card_id=card_id))
    flash(gettext("Everything was taken back."), "safe")
    return redirect(url_for("office.withdrawal", withdrawal_id=withdrawal_id))


@office.get("/caseload/taken-back/<withdrawal_id>")
def withdrawal(withdrawal_id: str) -> ResponseReturnValue:
    page = withdrawals.view_withdrawal(session(), actor(), withdrawal_id=withdrawal_id)
    return render_template("caseload/withdrawal.html", page=page)


def _say_why(problem: ActProblem, page: str) -> ResponseReturnValue:
    """Say on the page why nothing was done."""
    if not problem.code.startswith("consent."):
        raise problem
    flash(gettext(problem.text), "danger")
    return redirect(page)
