"""The rows of an XLSForm under the standard names of their columns.

Problems can so name the sheet, row and column as the author wrote them.
"""

import io
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from forms import support
from forms.headings import Heading, in_language, is_known, is_translated, language_of, read_headings, settings_row
from forms.problems import N_, FormProblem, FormRefused
from forms.question_type import QuestionType
from forms.roles import ROLE_COLUMN
from forms.types import TYPES

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
        if match and match[1].lower() == "begin":
            return BEGIN[match[2].lower()]
        return ""

    @property
    def ends(self) -> str:
        match = MARK.fullmatch(self.type)
        if match and match[1].lower() == "end":
            return BEGIN[match[2].lower()]
        return ""

    @property
    def plain_type(self) -> str:
        """Return the type as pyxform reads it, which takes begin and end in small letters only."""
        match = MARK.fullmatch(self.type)
        if match:
            return self.type[: match.end(2)].lower() + self.type[match.end(2) :]
        return self.type

    @property
    def kind(self) -> str:
        """Return our type of the question; "" for a group, a list or a type that is refused."""
        return support.QUESTION_TYPES.get(self.standard_type, "")

    @property
    def question_type(self) -> QuestionType | None:
        """Return what is known of the type of the question.

        None for a group, a list or a type that is refused.
        """
        return TYPES.get(self.kind)

    def column(self, name: str) -> str:
        return self.written.get(name, name)


def row_problem(code: str, text: str, row: Row, column: str, **details: str) -> FormProblem:
    """Return a problem of a row, at a column as its author wrote it."""
    return FormProblem(code, text, details, row=row.number, column=row.column(column))


def row_advice(code: str, text: str, row: Row, column: str, **details: str) -> FormProblem:
    """Return the same as advice, which stops nothing."""
    return FormProblem(code, text, details, row=row.number, column=row.column(column), severity="warning")


class Workbook:
    """The sheets of a workbook under standard names.

    The numbers of rows are those that the spreadsheet shows.
    """

    def __init__(self, sheets: dict[str, list[list[str]]]):
        self._sheets = sheets

    def table(self, sheet: str) -> list[list[str]]:
        """Return the rows of a sheet as they stand, the headings first."""
        return self._sheets.get(sheet) or [[]]

    def rows(self, sheet: str) -> list[tuple[int, dict[str, str]]]:
        """Return the number of each row that says something, with its cells by standard column."""
        columns = self.columns(sheet)
        named_rows = []
        for number, row in enumerate(self.table(sheet)[1:], 2):
            cells: dict[str, str] = {}
            for heading in columns:
                if heading.at >= len(row):
                    continue  # rows end at their last cell that says something
                text = row[heading.at]
                # Of two columns with one meaning the first that says something counts, as with
                # pyxform.
                if text and not cells.get(heading.standard):
                    cells[heading.standard] = text
            if cells:
                named_rows.append((number, cells))
        return named_rows

    def columns(self, sheet: str) -> list[Heading]:
        """Return the headings of a sheet.

        Where some have a language, words without one are in the form's first.
        """
        headings = self._headings.get(sheet)
        if headings is None:
            headings = read_headings(sheet, self.table(sheet)[0])
        # Where no heading names a language the words have none either, and must not be given one.
        if not self._named_languages or sheet not in ("survey", "choices"):
            return headings
        return [self._with_language(heading) for heading in headings]

    def _with_language(self, heading: Heading) -> Heading:
        """Return a heading with the form's first language, where it could have one and names none."""
        if not is_translated(heading.standard):
            return heading
        return Heading(heading.at, heading.written, in_language(heading.standard, self._first_language))

    @cached_property
    def _headings(self) -> dict[str, list[Heading]]:
        return {sheet: read_headings(sheet, self.table(sheet)[0]) for sheet in ("survey", "choices", "settings")}

    @cached_property
    def _named_languages(self) -> list[str]:
        """Return the languages in the headings as written, those of the survey's labels first."""
        columns = [heading.standard for heading in (*self._headings["survey"], *self._headings["choices"])]
        columns = [column for column in columns if is_translated(column)]
        # Labels first: the language of the questions is the form's first, whatever other words are
        # translated.
        columns.sort(key=lambda column: not column.startswith("label"))
        return _list_languages(columns)

    @cached_property
    def _first_language(self) -> str:
        """Return the language of words whose heading names none."""
        is_mixed = any(heading.standard == "label" for heading in self._headings["survey"])
        language = self.settings.get("default_language", "")
        if not language and is_mixed:
            language = "English (en)"
        elif not language:
            language = self._named_languages[0]
        code = language_code(language)
        # By code: a form that writes "English" in one sheet and "English (en)" in another has one
        # language.
        same = [name for name in self._named_languages if language_code(name) == code]
        if same and language not in same:
            return same[0]
        return language

    @cached_property
    def settings(self) -> dict[str, str]:
        """Return the settings by standard name; only their first row is read."""
        rows = self.rows("settings")
        if rows:
            return rows[0][1]
        return {}

    @property
    def settings_number(self) -> int:
        """Return the number of the row that holds the settings."""
        return settings_row(self.table("settings")) + 1

    @cached_property
    def choices(self) -> list[tuple[int, dict[str, str]]]:
        """Return the rows of the choices sheet; each names its list in `list_name`."""
        return self.rows("choices")

    @cached_property
    def written(self) -> dict[str, str]:
        """Return the columns of the survey sheet as their author wrote them, by standard name."""
        return {heading.standard: heading.written for heading in reversed(self.columns("survey"))}

    def written_choice(self, column: str) -> str:
        """Return a column of the choices sheet as its author wrote it."""
        for heading in self.columns("choices"):
            if heading.standard == column:
                return heading.written
        return column

    @cached_property
    def survey(self) -> list[Row]:
        """Return the rows of the survey sheet, each with its path in the answers."""
        rows = []
        trail = ["/data"]
        for number, cells in self.rows("survey"):
            row = Row(number, cells, "", self.written)
            if row.kind == "note" and not row.name:
                # pyxform names such rows itself; the same name leads back to the row when it
                # complains.
                cells["name"] = f"generated_note_name_{number}"  # as pyxform calls it
            if row.name and not row.ends:
                row = Row(number, cells, f"{trail[-1]}/{row.name}", self.written)
            rows.append(row)
            if row.begins:
                # A group without a name adds no level to the paths of what is in it.
                trail.append(row.path or trail[-1])
            # Ends without a beginning are reported elsewhere; here they only must not break the
            # paths of what follows.
            elif row.ends and len(trail) > 1:
                trail.pop()
        return rows

    @cached_property
    def by_path(self) -> dict[str, Row]:
        """Return the rows by path; of two with the same path the first, and the other is an error."""
        rows: dict[str, Row] = {}
        for row in self.survey:
            if row.path:
                rows.setdefault(row.path, row)
                if "or_other" in row.type.lower().split():
                    # pyxform adds this question to ask which other choice is meant.
                    rows.setdefault(f"{row.path}_other", row)
        return rows

    @cached_property
    def languages(self) -> list[str]:
        """Return the languages of the words as written in the headings: English (en), French (fr)."""
        used: set[str] = set()
        for _, cells in (*self.rows("survey"), *self.rows("choices")):
            used.update(cells)
        columns = [heading.standard for heading in (*self.columns("survey"), *self.columns("choices"))]
        labels = [column for column in columns if column.startswith("label::")]
        others = [column for column in columns if is_translated(column) and column in used]
        named = _list_languages([*labels, *others])
        default = self.settings.get("default_language", "")
        if default in named:
            named.remove(default)
            named.insert(0, default)
        return named or [default or "default"]

    def for_pyxform(self) -> dict[str, Any]:
        """Return the sheets as pyxform takes them.

        Every heading is in standard form and every row at its number.
        """
        survey = {row.number: _known(row.cells) | {"type": row.plain_type} for row in self.survey}
        choices = {number: dict(cells) for number, cells in self.choices}
        settings = {PYXFORM_SETTINGS.get(key, key): text for key, text in self.settings.items() if key in support.SETTINGS}
        # Our own columns and settings are taken out: pyxform refuses or warns about what it does
        # not know.
        settings.pop(ROLE_COLUMN, None)
        settings.pop("consent_why", None)
        settings.pop("retain_months", None)
        settings.pop("name", None)  # the root of our XForms is always called data
        sheets = {"survey": _at_their_numbers(survey), "choices": _at_their_numbers(choices), "settings": [settings]}
        book: dict[str, Any] = {"sheet_names": list(sheets)}
        for name, rows in sheets.items():
            columns = [heading.standard for heading in self.columns(name)]
            if name == "settings":
                columns = list(settings)
            if name == "survey":
                all_columns = dict.fromkeys(_known(dict.fromkeys(columns, "")))
                for row in rows:
                    all_columns |= dict.fromkeys(row)  # also what exclusive.py has added
                columns = [*(all_columns | {"type": None})]
            if columns:
                book[name] = rows
                book[f"{name}_header"] = [dict.fromkeys(columns)]
        return book


