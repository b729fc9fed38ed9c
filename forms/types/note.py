"""Words on the screen, without an answer."""

from forms.problems import N_
from forms.question_type import WORKS, AnswerKind, QuestionType, accept_any, keep_text

TYPE = QuestionType(
    name="note",
    xlsform_names=("note",),
    aliases=dict.fromkeys(("add note prompt", "q note"), "note"),
    answer=AnswerKind.NOTHING,
    least_class=None,
    proposal=None,
    is_on_screen=True,
    words=N_("Only words"),
    builder_position=12,
    seconds=0.0,
    check=accept_any,
    read=keep_text,
    appearances={"consent-card": WORKS},
)
