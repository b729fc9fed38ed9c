"""Receive a batch of submissions from a phone, in one transaction; one by one when one of them cannot be taken in."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.failures import note_failure
from fieldapp.services.phones.limits import DEFAULT, Limits
from fieldapp.services.records.corrections import apply_reissues
from fieldapp.services.records.form_rules import Judgements, judge_all
from fieldapp.services.records.intake import NOT_KEPT, Arrived, is_everybodys, keep_failed, take_in
from fieldapp.store.phones import devices
from fieldapp.store.session import IntegrityError, Session
from forms.budget import TooSlow
from forms.problems import AnswerProblem
from sync.envelope import Envelope
from sync.intake import FAILED, Status
from sync.receipts import Signer

log = logging.getLogger("fieldapp.sync")

Answer = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """What one phone sends at once, and what it says of itself: columns of the device."""

    arrived: Sequence[Arrived]
    report: dict[str, Any]
    signer: Signer | None
    limits: Limits


def receive_batch(
    session: Session,
    actor: Actor,
    items: Sequence[Arrived | Envelope],
    report: dict[str, Any] | None = None,
    signer: Signer | None = None,
    limits: Limits = DEFAULT,
) -> list[Answer]:
    """Return one answer a submission: id, hash, status, receipt, and the reasons when it was refused.

    Answers stand in the order of the items. `report` is what the phone says of itself: columns of the device. Without a
    signer there are no receipts. A submission that nobody can take in is kept aside and holds up no other.
    """
    arrived = [item if isinstance(item, Arrived) else Arrived(item) for item in items]
    message = Message(arrived, report or {}, signer, limits)
    try:
        return _receive_whole(session, actor, message)
    except Exception as error:
        if is_everybodys(error):
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
        return keep_failed(ctx, item, message.signer, message.limits)

    try:
        return _receive_whole(session, actor, message)[0]
    except Exception as error:
        if is_everybodys(error):
            raise
        note_failure(log, f"{what} taken in", error)
    try:
        return _receive(session, actor, message, keep_aside)[0]
    except Exception as error:
        if is_everybodys(error):
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


def _judged(session: Session, actor: Actor, arrived: Sequence[Arrived]) -> Judgements:
    """Ask the rules about all of them: what consent does not allow is not kept aside either."""
    return judge_all(session, actor.centre_id, [item.envelope for item in arrived])


def _taking_in(message: Message, judgements: Judgements) -> Callable[[ActContext], list[Answer]]:
    def take(ctx: ActContext) -> list[Answer]:
        answers: dict[int, Answer] = {}
        for places in _rounds(message.arrived):
            some = [message.arrived[place] for place in places]
            answers |= zip(places, take_in(ctx, some, message.signer, judgements, message.limits), strict=True)
        apply_reissues(ctx, message.arrived)
        first = {_sent(item): place for place, item in reversed(list(enumerate(message.arrived)))}
        return [answers[first[_sent(item)]] for item in message.arrived]

    return take


def _rounds(arrived: Sequence[Arrived]) -> list[list[int]]:
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


def _sent(item: Arrived) -> tuple[str, str, str]:
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
    if counts.keys() <= set(NOT_KEPT):
        ctx.skip_audit()
    return answers
