"""Accept what was quarantined: judge and fold it as if its author had sent it now."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.caseload import update
from fieldapp.services.caseload.record_state import AcceptedSubmission
from fieldapp.services.consent import refusals, standing
from fieldapp.services.consent.ending import end_person
from fieldapp.services.consent.refusals import DecidedSubmission
from fieldapp.services.consent.slips import open_waiting_slips
from fieldapp.services.consent.unasked import (
    cut_envelope,
    decide_by_standing,
    find_reason,
    find_unasked_person,
    refuse_unasked,
)
from fieldapp.services.consent.unlinked_cards import restrict_late
from fieldapp.services.consent.unusable_refusals import apply_unusable_refusals
from fieldapp.services.definitions import load_definitions
from fieldapp.services.failures import note_failure
from fieldapp.services.records.decisions import (
    Definitions,
    IncomingSubmission,
    explain_conflict,
    find_competing,
    require_attachments,
)
from fieldapp.services.records.form_rules import Judgements, judge_all
from fieldapp.services.records.intake import concerns_whole_message, find_record_id, update_records_and_caseload
from fieldapp.services.records.new_codes import apply_new_codes
from fieldapp.services.records.refused_answers import cut_to_standing
from fieldapp.services.records.time_limits import AT_REVIEW, WHILE_LOCKED, time_for
from fieldapp.services.records.versions import make_envelope
from fieldapp.store.consent import standing as words
from fieldapp.store.operations import centres
from fieldapp.store.records import submissions
from fieldapp.store.records.submissions import ASIDE, EarlierSubmission, Submission
from fieldapp.store.session import Session
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from sync.envelope import Envelope
from sync.intake import FAILED, Decision, Status, decide

log = logging.getLogger("fieldapp.sync")

BATCH_SIZE = 50  # submissions in one transaction
RefusedRecord = tuple[Envelope, list[dict[str, Any]]]  # with its problems


@dataclass(frozen=True)
class AcceptedCount:
    """How many of the submissions that somebody accepted became part of a record."""

    stored: int
    others: int  # they broke their form's rules, or another submission has the same id


@dataclass
class _Release:
    """A quarantined submission that is being accepted: as it arrived, and the decision."""

    submission: Submission
    envelope: Envelope
    decision: Decision

    @property
    def key(self) -> tuple[str, str]:
        return self.submission.instance_id, self.submission.sha256


def let_in(session: Session, actor: Actor, submission_ids: Sequence[int]) -> AcceptedCount:
    """Accept quarantined submissions in the order they arrived; skip others."""
    stored = 0
    others = 0
    # In pieces: each locks the database for a moment, and phones can send in between.
    for start in range(0, len(submission_ids), BATCH_SIZE):
        ids = submission_ids[start : start + BATCH_SIZE]
        statuses = _accept_or_leave(session, actor, ids)
        stored += statuses.count(Status.STORED)
        others += len(statuses) - statuses.count(Status.STORED)
    return AcceptedCount(stored, others)


def let_in_all(session: Session, actor: Actor, device_id: int, newest: int | None = None) -> AcceptedCount:
    """Accept everything that is quarantined of one phone.

    `newest`: the newest that was seen; what came later stays quarantined. None means all.
    """
    return let_in(session, actor, _list_of_phone(session, actor, device_id, newest))


def let_in_known_forms(session: Session) -> int:
    """Accept what waited for a form version that is here by now; return how many were stored.

    A submission that fails is not tried again automatically: it waits for a review.
    """
    stored = 0
    for centre_id, ids in submissions.list_waiting_for_form(session).items():
        # The read above has to end before each piece opens a transaction of its own.
        session.rollback()
        system = Actor.system(centre_id)
        stored += let_in(session, system, ids).stored
        # Else every publish would try them again, and they would never come to a supervisor's eyes.
        _note_failed(session, system, ids=ids)
    return stored


def _accept_or_leave(session: Session, actor: Actor, ids: Sequence[int]) -> list[Status]:
    """Accept these together, or one by one when one of them fails: that one stays quarantined."""
    try:
        return _accept(session, actor, ids, _judge(session, actor, ids))
    except Exception as error:
        if concerns_whole_message(error):
            raise
        note_failure(log, f"{len(ids)} submissions could not be let in", error)
    if len(ids) == 1:
        return [Status.REJECTED]
    statuses: list[Status] = []
    for submission_id in ids:
        statuses += _accept_or_leave(session, actor, [submission_id])
    return statuses


@act("submission.let_in")
def _note_failed(ctx: ActContext, ids: Collection[int]) -> None:
    """Mark those that still wait for their form, though it is here, as failed."""
    quarantined = submissions.held_aside(ctx.session, ctx.centre_id, ids)
    failed = [submission for submission in quarantined if submission.waits_for_form]
    for submission in failed:
        submission.problems = [AnswerProblem(*FAILED, "").to_json()]
    ctx.is_audited = bool(failed)
    ctx.describe("submissions", records=len(failed))


@read_act("submission.let_in")
def _list_of_phone(ctx: ActContext, device_id: int, newest: int | None) -> Sequence[int]:
    return submissions.aside_of_device(ctx.session, ctx.centre_id, device_id, newest)


@read_act("submission.let_in")
def _judge(ctx: ActContext, ids: Collection[int]) -> Judgements:
    """Run the forms' rules before the database is locked."""
    quarantined = submissions.held_aside(ctx.session, ctx.centre_id, ids)
    envelopes = [make_envelope(submission) for submission in quarantined]
    return judge_all(ctx.session, ctx.centre_id, envelopes, seconds=AT_REVIEW, is_stored=True)


