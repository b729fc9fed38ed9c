"""A workbook as plain sheets of text, read from .xlsx, .xls or Markdown and written as .xlsx without losing a cell."""

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import openpyxl
import xlrd
import xlsxwriter
from pyxform.xls2json_backends import _md_table_to_ss_structure, xls_value_to_unicode, xlsx_value_to_str
from xlsxwriter.utility import xl_col_to_name

from forms.problems import N_, FormProblem, FormRefused
from forms.workbook import refuse_unreadable_file

MAX_CELLS = 2_000_000  # that say something
MAX_CELL = 32_767  # characters in one cell of an .xlsx file
WRITTEN_AT = dt.datetime(2026, 1, 1)  # the same sheets give the same bytes
ORDER = ("survey", "choices", "settings", "tests")
KNOWN = (*ORDER, "entities", "external_choices", "osm")


@dataclass
class Sheets:
    """The sheets of a workbook by name; each a list of rows of text, the first its columns."""

    sheets: dict[str, list[list[str]]] = field(default_factory=dict)

    def sheet(self, name: str) -> list[list[str]]:
        """Return a sheet, made with an empty first row where there is none."""
        rows = self.sheets.setdefault(name, [[]])
        if not rows:
            rows.append([])
        return rows

    def to_xlsx(self) -> bytes:
        """Return the workbook as an .xlsx file."""
        buffer = io.BytesIO()
        book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True})
        book.set_properties({"created": WRITTEN_AT})
        heading = book.add_format({"bold": True})
        names = [name for name in ORDER if name in self.sheets] + [name for name in self.sheets if name not in ORDER]
        for name in names:
            sheet = book.add_worksheet(name[:31])
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(self.sheets[name]):
                for column, text in enumerate(row):
                    if text:
                        failed = sheet.write_string(number, column, text, heading if number == 0 else None)
                        assert not failed, "a cell that no .xlsx file can hold"
        book.close()
        return buffer.getvalue()


def read_sheets(data: bytes, file_type: str) -> Sheets:
    """Return the sheets of a workbook; raise FormRefused when it cannot be read."""
    refuse_unreadable_file(data, file_type)
    try:
        found = {".md": _markdown, ".xls": _xls}.get(file_type, _xlsx)(data)
    except FormRefused:
        raise
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OSError,
        IndexError,
        xlrd.XLRDError,
        zipfile.BadZipFile,
    ) as error:
        text = N_("The workbook cannot be read: {reason}")
        raise FormRefused([FormProblem("form.unreadable", text, {"reason": str(error)[:200]}, sheet="")]) from error
    sheets = _standard_names(found)
    if "survey" not in sheets:
        text = N_("The workbook has no sheet called “survey”.")
        raise FormRefused([FormProblem("form.no_survey", text, sheet="")])
    return Sheets(sheets)


def _standard_names(found: dict[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    """Return the sheets with the names of an XLSForm in small letters and without blanks around them."""
    sheets: dict[str, list[list[str]]] = {}
    for name, rows in found.items():
        plain = name.strip().lower()
        is_free = name == plain or plain not in (*found, *sheets)
        sheets[plain if plain in KNOWN and is_free else name] = rows
    return sheets


def too_long(sheets: dict[str, list[list[str]]]) -> list[FormProblem]:
    """Name the cells that no .xlsx file can hold."""
    problems: list[FormProblem] = []
    for name, rows in sheets.items():
        for number, row in enumerate(rows, 1):
            problems += _find_long_cells(name, number, row)
    return problems


def _find_long_cells(sheet: str, number: int, row: list[str]) -> Iterator[FormProblem]:
    text = N_("This cell holds more than 32,767 characters, which is more than Excel keeps. Shorten it.")
    for position, cell in enumerate(row):
        if len(cell) > MAX_CELL:
            yield FormProblem("form.too_long", text, sheet=sheet, row=number, column=xl_col_to_name(position))


def _xlsx(data: bytes) -> dict[str, list[list[str]]]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    count = 0
    found: dict[str, list[list[str]]] = {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # each row is as long as its last cell, whatever the file says of the sheet's size
        rows: list[list[str]] = []
        for row in sheet.iter_rows(values_only=True):
            texts = _read_row(row)
            count += len(texts)
            if count > MAX_CELLS:
                raise FormRefused([FormProblem("form.too_large", N_("The workbook unpacks to far too much."), sheet="")])
            rows.append(texts)
        found[sheet.title] = _without_blank_end(rows)
    return found


def _text(cell: object) -> str:
    return str(xlsx_value_to_str(cell)).strip().replace("\r\n", "\n").replace("\r", "\n")


def _xls(data: bytes) -> dict[str, list[list[str]]]:
    book = xlrd.open_workbook(file_contents=data)
    sheets = {}
    for sheet in book.sheets():
        rows = [_read_xls_row(sheet.row(number)) for number in range(sheet.nrows)]
        sheets[sheet.name] = _without_blank_end(rows)
    return sheets


def _read_xls_row(cells: Iterable[Any]) -> list[str]:
    texts = []
    for cell in cells:
        is_blank = cell.ctype == xlrd.XL_CELL_EMPTY
        texts.append("" if is_blank else xls_value_to_unicode(cell.value, cell.ctype, 0).strip())
    return _trimmed(texts)


def _markdown(data: bytes) -> dict[str, list[list[str]]]:
    sheets = {}
    for name, rows in _md_table_to_ss_structure(data.decode()).items():
        if name:
            sheets[name] = _without_blank_end([_read_row(row) for row in rows or []])
    return sheets


def _read_row(cells: Iterable[object]) -> list[str]:
    return _trimmed(["" if cell is None else _text(cell) for cell in cells])


def _trimmed(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row.pop()
    return row


def _without_blank_end(rows: list[list[str]]) -> list[list[str]]:
    while rows and not rows[-1]:
        rows.pop()
    return rows or [[]]
