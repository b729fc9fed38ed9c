"""CSV files of an archive, written as their rows are read."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from evaluator_export.formulas import RISKY


class CsvMember:
    """A CSV file that is being written: UTF-8 as spreadsheets read it, and no formula in it."""

    def __init__(self, file: IO[bytes], header: Sequence[str]):
        self.text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
        self.writer = csv.writer(self.text)
        self.write(header)

    def write(self, row: Sequence[object]) -> None:
        self.writer.writerow([_escape_formula(cell) for cell in row])

    def flush(self) -> None:
        """Write what is buffered, and leave the file open for the caller."""
        self.text.flush()
        self.text.detach()


def _escape_formula(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(RISKY) else text


class SpoolFiles:
    """Files without a name whose rows wait for the archive; they are always deleted."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.files: dict[CsvMember, IO[bytes]] = {}

    def __enter__(self) -> "SpoolFiles":
        return self

    def __exit__(self, *error: object) -> None:
        for file in self.files.values():
            file.close()

    def open_table(self, header: Sequence[str]) -> CsvMember:
        """Begin a CSV file in the folder."""
        file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115  closed at the end
        table = CsvMember(file, header)
        self.files[table] = file
        return table

    def copy(self, table: CsvMember, archive: zipfile.ZipFile, name: str) -> None:
        """Copy a finished file into the archive."""
        table.flush()
        file = self.files[table]
        file.seek(0)
        with archive.open(name, "w", force_zip64=True) as member:
            while piece := file.read(1 << 20):
                member.write(piece)