@act("submission.let_in")
def _accept(ctx: ActContext, ids: Collection[int], judgements: Judgements) -> list[Status]:
    """Accept those that are still quarantined, phone by phone; return what became of each."""
    centres.hold_off_ends(ctx.session, ctx.centre_id)
    quarantined = submissions.held_aside(ctx.session, ctx.centre_id, ids)
    by_phone: dict[tuple[int, int | None], list[Submission]] = {}
    for submission in quarantined:
        # By phone: each is accepted in the name of its own worker.
        by_phone.setdefault((submission.author_id, submission.device_id), []).append(submission)
    statuses: list[Status] = []
    for (author_id, device_id), batch in by_phone.items():
        # As if the phone's worker had sent them now: the record is theirs, not the admin's.
        as_worker = replace(ctx, actor=Actor(ctx.centre_id, WORKER, author_id, device_id), details={})
        statuses += _accept_of_phone(as_worker, batch, judgements)
    target = f"submission/{quarantined[0].id}" if len(quarantined) == 1 else "submissions"
    ctx.describe(target, records=len(quarantined), stored=statuses.count(Status.STORED))
    return statuses


def _accept_of_phone(ctx: ActContext, batch: Sequence[Submission], judgements: Judgements) -> list[Status]:
    """Accept what one phone sent, as an act of its worker: decide, write, fold."""
    forms = {(submission.form, submission.version) for submission in batch}
    definitions = load_definitions(ctx.session, ctx.centre_id, forms)
    releases = _decide_all(ctx, batch, definitions, judgements)
    # Read before writing: accepting a waiting no takes the note of who said it.
    persons = words.find_refusing_persons(ctx.session, ctx.centre_id, [release.submission.id for release in releases])
    accepted, refused = _write(ctx, releases, definitions)
    ctx.session.flush()
    _update_records(ctx, batch, accepted, refused, judgements)
    apply_unusable_refusals(ctx, {release.envelope.record for release in releases})
    restrict_late(ctx, {release.envelope.record for release in releases})
    _end_cards(ctx, releases, definitions, persons)
    return [Status(item.state) if item.state != ASIDE else Status.REJECTED for item in batch]


def _end_cards(ctx: ActContext, releases: Sequence[_Release], definitions: Definitions, persons: Mapping[int, str]) -> None:
    """End the cards of people who took everything back on a phone that somebody let in."""
    for release in releases:
        submission = release.submission
        definition = definitions.get((submission.form, submission.version))
        person = persons.get(submission.id, "")
        if definition is None or release.decision.problems or not person:
            continue
        consent = standing.read_consent(definition, release.decision.answers)
        if consent and consent[0] == standing.END:
            end_person(ctx, person, "form")


def _decide_all(
    ctx: ActContext, batch: Sequence[Submission], definitions: Definitions, judgements: Judgements
) -> list[_Release]:
    """Decide about each submission; those that stay quarantined are left out."""
    earlier = submissions.find_earlier(ctx.session, ctx.centre_id, [submission.instance_id for submission in batch])
    releases = []
    for submission in batch:
        envelope = make_envelope(submission)
        definition = definitions.get((submission.form, submission.version))
        judgement = judgements.find(envelope, definition)
        if judgement is None:
            continue  # there was no time to judge it: it stays quarantined
        others = dict(earlier[submission.instance_id])
        # Itself is among those with its id, and must not look like its own rival.
        others.pop(submission.sha256, None)
        competing = find_competing(envelope, {submission.instance_id: others})
        decision = decide(envelope, definition, competing, judgement)
        decision = explain_conflict(envelope, decision, competing, submission.device_id)
        if definition is not None:
            decision = _go_no_further_than_stands(ctx, submission, definition, envelope, decision)
            envelope = cut_envelope(definition, envelope, decision)
        problems = [problem.to_json() for problem in decision.problems]
        if decision.is_quarantined:  # still too slow, or still not to be judged at all
            if decision.is_above:
                submission.body = refusals.make_body(decision.answers)
            if submission.waits_for_form:
                submission.problems = problems
            continue
        releases.append(_Release(submission, envelope, decision))
        # From now on it counts: another one under its id, accepted with it, is a conflict.
        earlier[submission.instance_id][submission.sha256] = EarlierSubmission(
            submission.id,
            submission.log_position,
            submission.received_at,
            str(decision.status),
            problems,
            submission.device_id,
            submission.is_cut,
        )
    return releases


