"""A point on the earth: "latitude longitude altitude accuracy"."""

from forms.expressions.geometry import points_of
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import EXACT_PLACE, LOOK, WORKS, AnswerKind, ProposedClass, Question, QuestionType, keep_text

OTHER_NAMES = ("gps", "location", "add location prompt", "q geopoint", "q location")


def check(answer: str, question: Question) -> str:
    """Return why an answer is no point such as "43.7 -79.4 0 5"."""
    points = points_of([answer])
    if points and len(points) == 1:
        return ""
    return N_("This should be a place: latitude and longitude.")


TYPE = QuestionType(
    name="geopoint",
    xlsform_names=("geopoint",),
    aliases=dict.fromkeys(OTHER_NAMES, "geopoint"),
    answer=AnswerKind.COORDINATES,
    least_class=PrivacyClass.IDENTIFIER,
    proposal=ProposedClass(PrivacyClass.IDENTIFIER, N_("An exact place can lead to a person's door.")),
    refused_topic=EXACT_PLACE,
    is_on_screen=True,
    words=N_("Point on a map"),
    builder_position=None,  # the programme collects no exact places, so the builder does not offer it
    seconds=8.0,
    check=check,
    read=keep_text,
    appearances={
        "maps": LOOK,
        "placement-map": N_("This app shows no map on which to place a point."),
    },
    parameters={"capture-accuracy": WORKS, "warning-accuracy": LOOK, "allow-mock-accuracy": LOOK},
)
