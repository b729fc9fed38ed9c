"""Change a workbook as the office's builder does: cell by cell, so that everything it does not know stays as it was."""

import re
from dataclasses import dataclass

from forms import support
from forms.sheets import Sheets
from forms.workbook import REFERENCE, Row, standard_column

BLANK = {"survey": ["type", "name", "label"], "choices": ["list_name", "name", "label"], "settings": []}


@dataclass(frozen=True)
class Line:
    """A row of the survey sheet as the builder shows it; `number` counts from 1 as the spreadsheet does."""

    number: int
    row: Row
    depth: int


class Book:
    """A workbook being edited."""

    def __init__(self, sheets: Sheets):
        self.sheets = sheets
        for name, columns in BLANK.items():
            header = self.sheets.sheet(name)[0]
            if not header:
                header.extend(columns)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def languages(self) -> list[str]:
        """Return the languages of labels as the header writes them; "" where labels have no language."""
        names = [name for column in self.sheets.sheet("survey")[0] if (name := standard_column(column)).startswith("label")]
        return [name.partition("::")[2] for name in names] or [""]

    def cells(self, number: int) -> dict[str, str]:
        rows = self.sheets.sheet("survey")
        return {standard_column(column): _cell(rows[number - 1], index) for index, column in enumerate(rows[0]) if column}

    def lines(self) -> list[Line]:
        """Return every row that says something, with how deep in groups it stands; ends of groups are left out."""
        lines, depth = [], 0
        for number in range(2, len(self.sheets.sheet("survey")) + 1):
            row = Row(number, self.cells(number), "", {})
            if not any(row.cells.values()):
                continue
            if row.ends:
                depth = max(0, depth - 1)
                continue
            lines.append(Line(number, row, depth))
            depth += bool(row.begins)
        return lines

    def line(self, number: int) -> Line | None:
        return next((line for line in self.lines() if line.number == number), None)

    def lists(self) -> dict[str, list[dict[str, str]]]:
        """Return the choices of each list, as cells by standard column."""
        rows = self.sheets.sheet("choices")
        columns = [_choice(column) for column in rows[0]]
        found: dict[str, list[dict[str, str]]] = {}
        for row in rows[1:]:
            cells = {column: _cell(row, index) for index, column in enumerate(columns) if column}
            if cells.get("list_name"):
                found.setdefault(cells["list_name"], []).append(cells)
        return found

    def setting(self, key: str) -> str:
        rows = self.sheets.sheet("settings")
        for index, column in enumerate(rows[0]):
            name = column.strip().lower()
            if support.SETTING_ALIASES.get(name, name) == key and len(rows) > 1:
                return _cell(rows[1], index)
        return ""

    # ── changing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def set_setting(self, key: str, text: str) -> None:
        rows = self.sheets.sheet("settings")
        names = [support.SETTING_ALIASES.get(column.strip().lower(), column.strip().lower()) for column in rows[0]]
        if key not in names:
            rows[0].append(key)
            names.append(key)
        while len(rows) < 2:
            rows.append([])
        _put(rows[1], names.index(key), text)

    def set(self, number: int, cells: dict[str, str]) -> None:
        """Write cells of a row by standard column, adding columns that are not there yet."""
        rows = self.sheets.sheet("survey")
        for column, text in cells.items():
            index = self._column("survey", column, is_needed=bool(text))
            if index is not None:
                _put(rows[number - 1], index, text)

    def _column(self, sheet: str, name: str, is_needed: bool) -> int | None:
        header = self.sheets.sheet(sheet)[0]
        standard = [standard_column(column) if sheet == "survey" else _choice(column) for column in header]
        if name in standard:
            return standard.index(name)
        if not is_needed:
            return None
        header.append(name)
        return len(header) - 1

    def add(self, after: int, cells: dict[str, str]) -> int:
        """Add a row after a row (1: at the top), or after the end of the group that begins there; return its number."""
        rows = self.sheets.sheet("survey")
        at = max(1, min(after, len(rows)))
        rows.insert(at, [])
        self.set(at + 1, cells)
        if (kind := Row(0, cells, "", {}).begins) and kind != "loop":
            rows.insert(at + 1, [])
            self.set(at + 2, {"type": f"end_{kind}"})
        return at + 1

    def block(self, number: int) -> range:
        """Return the rows that belong together: one, or a group from its beginning to its end."""
        rows = self.sheets.sheet("survey")
        depth = 0
        for at in range(number, len(rows) + 1):
            row = Row(at, self.cells(at), "", {})
            depth += bool(row.begins) - bool(row.ends)
            if depth <= 0:
                return range(number, at + 1)
        return range(number, len(rows) + 1)

    def remove(self, number: int) -> None:
        rows = self.sheets.sheet("survey")
        block = self.block(number)
        del rows[block.start - 1 : block.stop - 1]

    def move(self, number: int, direction: int) -> int:
        """Move a row, or a whole group, past its neighbour: -1 up, 1 down, out of and into groups; return its new number."""
        rows = self.sheets.sheet("survey")
        block = self.block(number)
        moved = rows[block.start - 1 : block.stop - 1]
        if direction < 0:
            if number <= 2:
                return number
            del rows[block.start - 1 : block.stop - 1]
            target = number - 2
        else:
            if block.stop > len(rows):
                return number
            del rows[block.start - 1 : block.stop - 1]
            target = number
        rows[target:target] = moved
        return target + 1

    def rename(self, number: int, name: str) -> None:
        """Give a question another name, and every reference to it."""
        old = self.cells(number).get("name", "")
        if old and name and old != name:
            for rows in (self.sheets.sheet("survey"), self.sheets.sheet("choices"), self.sheets.sheet("settings")):
                for row in rows[1:]:
                    row[:] = [_renamed(text, old, name) for text in row]
            settings = self.sheets.sheet("settings")
            for index, column in enumerate(settings[0]):
                if column.startswith("summary_") and len(settings) > 1 and _cell(settings[1], index) == old:
                    _put(settings[1], index, name)
        self.set(number, {"name": name})

    def set_list(self, name: str, choices: list[dict[str, str]]) -> None:
        """Replace the choices of a list; other columns of choices that stay are kept."""
        rows = self.sheets.sheet("choices")
        list_at = self._column("choices", "list_name", is_needed=True)
        name_at = self._column("choices", "name", is_needed=True)
        assert list_at is not None and name_at is not None
        held = {_cell(row, name_at): row for row in rows[1:] if _cell(row, list_at) == name}
        place = next((at for at, row in enumerate(rows) if at and _cell(row, list_at) == name), len(rows))
        kept = [row for at, row in enumerate(rows) if at == 0 or _cell(row, list_at) != name]
        fresh = []
        for choice in choices:
            row = list(held.get(choice["name"], []))
            for column, text in {"list_name": name, **choice}.items():
                index = self._column("choices", column, is_needed=bool(text))
                if index is not None:
                    _put(row, index, text)
            fresh.append(row)
        kept[place:place] = fresh
        rows[:] = kept

    def add_language(self, name: str) -> None:
        """Add columns for another language; labels without a language become English."""
        for sheet in ("survey", "choices"):
            header = self.sheets.sheet(sheet)[0]
            for index, column in enumerate(header):
                if standard_column(column) in ("label", "hint", "constraint_message", "required_message", "guidance_hint"):
                    header[index] = f"{standard_column(column)}::English (en)"
            if f"label::{name}" not in header:
                header.append(f"label::{name}")

    def fill_in(self, form_id: str, version: str, title: str) -> list[str]:
        """Write the settings that every form needs and this one lacks; return which."""
        filled = []
        for key, text in (("form_title", title), ("form_id", form_id), ("version", version)):
            if not self.setting(key):
                self.set_setting(key, text)
                filled.append(key)
        return filled


