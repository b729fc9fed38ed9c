"""Decide what becomes of each submission that arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.consent.late_words import LateWord
from fieldapp.services.phones.limits import Meter
from fieldapp.services.records.attachments import ATTACHMENT_ANSWER
from fieldapp.services.records.form_rules import LATER, Judgements
from fieldapp.services.records.time_limits import PER_RECORD, time_for
from fieldapp.services.records.unknown_forms import cut_unknown
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
MISSING = AnswerProblem("sync.attachment_missing", N_("An attachment is missing."), "")
NOT_STORED = (Status.DUPLICATE, Status.RETRY, Status.CLOSED)

Definitions = Mapping[tuple[str, str], FormDefinition]  # by (form, version)
Earlier = dict[str, dict[str, EarlierSubmission]]  # by id, then by SHA-256


@dataclass(frozen=True)
class IncomingSubmission:
    """A submission that arrived, with what its carrier says of it."""

    envelope: Envelope
    seq: int = 0  # its number on the phone; 0: the phone gave none
    quarantine_reason: Reason | None = None  # why it is quarantined, whatever is in it
    sent_sha256: str = ""  # hash of the bytes that travelled, which a receipt names; "" for that of the answers
    channel: str = TOKEN
    is_overruled: bool = False  # by a no of its record, so that it is cut
    slip_tag: str = ""  # under which the slip that came with it is known; "" for none

    @property
    def key(self) -> tuple[str, str]:
        return self.envelope.instance_id, self.envelope.sha256


@dataclass
class IntakeItem:
    """A submission on its way into the store: what will be stored, and what was decided."""

    submission: IncomingSubmission  # without what may not be stored
    decision: Decision
    as_sent: Envelope
    position: int = 0  # its id in the store; 0 while it is not stored (receipts name its place in the centre's log)
    is_ended: bool = False  # of a card that ended: nothing of it is stored
    late_words: list[LateWord] = field(default_factory=list)  # what it says of consent all the same
    notice: AnswerProblem | None = None  # what its sender is told beside what became of it
    is_by_holder: bool = False  # an update of a colleague's referral, whose person's card its sender was given

    @property
    def envelope(self) -> Envelope:
        return self.submission.envelope

    @property
    def is_stored(self) -> bool:
        return self.decision.status not in NOT_STORED

    def find_definition(self, definitions: Definitions) -> FormDefinition | None:
        return definitions.get((self.envelope.form, self.envelope.version))


@dataclass(frozen=True)
class Decider:
    """What is looked up once for all submissions of a message, to decide about each of them.

    `judgements` is what the forms' rules said before this transaction. None: they are asked now, as only the office's
    own corrections are.
    """

    ctx: ActContext
    definitions: Definitions
    earlier: Earlier
    meter: Meter
    judgements: Judgements | None = None

    def find_earlier(self, envelope: Envelope) -> EarlierSubmission | None:
        """Return what is stored of the same bytes under the same id."""
        return self.earlier.get(envelope.instance_id, {}).get(envelope.sha256)

    def decide(self, submission: IncomingSubmission) -> Decision:
        """Decide what becomes of a submission; nothing is stored yet."""
        decision = self._decide(submission)
        is_known = self._find_definition(submission.envelope) is not None
        if is_known or decision.status in NOT_STORED:
            return decision
        return cut_unknown(self.ctx, submission.envelope, decision)

    def _decide(self, submission: IncomingSubmission) -> Decision:
        envelope = submission.envelope
        if not envelope.is_intact and not submission.quarantine_reason:
            return refuse(Status.RETRY, DAMAGED)
        judgement = self._judge(envelope)
        if judgement is None and self.find_earlier(envelope) is None:
            return refuse(Status.RETRY, LATER)
        judgement_to_keep = judgement or Judgement()
        if submission.quarantine_reason:
            return decide_quarantine(envelope, self.earlier, submission.quarantine_reason, judgement=judgement_to_keep)
        competing = find_competing(envelope, self.earlier)
        reasons = self.meter.reasons(envelope)
        if reasons:
            return decide_quarantine(envelope, competing, *reasons, judgement=judgement_to_keep, can_be_accepted=True)
        decision = decide(envelope, self._find_definition(envelope), competing, judgement)
        return explain_conflict(envelope, decision, competing, self.ctx.actor.device_id)

    def _judge(self, envelope: Envelope) -> Judgement | None:
        definition = self._find_definition(envelope)
        if self.judgements is None:
            return validate_submission(envelope, definition, time_for(PER_RECORD))
        return self.judgements.find(envelope, definition)

    def _find_definition(self, envelope: Envelope) -> FormDefinition | None:
        return self.definitions.get((envelope.form, envelope.version))


def find_competing(envelope: Envelope, earlier: Earlier) -> Earlier:
    """Return what a submission is compared with: others under its id that count.

    What a shut-out phone sent under a colleague's id does not block the colleague's own.
    """
    competing = {}
    for sha256, submission in earlier.get(envelope.instance_id, {}).items():
        if sha256 == envelope.sha256 or not submission.is_shut_out:
            competing[sha256] = submission
    return {envelope.instance_id: competing} if competing else {}


def explain_conflict(envelope: Envelope, decision: Decision, competing: Earlier, device_id: int | None) -> Decision:
    """Add to a conflict that another phone had sent something else under the same id."""
    if decision.status is Status.CONFLICT:
        first = next(iter(competing[envelope.instance_id].values()))
        if first.device_id != device_id:
            return replace(decision, problems=[*decision.problems, SENT_BY_OTHER_PHONE])
    return decision


def retry_missing_attachments(ctx: ActContext, items: Sequence[IntakeItem], definitions: Definitions) -> None:
    """Ask again for submissions whose attachments have not all arrived."""
    hashes_by_item: list[set[str]] = []
    for item in items:
        definition = item.find_definition(definitions)
        hashes: set[str] = set()
        if definition and item.is_stored and "attachment:" in item.envelope.body:
            hashes = _list_attachment_hashes(item, definition)
        hashes_by_item.append(hashes)
    named = set().union(*hashes_by_item)
    if not named:
        return
    missing = named - attachments.find_complete_hashes(ctx.session, ctx.centre_id, named)
    if not missing:
        return
    attachments.take_back(ctx.session, ctx.centre_id, missing, ctx.actor.device_id)
    for item, hashes in zip(items, hashes_by_item, strict=True):
        if hashes & missing:
            item.decision = Decision(Status.RETRY, problems=[MISSING])


def _list_attachment_hashes(item: IntakeItem, definition: FormDefinition) -> set[str]:
    """Return the SHA-256 of each attachment that the answers name."""
    answers = item.decision.answers or _read_answers(item.envelope, definition)
    hashes = set()
    for answer in list_attachment_answers(definition, answers):
        match = ATTACHMENT_ANSWER.fullmatch(answer)
        if match:
            hashes.add(match[2])
    return hashes


def _read_answers(envelope: Envelope, definition: FormDefinition) -> Any:
    try:
        return read_body(envelope.body, definition)
    except ValueError:
        return {}


def require_attachments(
    ctx: ActContext, envelope: Envelope, decision: Decision, definition: FormDefinition | None
) -> Decision:
    """Return the decision about a stored submission: rejected without its attachments."""
    item = IntakeItem(IncomingSubmission(envelope), decision, envelope)
    definitions = {(envelope.form, envelope.version): definition} if definition else {}
    retry_missing_attachments(ctx, [item], definitions)
    if item.decision.status is Status.RETRY:
        return replace(item.decision, status=Status.REJECTED)
    return item.decision
