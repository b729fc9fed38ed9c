"""Records: the list, one record with its history and review, attachments, the export."""

import io

from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.consent import record_erasure
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import attachments, export, listing, reviews
from fieldapp.services.records.export_consent import ExportPurpose
from fieldapp.services.revisions import LastChange, Overtaken
from fieldapp.store.records.records import RecordFilter
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.records.erasing import erase_for_reason
from fieldapp.web.office.records.inputs import FilterInput
from fieldapp.web.overtaken import seen
from fieldapp.web.parsing import parse_number
from fieldapp.web.problems import STATUS
from fieldapp.web.server_keys import server_secret
from fieldapp.web.sessions import actor, session

# Pictures that a browser shows without running anything in them.
SHOWN = {("image", "jpeg"), ("image", "png")}


@office.get("/records/<instance_id>")
def record(instance_id: str) -> ResponseReturnValue:
    return _record_page(instance_id, "", 200)


def _record_page(instance_id: str, problem: str, status: int, last: LastChange | None = None) -> ResponseReturnValue:
    opened = listing.open_record(session(), actor(), instance_id=instance_id)
    return render_template("records/record.html", opened=opened, problem=problem, last=last), status


def _refused(instance_id: str, problem: ActProblem) -> ResponseReturnValue:
    """Show the record as it is now, with what is wrong; what was typed stays in its field."""
    # There is no record to show, or not to this person.
    if problem.code in ("access.not_found", "access.denied"):
        raise problem
    last = problem.last if isinstance(problem, Overtaken) else None
    return _record_page(instance_id, gettext(problem.text).format(**problem.details), STATUS[problem.code], last)


@office.post("/records/<instance_id>/review")
def record_review(instance_id: str) -> ResponseReturnValue:
    """Approve a record, send it back to its worker, or leave a comment."""
    state = request.form.get("state", "")
    comment = request.form.get("comment", "")
    try:
        reviews.review_record(session(), actor(), instance_id=instance_id, state=state, comment=comment, seen=seen())
    except ActProblem as problem:
        return _refused(instance_id, problem)
    words = {
        reviews.RETURNED: gettext("Sent back. The worker sees it when their phone next syncs."),
        reviews.APPROVED: gettext("Approved."),
    }
    flash(words.get(state, gettext("Your comment is saved.")), "safe")
    return redirect(url_for("office.record", instance_id=instance_id))


@office.post("/records/<instance_id>/choose")
def record_choose(instance_id: str) -> ResponseReturnValue:
    """Choose between two answers that were given without knowing of each other."""
    chosen = {key.removeprefix("choice:"): value for key, value in request.form.items() if key.startswith("choice:")}
    try:
        reviews.resolve_conflict(
            session(), actor(), instance_id=instance_id, chosen=chosen, comment=request.form.get("comment", ""), seen=seen()
        )
    except ActProblem as problem:
        return _refused(instance_id, problem)
    flash(gettext("Done. Both versions stay in the history."), "safe")
    return redirect(url_for("office.record", instance_id=instance_id))


@office.post("/records/<instance_id>/erase")
def record_erase(instance_id: str) -> ResponseReturnValue:
    """Erase a record for good, where an admin says why."""

    def erase(reason: str) -> str:
        return record_erasure.erase_record(session(), actor(), instance_id=instance_id, reason=reason)

    return erase_for_reason(erase, url_for("office.record", instance_id=instance_id), url_for("office.records"))


@office.get("/attachments/<kind>/<subtype>/<sha256>")
def attachment(kind: str, subtype: str, sha256: str) -> ResponseReturnValue:
    """Show a picture or play a voice note; anything else is only offered for download."""
    data = attachments.open_attachment(session(), actor(), sha256=sha256, secret=server_secret())
    is_shown = (kind, subtype) in SHOWN or kind == "audio"
    mimetype = "application/octet-stream"
    if is_shown:
        mimetype = f"{kind}/{subtype}"
    suffix = "bin"
    if subtype.isalnum():
        suffix = subtype
    name = f"attachment-{sha256[:12]}.{suffix}"
    response = send_file(io.BytesIO(data), mimetype=mimetype, as_attachment=not is_shown, download_name=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@office.get("/records")
def records() -> ResponseReturnValue:
    entered = FilterInput(request.args)
    record_filter = _make_filter(entered)
    page = listing.list_records(session(), actor(), record_filter=record_filter, cursor=request.args.get("after", ""))
    return render_template("records/records.html", listing=page, chosen=entered)


def _make_filter(entered: FilterInput) -> RecordFilter:
    """Return the filter that was entered; days that cannot be read are left out."""
    is_usable = entered.validate()
    return RecordFilter(
        form=entered.form.data or "",
        area=entered.area.data or "",
        author_id=parse_number(entered.worker.data or "") or None,
        since=entered.since.data if is_usable else None,
        until=entered.until.data if is_usable else None,
    )


@office.post("/records.zip")
def records_zip() -> ResponseReturnValue:
    """Download the answers of one form that the filter and consent let through."""
    record_filter = _make_filter(FilterInput(request.args))
    who = actor()
    is_evaluation = request.form.get("purpose") == ExportPurpose.EVALUATION
    purpose = ExportPurpose.EVALUATION if is_evaluation else ExportPurpose.WORK
    name = export.authorize_export(session(), who, record_filter=record_filter, purpose=purpose)
    try:
        file = export.export_records(current_app.config["SETTINGS"], who.centre_id, record_filter, purpose)
    except ActProblem as problem:
        flash(gettext(problem.text), "wait")
        return redirect(url_for("office.records"))
    return send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)
