"""One workbook: a sheet a dataset, the tables, the codebook.

Text is text, numbers are numbers, nothing is a formula.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from evaluator_export.formats import codebook, csv_files
from evaluator_export.labels import BATCH, Labels
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedDataset
from evaluator_export.tables.protected_counts import ProtectedTable
from evaluator_export.tabular import CategoricalColumn

MOST_ROWS = 200_000  # of one dataset; beyond, a workbook takes minutes to open
SAFE = {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}


def write(
    path: Path, parts: Sequence[ReleasedDataset], tables: Sequence[ProtectedTable], labels: Labels, occasion: ReleaseContext
) -> None:
    """Write the workbook; the same input gives the same bytes.

    Datasets over MOST_ROWS rows are left to CSV and Parquet.
    """
    with xlsxwriter.Workbook(str(path), SAFE) as book:
        book.set_properties({"created": dt.datetime.fromisoformat(occasion.cut_off).replace(tzinfo=None)})
        bold = book.add_format({"bold": True})
        for part in parts:
            # Left out and not cut off: half a dataset that looks whole is worse than none.
            if part.rows <= MOST_ROWS:
                columns = [_list_values(column) for column in part.columns.values()]
                # Excel allows 31 characters in a sheet's name.
                _sheet(book, part.name[:31], list(part.columns), zip(*columns, strict=True), bold, {BATCH})
        _sheet(book, "tables", csv_files.TABLE_COLUMNS, csv_files.table_rows(tables), bold, {"count"})
        _sheet(book, "codebook", codebook.HEADER, codebook.lines(parts, tables, labels), bold, set())


def _list_values(column: CategoricalColumn) -> list[Any]:
    return [column.values[code] for code in column.codes]


def _sheet(
    book: xlsxwriter.Workbook,
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    bold: object,
    numbers: set[str],
) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(header) - 1, 18)
    for column, title in enumerate(header):
        sheet.write_string(0, column, title, bold)
    are_numbers = [title in numbers for title in header]
    for line, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if are_numbers[column] and cell.isdecimal():
                sheet.write_number(line, column, int(cell))
            # Blank cells are not written at all: an empty text is something else to a spreadsheet's
            # functions than an empty cell.
            elif cell:
                sheet.write_string(line, column, cell)
