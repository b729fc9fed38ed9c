"""Tables from and to CSV and Parquet files.

Each column is a number per row and the text that each number stands for. Only the columns that
are asked for are read.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from evaluator_export.arrays import Array
from evaluator_export.formulas import RISKY
from evaluator_export.problems import ExportProblem, Reason

ROWS_AT_ONCE = 100_000  # that are turned into text: a million at once would not fit


@dataclass(frozen=True)
class CategoricalColumn:
    """A column as one value number per row (`codes`), and the text of each value (`values`).

    No answer is the empty text. Example: codes [0, 1, 0] and values ("a", "b") are a, b, a.
    """

    codes: Array
    values: tuple[str, ...]

    def to_arrow(self) -> pa.DictionaryArray:
        """Return the column as Arrow has it, a dictionary of text."""
        values = pa.array(self.values, pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(self.codes), values)


def read(path: Path, names: Sequence[str]) -> dict[str, CategoricalColumn]:
    """Return columns of a .csv or .parquet file, by name.

    Raises ExportProblem when the file cannot be read or has no such column.
    """
    try:
        table = _read_arrow_table(path, names)
    except FileNotFoundError:
        raise ExportProblem(Reason("file.missing", {"file": str(path)})) from None
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        details = {"file": path.name, "why": str(error)}
        raise ExportProblem(Reason("file.unreadable", details)) from None
    return {name: to_categorical(table[name]) for name in names}


def _read_arrow_table(path: Path, names: Sequence[str]) -> pa.Table:
    if path.suffix == ".parquet":
        file = pyarrow.parquet.ParquetFile(path)
        _require_columns(names, file.schema_arrow.names)
        return pyarrow.parquet.read_table(
            path,
            columns=list(names),
            # One thread and no buffering ahead: a fifth of the CPU seconds.
            use_threads=False,
            pre_buffer=False,
            read_dictionary=_list_text_columns(file, names),
        )
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as text:
            _require_columns(names, next(csv.reader(text), []))
        # As text: 007 is no number, and an empty cell is an answer that is missing.
        options = pyarrow.csv.ConvertOptions(
            include_columns=list(names),
            column_types={name: pa.dictionary(pa.int32(), pa.string()) for name in names},
            strings_can_be_null=False,
        )
        return pyarrow.csv.read_csv(path, convert_options=options)
    raise ExportProblem(Reason("file.kind", {"file": path.name}))


def _require_columns(names: Sequence[str], present: Sequence[str]) -> None:
    columns = ", ".join(present) or "–"
    reasons = []
    for name in names:
        if name not in present:
            reasons.append(Reason("table.column", {"column": name, "columns": columns}))
    if reasons:
        raise ExportProblem(*reasons)


def _list_text_columns(file: pyarrow.parquet.ParquetFile, names: Sequence[str]) -> list[str]:
    """Return the columns that Arrow can read as a dictionary; it cannot do so with numbers."""
    columns = []
    for name in names:
        kind = file.schema_arrow.field(name).type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            columns.append(name)
    return columns


def to_categorical(column: pa.ChunkedArray) -> CategoricalColumn:
    """Return an Arrow column of any type as text with numbers."""
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    # combine_chunks leaves pieces where the text of all would pass Arrow's 2 GB.
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.combine_chunks()
    encoded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    values = ["" if value is None else str(value) for value in encoded.dictionary.to_pylist()]
    indices = encoded.indices
    if indices.null_count:
        indices = indices.fill_null(len(values))
        # Parquet has nulls, CSV has empty cells: one kind of “no answer” for both.
        values.append("")
    codes = indices.to_numpy(zero_copy_only=False)
    if len(set(values)) < len(values):
        # Two spellings of nothing, or of a number, are one value.
        numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
        codes = np.array([numbers[value] for value in values])[codes]
        values = list(numbers)
    return CategoricalColumn(codes.astype(_type_for(len(values)), copy=False), tuple(values))


def _type_for(values: int) -> np.dtype[np.unsignedinteger]:
    """Return the smallest type whose numbers can tell so many values apart."""
    return np.min_scalar_type(max(values - 1, 0))


def write(path: Path, columns: Mapping[str, CategoricalColumn]) -> None:
    """Write a table as .csv or .parquet, whole or not at all.

    The same table gives the same bytes. Raises ExportProblem when a spreadsheet would run a
    value as a formula, or the file cannot be written.
    """
    risky = [name for name, column in columns.items() if _has_formula(column)]
    # Before anything is written: there must be no file that a spreadsheet would run.
    if risky:
        raise ExportProblem(*(Reason("table.formula", where=(name,)) for name in risky))
    table = pa.table({name: column.to_arrow() for name, column in columns.items()})
    # Under another name first: nobody may take half a table for a whole one.
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(table, partial, compression="zstd")
        else:
            _write_csv(partial, table)
        partial.replace(path)
    except OSError as error:
        details = {"file": str(path), "why": error.strerror or ""}
        raise ExportProblem(Reason("file.unwritable", details)) from None
    finally:
        partial.unlink(missing_ok=True)


def _write_csv(path: Path, table: pa.Table) -> None:
    schema = pa.schema([(name, pa.string()) for name in table.column_names])
    # Piece by piece: turned into text at once, a million rows would not fit into memory.
    with pyarrow.csv.CSVWriter(path, schema) as file:
        for first in range(0, table.num_rows, ROWS_AT_ONCE):
            file.write(table.slice(first, ROWS_AT_ONCE).cast(schema))


def _has_formula(column: CategoricalColumn) -> bool:
    # A negative number begins as a formula does, and is none.
    return any(value.startswith(RISKY) and not _is_number(value) for value in column.values)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def reorder(column: CategoricalColumn, order: Array) -> CategoricalColumn:
    """Return the rows at the positions `order`, with only the values that they have, sorted.

    A list of all values would tell what the rows that are left out had.
    """
    codes = column.codes[order]
    occurs = np.bincount(codes, minlength=len(column.values)) > 0
    # By value and not by first row: the numbers that values have must not tell which came first.
    used = sorted((column.values[number], number) for number in np.flatnonzero(occurs).tolist())
    new_numbers = np.zeros(len(column.values), dtype=_type_for(len(used)))
    for new_number, (_, number) in enumerate(used):
        new_numbers[number] = new_number
    values = tuple(value for value, _ in used)
    if not len(codes):  # NumPy cannot look up in an array without values
        return CategoricalColumn(codes.astype(new_numbers.dtype), values)
    return CategoricalColumn(new_numbers[codes], values)


def concat_columns(pieces: Sequence[CategoricalColumn]) -> CategoricalColumn:
    """Return columns one after the other as one, its values sorted."""
    numbers: dict[str, int] = {}
    codes = [np.zeros(0, dtype=np.int32)]
    for piece in pieces:
        # Pieces come from batches, each with its own numbers for the same texts.
        piece_numbers = [numbers.setdefault(value, len(numbers)) for value in piece.values]
        if len(piece.codes):
            codes.append(np.array(piece_numbers, dtype=np.int32)[piece.codes])
    whole = CategoricalColumn(np.concatenate(codes), tuple(numbers))
    return reorder(whole, np.arange(len(whole.codes)))
