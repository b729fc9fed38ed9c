"""Cut refusals that were stored whole before there was the rule about a no.

Done once for each centre, at the first upgrade that has the rule.

An audit line says that it was done, so an upgrade that was killed midway does it again, and so does a restored backup.
"""

import json
from collections.abc import Sequence

from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.consent import refusals
from fieldapp.services.consent.standing import ConsentStatement, make_refusal
from fieldapp.services.definitions import load_definitions
from fieldapp.services.records.folding import refold
from fieldapp.services.records.time_limits import AT_REVIEW, time_for
from fieldapp.store.consent import erased_bytes
from fieldapp.store.operations import audit, centres
from fieldapp.store.people import users
from fieldapp.store.phones import pull
from fieldapp.store.records import submissions
from fieldapp.store.records.submissions import Submission
from fieldapp.store.session import Session
from forms import consent
from sync.envelope import Envelope, parse_clock
from sync.intake import validate_submission

BATCH_SIZE = 200  # submissions in one transaction
ALL = "refusals/all"  # the target of the audit line that says it was done
MESSAGES = "refusals/messages"  # and of the one that it was done to what phones pull, which came later


def cut_in_every_centre(session: Session) -> None:
    """Cut the refusals that were stored whole, in each centre where this was not done yet."""
    for centre in centres.list_all(session):
        cut_earlier_refusals(session, Actor.system(centre.id))


def cut_earlier_refusals(session: Session, actor: Actor) -> int:
    """Cut the refusals of a centre that were stored whole, with everything that they overrule.

    Returns how many there were; 0 also where it was done before.
    """
    count = 0
    if not _is_done(session, actor, ALL):
        ids = _list_next(session, actor, 0)
        while ids:
            count += _cut(session, actor, ids=ids)
            ids = _list_next(session, actor, ids[-1])
        _note_done(session, actor, count)
    if not _is_done(session, actor, MESSAGES):
        _cut_messages(session, actor)
    return count


@read_act("refusals.cut")
def _is_done(ctx: ActContext, target: str) -> bool:
    return audit.last_of(ctx.session, ctx.centre_id, target, ("refusals.cut",)) is not None


@act("refusals.cut")
def _note_done(ctx: ActContext, count: int) -> None:
    ctx.describe(ALL, records=count)


@read_act("refusals.cut")
def _list_next(ctx: ActContext, last: int) -> Sequence[int]:
    return submissions.ids_after(ctx.session, ctx.centre_id, last, BATCH_SIZE)


@act("refusals.cut")
def _cut(ctx: ActContext, ids: Sequence[int]) -> int:
    uncut = submissions.list_uncut(ctx.session, ctx.centre_id, ids)
    found_refusals = [submission for submission in uncut if _is_refusal(ctx, submission)]
    effects = refusals.RefusalEffects()
    for submission in found_refusals:
        submission.is_refusal = True
        code = refusals.cut_stored(ctx, submission, effects)
        effects.statements += _make_outside_statements(submission, code)
    for record_id in sorted({submission.root_id for submission in found_refusals}):
        refusals.cut_overruled_stored(ctx, record_id, effects)
        refold(ctx, record_id)
    refusals.save_refusals(ctx, (), effects)
    refusals.delete_attachments(ctx, effects)
    ctx.describe("refusals", records=len(found_refusals))
    return len(found_refusals)


@act("refusals.cut")
def _cut_messages(ctx: ActContext) -> None:
    """Cut in what phones pull what was cut where it is stored.

    A refused record lies there to be corrected.
    """
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    messages = {place: json.loads(body) for place, body in pull.list_bodies_of_kind(ctx.session, everybody, "rec/").items()}
    ids: set[str] = set()
    for message in messages.values():
        ids.update(message.get("heads", ()))
    cut_ids = submissions.list_cut_ids(ctx.session, ctx.centre_id, ids)
    changed: dict[tuple[int, str], str] = {}
    for place, message in messages.items():
        if not cut_ids.isdisjoint(message.get("heads", ())):
            form = message["form"], message["version"]
            definition = load_definitions(ctx.session, ctx.centre_id, {form}).get(form)
            answers = consent.without_person(definition, message["answers"]) if definition else {}
            changed[place] = json.dumps({**message, "answers": answers})
    pull.upsert_items(ctx.session, changed)
    erased_bytes.note_erased(ctx.session, ctx.now)
    ctx.describe(MESSAGES, records=len(changed))


def _make_outside_statements(submission: Submission, code: str) -> list[ConsentStatement]:
    """Return that the person with this card said no, where no record says it.

    The submission is part of no record then. The word of a shut-out phone waits until somebody accepts it.
    """
    if not code or (submission.is_part and not submission.is_foreign):
        return []
    waits = submission.is_of_shut_out_phone
    return [make_refusal(code, submission.finished_at, submission.id, waits)]


def _is_refusal(ctx: ActContext, submission: Submission) -> bool:
    """Say whether the person did not say yes; what cannot be judged stays as it is."""
    form = submission.form, submission.version
    definition = load_definitions(ctx.session, ctx.centre_id, {form}).get(form)
    if definition is None or consent.is_clear_yes(definition, refusals.read_answers(submission.body, definition)):
        return False
    envelope = Envelope(
        submission.instance_id,
        submission.form,
        submission.version,
        submission.finished_local,
        submission.body,
        submission.sha256,
        clock=parse_clock(submission.clock, submission.finished_local),
    )
    try:
        judgement = validate_submission(envelope, definition, time_for(AT_REVIEW))
    except Exception:  # a form whose logic fails: the same record would have been quarantined
        return False
    return judgement.is_refusal and not judgement.is_quarantined
