"""Decide what becomes of a submission. The caller keeps every one, whatever the decision."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from forms import consent
from forms.definition import FormDefinition
from forms.expressions import DateValue
from forms.expressions.values import EPOCH
from forms.problems import AnswerProblem
from forms.validation import check
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.notes import check_note, is_note, plain_code
from sync.problems import N_


class Status(StrEnum):
    """What the phone is told. All but `retry` mean that the centre holds the submission."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # the same bytes were here already
    CONFLICT = "conflict"  # the id is known with other bytes; both are kept
    REJECTED = "rejected"  # kept for the centre to look at, with reasons
    RETRY = "retry"  # damaged on the way; nothing was kept


@dataclass(frozen=True)
class Decision:
    status: Status
    answers: dict[str, Any] = field(default_factory=dict)
    problems: list[AnswerProblem] = field(default_factory=list)
    is_refusal: bool = False  # the person did not say yes: `answers` is all that may be kept of it
    refused_by: str = ""  # the card code of somebody who said no


Known = Mapping[str, Collection[str]]  # id → hashes that the centre holds for it


def decide(envelope: Envelope, definition: FormDefinition | None, known: Known) -> Decision:
    """Return what becomes of a submission."""
    if not envelope.is_intact:
        return Decision(Status.RETRY, problems=[_problem("sync.damaged", N_("It was damaged on the way."))])
    held = known.get(envelope.instance_id, ())
    if envelope.sha256 in held:
        return Decision(Status.DUPLICATE)
    judged = judge(envelope, definition)
    status = Status.CONFLICT if held else Status.REJECTED if judged.problems else Status.STORED
    return replace(judged, status=status)


def decide_aside(envelope: Envelope, definition: FormDefinition | None, known: Known, reason: tuple[str, str]) -> Decision:
    """Return the decision to keep a submission aside for a reason that does not lie in its answers."""
    held = known.get(envelope.instance_id, ())
    if envelope.sha256 in held:
        return Decision(Status.DUPLICATE)
    status = Status.CONFLICT if held else Status.REJECTED
    judged = judge(envelope, definition)
    if judged.is_refusal:  # what may not be kept is not kept aside either
        return replace(judged, status=status, problems=[_problem(*reason)])
    return Decision(status, problems=[_problem(*reason)])


def judge(envelope: Envelope, definition: FormDefinition | None) -> Decision:
    """Return the answers as the form's logic leaves them, without what may not be kept, and every problem."""
    if definition is None and not is_note(envelope):
        text = N_("The centre does not know this form or this version of it.")
        return Decision(Status.REJECTED, problems=[_problem("sync.unknown_form", text)])
    try:
        given = read_body(envelope.body, definition)
    except ValueError:
        return Decision(Status.REJECTED, problems=[_problem("sync.body", N_("The answers are not JSON."))])
    if definition is None:
        problems = check_note(envelope.form, given)
        return Decision(Status.REJECTED, {} if problems else given, problems)
    checked = check(definition, given, local_time(envelope.finished_at))
    if not checked.is_refusal:
        return Decision(Status.REJECTED, checked.answers, checked.problems)
    kept = consent.without_person(definition, checked.answers)
    problems = checked.problems
    if definition.kept_after_no:  # what goes may have been wrong in any way; a form from before the rule is judged whole
        places = {".".join(path.split("/")[2:]) for path in definition.kept_after_no}
        problems = [problem for problem in problems if problem.path in places]
    refused_by = plain_code(envelope.refused_by or checked.refused_by)
    return Decision(Status.REJECTED, kept, problems, is_refusal=True, refused_by=refused_by)


def local_time(moment: dt.datetime) -> DateValue:
    """Return the phone's wall-clock time, which is what today() and now() meant when the worker finished."""
    return DateValue((moment.replace(tzinfo=None) - EPOCH) / dt.timedelta(days=1), "dateTime")


def _problem(code: str, text: str) -> AnswerProblem:
    return AnswerProblem(code, text, "")
