"""Decide what becomes of a submission. The caller stores every one, whatever the decision."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from forms import consent, keep
from forms.budget import Budget, TooSlow
from forms.definition import FormDefinition
from forms.expressions import DateValue, to_number
from forms.expressions.values import EPOCH
from forms.problems import AnswerProblem
from forms.roles import QuestionRole
from forms.validation import NOT_CHECKED, ValidationResult, validate
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.notes import check_note, is_caseload_note, plain_code
from sync.problems import N_


class Status(StrEnum):
    """What the phone gets as an answer: all but `retry` and `closed` mean "stored"."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # the same bytes were here already
    CONFLICT = "conflict"  # the id is known with other bytes; both are stored
    REJECTED = "rejected"  # stored for a review at the centre, with reasons
    RETRY = "retry"  # damaged on the way, or not now; nothing was stored
    CLOSED = "closed"  # a phone whose access ended has handed over all that it may; nothing was stored


@dataclass(frozen=True)
class Judgement:
    """What a form's logic says about a submission."""

    answers: dict[str, Any] = field(default_factory=dict)
    problems: list[AnswerProblem] = field(default_factory=list)
    is_quarantined: bool = False  # it could not be judged, so somebody must review it
    is_refusal: bool = False  # the person did not say yes: `answers` is all that may be stored of it
    refused_by: str = ""  # the card code of somebody who said no
    is_above: bool = False  # it held more than consent reaches: `answers` is all that may be stored of it


@dataclass(frozen=True)
class Decision:
    """What becomes of a submission; its fields but `status` are as in the judgement."""

    status: Status
    answers: dict[str, Any] = field(default_factory=dict)
    problems: list[AnswerProblem] = field(default_factory=list)
    is_quarantined: bool = False  # it waits until somebody at the centre accepts it
    is_refusal: bool = False
    refused_by: str = ""
    is_above: bool = False

    @property
    def is_cut(self) -> bool:
        """Say whether what was sent is stored only as far as `answers` goes."""
        return self.is_refusal or self.is_above


CONSENT = 0.5  # seconds for the questions about consent alone, where the whole form took too long
EarlierHashes = Mapping[str, Collection[str]]  # id → SHA-256 of each submission stored under it
Reason = tuple[str, str]  # code, sentence

UNKNOWN_FORM = "sync.unknown_form"  # quarantined, and accepted automatically once its form is here
DAMAGED = "sync.damaged", N_("The record was damaged on the way.")
FAILED = "sync.failed", N_("The centre could not store the record. It is kept aside until the fault is fixed.")
TOO_SLOW = (
    "sync.too_slow",
    N_("The form's rules took too long over this record. It is kept aside until somebody accepts it."),
)


def decide(
    envelope: Envelope,
    definition: FormDefinition | None,
    earlier: EarlierHashes,
    judgement: Judgement | None = None,
) -> Decision:
    """Decide about a submission that arrived undamaged.

    `definition`: its form version; None when the centre does not have it. `judgement`: what the form's rules said; None
    runs them now.

    Example:
        decide(envelope, definition, {}).status  # "stored" or "rejected"
        decide(envelope, definition, {envelope.instance_id: {envelope.sha256}}).status  # "duplicate"
        decide(envelope, definition, {envelope.instance_id: {"0" * 64}}).status  # "conflict"
    """
    hashes = earlier.get(envelope.instance_id, ())
    # Before anything else: a phone sends again whatever it has no receipt for, and must get the
    # same answer each time.
    if envelope.sha256 in hashes:
        return Decision(Status.DUPLICATE)
    if judgement is None:
        judgement = validate_submission(envelope, definition)
    status = Status.STORED
    if hashes:
        status = Status.CONFLICT
    elif judgement.problems:
        status = Status.REJECTED
    return Decision(
        status,
        judgement.answers,
        judgement.problems,
        judgement.is_quarantined,
        judgement.is_refusal,
        judgement.refused_by,
        judgement.is_above,
    )


def decide_quarantine(
    envelope: Envelope,
    earlier: EarlierHashes,
    *reasons: Reason,
    judgement: Judgement,
    can_be_accepted: bool = False,
) -> Decision:
    """Decide about a submission that cannot be part of a record, whatever its answers.

    What may not be stored after a no is not stored here either, so it was judged all the same. With `can_be_accepted`
    it waits for somebody at the centre; else it is rejected.
    """
    hashes = earlier.get(envelope.instance_id, ())
    if envelope.sha256 in hashes:
        return Decision(Status.DUPLICATE)
    status = Status.CONFLICT if hashes else Status.REJECTED
    problems = [_make_problem(*reason) for reason in reasons]
    # Other answers are not stored a second time: the body is there, and is judged again when
    # somebody accepts it.
    answers = judgement.answers if judgement.is_refusal or judgement.is_above else {}
    return Decision(
        status,
        answers,
        problems,
        can_be_accepted,
        judgement.is_refusal,
        judgement.refused_by,
        judgement.is_above,
    )


def refuse(status: Status, reason: Reason) -> Decision:
    """Return the decision to store nothing of a submission."""
    return Decision(status, problems=[_make_problem(*reason)])


