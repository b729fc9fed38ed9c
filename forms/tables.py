"""Lists that come with a form as CSV files."""

import csv
import io

from forms.definition import CsvTable
from forms.problems import N_, FormProblem

MAX_ROWS = 50_000
MAX_COLUMNS = 40
MAX_BYTES = 10_000_000  # of one file


def read_table(name: str, data: bytes) -> tuple[CsvTable | None, list[FormProblem]]:
    """Return the table in a CSV file, or None with what is wrong with it.

    The file is UTF-8; its first row names the columns.
    """
    if len(data) > MAX_BYTES:
        return None, [FormProblem("form.file_large", N_("“{file}” is larger than 10 MB."), {"file": name}, sheet=name)]
    try:
        # Excel's "CSV UTF-8" begins with a byte order mark.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        sentence = N_("“{file}” is not in UTF-8. In Excel choose “CSV UTF-8” when saving.")
        return None, [FormProblem("form.file_encoding", sentence, {"file": name}, sheet=name)]
    try:
        # Excel writes semicolons where the comma is the decimal sign, as in French.
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:4096], ",;\t")
    except csv.Error:
        dialect = csv.excel
    problems: list[FormProblem] = []
    try:
        lines = [row for row in csv.reader(io.StringIO(text, newline=""), dialect) if any(row)]
    except csv.Error as error:
        details = {"file": name, "reason": str(error)}
        return None, [FormProblem("form.file", N_("“{file}” cannot be read: {reason}"), details, sheet=name)]
    columns = []
    if lines:
        columns = [column.strip() for column in lines[0]]
    if len(lines) < 2 or not all(columns) or len(set(columns)) != len(columns) or len(columns) > MAX_COLUMNS:
        sentence = N_("“{file}” needs a first row with a different name in every column, and rows under it.")
        problems.append(FormProblem("form.file_columns", sentence, {"file": name}, sheet=name, row=1))
    if len(lines) > MAX_ROWS + 1:
        sentence = N_("“{file}” has more than 50,000 rows.")
        problems.append(FormProblem("form.file_large", sentence, {"file": name}, sheet=name))
    for number, row in enumerate(lines[1:], 2):
        if len(row) > len(columns):
            sentence = N_("“{file}” has more cells in this row than there are columns.")
            problems.append(FormProblem("form.file_columns", sentence, {"file": name}, sheet=name, row=number))
            # One such row means that all are shifted; naming each helps nobody.
            break
    if problems:
        return None, problems
    width = len(columns)
    return CsvTable(tuple(columns), tuple((*row, *[""] * (width - len(row))) for row in lines[1:])), []
