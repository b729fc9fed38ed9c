"""A workbook as sheets of text, read from .xlsx, .xls or Markdown.

Written as .xlsx, it loses no cell.
"""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from forms.problems import N_, FormProblem, FormRefused
from forms.workbook import name_column, refuse_unreadable_file

# What reads and writes workbooks is imported where it is used: it is a third of what starting a server would load, and
# servers read workbooks in a process of their own.

MAX_CELLS = 2_000_000  # that say something
MAX_CELL = 32_767  # characters in one cell of an .xlsx file
WRITTEN_AT = dt.datetime(2026, 1, 1)  # the same sheets give the same bytes
ORDER = ("survey", "choices", "settings", "tests")
MAX_PROBLEMS = 100  # of one kind, named one by one
HAS_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
CALCULATED_LATER = re.compile(rb"fullCalcOnLoad=[\"'](?:1|true)")
FORMULA = N_(
    "This cell has a formula whose result is not in the file. Open the workbook in Excel or LibreOffice, "
    "save it there and import it again; or write the text itself in the cell."
)
CELL_ERROR = N_("This cell has the error {error}. Correct its formula, or write the text itself in the cell.")
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
        import xlsxwriter  # noqa: PLC0415  heavy

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
                    # Blank cells are not written: a cell of an empty text counts as content when
                    # the workbook is read again.
                    if text:
                        failed = sheet.write_string(number, column, text, heading if number == 0 else None)
                        # Refused on arrival (too_long): cutting it off here would lose words in
                        # silence.
                        assert not failed, "a cell that no .xlsx file can hold"
        book.close()
        return buffer.getvalue()


def read_sheets(data: bytes, file_type: str) -> Sheets:
    """Return the sheets of a workbook; raise FormRefused when it cannot be read."""
    refuse_unreadable_file(data, file_type)
    try:
        written = {".md": _read_markdown, ".xls": _read_xls}.get(file_type, _read_xlsx)(data)
    # Its own problems, which must not be wrapped into "cannot be read".
    except FormRefused:
        raise
    # What the readers raise on damaged files. Anything else is a fault of ours and must be seen.
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OSError,
        IndexError,
        zipfile.BadZipFile,
    ) as error:
        text = N_("The workbook cannot be read: {reason}")
        raise FormRefused([FormProblem("form.unreadable", text, {"reason": str(error)[:200]}, sheet="")]) from error
    sheets = _use_standard_names(written)
    if "survey" not in sheets:
        text = N_("The workbook has no sheet called “survey”.")
        raise FormRefused([FormProblem("form.no_survey", text, sheet="")])
    return Sheets(sheets)


