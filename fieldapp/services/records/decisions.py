"""Decide what becomes of each submission that arrived."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.phones.limits import Meter
from fieldapp.services.records.attachments import ATTACHMENT_ANSWER
from fieldapp.services.records.form_rules import LATER, Judgements
from fieldapp.services.records.time_limits import PER_RECORD, time_for
from fieldapp.store.records import attachments
from fieldapp.store.records.submissions import TOKEN, EarlierSubmission
from forms.answers import list_attachment_answers
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.intake import (
    DAMAGED,
    Decision,
    Judgement,
    Reason,
    Status,
    decide,
    decide_quarantine,
    refuse,
    validate_submission,
)
from sync.problems import N_

SENT_BY_OTHER_PHONE = AnswerProblem("sync.other_phone", N_("Another phone sent a different record under this number."), "")


@dataclass(frozen=True)
class IncomingSubmission:
    """A submission with what its carrier says of it."""

    envelope: Envelope
    seq: int = 0  # its number on the phone; 0: none given
    quarantine_reason: Reason | None = None  # why it is to be kept aside, whatever is in it
    sent_sha256: str = ""  # hash of the bytes that travelled, which a receipt names; "" for that of the answers
    via: str = TOKEN
    is_overruled: bool = False  # by a no of its record, so that it is cut

    @property
    def key(self) -> tuple[str, str]:
        return self.envelope.instance_id, self.envelope.sha256


Definitions = Mapping[tuple[str, str], FormDefinition]


NOT_STORED = (Status.DUPLICATE, Status.RETRY, Status.CLOSED)


def _decide(
    ctx: ActContext,
    one: IncomingSubmission,
    definitions: dict[tuple[str, str], FormDefinition],
    known: dict[str, dict[str, EarlierSubmission]],
    meter: Meter,
    judgements: Judgements | None,
) -> Decision:
    envelope = one.envelope
    definition = definitions.get((envelope.form, envelope.version))
    before = find_competing(envelope, known)
    if not envelope.is_intact and not one.quarantine_reason:
        return refuse(Status.RETRY, DAMAGED)
    if judgements is None:
        judged: Judgement | None = validate_submission(envelope, definition, time_for(PER_RECORD))
    else:
        judged = judgements.of(envelope, definition)
    is_held = envelope.sha256 in known.get(envelope.instance_id, ())
    if judged is None and not is_held:
        return refuse(Status.RETRY, LATER)
    if one.quarantine_reason:
        return decide_quarantine(envelope, known, one.quarantine_reason, judged=judged or Judgement())
    if reasons := meter.reasons(envelope):
        return decide_quarantine(envelope, before, *reasons, judged=judged or Judgement(), can_be_let_in=True)
    decision = decide(envelope, definition, before, judged)
    return explain_conflict(envelope, decision, before, ctx.actor.device_id)


def find_competing(
    envelope: Envelope, known: dict[str, dict[str, EarlierSubmission]]
) -> dict[str, dict[str, EarlierSubmission]]:
    """Return what a submission is held against: the same bytes, and others that count.

    What a shut-out phone sent under an id that is a colleague's does not stand in the colleague's way.
    """
    held = known.get(envelope.instance_id, {})
    counting = {sha: one for sha, one in held.items() if sha == envelope.sha256 or not one.is_shut_out}
    return {envelope.instance_id: counting} if counting else {}


def explain_conflict(
    envelope: Envelope, decision: Decision, before: dict[str, dict[str, EarlierSubmission]], device_id: int | None
) -> Decision:
    """Return the decision; with its reason, when another phone had sent something else under the same id."""
    if decision.status is Status.CONFLICT:
        first = next(iter(before[envelope.instance_id].values()))
        if first.device_id != device_id:
            return replace(decision, problems=[*decision.problems, SENT_BY_OTHER_PHONE])
    return decision


def _retry_missing_attachments(
    ctx: ActContext, decided: list[tuple[IncomingSubmission, Decision]], definitions: dict[tuple[str, str], FormDefinition]
) -> list[tuple[IncomingSubmission, Decision]]:
    """Ask again for those whose attachments are not all here: they come before the record that names them."""
    named = {}
    for one, decision in decided:
        definition = definitions.get((one.envelope.form, one.envelope.version))
        if definition and decision.status not in NOT_STORED and "attachment:" in one.envelope.body:
            held = list_attachment_answers(definition, decision.answers or _read_answers(one.envelope, definition))
            named[id(one)] = {found[2] for value in held if (found := ATTACHMENT_ANSWER.fullmatch(value))}
    hashes = set().union(*named.values()) if named else set()
    lacking = hashes - attachments.find_complete_hashes(ctx.session, ctx.centre_id, hashes) if hashes else set()
    if not lacking:
        return decided
    attachments.take_back(ctx.session, ctx.centre_id, lacking, ctx.actor.device_id)
    again = Decision(Status.RETRY, problems=[AnswerProblem("sync.attachment_missing", N_("An attachment is missing."), "")])
    return [(one, again if named.get(id(one), set()) & lacking else decision) for one, decision in decided]


def require_attachments(
    ctx: ActContext, envelope: Envelope, decision: Decision, definition: FormDefinition | None
) -> Decision:
    """Return the decision about one that is kept already; refused when its attachments are not all here."""
    ((_, found),) = _retry_missing_attachments(
        ctx,
        [(IncomingSubmission(envelope), decision)],
        {(envelope.form, envelope.version): definition} if definition else {},
    )
    return replace(found, status=Status.REJECTED) if found.status is Status.RETRY else found


def _read_answers(envelope: Envelope, definition: FormDefinition) -> Any:
    try:
        return read_body(envelope.body, definition)
    except ValueError:
        return {}
