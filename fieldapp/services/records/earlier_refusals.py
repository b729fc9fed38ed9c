"""Cut what was stored before there was the rule about a no: once for each centre, at the first upgrade that knows it.

An audit line says that it was done, so an upgrade that was killed midway does it again, and so does a restored backup.
"""

import uuid
from collections.abc import Sequence

from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.consent import refusals
from fieldapp.services.consent.standing import ConsentStatement
from fieldapp.services.definitions import load_definitions
from fieldapp.services.records.folding import refold
from fieldapp.services.records.time_limits import LET_IN, time_for
from fieldapp.store.operations import audit, centres
from fieldapp.store.records import submissions
from fieldapp.store.records.submissions import SHUT_OUT, Submission
from fieldapp.store.session import Session
from forms import consent
from sync.envelope import Envelope
from sync.intake import validate_submission

AT_ONCE = 200  # submissions in one transaction
ALL = "refusals/all"  # the target of the audit line that says it was done


def cut_in_every_centre(session: Session) -> None:
    """Cut the refusals that were stored whole, in each centre where this was not done yet."""
    for centre in centres.list_all(session):
        cut_earlier_refusals(session, Actor.system(centre.id))


def cut_earlier_refusals(session: Session, actor: Actor) -> int:
    """Cut the refusals of a centre that were stored whole, with all that they overrule.

    Return how many there were; 0 also where it was done before.
    """
    if _is_done(session, actor):
        return 0
    last = 0
    count = 0
    while ids := _next(session, actor, last):
        count += _cut(session, actor, ids=ids)
        last = ids[-1]
    _note_done(session, actor, count)
    return count


@read_act("refusals.cut")
def _is_done(ctx: ActContext) -> bool:
    return audit.last_of(ctx.session, ctx.centre_id, ALL, ("refusals.cut",)) is not None


@act("refusals.cut")
def _note_done(ctx: ActContext, count: int) -> None:
    ctx.describe(ALL, records=count)


@read_act("refusals.cut")
def _next(ctx: ActContext, last: int) -> Sequence[int]:
    return submissions.ids_after(ctx.session, ctx.centre_id, last, AT_ONCE)


@act("refusals.cut")
def _cut(ctx: ActContext, ids: Sequence[int]) -> int:
    found = [one for one in submissions.list_uncut(ctx.session, ctx.centre_id, ids) if _is_refusal(ctx, one)]
    after = refusals.RefusalEffects()
    for one in found:
        one.is_refusal = True
        after.statements += _hear_outside_record(one, refusals.cut_stored(ctx, one, after))
    for root_id in sorted({one.root_id for one in found}):
        refusals.cut_overruled_stored(ctx, root_id, after)
        refold(ctx, root_id)
    refusals.save_refusals(ctx, (), after)
    refusals.delete_attachments(ctx, after)
    ctx.describe("refusals", records=len(found))
    return len(found)


def _hear_outside_record(submission: Submission, code: str) -> list[ConsentStatement]:
    """Return that the person with this card said no, where no record tells it.

    The submission is part of no record. What a shut-out phone sent waits until it is let in.
    """
    if not code or (submission.is_part and not submission.is_foreign):
        return []
    waits = any(problem["code"] in SHUT_OUT for problem in submission.problems)
    return [ConsentStatement(str(uuid.uuid4()), code, 0, False, submission.finished_at, submission.id, waits)]


def _is_refusal(ctx: ActContext, one: Submission) -> bool:
    """Say whether the person did not say yes; what cannot be told stays as it is."""
    found = load_definitions(ctx.session, ctx.centre_id, {(one.form, one.version)})
    definition = found.get((one.form, one.version))
    if definition is None or consent.is_clear_yes(definition, refusals.read_answers(one.body, definition)):
        return False
    envelope = Envelope(one.instance_id, one.form, one.version, one.finished_local, one.body, one.sha256)
    try:
        judged = validate_submission(envelope, definition, time_for(LET_IN))
    except Exception:  # a form whose logic fails: the same record would have been kept aside
        return False
    return judged.is_refusal and not judged.is_aside
