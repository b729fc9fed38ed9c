"""Read what submissions and records say about consent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.record_state import AcceptedSubmission, find_role_answer
from fieldapp.services.consent import standing
from fieldapp.services.consent.record_words import RecordConsent, VersionConsent, compute_record_consent
from fieldapp.services.consent.standing import ConsentStatement
from fieldapp.services.consent.unusable_refusals import compute_own_tier, compute_tier, find_unusable, lowers_card
from fieldapp.services.records.versions import FoldedRecord
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.consent import goes_on_as_before, is_statement
from forms.definition import FormDefinition
from forms.roles import QuestionRole
from sync.notes import plain_code


def read_statement(submission: AcceptedSubmission) -> list[ConsentStatement]:
    """Return what the first submission of a record says about consent: one statement, or none."""
    envelope = submission.envelope
    definition = submission.definition
    # What a no overrules says nothing any more; the no itself speaks.
    if submission.is_overruled or definition is None:
        return []
    consent = _read_consent(definition, submission.answers, submission.is_refusal)
    if consent is None:
        return []
    person = plain_code(find_role_answer(definition, submission.answers, QuestionRole.PERSON))
    statement = ConsentStatement(envelope.record, person, *consent, envelope.finished_at, submission.position)
    return [replace(statement, spoken=envelope.consent)]


def _read_consent(definition: FormDefinition, answers: Mapping[str, Any], is_refusal: bool) -> tuple[int, bool] | None:
    """Return the tier that a version states, and whether the person was asked.

    None for no statement.
    """
    if goes_on_as_before(definition, answers):
        return None  # nobody was asked
    if not is_refusal:
        return standing.read_consent(definition, answers)
    if is_statement(definition, definition.read_role(answers, QuestionRole.TIER)):
        return standing.LOWEST, False
    return None  # “nothing today” holds for its record only


def read_record_statement(
    ctx: ActContext,
    record_id: str,
    arrived: Sequence[Submission],
    versions: Sequence[Submission],
    folded: FoldedRecord,
) -> list[ConsentStatement]:
    """Return what all versions of a record say about consent: one statement, or none."""
    person = plain_code(find_role_answer(folded.definition, folded.result.answers, QuestionRole.PERSON))
    # A correction may leave the card out; then the person is the one that the record named before.
    person = person or standing.find_person(ctx.session, ctx.centre_id, record_id)
    consents = _list_version_consents(versions, folded, person)
    consents += _list_unusable_consents(ctx, folded.result.author, arrived)
    consent = compute_record_consent(record_id, consents, folded.ancestors)
    if consent is None:
        return []
    # A refusal that is answered by a later version no longer counts as one that nobody could use.
    standing.delete_answered_refusals(ctx, record_id, person, consent.answered)
    return [_make_record_statement(record_id, person, consent)]


def _list_version_consents(versions: Sequence[Submission], folded: FoldedRecord, person: str) -> list[VersionConsent]:
    """Return what each version says about the consent of the record's person."""
    rejected = {version.key for version in folded.result.rejected}
    consents = []
    for submission in versions:
        version = folded.versions[submission.instance_id, submission.sha256]
        definition = folded.definitions[submission.form, submission.version]
        named = plain_code(find_role_answer(definition, version.answers, QuestionRole.PERSON))
        # Cut by another's no, and no refusal itself: its own answer about consent is gone.
        is_lost = submission.is_cut and not submission.is_refusal
        # A version that names another person speaks about that person, not about this one.
        if version.key in rejected or is_lost or named not in ("", person):
            continue
        consent = _read_consent(definition, version.answers, submission.is_refusal)
        if consent:
            tier, is_asked = consent
            consents.append(_make_consent(submission, tier, is_asked))
    return consents


def _list_unusable_consents(ctx: ActContext, author_id: int, arrived: Sequence[Submission]) -> list[VersionConsent]:
    """Return what submissions that are no version say, where that is less than a full yes."""
    consents = []
    for submission in find_unusable(ctx, author_id, arrived):
        # Anybody who finds a lost phone could lower consent with it; such words wait for an admin.
        if submission.is_of_shut_out_phone:
            continue
        tier = compute_tier(ctx, submission)
        if tier < standing.HIGHEST and lowers_card(ctx, submission):
            consents.append(_make_consent(submission, tier, is_asked=False))
    return consents


def _make_consent(submission: Submission, tier: int, is_asked: bool) -> VersionConsent:
    return VersionConsent(
        submission.instance_id, tier, is_asked, submission.finished_at, submission.id, submission.is_refusal
    )


def _make_record_statement(record_id: str, person: str, consent: RecordConsent) -> ConsentStatement:
    return ConsentStatement(
        record_id,
        person,
        consent.tier,
        consent.is_asked,
        consent.finished_at,
        consent.position,
        is_of_all=True,
        statement_id=standing.make_statement_id(consent.lowered_by) if consent.lowered_by else record_id,
    )


@dataclass(frozen=True)
class ReleaseRight:
    """What a record's right to leave in a release depends on, beside its person's consent."""

    form: str
    person: str
    tier: int
    is_settled: bool  # nobody has to choose between two answers

    def has_fallen_to(self, after: "ReleaseRight") -> bool:
        """Say whether a record may leave less than before, or another person decides now."""
        # Another form or person may have other rules of consent: what left before may not be what
        # may leave now.
        if (self.form, self.person) != (after.form, after.person):
            return True
        return after.tier < self.tier or (self.is_settled and not after.is_settled)


def read_release_right(ctx: ActContext, record: Record) -> ReleaseRight:
    """Return what a record's right to leave depends on now."""
    return ReleaseRight(record.form, record.person, compute_own_tier(ctx, record), record.review != "contested")
