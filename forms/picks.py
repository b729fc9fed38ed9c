"""Logic that is picked, not typed: the common conditions and rules as a few fields, and back from an expression."""

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
        one, text = f"${{{self.question}}}", _quote(self.value)
        number = self.value if re.fullmatch(NUMBER, self.value) else text
        return {
            "is": f"{one} = {text}",
            "is_not": f"{one} != {text}",
            "has": f"selected({one}, {text})",
            "more": f"{one} > {number}",
            "less": f"{one} < {number}",
            "answered": f"{one} != ''",
            "blank": f"{one} = ''",
        }[self.operator]


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
    """Return the condition in an expression; None when it says more than can be picked."""
    for how, pattern in PATTERNS:
        if match := re.fullmatch(pattern, expression.strip()):
            return SimpleCondition(match[1], how, match[2])
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
        parts = [f". >= {self.minimum}"] if self.minimum else []
        parts += [f". <= {self.maximum}"] if self.maximum else []
        parts += [f"string-length(.) <= {self.length}"] if self.length else []
        parts += [". <= today()"] if self.not_future else []
        parts += [f". >= today() - {self.days_back}"] if self.days_back else []
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
    found: dict[str, str] = {}
    for part in filter(None, re.split(r"\s+and\s+", expression.strip())):
        match = next(((key, m) for key, pattern in LIMITS.items() if (m := re.fullmatch(pattern, part))), None)
        if match is None or match[0] in found:
            return None
        found[match[0]] = match[1][1]
    return AnswerLimits(
        found.get("least", ""),
        found.get("most", ""),
        found.get("length", ""),
        found.get("days_back", ""),
        "not_future" in found,
    )


def _quote(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"
