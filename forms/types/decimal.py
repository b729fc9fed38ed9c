"""A number, with or without a fraction."""

from forms.expressions.values import NUMBER
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import LOOK, AnswerKind, Question, QuestionType
from forms.types._numbers import NOT_A_NUMBER, read_number


def check(answer: str, question: Question) -> str:
    """Return why an answer is no number."""
    if NUMBER.fullmatch(answer):
        return ""
    return NOT_A_NUMBER


TYPE = QuestionType(
    name="decimal",
    xlsform_names=("decimal",),
    aliases=dict.fromkeys(("add decimal prompt", "q decimal"), "decimal"),
    answer=AnswerKind.NUMBER,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=None,
    is_on_screen=True,
    words=N_("Number"),
    builder_position=5,
    seconds=4.0,
    check=check,
    read=read_number,
    appearances={
        "thousands-sep": LOOK,
        "bearing": N_("A browser's compass cannot be relied on. Remove the appearance."),
    },
)
