"""Decide what becomes of a submission. The caller keeps every one, whatever the decision."""

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
from forms.validation import NOT_CHECKED, ValidationResult, validate
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.notes import check_note, is_caseload_note, plain_code
from sync.problems import N_


class Status(StrEnum):
    """What the phone is told. All but `retry` and `closed` mean that the centre holds the submission."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # the same bytes were here already
    CONFLICT = "conflict"  # the id is known with other bytes; both are kept
    REJECTED = "rejected"  # kept for the centre to look at, with reasons
    RETRY = "retry"  # damaged on the way, or not now; nothing was kept
    CLOSED = "closed"  # a phone that was shut out has handed over all that it may; nothing was kept


@dataclass(frozen=True)
class Judged:
    """What a form's logic says about a submission. `is_aside`: it could not be judged, so somebody must look."""

    answers: dict[str, Any] = field(default_factory=dict)
    problems: list[AnswerProblem] = field(default_factory=list)
    is_aside: bool = False
    is_refusal: bool = False  # the person did not say yes: `answers` is all that may be kept of it
    refused_by: str = ""  # the card code of somebody who said no
    is_above: bool = False  # it held more than consent reaches: `answers` is all that may be kept of it


@dataclass(frozen=True)
class Decision:
    """What becomes of a submission. `is_aside`: it waits until somebody at the centre lets it in."""

    status: Status
    answers: dict[str, Any] = field(default_factory=dict)
    problems: list[AnswerProblem] = field(default_factory=list)
    is_aside: bool = False
    is_refusal: bool = False  # as in what was judged
    refused_by: str = ""
    is_above: bool = False

    @property
    def is_cut(self) -> bool:
        """Say whether what was sent is stored only as far as `answers` goes."""
        return self.is_refusal or self.is_above


CONSENT = 0.5  # seconds for the questions about consent alone, where the whole form took too long
Known = Mapping[str, Collection[str]]  # id → hashes that the centre holds for it
Reason = tuple[str, str]  # code, sentence

UNKNOWN_FORM = "sync.unknown_form"  # kept aside, and accepted automatically once its form is here
DAMAGED = "sync.damaged", N_("The record was damaged on the way.")
FAILED = "sync.failed", N_("The centre could not store the record. It is kept aside until the fault is fixed.")
TOO_SLOW = (
    "sync.too_slow",
    N_("The form's rules took too long over this record. It is kept aside until somebody accepts it."),
)


def decide(envelope: Envelope, definition: FormDefinition | None, known: Known, judged: Judged | None = None) -> Decision:
    """Return what becomes of one that arrived whole; `judged` is what its form says of it, when that was asked before."""
    held = known.get(envelope.instance_id, ())
    if envelope.sha256 in held:
        return Decision(Status.DUPLICATE)
    judged = judged or judge(envelope, definition)
    status = Status.CONFLICT if held else Status.REJECTED if judged.problems else Status.STORED
    about_no = judged.is_refusal, judged.refused_by, judged.is_above
    return Decision(status, judged.answers, judged.problems, judged.is_aside, *about_no)


def decide_aside(
    envelope: Envelope, known: Known, *reasons: Reason, judged: Judged, can_be_let_in: bool = False
) -> Decision:
    """Return the decision to keep a submission aside for reasons that do not lie in its answers.

    What may not be kept is not kept aside either, so it was judged all the same.
    """
    held = known.get(envelope.instance_id, ())
    if envelope.sha256 in held:
        return Decision(Status.DUPLICATE)
    status = Status.CONFLICT if held else Status.REJECTED
    problems = [_problem(*reason) for reason in reasons]
    answers = judged.answers if judged.is_refusal or judged.is_above else {}
    about_no = judged.is_refusal, judged.refused_by, judged.is_above
    return Decision(status, answers, problems, can_be_let_in, *about_no)


def refuse(status: Status, reason: Reason) -> Decision:
    """Return the decision to keep nothing of a submission."""
    return Decision(status, problems=[_problem(*reason)])


