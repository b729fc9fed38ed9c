"""Receive a batch of submissions from a phone, in one transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fieldapp.services.acts import Act, Actor, act
from fieldapp.services.bounds import DEFAULT, Limits
from fieldapp.services.corrections import apply_reissues
from fieldapp.services.intake import Arrived, take_in
from fieldapp.services.judging import Judgements, judge_all
from fieldapp.store import devices
from forms.budget import TooSlow
from sync.envelope import Envelope
from sync.receipts import Signer


def receive_batch(
    session: Session,
    actor: Actor,
    items: Sequence[Arrived | Envelope],
    report: dict[str, Any] | None = None,
    signer: Signer | None = None,
    limits: Limits = DEFAULT,
) -> list[dict[str, Any]]:
    """Return one answer a submission: id, hash, status, receipt, and the reasons when it was refused.

    `report` is what the phone says of itself: columns of the device. Without a signer there are no receipts.
    """
    arrived = [item if isinstance(item, Arrived) else Arrived(item) for item in items]
    judgements = _judged(session, actor, arrived)
    try:
        return _receive(session, actor, arrived, report or {}, signer, judgements, limits)
    except (IntegrityError, TooSlow):  # another connection stored one of these, or of their records, since we looked
        judgements = _judged(session, actor, arrived)
        return _receive(session, actor, arrived, report or {}, signer, judgements, limits)


def _judged(session: Session, actor: Actor, arrived: Sequence[Arrived]) -> Judgements:
    """Ask the rules about all of them: what consent does not allow is not kept aside either."""
    return judge_all(session, actor.centre_id, [one.envelope for one in arrived])


@act("batch.receive")
def _receive(
    a: Act,
    arrived: list[Arrived],
    report: dict[str, Any],
    signer: Signer | None,
    judgements: Judgements,
    limits: Limits,
) -> list[dict[str, Any]]:
    answers = take_in(a, arrived, signer, judgements, limits)
    apply_reissues(a, arrived)
    assert a.actor.device_id is not None
    devices.note_contact(a.session, a.actor.device_id, a.now, report)
    counts: dict[str, int] = {}
    for answer in answers:
        counts[answer["status"]] = counts.get(answer["status"], 0) + 1
    a.note(f"device/{a.actor.device_id}", **counts)
    return answers