def new_book(title: str, form_id: str, version: str) -> Book:
    """Return the workbook of a new form in English and French."""
    labels = ["label::English (en)", "label::French (fr)"]
    survey = ["type", "name", *labels, "hint::English (en)", "hint::French (fr)", "required", "relevant", "constraint"]
    survey += ["constraint_message::English (en)", "constraint_message::French (fr)", "calculation", "default", "appearance"]
    survey += ["privacy", "privacy::hierarchy", "privacy::export"]
    survey[survey.index("privacy")] = "privacy::class"
    settings = [
        ["form_title", "form_id", "version", "default_language", "style"],
        [title, form_id, version, "English (en)", ""],
    ]
    return Book(Sheets({"survey": [survey], "choices": [["list_name", "name", *labels]], "settings": settings}))


def slug(text: str) -> str:
    """Return a name for a form or question made of a text: who_was_there for "Who was there?"."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:48]
    return plain if plain and plain[0].isalpha() else f"q_{plain}".rstrip("_")


def _choice(column: str) -> str:
    name = column.strip()
    if name.lower() in ("list_name", "list name"):
        return "list_name"
    return standard_column(name) if name.lower().split(":")[0] in ("label", "caption", "name", "value") else name


def _renamed(text: str, old: str, new: str) -> str:
    return REFERENCE.sub(lambda match: f"${{{new}}}" if match[1] == old else match[0], text)


def _cell(row: list[str], index: int) -> str:
    return row[index] if index < len(row) else ""


def _put(row: list[str], index: int, text: str) -> None:
    while len(row) <= index:
        row.append("")
    row[index] = text
