"""The phone's door: joining, the manifest, forms, areas, deliveries of sealed records, and what comes back."""

import base64
import functools
import gzip
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask_babel import gettext

from fieldapp.services.access import WORKER
from fieldapp.services.acts import Actor
from fieldapp.services.keys import current_key, find_receipt_signer, signing_key
from fieldapp.services.people.sign_in import sign_in as check
from fieldapp.services.phones import devices
from fieldapp.services.phones import manifest as phone_forms
from fieldapp.services.phones.pull import fetch_record_for_correction, pull_changes
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products import maps
from fieldapp.services.records import attachments
from fieldapp.services.records.batches import receive_batch
from fieldapp.services.records.deliveries import receive_delivery
from fieldapp.store.operations import centres
from fieldapp.store.people.users import User
from fieldapp.web import problems
from fieldapp.web.sessions import session
from sync.bodies import mended
from sync.envelope import parse_batch
from sync.manifest import PROTOCOL
from sync.problems import BatchRefused
from sync.sealed import parse_delivery

PIECE = re.compile(r"bytes (\d{1,9})-\d{1,9}/(\d{1,9})")
PROOF = re.compile(r"[A-Za-z0-9+/]{86}==")
HASH = re.compile(r"[0-9a-f]{64}")
NONCE = re.compile(r"[0-9a-f-]{36}")
sync = Blueprint("sync", __name__, url_prefix="/sync/v1")


@sync.before_request
def only_json() -> None:
    if request.method == "POST" and request.mimetype != "application/json":
        raise ActProblem("sync.media_type", N_("Send application/json."))


@sync.after_request
def sign_answer(response: Response) -> Response:
    """Sign what a phone must be sure of, with the nonce it gave: nobody in between can say it, or say it again."""
    nonce, centre_id = request.headers.get("X-Nonce", ""), g.get("centre_id")
    if centre_id and NONCE.fullmatch(nonce) and response.status_code == HTTPStatus.OK:
        signs = find_receipt_signer(session(), centre_id, current_app.config["SECRET_KEY"])
        if signs is None:
            return response
        response.headers["X-Signature"] = signs.answer(nonce, g.get("plain") or response.get_data())
    return response


def with_token(view: Callable[..., Any]) -> Callable[..., Any]:
    """Admit phones only: the bearer token becomes the actor, never the cookie of a browser."""

    @functools.wraps(view)
    def run(**kwargs: Any) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        actor = devices.find_actor_for_token(session(), token) if scheme == "Bearer" and token else None
        if actor is None:
            raise ActProblem("sync.token", N_("This phone is not signed in any more. Sign in again; nothing is lost."))
        g.actor, g.centre_id = actor, actor.centre_id
        return view(**kwargs)

    return run


@sync.post("/sign-in")
def sign_in() -> Any:
    given = _given()
    username, password, label = (str(given.get(key, "")) for key in ("username", "password", "device"))
    user = check(session(), username, password, request.remote_addr or "")
    if user.role != WORKER:
        raise ActProblem("sign_in.role", N_("The phone app is for outreach workers. Use the office page instead."))
    actor = Actor(user.centre_id, user.role, user.id)
    if centres.get(session(), user.centre_id).by_invitation:
        text = N_("At this centre a phone joins by invitation. Ask for one and scan its picture with your phone's camera.")
        raise ActProblem("sync.invitation_only", text)
    enrolled = devices.enrol_device(session(), actor, label=label, public_key=str(given.get("public_key", "")))
    return _welcome(actor, enrolled)


@sync.post("/join")
def join() -> Any:
    """Let a phone in by an invitation: used once, by the first phone that shows it."""
    given = _given()
    invitation, label, public_key = (str(given.get(key, "")) for key in ("invitation", "device", "public_key"))
    actor = devices.find_actor_for_invitation(session(), invitation)
    return _welcome(actor, devices.join_device(session(), actor, token=invitation, label=label, public_key=public_key))


def _given() -> dict[str, Any]:
    """Return what a phone says of itself, as far as a database can hold it."""
    try:
        given = mended(request.get_json(silent=True))
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def _welcome(actor: Actor, enrolled: devices.Enrolment) -> Any:
    """Return what a phone needs that was just let in."""
    user = session().get_one(User, actor.user_id)
    about = {
        "token": enrolled.token,
        "device": enrolled.uid,
        "worker": user.label,
        "user": user.id,
        "username": user.username,
    }
    about["recovery"] = devices.recovery_secret(current_app.config["SECRET_KEY"], user.id)
    return jsonify({"protocol": PROTOCOL, **about, "manifest": _manifest(actor)})


