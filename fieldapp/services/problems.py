"""What can stop an act: a code, a sentence to translate, details.

web/problems.py has how each part of the web shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from forms.problems import N_

__all__ = ["N_", "ActProblem", "make_not_found"]


@dataclass
class ActProblem(Exception):
    """An act was refused. `text` is an English sentence with {names} of `details`."""

    code: str
    text: str
    details: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text.format(**self.details)


def make_not_found() -> ActProblem:
    """Return the one answer for what does not exist and for what belongs to another centre."""
    return ActProblem("access.not_found", N_("There is nothing here, or it is not yours to see."))
