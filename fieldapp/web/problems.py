"""The status of each problem, and its form: page, problem+json, OData, OpenRosa."""

import contextlib
import logging
from typing import Any

from flask import Flask, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.exceptions import HTTPException, SecurityError

from fieldapp.services.failures import note_failure
from fieldapp.services.problems import ActProblem
from fieldapp.services.revisions import Overtaken
from fieldapp.store.session import OperationalError, SQLAlchemyError
from fieldapp.web import confirmation, overtaken
from fieldapp.web.sessions import session
from forms.problems import N_
from sync import openrosa

log = logging.getLogger("fieldapp.web")

OPENROSA = {"X-OpenRosa-Version": "1.0"}
REFUSED = 422  # the status of a problem that is not listed below
STATUS = {
    "access.denied": 403,
    "access.not_found": 404,
    "card.worker": 422,
    "collect.forbidden": 403,
    "collect.token": 403,
    "collect.off": 409,
    "draft.stale": 409,
    "draft.too_long": 422,
    "draft.asks_nobody": 409,
    "draft.unready": 409,
    "follow_ups.none": 409,
    "form.version_taken": 409,
    "page.overtaken": 409,
    "person.code": 422,
    "person.incomplete": 422,
    "person.new_password": 422,
    "person.old_password": 422,
    "person.self": 422,
    "person.taken": 409,
    "person.username": 422,
    "record.contested": 409,
    "records.export_busy": 429,
    "release.agreement_over": 410,
    "release.expired": 410,
    "release.missing": 410,
    "release.no_name": 422,
    "release.no_reason": 422,
    "release.overtaken": 409,
    "release.not_failed": 409,
    "release.switched_off": 409,
    "consent.key": 503,
    "consent.list": 503,
    "delivery.not_failed": 409,
    "delivery.over": 409,
    "release.revoked": 410,
    "release.withdrawn": 410,
    "release.no_list": 409,
    "passkey.refused": 422,
    "passkey.too_many": 409,
    "second_factor.command": 409,
    "second_factor.grant": 422,
    "second_factor.last": 409,
    "second_factor.needed": 403,
    "second_factor.own_first": 422,
    "second_factor.wrong": 422,
    "series.refused": 422,
    "review.choice": 422,
    "review.contested": 409,
    "review.incomplete": 422,
    "review.mismatch": 422,
    "review.no_comment": 422,
    "review.too_slow": 422,
    "sign_in.needed": 401,
    "sign_in.paused": 429,
    "sign_in.role": 403,
    "sign_in.wrong": 401,
    "sign_on.cancelled": 403,
    "sign_on.last": 409,
    "sign_on.late": 400,
    "sign_on.not_enough": 403,
    "sign_on.refused": 403,
    "sign_on.taken": 409,
    "sign_on.unavailable": 503,
    "slip.unknown": 422,
    "slip.not_lower": 409,
    "storage.full": 507,
    "storage.down": 503,
    "areas.outlines": 422,
    "board.unknown": 422,
    "feed.agreement_over": 403,
    "feed.key": 401,
    "feed.label": 422,
    "feed.option": 501,
    "feed.query": 400,
    "feed.media_type": 406,
    "feed.missing": 404,
    "partner.incomplete": 422,
    "partner.refused": 422,
    "product.live": 409,
    "product.open": 409,
    "product.period": 422,
    "product.unknown": 404,
    "subscription.address": 422,
    "sync.accepts_no_more": 403,
    "sync.attachment": 422,
    "sync.attachment_full": 429,
    "sync.invitation": 410,
    "sync.invitation_only": 403,
    "sync.malformed": 422,
    "sync.public_key": 422,
    "sync.media_type": 415,
    "sync.token": 401,
    "sync.too_much": 429,
}
HTTP_TEXT = {
    400: N_("The browser sent something that cannot be read. Go back and try again."),
    404: N_("There is nothing here, or it is not yours to see."),
    405: N_("This cannot be done here."),
    413: N_("This is too large to send. A form of words stays under 5 MB."),
    415: N_("This kind of file or message is not understood here."),
}
FULL = N_("The server's disk is full. Nothing was saved; try again when there is room.")
DOWN = N_("The database cannot be reached just now. Nothing was lost; try again in a minute.")
UNKNOWN_NAME = N_(
    "This server is not known by this name. Ask for its right address, or the operator for FIELDAPP_TRUSTED_HOSTS."
)
UNEXPECTED = N_(
    "Something went wrong on our side. Nothing was saved. Try again; if it stays, tell the centre this number: {number}."
)