def _list_languages(columns: list[str]) -> list[str]:
    """Return the languages that columns name, each once."""
    languages = dict.fromkeys(map(language_of, columns))
    return [language for language in languages if language]


PYXFORM_SETTINGS = {"omit_instanceid": "omit_instanceID"}


def _known(cells: dict[str, str]) -> dict[str, str]:
    """Return the cells that pyxform should read: those of columns that an XLSForm has."""
    own = ("privacy", "consent::", "retain::", ROLE_COLUMN)
    return {column: text for column, text in cells.items() if is_known(column) and not column.startswith(own)}


def _at_their_numbers(rows: dict[int, dict[str, str]]) -> list[dict[str, str]]:
    """Return rows as a list that begins with row 2.

    pyxform counts them, so blank ones are kept.
    """
    return [rows.get(number, {}) for number in range(2, max(rows, default=1) + 1)]


def name_column(position: int) -> str:
    """Return the letters of a column of a sheet, by its position from 0.

    Example: 0 is "A", 25 is "Z", 26 is "AA".
    """
    letters = ""
    number = position + 1
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def language_code(name: str) -> str:
    """Return the code in a language's name: en for "English (en)".

    English XLSForms without languages count as en.
    """
    if "(" in name:
        # Languages with a region or script, such as "(zh-Hant)", are kept as written but for case.
        return name.rsplit("(", 1)[1].rstrip(") ").strip().lower()
    codes = {"default": "en", "english": "en", "french": "fr", "français": "fr", "francais": "fr", "arabic": "ar"}
    codes |= {"spanish": "es", "español": "es", "somali": "so", "tamil": "ta", "portuguese": "pt"}
    return codes.get(name.strip().lower(), name.strip().lower())


def refuse_unreadable_file(data: bytes, file_type: str) -> None:
    """Raise FormRefused for a file that is empty, no workbook, or too large when unpacked."""
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
                # The directory of the ZIP says it; nothing is unpacked to find out.
                unpacked = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, OSError):
            problem = FormProblem("form.not_xlsx", N_("This is not an Excel workbook (.xlsx), or it is damaged."), sheet="")
        else:
            if unpacked > MAX_UNPACKED:
                problem = FormProblem("form.too_large", N_("The workbook unpacks to far too much."), sheet="")
    if problem:
        raise FormRefused([problem])
