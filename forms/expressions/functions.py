"""The functions of the expression language: name → implementation and how many values it takes.

Source: ODK XForms specification, section "XPath functions"; our choices where engines differ are in docs/expressions.md.
Each takes plain values; those that need nodes or the question itself are in evaluator.py.
"""

import functools
import math
import re
from collections.abc import Callable

from forms.expressions.values import DateValue, Value, parse_date, to_boolean, to_number, to_string

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def substr(text: Value, start: Value, end: Value | None = None) -> str:
    characters = to_string(text)
    length = len(characters)

    def index(value: Value) -> int:
        number = to_number(value)
        whole = 0 if math.isnan(number) else length if number > length else max(int(number), -length)
        return max(0, whole + length) if whole < 0 else whole

    return characters[index(start) : length if end is None else index(end)]


def before(text: Value, mark: Value) -> str:
    head, found, _ = to_string(text).partition(to_string(mark)) if to_string(mark) else ("", "", "")
    return head if found else ""


def after(text: Value, mark: Value) -> str:
    if not to_string(mark):
        return to_string(text)
    return to_string(text).partition(to_string(mark))[2]


def translate(text: Value, source: Value, target: Value) -> str:
    table: dict[int, str | None] = {}
    replacement = to_string(target)
    for position, character in enumerate(to_string(source)):
        table.setdefault(ord(character), replacement[position] if position < len(replacement) else None)
    return to_string(text).translate(table)


@functools.lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)


def rounded(value: Value, places: Value = 0.0) -> float:
    """Round halves up, as XPath 1.0 does: round(-2.5) is -2."""
    number, digits = to_number(value), to_number(places)
    if math.isnan(number) or math.isinf(number) or math.isnan(digits):
        return number
    factor = 10.0 ** int(digits)
    return math.floor(number * factor + 0.5) / factor


def truncated(value: Value) -> float:
    number = to_number(value)
    return number if math.isnan(number) or math.isinf(number) else float(math.trunc(number))


def power(base: Value, exponent: Value) -> float:
    try:
        result = to_number(base) ** to_number(exponent)
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return math.nan if isinstance(result, complex) else result


def whole(function: Callable[[float], int]) -> Callable[[Value], float]:
    def apply(value: Value) -> float:
        number = to_number(value)
        return number if math.isnan(number) or math.isinf(number) else float(function(number))

    return apply


def to_date(value: Value) -> Value:
    if isinstance(value, DateValue):
        return DateValue(math.floor(value.days))
    if isinstance(value, str) and (parsed := parse_date(value)):
        return DateValue(math.floor(parsed.days))
    number = to_number(value)
    return "" if math.isnan(number) else DateValue(math.floor(number))


def to_date_time(value: Value) -> Value:
    if isinstance(value, str) and (parsed := parse_date(value)):
        return DateValue(parsed.days, True)
    number = to_number(value)
    return "" if math.isnan(number) else DateValue(number, True)


def format_date(value: Value, pattern: Value) -> str:
    date = to_date_time(value)
    if not isinstance(date, DateValue):
        return ""
    moment = date.moment()
    parts = {
        "Y": f"{moment.year:04}",
        "y": f"{moment.year % 100:02}",
        "m": f"{moment.month:02}",
        "n": str(moment.month),
        "b": MONTHS[moment.month - 1],
        "d": f"{moment.day:02}",
        "e": str(moment.day),
        "H": f"{moment.hour:02}",
        "h": str(moment.hour),
        "M": f"{moment.minute:02}",
        "S": f"{moment.second:02}",
        "3": f"{moment.microsecond // 1000:03}",
        "a": DAYS[moment.weekday()],
        "%": "%",
    }
    return re.sub(r"%(.)", lambda match: parts.get(match[1], match[0]), to_string(pattern))


def selected(chosen: Value, name: Value) -> bool:
    return to_string(name) in to_string(chosen).split()


def selected_at(chosen: Value, position: Value) -> str:
    names, number = to_string(chosen).split(), to_number(position)
    return names[int(number)] if 0 <= number < len(names) else ""


Function = Callable[..., Value]

PLAIN: dict[str, tuple[Function, int, int | None]] = {
    "abs": (lambda value: abs(to_number(value)), 1, 1),
    "boolean": (to_boolean, 1, 1),
    "boolean-from-string": (lambda value: to_string(value) in ("1", "true"), 1, 1),
    "ceiling": (whole(math.ceil), 1, 1),
    "concat": (lambda *parts: "".join(to_string(part) for part in parts), 1, None),
    "contains": (lambda text, part: to_string(part) in to_string(text), 2, 2),
    "count-selected": (lambda chosen: float(len(to_string(chosen).split())), 1, 1),
    "date": (to_date, 1, 1),
    "date-time": (to_date_time, 1, 1),
    "decimal-date-time": (lambda value: to_number(to_date_time(value)), 1, 1),
    "ends-with": (lambda text, part: to_string(text).endswith(to_string(part)), 2, 2),
    "false": (lambda: False, 0, 0),
    "floor": (whole(math.floor), 1, 1),
    "format-date": (format_date, 2, 2),
    "format-date-time": (format_date, 2, 2),
    "int": (truncated, 1, 1),
    "normalize-space": (lambda text: " ".join(to_string(text).split()), 1, 1),
    "not": (lambda value: not to_boolean(value), 1, 1),
    "number": (to_number, 1, 1),
    "pow": (power, 2, 2),
    "regex": (lambda text, pattern: bool(_pattern(to_string(pattern)).fullmatch(to_string(text))), 2, 2),
    "round": (rounded, 1, 2),
    "selected": (selected, 2, 2),
    "selected-at": (selected_at, 2, 2),
    "starts-with": (lambda text, part: to_string(text).startswith(to_string(part)), 2, 2),
    "string": (to_string, 1, 1),
    "string-length": (lambda text: float(len(to_string(text))), 1, 1),
    "substr": (substr, 2, 3),
    "substring-after": (after, 2, 2),
    "substring-before": (before, 2, 2),
    "translate": (translate, 3, 3),
    "true": (lambda: True, 0, 0),
}

# Those that need the question, its nodes or the clock: see evaluator.py.
SPECIAL: dict[str, tuple[int, int | None]] = {
    "coalesce": (2, None),
    "count": (1, 1),
    "count-non-empty": (1, 1),
    "if": (3, 3),
    "jr:choice-name": (2, 2),
    "join": (2, None),
    "max": (1, None),
    "min": (1, None),
    "now": (0, 0),
    "once": (1, 1),
    "position": (1, 1),
    "sum": (1, 1),
    "today": (0, 0),
}

SIGNATURES: dict[str, tuple[int, int | None]] = SPECIAL | {name: (low, high) for name, (_, low, high) in PLAIN.items()}
