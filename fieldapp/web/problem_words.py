"""Problems in the reader's language, with numbers as that language writes them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from flask import Flask
from flask_babel import format_decimal, gettext

from evaluator_export.problems import Detail
from fieldapp.services.stored_problems import read_problems
from forms.problems import N_, FormProblem

ROW = N_("Row {number}")
PLACE = N_("{place}: {problem}")
SHARE = N_("{number}%")


class Problem(Protocol):
    """A reason why something cannot be done, fresh or as it was stored."""

    @property
    def text(self) -> str: ...
    @property
    def details(self) -> Mapping[str, Detail]: ...
    @property
    def where(self) -> Sequence[str | int]: ...


def write_problem(problem: Problem) -> str:
    """Return a problem as plain text: it may hold names that somebody typed."""
    if not problem.text:  # gettext of nothing is the head of the catalogue
        return ""
    sentence = str(gettext(problem.text))
    if problem.details:
        sentence = sentence.format(**{name: _write_detail(value) for name, value in problem.details.items()})
    for place in reversed(problem.where):
        sentence = str(gettext(PLACE)).format(place=_write_place(place), problem=sentence)
    return sentence


def write_stored(text: str) -> str:
    """Return stored problems as text; an older version's sentence is shown as it is."""
    return " ".join(write_problem(problem) for problem in read_problems(text))


def write_form_problem(problem: FormProblem) -> str:
    """Return what is wrong in a workbook, in the reader's language."""
    details = dict(problem.details)
    forbidden = details.get("what")
    if forbidden:
        details["what"] = gettext(forbidden)
    return str(gettext(problem.text)).format(**details)


def _write_place(place: str | int) -> str:
    if isinstance(place, int):
        return str(gettext(ROW)).format(number=place)
    return place


def _write_detail(value: Detail) -> str:
    if isinstance(value, float):
        return str(gettext(SHARE)).format(number=format_decimal(round(100 * value, 1)))
    if isinstance(value, int):
        return str(format_decimal(value))
    return value


def init(app: Flask) -> None:
    """Give templates their filters for problems."""
    app.jinja_env.filters.update(reason=write_stored, problem=write_problem, form_problem=write_form_problem)
