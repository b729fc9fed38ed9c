"""The functions of the expression language.

Name → implementation and how many values it takes.

Source: ODK XForms specification, section "XPath functions"; our choices where engines differ are in docs/expressions.md.
Each takes plain values; those that need nodes or the question itself are in evaluator.py.
"""

import base64
import hashlib
import math
import re
from collections.abc import Callable

from forms.expressions import geometry, patterns
from forms.expressions.problems import ExpressionError
from forms.expressions.values import (
    SPACES,
    DateValue,
    Value,
    fixed,
    integer_power,
    number_to_string,
    parse_date,
    parse_time,
    to_boolean,
    to_number,
    to_string,
)
from forms.problems import N_

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MAX_PATTERN_TEXT = 1000  # characters of an answer that a pattern looks at; a longer one never matches
LAST_DAY = 2_932_896  # 9999-12-31, in days since 1970
FIRST_DAY = -719_162  # 0001-01-01


def words(value: Value) -> list[str]:
    """Return the names in the answer of a select: what stands between XML white space."""
    return [word for word in SPACES.split(to_string(value)) if word]


def substr(text: Value, start: Value, end: Value | None = None) -> str:
    """Return the characters from `start` up to `end`; negative ones count from the end.

    The first character is 0; without `end`, everything from `start` on.

    >>> substr("Toronto", 0.0, 3.0)
    'Tor'
    >>> substr("Toronto", -2.0)
    'to'
    """
    characters = to_string(text)
    length = len(characters)

    def index(value: Value) -> int:
        number = to_number(value)
        if math.isnan(number):
            return 0
        # Clamped first: an infinite position is legal and cannot be made a whole number.
        place = int(min(max(number, -length), length))
        if place >= 0:
            return place
        return place + length  # a negative position counts from the end

    if end is None:
        return characters[index(start) :]
    return characters[index(start) : index(end)]


def substring(text: Value, start: Value, count: Value | None = None) -> str:
    """Return XPath 1.0's substring: positions count from 1, and are rounded."""
    # Rounded before adding, as the specification has it: substring("12345", 1.5, 2.6) is "234".
    first = rounded(start)
    last = math.inf
    if count is not None:
        last = first + rounded(count)
    return "".join(character for position, character in enumerate(to_string(text), 1) if first <= position < last)


def before(text: Value, mark: Value) -> str:
    """Return what stands before a mark; "" when it does not occur, or is blank."""
    if not to_string(mark):
        return ""
    head, separator, _ = to_string(text).partition(to_string(mark))
    if separator:
        return head
    return ""


def after(text: Value, mark: Value) -> str:
    """Return what comes after the first mark; all of the text if the mark is blank.

    >>> after("a=b=c", "=")
    'b=c'
    """
    if not to_string(mark):
        return to_string(text)
    return to_string(text).partition(to_string(mark))[2]


def translate(text: Value, source: Value, target: Value) -> str:
    """Return the text with each character of `source` replaced by its counterpart in `target`.

    Characters without a counterpart are removed. Source: XPath 1.0, section 4.2.

    >>> translate("416-555", "-", "")
    '416555'
    """
    table: dict[int, str | None] = {}
    replacement = to_string(target)
    for position, character in enumerate(to_string(source)):
        substitute = None  # characters without a counterpart are removed
        if position < len(replacement):
            substitute = replacement[position]
        # Of two counterparts of one character the first counts.
        table.setdefault(ord(character), substitute)
    return to_string(text).translate(table)


def matches(text: Value, pattern: Value) -> bool:
    """Return whether a whole text fits a pattern.

    Never for a text of more than MAX_PATTERN_TEXT characters.
    """
    characters = to_string(text)
    written = to_string(pattern)
    # Before the pattern is looked at: its bound holds for this length.
    if len(characters) > MAX_PATTERN_TEXT:
        return False
    if not patterns.is_quick(written):  # of a form that was published before all patterns were checked
        raise ExpressionError(patterns.SLOW, N_("A pattern of this form could take too long, so it was not tried."))
    return bool(patterns.compile_written(written).fullmatch(characters))


