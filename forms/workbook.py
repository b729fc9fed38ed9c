"""The raw rows of an XLSForm under the standard names of their columns, so that problems can name sheet, row and column."""

import io
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from forms import support
from forms.problems import N_, FormProblem, FormRefused

MAX_BYTES = 5_000_000  # of the file
MAX_UNPACKED = 60_000_000  # of what is in it: a small ZIP can hold very much

BEGIN = {"group": "group", "lgroup": "repeat", "repeat": "repeat", "loop": "loop", "looped group": "repeat"}
NAME = re.compile(r"[^\W\d][\w\-.]*")
REFERENCE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")
MARK = re.compile(r"(begin|end)[ _](group|lgroup|repeat|loop|looped group)\b.*", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One row of the survey sheet; `number` counts from 1 as the spreadsheet shows it."""

    number: int
    cells: dict[str, str]  # standard column → text; the language stays: "label::French (fr)"
    path: str  # "" for a row that ends a group or has no name
    written: dict[str, str]  # standard column → the column as the author wrote it

    @property
    def type(self) -> str:
        return " ".join(self.cells.get("type", "").split())

    @property
    def standard_type(self) -> str:
        return support.standard_type(self.type)

    @property
    def name(self) -> str:
        return self.cells.get("name", "")

    @property
    def begins(self) -> str:
        """Return "group", "repeat" or "loop" when the row begins one."""
        match = MARK.fullmatch(self.type)
        return BEGIN[match[2].lower()] if match and match[1].lower() == "begin" else ""

    @property
    def ends(self) -> str:
        match = MARK.fullmatch(self.type)
        return BEGIN[match[2].lower()] if match and match[1].lower() == "end" else ""

    @property
    def kind(self) -> str:
        """Return our type of the question; "" for a group, a list or a type that is refused."""
        return support.TYPES.get(self.standard_type, ("", ""))[0]

    def column(self, name: str) -> str:
        return self.written.get(name, name)


def row_problem(code: str, text: str, row: Row, column: str, **details: str) -> FormProblem:
    """Return a problem of a row, at a column as its author wrote it."""
    return FormProblem(code, text, details, row=row.number, column=row.column(column))


def row_advice(code: str, text: str, row: Row, column: str, **details: str) -> FormProblem:
    """Return the same as advice, which stops nothing."""
    return FormProblem(code, text, details, row=row.number, column=row.column(column), severity="warning")


def standard_column(header: str) -> str:
    """Return the standard name of a column, with its language if it has one: label::French for "Label : French"."""
    parts = [part.strip() for part in header.split("::")]
    first = header.split(":", 1)[0].strip().lower()
    if len(parts) == 1 and first in (*support.TRANSLATED, "bind", "body", "control", "instance"):
        parts = [part.strip() for part in header.split(":", -1 if first == "media" else 1)]  # the way of old XLSForms
    whole = "::".join(parts).lower().replace(" ", "_")
    if whole in support.COLUMN_ALIASES:
        return support.COLUMN_ALIASES[whole]
    if whole in support.COLUMNS:
        return whole
    base = parts[0].lower().replace(" ", "_")
    if base in ("media", "privacy") and len(parts) > 1:
        base, parts = f"{base}::{parts[1].lower()}", parts[1:]
    base = support.COLUMN_ALIASES.get(base, base)
    return "::".join([base, *parts[1:]])


class Workbook:
    """A workbook as pyxform reads it (blank rows kept, so that row numbers are right)."""

    def __init__(self, data: Any):
        self._data = data

    def rows(self, sheet: str) -> list[dict[str, str]]:
        rows = getattr(self._data, sheet, None) or []
        return [{str(key): str(value).strip() for key, value in row.items() if value is not None} for row in rows]

    def header(self, sheet: str) -> list[str]:
        header = getattr(self._data, f"{sheet}_header", None) or [{}]
        return [str(column) for column in header[0]]

    @cached_property
    def settings(self) -> dict[str, str]:
        rows = self.rows("settings")
        return {
            support.SETTING_ALIASES.get(key.lower().strip(), key.lower().strip()): value
            for key, value in (rows[0] if rows else {}).items()
        }

    @cached_property
    def choices(self) -> list[tuple[int, dict[str, str]]]:
        """Return the rows of the choices sheet; each names its list in `list_name`."""
        rows = []
        for index, row in enumerate(self.rows("choices")):
            cells = {_choice_column(key): value for key, value in row.items()}
            if any(cells.values()):
                rows.append((index + 2, cells))
        return rows

    @cached_property
    def survey(self) -> list[Row]:
        standard = {column: standard_column(column) for column in self.header("survey")}
        written = {name: column for column, name in reversed(standard.items())}
        rows, trail = [], ["/data"]
        for index, raw in enumerate(self.rows("survey")):
            cells = {standard.get(column) or standard_column(column): text for column, text in raw.items()}
            if not any(cells.values()):
                continue
            row = Row(index + 2, cells, "", written)
            if row.name and not row.ends:
                row = Row(row.number, cells, f"{trail[-1]}/{row.name}", written)
            rows.append(row)
            if row.begins:
                trail.append(row.path or trail[-1])
            elif row.ends and len(trail) > 1:
                trail.pop()
        return rows

    @cached_property
    def by_path(self) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for row in self.survey:
            if row.path:
                found.setdefault(row.path, row)
                if "or_other" in row.type.lower().split():
                    found.setdefault(f"{row.path}_other", row)
        return found

    @cached_property
    def languages(self) -> list[str]:
        """Return the languages of the labels as written in the header: English (en), French (fr)."""
        named = [
            name.split("::", 1)[1]
            for column in self.header("survey")
            if (name := standard_column(column)).startswith("label::")
        ]
        default = self.settings.get("default_language", "")
        if default in named:
            named.remove(default)
            named.insert(0, default)
        return named or [default or "default"]


def _choice_column(header: str) -> str:
    lowered = header.strip().lower()
    if lowered in ("list_name", "list name"):
        return "list_name"
    if lowered in ("name", "value"):
        return "name"
    base = lowered.split(":", 1)[0].strip()
    if base in ("label", "caption", "media", "image", "audio", "video"):
        return standard_column(header)
    return header.strip()


def language_code(name: str) -> str:
    """Return the code in a language's name: en for "English (en)"; English XLSForms without languages count as en."""
    if "(" in name:
        return name.rsplit("(", 1)[1].rstrip(") ").strip().lower()
    known = {"default": "en", "english": "en", "french": "fr", "français": "fr", "francais": "fr", "arabic": "ar"}
    known |= {"spanish": "es", "español": "es", "somali": "so", "tamil": "ta", "portuguese": "pt"}
    return known.get(name.strip().lower(), name.strip().lower())


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
