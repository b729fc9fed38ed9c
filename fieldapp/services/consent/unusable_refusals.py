"""Refusals that cannot be used as they are: their submission was rejected or quarantined.

Such a no lowers its record all the same, and so does a yes to less. Neither cuts anything, since it is no version of the
record: it may turn out to be wrong. Until a version that was made in the knowledge of it comes, nothing of the record
leaves in a release or is counted.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from fieldapp.services.access import ADMIN
from fieldapp.services.acts import ActContext
from fieldapp.services.caseload import cards
from fieldapp.services.consent import standing
from fieldapp.services.consent.contested import find_lowest_tier
from fieldapp.services.consent.refusals import read_answers, says_for_good
from fieldapp.services.consent.standing import ConsentStatement
from fieldapp.services.definitions import load_definition, load_definitions
from fieldapp.store.consent import retention
from fieldapp.store.forms import versions
from fieldapp.store.people import users
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import OFFICE, Submission
from forms.consent import goes_on_as_before
from sync.ancestors import Ancestors


def apply_unusable_refusals(ctx: ActContext, record_ids: Collection[str]) -> None:
    """Mark records that an unusable no speaks against, and lower their cards.

    A shut-out phone lowers no card, only what the record itself allows.
    """
    unusable = submissions.unusable_roots(ctx.session, ctx.centre_id, record_ids) if record_ids else set()
    if not unusable:
        return
    statements: list[ConsentStatement] = []
    for record_id, record in records.lock_existing(ctx.session, ctx.centre_id, unusable).items():
        arrived = submissions.of_record(ctx.session, ctx.centre_id, record_id)
        refusals, answered = _split_by_answer(ctx, record, arrived)
        if refusals and not record.is_refused:
            statements.append(standing.make_fall(refusals[-1].finished_at, refusals[-1].id))
        is_refused = bool(refusals) or retention.is_restricted(ctx.session, ctx.centre_id, record.id)
        if record.is_refused != is_refused:
            record.is_refused = is_refused
            record.changed_at = ctx.now
        for refusal in refusals:
            if not refusal.is_of_shut_out_phone and lowers_card(ctx, refusal):
                tier = compute_tier(ctx, refusal)
                lowering = ConsentStatement(record_id, "", tier, False, refusal.finished_at, refusal.id)
                number = standing.make_statement_id([refusal.instance_id])
                statements.append(replace(lowering, statement_id=number))
        positions = {refusal.id for refusal in answered}
        standing.delete_answered_refusals(ctx, record_id, record.person, positions)
    standing.save_statements(ctx.session, ctx.centre_id, statements, ctx.now)
    cards.show_standing_of_records(ctx, unusable)


def compute_own_tier(ctx: ActContext, record: Record) -> int:
    """Return how far a record allows by itself, 0 to 3; 3 where nobody was to be asked."""
    form = record.form, record.version
    definition = load_definitions(ctx.session, ctx.centre_id, {form})[form]
    tier = find_lowest_tier(definition, record.answers, record.contested)
    if tier is None:
        return standing.HIGHEST
    return tier


def compute_tier(ctx: ActContext, submission: Submission) -> int:
    """Return how far consent reaches by a submission, as far as that can be read."""
    consent = _read_consent(ctx, submission)
    if consent:
        return consent[0]
    return standing.HIGHEST


def lowers_card(ctx: ActContext, submission: Submission) -> bool:
    """Say whether what a submission says of consent holds beyond its own record."""
    form = submission.form, submission.version
    definition = load_definitions(ctx.session, ctx.centre_id, {form}).get(form)
    if definition is None:
        return True
    if submission.is_refusal:
        return says_for_good(definition, submission.body)
    return not goes_on_as_before(definition, read_answers(submission.body, definition))


def _read_consent(ctx: ActContext, submission: Submission) -> tuple[int, bool] | None:
    """Return the tier, and whether the person was asked; None without a word on consent."""
    if submission.is_refusal:
        return standing.LOWEST, False
    form = submission.form, submission.version
    definition = load_definitions(ctx.session, ctx.centre_id, {form}).get(form)
    if definition is None:
        # Its version has not come: what another version asks about consent says enough to wait.
        latest = versions.latest(ctx.session, ctx.centre_id, submission.form)
        if latest is None:
            return None
        definition = load_definition(latest)
    return standing.read_consent(definition, read_answers(submission.body, definition))


def find_unusable(ctx: ActContext, author_id: int, arrived: Sequence[Submission]) -> list[Submission]:
    """Return what speaks for a record and is no version of it, oldest first.

    Only its author and the office can speak for a record, and for a referral a worker who was given its person's
    card. What a shut-out phone sent is not believed once an admin has dismissed it.
    """
    admins = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == ADMIN}
    unusable: list[Submission] = []
    for submission in arrived:
        is_of_office = submission.channel == OFFICE and submission.author_id in admins
        is_theirs = submission.author_id == author_id or submission.is_by_holder or is_of_office
        is_dismissed = submission.is_of_shut_out_phone and submission.state == "settled"
        if is_theirs and not submission.is_part and not is_dismissed:
            unusable.append(submission)
    return unusable


def _split_by_answer(
    ctx: ActContext, record: Record, arrived: Sequence[Submission]
) -> tuple[list[Submission], list[Submission]]:
    """Return the unusable refusals of a record: those that no version answers, and the others."""
    unusable = find_unusable(ctx, record.author_id, arrived)
    if not unusable:
        return [], []
    limit = max(compute_own_tier(ctx, record), standing.LOWEST + 1)
    links: dict[str, set[str]] = {}
    for submission in arrived:
        links.setdefault(submission.instance_id, set()).update(submission.prev)
    ancestors = Ancestors(links)
    parts = [part for part in arrived if part.is_part and not part.is_foreign]
    refusals: list[Submission] = []
    answered: list[Submission] = []
    for submission in unusable:
        if compute_tier(ctx, submission) >= limit:
            continue
        if any(_is_answer(ctx, part, submission, ancestors) for part in parts):
            answered.append(submission)
        else:
            refusals.append(submission)
    return refusals, answered


def _is_answer(ctx: ActContext, version: Submission, refusal: Submission, ancestors: Ancestors) -> bool:
    """Say whether a version knows of a no, and does not only repeat what was said before."""
    if not ancestors.builds_on(version.instance_id, refusal.instance_id):
        return False
    if version.finished_at <= refusal.finished_at:
        return False
    consent = _read_consent(ctx, version)
    return consent is None or consent[1] or consent[0] <= compute_tier(ctx, refusal)
