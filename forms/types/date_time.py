"""A day with a time."""

from forms.expressions.functions import to_date_time
from forms.expressions.values import Value, parse_date, to_string
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import LOOK, AnswerKind, Question, QuestionType
from forms.types._dates import PROPOSAL, is_computed_number, read_date

OTHER_NAMES = ("datetime", "date time", "add date time prompt", "add dateTime prompt", "q date time", "q dateTime")


def check(answer: str, question: Question) -> str:
    """Return why an answer is no day and time such as 2026-01-31T22:15."""
    parsed = parse_date(answer)
    if parsed and parsed.kind == "dateTime":
        return ""
    return N_("This should be a date and a time.")


def write_date_time(value: Value) -> str:
    """Write a computed number of days since 1970 as a day and time."""
    return to_string(to_date_time(value) if is_computed_number(value) else value)


TYPE = QuestionType(
    name="dateTime",
    xlsform_names=("dateTime",),
    aliases=dict.fromkeys(OTHER_NAMES, "dateTime"),
    answer=AnswerKind.DATE,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=PROPOSAL,
    is_on_screen=True,
    words=N_("Day and time"),
    builder_position=9,
    seconds=6.0,
    check=check,
    read=read_date,
    from_value=write_date_time,
    appearances={"no-calendar": LOOK},
)
