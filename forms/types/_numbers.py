"""What the types with a number share."""

from forms.expressions.values import NUMBER, Value
from forms.problems import N_

NOT_A_NUMBER = N_("This should be a number.")


def read_number(answer: str) -> Value:
    """Return the number in an answer, or the answer itself where it is none."""
    if NUMBER.fullmatch(answer):
        return float(answer)
    return answer
