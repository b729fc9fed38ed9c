"""A value that the form computes.

forms.advice refuses one that would carry out what never leaves.
"""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import AnswerKind, QuestionType, accept_any, keep_text

TYPE = QuestionType(
    name="calculate",
    xlsform_names=("calculate",),
    aliases=dict.fromkeys(("add calculate prompt", "q calculate"), "calculate"),
    answer=AnswerKind.COMPUTED,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=None,
    is_on_screen=False,
    words=N_("Computed, not asked"),
    builder_position=14,
    seconds=0.0,
    check=accept_any,
    read=keep_text,
)
