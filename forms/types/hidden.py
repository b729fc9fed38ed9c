"""A value that the form carries and nobody sees."""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import AnswerKind, QuestionType, accept_any, keep_text

TYPE = QuestionType(
    name="hidden",
    xlsform_names=("hidden",),
    answer=AnswerKind.COMPUTED,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=None,
    is_on_screen=False,
    words=N_("Computed, not asked"),
    builder_position=None,  # the builder shows it as a calculation
    seconds=0.0,
    check=accept_any,
    read=keep_text,
)
