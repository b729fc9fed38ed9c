"""Take submissions in within an act: decide about each, keep every one, fold it into its record, answer each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload import update
from fieldapp.services.caseload.cards import card_root
from fieldapp.services.caseload.record_state import Part
from fieldapp.services.definitions import load_definitions
from fieldapp.services.phones.limits import DEFAULT, Limits, Meter
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import folding, refusals
from fieldapp.services.records.attachments import KIND
from fieldapp.services.records.form_rules import LATER, Judgements
from fieldapp.services.records.refusals import Incoming
from fieldapp.services.records.time_limits import PER_RECORD, time_for
from fieldapp.services.records.unusable_noes import heed_unusable_noes
from fieldapp.store.database import is_outage
from fieldapp.store.records import attachments, submissions
from fieldapp.store.records.submissions import ASIDE, OFFICE, TOKEN, EarlierSubmission
from forms.answers import list_attachment_answers
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from sync.bodies import read_body
from sync.envelope import Envelope, storable
from sync.intake import (
    DAMAGED,
    FAILED,
    Decision,
    Judged,
    Reason,
    Status,
    decide,
    decide_aside,
    judge,
    judge_failed,
    refuse,
)
from sync.notes import HANDOVER, REISSUE, plain_code
from sync.problems import N_
from sync.receipts import ReceiptContent, Signer

OTHER_PHONE = AnswerProblem("sync.other_phone", N_("Another phone sent a different record under this number."), "")


@dataclass(frozen=True)
class Arrived:
    """A submission with what its carrier says of it."""

    envelope: Envelope
    seq: int = 0  # its number on the phone; 0: none given
    aside: Reason | None = None  # why it is to be kept aside, whatever is in it
    sent_sha256: str = ""  # hash of the bytes that travelled, which a receipt names; "" for that of the answers
    via: str = TOKEN
    is_overruled: bool = False  # by a no of its record, so that it is cut

    @property
    def key(self) -> tuple[str, str]:
        return self.envelope.instance_id, self.envelope.sha256


Definitions = Mapping[tuple[str, str], FormDefinition]
NOT_KEPT = (Status.DUPLICATE, Status.RETRY, Status.CLOSED)


def take_in(
    ctx: ActContext,
    arrived: Sequence[Arrived],
    signer: Signer | None = None,
    judgements: Judgements | None = None,
    limits: Limits = DEFAULT,
) -> list[dict[str, Any]]:
    """Return one answer a submission, whether it came from a phone, an OpenRosa client or the office.

    `judgements` is what the forms' rules said before this transaction; only the office's own are judged in it.
    """
    meter = Meter(ctx, limits)
    known = submissions.find_earlier(ctx.session, ctx.centre_id, [one.envelope.instance_id for one in arrived])
    wanted = {(one.envelope.form, one.envelope.version) for one in arrived}
    definitions = load_definitions(ctx.session, ctx.centre_id, wanted)
    decided = [(one, _decide(ctx, one, definitions, known, meter, judgements)) for one in arrived]
    as_sent = {one.key: one.envelope for one in arrived}
    decided = _as_may_be_kept(ctx, decided, definitions)
    decided = _without_missing(ctx, decided, definitions)
    decided = [(one, meter.admit(one.envelope, decision)) for one, decision in decided]
    fresh = [(one, decision) for one, decision in decided if decision.status not in NOT_KEPT]
    places = _places(ctx, fresh)
    incoming = [_incoming(one, decision, as_sent, places[id(one)]) for one, decision in fresh]
    after = refusals.overrule(ctx, incoming, definitions)
    submissions.add_all(ctx.session, [{**_submission(ctx, one, decision), "id": places[id(one)]} for one, decision in fresh])
    parts = [_part(one, decision, definitions, places[id(one)]) for one, decision in fresh if not decision.problems]
    refusals.hear(ctx, incoming, after)
    ready = dict(judgements.earlier) if judgements else {}
    ready |= {(part.envelope.instance_id, part.envelope.sha256): dict(part.answers) for part in parts}
    changed, foreign = folding.fold_in(ctx, [part for part in parts if part.definition], ready)
    update.update_caseload(ctx, changed, parts)
    answers = []
    for one, first_decision in decided:
        problem = foreign.get((one.envelope.instance_id, one.envelope.sha256))
        decision = Decision(Status.REJECTED, problems=[problem]) if problem else first_decision
        if problem:
            meter.count_refused(one.envelope)
        before = known.get(one.envelope.instance_id, {}).get(one.envelope.sha256)
        answers.append(_answer(ctx, one, decision, before, places.get(id(one), 0), signer))
    update.publish_refused_records(ctx, [part.envelope.record for part in parts], [
        (one.envelope, answer["problems"]) for (one, decision), answer in zip(decided, answers, strict=True)
        if answer["status"] == Status.REJECTED and not decision.is_aside and not one.is_overruled
    ])  # fmt: skip
    for one, decision in decided:
        envelope = one.envelope
        if decision.status is Status.DUPLICATE and known[envelope.instance_id][envelope.sha256].is_cut:
            # Its attachments may have come once more.
            after.note_cut(envelope.instance_id, envelope.body, ctx.actor.device_id)
    refusals.take_out_attachments(ctx, after)
    heed_unusable_noes(ctx, {one.envelope.record for one, _ in fresh})
    meter.write()
    return answers


def is_everybodys(error: Exception) -> bool:
    """Say whether what went wrong lies in no single submission, so that whoever sent it must try again later."""
    return isinstance(error, ActProblem) or is_outage(error)


def keep_failed(
    ctx: ActContext, one: Arrived, signer: Signer | None = None, limits: Limits = DEFAULT
) -> list[dict[str, Any]]:
    """Keep a submission aside that could not be taken in, with as little done to it as can be; return its answer."""
    envelope = one.envelope
    meter = Meter(ctx, limits)
    known = submissions.find_earlier(ctx.session, ctx.centre_id, [envelope.instance_id])
    definitions = load_definitions(ctx.session, ctx.centre_id, [(envelope.form, envelope.version)])
    judged = judge_failed(envelope, definitions.get((envelope.form, envelope.version)), time_for(PER_RECORD))
    reasons = [*meter.reasons(envelope), FAILED]
    decision = refuse(Status.RETRY, DAMAGED)
    if envelope.is_intact or one.aside:
        decision = decide_aside(envelope, standing_of(envelope, known), *reasons, judged=judged, can_be_let_in=True)
    decision = meter.admit(envelope, decision)
    position = 0
    if decision.status not in NOT_KEPT:
        (position,) = submissions.next_positions(ctx.session, 1)
        ((kept, cut),) = _as_may_be_kept(ctx, [(one, decision)], definitions)
        submissions.add_all(ctx.session, [{**_submission(ctx, kept, cut), "id": position}])
        refusals.hear(ctx, [_incoming(one, decision, {}, position)], refusals.Aftermath())
        heed_unusable_noes(ctx, [envelope.record])
    meter.write()
    before = known.get(envelope.instance_id, {}).get(envelope.sha256)
    return [_answer(ctx, one, decision, before, position, signer)]


def _decide(
    ctx: ActContext,
    one: Arrived,
    definitions: dict[tuple[str, str], FormDefinition],
    known: dict[str, dict[str, EarlierSubmission]],
    meter: Meter,
    judgements: Judgements | None,
) -> Decision:
    envelope = one.envelope
    definition = definitions.get((envelope.form, envelope.version))
    before = standing_of(envelope, known)
    if not envelope.is_intact and not one.aside:
        return refuse(Status.RETRY, DAMAGED)
    if judgements is None:
        judged: Judged | None = judge(envelope, definition, time_for(PER_RECORD))
    else:
        judged = judgements.of(envelope, definition)
    is_held = envelope.sha256 in known.get(envelope.instance_id, ())
    if judged is None and not is_held:
        return refuse(Status.RETRY, LATER)
    if one.aside:
        return decide_aside(envelope, known, one.aside, judged=judged or Judged())
    if reasons := meter.reasons(envelope):
        return decide_aside(envelope, before, *reasons, judged=judged or Judged(), can_be_let_in=True)
    decision = decide(envelope, definition, before, judged)
    return of_other_phone(envelope, decision, before, ctx.actor.device_id)


def standing_of(
    envelope: Envelope, known: dict[str, dict[str, EarlierSubmission]]
) -> dict[str, dict[str, EarlierSubmission]]:
    """Return what a submission is held against: the same bytes, and others that count.

    What a shut-out phone sent under an id that is a colleague's does not stand in the colleague's way.
    """
    held = known.get(envelope.instance_id, {})
    counting = {sha: one for sha, one in held.items() if sha == envelope.sha256 or not one.is_shut_out}
    return {envelope.instance_id: counting} if counting else {}


def of_other_phone(
    envelope: Envelope, decision: Decision, before: dict[str, dict[str, EarlierSubmission]], device_id: int | None
) -> Decision:
    """Return the decision; with its reason, when another phone had sent something else under the same id."""
    if decision.status is Status.CONFLICT:
        first = next(iter(before[envelope.instance_id].values()))
        if first.device_id != device_id:
            return replace(decision, problems=[*decision.problems, OTHER_PHONE])
    return decision


def _as_may_be_kept(
    ctx: ActContext, decided: list[tuple[Arrived, Decision]], definitions: Definitions
) -> list[tuple[Arrived, Decision]]:
    """Return submissions without what people who did not say yes left in them, or in what a no of theirs overrules."""
    kept = [(one, decision) for one, decision in decided if decision.status not in NOT_KEPT]
    lost = refusals.find_overruled(ctx, [_incoming(one, decision, {}, 0) for one, decision in kept])
    found = []
    for one, decision in decided:
        is_kept, is_overruled = decision.status not in NOT_KEPT, one.key in lost
        if is_kept and (decision.is_cut or is_overruled):
            definition = definitions.get((one.envelope.form, one.envelope.version))
            envelope, cut = refusals.cut_incoming(one.envelope, decision, definition, is_overruled)
            found.append((replace(one, envelope=envelope, is_overruled=is_overruled), cut))
        else:
            found.append((replace(one, envelope=storable(one.envelope)), decision))
    return found


def _incoming(one: Arrived, decision: Decision, as_sent: Mapping[tuple[str, str], Envelope], position: int) -> Incoming:
    return Incoming(as_sent.get(one.key, one.envelope), decision, position, one.via == OFFICE)


def _places(ctx: ActContext, fresh: Sequence[tuple[Arrived, Decision]]) -> dict[int, int]:
    """Return which place in the centre's log each submission takes."""
    positions = submissions.next_positions(ctx.session, len(fresh)) if fresh else ()
    return dict(zip((id(one) for one, _ in fresh), positions, strict=True))


