"""CSV files that are written into an archive."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from evaluator_export.formulas import RISKY


class CsvMember:
    """A CSV file that is being written: UTF-8 as spreadsheets know it, and nothing in it that they would run."""

    def __init__(self, file: IO[bytes], header: Sequence[str]):
        self.text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
        self.writer = csv.writer(self.text)
        self.write(header)

    def write(self, row: Sequence[object]) -> None:
        self.writer.writerow([_escape_formula(cell) for cell in row])

    def flush(self) -> None:
        """Write what waits, and leave the file open for whoever opened it."""
        self.text.flush()
        self.text.detach()


def _escape_formula(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(RISKY) else text


class _SpoolFiles:
    """Files without a name that wait until the archive can take them; gone when this ends, whatever happens."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.files: dict[int, IO[bytes]] = {}

    def __enter__(self) -> "_SpoolFiles":
        return self

    def __exit__(self, *error: object) -> None:
        for file in self.files.values():
            file.close()

    def table(self, header: Sequence[str]) -> CsvMember:
        file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115  closed at the end
        table = CsvMember(file, header)
        self.files[id(table)] = file
        return table

    def copy(self, table: CsvMember, archive: zipfile.ZipFile, name: str) -> None:
        table.flush()
        file = self.files[id(table)]
        file.seek(0)
        with archive.open(name, "w", force_zip64=True) as member:
            while piece := file.read(1 << 20):
                member.write(piece)
