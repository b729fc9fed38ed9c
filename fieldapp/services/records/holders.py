"""Updates of a referral by a worker whom the card of its person was given to.

A referral goes on for weeks, and its person's card may change hands meanwhile. Each worker who has the card, or had it,
may say what became of the referral, also with a no. Every other record is changed by its author and the office alone.
"""

from collections.abc import Collection, Sequence

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload import update
from fieldapp.services.caseload.handed_over import list_holders
from fieldapp.services.caseload.record_state import AcceptedSubmission
from fieldapp.services.consent import refusals
from fieldapp.services.definitions import load_definitions
from fieldapp.services.records import folding
from fieldapp.services.records.decisions import Definitions, IntakeItem
from fieldapp.services.records.folding import Foreign
from fieldapp.services.records.time_limits import WHILE_LOCKED, time_for
from fieldapp.services.records.versions import make_envelope, validate_answers
from fieldapp.store.phones import pull
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import NOT_THE_AUTHOR, OFFICE, Submission
from forms.definition import FormDefinition
from forms.roles import QuestionRole
from sync.notes import HANDOVER, plain_code


def mark_incoming(ctx: ActContext, items: Sequence[IntakeItem], definitions: Definitions) -> None:
    """Mark what a worker says of a colleague's referral, whose person's card they were given."""
    updates: dict[str, list[IntakeItem]] = {}
    for item in items:
        is_update = item.envelope.root and item.submission.channel != OFFICE
        if is_update and _is_referral(item.find_definition(definitions)):
            updates.setdefault(item.envelope.root, []).append(item)
    if not updates:
        return
    referrals = records.list_by_ids(ctx.session, ctx.centre_id, updates)
    others = [record for record in referrals if record.person and record.author_id != ctx.actor.user_id]
    holders = list_holders(ctx, {record.person for record in others})
    for record in others:
        for item in updates[record.instance_id]:
            item.is_by_holder = ctx.actor.user_id in holders.get(record.person, ())


def admit_late(ctx: ActContext, accepted: Sequence[AcceptedSubmission], foreign: Foreign) -> Foreign:
    """Admit updates that came before the card's hand-over, or before the referral itself.

    `foreign`: what was no part of its record so far. Returns what still is none.
    """
    codes: set[str] = set()
    record_ids: set[str] = set()
    for submission in accepted:
        if submission.envelope.form == HANDOVER:
            codes.add(plain_code(submission.answers.get("code")))
        if foreign and _is_referral(submission.definition):
            record_ids.add(submission.envelope.record)
    candidates = [*records.of_person(ctx.session, ctx.centre_id, codes - {""})] if codes - {""} else []
    candidates += records.list_by_ids(ctx.session, ctx.centre_id, record_ids) if record_ids else []
    left = dict(foreign)
    for record in {candidate.instance_id: candidate for candidate in candidates}.values():
        for admitted in _admit(ctx, record):
            left.pop((admitted.instance_id, admitted.sha256), None)
    return left


def _admit(ctx: ActContext, record: Record) -> list[Submission]:
    """Let holders of the card change a referral; return what they sent before."""
    form = record.form, record.version
    if not record.person or not _is_referral(load_definitions(ctx.session, ctx.centre_id, {form}).get(form)):
        return []
    arrived = submissions.of_record(ctx.session, ctx.centre_id, record.instance_id)
    outside = [each for each in arrived if each.is_foreign and each.problems[0]["code"] == NOT_THE_AUTHOR]
    holders = list_holders(ctx, {record.person} if outside else ()).get(record.person, set())
    admitted = [each for each in outside if each.author_id in holders]
    if not admitted:
        return []
    for submission in admitted:
        submission.is_by_holder = True
    ctx.session.flush()
    effects = refusals.RefusalEffects()
    refusals.cut_overruled_stored(ctx, record.instance_id, effects)
    refusals.save_refusals(ctx, (), effects)
    refusals.delete_attachments(ctx, effects)
    parts = _read_again(ctx, admitted)
    updated = folding.update_records(ctx, parts, {part.key: dict(part.answers) for part in parts})
    update.update_caseload(ctx, updated.states, parts, updated.standings)
    # Their phones were asked to correct what could not be taken.
    pull.remove_items(ctx.session, {each.author_id for each in admitted}, {f"rec/{record.instance_id}"})
    return [each for each in admitted if (each.instance_id, each.sha256) not in updated.foreign]


def _read_again(ctx: ActContext, stored: Collection[Submission]) -> list[AcceptedSubmission]:
    """Return stored submissions as they were accepted.

    Without their new cards and follow-ups, which counted when they came.
    """
    forms = {(submission.form, submission.version) for submission in stored}
    definitions = load_definitions(ctx.session, ctx.centre_id, forms)
    parts = []
    for submission in stored:
        definition = definitions[submission.form, submission.version]
        part = AcceptedSubmission(
            make_envelope(submission, due="", cards=()),
            validate_answers(submission, definition, time_for(WHILE_LOCKED)),
            definition,
            submission.channel,
            submission.id,
            submission.is_refusal,
            submission.is_cut and not submission.is_refusal,
        )
        parts.append(part)
    return parts


def _is_referral(definition: FormDefinition | None) -> bool:
    return definition is not None and definition.find_with_role(QuestionRole.STATUS) is not None
