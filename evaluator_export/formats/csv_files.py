"""CSV of tables and codebook.

UTF-8, one header row, nothing that a spreadsheet could run. Datasets: `tabular.py`.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from evaluator_export.formulas import RISKY
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.tables.protected_counts import ProtectedTable

TABLE_COLUMNS = ("table", "period", "row", "column", "layer", "count", "revision")


def rows(header: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file, UTF-8.

    Raises ExportProblem for a cell that a spreadsheet would run as a formula.
    """
    text = io.StringIO()
    # As RFC 4180 has it.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    for row in lines:
        # Refused and not escaped: an added quote would change what other programs read.
        if any(cell.startswith(RISKY) for cell in row):
            raise ExportProblem(Reason("table.formula"))
        writer.writerow(row)
    return text.getvalue().encode()


def tables(published: Sequence[ProtectedTable]) -> bytes:
    """Return tables.csv: every table, one row per cell and one for its total."""
    return rows(TABLE_COLUMNS, table_rows(published))


def table_rows(published: Sequence[ProtectedTable]) -> list[tuple[str, ...]]:
    """Return the rows of tables.csv by TABLE_COLUMNS.

    A table of fewer columns leaves some blank.
    """
    lines: list[tuple[str, ...]] = []
    for table in published:
        revision = "no"
        if table.is_revision:
            revision = "yes"
        for cell, count in table.cells:
            lines.append((table.spec.name, table.period, *[*cell, "", ""][:3], count, revision))
        lines.append((table.spec.name, table.period, "total", "", "", table.total, revision))
    return lines