def rounded(value: Value, places: Value = 0.0) -> float:
    """Round halves up, as XPath 1.0 does, on the digits that people see.

    round(-2.5) is -2, round(1.005, 2) is 1.01.
    """
    number = to_number(value)
    digits = to_number(places)
    if math.isnan(number) or math.isinf(number) or math.isnan(digits):
        return number
    size = int(max(-30.0, min(30.0, digits)))
    # By way of the digits that people see: 1.005 as a float is a little less, and would round down.
    scaled = float(f"{number_to_string(number)}e{size}")
    # From here on floats have no fraction to round.
    if abs(scaled) >= 2**53:
        return number
    return float(f"{math.floor(scaled + 0.5)}e{-size}")


def truncated(value: Value) -> float:
    """Return a number without its fraction: 2.7 becomes 2, -2.7 becomes -2."""
    number = to_number(value)
    if math.isfinite(number):
        return float(math.trunc(number))
    return number


def whole(function: Callable[[float], int]) -> Callable[[Value], float]:
    """Return a function of numbers that leaves NaN and infinity as they are."""

    def apply(value: Value) -> float:
        number = to_number(value)
        if math.isfinite(number):
            return float(function(number))
        return number

    return apply


def power(base: Value, exponent: Value) -> float:
    """Raise to a power.

    Whole exponents go by multiplication, so that every machine gets the same bits.
    """
    x = to_number(base)
    y = to_number(exponent)
    if math.isnan(x) or math.isnan(y):
        return math.nan
    # Within this, multiplication gives the same bits everywhere; pow() of the C library does not.
    if abs(y) <= 1024 and y == math.trunc(y):
        return _whole_power(x, int(y))
    try:
        return fixed(math.pow(x, y))
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan if x < 0 else math.inf


def _whole_power(base: float, exponent: int) -> float:
    result = integer_power(base, abs(exponent))
    if exponent >= 0:
        return result
    if result == 0:
        return math.copysign(math.inf, result)
    return 1 / result


def real(function: Callable[..., float]) -> Callable[..., float]:
    """Return a function of real numbers that gives NaN outside its domain.

    Results have 12 digits: libraries differ after that.
    """

    def apply(*values: Value) -> float:
        try:
            return fixed(function(*(to_number(value) for value in values)))
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return apply


def logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    """Return a logarithm that gives -infinity for 0, as browsers do; Python raises an error."""
    return lambda number: -math.inf if number == 0 else function(number)


def root(value: Value) -> float:
    """Return the square root; NaN for a negative number."""
    number = to_number(value)
    if number >= 0:
        return math.sqrt(number)
    return math.nan


def _of_days(days: float, kind: str) -> Value:
    # Beyond these years Python has no date, and phones would write one that no reader takes.
    if FIRST_DAY <= days < LAST_DAY + 1:
        return DateValue(days, kind)
    return ""


def to_date(value: Value) -> Value:
    """Return the day in a value; "" when there is none.

    The value may be a day, a day and time, a text, or days since 1970-01-01.
    """
    if isinstance(value, str):
        value = parse_date(value) or value
    if isinstance(value, DateValue):
        # A time of day has no day.
        return "" if value.kind == "time" else DateValue(math.floor(value.days), "date")
    number = to_number(value)
    if math.isfinite(number):
        return _of_days(math.floor(number), "date")
    return ""


def to_date_time(value: Value) -> Value:
    """Return the day and time in a value, as to_date does the day; "" when there is none."""
    if isinstance(value, str):
        value = parse_date(value) or value
    if isinstance(value, DateValue):
        return "" if value.kind == "time" else DateValue(value.days, "dateTime")
    return _of_days(to_number(value), "dateTime")


def to_time(value: Value) -> Value:
    """Return the time of day of a date-time or of a text like "22:15"; "" for anything else."""
    if isinstance(value, DateValue):
        return DateValue(value.days - math.floor(value.days), "time")
    if isinstance(value, str):
        return parse_time(value) or ""
    return ""


def decimal_time(value: Value) -> float:
    """Return a time of day as a share of the day, 0 to 1; NaN where there is none.

    >>> decimal_time("18:00")
    0.75
    """
    time = to_time(value)
    if isinstance(time, DateValue):
        return time.days
    return math.nan