def _go_no_further_than_stands(
    ctx: ActContext, submission: Submission, definition: FormDefinition, envelope: Envelope, decision: Decision
) -> Decision:
    """Cut a record about somebody who was not asked to what stands now."""
    reason = find_reason(submission.problems)
    if reason is not None:
        # It was cut when it arrived, and names nobody any more: there is nothing to let in.
        refused = refuse_unasked(definition, decision.answers, decision, reason)
        return replace(refused, is_quarantined=False)
    person = find_unasked_person(definition, envelope, decision)
    if person is None:
        return decision
    tier = words.list_tiers(ctx.session, ctx.centre_id, [person]).get(person)
    return decide_by_standing(definition, envelope, decision, tier, time_for(WHILE_LOCKED))


def _write(
    ctx: ActContext, releases: Sequence[_Release], definitions: Definitions
) -> tuple[list[AcceptedSubmission], list[RefusedRecord]]:
    """Write what became of submissions, without what a no takes out.

    Returns those that passed, and those that did not with their problems.
    """
    decided = [DecidedSubmission(release.envelope, release.decision, release.submission.id) for release in releases]
    overruled = refusals.find_overruled(ctx, decided)
    effects = refusals.cut_overruled(ctx, decided, definitions)
    refusals.save_refusals(ctx, decided, effects)
    refusals.accept_waiting_refusals(ctx, [release.submission.id for release in releases])
    accepted: list[AcceptedSubmission] = []
    refused: list[RefusedRecord] = []
    for release in releases:
        submission = release.submission
        definition = definitions.get((submission.form, submission.version))
        is_overruled = release.key in overruled
        _write_decision(ctx, release, definition, is_overruled)
        decision = release.decision
        if not decision.problems:
            accepted.append(
                AcceptedSubmission(
                    release.envelope,
                    decision.answers,
                    definition,
                    submission.channel,
                    submission.id,
                    decision.is_refusal,
                    is_overruled,
                )
            )
        elif not is_overruled:
            refused.append((release.envelope, submission.problems))
    ctx.session.flush()
    refusals.delete_attachments(ctx, effects)
    return accepted, refused


def _write_decision(ctx: ActContext, release: _Release, definition: FormDefinition | None, is_overruled: bool) -> None:
    """Write on a submission what was decided; what may not be stored after a no is cut first."""
    submission = release.submission
    if release.decision.is_refusal or is_overruled:
        # What may not be stored is cut in the row, too: until now the quarantined body was whole.
        release.envelope, release.decision = refusals.cut_incoming(release.envelope, release.decision, definition)
        refusals.cut_submission(submission, release.envelope.body)
    elif release.decision.is_above:
        submission.body = refusals.make_body(release.decision.answers)
    submission.is_refusal = release.decision.is_refusal
    release.decision = require_attachments(ctx, release.envelope, release.decision, definition)
    submission.state = str(release.decision.status)
    submission.problems = [problem.to_json() for problem in release.decision.problems]
    submission.root_id = find_record_id(release.envelope, release.decision)


def _update_records(
    ctx: ActContext,
    batch: Sequence[Submission],
    accepted: Sequence[AcceptedSubmission],
    refused: Sequence[RefusedRecord],
    judgements: Judgements,
) -> None:
    """Bring records and caseload up to date, and tell the worker's phones what was refused."""
    foreign = update_records_and_caseload(ctx, accepted, judgements)
    open_waiting_slips(ctx, [submission for submission in accepted if submission.key not in foreign])
    to_publish = list(refused)
    for submission in accepted:
        if submission.key in foreign:
            to_publish.append((submission.envelope, [foreign[submission.key].to_json()]))
    # What is no part of a record, or stays quarantined, though its form may be known only now.
    left = [submission for submission in batch if submission.problems and not submission.is_cut]
    cut_to_standing(ctx, left, {})
    bodies = {(submission.instance_id, submission.sha256): submission.body for submission in left}
    to_publish = [(_put_body(envelope, bodies), problems) for envelope, problems in to_publish]
    update.publish_refused_records(ctx, [submission.envelope.record for submission in accepted], to_publish)
    apply_new_codes(ctx, [IncomingSubmission(submission.envelope) for submission in accepted])


def _put_body(envelope: Envelope, bodies: Mapping[tuple[str, str], str]) -> Envelope:
    """Return a submission with the answers that are stored of it."""
    return replace(envelope, body=bodies.get((envelope.instance_id, envelope.sha256), envelope.body))
