"""A number on a scale with ends and steps."""

import math
from collections.abc import Mapping

from forms.expressions.values import NUMBER
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import LOOK, WORKS, AnswerKind, Question, QuestionType
from forms.types._numbers import NOT_A_NUMBER, read_number


def is_on_scale(parameters: Mapping[str, str], number: float) -> bool:
    """Return whether a number lies between the ends of a scale, on one of its steps.

    `parameters` are those of the question: start (1), end (10) and step (1), as text.
    Example: is_on_scale({"start": "0", "end": "10", "step": "5"}, 5.0) is True, and 4.0 is not on it.
    """
    start = float(parameters.get("start", "1"))
    end = float(parameters.get("end", "10"))
    step = float(parameters.get("step", "1"))
    steps = (number - start) / abs(step)
    # Steps such as 0.1 are not exact in binary, so nearly a whole number of them will do.
    is_whole = abs(steps - math.floor(steps + 0.5)) < 1e-9
    return min(start, end) <= number <= max(start, end) and is_whole


def check(answer: str, question: Question) -> str:
    """Return why an answer is no number of the scale."""
    if not NUMBER.fullmatch(answer):
        return NOT_A_NUMBER
    if is_on_scale(question.parameters, float(answer)):
        return ""
    return N_("This number is not on the scale.")


TYPE = QuestionType(
    name="range",
    xlsform_names=("range",),
    answer=AnswerKind.NUMBER,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=None,
    is_on_screen=True,
    words=N_("Number on a scale"),
    builder_position=6,
    seconds=3.0,
    check=check,
    read=read_number,
    appearances={"no-buttons": LOOK, "rating": LOOK, "vertical": LOOK, "picker": LOOK},
    parameters={
        "start": WORKS,
        "end": WORKS,
        "step": WORKS,
        "tick_interval": LOOK,
        "placeholder": LOOK,
        "tick_labelset": LOOK,
    },
)
