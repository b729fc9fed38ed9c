"""What submissions and records say about consent, for the standing consent of their person."""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.record_state import AcceptedSubmission, find_role_answer
from fieldapp.services.consent import standing
from fieldapp.services.consent.record_words import VersionConsent, compute_record_consent
from fieldapp.services.consent.standing import ConsentStatement
from fieldapp.services.consent.unusable_refusals import compute_own_tier, compute_tier, find_unusable
from fieldapp.services.records.versions import FoldedRecord
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from sync.notes import plain_code


def _read_statement(part: AcceptedSubmission) -> list[ConsentStatement]:
    """Return what a submission says about consent: one word, or none."""
    envelope, definition = part.envelope, part.definition
    if part.is_overruled or definition is None:
        return []
    word = (standing.LOWEST, False) if part.is_refusal else standing.read_consent(definition, part.answers)
    if word is None:
        return []
    person = plain_code(find_role_answer(definition, part.answers, "person"))
    return [ConsentStatement(envelope.record, person, *word, envelope.finished_at, part.position)]


def _compute_record_statement(
    ctx: ActContext,
    root_id: str,
    arrived: Sequence[Submission],
    versions: Sequence[Submission],
    folded: "FoldedRecord",
) -> list[ConsentStatement]:
    """Return what a record says about consent by all its versions: one word, or none."""
    person = plain_code(find_role_answer(folded.definition, folded.state.answers, "person"))
    person = person or standing.find_person(ctx.session, ctx.centre_id, root_id)
    statements: list[VersionConsent] = []
    strangers = {version.key for version in folded.state.rejected}
    for submission in versions:
        version = folded.versions[submission.instance_id, submission.sha256]
        definition = folded.definitions[submission.form, submission.version]
        named = plain_code(find_role_answer(definition, version.answers, "person"))
        is_lost = submission.is_cut and not submission.is_refusal
        if version.key in strangers or is_lost or named not in ("", person):
            continue
        word = (standing.LOWEST, False) if submission.is_refusal else standing.read_consent(definition, version.answers)
        if word:
            when = submission.finished_at, submission.id
            statements.append(VersionConsent(submission.instance_id, *word, *when, submission.is_refusal))
    for no in find_unusable(ctx, folded.state.author, arrived):
        if not no.is_of_shut_out_phone and (tier := compute_tier(ctx, no)) < standing.HIGHEST:
            statements.append(VersionConsent(no.instance_id, tier, False, no.finished_at, no.id, no.is_refusal))
    word_of_all = compute_record_consent(statements, folded.before)
    if word_of_all is None:
        return []
    standing.delete_answered_refusals(ctx.session, ctx.centre_id, root_id, person, word_of_all.answered)
    return [
        ConsentStatement(
            root_id,
            person,
            word_of_all.tier,
            word_of_all.is_asked,
            word_of_all.finished_at,
            word_of_all.position,
            is_of_all=True,
        )
    ]


@dataclass(frozen=True)
class _ReleaseRight:
    """What a record's right to leave hangs on, beside its person's consent."""

    form: str
    person: str
    tier: int
    is_settled: bool


def _read_right(ctx: ActContext, record: Record) -> _ReleaseRight:
    return _ReleaseRight(record.form, record.person, compute_own_tier(ctx, record), record.review != "contested")


def _has_fallen(before: _ReleaseRight, after: _ReleaseRight) -> bool:
    """Say whether a record may leave less than before, or another person decides now."""
    is_same = (before.form, before.person) == (after.form, after.person)
    return not is_same or after.tier < before.tier or (before.is_settled and not after.is_settled)
