"""Let in what was kept aside: then it is judged and folded like what arrives, in the name of whoever made it."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.caseload import update
from fieldapp.services.caseload.record_state import Part
from fieldapp.services.definitions import load_definitions
from fieldapp.services.failures import note_failure
from fieldapp.services.records import folding, refusals
from fieldapp.services.records.corrections import apply_reissues
from fieldapp.services.records.form_rules import Judgements, judge_all
from fieldapp.services.records.intake import (
    Arrived,
    Definitions,
    is_everybodys,
    lacks_attachments,
    of_other_phone,
    root_of,
    standing_of,
)
from fieldapp.services.records.refusals import Incoming
from fieldapp.services.records.time_limits import LET_IN
from fieldapp.services.records.unusable_noes import heed_unusable_noes
from fieldapp.store.records import submissions
from fieldapp.store.records.submissions import ASIDE, EarlierSubmission, Submission
from fieldapp.store.session import Session
from forms.problems import AnswerProblem
from sync.envelope import Envelope
from sync.intake import FAILED, Decision, Status, decide

log = logging.getLogger("fieldapp.sync")

AT_ONCE = 50  # submissions in one transaction


@dataclass(frozen=True)
class LetIn:
    """What became of submissions that were let in."""

    stored: int
    others: int  # they did not pass their form's rules, or another one stands under the same id


def let_in(session: Session, actor: Actor, submission_ids: Sequence[int]) -> LetIn:
    """Let submissions in that were kept aside, in the order they came; those that are not aside are passed over."""
    stored = others = 0
    for start in range(0, len(submission_ids), AT_ONCE):
        ids = submission_ids[start : start + AT_ONCE]
        statuses = _let_in_or_leave(session, actor, ids)
        stored += statuses.count(Status.STORED)
        others += len(statuses) - statuses.count(Status.STORED)
    return LetIn(stored, others)


def _let_in_or_leave(session: Session, actor: Actor, ids: Sequence[int]) -> list[Status]:
    """Let these in at once, or one by one when one of them cannot be: that one stays aside."""
    try:
        return _let_in(session, actor, ids, _judged(session, actor, ids))
    except Exception as error:
        if is_everybodys(error):
            raise
        note_failure(log, f"{len(ids)} submissions could not be let in", error)
    if len(ids) == 1:
        return [Status.REJECTED]
    statuses: list[Status] = []
    for number in ids:
        statuses += _let_in_or_leave(session, actor, [number])
    return statuses


def let_in_all(session: Session, actor: Actor, device_id: int) -> LetIn:
    """Let in all that was kept aside of one phone."""
    return let_in(session, actor, _of_phone(session, actor, device_id))


def let_in_known_forms(session: Session) -> int:
    """Let in what waited for a form version that is here by now; return how many.

    One that cannot be let in is tried no more by itself, but waits for somebody to look.
    """
    stored = 0
    for centre_id, ids in submissions.list_waiting_for_form(session).items():
        session.rollback()
        system = Actor.system(centre_id)
        stored += let_in(session, system, ids).stored
        _note_failed(session, system, ids=ids)
    return stored


@act("submission.let_in")
def _note_failed(ctx: ActContext, ids: Collection[int]) -> None:
    """Say of those that still wait for their form, though it is here, that they failed."""
    aside = submissions.held_aside(ctx.session, ctx.centre_id, ids)
    failed = [submission for submission in aside if submission.waits_for_form]
    for submission in failed:
        submission.problems = [AnswerProblem(*FAILED, "").to_json()]
    ctx.is_audited = bool(failed)
    ctx.describe("submissions", records=len(failed))


@read_act("submission.let_in")
def _of_phone(ctx: ActContext, device_id: int) -> Sequence[int]:
    return submissions.aside_of_device(ctx.session, ctx.centre_id, device_id)


@read_act("submission.let_in")
def _judged(ctx: ActContext, ids: Collection[int]) -> Judgements:
    """Return what the forms' rules say, before the database is locked."""
    found = [_envelope(one) for one in submissions.held_aside(ctx.session, ctx.centre_id, ids)]
    return judge_all(ctx.session, ctx.centre_id, found, seconds=LET_IN, is_kept=True)


def _envelope(one: Submission) -> Envelope:
    """Return a submission as it arrived."""
    return Envelope(
        one.instance_id,
        one.form,
        one.version,
        one.finished_local,
        one.body,
        one.sha256,
        one.root_id if one.prev else "",
        tuple(one.prev),
        one.due,
        tuple(one.cards),
    )


