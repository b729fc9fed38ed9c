"""What the phone app asks of the server (docs/protocol.md): join, fetch, deliver."""

import base64
import functools
import gzip
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.access import WORKER
from fieldapp.services.acts import Actor
from fieldapp.services.caseload.labels import keep_labels
from fieldapp.services.keys import current_key, find_receipt_signer, signing_key
from fieldapp.services.people.sign_in import sign_in as check
from fieldapp.services.phones import devices
from fieldapp.services.phones import manifest as phone_forms
from fieldapp.services.phones.log_state import read_log_state
from fieldapp.services.phones.pull import fetch_record_for_correction, note_pulled, note_shown_epoch, pull_changes
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products import maps
from fieldapp.services.records import attachments
from fieldapp.services.records.deliveries import receive_batch, receive_delivery
from fieldapp.store.operations import centres
from fieldapp.store.people.users import User
from fieldapp.web import problems
from fieldapp.web.parsing import parse_number
from fieldapp.web.server_keys import server_secret
from fieldapp.web.sessions import session
from sync.bodies import replace_unstorable
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
def require_json() -> None:
    # A form on another site can send text, but never this type without asking first.
    if request.method == "POST" and request.mimetype != "application/json":
        raise ActProblem("sync.media_type", N_("Send application/json."))


@sync.after_request
def sign_answer(response: Response) -> Response:
    """Sign the answer with the phone's nonce: nobody in between can forge or replay it."""
    nonce = request.headers.get("X-Nonce", "")
    centre_id = g.get("centre_id")
    if centre_id and NONCE.fullmatch(nonce) and response.status_code == HTTPStatus.OK:
        signs = find_receipt_signer(session(), centre_id, server_secret())
        # No signature at all, rather than a false one: the phone then deletes nothing.
        if signs is None:
            return response
        # Over the text before compression, which a proxy may undo.
        response.headers["X-Signature"] = signs.answer(nonce, g.get("plain") or response.get_data())
    return response


