"""The last look before a form is published.

Every rule, row and choice of the workbook is in the definition, or is named.

It does not know how a cell could get lost; it compares what the workbook says with what came of it.
"""

import re
from collections.abc import Iterator

from forms.definition import Choice, Element, FormDefinition, Words
from forms.expressions.nodes import Path, list_conditions, walk
from forms.headings import is_translated, language_of
from forms.problems import N_, FormProblem
from forms.workbook import Row, Workbook, language_code, row_advice, row_problem

# Columns of rules → fields of an element, any of which holds what comes of the cell.
RULES = {
    "relevant": ("relevant",),
    "constraint": ("constraint",),
    "calculation": ("calculate", "triggers"),
    "required": ("required",),
    "read_only": ("readonly",),
    "choice_filter": ("items",),
    "repeat_count": ("count",),
    "default": ("default", "first_value"),
    "trigger": ("triggers",),
    "appearance": ("appearance",),
}
WORDS = {
    "label": "label",
    "hint": "hint",
    "guidance_hint": "guidance",
    "constraint_message": "constraint_message",
    "required_message": "required_message",
}
NO = ("no", "false", "false()")
WITHOUT_ELEMENT = ("csv-external", "xml-external")
QUOTES = str.maketrans("‘’“”", "''\"\"")  # as pyxform straightens them


def find_missing(workbook: Workbook, definition: FormDefinition) -> Iterator[FormProblem]:
    """Yield a problem for every rule, row or choice that did not get into the compiled form."""
    for row in workbook.survey:
        if row.ends:
            yield from _find_unread_cells(row)
        elif row.standard_type not in WITHOUT_ELEMENT:
            yield from _find_lost_cells(row, definition.by_path.get(row.path))
    yield from _find_lost_choices(workbook, definition)


def _find_unread_cells(row: Row) -> Iterator[FormProblem]:
    for column, cell in row.cells.items():
        if cell and (column in RULES or is_translated(column)):
            text = N_("Nothing reads this cell: it is at the end of a group. Write it where the group begins.")
            yield row_advice("form.no_effect", text, row, column)


def _find_lost_cells(row: Row, element: Element | None) -> Iterator[FormProblem]:
    if element is None:
        text = N_("This row would be missing in the form. Write it in another way, or remove it.")
        yield row_problem("form.lost", text, row, "type")
        return
    for column, cell in row.cells.items():
        if not cell or _is_held(element, column, cell):
            continue
        if _has_effect(element, column):
            text = N_("“{name}”: this cell would be missing in the form. Write it in another way, or remove it.")
            yield row_problem("form.lost", text, row, column, name=row.name)
        # Whether a loss matters depends on the question: a hint on a calculation is lost without
        # harm.
        else:
            text = N_("“{name}”: this cell has no effect on this type of question.")
            yield row_advice("form.no_effect", text, row, column, name=row.name)


def _is_held(element: Element, column: str, cell: str) -> bool:
    """Return whether an element holds what a cell says.

    Other columns than those of rules and words count as held.
    """
    base = column.split("::", maxsplit=1)[0]
    if base in WORDS:
        words = getattr(element, WORDS[base])
        return _is_same(cell, _find_words(words, language_of(column)))
    # "no" is what a rule without a cell says, too.
    if column not in RULES or (column in ("required", "read_only") and cell.lower() in NO):
        return True
    if column == "choice_filter":
        # A filter that came to nothing would offer every choice.
        if element.items is None:
            return False
        return any(isinstance(part, Path) and list_conditions(part) for part in walk(element.items))
    return any(getattr(element, field) not in (None, "", {}) for field in RULES[column])


def _has_effect(element: Element, column: str) -> bool:
    """Return whether a cell of a column has any effect on an element of this kind."""
    base = column.split("::", maxsplit=1)[0]
    if column == "choice_filter":
        return element.is_select
    if column == "repeat_count":
        return element.kind == "repeat"
    if element.kind != "question":
        return base not in ("default", "trigger", "constraint_message", "required_message", "guidance_hint", "hint")
    if not element.is_on_screen:
        return base not in WORDS and column not in ("appearance", "read_only", "required", "constraint")
    return True


def _find_lost_choices(workbook: Workbook, definition: FormDefinition) -> Iterator[FormProblem]:
    lists: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for number, cells in workbook.choices:
        lists.setdefault(_normalize(cells.get("list_name", "")), []).append((number, cells))
    for name, rows in lists.items():
        if name not in definition.choices:
            text = N_(
                "The list “{list}” would be missing in the form. If a file has the same name, give one of them another."
            )
            column = workbook.written_choice("list_name")
            yield FormProblem("form.lost", text, {"list": name}, "choices", rows[0][0], column)
            continue
        # Taken from the front one by one: choices keep their order, so a lost one shows as the next
        # not fitting.
        unmatched = list(definition.choices[name])
        for number, cells in rows:
            choice = None
            if unmatched and _is_same(cells.get("name", ""), unmatched[0].name):
                choice = unmatched.pop(0)
            for column in _list_lost_columns(cells, choice):
                text = N_("“{name}”: this cell would be missing in the form. Write it in another way, or remove it.")
                details = {"name": cells.get("name", "")}
                yield FormProblem("form.lost", text, details, "choices", number, workbook.written_choice(column))


def _list_lost_columns(cells: dict[str, str], choice: Choice | None) -> Iterator[str]:
    """Yield the columns of a row of the choices sheet that a choice does not hold."""
    if choice is None:
        yield "name"
        return
    for column, cell in cells.items():
        if column in ("list_name", "name") or column.startswith("media"):
            continue
        compiled: object = choice.data.get(column)
        if is_translated(column):
            compiled = _find_words(choice.label, language_of(column))
        if not _is_same(cell, compiled):
            yield column


def _find_words(words: Words, language: str) -> object:
    """Return the words in a language, by its name in a heading; the form's first for ""."""
    if language:
        return words.get(language_code(language))
    return next(iter(words.values()), "")


def _is_same(cell: str, compiled: object) -> bool:
    """Return whether a text is the one in a cell, but for blanks and quotes.

    A text with answers in it is not compared.
    """
    if isinstance(compiled, list):
        return bool(compiled)
    if not isinstance(compiled, str):
        return False
    # A text that shows answers is cut into pieces around them; that it is there has to do.
    return _normalize(cell) == _normalize(compiled) or ("${" in cell and bool(compiled))


def _normalize(text: str) -> str:
    return re.sub(r"\s+", " ", text.translate(QUOTES)).strip()
