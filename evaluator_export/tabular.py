"""Tables from and to files: CSV and Parquet, columns as numbered words; only the columns that are asked for are read."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from evaluator_export.arrays import Array
from evaluator_export.formulas import RISKY
from evaluator_export.problems import ExportProblem, Reason

BATCH = 100_000  # rows that are turned into text at a time


@dataclass(frozen=True)
class CategoricalColumn:
    """A column of words: a number a row, and the words; no answer is the empty word."""

    codes: Array
    values: tuple[str, ...]

    def to_arrow(self) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(self.codes), pa.array(self.values, pa.string()))


def read(path: Path, names: Sequence[str]) -> dict[str, CategoricalColumn]:
    """Return the named columns of a CSV or Parquet file; ExportProblem when it cannot be read or a column is missing."""
    try:
        if path.suffix == ".parquet":
            file = pyarrow.parquet.ParquetFile(path)
            _all_there(names, file.schema_arrow.names)
            # One thread and no buffering ahead: a fifth of the CPU seconds.
            options = {"use_threads": False, "pre_buffer": False, "read_dictionary": _texts(file, names)}
            table = pyarrow.parquet.read_table(path, columns=list(names), **options)
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as text:
                _all_there(names, next(csv.reader(text), []))
            kinds = {name: pa.dictionary(pa.int32(), pa.string()) for name in names}
            table = pyarrow.csv.read_csv(
                path,
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=list(names), column_types=kinds, strings_can_be_null=False
                ),
            )
        else:
            raise ExportProblem(Reason("file.kind", {"file": path.name}))
    except FileNotFoundError:
        raise ExportProblem(Reason("file.missing", {"file": str(path)})) from None
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise ExportProblem(Reason("file.unreadable", {"file": path.name, "why": str(error)})) from None
    return {name: to_categorical(table[name]) for name in names}


def _all_there(names: Sequence[str], present: Sequence[str]) -> None:
    missing = [name for name in names if name not in present]
    if missing:
        columns = ", ".join(present) or "–"
        raise ExportProblem(*(Reason("table.column", {"column": name, "columns": columns}) for name in missing))


def _texts(file: pyarrow.parquet.ParquetFile, names: Sequence[str]) -> list[str]:
    kinds = {name: file.schema_arrow.field(name).type for name in names}
    return [name for name, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_large_string(kind)]


def to_categorical(column: pa.ChunkedArray) -> CategoricalColumn:
    """Return a column of any type as numbered words."""
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.combine_chunks()
    coded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    values = ["" if value is None else str(value) for value in coded.dictionary.to_pylist()]
    codes = coded.indices
    if codes.null_count:
        codes = codes.fill_null(len(values))
        values.append("")
    numbers = codes.to_numpy(zero_copy_only=False)
    if len(set(values)) < len(values):  # two spellings of nothing, or of a number
        distinct = {value: number for number, value in enumerate(dict.fromkeys(values))}
        numbers = np.array([distinct[value] for value in values])[numbers]
        values = list(distinct)
    return CategoricalColumn(numbers.astype(np.min_scalar_type(max(len(values) - 1, 0)), copy=False), tuple(values))


def write(path: Path, columns: dict[str, CategoricalColumn]) -> None:
    """Write a table as CSV or Parquet, whole or not at all; the same table gives the same bytes."""
    risky = [name for name, words in columns.items() if _has_formula(words)]
    if risky:
        raise ExportProblem(*(Reason("table.formula", where=(name,)) for name in risky))
    table = pa.table({name: words.to_arrow() for name, words in columns.items()})
    text = pa.schema([(name, pa.string()) for name in columns])
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(table, partial, compression="zstd")
        else:
            with pyarrow.csv.CSVWriter(partial, text) as file:
                for first in range(0, table.num_rows, BATCH):
                    file.write(table.slice(first, BATCH).cast(text))
        partial.replace(path)
    except OSError as error:
        raise ExportProblem(Reason("file.unwritable", {"file": str(path), "why": error.strerror or ""})) from None
    finally:
        partial.unlink(missing_ok=True)


def reorder(words: CategoricalColumn, order: Array) -> CategoricalColumn:
    """Return the rows of an order with only the words that occur, sorted: a list of all would tell of rows left out."""
    codes = words.codes[order]
    used = np.bincount(codes, minlength=len(words.values)) > 0
    kept = sorted((value, number) for number, value in enumerate(words.values) if used[number])
    new = np.zeros(len(words.values), dtype=np.min_scalar_type(max(len(kept) - 1, 0)))
    for position, (_, number) in enumerate(kept):
        new[number] = position
    return CategoricalColumn(new[codes] if len(codes) else codes.astype(new.dtype), tuple(value for value, _ in kept))


def _has_formula(words: CategoricalColumn) -> bool:
    return any(value.startswith(RISKY) and not _is_number(value) for value in words.values)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def concat_columns(pieces: Sequence[CategoricalColumn]) -> CategoricalColumn:
    """Return columns one after the other as one."""
    numbers: dict[str, int] = {}
    codes = [np.zeros(0, dtype=np.int32)]
    for piece in pieces:
        place = np.array([numbers.setdefault(value, len(numbers)) for value in piece.values], dtype=np.int32)
        codes.append(place[piece.codes] if len(piece.codes) else codes[0])
    whole = CategoricalColumn(np.concatenate(codes), tuple(numbers))
    return reorder(whole, np.arange(len(whole.codes)))
