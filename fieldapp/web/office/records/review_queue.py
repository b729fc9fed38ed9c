"""The review queue: open a submission, dismiss it, accept what was kept aside."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from fieldapp.services.consent import record_erasure
from fieldapp.services.records import listing, quarantine, reviews
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.records.erasing import erase_for_reason
from fieldapp.web.overtaken import seen
from fieldapp.web.sessions import actor, session


@office.get("/review")
def review_queue() -> ResponseReturnValue:
    return render_template("records/review_queue.html", waiting=listing.list_review_queue(session(), actor()))


@office.get("/review/<int:submission_id>")
def submission(submission_id: int) -> ResponseReturnValue:
    opened = listing.open_submission(session(), actor(), submission_id=submission_id)
    return render_template("records/submission.html", opened=opened)


@office.post("/review/<int:submission_id>/dismiss")
def submission_dismiss(submission_id: int) -> ResponseReturnValue:
    # The page names what it showed; if somebody else was faster, the answer says so and nothing is
    # done.
    reviews.dismiss_submission(session(), actor(), submission_id=submission_id, seen=seen())
    flash(gettext("Dismissed. The record stays stored."), "safe")
    return redirect(url_for("office.review_queue"))


@office.post("/review/<int:submission_id>/erase")
def submission_erase(submission_id: int) -> ResponseReturnValue:
    """Erase what was refused or kept aside, where an admin says why."""

    def erase(reason: str) -> str:
        return record_erasure.erase_submission(session(), actor(), submission_id=submission_id, reason=reason)

    page = url_for("office.submission", submission_id=submission_id)
    return erase_for_reason(erase, page, url_for("office.review_queue"))


@office.post("/review/<int:submission_id>/let-in")
def submission_let_in(submission_id: int) -> ResponseReturnValue:
    """Let one submission in that was kept aside."""
    return _redirect_after_let_in(quarantine.let_in(session(), actor(), [submission_id]))


@office.post("/review/phones/<int:device_id>/let-in")
def aside_let_in(device_id: int) -> ResponseReturnValue:
    """Let in all that was kept aside of a phone."""
    # All that the page counted; what came since waits for somebody who has seen it.
    return _redirect_after_let_in(quarantine.let_in_all(session(), actor(), device_id, _newest_seen()))


def _newest_seen() -> int:
    """Return the id of the newest submission that the page counted; 0 if none.

    What came since was not on the page, so nobody decides about it.
    """
    return request.form.get("newest", 0, type=int)


def _redirect_after_let_in(result: quarantine.AcceptedCount) -> ResponseReturnValue:
    # Both may be true: some are in, some did not pass. Each is said in its own colour.
    if result.stored:
        text = ngettext(
            "%(num)d submission is now part of a record.", "%(num)d submissions are now part of records.", result.stored
        )
        flash(text, "safe")
    if result.others:
        text = ngettext(
            "%(num)d submission did not pass and is still on this list.",
            "%(num)d submissions did not pass and are still on this list.",
            result.others,
        )
        flash(text, "danger")
    return redirect(url_for("office.review_queue"))


@office.post("/review/phones/<int:device_id>/dismiss")
def aside_dismiss(device_id: int) -> ResponseReturnValue:
    reviews.dismiss_quarantined(session(), actor(), device_id=device_id, newest=_newest_seen())
    flash(gettext("Dismissed. The records stay stored."), "safe")
    return redirect(url_for("office.review_queue"))
