"""What can be wrong with a form or with answers.

A code, a sentence to translate, details, and where it is.
"""

from dataclasses import dataclass, field
from typing import Literal


def N_(text: str) -> str:
    """Mark a sentence for translation and return it unchanged."""
    return text


@dataclass(frozen=True)
class FormProblem:
    """One thing wrong in a workbook: where to look and what to do.

    `row` counts from 1, as spreadsheets do.
    """

    code: str
    text: str
    details: dict[str, str] = field(default_factory=dict)
    sheet: str = "survey"
    row: int | None = None
    column: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = ", ".join(
            part for part in (self.sheet, self.row and f"row {self.row}", self.column and f"column {self.column}") if part
        )
        return f"{self.severity}: {where}: {self.text.format(**self.details)} [{self.code}]"


class FormRefused(Exception):
    """A workbook that cannot become a form; carries every problem found."""

    def __init__(self, problems: list[FormProblem]):
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class AnswerProblem:
    """One thing wrong with answers.

    The path of the question (its position in repeats included), and why.
    """

    code: str
    text: str
    path: str
    details: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        return {"code": self.code, "text": self.text, "path": self.path, "details": self.details}


class AreasRefused(Exception):
    """Outlines that cannot be used: why, with the details that the sentence names."""

    def __init__(self, text: str, details: dict[str, str] | None = None):
        super().__init__(text.format(**(details or {})))
        self.text = text
        self.details = details or {}
