"""What days, and days with a time, share."""

from forms.expressions.values import Value, parse_date
from forms.privacy_classes import PrivacyClass
from forms.problems import N_
from forms.question_type import ProposedClass

PROPOSAL = ProposedClass(PrivacyClass.QUASI_IDENTIFIER, N_("Together with other answers it can point to few people."))
OTHER_CALENDAR = N_("Only the Gregorian calendar is known here. Remove the appearance.")


def read_date(answer: str) -> Value:
    """Return the day, or day and time, in an answer, or the answer itself where it is none."""
    return parse_date(answer) or answer


def is_computed_number(value: Value) -> bool:
    """Return whether a computed value is a number.

    Days since 1970, for a question of days or times.
    """
    return isinstance(value, float) and not isinstance(value, bool)
