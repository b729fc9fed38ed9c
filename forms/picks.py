"""Logic that is picked, not typed.

The common conditions and rules as a few fields, and back from an expression.
"""

import re
from dataclasses import dataclass

OPERATORS = ("is", "is_not", "has", "more", "less", "answered", "blank")
NUMBER = r"-?\d+(?:\.\d+)?"


@dataclass(frozen=True)
class SimpleCondition:
    """Ask a question only when another one was answered in some way."""

    question: str = ""
    operator: str = "is"
    value: str = ""

    def expression(self) -> str:
        """Return the condition as XLSForms write it.

        >>> SimpleCondition("age", "more", "17").expression()
        '${age} > 17'
        """
        question = f"${{{self.question}}}"
        text = _quote(self.value)
        number = text
        if re.fullmatch(NUMBER, self.value):
            number = self.value
        return {
            "is": f"{question} = {text}",
            "is_not": f"{question} != {text}",
            "has": f"selected({question}, {text})",
            "more": f"{question} > {number}",
            "less": f"{question} < {number}",
            "answered": f"{question} != ''",
            "blank": f"{question} = ''",
        }[self.operator]


# In this order: "answered" is "is not" with a blank value, and would be read as that.
PATTERNS = [
    ("answered", r"\$\{(\w[\w.-]*)\}\s*!=\s*()(?:''|\"\")"),
    ("blank", r"\$\{(\w[\w.-]*)\}\s*=\s*()(?:''|\"\")"),
    ("is", r"\$\{(\w[\w.-]*)\}\s*=\s*['\"]([^'\"]*)['\"]"),
    ("is_not", r"\$\{(\w[\w.-]*)\}\s*!=\s*['\"]([^'\"]*)['\"]"),
    ("has", r"selected\(\s*\$\{(\w[\w.-]*)\}\s*,\s*['\"]([^'\"]*)['\"]\s*\)"),
    ("more", rf"\$\{{(\w[\w.-]*)\}}\s*>\s*({NUMBER})"),
    ("less", rf"\$\{{(\w[\w.-]*)\}}\s*<\s*({NUMBER})"),
]


def read_condition(expression: str) -> SimpleCondition | None:
    """Return the condition in an expression; None when it says more than can be picked.

    >>> read_condition("${age} > 17").operator
    'more'
    """
    for operator, pattern in PATTERNS:
        match = re.fullmatch(pattern, expression.strip())
        if match:
            return SimpleCondition(match[1], operator, match[2])
    return None


@dataclass(frozen=True)
class AnswerLimits:
    """What an answer must keep to: numbers, length of a text, or days."""

    minimum: str = ""
    maximum: str = ""
    length: str = ""
    days_back: str = ""
    not_future: bool = False

    def expression(self) -> str:
        """Return the limits as a constraint; "" for none.

        >>> AnswerLimits(minimum="0", maximum="99").expression()
        '. >= 0 and . <= 99'
        """
        parts = []
        if self.minimum:
            parts.append(f". >= {self.minimum}")
        if self.maximum:
            parts.append(f". <= {self.maximum}")
        if self.length:
            parts.append(f"string-length(.) <= {self.length}")
        if self.not_future:
            parts.append(". <= today()")
        if self.days_back:
            parts.append(f". >= today() - {self.days_back}")
        return " and ".join(parts)


LIMITS = {
    "least": rf"\. ?>= ?({NUMBER})",
    "most": rf"\. ?<= ?({NUMBER})",
    "length": r"string-length\(\.\) ?<= ?(\d+)",
    "not_future": r"(\. ?<= ?today\(\))",
    "days_back": r"\. ?>= ?today\(\) ?- ?(\d+)",
}


def read_limits(expression: str) -> AnswerLimits | None:
    """Return the limits in a constraint; None when it says more than can be picked."""
    limits: dict[str, str] = {}
    for part in filter(None, re.split(r"\s+and\s+", expression.strip())):
        limit = _read_limit(part)
        # Two limits of one kind cannot be shown in one field; such a rule is edited as text.
        if limit is None or limit[0] in limits:
            return None
        limits[limit[0]] = limit[1]
    return AnswerLimits(
        limits.get("least", ""),
        limits.get("most", ""),
        limits.get("length", ""),
        limits.get("days_back", ""),
        "not_future" in limits,
    )


def _read_limit(part: str) -> tuple[str, str] | None:
    """Return which limit a part of a constraint sets, and to what.

    None when it is none that can be picked.
    """
    for key, pattern in LIMITS.items():
        match = re.fullmatch(pattern, part)
        if match:
            return key, match[1]
    return None


def _quote(text: str) -> str:
    # XPath has no escape inside quotes; the other kind of quote is the only way.
    if "'" in text:
        return f'"{text}"'
    return f"'{text}'"