def require_phone_token(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Admit phones only: the bearer token becomes the actor, never the cookie of a browser."""

    @functools.wraps(view)
    def run(**kwargs: Any) -> ResponseReturnValue:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        actor = None
        if scheme == "Bearer" and token:
            actor = devices.find_actor_for_token(session(), token)
        if actor is None:
            raise ActProblem("sync.token", N_("This phone is not signed in any more. Sign in again; nothing is lost."))
        g.actor = actor
        g.centre_id = actor.centre_id
        return view(**kwargs)

    return run


@sync.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    sent = _read_json()
    user = check(session(), sent.field("username"), sent.field("password"), request.remote_addr or "")
    # A phone keeps records without signal; other roles only look at the centre's.
    if user.role != WORKER:
        raise ActProblem("sign_in.role", N_("The phone app is for outreach workers. Use the office page instead."))
    actor = Actor(user.centre_id, user.role, user.id)
    # A password alone must not be enough where the centre wants to see each phone that joins.
    if centres.get(session(), user.centre_id).by_invitation:
        text = N_("At this centre a phone joins by invitation. Ask for one and scan its QR code with your phone's camera.")
        raise ActProblem("sync.invitation_only", text)
    enrolled = devices.enrol_device(session(), actor, label=sent.field("device"), public_key=sent.field("public_key"))
    return _make_sign_in_response(actor, enrolled)


@sync.post("/join")
def join() -> ResponseReturnValue:
    """Accept a phone with an invitation, which only the first phone can use."""
    sent = _read_json()
    invitation = sent.field("invitation")
    actor = devices.find_actor_for_invitation(session(), invitation)
    enrolled = devices.join_device(
        session(), actor, token=invitation, label=sent.field("device"), public_key=sent.field("public_key")
    )
    return _make_sign_in_response(actor, enrolled)


class _SentFields(dict[str, Any]):
    """What a phone sent; a field that is missing is an empty text."""

    def field(self, name: str) -> str:
        return str(self.get(name, ""))


def _read_json() -> _SentFields:
    """Return what a phone sent, as far as a database can store it; empty if no JSON object."""
    try:
        body = replace_unstorable(request.get_json(silent=True))
    except (ValueError, RecursionError):
        return _SentFields()
    return _SentFields(body) if isinstance(body, dict) else _SentFields()


def _make_sign_in_response(actor: Actor, enrolled: devices.Enrolment) -> ResponseReturnValue:
    """Return what a phone needs that has just joined."""
    user = session().get_one(User, actor.user_id)
    about = {
        "token": enrolled.token,
        "device": enrolled.uid,
        "worker": user.label,
        "user": user.id,
        "username": user.username,
    }
    about["recovery"] = devices.recovery_secret(server_secret(), user.id)
    return jsonify({"protocol": PROTOCOL, **about, "manifest": _manifest(actor)})


@sync.get("/pull")
@require_phone_token
def pull() -> ResponseReturnValue:
    """Give what changed for this worker after a cursor: caseload, follow-ups, corrections."""
    cursor = request.args.get("cursor", "0")
    note_shown_epoch(session(), g.actor, cursor=cursor)
    if request.args.get("ended"):  # an app of before keeps drafts about cards that ended
        note_pulled(session(), g.actor, cursor=cursor)
    return _compressed(pull_changes(session(), g.actor, cursor=cursor, log_state=_log_state(g.centre_id)), level=1)


@sync.post("/labels")
@require_phone_token
def labels() -> ResponseReturnValue:
    """Keep a worker's own labels for cards, sealed on their phone."""
    sent = _read_json().get("labels")
    codes = keep_labels(session(), g.actor, labels=sent if isinstance(sent, dict) else {})
    return jsonify({"protocol": PROTOCOL, "kept": codes})


@sync.get("/records/<instance_id>")
@require_phone_token
def record(instance_id: str) -> ResponseReturnValue:
    """Give a worker's own record back, for correcting it."""
    return jsonify({"protocol": PROTOCOL, **fetch_record_for_correction(session(), g.actor, instance_id=instance_id)})


@sync.get("/manifest")
@require_phone_token
def manifest() -> ResponseReturnValue:
    return jsonify(_manifest(g.actor))


def _manifest(actor: Actor) -> dict[str, Any]:
    secret = server_secret()
    key = current_key(session(), actor.centre_id, secret)
    receipts = signing_key(session(), actor.centre_id, secret)
    manifest = phone_forms.fetch_manifest(session(), actor, key=key, receipts=receipts)
    return {**manifest, "kept": _log_state(actor.centre_id)}


def _log_state(centre_id: int) -> dict[str, Any]:
    return read_log_state(session(), centre_id, bool(current_app.config["SETTINGS"].copies))


@sync.get("/map")
@require_phone_token
def spot_map() -> ResponseReturnValue:
    """Give the centre's last maps of where and when: rounded numbers, no points."""
    return jsonify(maps.fetch_maps(session(), g.actor))


@sync.get("/areas/<key>")
@require_phone_token
def areas(key: str) -> ResponseReturnValue:
    return _compressed(phone_forms.fetch_areas(session(), g.actor, key=key))


@sync.get("/forms/<form>/<version>")
@require_phone_token
def form(form: str, version: str) -> ResponseReturnValue:
    return _compressed(phone_forms.fetch_form(session(), g.actor, form=form, version=version))


def _compressed(text: str, level: int = 6) -> Response:
    g.plain = text.encode()
    response = Response(text, mimetype="application/json")
    # No secret is in here, so that the size of the compressed text tells nobody anything.
    if request.accept_encodings.quality("gzip") > 0:
        # Without a time in it, so that the same content gives the same bytes.
        response = Response(gzip.compress(g.plain, level, mtime=0), mimetype="application/json")
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response


@sync.post("/batch")
@require_phone_token
def batch() -> ResponseReturnValue:
    """Receive up to 100 submissions and answer each; store nothing of a malformed batch."""
    try:
        envelopes = parse_batch(request.get_data())
    except BatchRefused as refused:
        return _malformed(refused)
    # Phones say it themselves; a larger number would not fit the column.
    unsent_count = min(parse_number(request.headers.get("X-Unsent", "0")), 1_000_000)
    items = receive_batch(
        session(),
        g.actor,
        envelopes,
        report={"unsent": unsent_count},
        signer=find_receipt_signer(session(), g.actor.centre_id, server_secret()),
        limits=current_app.config["LIMITS"],
    )
    return jsonify({"protocol": PROTOCOL, "items": items})


@sync.post("/deliver")
def deliver() -> ResponseReturnValue:
    """Receive sealed records; any phone may carry them.

    The answer tells each phone that is named whether it must lock or wipe itself.
    """
    try:
        delivery = parse_delivery(request.get_data())
    except BatchRefused as refused:
        return _malformed(refused)
    answers = receive_delivery(session(), delivery, server_secret(), current_app.config["LIMITS"])
    # Signed by the centre of the phones; where no phone is known, there is nobody who could check.
    g.centre_id = answers.pop("centre")
    if g.centre_id is not None:
        answers["kept"] = _log_state(g.centre_id)
    return jsonify({"protocol": PROTOCOL, **answers})


@sync.put("/attachments/<sha256>")
def attachment(sha256: str) -> ResponseReturnValue:
    """Store one piece of a sealed attachment, signed by its phone; say how much is there."""
    content_range = PIECE.fullmatch(request.headers.get("Content-Range", ""))
    proof = request.headers.get("X-Proof", "")
    # The shape is checked here, so that nothing malformed costs a look into the database.
    if not content_range or not HASH.fullmatch(sha256) or not PROOF.fullmatch(proof):
        raise attachments.MALFORMED
    start = int(content_range[1])
    size = int(content_range[2])
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


def _malformed(refused: BatchRefused) -> ResponseReturnValue:
    reasons = [{**problem.to_json(), "text": gettext(problem.text)} for problem in refused.problems]
    text = gettext("The message is malformed; nothing of it was stored.")
    return problems.answer("sync.malformed", text, 422, problems=reasons)
