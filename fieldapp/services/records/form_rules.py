"""Run the forms' rules before the database is locked, so that a slow record delays nobody.

What is quick, as nearly everything, is judged here; what is not, in a process of its own.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from fieldapp.services.definitions import load_definitions
from fieldapp.services.failures import note_failure
from fieldapp.services.records.time_limits import AT_ONCE, PATIENCE, PER_MESSAGE, PER_RECORD, is_over, time_for, until
from fieldapp.services.records.versions import AnswersByKey
from fieldapp.store.records import submissions
from fieldapp.store.session import Session
from forms.budget import TooSlow
from forms.definition import FormDefinition
from sync.apart import Case, EarlierBody, Outcome, judge_apart, read_answers
from sync.envelope import Envelope
from sync.intake import Judgement, judge_by_consent, validate_submission
from sync.notes import is_caseload_note
from sync.problems import N_

log = logging.getLogger("fieldapp.sync")

LATER = "sync.later", N_("The centre had no time to check the record. The phone saves the record and sends it again.")

Key = tuple[str, str, str, str]

# Two at once would take both processors of a small server from the phones. Who finds it busy sends again.
_apart = threading.Lock()
_slow_senders: dict[int, float] = {}  # device → when
REMEMBERED = 600.0  # seconds


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
    sender: int | None = None,
) -> Judgements:
    """Run the forms' rules over submissions that are new, or stored already.

    Each may take `seconds` of processor time. Nothing is locked meanwhile. Submissions that are left when the time
    for one message is up have no judgement, nor have slow ones while others are judged: phones send them again.
    `sender`: the device that brings them. What came from it took long lately? Then nothing is tried here.
    """
    # What was stored before is answered from the log; its rules need not run again.
    new = list(envelopes) if is_stored else _list_new(session, centre_id, envelopes)
    forms = {(envelope.form, envelope.version) for envelope in new}
    definitions = load_definitions(session, centre_id, forms)
    result = Judgements(is_form_here={form: form in definitions for form in forms})
    record_ids = {envelope.record for envelope in new if not is_caseload_note(envelope)}
    earlier_by_record: dict[str, list[EarlierBody]] = {}
    for record_id in submissions.roots_present(session, centre_id, record_ids):
        earlier_by_record[record_id] = _load_earlier_versions(session, centre_id, record_id)
    session.rollback()  # no read stays open while the rules run
    # At least the time of one record, so that a single slow one can be judged at all.
    end = until(max(PER_MESSAGE, seconds))
    slow: list[Case] = []
    for envelope in new:
        # Those that are left have no judgement; the phone is told to send them again, and loses
        # nothing.
        if is_over(end):
            break
        definition = definitions.get((envelope.form, envelope.version))
        case = Case(envelope, definition, earlier_by_record.get(envelope.record, ()))
        outcome = None if _was_slow(sender) else _judge_at_once(case)
        if outcome is None:
            slow.append(case)
        else:
            _add(result, case, outcome)
    if slow and sender is not None and not _was_slow(sender):
        _slow_senders[sender] = time.monotonic()
    for case, outcome in _judge_slow(slow, seconds, may_wait=is_stored):
        _add(result, case, outcome)
    return result


def _was_slow(sender: int | None) -> bool:
    """Say whether a device sent lately what takes long.

    Several such devices would take all threads, a bit at a time.
    """
    at = None if sender is None else _slow_senders.get(sender)
    return at is not None and time.monotonic() - at < REMEMBERED


def forget_slow_senders() -> None:
    """Forget which devices sent what takes long."""
    _slow_senders.clear()


def _add(result: Judgements, case: Case, outcome: Outcome) -> None:
    judgement, earlier = outcome
    result.judgements[_make_key(case.envelope)] = judgement
    result.earlier |= earlier


def _list_new(session: Session, centre_id: int, envelopes: Sequence[Envelope]) -> list[Envelope]:
    earlier = submissions.find_earlier(session, centre_id, [envelope.instance_id for envelope in envelopes])
    return [envelope for envelope in envelopes if envelope.sha256 not in earlier.get(envelope.instance_id, {})]


def _judge_at_once(case: Case) -> Outcome | None:
    """Return the judgement about a submission, and the answers of earlier versions.

    None when that takes longer than it may here.
    """
    try:
        budget = time_for(AT_ONCE)
        judgement = validate_submission(case.envelope, case.definition, budget)
        if budget.is_used_up:
            return None
        budget = time_for(AT_ONCE)
        return judgement, {earlier.key: read_answers(earlier, budget) for earlier in case.earlier}
    except TooSlow:
        return None
    except Exception as error:  # whatever fails, the other records of the message are judged all the same
        return _judge_failed(case, error)


def _judge_failed(case: Case, error: Exception) -> Outcome:
    note_failure(log, f"the rules of form/{case.envelope.form} could not be run", error)
    return judge_by_consent(case.envelope, case.definition, time_for(AT_ONCE)), {}


def _judge_slow(cases: Sequence[Case], seconds: float, may_wait: bool) -> list[tuple[Case, Outcome]]:
    """Judge in another process what takes long.

    Nothing while that is busy, unless the caller `may_wait`.
    """
    if not cases or not _apart.acquire(timeout=PATIENCE if may_wait else 0):
        return []
    try:
        outcomes = judge_apart(cases, seconds, PER_MESSAGE, PATIENCE)
    finally:
        _apart.release()
    judged = []
    for case, outcome in zip(cases, outcomes, strict=False):  # those that are left come again
        judged.append((case, outcome or _judge_failed(case, TooSlow())))
    return judged


def _load_earlier_versions(session: Session, centre_id: int, record_id: str) -> list[EarlierBody]:
    """Return the versions of a record, each with its form, to be read after this transaction."""
    parts = [submission for submission in submissions.of_record(session, centre_id, record_id) if submission.is_part]
    definitions = load_definitions(session, centre_id, {(part.form, part.version) for part in parts})
    versions = []
    for part in parts:
        definition = definitions.get((part.form, part.version))
        if definition is not None:
            key = part.instance_id, part.sha256
            versions.append(EarlierBody(key, part.body, part.is_cut, part.judged_local, definition))
    return versions
