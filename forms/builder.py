"""Change a workbook as the office's builder does.

Cell by cell, so that everything it does not know stays as it was.
"""

import re
from dataclasses import dataclass

from forms.headings import (
    READERS,
    Heading,
    is_translated,
    language_of,
    read_headings,
    settings_row,
)
from forms.sheets import Sheets
from forms.workbook import REFERENCE, Row

BLANK = {"survey": ["type", "name", "label"], "choices": ["list_name", "name", "label"], "settings": []}


@dataclass(frozen=True)
class SurveyRow:
    """A row of the survey sheet as the builder shows it.

    `number` counts from 1 as the spreadsheet does.
    """

    number: int
    row: Row
    depth: int


class WorkbookEditor:
    """A workbook being edited."""

    def __init__(self, sheets: Sheets):
        self.sheets = sheets

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self, sheet: str) -> list[list[str]]:
        """Return the rows of a sheet, the headings first.

        A sheet that is not there reads as one empty row.
        """
        return self.sheets.sheets.get(sheet) or [[]]

    def columns(self, sheet: str) -> list[Heading]:
        """Return the columns of a sheet.

        Of those that mean the same only the first, which is the one that is read.
        """
        first: dict[str, Heading] = {}
        for heading in read_headings(sheet, self.rows(sheet)[0]):
            first.setdefault(heading.standard, heading)
        return list(first.values())

    @property
    def languages(self) -> list[str]:
        """Return the languages of labels as the header writes them.

        "" where labels have no language.
        """
        names = [heading.standard for heading in self.columns("survey") if heading.standard.split("::")[0] == "label"]
        return [language_of(name) for name in names] or [""]

    def cells(self, number: int) -> dict[str, str]:
        """Return the cells of a row of the survey sheet by standard column."""
        return _read_cells(self.columns("survey"), self.rows("survey")[number - 1])

    def lines(self) -> list[SurveyRow]:
        """Return every row that says something, with how deep in groups it stands.

        Ends of groups are left out.
        """
        lines = []
        depth = 0
        columns = self.columns("survey")
        for number, texts in enumerate(self.rows("survey")[1:], 2):
            row = Row(number, _read_cells(columns, texts), "", {})
            # Blank rows separate blocks in many workbooks; they are no rows of the form.
            if not any(row.cells.values()):
                continue
            if row.ends:
                # An end too many must not put what follows at a negative depth.
                depth = max(0, depth - 1)
                continue
            lines.append(SurveyRow(number, row, depth))
            depth += bool(row.begins)
        return lines

    def line(self, number: int) -> SurveyRow | None:
        """Return a row of the survey sheet by its number; None where it says nothing."""
        return next((line for line in self.lines() if line.number == number), None)

    def choices_of(self, name: str) -> dict[int, dict[str, str]]:
        """Return the choices of a list.

        The number of each row on the choices sheet, with its cells by standard column.
        """
        columns = self.columns("choices")
        rows = {number: _read_cells(columns, row) for number, row in enumerate(self.rows("choices")[1:], 2) if row}
        return {number: cells for number, cells in rows.items() if cells.get("list_name") == name}

    def lists(self) -> dict[str, list[dict[str, str]]]:
        """Return the choices of each list, as cells by standard column."""
        columns = self.columns("choices")
        lists: dict[str, list[dict[str, str]]] = {}
        for row in self.rows("choices")[1:]:
            cells = _read_cells(columns, row)
            if cells.get("list_name"):
                lists.setdefault(cells["list_name"], []).append(cells)
        return lists

    def setting(self, key: str) -> str:
        """Return a setting by its standard name; "" where it is not written."""
        rows = self.rows("settings")
        position = settings_row(rows)
        row = []
        if position < len(rows):
            row = rows[position]
        return _read_cells(self.columns("settings"), row).get(key, "")

    # ── changing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def set_setting(self, key: str, text: str) -> None:
        """Write a setting, in a column of its own where there is none."""
        # A setting that stays the same is not written, so that saving a page changes no byte of the
        # workbook.
        if text == self.setting(key):
            return
        rows = self.sheets.sheet("settings")
        column = self._column("settings", key)
        at = settings_row(rows)
        while len(rows) <= at:
            rows.append([])
        _set_cell(rows[at], column, text)

    def set(self, number: int, cells: dict[str, str]) -> None:
        """Write cells of a row by standard column, adding columns that are not there yet.

        What stays is not touched.
        """
        self._write("survey", number, cells)

    def _write(self, sheet: str, number: int, cells: dict[str, str]) -> None:
        row = self.sheets.sheet(sheet)[number - 1]
        before = _read_cells(self.columns(sheet), row)
        for column, text in cells.items():
            # Only what changed: the workbook keeps formats and columns that the builder knows
            # nothing about.
            if text != before.get(column, ""):
                _set_cell(row, self._column(sheet, column), text)

    def _column(self, sheet: str, name: str) -> int:
        """Return where a column is, added where there is none."""
        rows = self.sheets.sheet(sheet)
        if len(rows) == 1 and not rows[0]:
            rows[0].extend(BLANK[sheet])
        at = next((heading.at for heading in self.columns(sheet) if heading.standard == name), None)
        if at is None:
            at = max(map(len, rows))  # not under a cell that stands there without a heading
            _set_cell(rows[0], at, name)
        return at

    def add(self, after: int, cells: dict[str, str]) -> int:
        """Add a row after a row (1: at the top), or after the end of the group that begins there.

        Return its number.
        """
        self._column("survey", "type")  # a new sheet has its headings first
        rows = self.sheets.sheet("survey")
        at = max(1, min(after, len(rows)))
        rows.insert(at, [])
        self.set(at + 1, cells)
        kind = Row(0, cells, "", {}).begins
        if kind and kind != "loop":
            rows.insert(at + 1, [])
            self.set(at + 2, {"type": f"end_{kind}"})
        return at + 1

    def block(self, number: int) -> range:
        """Return the rows that belong together: one, or a group from its beginning to its end."""
        rows = self.rows("survey")
        depth = 0
        for at in range(number, len(rows) + 1):
            row = Row(at, self.cells(at), "", {})
            depth += bool(row.begins) - bool(row.ends)
            if depth <= 0:
                return range(number, at + 1)
        return range(number, number + 1)  # a group that never ends holds nothing for certain

    def remove(self, number: int) -> None:
        rows = self.sheets.sheet("survey")
        block = self.block(number)
        del rows[block.start - 1 : block.stop - 1]

    def move(self, number: int, direction: int) -> int:
        """Move a row, or a whole group, past its neighbour.

        -1 up, 1 down, out of and into groups; return its new number.
        """
        rows = self.sheets.sheet("survey")
        block = self.block(number)
        moved = rows[block.start - 1 : block.stop - 1]
        if direction < 0:
            # Row 1 has the headings.
            if number <= 2:
                return number
            del rows[block.start - 1 : block.stop - 1]
            target = number - 2
        else:
            if block.stop > len(rows):
                return number
            del rows[block.start - 1 : block.stop - 1]
            target = number
        rows[target:target] = moved
        return target + 1

    def rename(self, number: int, name: str) -> None:
        """Give a question another name, and every reference to it."""
        old = self.cells(number).get("name", "")
        if old and name and old != name:
            for sheet in ("survey", "choices", "settings"):
                for row in self.rows(sheet)[1:]:
                    row[:] = [_renamed(text, old, name) for text in row]
            # Settings name questions without ${}, as a plain word.
            for heading in self.columns("settings"):
                if heading.standard.startswith("summary_") and self.setting(heading.standard) == old:
                    self.set_setting(heading.standard, name)
        self.set(number, {"name": name})

    def add_choice(self, name: str, cells: dict[str, str]) -> int:
        """Add a choice after the last of its list, or at the end of the sheet; return its row."""
        self._column("choices", "list_name")
        rows = self.sheets.sheet("choices")
        at = max(self.choices_of(name), default=len(rows))
        rows.insert(at, [])
        self._write("choices", at + 1, {"list_name": name, **cells})
        return at + 1

    def add_list(self, name: str, choices: list[dict[str, str]]) -> None:
        """Add a list with its choices."""
        for cells in choices:
            self.add_choice(name, cells)

    def set_choice(self, number: int, cells: dict[str, str]) -> None:
        """Write cells of a choice by standard column.

        Its other cells, and all that did not change, are not touched.
        """
        self._write("choices", number, cells)

    def remove_choices(self, numbers: list[int]) -> None:
        """Take rows out of the choices sheet."""
        rows = self.sheets.sheet("choices")
        # From the last to the first: each row that goes would shift the numbers of those below it.
        for number in sorted(numbers, reverse=True):
            del rows[number - 1]

    def add_language(self, name: str) -> None:
        """Add columns for another language.

        Words without a language are then in the form's own, or English.
        """
        # The words that are there had no language; leaving them so would make pyxform read them as
        # a third one.
        own = self.setting("default_language") or "English (en)"
        for sheet in ("survey", "choices"):
            standard_names = {heading.standard for heading in self.columns(sheet)}
            for heading in self.columns(sheet):
                named = f"{heading.standard}::{own}"
                if is_translated(heading.standard) and not language_of(heading.standard) and named not in standard_names:
                    self.sheets.sheet(sheet)[0][heading.at] = named
            if READERS[sheet](f"label::{name}") not in standard_names:
                self._column(sheet, READERS[sheet](f"label::{name}"))

    def fill_in(self, form_id: str, version: str, title: str) -> list[str]:
        """Write the settings that every form needs and this one lacks; return which."""
        filled = []
        for key, text in (("form_title", title), ("form_id", form_id), ("version", version)):
            if not self.setting(key):
                self.set_setting(key, text)
                filled.append(key)
        return filled