def _part(one: Arrived, decision: Decision, definitions: Definitions, position: int) -> Part:
    definition = definitions.get((one.envelope.form, one.envelope.version))
    return Part(one.envelope, decision.answers, definition, one.via, position, decision.is_refusal, one.is_overruled)


def _without_missing(
    ctx: ActContext, decided: list[tuple[Arrived, Decision]], definitions: dict[tuple[str, str], FormDefinition]
) -> list[tuple[Arrived, Decision]]:
    """Ask again for those whose attachments are not all here: they come before the record that names them."""
    named = {}
    for one, decision in decided:
        definition = definitions.get((one.envelope.form, one.envelope.version))
        if definition and decision.status not in NOT_KEPT and "attachment:" in one.envelope.body:
            held = list_attachment_answers(definition, decision.answers or _as_sent(one.envelope, definition))
            named[id(one)] = {found[2] for value in held if (found := KIND.fullmatch(value))}
    hashes = set().union(*named.values()) if named else set()
    lacking = hashes - attachments.find_complete_hashes(ctx.session, ctx.centre_id, hashes) if hashes else set()
    if not lacking:
        return decided
    attachments.take_back(ctx.session, ctx.centre_id, lacking, ctx.actor.device_id)
    again = Decision(Status.RETRY, problems=[AnswerProblem("sync.attachment_missing", N_("An attachment is missing."), "")])
    return [(one, again if named.get(id(one), set()) & lacking else decision) for one, decision in decided]


