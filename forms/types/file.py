"""A file from the phone."""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import CAPTURE, AnswerKind, QuestionType, keep_text
from forms.types._media import PROPOSAL, make_check

TYPE = QuestionType(
    name="file",
    xlsform_names=("file",),
    aliases={"add file prompt": "file"},
    answer=AnswerKind.MEDIA,
    least_class=PrivacyClass.IDENTIFIER,
    proposal=PROPOSAL,
    refused_topic=CAPTURE,
    is_on_screen=True,
    words=N_("File"),
    builder_position=None,
    seconds=15.0,
    check=make_check("[a-z]+/[a-z0-9.+-]+"),
    read=keep_text,
)
