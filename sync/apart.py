"""Run the forms' rules over records that take long, in a process of their own.

In a thread of the server they would hold Python's lock, and every other phone would wait for it.
"""

import datetime as dt
import io
import os
import pickle
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from forms.budget import Budget, TooSlow
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from forms.validation import validate
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.intake import TOO_SLOW, Judgement, local_time, validate_submission

MEMORY = 1 << 30  # bytes of address space
POLITENESS = 10  # of the process: phones that are answered meanwhile come first
START = 5.0  # seconds of processor time for starting, beside those for the records

EarlierAnswers = dict[tuple[str, str], dict[str, Any]]  # (id, SHA-256) → answers as the form's logic leaves them
Outcome = tuple[Judgement, EarlierAnswers]


@dataclass(frozen=True)
class EarlierBody:
    """An earlier version of a record, with what running its form's rules needs."""

    key: tuple[str, str]
    body: str
    is_cut: bool
    judged_local: dt.datetime
    definition: FormDefinition


@dataclass(frozen=True)
class Case:
    """A submission to judge, with the versions of its record that are stored."""

    envelope: Envelope
    definition: FormDefinition | None
    earlier: Sequence[EarlierBody] = ()


def read_answers(earlier: EarlierBody, budget: Budget | None) -> dict[str, Any]:
    """Return the answers of an earlier version as its form's logic leaves them.

    {} when they are unreadable. Raises TooSlow when that takes more than the budget.
    """
    try:
        answers = read_body(earlier.body, earlier.definition)
    except ValueError:
        return {}
    if earlier.is_cut:  # the logic has run over it already, and what it said of consent counts no more
        return answers if isinstance(answers, dict) else {}
    return validate(earlier.definition, answers, local_time(earlier.judged_local), budget).answers


def judge_case(case: Case, make_budget: Callable[[], Budget]) -> Outcome:
    """Return the judgement about a submission, and the answers of the versions before it.

    What takes longer than a budget is kept aside, but for a no.
    """
    judgement = validate_submission(case.envelope, case.definition, make_budget())
    try:
        budget = make_budget()
        return judgement, {earlier.key: read_answers(earlier, budget) for earlier in case.earlier}
    except TooSlow:
        if not judgement.is_refusal:  # what a no overrules need not be validated
            judgement = replace(judgement, problems=[AnswerProblem(*TOO_SLOW, "")], is_quarantined=True)
        return judgement, {}


def judge_apart(cases: Sequence[Case], seconds: float, in_all: float, patience: float) -> list[Outcome | None]:
    """Judge submissions in another process, each with so many seconds of processor time.

    Returns an outcome for each, in their order, as far as `in_all` seconds reach; None for the one that ended the
    process, or was not done after `patience` seconds of the clock.
    """
    request = pickle.dumps((list(cases), seconds, in_all))
    command = [sys.executable, "-m", "sync.apart"]
    # It runs over what strangers wrote, so it gets none of the server's secrets.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FIELDAPP_")}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=plain)
    try:
        written, _ = process.communicate(request, timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        written, _ = process.communicate()
    outcomes = _read_outcomes(written)
    if process.returncode and len(outcomes) < len(cases):
        outcomes.append(None)
    return outcomes


def _read_outcomes(written: bytes) -> list[Outcome | None]:
    stream = io.BytesIO(written)
    outcomes: list[Outcome | None] = []
    try:
        while stream.tell() < len(written):
            outcomes.append(pickle.load(stream))  # noqa: S301  our own process wrote it
    except (EOFError, pickle.UnpicklingError):
        pass  # it ended in the middle of one
    return outcomes


def main() -> None:
    """Judge what stands on standard input; write each outcome as soon as it is there."""
    os.nice(POLITENESS)
    cases, seconds, in_all = pickle.load(sys.stdin.buffer)  # noqa: S301  our own server wrote it
    # Set before anything is judged; what a budget does not see ends the process, and no more.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    most = int(START + max(in_all, seconds) + 2 * seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    end = time.process_time() + max(in_all, seconds)
    for case in cases:
        if time.process_time() > end:
            break
        outcome = judge_case(case, lambda: Budget(seconds, time.process_time))
        sys.stdout.buffer.write(pickle.dumps(outcome))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