def lacks_attachments(
    ctx: ActContext, envelope: Envelope, decision: Decision, definition: FormDefinition | None
) -> Decision:
    """Return the decision about one that is kept already; refused when its attachments are not all here."""
    ((_, found),) = _without_missing(
        ctx, [(Arrived(envelope), decision)], {(envelope.form, envelope.version): definition} if definition else {}
    )
    return replace(found, status=Status.REJECTED) if found.status is Status.RETRY else found


def _as_sent(envelope: Envelope, definition: FormDefinition) -> Any:
    try:
        return read_body(envelope.body, definition)
    except ValueError:
        return {}


def _submission(ctx: ActContext, one: Arrived, decision: Decision) -> dict[str, Any]:
    envelope = one.envelope
    offset = envelope.finished_at.utcoffset()
    return {
        "centre_id": ctx.centre_id,
        "instance_id": envelope.instance_id,
        "root_id": root_of(envelope, decision),
        "prev": list(envelope.prev),
        "via": one.via,
        "form": envelope.form,
        "version": envelope.version,
        "author_id": ctx.actor.user_id,
        "device_id": ctx.actor.device_id,
        "seq": one.seq,
        "finished_at": envelope.finished_at,
        "utc_offset": int(offset.total_seconds() // 60) if offset else 0,
        "received_at": ctx.now,
        "sha256": envelope.sha256,
        "body": envelope.body,
        "due": "" if decision.is_refusal or one.is_overruled else envelope.due,  # it would lead to the card
        "cards": list(envelope.cards),
        "state": ASIDE if decision.is_aside else str(decision.status),
        "problems": [problem.to_json() for problem in decision.problems],
        "is_refusal": decision.is_refusal,
        "is_cut": decision.is_refusal or one.is_overruled,
    }


def root_of(envelope: Envelope, decision: Decision) -> str:
    """Return what a submission is part of: a record; a card, for what is said about one."""
    if envelope.form in (HANDOVER, REISSUE) and not decision.problems:
        return card_root(plain_code(decision.answers["code"]))
    return envelope.record


def _answer(
    ctx: ActContext, one: Arrived, decision: Decision, before: EarlierSubmission | None, position: int, signer: Signer | None
) -> dict[str, Any]:
    """Return what the phone is told; of what was here before, what became of it then."""
    envelope = one.envelope
    problems = [problem.to_json() for problem in decision.problems] if not before else before.problems
    answer: dict[str, Any] = {"id": envelope.instance_id, "sha256": envelope.sha256, "status": str(decision.status)}
    if problems:
        answer["problems"] = problems
    if before:
        answer["was"] = str(Status.REJECTED) if before.state == ASIDE else before.state
        position = before.position
    if signer and position:
        sent = one.sent_sha256 or envelope.sha256
        at = before.received_at if before else ctx.now
        answer["receipt"] = signer.receipt(ReceiptContent(envelope.instance_id, sent, at, position))
    return answer
