"""A code, typed or scanned."""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import WORKS, AnswerKind, ProposedClass, QuestionType, accept_any, keep_text

TYPE = QuestionType(
    name="barcode",
    xlsform_names=("barcode",),
    aliases=dict.fromkeys(("add barcode prompt", "q barcode"), "barcode"),
    answer=AnswerKind.CODE,
    least_class=PrivacyClass.IDENTIFIER,
    proposal=ProposedClass(PrivacyClass.IDENTIFIER, N_("It points to one person.")),
    is_on_screen=True,
    words=N_("Code, typed or scanned"),
    builder_position=13,
    seconds=5.0,
    check=accept_any,
    read=keep_text,
    appearances={"card-code": WORKS},
)
