"""Ask the forms' rules about submissions before the database is locked for writing: one slow record holds nobody up."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fieldapp.services.definitions import load_definitions
from fieldapp.services.failures import note_failure
from fieldapp.services.records.time_limits import PER_MESSAGE, PER_RECORD, is_over, time_for, until
from fieldapp.services.records.versions import Ready, validate_answers
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
Definitions = Mapping[tuple[str, str], FormDefinition]


@dataclass
class Judgements:
    """What the rules say about submissions, and the answers of earlier ones that they are folded with."""

    judged: dict[Key, Judgement] = field(default_factory=dict)
    is_known: dict[tuple[str, str], bool] = field(default_factory=dict)  # whether the centre knew the form then
    earlier: Ready = field(default_factory=dict)

    def of(self, envelope: Envelope, definition: FormDefinition | None) -> Judgement | None:
        """Return what was said of a submission; None when it was not asked, or when its form came meanwhile."""
        if self.is_known.get((envelope.form, envelope.version)) != bool(definition):
            return None
        return self.judged.get(_key(envelope))


def _put_aside(judged: Judgement) -> Judgement:
    return replace(judged, problems=[AnswerProblem(*TOO_SLOW, "")], is_aside=True)


def _key(envelope: Envelope) -> Key:
    return envelope.instance_id, envelope.form, envelope.version, envelope.body


def judge_all(
    session: Session,
    centre_id: int,
    envelopes: Sequence[Envelope],
    seconds: float = PER_RECORD,
    is_kept: bool = False,
) -> Judgements:
    """Return what the rules say of those that are new, or of all that are kept already. Nothing is locked meanwhile.

    What is left when the time for one message is up is not in it.
    """
    known = submissions.find_earlier(session, centre_id, [one.instance_id for one in envelopes])
    fresh = [one for one in envelopes if is_kept or one.sha256 not in known.get(one.instance_id, {})]
    definitions = load_definitions(session, centre_id, {(one.form, one.version) for one in fresh})
    found = Judgements(is_known={(one.form, one.version): (one.form, one.version) in definitions for one in fresh})
    roots = submissions.roots_present(session, centre_id, {one.record for one in fresh if not is_caseload_note(one)})
    before = {root: _parts_of(session, centre_id, root) for root in roots}
    session.rollback()  # no read stays open while the rules run
    end = until(max(PER_MESSAGE, seconds))
    for one in fresh:
        if is_over(end):
            break
        definition = definitions.get((one.form, one.version))
        try:
            judged = validate_submission(one, definition, time_for(seconds))
            found.earlier |= _answers(before.get(one.record, ()), seconds)
        except TooSlow:
            judged = judged if judged.is_refusal else _put_aside(judged)  # what a no overrules need not be known
        except Exception as error:  # whatever it is, the other records of the message are judged all the same
            note_failure(log, f"the rules of form/{one.form} could not be run", error)
            judged = judge_by_consent(one, definition, time_for(seconds))
        found.judged[_key(one)] = judged
    return found


Part = tuple[submissions.Submission, FormDefinition]


def _parts_of(session: Session, centre_id: int, root: str) -> list[Part]:
    """Return what a record is made of, each with its form, for reading after this transaction."""
    parts = [one for one in submissions.of_record(session, centre_id, root) if one.is_part]
    definitions = load_definitions(session, centre_id, {(one.form, one.version) for one in parts})
    for one in parts:
        session.expunge(one)
    return [(one, definitions[one.form, one.version]) for one in parts if (one.form, one.version) in definitions]


def _answers(parts: Sequence[Part], seconds: float) -> Ready:
    budget = time_for(seconds)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one, definition in parts:
        found[one.instance_id, one.sha256] = validate_answers(one, definition, budget)
    return found
