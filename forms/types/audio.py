"""A recording of a voice."""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import CAPTURE, LOOK, WORKS, AnswerKind, QuestionType, keep_text
from forms.types._media import PROPOSAL, make_check

TYPE = QuestionType(
    name="audio",
    xlsform_names=("audio",),
    aliases=dict.fromkeys(("add audio prompt", "q audio"), "audio"),
    answer=AnswerKind.MEDIA,
    least_class=PrivacyClass.IDENTIFIER,
    proposal=PROPOSAL,
    refused_topic=CAPTURE,
    is_on_screen=True,
    words=N_("Recording"),
    builder_position=None,
    seconds=30.0,
    check=make_check("audio/[a-z0-9.+-]+"),
    read=keep_text,
    appearances={"new": WORKS},
    parameters={"quality": LOOK},
)