def make_workbook(title: str, form_id: str, version: str) -> WorkbookEditor:
    """Return the workbook of a new form in English and French."""
    labels = ["label::English (en)", "label::French (fr)"]
    survey = ["type", "name", *labels, "hint::English (en)", "hint::French (fr)", "required", "relevant", "constraint"]
    survey += ["constraint_message::English (en)", "constraint_message::French (fr)", "calculation", "default", "appearance"]
    survey += ["privacy", "privacy::hierarchy", "privacy::export"]
    survey[survey.index("privacy")] = "privacy::class"
    settings = [
        ["form_title", "form_id", "version", "default_language", "style"],
        [title, form_id, version, "English (en)", ""],
    ]
    return WorkbookEditor(Sheets({"survey": [survey], "choices": [["list_name", "name", *labels]], "settings": settings}))


def slug(text: str) -> str:
    """Return a name for a form or question made of a text: who_was_there for "Who was there?"."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:48]
    if plain and plain[0].isalpha():
        # A name of an XML element cannot begin with a digit.
        return plain
    return f"q_{plain}".rstrip("_")


def _renamed(text: str, old: str, new: str) -> str:
    """Return a text in which references to one question, ${old}, name another, ${new}."""

    def rename(match: re.Match[str]) -> str:
        if match[1] == old:
            return f"${{{new}}}"
        return match[0]

    return REFERENCE.sub(rename, text)


def _read_cells(columns: list[Heading], row: list[str]) -> dict[str, str]:
    """Return the cells of a row by standard column; "" past its end."""
    cells = {}
    for heading in columns:
        cells[heading.standard] = ""
        if heading.at < len(row):
            cells[heading.standard] = row[heading.at]
    return cells


def _set_cell(row: list[str], index: int, text: str) -> None:
    while len(row) <= index:
        row.append("")
    row[index] = text