def judge(envelope: Envelope, definition: FormDefinition | None, budget: Budget | None = None) -> Judged:
    """Return the answers as the form's logic leaves them, without what may not be kept, and every problem."""
    if definition is None and not is_caseload_note(envelope):
        text = N_("The centre does not know this form or this version of it.")
        problem = _problem(UNKNOWN_FORM, text)
        return Judged(problems=[problem], is_aside=True, refused_by=plain_code(envelope.refused_by))
    try:
        given = read_body(envelope.body, definition)
    except ValueError:
        return Judged(problems=[_problem("sync.body", N_("The answers are not JSON."))])
    if definition is None:
        problems = check_note(envelope.form, given, len(envelope.body))
        return Judged(problems=problems) if problems else Judged(given)
    now = local_time(envelope.finished_at)
    try:
        checked = validate(definition, given, now, budget)
    except TooSlow:
        unjudged = Judged(problems=[_problem(*TOO_SLOW)], is_aside=True)
        return _judge_consent(envelope, definition, given, unjudged, budget)
    if [problem.code for problem in checked.problems] == [NOT_CHECKED]:
        return _judge_consent(envelope, definition, given, Judged(checked.answers, checked.problems), budget)
    if not checked.is_refusal:
        return Judged(checked.answers, checked.problems, is_above=checked.is_above)
    return _refusal(definition, checked, envelope.refused_by or checked.refused_by)


def _refusal(definition: FormDefinition, checked: ValidationResult, code: str) -> Judged:
    """Return what is kept of a refusal, and what is wrong with that alone: what goes may have been wrong in any way."""
    kept = consent.without_person(definition, checked.answers)
    problems = checked.problems
    if definition.kept_after_no:  # a form in which the rule cannot hold is judged whole
        places = consent.kept_places(definition)
        problems = [problem for problem in problems if problem.path in places]
    return Judged(kept, problems, is_refusal=True, refused_by=plain_code(code))


def _judge_consent(
    envelope: Envelope, definition: FormDefinition, given: Any, unjudged: Judged, budget: Budget | None
) -> Judged:
    """Judge answers whose whole form could not be run by the questions about consent alone: a no is never too slow.

    Where even these cannot be run, whatever is not clearly a yes is taken for a no.
    """
    code = envelope.refused_by or consent.person_in(definition, given)
    time = Budget(CONSENT, budget.clock) if budget else Budget()
    asked = consent.consent_answers(definition, given)
    try:
        checked = validate(consent.consent_questions(definition), asked, local_time(envelope.finished_at), time)
    except TooSlow:
        checked = None
    if checked is None or [problem.code for problem in checked.problems] == [NOT_CHECKED]:
        return _cut_unless_yes(envelope, definition, given, unjudged)
    if not checked.is_refusal:
        return _cut_above(definition, given, unjudged)
    judged = _refusal(definition, checked, code)
    return judged if definition.kept_after_no else replace(judged, problems=unjudged.problems, is_aside=unjudged.is_aside)


def judge_failed(envelope: Envelope, definition: FormDefinition | None, budget: Budget | None = None) -> Judged:
    """Return what is said of a submission that the form's logic could not be run over, without what may not be kept."""
    unjudged = Judged(problems=[_problem(*FAILED)], is_aside=True, refused_by=plain_code(envelope.refused_by))
    try:
        given = read_body(envelope.body, definition)
    except ValueError:
        return unjudged
    if definition is None:
        return unjudged
    try:
        return _judge_consent(envelope, definition, given, unjudged, budget)
    except Exception:  # whoever calls has noted why the form's logic fails
        return _cut_unless_yes(envelope, definition, given, unjudged)


def _cut_unless_yes(envelope: Envelope, definition: FormDefinition, given: Any, unjudged: Judged) -> Judged:
    """Return what is said of answers on which no rule could be tried; what is not clearly a yes is taken for a no."""
    if consent.is_clear_yes(definition, given):
        return _cut_above(definition, given, unjudged)
    kept = consent.without_person(definition, given if isinstance(given, Mapping) else {})
    code = plain_code(envelope.refused_by or consent.person_in(definition, given))
    return replace(unjudged, answers=kept, is_refusal=True, refused_by=code)


def _cut_above(definition: FormDefinition, answers: Any, unjudged: Judged) -> Judged:
    """Return what is said of answers that could not be judged, cut to their own tier."""
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
    """Return the phone's wall-clock time, which is what today() and now() meant when the worker finished."""
    return DateValue((moment.replace(tzinfo=None) - EPOCH) / dt.timedelta(days=1), "dateTime")


def _problem(code: str, text: str) -> AnswerProblem:
    return AnswerProblem(code, text, "")
