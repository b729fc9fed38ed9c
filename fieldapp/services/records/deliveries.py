"""Receive what phones sealed: check who made each record, open it, and let the batch act decide about it.

Whoever carries a delivery needs no right of their own: each record is signed by the phone that made it.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services import keys
from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.failures import note_failure
from fieldapp.services.keys import KeyUnavailable
from fieldapp.services.phones.devices import choose_pending_order
from fieldapp.services.phones.limits import DEFAULT, Limits
from fieldapp.services.phones.reports import _clean_phone_report, _record_contact
from fieldapp.services.records.decisions import NOT_STORED, IncomingSubmission
from fieldapp.services.records.form_rules import Judgements, judge_all
from fieldapp.services.records.intake import concerns_whole_message, store_failed, store_submissions
from fieldapp.services.records.new_codes import apply_new_codes
from fieldapp.store.operations import keys as centre_keys
from fieldapp.store.people import users
from fieldapp.store.phones import devices
from fieldapp.store.phones.devices import Device
from fieldapp.store.records.submissions import PHONE, SEALED
from fieldapp.store.session import IntegrityError, Session
from forms.budget import TooSlow
from forms.problems import AnswerProblem
from sync.envelope import Envelope
from sync.intake import FAILED, Status
from sync.problems import N_
from sync.receipts import Signer
from sync.sealed import (
    SealedDelivery,
    SealedRecord,
    is_signed,
    open_sealed,
)

log = logging.getLogger("fieldapp.sync")

CANNOT_DECRYPT = "sync.unopenable", N_("The centre could not open the record. It is stored as it arrived.")


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
        opened = _decrypt_records(session, sent, device, secret)
        report = _clean_phone_report(named.get(uid))
        if not opened:
            _record_contact(session, device, report)
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


def _decrypt_records(
    session: Session, sent: Mapping[int, SealedRecord], device: Device, secret: str
) -> dict[int, IncomingSubmission]:
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
        aside = None if envelope else CANNOT_DECRYPT
        opened[place] = IncomingSubmission(envelope or _wrap_unopened(item), number, aside, item.sha256, PHONE)
    return opened


def _wrap_unopened(item: SealedRecord) -> Envelope:
    body = json.dumps({"kid": item.kid, "box": item.ciphertext.hex()})
    return Envelope(item.id, SEALED, item.kid, utcnow(), body, item.sha256)


Answer = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """What one phone sends at once, and what it says of itself: columns of the device."""

    arrived: Sequence[IncomingSubmission]
    report: dict[str, Any]
    signer: Signer | None
    limits: Limits


def receive_batch(
    session: Session,
    actor: Actor,
    items: Sequence[IncomingSubmission | Envelope],
    report: dict[str, Any] | None = None,
    signer: Signer | None = None,
    limits: Limits = DEFAULT,
) -> list[Answer]:
    """Return one answer a submission: id, hash, status, receipt, and the reasons when it was refused.

    Answers stand in the order of the items. `report` is what the phone says of itself: columns of the device. Without a
    signer there are no receipts. A submission that nobody can take in is kept aside and holds up no other.
    """
    arrived = [item if isinstance(item, IncomingSubmission) else IncomingSubmission(item) for item in items]
    message = Message(arrived, report or {}, signer, limits)
    try:
        return _receive_whole(session, actor, message)
    except Exception as error:
        if concerns_whole_message(error):
            raise
        note_failure(log, f"a message of device/{actor.device_id} is taken in one by one", error)
    return [_receive_alone(session, actor, Message([item], message.report, signer, limits)) for item in arrived]


def _receive_whole(session: Session, actor: Actor, message: Message) -> list[Answer]:
    judgements = _judged(session, actor, message.arrived)
    try:
        return _receive(session, actor, message, _taking_in(message, judgements))
    except (IntegrityError, TooSlow):  # another connection stored one of these, or of their records, since we looked
        judgements = _judged(session, actor, message.arrived)
        return _receive(session, actor, message, _taking_in(message, judgements))


def _receive_alone(session: Session, actor: Actor, message: Message) -> Answer:
    """Return the answer to one submission, which is kept aside when it cannot be taken in."""
    (item,) = message.arrived
    what = f"a submission of device/{actor.device_id} could not be"

    def keep_aside(ctx: ActContext) -> list[Answer]:
        return store_failed(ctx, item, message.signer, message.limits)

    try:
        return _receive_whole(session, actor, message)[0]
    except Exception as error:
        if concerns_whole_message(error):
            raise
        note_failure(log, f"{what} taken in", error)
    try:
        return _receive(session, actor, message, keep_aside)[0]
    except Exception as error:
        if concerns_whole_message(error):
            raise
        note_failure(log, f"{what} kept aside either", error)
    problems = [AnswerProblem(*FAILED, "").to_json()]
    envelope = item.envelope
    return {
        "id": envelope.instance_id,
        "sha256": envelope.sha256,
        "status": str(Status.RETRY),
        "problems": problems,
    }


def _judged(session: Session, actor: Actor, arrived: Sequence[IncomingSubmission]) -> Judgements:
    """Ask the rules about all of them: what consent does not allow is not kept aside either."""
    return judge_all(session, actor.centre_id, [item.envelope for item in arrived])


def _taking_in(message: Message, judgements: Judgements) -> Callable[[ActContext], list[Answer]]:
    def take(ctx: ActContext) -> list[Answer]:
        answers: dict[int, Answer] = {}
        for places in _rounds(message.arrived):
            some = [message.arrived[place] for place in places]
            answers |= zip(places, store_submissions(ctx, some, message.signer, judgements, message.limits), strict=True)
        apply_new_codes(ctx, message.arrived)
        first = {_sent(item): place for place, item in reversed(list(enumerate(message.arrived)))}
        return [answers[first[_sent(item)]] for item in message.arrived]

    return take


def _rounds(arrived: Sequence[IncomingSubmission]) -> list[list[int]]:
    """Return the places of submissions to take in at once: each id once a round, and the very same bytes only once.

    Whatever else comes under an id in the same message then finds the first, as if it came in a later message.
    """
    seen = set()
    often: dict[str, int] = {}
    rounds: list[list[int]] = []
    for place, item in enumerate(arrived):
        if _sent(item) in seen:
            continue
        seen.add(_sent(item))
        number = often.get(item.envelope.instance_id, 0)
        often[item.envelope.instance_id] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(place)
    return rounds


def _sent(item: IncomingSubmission) -> tuple[str, str, str]:
    return item.envelope.instance_id, item.envelope.sha256, item.sent_sha256


@act("batch.receive")
def _receive(ctx: ActContext, message: Message, take: Callable[[ActContext], list[Answer]]) -> list[Answer]:
    answers = take(ctx)
    assert ctx.actor.device_id is not None
    devices.update_last_contact(ctx.session, ctx.actor.device_id, ctx.now, message.report)
    counts: dict[str, int] = {}
    for answer in answers:
        counts[answer["status"]] = counts.get(answer["status"], 0) + 1
    ctx.describe(f"device/{ctx.actor.device_id}", **counts)
    if counts.keys() <= set(NOT_STORED):
        ctx.skip_audit()
    return answers