def _use_standard_names(written: dict[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    """Return the sheets; those of an XLSForm by their names in small letters."""
    sheets: dict[str, list[list[str]]] = {}
    for name, rows in written.items():
        plain = name.strip().lower()
        # Two sheets "Survey" and "survey": the one that is spelled right is the one that is read.
        is_free = name == plain or plain not in (*written, *sheets)
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
    text = N_("This cell has more than 32,767 characters, which is more than Excel stores. Shorten the text.")
    for position, cell in enumerate(row):
        if len(cell) > MAX_CELL:
            yield FormProblem("form.too_long", text, sheet=sheet, row=number, column=name_column(position))


def _read_xlsx(data: bytes) -> dict[str, list[list[str]]]:
    import openpyxl  # noqa: PLC0415  heavy

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    formulas = _find_formulas(data)
    count = 0
    sheets: dict[str, list[list[str]]] = {}
    problems: list[FormProblem] = []
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # each row is as long as its last cell, whatever the file says of the sheet's size
        # Notes and scratch sheets of an author may hold broken formulas; nobody reads them.
        is_read = sheet.title.strip().lower() in KNOWN
        rows: list[list[str]] = []
        for number, row in enumerate(sheet.iter_rows(), 1):
            texts = _trim_row(["" if cell.value is None else _text(cell.value) for cell in row])
            count += len(texts)
            # Counted while reading: compressed, a sheet of a billion cells is a small file.
            if count > MAX_CELLS:
                raise FormRefused([FormProblem("form.too_large", N_("The workbook unpacks to far too much."), sheet="")])
            rows.append(texts)
            if is_read and len(problems) < MAX_PROBLEMS:
                problems += _find_unreadable_cells(sheet.title, number, row, formulas)
        sheets[sheet.title] = _trim_rows(rows)
    if problems:
        raise FormRefused(problems)
    return sheets


@dataclass(frozen=True)
class Formulas:
    """Where a workbook has formulas: (sheet, row, column from 0).

    `are_stale`: its results are not worth reading.
    """

    places: frozenset[tuple[str, int, int]] = frozenset()
    are_stale: bool = False


def _find_formulas(data: bytes) -> Formulas:
    """Return the formulas of a workbook.

    It is read a second time for them, so only where there are any.
    """
    import openpyxl  # noqa: PLC0415  heavy

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        # Opening a workbook a second time doubles the time; most have no formula at all.
        if not any(HAS_FORMULA.search(archive.read(name)) for name in names):
            return Formulas()
        # Programs that only write a workbook put blanks or zeros for results and leave this word for Excel.
        parts = [archive.read(name) for name in archive.namelist() if name == "xl/workbook.xml"]
        are_stale = any(CALCULATED_LATER.search(part) for part in parts)
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    places: set[tuple[str, int, int]] = set()
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(), 1):
            places.update((sheet.title, number, at) for at, cell in enumerate(row) if cell.data_type == "f")
    return Formulas(frozenset(places), are_stale)


def _find_unreadable_cells(sheet: str, number: int, row: Sequence[Any], formulas: Formulas) -> Iterator[FormProblem]:
    """Yield what is wrong with cells whose text is not in the file, or is an error.

    Read as blank, a rule would vanish.
    """
    for at, cell in enumerate(row):
        if cell.data_type == "e":
            details = {"error": str(cell.value)}
            yield FormProblem("form.cell_error", CELL_ERROR, details, sheet, number, name_column(at))
        elif (sheet, number, at) in formulas.places and (formulas.are_stale or _has_no_result(cell)):
            yield FormProblem("form.formula", FORMULA, sheet=sheet, row=number, column=name_column(at))


def _has_no_result(cell: Any) -> bool:
    """Say whether the file holds no result of a formula.

    One that is an empty text is marked as a text.
    """
    return cell.value is None and cell.data_type != "str"


def _text(cell: object) -> str:
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()  # a day, which Excel keeps as its midnight
    from pyxform.xls2json_backends import xlsx_value_to_str  # noqa: PLC0415  heavy

    return str(xlsx_value_to_str(cell)).strip().replace("\r\n", "\n").replace("\r", "\n")


def _read_xls(data: bytes) -> dict[str, list[list[str]]]:
    import xlrd  # noqa: PLC0415  heavy

    try:
        book = xlrd.open_workbook(file_contents=data)
    except xlrd.XLRDError as error:
        raise ValueError(str(error)) from error
    sheets: dict[str, list[list[str]]] = {}
    problems: list[FormProblem] = []
    for sheet in book.sheets():
        rows = []
        for number in range(sheet.nrows):
            cells = sheet.row(number)
            rows.append(_trim_row([_xls_text(cell, book.datemode) for cell in cells]))
            for at, cell in enumerate(cells):
                if cell.ctype == xlrd.XL_CELL_ERROR and sheet.name.strip().lower() in KNOWN:
                    details = {"error": xlrd.error_text_from_code.get(cell.value, "#?")}
                    place = sheet.name, number + 1, name_column(at)
                    problems.append(FormProblem("form.cell_error", CELL_ERROR, details, *place))
        sheets[sheet.name] = _trim_rows(rows)
    if problems:
        raise FormRefused(problems[:MAX_PROBLEMS])
    return sheets


def _xls_text(cell: Any, datemode: int) -> str:
    import xlrd  # noqa: PLC0415  heavy
    from pyxform.xls2json_backends import xls_value_to_unicode  # noqa: PLC0415  heavy

    if cell.ctype == xlrd.XL_CELL_EMPTY:
        return ""
    text: str = xls_value_to_unicode(cell.value, cell.ctype, datemode).strip()
    if cell.ctype == xlrd.XL_CELL_DATE:
        # Excel stores a day as its midnight; the time would make it another type of answer.
        return text.removesuffix(" 00:00:00")
    return text


def _read_markdown(data: bytes) -> dict[str, list[list[str]]]:
    from pyxform.xls2json_backends import _md_table_to_ss_structure  # noqa: PLC0415  heavy

    sheets = {}
    for name, rows in _md_table_to_ss_structure(data.decode()).items():
        if name:
            sheets[name] = _trim_rows([_read_row(row) for row in rows or []])
    return sheets


def _read_row(cells: Iterable[object]) -> list[str]:
    return _trim_row(["" if cell is None else _text(cell) for cell in cells])


def _trim_row(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row.pop()
    return row


def _trim_rows(rows: list[list[str]]) -> list[list[str]]:
    while rows and not rows[-1]:
        rows.pop()
    return rows or [[]]
