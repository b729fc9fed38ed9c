"""Decide what becomes of a submission. The caller keeps every one, whatever the decision."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from forms.definition import FormDefinition
from forms.expressions import DateValue
from forms.expressions.values import EPOCH
from forms.problems import AnswerProblem
from forms.validation import check
from sync.envelope import Envelope
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


def decide(envelope: Envelope, definition: FormDefinition | None, known: Mapping[str, set[str]]) -> Decision:
    """Return what becomes of a submission; `known` maps ids to the hashes that the centre holds for them."""
    if not envelope.is_intact:
        return Decision(Status.RETRY, problems=[_problem("sync.damaged", N_("It was damaged on the way."))])
    if again := _again(envelope, known):
        return again
    if definition is None:
        text = N_("The centre does not know this form or this version of it.")
        return Decision(Status.REJECTED, problems=[_problem("sync.unknown_form", text)])
    try:
        given = json.loads(envelope.body)
    except (ValueError, RecursionError):
        return Decision(Status.REJECTED, problems=[_problem("sync.body", N_("The answers are not JSON."))])
    checked = check(definition, given, local_time(envelope.finished_at))
    status = Status.REJECTED if checked.problems else Status.STORED
    return Decision(status, checked.answers, checked.problems)


def decide_aside(envelope: Envelope, known: Mapping[str, set[str]], reason: tuple[str, str]) -> Decision:
    """Return the decision to keep a submission aside for a reason that does not lie in its answers."""
    return _again(envelope, known) or Decision(Status.REJECTED, problems=[_problem(*reason)])


def _again(envelope: Envelope, known: Mapping[str, set[str]]) -> Decision | None:
    hashes = known.get(envelope.instance_id)
    if not hashes:
        return None
    return Decision(Status.DUPLICATE if envelope.sha256 in hashes else Status.CONFLICT)


def local_time(moment: dt.datetime) -> DateValue:
    """Return the phone's wall-clock time, which is what today() and now() meant when the worker finished."""
    return DateValue((moment.replace(tzinfo=None) - EPOCH) / dt.timedelta(days=1), "dateTime")


def _problem(code: str, text: str) -> AnswerProblem:
    return AnswerProblem(code, text, "")
