"""What supervisors look at: one record with its history, what needs a look, and the caseload."""

import io
from typing import Any

from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext, ngettext

from fieldapp.services.caseload import hand_over
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import attachments, listing, quarantine, reviews
from fieldapp.services.revisions import LastChange, Overtaken
from fieldapp.web.office.blueprint import admin
from fieldapp.web.overtaken import seen
from fieldapp.web.problems import STATUS
from fieldapp.web.sessions import actor, session

SHOWN = {("image", "jpeg"), ("image", "png")}


@admin.get("/encounters/<instance_id>")
def encounter(instance_id: str) -> Any:
    return _record_page(instance_id, "", 200)


def _record_page(instance_id: str, problem: str, status: int, last: LastChange | None = None) -> Any:
    opened = listing.open_record(session(), actor(), instance_id=instance_id)
    return render_template("records/record.html", opened=opened, problem=problem, last=last), status


def _refused(instance_id: str, problem: ActProblem) -> Any:
    """Show the record as it is now, with what is wrong; what was typed stays in its field."""
    if problem.code in ("access.not_found", "access.denied"):
        raise problem
    last = problem.last if isinstance(problem, Overtaken) else None
    return _record_page(instance_id, gettext(problem.text).format(**problem.details), STATUS[problem.code], last)


@admin.post("/encounters/<instance_id>/review")
def record_review(instance_id: str) -> Any:
    """Approve a record, send it back to its worker, or leave a comment."""
    state, comment = request.form.get("state", ""), request.form.get("comment", "")
    try:
        reviews.review_record(session(), actor(), instance_id=instance_id, state=state, comment=comment, seen=seen())
    except ActProblem as problem:
        return _refused(instance_id, problem)
    words = {
        reviews.RETURNED: gettext("Sent back. The worker sees it at their phone's next contact."),
        reviews.APPROVED: gettext("Approved."),
    }
    flash(words.get(state, gettext("Your comment is kept.")), "safe")
    return redirect(url_for("admin.encounter", instance_id=instance_id))


@admin.post("/encounters/<instance_id>/choose")
def record_choose(instance_id: str) -> Any:
    """Choose between two answers that were given without knowing of each other."""
    chosen = {key.removeprefix("choice:"): value for key, value in request.form.items() if key.startswith("choice:")}
    try:
        reviews.choose_answers(
            session(), actor(), instance_id=instance_id, chosen=chosen, comment=request.form.get("comment", ""), seen=seen()
        )
    except ActProblem as problem:
        return _refused(instance_id, problem)
    flash(gettext("Done. Both versions stay in the history."), "safe")
    return redirect(url_for("admin.encounter", instance_id=instance_id))


@admin.get("/attention")
def attention() -> Any:
    return render_template("records/review_queue.html", waiting=listing.list_needing_attention(session(), actor()))


@admin.get("/attention/<int:submission_id>")
def attention_one(submission_id: int) -> Any:
    opened = listing.open_submission(session(), actor(), submission_id=submission_id)
    return render_template("records/submission.html", opened=opened)


@admin.post("/attention/<int:submission_id>/settle")
def attention_settle(submission_id: int) -> Any:
    reviews.settle_submission(session(), actor(), submission_id=submission_id, seen=seen())
    flash(gettext("Taken off the list. It stays kept."), "safe")
    return redirect(url_for("admin.attention"))


@admin.post("/attention/<int:submission_id>/let-in")
def attention_let_in(submission_id: int) -> Any:
    """Let one submission in that was kept aside."""
    return _let_in(quarantine.let_in(session(), actor(), [submission_id]))


@admin.post("/attention/phones/<int:device_id>/let-in")
def aside_let_in(device_id: int) -> Any:
    """Let in all that was kept aside of a phone."""
    return _let_in(quarantine.let_in_all(session(), actor(), device_id))


def _let_in(found: quarantine.LetIn) -> Any:
    if found.stored:
        text = ngettext(
            "%(num)d submission is in the record now.", "%(num)d submissions are in the record now.", found.stored
        )
        flash(text, "safe")
    if found.others:
        text = ngettext(
            "%(num)d submission did not pass and is still on this list.",
            "%(num)d submissions did not pass and are still on this list.",
            found.others,
        )
        flash(text, "danger")
    return redirect(url_for("admin.attention"))


@admin.post("/attention/phones/<int:device_id>/settle")
def aside_settle(device_id: int) -> Any:
    reviews.settle_aside(session(), actor(), device_id=device_id)
    flash(gettext("Taken off the list. They stay kept."), "safe")
    return redirect(url_for("admin.attention"))


@admin.get("/attachments/<kind>/<subtype>/<sha256>")
def attachment(kind: str, subtype: str, sha256: str) -> Any:
    """Show a picture or play a voice note; anything else is only offered for download."""
    data = attachments.open_attachment(session(), actor(), sha256=sha256, secret=current_app.config["SECRET_KEY"])
    mimetype = f"{kind}/{subtype}" if (kind, subtype) in SHOWN or kind == "audio" else "application/octet-stream"
    name = f"attachment-{sha256[:12]}.{subtype if subtype.isalnum() else 'bin'}"
    response = send_file(io.BytesIO(data), mimetype=mimetype, as_attachment=mimetype.startswith("app"), download_name=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@admin.get("/caseload")
def caseload() -> Any:
    after, worker_id = request.args.get("after", "")[:9], _number(request.args.get("worker", ""))
    found = hand_over.list_caseload(session(), actor(), after=after, worker_id=worker_id)
    return render_template("caseload/caseload.html", caseload=found)


@admin.post("/caseload/assign")
def card_assign() -> Any:
    user_id = _number(request.form.get("worker", ""))
    try:
        hand_over.assign_card(session(), actor(), code=request.form.get("code", ""), user_id=user_id, seen=seen())
    except ActProblem as problem:
        if problem.code != "card.worker":
            raise
        flash(gettext(problem.text), "danger")
        return redirect(url_for("admin.caseload"))
    flash(gettext("Done. Both phones learn it at their next contact."), "safe")
    return redirect(url_for("admin.caseload"))
