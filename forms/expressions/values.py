"""Values of the expression language and their conversions.

The twin of client/src/engine/values.ts.
"""

import datetime as dt
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

EPOCH = dt.datetime(1970, 1, 1)
DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
DATE_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:Z|[+-]\d{2}:?\d{2})?", re.ASCII)
SPACES = re.compile(r"[ \t\n\r\f\v]+")
NUMBER = re.compile(r"[ \t\n\r]*-?(\d+(\.\d*)?|\.\d+)[ \t\n\r]*", re.ASCII)


@dataclass(frozen=True)
class DateValue:
    """A local date, date and time, or time of day, as days since 1970-01-01 local time.

    A `date` is whole days, a `time` a part of one day from 0 to 1.
    """

    days: float
    kind: str = "date"  # "date" | "dateTime" | "time"

    def moment(self) -> dt.datetime:
        """Return the date and time, rounded to milliseconds; a time of day is on 1970-01-01."""
        # Rounded, since days are floats: a quarter past one would else print as 01:14:59.999.
        return EPOCH + dt.timedelta(milliseconds=math.floor(self.days * 86_400_000 + 0.5))

    def __str__(self) -> str:
        text = self.moment().isoformat(timespec="milliseconds")
        if self.kind == "date":
            return text[:10]
        return text if self.kind == "dateTime" else text[11:]


Value: TypeAlias = str | float | bool | DateValue


def parse_date(text: str) -> DateValue | None:
    """Read an ISO date or local date-time; None when it is not one.

    A zone offset is read and ignored: the time is local.
    """
    match = DATE.fullmatch(text)
    kind = "date"
    if match is None:  # days are far more common than moments, so they are tried first
        match = DATE_TIME.fullmatch(text)
        kind = "dateTime"
    if match is None:
        return None
    parts = [int(part or 0) for part in match.groups()[:6]]
    if kind == "dateTime":
        # Filled up to six digits: ".5" is half a second, not five microseconds.
        parts.append(int((match[7] or "").ljust(6, "0")))  # microseconds
    try:
        moment = dt.datetime(*parts)  # type: ignore[arg-type]
    except ValueError:  # the 31st of June
        return None
    return DateValue((moment - EPOCH) / dt.timedelta(days=1), kind)


def parse_time(text: str) -> DateValue | None:
    """Read a time of day such as 22:15 or 22:15:30.000; None when it is not one."""
    match = TIME.fullmatch(text)
    if not match:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups()[:3])
    if hour > 23 or minute > 59 or second > 59:
        return None
    milliseconds = ((hour * 60 + minute) * 60 + second) * 1000 + int((match[4] or "").ljust(6, "0")) / 1000
    return DateValue(milliseconds / 86_400_000, "time")


def integer_power(base: float, exponent: int) -> float:
    """Return base to a whole power by repeated squaring: the same bits on every machine."""
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= base
        base *= base
        exponent >>= 1
    return result


def fixed(number: float) -> float:
    """Return a number to 12 significant digits.

    Sine, logarithm and the like differ between machines after that.
    """
    if math.isfinite(number):
        return float(f"{number:.12g}")
    return number


def to_number(value: Value) -> float:
    """Return a value as a number: a date as days since 1970-01-01, a text that is none as NaN.

    >>> to_number("12.50"), to_number(True)
    (12.5, 1.0)
    """
    # Before numbers: bool is a kind of int to Python.
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, DateValue):
        return float(value.days)
    if isinstance(value, str):
        if NUMBER.fullmatch(value):
            return float(value)
        return math.nan
    return float(value)


def to_string(value: Value) -> str:
    """Return a value as the text that answers hold.

    >>> to_string(3.0), to_string(False)
    ('3', 'false')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, DateValue):
        return str(value)
    return number_to_string(float(value))


def number_to_string(number: float) -> str:
    """Write a number as XPath 1.0 does: no exponent, no trailing zero, NaN, Infinity.

    >>> number_to_string(1e-7), number_to_string(2.50)
    ('0.0000001', '2.5')
    """
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    # From 1e15 on a float's digits are no longer all its own, and the decimal form below shows what
    # is known.
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    # By way of the shortest text that reads back as the same float, which is what browsers print.
    text = format(Decimal(repr(number)), "f")
    if "." in text:
        return text.rstrip("0").rstrip(".")
    return text


def to_boolean(value: Value) -> bool:
    """Return False for "", 0 and NaN, as XPath 1.0 does; a date is always true."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value != ""
    if isinstance(value, DateValue):
        return True
    return not (math.isnan(value) or value == 0)


def read_as(kind: str, text: str) -> DateValue | None:
    """Read a text as a time of day, or as a date or date-time."""
    if kind == "time":
        return parse_time(text)
    return parse_date(text)


def _with_dates(left: Value, right: Value) -> tuple[Value, Value]:
    """Return two values to compare; a text beside a date or time is read as one.

    JavaRosa does not do this, but form authors expect it.
    """
    if isinstance(left, DateValue) and isinstance(right, str):
        return left, read_as(left.kind, right) or right
    if isinstance(right, DateValue) and isinstance(left, str):
        return read_as(right.kind, left) or left, right
    return left, right


def equal(left: Value, right: Value) -> bool:
    """Say whether two values are equal, as XPath 1.0 compares them.

    A truth value makes both truth values; two texts are compared as texts; all else as numbers.

    >>> equal("1", 1.0), equal("a", "b")
    (True, False)
    """
    left, right = _with_dates(left, right)
    if isinstance(left, bool) or isinstance(right, bool):
        return to_boolean(left) == to_boolean(right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return to_number(left) == to_number(right)


def less(left: Value, right: Value, or_equal: bool) -> bool:
    """Say whether one value is less than another, or equal with `or_equal`; NaN never is."""
    left, right = _with_dates(left, right)
    smaller = to_number(left)
    larger = to_number(right)
    return smaller <= larger if or_equal else smaller < larger
