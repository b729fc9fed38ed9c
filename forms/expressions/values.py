"""Values of the expression language and their conversions; the twin of client/src/engine/values.ts."""

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
NUMBER = re.compile(r"\s*-?(\d+(\.\d*)?|\.\d+)\s*", re.ASCII)


@dataclass(frozen=True)
class DateValue:
    """A local date, or date and time, as days since 1970-01-01 local time (whole days for a date)."""

    days: float
    has_time: bool = False

    def moment(self) -> dt.datetime:
        return EPOCH + dt.timedelta(milliseconds=round(self.days * 86_400_000))

    def __str__(self) -> str:
        text = self.moment().isoformat(timespec="milliseconds")
        return text if self.has_time else text[:10]


Value: TypeAlias = str | float | bool | DateValue


def parse_date(text: str) -> DateValue | None:
    """Read an ISO date or local date-time; None when it is not one. A zone offset is read and ignored: the time is local."""
    if match := DATE.fullmatch(text):
        parts, has_time = [int(part) for part in match.groups()], False
    elif match := DATE_TIME.fullmatch(text):
        fraction = (match[7] or "").ljust(6, "0")
        parts, has_time = [*(int(part or 0) for part in match.groups()[:6]), int(fraction)], True
    else:
        return None
    try:
        moment = dt.datetime(*parts)  # type: ignore[arg-type]
    except ValueError:
        return None
    return DateValue((moment - EPOCH) / dt.timedelta(days=1), has_time)


def to_number(value: Value) -> float:
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, DateValue):
        return value.days
    if isinstance(value, str):
        return float(value) if NUMBER.fullmatch(value) else math.nan
    return float(value)


def to_string(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, DateValue):
        return str(value)
    return number_to_string(float(value))


def number_to_string(number: float) -> str:
    """Write a number as XPath 1.0 does: no exponent, no trailing zero, NaN, Infinity."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_boolean(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value != ""
    if isinstance(value, DateValue):
        return True
    return not (math.isnan(value) or value == 0)


def _with_dates(left: Value, right: Value) -> tuple[Value, Value]:
    """Read a literal date compared with a date as a date (JavaRosa does not; form authors expect it)."""
    if isinstance(left, DateValue) and isinstance(right, str):
        return left, parse_date(right) or right
    if isinstance(right, DateValue) and isinstance(left, str):
        return parse_date(left) or left, right
    return left, right


def equal(left: Value, right: Value) -> bool:
    left, right = _with_dates(left, right)
    if isinstance(left, bool) or isinstance(right, bool):
        return to_boolean(left) == to_boolean(right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return to_number(left) == to_number(right)


def less(left: Value, right: Value, or_equal: bool) -> bool:
    left, right = _with_dates(left, right)
    a, b = to_number(left), to_number(right)
    return a <= b if or_equal else a < b
