"""Check that the other formats in a package say the same as its CSV files.

Here, where their libraries are.
"""

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pyreadstat

from evaluator_export.formats.spss import MOST_LABEL, ROWS_A_FILE
from evaluator_export.formats.xlsx import MOST_ROWS
from evaluator_export.problems import Reason

# Reading more with openpyxl takes minutes.
MOST_CHECKED = 20_000  # rows of a workbook that are read cell by cell
SLICE = 50_000
Codebook = dict[tuple[str, str], str]


def find_differing_files(path: Path) -> list[Reason]:
    """Return which files of a package differ from their CSV file.

    The package must have passed `verify`.
    """
    problems: list[Reason] = []
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as name:
        # Safe to extract: `verify` has refused every name that does not belong in a package, paths
        # upwards among them.
        archive.extractall(name)
        folder = Path(name)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        for dataset, about in manifest["datasets"].items():
            problems += _parquet(folder, dataset) + _spss(folder, dataset, about["rows"])
        problems += _workbook(folder, manifest["datasets"])
    return problems


def _as_text(path: Path) -> pa.Table:
    # Every column as text: left to guess, the reader would take codes such as 007 for numbers.
    with path.open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file))
    options = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())), strings_can_be_null=False
    )
    return pyarrow.csv.read_csv(path, convert_options=options)


def _parquet(folder: Path, dataset: str) -> list[Reason]:
    try:
        table = pyarrow.parquet.read_table(folder / f"{dataset}.parquet")
    except (OSError, pa.ArrowException):
        return [Reason("file.damaged", {"file": f"{dataset}.parquet"})]
    if not _has_same_rows(table, _as_text(folder / f"{dataset}.csv")):
        return [_other_rows(f"{dataset}.parquet", dataset)]
    return []


def _has_same_rows(table: pa.Table, expected: pa.Table) -> bool:
    """Say whether a table has the rows of another, in its order; `expected` is all text."""
    if table.column_names != expected.column_names or table.num_rows != expected.num_rows:
        return False
    for first in range(0, expected.num_rows, SLICE):
        # In slices: a million rows as lists of texts would fill the memory.
        part = table.slice(first, SLICE)
        expected_part = expected.slice(first, SLICE)
        for name in expected.column_names:
            if part[name].cast(pa.string()).to_pylist() != expected_part[name].to_pylist():
                return False
    return True


def _spss(folder: Path, dataset: str, rows: int) -> list[Reason]:
    expected = _as_text(folder / f"{dataset}.csv")
    codebook = _english(folder, dataset)
    # By number and not by name: as text, part 10 would come before part 2.
    paths = sorted(folder.glob(f"{dataset}-*.sav"), key=lambda path: int(path.stem.rsplit("-", 1)[1]))
    paths = paths or [folder / f"{dataset}.sav"]
    first = 0
    for path in paths:
        try:
            frame, meta = pyreadstat.read_sav(str(path))
        except (pyreadstat.ReadstatError, OSError):
            return [Reason("file.damaged", {"file": path.name})]
        part = expected.slice(first, ROWS_A_FILE)
        first += len(frame)
        if list(frame.columns) != expected.column_names or len(frame) != part.num_rows:
            return [_other_rows(path.name, dataset)]
        for name in frame:
            labels = meta.variable_value_labels.get(name)
            if not _is_same_column(frame[name], part[name], labels, name, codebook):
                return [_other_rows(path.name, dataset)]
    if first == rows:
        return []
    return [Reason("package.row_count", {"file": f"{dataset}.sav", "csv": f"{dataset}.csv"})]


def _other_rows(file: str, dataset: str) -> Reason:
    return Reason("package.rows", {"file": file, "csv": f"{dataset}.csv"})


def _is_same_column(
    codes: Any, expected: pa.ChunkedArray, labels: dict[float, str] | None, name: str, codebook: Codebook
) -> bool:
    """Say whether a column of numbers means the values expected.

    `labels` are None where it has no words.
    """
    # A column of numbers has no words: its codes are the values themselves.
    if labels is None:
        return bool([str(int(code)) for code in codes] == expected.to_pylist())
    words = {value: _make_label(codebook, name, value) for value in expected.unique().to_pylist()}
    pairs = zip(codes, expected.to_pylist(), strict=True)
    return all(labels.get(code) == words[value] for code, value in pairs)


def _english(folder: Path, dataset: str) -> Codebook:
    with (folder / "codebook.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file"] == f"{dataset}.csv" and row["value"]]
    return {(row["column"], row["value"]): row["english"] for row in rows}


def _make_label(codebook: Codebook, name: str, value: str) -> str:
    """Return the label that SPSS files have for a value.

    Its words, or those of each choice in it.
    """
    words = "; ".join(codebook.get((name, choice), choice) for choice in value.split(";"))
    return words[:MOST_LABEL] or "No answer"


def _workbook(folder: Path, datasets: dict[str, Any]) -> list[Reason]:
    try:
        book = openpyxl.load_workbook(io.BytesIO((folder / "data.xlsx").read_bytes()), read_only=True)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return [Reason("file.damaged", {"file": "data.xlsx"})]
    # Excel allows 31 characters in the name of a sheet.
    expected = [name[:31] for name, about in datasets.items() if about["rows"] <= MOST_ROWS]
    # A sheet too many is as wrong as one too few: it could hold anything.
    if sorted(book.sheetnames) != sorted([*expected, "tables", "codebook"]):
        return [Reason("package.sheets")]
    problems = []
    for name in [name for name, about in datasets.items() if about["rows"] <= MOST_CHECKED] + ["tables", "codebook"]:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            if any(left != right for left, right in zip(_cells(book[name[:31]]), csv.reader(file), strict=True)):
                problems.append(Reason("package.sheet", {"sheet": name, "csv": f"{name}.csv"}))
    return problems


def _cells(sheet: Any) -> Iterator[list[str]]:
    width = 0
    for row in sheet.iter_rows(values_only=True):
        width = width or len(row)
        cells = ["" if cell is None else str(cell) for cell in row]
        yield cells + [""] * (width - len(cells))
