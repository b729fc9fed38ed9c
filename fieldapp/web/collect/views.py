"""OpenRosa for ODK Collect, with a token of the phone in the address (docs/interfaces.md)."""

import datetime as dt
from typing import Any

from flask import Blueprint, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.phones import collect as phone_collect
from fieldapp.services.phones.devices import COLLECT, find_actor_for_token
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.records import openrosa as acts
from fieldapp.web.problems import OPENROSA
from fieldapp.web.sessions import session
from sync import openrosa
from sync.openrosa import InstanceRefused

collect = Blueprint("collect", __name__, url_prefix="/or/<token>")

STATUS = {"form": 404, "missing": 404, "conflict": 409, "attachment": 413, "retry": 503, "closed": 403}
XML = "text/xml; charset=utf-8"


@collect.url_value_preprocessor
def require_collect_token(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Find the worker of a phone that was set up for Collect.

    The answer is never 401: Collect would ask its user for a password.
    """
    token = (values or {}).pop("token", "")
    actor = find_actor_for_token(session(), token, COLLECT)
    if actor is None:
        raise ActProblem("collect.token", N_("The centre does not know this phone any more. Ask for a new QR code."))
    phone_collect.require_collect(session(), actor.centre_id)
    g.actor = actor
    g.collect_token = token


@collect.before_request
def require_openrosa_version() -> Response | None:
    if request.headers.get("X-OpenRosa-Version", "1.0") != "1.0":
        return _reply(gettext("This server speaks OpenRosa 1.0."), 400)
    return None


@collect.after_request
def add_openrosa_headers(response: Response) -> Response:
    response.headers.update(OPENROSA)
    # OpenRosa asks for it, and servers in front of us may leave it out.
    response.headers["Date"] = dt.datetime.now(dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    response.headers["X-OpenRosa-Accept-Content-Length"] = str(current_app.config["MAX_CONTENT_LENGTH"])
    return response


def _address() -> str:
    return f"{request.host_url}or/{g.collect_token}"


def _reply(text: str, status: int) -> Response:
    return Response(openrosa.make_openrosa_response(text), status, {"Content-Type": XML})


@collect.get("/formList")
def form_list() -> ResponseReturnValue:
    listed = phone_collect.list_for_collect(session(), g.actor, address=_address(), form=request.args.get("formID", ""))
    return _cached(openrosa.make_form_list(listed))


def _cached(text: str) -> Response:
    response = Response(text, 200, {"Content-Type": XML})
    response.headers["Cache-Control"] = "private, no-cache"  # forms hold no data; Collect asks whether they changed
    response.add_etag()
    response.make_conditional(request)
    return response


@collect.get("/forms/<form>/<version>.xml")
def xform(form: str, version: str) -> ResponseReturnValue:
    return _cached(phone_collect.fetch_xform(session(), g.actor, form=form, version=version))


@collect.get("/forms/<form>/<version>/manifest")
def manifest(form: str, version: str) -> ResponseReturnValue:
    files = phone_collect.fetch_media(session(), g.actor, form=form, version=version)
    return _cached(openrosa.make_media_manifest(files, f"{_address()}/forms/{form}/{version}/media"))


@collect.get("/forms/<form>/<version>/media/<name>")
def media(form: str, version: str, name: str) -> ResponseReturnValue:
    for file in phone_collect.fetch_media(session(), g.actor, form=form, version=version):
        if file.name == name:
            return Response(file.data, 200, {"Content-Type": "text/csv; charset=utf-8"})
    raise make_not_found()


@collect.route("/submission", methods=["HEAD"])
def get_submission_limits() -> ResponseReturnValue:
    # Collect asks this first: how much may be sent is in the headers of every answer.
    return Response(status=204)


@collect.post("/submission")
def submission() -> ResponseReturnValue:
    """Take a submission in; more of its attachments may follow in other requests."""
    file = request.files.get("xml_submission_file")
    xml = file.read() if file else request.form.get("xml_submission_file", "").encode()
    if not xml:
        return _reply(gettext("The submission contains no form."), 400)
    try:
        instance = openrosa.parse_instance(xml)
    except InstanceRefused as refused:
        return _reply(gettext(refused.problem.text), 400)
    files = {name: file.read() for name, file in request.files.items() if name != "xml_submission_file"}
    # Collect sends large attachments in several requests, all but the last with this mark.
    is_whole = request.form.get("*isIncomplete*") != "yes" and "*isIncomplete*" not in files
    files.pop("*isIncomplete*", None)
    outcome = acts.receive_openrosa_submission(
        session(), g.actor, instance, xml, files, is_whole, current_app.config["LIMITS"]
    )
    if not outcome.is_kept:
        return _reply(gettext(outcome.text), STATUS[outcome.code])
    return _reply(gettext("Received by the centre."), 201)
