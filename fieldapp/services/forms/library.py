"""The question library: the program's questions and code lists, to insert into any form."""

import csv
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evaluator_export.yaml_text import read_yaml
from fieldapp.paths import PROGRAM
from forms.builder import WorkbookEditor
from forms.roles import MINUTES_COLUMN, ROLE_COLUMN
from forms.workbook import language_code

LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class LibraryQuestion:
    """A question of the library.

    `title` names its part of the library, `row` is what library.yaml says, `choices` the rows of its
    code list.
    """

    title: dict[str, str]
    row: dict[str, Any]
    choices: tuple[dict[str, str], ...]

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def label(self) -> dict[str, str]:
        return dict(zip(LANGUAGES, self.row["label"], strict=True))


@functools.cache
def load_code_lists() -> dict[str, tuple[dict[str, str], ...]]:
    """Return the program's code lists by name: rows of name, en, fr, role and minutes."""
    lists: dict[str, list[dict[str, str]]] = {}
    with (PROGRAM / "code_lists.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            lists.setdefault(row["list"], []).append(row)
    return {name: tuple(rows) for name, rows in lists.items()}


@functools.cache
def load_library() -> tuple[LibraryQuestion, ...]:
    """Return the program's questions in the order of library.yaml."""
    questions = []
    for part in read_yaml((PROGRAM / "library.yaml").read_text(encoding="utf-8")):
        title = dict(zip(LANGUAGES, part["title"], strict=True))
        for row in part["questions"]:
            list_name = _read_list_name(row)
            choices = load_code_lists()[list_name] if list_name else ()
            questions.append(LibraryQuestion(title, row, choices))
    return tuple(questions)


def _read_list_name(row: dict[str, Any]) -> str:
    """Return the code list that a question chooses from: "gender" for "select_one gender"."""
    words = str(row["ask"]).split()  # a type, and for choices the name of a list
    if len(words) > 1:
        return words[1]
    return ""


def insert_question(book: WorkbookEditor, name: str, after: int) -> int | None:
    """Insert a question of the library below a row, with its list of choices.

    Its name gets a number where the form has the name already. Returns the new row, or None when
    the library has no such question.
    """
    question = _find_question(name)
    if question is None:
        return None
    _add_choices(book, question)
    return book.add(after, _make_cells(book, question))


def _find_question(name: str) -> LibraryQuestion | None:
    for question in load_library():
        if question.name == name:
            return question
    return None


def _make_cells(book: WorkbookEditor, question: LibraryQuestion) -> dict[str, str]:
    """Return the cells of a question's row, by column heading."""
    row = question.row
    cells = {
        "type": row["ask"],
        "name": _make_unique_name(book, question.name),
        "privacy::class": row["class"],
        "required": "yes" if row.get("required") else "",
    }
    for key in ("hierarchy", "export"):
        cells[f"privacy::{key}"] = row.get(key, "")
    for key in ("relevant", "constraint", "calculation", "default", "appearance"):
        cells[key] = str(row.get(key, ""))
    cells |= _make_text_cells(book, "label", row.get("label", ()))
    cells |= _make_text_cells(book, "hint", row.get("hint", ()))
    cells |= _make_text_cells(book, "constraint_message", row.get("message", ()))
    return cells


def _make_unique_name(book: WorkbookEditor, name: str) -> str:
    used_names = {line.row.name for line in book.lines()}
    unique = name
    number = 2
    while unique in used_names:
        unique = f"{name}_{number}"
        number += 1
    return unique


def _add_choices(book: WorkbookEditor, question: LibraryQuestion) -> None:
    """Add a question's list of choices, unless the form has a list of this name."""
    list_name = _read_list_name(question.row)
    if not question.choices or list_name in book.lists():
        return
    rows = []
    for choice in question.choices:
        labels = _make_text_cells(book, "label", (choice["en"], choice["fr"]))
        # What a choice means for the program goes with it.
        rows.append({"name": choice["name"], ROLE_COLUMN: choice["role"], MINUTES_COLUMN: choice["minutes"], **labels})
    book.add_list(list_name, rows)


# The headings of a workbook are its author's: “label::English (en)”, “label::fr” or plain “label”.
def _make_text_cells(book: WorkbookEditor, column: str, texts: Sequence[str]) -> dict[str, str]:
    """Return texts in English and French as cells of the languages that the workbook has.

    A workbook without named languages takes the text of its default language.
    """
    words = dict(zip(LANGUAGES, texts, strict=False))
    cells = {}
    for name in book.languages:
        code = language_code(name or "default")
        if code in words:
            heading = column
            if name:
                heading = f"{column}::{name}"
            cells[heading] = words[code]
    return cells
