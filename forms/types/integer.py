"""A whole number."""

import math
import re

from forms.expressions.values import Value, to_string
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import LOOK, WORKS, AnswerKind, Question, QuestionType
from forms.types._numbers import read_number

WHOLE = re.compile(r"-?[0-9]{1,15}")  # more digits than 15 do not fit into a JavaScript number


def check(answer: str, question: Question) -> str:
    """Return why an answer is no whole number."""
    if WHOLE.fullmatch(answer):
        return ""
    return N_("This should be a whole number.")


def write_whole(value: Value) -> str:
    """Write a computed number without its fraction."""
    is_finite = isinstance(value, float) and not isinstance(value, bool) and math.isfinite(value)
    if is_finite:
        return to_string(float(math.trunc(value)))  # type: ignore[arg-type]
    return to_string(value)


TYPE = QuestionType(
    name="integer",
    xlsform_names=("integer",),
    aliases=dict.fromkeys(("int", "percentage", "add integer prompt", "q int"), "integer"),
    answer=AnswerKind.NUMBER,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=None,
    is_on_screen=True,
    words=N_("Whole number"),
    builder_position=4,
    seconds=3.0,
    check=check,
    read=read_number,
    from_value=write_whole,
    appearances={"thousands-sep": LOOK, "masked": WORKS, "counter": WORKS},
)
