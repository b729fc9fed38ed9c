"""Receive what phones send: open the sealed records, and store each phone's message.

The carrier of a delivery needs no right of their own: each record is signed by the phone that
made it. Read on in this order: form_rules (judge), decisions, intake (store), folding.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fieldapp.services import keys
from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.consent.forgotten import UNREACHABLE
from fieldapp.services.failures import note_failure
from fieldapp.services.keys import KeyUnavailable
from fieldapp.services.phones.devices import choose_pending_order
from fieldapp.services.phones.limits import DEFAULT, Limits
from fieldapp.services.phones.reports import clean_report, record_contact
from fieldapp.services.problems import ActProblem
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
from sync.slips import tag_slip

log = logging.getLogger("fieldapp.sync")

CANNOT_DECRYPT = "sync.unopenable", N_("The centre could not open the record. It is stored as it arrived.")

Answer = dict[str, Any]


def receive_delivery(session: Session, delivery: SealedDelivery, secret: str, limits: Limits = DEFAULT) -> dict[str, Any]:
    """Receive the sealed records of one or more phones, each in the name of its worker.

    Returns `items`, an answer for each record in their order (id, SHA-256 of its ciphertext, status, receipt);
    `orders`, by the uid of each phone that the centre knows; and `centre`, whose phones these are and whose
    signature the answer gets: None when no phone is known.
    """
    reports = {phone["device"]: phone for phone in delivery.phones}
    phones = devices.by_uids(session, {*reports, *(record.device for record in delivery.items)})
    # By place and not by id: ids come from phones, and one delivery can carry those of several.
    answers: dict[int, Answer] = {}  # by place in the delivery: two phones may use the same id
    orders = {}
    for uid, device in phones.items():
        owner = session.get(users.User, device.user_id)
        orders[uid] = choose_pending_order(device, owner)
        sent = {place: record for place, record in enumerate(delivery.items) if record.device == uid}
        opened = _decrypt_records(session, sent, device, secret)
        report = clean_report(reports.get(uid))
        if not opened:
            record_contact(session, device, report)
            # A delivery without records still brings a report: that is how the centre sees that a
            # phone is alive.
            continue
        actor = Actor(device.centre_id, WORKER, device.user_id, device.id)
        signer = keys.find_receipt_signer(session, device.centre_id, secret)
        received = receive_batch(session, actor, list(opened.values()), report=report, signer=signer, limits=limits)
        answers |= zip(opened, received, strict=True)
    items = []
    for place, record in enumerate(delivery.items):
        # A record of an unknown phone, or with a signature that is not its phone's: nothing is
        # stored and nothing is said about why.
        answer = answers.get(place, {"status": str(Status.RETRY)})
        items.append({**answer, "id": record.id, "sha256": record.sha256})
    centre = next(iter(phones.values())).centre_id if phones else None
    return {"items": items, "orders": orders, "now": utcnow().isoformat(), "centre": centre}


def _decrypt_records(
    session: Session, sent: Mapping[int, SealedRecord], device: Device, secret: str
) -> dict[int, IncomingSubmission]:
    """Return, by place, the contents of the records that this phone signed.

    A record whose key is known but cannot be used now is left out: the phone sends it again. One that cannot be
    opened is wrapped as it came, to be quarantined.
    """
    # The signature comes before the key: of a stranger's record nothing is decrypted.
    signed = {}
    for place, record in sent.items():
        if device.public_key and is_signed(record, device.public_key):
            signed[place] = record
    centre_keys_by_kid = centre_keys.by_kids(session, device.centre_id, {record.kid for record in signed.values()})
    opened = {}
    for place, record in signed.items():
        key = centre_keys_by_kid.get(record.kid)
        envelope: Envelope | None = None
        number = 0
        try:
            if key:
                envelope, number = open_sealed(record, keys.private_key(key, secret))
        except KeyUnavailable:
            log.error("a key of centre/%s cannot be unwrapped: the server's secret key did not make it", device.centre_id)
            continue
        if envelope is None:
            opened[place] = IncomingSubmission(_wrap_unopened(record), number, CANNOT_DECRYPT, record.sha256, PHONE)
        else:
            tag = tag_slip(envelope.slip, keys.derive_slip_key(secret)) if envelope.slip else ""
            # From here on only the tag is known.
            unslipped = replace(envelope, slip="")
            opened[place] = IncomingSubmission(unslipped, number, None, record.sha256, PHONE, slip_tag=tag)
    return opened


def _wrap_unopened(record: SealedRecord) -> Envelope:
    """Return a record that no key opens as a submission, so that it is stored and not lost."""
    # In hexadecimal, so that it can be opened later, when the key is found again in a backup.
    body = json.dumps({"kid": record.kid, "box": record.ciphertext.hex()})
    return Envelope(record.id, SEALED, record.kid, utcnow(), body, record.sha256)


@dataclass(frozen=True)
class Message:
    """What one phone sends at once.

    `report`: columns of its device, as the phone reports them.
    """

    items: Sequence[IncomingSubmission]
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
    """Store the submissions of one phone together; one by one when one of them fails.

    Returns one answer for each, in their order: id, SHA-256, status, a receipt when there is a `signer`, and the
    problems when it was refused. A submission that fails is quarantined and delays no other.
    """
    incoming = [item if isinstance(item, IncomingSubmission) else IncomingSubmission(item) for item in items]
    message = Message(incoming, report or {}, signer, limits)
    try:
        return _receive_whole(session, actor, message)
    except Exception as error:
        # A database that is away fails each of them alone as well.
        if concerns_whole_message(error) and not _is_about_list(error):
            raise
        note_failure(log, f"a message of device/{actor.device_id} is taken in one by one", error)
    answers = []
    for item in incoming:
        try:
            answers.append(_receive_alone(session, actor, Message([item], message.report, signer, limits)))
        except ActProblem as problem:
            if not _is_about_list(problem):
                raise
            # Somebody takes everything back, and that cannot be written down now: all else is taken in.
            log.error("a submission of device/%s waits: %s", actor.device_id, problem.code)
            envelope = item.envelope
            answers.append({"id": envelope.instance_id, "sha256": envelope.sha256, "status": str(Status.RETRY)})
    return answers


def _is_about_list(error: Exception) -> bool:
    """Say whether the list of what people took back cannot be written: only ends need it."""
    return isinstance(error, ActProblem) and error.code == UNREACHABLE


def _receive_whole(session: Session, actor: Actor, message: Message) -> list[Answer]:
    try:
        return _judge_and_store(session, actor, message)
    # Another connection stored one of these, or of their records, since we looked.
    except (IntegrityError, TooSlow):
        return _judge_and_store(session, actor, message)


def _judge_and_store(session: Session, actor: Actor, message: Message) -> list[Answer]:
    # All are judged, also those that will be quarantined: what consent does not allow is not quarantined either.
    judgements = judge_all(session, actor.centre_id, [item.envelope for item in message.items], sender=actor.device_id)

    def store(ctx: ActContext) -> list[Answer]:
        return _store_message(ctx, message, judgements)

    return _receive(session, actor, message, store)


def _receive_alone(session: Session, actor: Actor, message: Message) -> Answer:
    """Store one submission, which is quarantined when that fails; return its answer."""
    (item,) = message.items
    subject = f"a submission of device/{actor.device_id} could not be"

    def quarantine(ctx: ActContext) -> list[Answer]:
        return store_failed(ctx, item, message.signer, message.limits)

    try:
        return _receive_whole(session, actor, message)[0]
    except Exception as error:
        if concerns_whole_message(error):
            raise
        note_failure(log, f"{subject} taken in", error)
    try:
        return _receive(session, actor, message, quarantine)[0]
    except Exception as error:
        if concerns_whole_message(error):
            raise
        note_failure(log, f"{subject} kept aside either", error)
    # Neither stored nor set aside: the phone has to keep it, so it gets no receipt.
    return {
        "id": item.envelope.instance_id,
        "sha256": item.envelope.sha256,
        "status": str(Status.RETRY),
        "problems": [AnswerProblem(*FAILED, "").to_json()],
    }


def _store_message(ctx: ActContext, message: Message, judgements: Judgements) -> list[Answer]:
    """Store the submissions of a message; return an answer for each."""
    answers: dict[tuple[str, str, str], Answer] = {}
    for batch in _split_into_rounds(message.items):
        stored = store_submissions(ctx, batch, message.signer, judgements, message.limits)
        answers |= zip(map(_identify, batch), stored, strict=True)
    apply_new_codes(ctx, message.items)
    return [answers[_identify(item)] for item in message.items]


def _split_into_rounds(items: Sequence[IncomingSubmission]) -> list[list[IncomingSubmission]]:
    """Return submissions to store together: each id once a round, equal bytes only once.

    Another submission under the same id then meets the first, as if it came in a later message.
    """
    seen = set()
    rounds_by_id: dict[str, int] = {}
    rounds: list[list[IncomingSubmission]] = []
    for item in items:
        if _identify(item) in seen:
            continue
        seen.add(_identify(item))
        number = rounds_by_id.get(item.envelope.instance_id, 0)
        rounds_by_id[item.envelope.instance_id] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(item)
    return rounds


def _identify(item: IncomingSubmission) -> tuple[str, str, str]:
    return item.envelope.instance_id, item.envelope.sha256, item.sent_sha256


@act("batch.receive")
def _receive(ctx: ActContext, message: Message, store: Callable[[ActContext], list[Answer]]) -> list[Answer]:
    answers = store(ctx)
    assert ctx.actor.device_id is not None
    devices.update_last_contact(ctx.session, ctx.actor.device_id, ctx.now, message.report)
    counts = Counter(answer["status"] for answer in answers)
    ctx.describe(f"device/{ctx.actor.device_id}", **counts)
    # What stored nothing leaves no audit line: phones without signal try again and again.
    if counts.keys() <= set(NOT_STORED):
        ctx.skip_audit()
    return answers
