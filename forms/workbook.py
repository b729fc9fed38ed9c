"""The raw rows of an XLSForm, so that problems can name sheet, row and column."""

import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from forms.problems import N_, FormProblem, FormRefused

MAX_BYTES = 5_000_000  # of the file
MAX_UNPACKED = 60_000_000  # of what is in it: a small ZIP can hold very much

BEGIN = {"begin_group": "group", "begin group": "group", "begin_repeat": "repeat", "begin repeat": "repeat"}
END = {"end_group", "end group", "end_repeat", "end repeat"}


@dataclass(frozen=True)
class Row:
    """One row of the survey sheet; `number` counts from 1 as the spreadsheet shows it."""

    number: int
    cells: dict[str, str]
    path: str  # "" for a row that ends a group or has no name

    @property
    def type(self) -> str:
        return " ".join(self.cells.get("type", "").split())

    @property
    def name(self) -> str:
        return self.cells.get("name", "")


class Workbook:
    """A workbook as pyxform reads it (blank rows kept, so that row numbers are right)."""

    def __init__(self, data: Any):
        self._data = data

    def _rows(self, sheet: str) -> list[dict[str, str]]:
        rows = getattr(self._data, sheet, None) or []
        return [{str(key): str(value).strip() for key, value in row.items() if value is not None} for row in rows]

    def header(self, sheet: str) -> list[str]:
        header = getattr(self._data, f"{sheet}_header", None) or [{}]
        return [str(column) for column in header[0]]

    @cached_property
    def settings(self) -> dict[str, str]:
        rows = self._rows("settings")
        return rows[0] if rows else {}

    @cached_property
    def choices(self) -> list[tuple[int, dict[str, str]]]:
        return [(index + 2, row) for index, row in enumerate(self._rows("choices")) if row]

    @cached_property
    def survey(self) -> list[Row]:
        rows, trail = [], ["/data"]
        for index, cells in enumerate(self._rows("survey")):
            if not cells:
                continue
            kind = " ".join(cells.get("type", "").split()).lower()
            name = cells.get("name", "")
            path = f"{trail[-1]}/{name}" if name and kind not in END else ""
            rows.append(Row(index + 2, cells, path))
            if kind in BEGIN:
                trail.append(path or trail[-1])
            elif kind in END and len(trail) > 1:
                trail.pop()
        return rows

    @cached_property
    def by_path(self) -> dict[str, Row]:
        return {row.path: row for row in self.survey if row.path}

    @cached_property
    def languages(self) -> list[str]:
        """Return the languages of the labels as written in the header: English (en), French (fr)."""
        named = [
            column.split("::", 1)[1].strip() for column in self.header("survey") if column.lower().startswith("label::")
        ]
        return named or ["default"]


def language_code(name: str) -> str:
    """Return the code in a language's name: en for "English (en)"; English XLSForms without languages count as en."""
    if "(" in name:
        return name.rsplit("(", 1)[1].rstrip(") ").strip().lower()
    return "en" if name == "default" else name.lower()


def refuse_at_the_door(data: bytes, file_type: str) -> None:
    """Raise FormRefused for a file that is empty, too large, no workbook, or unpacks to too much."""
    problem = None
    if not data:
        problem = FormProblem("form.no_file", N_("The file is empty."), sheet="")
    elif len(data) > MAX_BYTES:
        problem = FormProblem(
            "form.too_large", N_("The file is larger than 5 MB. A form of words is far smaller."), sheet=""
        )
    elif file_type == ".xlsx":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, OSError):
            problem = FormProblem("form.not_xlsx", N_("This is not an Excel workbook (.xlsx), or it is damaged."), sheet="")
        else:
            if unpacked > MAX_UNPACKED:
                problem = FormProblem("form.too_large", N_("The workbook unpacks to far too much."), sheet="")
    if problem:
        raise FormRefused([problem])
