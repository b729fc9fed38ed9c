"""A time of day."""

from forms.expressions.functions import to_time
from forms.expressions.values import DateValue, Value, parse_time, to_string
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import AnswerKind, Question, QuestionType
from forms.types._dates import PROPOSAL


def check(answer: str, question: Question) -> str:
    """Return why an answer is no time of day such as 22:15."""
    if parse_time(answer):
        return ""
    return N_("This should be a time of day.")


def read_time(answer: str) -> Value:
    """Return the time of day in an answer, or the answer itself where it is none."""
    return parse_time(answer) or answer


def write_time(value: Value) -> str:
    """Write a computed number of days as the time of day that its fraction is."""
    if isinstance(value, float) and not isinstance(value, bool):
        value = to_time(DateValue(value, "dateTime"))
    return to_string(value)


TYPE = QuestionType(
    name="time",
    xlsform_names=("time",),
    answer=AnswerKind.TIME,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=PROPOSAL,
    is_on_screen=True,
    words=N_("Time of day"),
    builder_position=8,
    seconds=4.0,
    check=check,
    read=read_time,
    from_value=write_time,
)
