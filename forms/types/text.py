"""Text that people write."""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import LOOK, WORKS, AnswerKind, ProposedClass, QuestionType, accept_any, keep_text

TYPE = QuestionType(
    name="text",
    xlsform_names=("text",),
    aliases=dict.fromkeys(("string", "add text prompt", "q string"), "text"),
    answer=AnswerKind.TEXT,
    least_class=PrivacyClass.FREE_TEXT,
    proposal=ProposedClass(PrivacyClass.FREE_TEXT, N_("People can write anything in it.")),
    closed_appearances=frozenset({"area-cell"}),  # the phone fills it in from a map of areas
    is_on_screen=True,
    words=N_("Text"),
    builder_position=3,
    seconds=12.0,
    check=accept_any,
    read=keep_text,
    appearances={
        "multiline": WORKS,
        "numbers": WORKS,
        "thousands-sep": LOOK,
        "masked": WORKS,
        "card-code": WORKS,
        "area-cell": WORKS,
    },
    parameters={"rows": LOOK},
)
