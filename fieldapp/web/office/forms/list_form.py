"""The choices of a list, as their pages show and save them."""

import bisect
import re
from dataclasses import dataclass

from fieldapp.web.office.forms.fields import FormData, find_changes, list_label_columns
from fieldapp.web.parsing import parse_number
from forms.builder import WorkbookEditor, slug

BLANK_LINES = 4  # at the end of each page, for new choices
MAX_CHOICES = 200  # on one page
# In the choices of one page: a request may have a million bytes, and a character may take twelve.
MAX_CHARACTERS = 60_000
NAME_FIELD = re.compile(r"name-([0-9]{1,6})")
YES = ("yes", "true", "true()")


@dataclass(frozen=True)
class ListForm:
    """A page of a list: choices with the number of their row, 0 for a blank line."""

    name: str
    languages: list[str]
    choices: list[tuple[int, dict[str, str]]]
    first: int  # number of the first choice on this page, from 1
    count: int  # of all choices of the list
    previous: int | None  # first choice of the page before; None on the first page
    next: int | None  # first choice of the page after; None on the last page


def make_list_form(book: WorkbookEditor, name: str, first: int = 1) -> ListForm:
    """Return the page of a list on which its choice number `first` is."""
    starts = _find_page_starts(book, name)
    page = max(0, bisect.bisect_right(starts, first) - 1)
    rows = list(book.choices_of(name).items())
    ends = [*starts[1:], len(rows) + 1]
    blank: list[tuple[int, dict[str, str]]] = [(0, {}) for _ in range(BLANK_LINES)]
    return ListForm(
        name=name,
        languages=book.languages,
        choices=[*rows[starts[page] - 1 : ends[page] - 1], *blank],
        first=starts[page],
        count=len(rows),
        previous=starts[page - 1] if page else None,
        next=ends[page] if ends[page] <= len(rows) else None,
    )


def _find_page_starts(book: WorkbookEditor, name: str) -> list[int]:
    """Return the first choice of each page; a page is short enough to be sent back."""
    columns = ["name", *list_label_columns(book)]
    starts = [1]
    count = 0
    size = 0
    for number, cells in enumerate(book.choices_of(name).values(), 1):
        length = sum(len(cells.get(column, "")) for column in columns)
        if count == MAX_CHOICES or (count and size + length > MAX_CHARACTERS):
            starts.append(number)
            count = 0
            size = 0
        count += 1
        size += length
    return starts


def save_list(book: WorkbookEditor, name: str, form_data: FormData) -> None:
    """Write the choices of a page, each into its own row.

    A choice whose labels were emptied is removed; a new one without a name gets one. Rows that the page does not
    show stay as they are.
    """
    existing = book.choices_of(name)
    removed: list[int] = []
    for index in _list_sent_lines(form_data):
        number = _find_row(form_data, index, list(existing))
        if number and number not in existing:
            continue  # a row of another list, or none
        cells = existing.get(number, {})
        changes = find_changes(form_data, cells, _name_fields(book, index))
        labels = _list_labels(book, cells | changes)
        if number and changes and not labels:
            removed.append(number)
        elif changes and labels:
            _save_choice(book, name, number, cells | changes, changes)
    # Only at the end: each removal moves the rows below it.
    book.remove_choices(removed)


def _name_fields(book: WorkbookEditor, index: int) -> dict[str, str]:
    fields = {"name": f"name-{index}"}
    for position, column in enumerate(list_label_columns(book)):
        fields[column] = f"label-{index}-{position}"
    return fields


def _list_labels(book: WorkbookEditor, cells: dict[str, str]) -> list[str]:
    labels = [cells.get(column, "") for column in list_label_columns(book)]
    return [label for label in labels if label]


def _save_choice(book: WorkbookEditor, list_name: str, number: int, cells: dict[str, str], changes: dict[str, str]) -> None:
    """Write the changed cells of a choice, with a name that no other choice of its list has."""
    others = book.choices_of(list_name)
    others.pop(number, None)
    taken = {other.get("name", "") for other in others.values()}
    may_repeat = book.setting("allow_choice_duplicates").lower() in YES
    if not cells.get("name"):
        changes["name"] = _make_unique(slug(_list_labels(book, cells)[0]), taken)
    elif "name" in changes and not may_repeat:
        changes["name"] = _make_unique(cells["name"], taken)
    if number:
        book.set_choice(number, changes)
    else:
        book.add_choice(list_name, changes)


def _make_unique(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_2"
    return name


def _list_sent_lines(form_data: FormData) -> list[int]:
    """Return the lines that were sent: rows of the sheet first, since new ones move them."""
    matches = [NAME_FIELD.fullmatch(field) for field in form_data]
    lines = sorted(int(match[1]) for match in matches if match)
    return sorted(lines, key=lambda line: not parse_number(form_data.get(f"row-{line}", "")))


def _find_row(form_data: FormData, index: int, rows: list[int]) -> int:
    """Return the row of a line, 0 for a new one; unnumbered lines are the list from its top."""
    if any(field.startswith("row-") for field in form_data):
        return parse_number(form_data.get(f"row-{index}", ""))
    if index < len(rows):
        return rows[index]
    return 0


def add_yes_no(book: WorkbookEditor) -> None:
    """Add the list that new questions with choices begin with, unless the form has it."""
    if "yes_no" in book.lists():
        return
    for name, english, french in (("yes", "Yes", "Oui"), ("no", "No", "Non")):
        cells = {"name": name}
        for language, column in zip(book.languages, list_label_columns(book), strict=True):
            cells[column] = english
            if "fr" in language.lower():
                cells[column] = french
        book.add_choice("yes_no", cells)
