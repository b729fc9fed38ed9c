"""Receive a batch of submissions from a phone, in one transaction."""

import contextlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.phones.limits import DEFAULT, Limits
from fieldapp.services.records.corrections import apply_reissues
from fieldapp.services.records.form_rules import Judgements, judge_all
from fieldapp.services.records.intake import Arrived, take_in
from fieldapp.store.phones import devices
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
    told = report or {}
    judgements = _judged(session, actor, arrived)
    with contextlib.suppress(IntegrityError, TooSlow):
        return _receive(session, actor, arrived, told, signer, judgements, limits)
    judgements = _judged(session, actor, arrived)  # another connection stored one of these, or of their records
    with contextlib.suppress(TooSlow):
        return _receive(session, actor, arrived, told, signer, judgements, limits)
    judgements.put_corrections_aside()  # a phone would send the same again for ever
    return _receive(session, actor, arrived, told, signer, judgements, limits)


def _judged(session: Session, actor: Actor, arrived: Sequence[Arrived]) -> Judgements:
    """Ask the rules about all of them: what consent does not allow is not kept aside either."""
    return judge_all(session, actor.centre_id, [one.envelope for one in arrived])


@act("batch.receive")
def _receive(
    ctx: ActContext,
    arrived: list[Arrived],
    report: dict[str, Any],
    signer: Signer | None,
    judgements: Judgements,
    limits: Limits,
) -> list[dict[str, Any]]:
    answers = take_in(ctx, arrived, signer, judgements, limits)
    apply_reissues(ctx, arrived)
    assert ctx.actor.device_id is not None
    devices.note_contact(ctx.session, ctx.actor.device_id, ctx.now, report)
    counts: dict[str, int] = {}
    for answer in answers:
        counts[answer["status"]] = counts.get(answer["status"], 0) + 1
    ctx.describe(f"device/{ctx.actor.device_id}", **counts)
    return answers