def format_date(value: Value, pattern: Value) -> str:
    """Return a date or time written by a pattern of %Y, %m, %d, %H, %M …; "" for no date.

    Source: ODK XForms specification, format-date(). Names of months and days are English, as there.

    >>> format_date("2026-08-01", "%d/%m/%Y")
    '01/08/2026'
    """
    date = value
    if not isinstance(value, DateValue):
        date = to_date_time(value)
    if not isinstance(date, DateValue) and isinstance(value, str):
        date = parse_time(value) or ""
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
    # A letter that means nothing stays as it is written, as in ODK Collect.
    return re.sub(r"%(.)", lambda match: parts.get(match[1], match[0]), to_string(pattern), flags=re.DOTALL)


def selected(chosen: Value, name: Value) -> bool:
    """Say whether a choice is among several, which are separated by blanks.

    >>> selected("food ride", "ride")
    True
    """
    choice = to_string(name)
    # A blank name asks whether nothing was chosen.
    if choice:
        return choice in words(chosen)
    return not words(chosen)


def selected_at(chosen: Value, position: Value) -> str:
    """Return the choice at a position, counted from 0; "" where there is none.

    >>> selected_at("food ride", 1.0)
    'ride'
    """
    names = words(chosen)
    number = to_number(position)
    if 0 <= number < len(names):
        return names[int(number)]
    return ""


def checklist(least: Value, most: Value, *answers: Value) -> bool:
    """Say whether the number of true values is from `least` to `most`; -1 sets no limit."""
    return _within(sum(to_boolean(answer) for answer in answers), least, most)


def weighted_checklist(least: Value, most: Value, *pairs: Value) -> bool:
    """Say whether the weights of the true values add up to a sum from `least` to `most`."""
    total = 0.0
    for answer, weight in zip(pairs[::2], pairs[1::2], strict=False):
        if to_boolean(answer):
            total += to_number(weight)
    return _within(total, least, most)


def _within(total: float, least: Value, most: Value) -> bool:
    low = to_number(least)
    high = to_number(most)
    return (low == -1 or total >= low) and (high == -1 or total <= high)


DIGESTS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def digest(text: Value, algorithm: Value, encoding: Value = "base64") -> str:
    """Return the digest of a text in UTF-8; "" for an algorithm or encoding that there is not."""
    name = DIGESTS.get(to_string(algorithm).upper())
    if name is None or to_string(encoding) not in ("base64", "hex"):
        return ""
    # Half a surrogate pair cannot be encoded; "replace" gives the same digest as a phone does.
    data = hashlib.new(name, to_string(text).encode("utf-8", "replace"), usedforsecurity=False).digest()
    if to_string(encoding) == "hex":
        return data.hex()
    return base64.b64encode(data).decode()


def base64_decode(text: Value) -> str:
    """Return the text in base64; "" where it is not base64 of UTF-8."""
    try:
        return base64.b64decode(to_string(text), validate=True).decode()
    except ValueError:
        return ""


Function = Callable[..., Value]

