"""The program's consent questions, for a form that points to a person and asks nobody."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from evaluator_export.yaml_text import read_yaml
from fieldapp.paths import PROGRAM
from fieldapp.services.forms import library
from forms.builder import WorkbookEditor
from forms.question_type import AnswerKind
from forms.roles import ROLE_COLUMN
from forms.workbook import REFERENCE, Row

GROUP = "consent"
GROUP_WORDS = {"en": "Consent", "fr": "Consentement"}
Words = Mapping[str, Any]


@functools.cache
def load_consent_questions() -> tuple[Mapping[str, Any], ...]:
    """Return the rows of the consent questions as consent.yaml says them, but for “no more”.

    That answer needs a condition which only who builds the form knows: when it is about a card.
    """
    rows = read_yaml((PROGRAM / "consent.yaml").read_text(encoding="utf-8"))
    return tuple(row for row in rows if "needs" not in row)


@functools.cache
def load_other_languages() -> Words:
    """Return what a person hears or reads, in languages beyond English and French."""
    words: Words = read_yaml((PROGRAM / "consent_languages.yaml").read_text(encoding="utf-8"))
    return words


def insert_consent(book: WorkbookEditor) -> int:
    """Put the consent questions, in a group of their own, before the first question.

    A name that the form has already gets a number, for questions and for lists of choices. Return
    the row of the group.
    """
    used = {line.row.name for line in book.lines()}
    names: dict[str, str] = {}
    for name in (GROUP, *(row["name"] for row in load_consent_questions())):
        # Also against each other: two names of the block may be numbered to the same one.
        names[name] = library.make_unique(name, used)
        used.add(names[name])
    group = {"type": "begin_group", "name": names[GROUP], "appearance": "field-list"}
    group |= library.make_text_cells(book, "label", GROUP_WORDS)
    begin = book.add(_find_row_before_questions(book), group)
    lists: dict[str, str] = {}
    for number, row in enumerate(load_consent_questions(), begin):
        book.add(number, _make_cells(book, row, names, lists))
    return begin


def _find_row_before_questions(book: WorkbookEditor) -> int:
    """Return the row before the first question, or before the outermost group that it is in."""
    outermost = 0
    for line in book.lines():
        if line.depth == 0:
            outermost = line.number
        if _is_asked(line.row):
            # Before the group: consent is asked before anything that follows from it.
            return outermost - 1
    return len(book.rows("survey"))


def _is_asked(row: Row) -> bool:
    question_type = row.question_type
    if question_type is None:
        return False
    return question_type.is_on_screen and question_type.answer != AnswerKind.NOTHING


def _make_cells(book: WorkbookEditor, row: Words, names: Mapping[str, str], lists: dict[str, str]) -> dict[str, str]:
    """Return the cells of a consent question under the names that this form has for them.

    `lists`: the name in this form of each code list that was added; a new one is added to it.
    """
    cells = library.make_cells(book, row)
    name = cells["name"]
    cells |= library.make_text_cells(book, "label", _words_of(row, name))
    cells["name"] = names[name]
    # References inside the block go along with the names.
    for column in ("relevant", "constraint", "calculation"):
        cells[column] = REFERENCE.sub(lambda match: f"${{{names.get(match[1], match[1])}}}", cells[column])
    question_type, _, code_list = str(row["ask"]).partition(" ")
    if code_list:
        if code_list not in lists:
            lists[code_list] = _find_or_add_list(book, code_list)
        cells["type"] = f"{question_type} {lists[code_list]}"
    return cells


def _words_of(row: Words, name: str) -> dict[str, str]:
    labels = dict(zip(library.LANGUAGES, row.get("label", ()), strict=False))
    others: Mapping[str, str] = load_other_languages()["questions"].get(name, {})
    return {**labels, **others}


def _find_or_add_list(book: WorkbookEditor, code_list: str) -> str:
    """Return the form's name for a code list of the program; add the list if need be."""
    lists = book.lists()
    program_choices = [(row["name"], row["role"]) for row in library.list_portable_choices(code_list)]
    # The form's own list of that name is used only when it offers the same choices with the same
    # meaning.
    if _list_choices(lists.get(code_list, ())) == program_choices:
        return code_list
    name = library.make_unique(code_list, set(lists))
    library.add_choices(book, code_list, name, load_other_languages()["choices"].get(code_list))
    return name


def _list_choices(rows: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    return [(cells.get("name", ""), cells.get(ROLE_COLUMN, "")) for cells in rows]
