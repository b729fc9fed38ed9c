"""Some choices of a list."""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import AnswerKind, QuestionType, keep_text
from forms.types._choices import APPEARANCES, NO_IMAGE_MAP, PARAMETERS, check_several

OTHER_NAMES = (
    "select all that apply",
    "select all that apply from",
    "add select multiple prompt using",
    "q select",
)

TYPE = QuestionType(
    name="select_multiple",
    xlsform_names=("select_multiple", "select_multiple_from_file"),
    aliases={**dict.fromkeys(OTHER_NAMES, "select_multiple"), "select multiple from file": "select_multiple_from_file"},
    answer=AnswerKind.CHOICES,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=None,
    is_on_screen=True,
    words=N_("Several choices"),
    builder_position=2,
    seconds=4.0,
    check=check_several,
    read=keep_text,
    appearances={**APPEARANCES, "image-map": NO_IMAGE_MAP},
    parameters=PARAMETERS,
)