PLAIN: dict[str, tuple[Function, int, int | None]] = {
    "abs": (lambda value: abs(to_number(value)), 1, 1),
    "acos": (real(math.acos), 1, 1),
    "asin": (real(math.asin), 1, 1),
    "atan": (real(math.atan), 1, 1),
    "atan2": (real(math.atan2), 2, 2),
    "base64-decode": (base64_decode, 1, 1),
    "boolean": (to_boolean, 1, 1),
    "boolean-from-string": (lambda value: to_string(value) in ("1", "true"), 1, 1),
    "ceiling": (whole(math.ceil), 1, 1),
    "checklist": (checklist, 3, None),
    "contains": (lambda text, part: to_string(part) in to_string(text), 2, 2),
    "cos": (real(math.cos), 1, 1),
    "count-selected": (lambda chosen: float(len(words(chosen))), 1, 1),
    "date": (to_date, 1, 1),
    "date-time": (to_date_time, 1, 1),
    "decimal-date-time": (lambda value: to_number(to_date_time(value)), 1, 1),
    "decimal-time": (decimal_time, 1, 1),
    "digest": (digest, 2, 3),
    "ends-with": (lambda text, part: to_string(text).endswith(to_string(part)), 2, 2),
    "exp": (real(math.exp), 1, 1),
    "exp10": (lambda value: power(10.0, value), 1, 1),
    "false": (lambda: False, 0, 0),
    "floor": (whole(math.floor), 1, 1),
    "format-date": (format_date, 2, 2),
    "format-date-time": (format_date, 2, 2),
    "geofence": (geometry.geofence, 2, 2),
    "int": (truncated, 1, 1),
    "log": (real(logarithm(math.log)), 1, 1),
    "log10": (real(logarithm(math.log10)), 1, 1),
    "not": (lambda value: not to_boolean(value), 1, 1),
    "pi": (lambda: math.pi, 0, 0),
    "pow": (power, 2, 2),
    "regex": (matches, 2, 2),
    "round": (rounded, 1, 2),
    "selected": (selected, 2, 2),
    "selected-at": (selected_at, 2, 2),
    "sin": (real(math.sin), 1, 1),
    "sqrt": (root, 1, 1),
    "starts-with": (lambda text, part: to_string(text).startswith(to_string(part)), 2, 2),
    "substr": (substr, 2, 3),
    "substring": (substring, 2, 3),
    "substring-after": (after, 2, 2),
    "substring-before": (before, 2, 2),
    "tan": (real(math.tan), 1, 1),
    "translate": (translate, 3, 3),
    "true": (lambda: True, 0, 0),
    "weighted-checklist": (weighted_checklist, 4, None),
}

# Those that may also be called without a value, and then mean the question itself.
OF_SELF: dict[str, Function] = {
    "normalize-space": lambda text: " ".join(words(text)),
    "number": to_number,
    "string": to_string,
    "string-length": lambda text: float(len(to_string(text))),
}

# Those that need the question, its nodes, the lists or the clock: see evaluator.py.
SPECIAL: dict[str, tuple[int, int | None]] = {
    "area": (1, 1),
    "coalesce": (2, None),
    "concat": (1, None),
    "count": (1, 1),
    "count-non-empty": (1, 1),
    "current": (0, 0),
    "distance": (1, None),
    "if": (3, 3),
    "indexed-repeat": (3, 7),
    "instance": (1, 1),
    "join": (2, None),
    "jr:choice-name": (2, 2),
    "jr:itext": (1, 1),
    "last": (0, 0),
    "max": (1, None),
    "min": (1, None),
    "now": (0, 0),
    "once": (1, 1),
    "position": (0, 1),
    "pulldata": (4, 4),
    "random": (0, 0),
    "randomize": (1, 2),
    "sum": (1, 1),
    "today": (0, 0),
    "uuid": (0, 1),
}

SIGNATURES: dict[str, tuple[int, int | None]] = (
    SPECIAL | {name: (low, high) for name, (_, low, high) in PLAIN.items()} | dict.fromkeys(OF_SELF, (0, 1))
)

# Chance is rolled on the phone: the centre takes what it is given and does not compute it again.
BY_CHANCE = frozenset({"random", "uuid", "randomize"})

UNSUPPORTED: dict[str, str] = {
    "extract-signed": N_("“{name}()” is not here: it needs a key that no phone should have."),
    "intersects": N_("“{name}()” is not here: this app collects no lines or shapes on a map."),
    "search": N_("“{name}()” is not here: use select_one_from_file with a choice_filter, which works in every app."),
    "version": N_("“{name}()” is not here: the version of the form is stored with each record."),
    "property": N_("“{name}()” is not here: use a row of type username or deviceid."),
    "depend": N_("“{name}()” is not here: write the condition in the column relevant."),
    "id": N_("“{name}()” is not here: forms have no XML ids."),
    "lang": N_("“{name}()” is not here: forms have no XML languages."),
    "name": N_("“{name}()” is not here: write the name out."),
    "local-name": N_("“{name}()” is not here: write the name out."),
    "namespace-uri": N_("“{name}()” is not here: write the name out."),
    "enclosed-area": N_("“{name}()” is called area() here."),
    "is-selected": N_("“{name}()” is called selected() here."),
}
