"""One choice of a list."""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import LOOK, WORKS, AnswerKind, QuestionType, keep_text
from forms.types._choices import APPEARANCES, NO_IMAGE_MAP, PARAMETERS, check_one

OTHER_NAMES = ("select1", "select one", "select one from", "add select one prompt using", "q select1")

TYPE = QuestionType(
    name="select_one",
    xlsform_names=("select_one", "select_one_from_file"),
    aliases={**dict.fromkeys(OTHER_NAMES, "select_one"), "select one from file": "select_one_from_file"},
    answer=AnswerKind.CHOICE,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=None,
    is_on_screen=True,
    words=N_("One choice"),
    builder_position=1,
    seconds=2.0,
    check=check_one,
    read=keep_text,
    appearances={**APPEARANCES, "quick": LOOK, "likert": LOOK, "my-place": WORKS, "image-map": NO_IMAGE_MAP},
    parameters=PARAMETERS,
)
