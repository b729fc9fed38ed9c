"""Parquet: the same columns as the CSV, for tools that read it at once."""

from pathlib import Path

from evaluator_export import tabular
from evaluator_export.parts import Part


def write(path: Path, part: Part) -> None:
    tabular.write(path, part.columns)