@sync.get("/pull")
@with_token
def pull() -> Any:
    """Give what changed for this worker after a cursor: caseload, what is due, what to correct."""
    return _compressed(pull_changes(session(), g.actor, cursor=request.args.get("cursor", "0")), level=1)


@sync.get("/records/<instance_id>")
@with_token
def record(instance_id: str) -> Any:
    """Give a worker's own record back, for correcting it."""
    return jsonify({"protocol": PROTOCOL, **fetch_record_for_correction(session(), g.actor, instance_id=instance_id)})


@sync.get("/manifest")
@with_token
def manifest() -> Any:
    return jsonify(_manifest(g.actor))


def _manifest(actor: Actor) -> dict[str, Any]:
    secret = current_app.config["SECRET_KEY"]
    key, receipts = (find(session(), actor.centre_id, secret) for find in (current_key, signing_key))
    return phone_forms.fetch_manifest(session(), actor, key=key, receipts=receipts)


@sync.get("/map")
@with_token
def spot_map() -> Any:
    """Give the centre's last maps of where and when: rounded numbers, no points."""
    return jsonify(maps.fetch_maps(session(), g.actor))


@sync.get("/areas/<key>")
@with_token
def areas(key: str) -> Any:
    return _compressed(phone_forms.fetch_areas(session(), g.actor, key=key))


@sync.get("/forms/<form>/<version>")
@with_token
def form(form: str, version: str) -> Any:
    return _compressed(phone_forms.fetch_form(session(), g.actor, form=form, version=version))


def _compressed(text: str, level: int = 6) -> Response:
    g.plain = text.encode()
    response = Response(text, mimetype="application/json")
    if request.accept_encodings.quality("gzip") > 0:  # a form holds no secret, so its size may tell what it likes
        response = Response(gzip.compress(g.plain, level, mtime=0), mimetype="application/json")
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response


@sync.post("/batch")
@with_token
def batch() -> Any:
    """Take up to 100 submissions; answer each. A malformed batch is refused whole, and nothing of it is kept."""
    try:
        envelopes = parse_batch(request.get_data())
    except BatchRefused as refused:
        return _malformed(refused)
    unsent = request.headers.get("X-Unsent", "0")
    report = {"unsent": min(int(unsent), 1_000_000) if unsent.isdecimal() and len(unsent) < 10 else 0}
    signs = find_receipt_signer(session(), g.actor.centre_id, current_app.config["SECRET_KEY"])
    found = receive_batch(session(), g.actor, envelopes, report=report, signer=signs, limits=current_app.config["LIMITS"])
    return jsonify({"protocol": PROTOCOL, "items": found})


@sync.post("/deliver")
def deliver() -> Any:
    """Take sealed records from whoever carries them; say for each phone named whether it must lock or wipe itself."""
    try:
        delivery = parse_delivery(request.get_data())
    except BatchRefused as refused:
        return _malformed(refused)
    found = receive_delivery(session(), delivery, current_app.config["SECRET_KEY"], current_app.config["LIMITS"])
    g.centre_id = found.pop("centre")
    return jsonify({"protocol": PROTOCOL, **found})


@sync.put("/attachments/<sha256>")
def attachment(sha256: str) -> Any:
    """Take in one piece of a sealed attachment, signed by its phone; say how much of it is here."""
    found = PIECE.fullmatch(request.headers.get("Content-Range", ""))
    proof = request.headers.get("X-Proof", "")
    if not found or not HASH.fullmatch(sha256) or not PROOF.fullmatch(proof):
        raise attachments.REFUSED
    start, size = int(found[1]), int(found[2])
    received = attachments.receive_piece(
        session(),
        request.headers.get("X-Device", ""),
        sha256,
        start,
        size,
        base64.b64decode(proof),
        request.get_data(),
        current_app.config["LIMITS"],
    )
    return jsonify({"protocol": PROTOCOL, "received": received})


def _malformed(refused: BatchRefused) -> Any:
    listed = [{**problem.to_json(), "text": gettext(problem.text)} for problem in refused.problems]
    text = gettext("The message is malformed; nothing of it was kept.")
    return problems.answer("sync.malformed", text, 422, problems=listed)
