"""Receive what phones sealed: check who made each record, open it, and let the batch act decide about it.

Whoever carries a delivery needs no right of their own: each record is signed by the phone that made it.
"""

import contextlib
import datetime as dt
import json
import logging
from collections.abc import Mapping
from typing import Any

from fieldapp.services import keys
from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.keys import KeyUnavailable
from fieldapp.services.phones.devices import choose_pending_order
from fieldapp.services.phones.limits import DEFAULT, Limits
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.attachments import MAX_PIECE, receive_piece
from fieldapp.services.records.batches import receive_batch
from fieldapp.services.records.intake import Arrived
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import keys as centre_keys
from fieldapp.store.people import users
from fieldapp.store.phones import devices
from fieldapp.store.phones.devices import Device
from fieldapp.store.records.submissions import PHONE, SEALED
from fieldapp.store.session import Session
from sync.bodies import mended
from sync.envelope import Envelope
from sync.intake import Status
from sync.problems import N_
from sync.sealed import (
    MAX_COPIED,
    MAX_SEALED,
    SealedDelivery,
    SealedRecord,
    is_signed,
    open_sealed,
    parse_copied_attachments,
    parse_delivery,
)

log = logging.getLogger("fieldapp.sync")

UNOPENABLE = "sync.unopenable", N_("The centre could not open the record. It is stored as it arrived.")
REPORTED = {"persisted": bool, "free_mb": int, "app": str, "clock": int, "oldest": int}
MAX_WORD, MAX_NUMBER = 40, 1_000_000
SEEN_EVERY = dt.timedelta(minutes=10)  # a phone that has nothing new to say is noted no more often


def receive_delivery(session: Session, delivery: SealedDelivery, secret: str, limits: Limits = DEFAULT) -> dict[str, Any]:
    """Return an answer for each record (id, hash of its box, status) and an order for each phone that is named.

    `centre` is whose phones these are, and who signs the answer: None when no phone is known.
    """
    named = {phone["device"]: phone for phone in delivery.phones}
    known = devices.by_uids(session, {*named, *(item.device for item in delivery.items)})
    answers: dict[int, dict[str, Any]] = {}  # by place: two phones may name one id
    orders = {}
    for uid, device in known.items():
        owner = session.get(users.User, device.user_id)
        orders[uid] = choose_pending_order(device, owner)
        sent = {place: item for place, item in enumerate(delivery.items) if item.device == uid}
        opened = _open(session, sent, device, secret)
        report = _report(named.get(uid))
        if not opened:
            _note_contact(session, device, report)
            continue
        actor = Actor(device.centre_id, WORKER, device.user_id, device.id)
        signs = keys.find_receipt_signer(session, device.centre_id, secret)
        decided = receive_batch(session, actor, list(opened.values()), report=report, signer=signs, limits=limits)
        answers |= zip(opened, decided, strict=True)
    items = []
    for place, item in enumerate(delivery.items):
        answer = answers.get(place, {"status": str(Status.RETRY)})
        items.append({**answer, "id": item.id, "sha256": item.sha256})
    centre = next(iter(known.values())).centre_id if known else None
    return {"items": items, "orders": orders, "now": utcnow().isoformat(), "centre": centre}


def take_in_copy(session: Session, actor: Actor, data: bytes, secret: str, limits: Limits = DEFAULT) -> list[dict[str, Any]]:
    """Return an answer for each record of a sealed copy that an admin brings; another centre's are left alone.

    Raise BatchRefused when it is no sealed copy. Each phone's records are taken in by an act of that phone's worker.
    """
    ours, strangers = _bring_copy(session, actor, data=data)
    phones = {item.device for item in ours}
    for one in parse_copied_attachments(data):
        with contextlib.suppress(ActProblem):  # what is not that phone's stays out, and its record waits for it
            for start in range(0, len(one.data) if one.device in phones else 0, MAX_PIECE):
                piece = one.data[start : start + MAX_PIECE]
                receive_piece(session, one.device, one.sha256, start, len(one.data), one.proof, piece, limits)
    found = [{"id": item.id, "status": str(Status.RETRY)} for item in strangers]
    for start in range(0, len(ours), MAX_SEALED):
        found += receive_delivery(session, SealedDelivery([], ours[start : start + MAX_SEALED]), secret, limits)["items"]
    return found


@act("copy.bring")
def _bring_copy(ctx: ActContext, data: bytes) -> tuple[list[SealedRecord], list[SealedRecord]]:
    """Return the records of a copy that this centre's phones made, and the others."""
    items = parse_delivery(data, MAX_COPIED).items
    known = devices.by_uids(ctx.session, {item.device for item in items})
    ours = {uid for uid, device in known.items() if device.centre_id == ctx.centre_id}
    ctx.describe("copy", records=len(items))
    return [item for item in items if item.device in ours], [item for item in items if item.device not in ours]


def _open(session: Session, sent: Mapping[int, SealedRecord], device: Device, secret: str) -> dict[int, Arrived]:
    """Return, by place, what is inside of those that this phone signed, as far as the server has their keys for now."""
    signed = {place: item for place, item in sent.items() if device.public_key and is_signed(item, device.public_key)}
    known = centre_keys.by_kids(session, device.centre_id, {item.kid for item in signed.values()})
    opened = {}
    for place, item in signed.items():
        key = known.get(item.kid)
        try:
            envelope, number = open_sealed(item, keys.private_key(key, secret)) if key else (None, 0)
        except KeyUnavailable:
            log.error("a key of centre/%s cannot be unwrapped: FIELDAPP_SECRET_KEY did not make it", device.centre_id)
            continue
        aside = None if envelope else UNOPENABLE
        opened[place] = Arrived(envelope or _as_it_came(item), number, aside, item.sha256, PHONE)
    return opened


def _note_contact(session: Session, device: Device, report: dict[str, Any] | None) -> None:
    """Keep when a phone was last seen and what it says of itself; no act of a person, so no audit line."""
    if report is None:
        return
    now = utcnow()
    is_news = not device.report or any(getattr(device, key) != report[key] for key in ("made", "unsent", "deleted"))
    if is_news or now - device.last_seen_at > SEEN_EVERY:
        with WriteTransaction(session):
            if devices.is_shut_out(session, device.id):
                devices.freeze_waiting_count(session, device.id)
            devices.update_last_contact(session, device.id, now, report)


def _as_it_came(item: SealedRecord) -> Envelope:
    body = json.dumps({"kid": item.kid, "box": item.ciphertext.hex()})
    return Envelope(item.id, SEALED, item.kid, utcnow(), body, item.sha256)


def _report(phone: dict[str, Any] | None) -> dict[str, Any] | None:
    if phone is None:
        return None
    counts = {key: phone.get(key) for key in ("made", "unsent", "deleted")}
    found: dict[str, Any] = {key: min(n, MAX_NUMBER) if isinstance(n, int) and n >= 0 else 0 for key, n in counts.items()}
    said = {key: phone[key] for key, kind in REPORTED.items() if isinstance(phone.get(key), kind)}
    found["report"] = {
        key: mended(value[:MAX_WORD]) if isinstance(value, str) else max(-MAX_NUMBER, min(value, MAX_NUMBER))
        for key, value in said.items()
    }
    return found