@act("submission.let_in")
def _let_in(ctx: ActContext, ids: Collection[int], judgements: Judgements) -> list[Status]:
    """Let in those that are still aside, phone by phone, and return what became of each."""
    held = submissions.held_aside(ctx.session, ctx.centre_id, ids)
    by_maker: dict[tuple[int, int | None], list[Submission]] = {}
    for one in held:
        by_maker.setdefault((one.author_id, one.device_id), []).append(one)
    statuses: list[Status] = []
    for (author_id, device_id), some in by_maker.items():
        maker = replace(ctx, actor=Actor(ctx.centre_id, WORKER, author_id, device_id), details={})
        statuses += _of_maker(maker, some, judgements)
    about = f"submission/{held[0].id}" if len(held) == 1 else "submissions"
    ctx.describe(about, records=len(held), stored=statuses.count(Status.STORED))
    return statuses


def _of_maker(ctx: ActContext, some: Sequence[Submission], judgements: Judgements) -> list[Status]:
    """Let in what one phone sent, as an act of its worker."""
    known = submissions.find_earlier(ctx.session, ctx.centre_id, [one.instance_id for one in some])
    definitions = load_definitions(ctx.session, ctx.centre_id, {(one.form, one.version) for one in some})
    decided: list[tuple[Submission, Envelope, Decision]] = []
    for one in some:
        envelope = _envelope(one)
        definition = definitions.get((one.form, one.version))
        judged = judgements.of(envelope, definition)
        if judged is None:
            continue  # there was no time to look at it: it stays aside
        others = {sha: held for sha, held in known[one.instance_id].items() if sha != one.sha256}
        before = standing_of(envelope, {one.instance_id: others})
        decision = decide(envelope, definition, before, judged)
        decision = of_other_phone(envelope, decision, before, one.device_id)
        if decision.is_aside:  # still too slow, or still not to be judged at all
            if one.waits_for_form:
                one.problems = [problem.to_json() for problem in decision.problems]
            continue
        decided.append((one, envelope, decision))
        # From now on it stands: another one under its id, let in with it, is a conflict.
        problems = [problem.to_json() for problem in decision.problems]
        known[one.instance_id][one.sha256] = EarlierSubmission(
            one.id, one.received_at, str(decision.status), problems, one.device_id, one.is_cut
        )
    parts, refused = _settle(ctx, decided, definitions)
    ctx.session.flush()
    _fold(ctx, parts, refused, judgements)
    heed_unusable_noes(ctx, {envelope.record for _, envelope, _ in decided})
    return [Status(one.state) if one.state != ASIDE else Status.REJECTED for one in some]


def _settle(
    ctx: ActContext, decided: Sequence[tuple[Submission, Envelope, Decision]], definitions: Definitions
) -> tuple[list[Part], list[tuple[Envelope, Decision]]]:
    """Write what became of submissions, without what a no takes out; return those that passed, and those that did not."""
    incoming = [Incoming(envelope, decision, one.id) for one, envelope, decision in decided]
    lost = refusals.find_overruled(ctx, incoming)
    after = refusals.overrule(ctx, incoming, definitions)
    refusals.hear(ctx, incoming, after)
    refusals.hear_waiting(ctx, [one.id for one, _, _ in decided])
    parts: list[Part] = []
    refused: list[tuple[Envelope, Decision]] = []
    for one, as_sent, first in decided:
        envelope, decision = as_sent, first
        definition = definitions.get((one.form, one.version))
        is_overruled = (one.instance_id, one.sha256) in lost
        if decision.is_refusal or is_overruled:
            envelope, decision = refusals.cut_incoming(envelope, decision, definition)
            one.body, one.cards, one.due, one.is_cut = envelope.body, [], "", True
        elif decision.is_above:
            one.body = refusals.body_of(decision.answers)
        one.is_refusal = decision.is_refusal
        decision = lacks_attachments(ctx, envelope, decision, definition)
        one.state = str(decision.status)
        one.problems = [problem.to_json() for problem in decision.problems]
        one.root_id = root_of(envelope, decision)
        if not decision.problems:
            is_no = decision.is_refusal
            parts.append(Part(envelope, decision.answers, definition, one.via, one.id, is_no, is_overruled))
        elif not is_overruled:
            refused.append((envelope, decision))
    ctx.session.flush()
    refusals.take_out_attachments(ctx, after)
    return parts, refused


def _fold(
    ctx: ActContext, parts: Sequence[Part], refused: Sequence[tuple[Envelope, Decision]], judgements: Judgements
) -> None:
    """Fold in those that passed, bring the caseload up to date, and tell the worker's phones of those that did not."""
    ready = dict(judgements.earlier)
    ready |= {(part.envelope.instance_id, part.envelope.sha256): dict(part.answers) for part in parts}
    changed, foreign = folding.fold_in(ctx, [part for part in parts if part.definition], ready)
    update.update_caseload(ctx, changed, parts)
    told = [(envelope, [problem.to_json() for problem in decision.problems]) for envelope, decision in refused]
    told += [(part.envelope, [foreign[key].to_json()]) for part in parts if (key := part.key) in foreign]
    update.publish_refused_records(ctx, [part.envelope.record for part in parts], told)
    apply_reissues(ctx, [Arrived(part.envelope) for part in parts])
