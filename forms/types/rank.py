"""The choices of a list, put in order."""

from forms.expressions.functions import words
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import AnswerKind, Question, QuestionType, keep_text
from forms.types._choices import APPEARANCES, PARAMETERS, check_several


def check(answer: str, question: Question) -> str:
    """Return why an answer is no order of all choices that are offered."""
    reason = check_several(answer, question)
    if not reason and len(words(answer)) != question.count_choices():
        reason = N_("Every choice needs a place in the order.")
    return reason


TYPE = QuestionType(
    name="rank",
    xlsform_names=("rank",),
    answer=AnswerKind.ORDER,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=None,
    is_on_screen=True,
    words=N_("Put in order"),
    builder_position=10,
    seconds=8.0,
    check=check,
    read=keep_text,
    appearances=APPEARANCES,
    parameters=PARAMETERS,
)
