"""An outline on the earth: points with “;” between them.

Each point is "latitude longitude altitude accuracy".
"""

from forms.expressions.geometry import points_of
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import EXACT_PLACE, AnswerKind, ProposedClass, Question, QuestionType, keep_text


def check(answer: str, question: Question) -> str:
    """Return why an answer is no outline of three points or more."""
    points = points_of([answer])
    return "" if points and len(points) >= 3 else N_("This should be an outline of three points or more.")


TYPE = QuestionType(
    name="geoshape",  # dateTime would be in date_time.py
    xlsform_names=("geoshape",),
    aliases={},  # other spellings in workbooks → one of xlsform_names
    answer=AnswerKind.COORDINATES,  # decides how lists, codebooks and exports show it
    least_class=PrivacyClass.IDENTIFIER,  # no question of the type may have a class below this one
    proposal=ProposedClass(PrivacyClass.IDENTIFIER, N_("An exact place can lead to a person's door.")),
    refused_topic=EXACT_PLACE,  # leave it out for what the programme may collect without an approval
    is_on_screen=True,
    words=N_("Outline on a map"),
    builder_position=None,  # a number, where the builder should offer it
    seconds=30.0,  # to answer, for a practised worker
    check=check,
    read=keep_text,
    appearances={},  # WORKS, LOOK, or why it is refused
    parameters={},
)
