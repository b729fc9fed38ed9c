"""Compare the fields that a page sends back with the cells of the workbook they came from."""

import re

from werkzeug.datastructures import MultiDict

from forms.builder import WorkbookEditor

FormData = MultiDict[str, str]

# Fields of one line: a browser drops line ends from them, so a cell with line ends comes back changed.
ONE_LINE = ("name", "appearance")


def tidy(text: str) -> str:
    """Return the text of a field as a cell stores it; browsers send line ends as \\r\\n."""
    return text.strip().replace("\r\n", "\n").replace("\r", "\n")


def one_line(text: str) -> str:
    """Return a text as a field of one line sends it back, without line ends."""
    return re.sub(r"[\r\n]", "", text).strip()


def find_changes(form_data: FormData, before: dict[str, str], fields: dict[str, str]) -> dict[str, str]:
    """Return the new text of each cell whose field was changed on the page.

    `before`: the row's cells by column. `fields`: the name of the field that shows each column. A column whose field
    was not sent is left out, so that what a page does not show is never touched.
    """
    changes = {}
    for column, field in fields.items():
        if field not in form_data:
            continue
        cell = before.get(column, "")
        if column in ONE_LINE:
            cell = one_line(cell)
        typed = tidy(form_data[field])
        if typed != cell:
            changes[column] = typed
    return changes


def list_label_columns(book: WorkbookEditor) -> list[str]:
    """Return the columns of labels, one for each language of the form."""
    return [name_column("label", language) for language in book.languages]


def name_column(column: str, language: str) -> str:
    """Return the heading of a column in one language; "" is a form without languages."""
    if not language:
        return column
    return f"{column}::{language}"
