"""CSV: UTF-8, one header row, nothing that a spreadsheet could run."""

import csv
import io
from collections.abc import Iterable, Sequence

import pandas as pd

from evaluator_export.problems import ExportProblem
from evaluator_export.recipe import Dataset
from evaluator_export.small_cells import ProtectedTable

TABLE_COLUMNS = ("table", "row", "column", "count")


def write(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return CSV bytes; raise ExportProblem for a cell that a spreadsheet would run as a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        if any(cell[:1] in "=+-@\t\r" and cell for cell in row):
            raise ExportProblem(["A value begins with a sign that spreadsheets run as a formula."])
        writer.writerow(row)
    return text.getvalue().encode()


def dataset(spec: Dataset, rows: pd.DataFrame) -> bytes:
    """Write the columns of the recipe and no others."""
    names = [column.name for column in spec.columns]
    return write(names, rows[names].itertuples(index=False, name=None))


def tables(found: Sequence[ProtectedTable]) -> bytes:
    rows = []
    for table in found:
        for cell, count in table.cells:
            rows.append((table.spec.name, cell[0], cell[1] if len(cell) > 1 else "", count))
        rows.append((table.spec.name, "total", "", table.total))
    return write(TABLE_COLUMNS, rows)
