"""A day."""

from forms.expressions.functions import to_date
from forms.expressions.values import Value, parse_date, to_string
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import LOOK, WORKS, AnswerKind, Question, QuestionType
from forms.types._dates import OTHER_CALENDAR, PROPOSAL, is_computed_number, read_date


def check(answer: str, question: Question) -> str:
    """Return why an answer is no day such as 2026-01-31."""
    parsed = parse_date(answer)
    if parsed and parsed.kind == "date":
        return ""
    return N_("This should be a date.")


def write_date(value: Value) -> str:
    """Write a computed number of days since 1970 as a day."""
    return to_string(to_date(value) if is_computed_number(value) else value)


TYPE = QuestionType(
    name="date",
    xlsform_names=("date",),
    aliases=dict.fromkeys(("add date prompt", "q date"), "date"),
    answer=AnswerKind.DATE,
    least_class=PrivacyClass.OPERATIONAL,
    proposal=PROPOSAL,
    is_on_screen=True,
    words=N_("Day"),
    builder_position=7,
    seconds=2.5,
    check=check,
    read=read_date,
    from_value=write_date,
    appearances={
        "no-calendar": LOOK,
        "month-year": WORKS,
        "year": WORKS,
        "ethiopian": OTHER_CALENDAR,
        "coptic": OTHER_CALENDAR,
        "islamic": OTHER_CALENDAR,
        "bikram-sambat": OTHER_CALENDAR,
        "myanmar": OTHER_CALENDAR,
        "persian": OTHER_CALENDAR,
        "buddhist": OTHER_CALENDAR,
    },
)
