"""A picture, taken with the phone."""

from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import CAPTURE, LOOK, WORKS, AnswerKind, QuestionType, keep_text
from forms.types._media import PROPOSAL, make_check

NO_DRAWING = N_("This app has no drawing board. Remove the appearance.")
OTHER_NAMES = ("photo", "picture", "add image prompt", "q image", "q picture")

TYPE = QuestionType(
    name="image",
    xlsform_names=("image",),
    aliases=dict.fromkeys(OTHER_NAMES, "image"),
    answer=AnswerKind.MEDIA,
    least_class=PrivacyClass.IDENTIFIER,
    proposal=PROPOSAL,
    refused_topic=CAPTURE,
    is_on_screen=True,
    words=N_("Picture"),
    builder_position=None,
    seconds=15.0,
    check=make_check("image/(?:jpeg|png)"),
    read=keep_text,
    appearances={
        "new": WORKS,
        "new-front": WORKS,
        "new-rear": WORKS,
        "front": WORKS,
        "selfie": WORKS,
        "signature": N_("A signature names a person. Remove the row."),
        "draw": NO_DRAWING,
        "annotate": NO_DRAWING,
    },
    parameters={"max-pixels": WORKS, "app": LOOK},
)
