"""Run the forms' rules before the database is locked, so that a slow record delays nobody."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from fieldapp.services.definitions import load_definitions
from fieldapp.services.failures import note_failure
from fieldapp.services.records.time_limits import PER_MESSAGE, PER_RECORD, is_over, time_for, until
from fieldapp.services.records.versions import AnswersByKey, validate_answers
from fieldapp.store.records import submissions
from fieldapp.store.session import Session
from forms.budget import TooSlow
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from sync.envelope import Envelope
from sync.intake import TOO_SLOW, Judgement, judge_by_consent, validate_submission
from sync.notes import is_caseload_note
from sync.problems import N_

log = logging.getLogger("fieldapp.sync")

LATER = "sync.later", N_("The centre had no time to check the record. The phone saves the record and sends it again.")

Key = tuple[str, str, str, str]
EarlierVersion = tuple[submissions.Submission, FormDefinition]


@dataclass
class Judgements:
    """What the forms' rules say about submissions, and answers of earlier versions."""

    judgements: dict[Key, Judgement] = field(default_factory=dict)
    is_form_here: dict[tuple[str, str], bool] = field(default_factory=dict)  # as it was when the rules were run
    earlier: AnswersByKey = field(default_factory=dict)

    def find(self, envelope: Envelope, definition: FormDefinition | None) -> Judgement | None:
        """Return the judgement about a submission; None when its form came meanwhile."""
        if self.is_form_here.get((envelope.form, envelope.version)) != bool(definition):
            return None
        return self.judgements.get(_make_key(envelope))


def _make_key(envelope: Envelope) -> Key:
    return envelope.instance_id, envelope.form, envelope.version, envelope.body


def judge_all(
    session: Session,
    centre_id: int,
    envelopes: Sequence[Envelope],
    seconds: float = PER_RECORD,
    is_stored: bool = False,
) -> Judgements:
    """Run the forms' rules over submissions that are new, or stored already.

    Each may take `seconds` of processor time. Nothing is locked meanwhile. Submissions that are left when the time
    for one message is up have no judgement: phones send them again.
    """
    # What was stored before is answered from the log; its rules need not run again.
    new = list(envelopes) if is_stored else _list_new(session, centre_id, envelopes)
    forms = {(envelope.form, envelope.version) for envelope in new}
    definitions = load_definitions(session, centre_id, forms)
    result = Judgements(is_form_here={form: form in definitions for form in forms})
    record_ids = {envelope.record for envelope in new if not is_caseload_note(envelope)}
    earlier_by_record: dict[str, list[EarlierVersion]] = {}
    for record_id in submissions.roots_present(session, centre_id, record_ids):
        earlier_by_record[record_id] = _load_earlier_versions(session, centre_id, record_id)
    session.rollback()  # no read stays open while the rules run
    # At least the time of one record, so that a single slow one can be judged at all.
    end = until(max(PER_MESSAGE, seconds))
    for envelope in new:
        # Those that are left have no judgement; the phone is told to send them again, and loses
        # nothing.
        if is_over(end):
            break
        definition = definitions.get((envelope.form, envelope.version))
        judgement, earlier = _judge(envelope, definition, earlier_by_record.get(envelope.record, ()), seconds)
        result.judgements[_make_key(envelope)] = judgement
        result.earlier |= earlier
    return result


def _list_new(session: Session, centre_id: int, envelopes: Sequence[Envelope]) -> list[Envelope]:
    earlier = submissions.find_earlier(session, centre_id, [envelope.instance_id for envelope in envelopes])
    return [envelope for envelope in envelopes if envelope.sha256 not in earlier.get(envelope.instance_id, {})]


def _judge(
    envelope: Envelope, definition: FormDefinition | None, earlier: Iterable[EarlierVersion], seconds: float
) -> tuple[Judgement, AnswersByKey]:
    """Return the judgement about a submission, and the answers of earlier versions."""
    judgement = Judgement()
    try:
        judgement = validate_submission(envelope, definition, time_for(seconds))
        return judgement, _validate_earlier(earlier, seconds)
    except TooSlow:
        if not judgement.is_refusal:  # what a no overrules need not be validated
            judgement = replace(judgement, problems=[AnswerProblem(*TOO_SLOW, "")], is_quarantined=True)
        return judgement, {}
    except Exception as error:  # whatever fails, the other records of the message are judged all the same
        note_failure(log, f"the rules of form/{envelope.form} could not be run", error)
        return judge_by_consent(envelope, definition, time_for(seconds)), {}


def _load_earlier_versions(session: Session, centre_id: int, record_id: str) -> list[EarlierVersion]:
    """Return the versions of a record, each with its form, to be read after this transaction."""
    parts = [submission for submission in submissions.of_record(session, centre_id, record_id) if submission.is_part]
    definitions = load_definitions(session, centre_id, {(part.form, part.version) for part in parts})
    versions = []
    for part in parts:
        # Taken out of the session, so that they can be read after the transaction has ended.
        session.expunge(part)
        definition = definitions.get((part.form, part.version))
        if definition is not None:
            versions.append((part, definition))
    return versions


def _validate_earlier(versions: Iterable[EarlierVersion], seconds: float) -> AnswersByKey:
    budget = time_for(seconds)
    answers: AnswersByKey = {}
    for submission, definition in versions:
        answers[submission.instance_id, submission.sha256] = validate_answers(submission, definition, budget)
    return answers
