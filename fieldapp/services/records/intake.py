"""Take submissions in within an act: decide about each, keep every one, fold it into its record, answer each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload import update
from fieldapp.services.caseload.cards import card_root
from fieldapp.services.caseload.record_state import AcceptedSubmission
from fieldapp.services.consent import refusals
from fieldapp.services.consent.refusals import DecidedSubmission
from fieldapp.services.consent.unusable_refusals import apply_unusable_refusals
from fieldapp.services.definitions import load_definitions
from fieldapp.services.phones.limits import DEFAULT, Limits, Meter
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import folding
from fieldapp.services.records.decisions import (
    NOT_STORED,
    Definitions,
    IncomingSubmission,
    _decide,
    _retry_missing_attachments,
    find_competing,
)
from fieldapp.services.records.form_rules import Judgements
from fieldapp.services.records.time_limits import PER_RECORD, time_for
from fieldapp.store.database import is_outage
from fieldapp.store.records import submissions
from fieldapp.store.records.submissions import ASIDE, OFFICE, EarlierSubmission
from sync.envelope import Envelope, make_storable
from sync.intake import (
    DAMAGED,
    FAILED,
    Decision,
    Status,
    decide_quarantine,
    judge_by_consent,
    refuse,
)
from sync.notes import HANDOVER, REISSUE, plain_code
from sync.receipts import ReceiptContent, Signer


def store_submissions(
    ctx: ActContext,
    arrived: Sequence[IncomingSubmission],
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
    decided = _cut_refused(ctx, decided, definitions)
    decided = _retry_missing_attachments(ctx, decided, definitions)
    decided = [(one, meter.admit(one.envelope, decision)) for one, decision in decided]
    fresh = [(one, decision) for one, decision in decided if decision.status not in NOT_STORED]
    places = _allocate_positions(ctx, fresh)
    incoming = [_make_decided(one, decision, as_sent, places[id(one)]) for one, decision in fresh]
    after = refusals.cut_overruled(ctx, incoming, definitions)
    submissions.add_all(
        ctx.session, [{**_make_submission_row(ctx, one, decision), "id": places[id(one)]} for one, decision in fresh]
    )
    parts = [_make_accepted(one, decision, definitions, places[id(one)]) for one, decision in fresh if not decision.problems]
    refusals.save_refusals(ctx, incoming, after)
    ready = dict(judgements.earlier) if judgements else {}
    ready |= {(part.envelope.instance_id, part.envelope.sha256): dict(part.answers) for part in parts}
    changed, foreign = folding.update_records(ctx, [part for part in parts if part.definition], ready)
    update.update_caseload(ctx, changed, parts)
    answers = []
    for one, first_decision in decided:
        problem = foreign.get((one.envelope.instance_id, one.envelope.sha256))
        decision = Decision(Status.REJECTED, problems=[problem]) if problem else first_decision
        if problem:
            meter.count_refused(one.envelope)
        before = known.get(one.envelope.instance_id, {}).get(one.envelope.sha256)
        answers.append(_make_phone_answer(ctx, one, decision, before, places.get(id(one), 0), signer))
    update.publish_refused_records(ctx, [part.envelope.record for part in parts], [
        (one.envelope, answer["problems"]) for (one, decision), answer in zip(decided, answers, strict=True)
        if answer["status"] == Status.REJECTED and not decision.is_aside and not one.is_overruled
    ])  # fmt: skip
    for one, decision in decided:
        envelope = one.envelope
        if decision.status is Status.DUPLICATE and known[envelope.instance_id][envelope.sha256].is_cut:
            # Its attachments may have come once more.
            after.note_cut(envelope.instance_id, envelope.body, ctx.actor.device_id)
    refusals.delete_attachments(ctx, after)
    apply_unusable_refusals(ctx, {one.envelope.record for one, _ in fresh})
    meter.write()
    return answers


def concerns_whole_message(error: Exception) -> bool:
    """Say whether what went wrong lies in no single submission, so that whoever sent it must try again later."""
    return isinstance(error, ActProblem) or is_outage(error)


def store_failed(
    ctx: ActContext, one: IncomingSubmission, signer: Signer | None = None, limits: Limits = DEFAULT
) -> list[dict[str, Any]]:
    """Keep a submission aside that could not be taken in, with as little done to it as can be; return its answer."""
    envelope = one.envelope
    meter = Meter(ctx, limits)
    known = submissions.find_earlier(ctx.session, ctx.centre_id, [envelope.instance_id])
    definitions = load_definitions(ctx.session, ctx.centre_id, [(envelope.form, envelope.version)])
    judged = judge_by_consent(envelope, definitions.get((envelope.form, envelope.version)), time_for(PER_RECORD))
    reasons = [*meter.reasons(envelope), FAILED]
    decision = refuse(Status.RETRY, DAMAGED)
    if envelope.is_intact or one.quarantine_reason:
        decision = decide_quarantine(envelope, find_competing(envelope, known), *reasons, judged=judged, can_be_let_in=True)
    decision = meter.admit(envelope, decision)
    position = 0
    if decision.status not in NOT_STORED:
        (position,) = submissions.next_positions(ctx.session, 1)
        ((kept, cut),) = _cut_refused(ctx, [(one, decision)], definitions)
        submissions.add_all(ctx.session, [{**_make_submission_row(ctx, kept, cut), "id": position}])
        refusals.save_refusals(ctx, [_make_decided(one, decision, {}, position)], refusals.RefusalEffects())
        apply_unusable_refusals(ctx, [envelope.record])
    meter.write()
    before = known.get(envelope.instance_id, {}).get(envelope.sha256)
    return [_make_phone_answer(ctx, one, decision, before, position, signer)]


def _cut_refused(
    ctx: ActContext, decided: list[tuple[IncomingSubmission, Decision]], definitions: Definitions
) -> list[tuple[IncomingSubmission, Decision]]:
    """Return submissions without what people who did not say yes left in them, or in what a no of theirs overrules."""
    kept = [(one, decision) for one, decision in decided if decision.status not in NOT_STORED]
    lost = refusals.find_overruled(ctx, [_make_decided(one, decision, {}, 0) for one, decision in kept])
    found = []
    for one, decision in decided:
        is_kept, is_overruled = decision.status not in NOT_STORED, one.key in lost
        if is_kept and (decision.is_refusal or is_overruled):
            definition = definitions.get((one.envelope.form, one.envelope.version))
            envelope, cut = refusals.cut_incoming(one.envelope, decision, definition)
            found.append((replace(one, envelope=envelope, is_overruled=is_overruled), cut))
        else:
            found.append((replace(one, envelope=make_storable(one.envelope)), decision))
    return found


def _make_decided(
    one: IncomingSubmission, decision: Decision, as_sent: Mapping[tuple[str, str], Envelope], position: int
) -> DecidedSubmission:
    return DecidedSubmission(as_sent.get(one.key, one.envelope), decision, position, one.via == OFFICE)


def _allocate_positions(ctx: ActContext, fresh: Sequence[tuple[IncomingSubmission, Decision]]) -> dict[int, int]:
    """Return which place in the centre's log each submission takes."""
    positions = submissions.next_positions(ctx.session, len(fresh)) if fresh else ()
    return dict(zip((id(one) for one, _ in fresh), positions, strict=True))


def _make_accepted(
    one: IncomingSubmission, decision: Decision, definitions: Definitions, position: int
) -> AcceptedSubmission:
    definition = definitions.get((one.envelope.form, one.envelope.version))
    return AcceptedSubmission(
        one.envelope, decision.answers, definition, one.via, position, decision.is_refusal, one.is_overruled
    )


def _make_submission_row(ctx: ActContext, one: IncomingSubmission, decision: Decision) -> dict[str, Any]:
    envelope = one.envelope
    offset = envelope.finished_at.utcoffset()
    return {
        "centre_id": ctx.centre_id,
        "instance_id": envelope.instance_id,
        "root_id": find_record_id(envelope, decision),
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


def find_record_id(envelope: Envelope, decision: Decision) -> str:
    """Return what a submission is part of: a record; a card, for what is said about one."""
    if envelope.form in (HANDOVER, REISSUE) and not decision.problems:
        return card_root(plain_code(decision.answers["code"]))
    return envelope.record


def _make_phone_answer(
    ctx: ActContext,
    one: IncomingSubmission,
    decision: Decision,
    before: EarlierSubmission | None,
    position: int,
    signer: Signer | None,
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