def validate_submission(envelope: Envelope, definition: FormDefinition | None, budget: Budget | None = None) -> Judgement:
    """Run a form's logic over a submission; return what may be stored and every problem.

    `budget` limits the time; a form that takes longer is judged by its questions about consent alone, and
    quarantined. Never raises TooSlow.
    """
    if definition is None and not is_caseload_note(envelope):
        text = N_("The centre does not know this form or this version of it.")
        problem = _make_problem(UNKNOWN_FORM, text)
        return Judgement(problems=[problem], is_quarantined=True, refused_by=plain_code(envelope.refused_by))
    try:
        answers = read_body(envelope.body, definition)
    except ValueError:
        return Judgement(problems=[_make_problem("sync.body", N_("The answers are not JSON."))])
    if definition is None:
        problems = check_note(envelope.form, answers, len(envelope.body))
        if problems:
            return Judgement(problems=problems)
        return Judgement(answers)
    try:
        result = validate(definition, answers, local_time(envelope.judged_at), budget)
    except TooSlow:
        unjudged = Judgement(problems=[_make_problem(*TOO_SLOW)], is_quarantined=True)
        return _judge_consent(envelope, definition, answers, unjudged, budget)
    # A form too intricate to check says nothing about consent; the few questions about consent may
    # still be checkable.
    if [problem.code for problem in result.problems] == [NOT_CHECKED]:
        unjudged = Judgement(result.answers, result.problems)
        return _judge_consent(envelope, definition, answers, unjudged, budget)
    if not result.is_refusal:
        return Judgement(result.answers, result.problems, is_above=result.is_above)
    return _make_refusal(definition, result, envelope.refused_by or result.refused_by)


def _make_refusal(definition: FormDefinition, result: ValidationResult, code: str) -> Judgement:
    """Return what is stored of a refusal, and what is wrong with that alone.

    The answers that are cut may have been wrong in any way.
    """
    answers = consent.without_person(definition, result.answers)
    problems = result.problems
    if not consent.is_statement(definition, definition.read_role(answers, QuestionRole.TIER)):
        code = ""  # an older app names the person of every no
    if definition.kept_after_no:  # a form in which the rule cannot apply is judged whole
        places = consent.kept_places(definition)
        problems = [problem for problem in problems if problem.path in places]
    return Judgement(answers, problems, is_refusal=True, refused_by=plain_code(code))


def _judge_consent(
    envelope: Envelope, definition: FormDefinition, answers: Any, unjudged: Judgement, budget: Budget | None
) -> Judgement:
    """Judge answers by the questions about consent alone: a no is never too slow.

    Where even these cannot be run, what is not clearly a yes is taken for a no.
    """
    code = envelope.refused_by or consent.person_in(definition, answers)
    # Its own time: the whole form has used up the budget, and a no must not get lost for that.
    time = Budget(CONSENT, budget.clock) if budget else Budget()
    consent_answers = consent.consent_answers(definition, answers)
    questions = consent.consent_questions(definition)
    try:
        result = validate(questions, consent_answers, local_time(envelope.judged_at), time)
    except TooSlow:
        return _cut_unless_yes(envelope, definition, answers, unjudged)
    if [problem.code for problem in result.problems] == [NOT_CHECKED]:
        return _cut_unless_yes(envelope, definition, answers, unjudged)
    if not result.is_refusal:
        return _cut_above(definition, answers, unjudged)
    judgement = _make_refusal(definition, result, code)
    if definition.kept_after_no:
        return judgement
    return replace(judgement, problems=unjudged.problems, is_quarantined=unjudged.is_quarantined)


def judge_by_consent(envelope: Envelope, definition: FormDefinition | None, budget: Budget | None = None) -> Judgement:
    """Judge a submission whose form's logic fails by its consent alone: a no is still cut."""
    unjudged = Judgement(problems=[_make_problem(*FAILED)], is_quarantined=True, refused_by=plain_code(envelope.refused_by))
    try:
        answers = read_body(envelope.body, definition)
    except ValueError:
        return unjudged
    if definition is None:
        return unjudged
    try:
        return _judge_consent(envelope, definition, answers, unjudged, budget)
    except Exception:  # the caller has logged why the form's logic fails
        return _cut_unless_yes(envelope, definition, answers, unjudged)


def _cut_unless_yes(envelope: Envelope, definition: FormDefinition, answers: Any, unjudged: Judgement) -> Judgement:
    """Judge answers over which no rule could be run: not clearly a yes means no."""
    if consent.is_clear_yes(definition, answers):
        return _cut_above(definition, answers, unjudged)
    cut = consent.without_person(definition, answers if isinstance(answers, Mapping) else {})
    code = plain_code(envelope.refused_by or consent.person_in(definition, answers))
    if not consent.is_statement(definition, definition.read_role(cut, QuestionRole.TIER)):
        code = ""
    return replace(unjudged, answers=cut, is_refusal=True, refused_by=code)


def _cut_above(definition: FormDefinition, answers: Any, unjudged: Judgement) -> Judgement:
    """Judge answers that could not be checked: cut what their own tier does not reach."""
    if not definition.keeps or not isinstance(answers, Mapping) or not definition.summary.get("tier"):
        return unjudged
    tier = to_number(definition.read_role(answers, "tier"))
    if not tier >= 1:
        return unjudged  # nobody was to be asked: a no was cut before
    denied = keep.list_denied(definition, tier, lambda role: definition.read_role(answers, role))
    if not denied:
        return unjudged
    return replace(unjudged, answers=keep.cut_above(definition, answers, denied), is_above=True)


def local_time(moment: dt.datetime) -> DateValue:
    """Return the phone's wall-clock time: what today() and now() meant in the form.

    `moment` has the offset of the phone's clock; the value counts days since 1970.
    """
    return DateValue((moment.replace(tzinfo=None) - EPOCH) / dt.timedelta(days=1), "dateTime")


def _make_problem(code: str, text: str) -> AnswerProblem:
    return AnswerProblem(code, text, "")