def answer(code: str, text: str, status: int, **more: Any) -> ResponseReturnValue:
    """Return a problem in the form that the interface of this address uses."""
    # By the address and not by the view: a request that no view could read has none.
    if request.path.startswith("/or/"):
        # Collect shows this text to its user and keeps the submission.
        return Response(
            openrosa.make_openrosa_response(text), status, {**OPENROSA, "Content-Type": "text/xml; charset=utf-8"}
        )
    if request.path.startswith("/odata/"):
        return jsonify({"error": {"code": code, "message": text}}), status, {"OData-Version": "4.0"}
    # Phones act on the code, never on the text, which is in some language.
    if request.path.startswith("/sync/"):
        body = {"type": f"about:blank#{code}", "code": code, "title": text, "status": status, **more}
        response = jsonify(body)
        response.content_type = "application/problem+json"
        return response, status
    return render_template("problem.html", text=text, status=status), status


def unexpected(code: str, error: BaseException, status: int) -> ResponseReturnValue:
    """Return the answer to an unexpected error, with its incident number in the log."""
    number = note_failure(log, f"unexpected at {request.endpoint}", error)
    return answer(code, gettext(UNEXPECTED).format(number=number), status, number=number)


def for_storage(error: BaseException) -> tuple[str, str, int]:
    """Return code, text and status for a full disk, or a database that cannot be reached."""
    # SQLite has no error code of its own for a full disk at this level.
    if "full" in str(error).lower() or (isinstance(error, OSError) and error.errno == 28):
        return "storage.full", gettext(FULL), 507
    return "storage.down", gettext(DOWN), 503


def _refuse_name(error: SecurityError) -> ResponseReturnValue:
    # No page: its links would be made from the very name that is not believed.
    return Response(gettext(UNKNOWN_NAME), 400, mimetype="text/plain")


def init(app: Flask) -> None:
    @app.errorhandler(ActProblem)
    def on_act(problem: ActProblem) -> ResponseReturnValue:
        # Only for pages that are looked at: a form that was sent would be lost on the way through
        # the sign-in page.
        if problem.code == "sign_in.needed" and request.method == "GET":
            return redirect(url_for("public.sign_in", next=request.path))
        if problem.code == "second_factor.needed":
            return confirmation.page()
        if isinstance(problem, Overtaken):
            return overtaken.page(problem, gettext(problem.text), STATUS[problem.code])
        # A problem that pages expect elsewhere may come up anywhere: it is said, and is no error of the program.
        status = STATUS.get(problem.code, REFUSED)
        return answer(problem.code, gettext(problem.text).format(**problem.details), status)

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status < 400 and error.response is not None:
            return error.response
        # Flask wraps what failed; the frames that help are those of the original.
        if status >= 500:
            return unexpected(f"http.{status}", getattr(error, "original_exception", None) or error, status)
        return answer(f"http.{status}", gettext(HTTP_TEXT.get(status, HTTP_TEXT[400])), status)

    app.register_error_handler(SecurityError, _refuse_name)

    @app.errorhandler(OperationalError)
    def on_store(error: OperationalError) -> ResponseReturnValue:
        # The session is of no use after such an error, and the page of the problem needs one.
        session().rollback()
        note_failure(log, "the database failed", error)
        return answer(*for_storage(error))

    @app.errorhandler(OSError)
    def on_file(error: OSError) -> ResponseReturnValue:
        note_failure(log, "a file could not be written or read", error)
        return answer(*for_storage(error))

    @app.errorhandler(Exception)
    def on_other(error: Exception) -> ResponseReturnValue:
        with contextlib.suppress(SQLAlchemyError):
            session().rollback()  # or the page that says so could not ask who is signed in
        return unexpected("unexpected", error, 500)

    def log_exception(exc_info: Any) -> None:
        note_failure(log, f"failed at {request.endpoint}", exc_info[1])

    # What fails after that, such as the page of the problem itself: Flask would write out its message.
    app.log_exception = log_exception  # type: ignore[method-assign]
