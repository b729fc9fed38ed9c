"""The question library: the program's questions and code lists, to insert into any form."""

import csv
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator_export.yaml_text import read_yaml
from fieldapp.paths import PROGRAM
from forms.builder import WorkbookEditor
from forms.keep import KEEP_COLUMN
from forms.roles import MINUTES_COLUMN, ROLE_COLUMN, ChoiceRole
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
    list_name = _read_list_name(question.row)
    # A list of that name may be the author's own; it is left as it is.
    if list_name and list_name not in book.lists():
        add_choices(book, list_name, list_name)
    cells = make_cells(book, question.row)
    cells["name"] = make_unique(question.name, _list_names(book))
    if cells[ROLE_COLUMN] in _list_roles(book):  # at most one question of a form has a role
        cells[ROLE_COLUMN] = ""
    return book.add(after, cells)


def _find_question(name: str) -> LibraryQuestion | None:
    for question in load_library():
        if question.name == name:
            return question
    return None


def make_cells(book: WorkbookEditor, row: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a question as a program file writes it, by column heading."""
    cells = {
        "type": row["ask"],
        "name": row["name"],
        "privacy::class": row.get("class", ""),
        "required": "yes" if row.get("required") else "",
        KEEP_COLUMN: row.get("keep", ""),
        ROLE_COLUMN: row.get("role", ""),
    }
    for key in ("hierarchy", "export"):
        cells[f"privacy::{key}"] = row.get(key, "")
    for key in ("relevant", "constraint", "calculation", "default", "appearance"):
        cells[key] = str(row.get(key, ""))
    for column, key in (("label", "label"), ("hint", "hint"), ("constraint_message", "message")):
        cells |= make_text_cells(book, column, _by_language(row.get(key, ())))
    return cells


def make_unique(name: str, used: set[str]) -> str:
    """Return a name, with a number after it where it is used already."""
    unique = name
    number = 2
    while unique in used:
        unique = f"{name}_{number}"
        number += 1
    return unique


def _list_names(book: WorkbookEditor) -> set[str]:
    return {line.row.name for line in book.lines()}


def _list_roles(book: WorkbookEditor) -> set[str]:
    """Return the roles that questions have, by their own cell or a setting like summary_day."""
    roles = {line.row.cells.get(ROLE_COLUMN, "") for line in book.lines()}
    # Older forms give roles by settings, and a role may be given once only.
    for heading in book.columns("settings"):
        if heading.standard.startswith("summary_") and book.setting(heading.standard):
            roles.add(heading.standard.removeprefix("summary_"))
    return roles - {""}


def add_choices(
    book: WorkbookEditor, code_list: str, name: str, words: Mapping[str, Mapping[str, str]] | None = None
) -> None:
    """Add a code list of the program to a form as its list `name`, but for “no more”.

    That answer may only be offered under a condition, which nobody can guess for another form.
    `words`: of choices in languages beyond English and French, by choice and language.
    """
    rows = []
    for choice in list_portable_choices(code_list):
        labels = {"en": choice["en"], "fr": choice["fr"], **(words or {}).get(choice["name"], {})}
        # What a choice means for the program goes with it.
        cells = {"name": choice["name"], ROLE_COLUMN: choice["role"], MINUTES_COLUMN: choice["minutes"]}
        rows.append(cells | make_text_cells(book, "label", labels))
    book.add_list(name, rows)


def list_portable_choices(code_list: str) -> list[dict[str, str]]:
    """Return the choices of a code list that any form can take over as they are."""
    need_card = {ChoiceRole.NO_MORE, ChoiceRole.STANDING}
    return [row for row in load_code_lists()[code_list] if need_card.isdisjoint(row["role"].split())]


def _by_language(texts: Sequence[str]) -> dict[str, str]:
    return dict(zip(LANGUAGES, texts, strict=False))


# The headings of a workbook are its author's: “label::English (en)”, “label::fr” or plain “label”.
def make_text_cells(book: WorkbookEditor, column: str, words: Mapping[str, str]) -> dict[str, str]:
    """Return words by language as cells of the languages that the workbook has.

    A workbook without named languages takes the text of its default language, and one that has none of
    these languages the English in its first: a question without words could not be published.
    """
    cells = {}
    for name in book.languages:
        code = language_code(name or "default")
        if code in words:
            cells[_head(column, name)] = words[code]
    if not cells and words:
        cells[_head(column, book.languages[0])] = words["en"]
    return cells


def _head(column: str, language: str) -> str:
    return f"{column}::{language}" if language else column
