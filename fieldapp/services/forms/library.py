"""The question library: the programme's questions and code lists, ready to put into any form."""

import csv
import functools
from dataclasses import dataclass
from typing import Any

import yaml

from fieldapp.paths import PROGRAM
from forms.builder import WorkbookEditor
from forms.workbook import language_code

LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class Entry:
    """A question of the library; `choices` are the rows of its list."""

    title: dict[str, str]
    row: dict[str, Any]
    choices: tuple[dict[str, str], ...]

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def label(self) -> dict[str, str]:
        return dict(zip(LANGUAGES, self.row["label"], strict=True))


@functools.cache
def code_lists() -> dict[str, tuple[dict[str, str], ...]]:
    """Return the programme's code lists by name: rows of name, en and fr."""
    found: dict[str, list[dict[str, str]]] = {}
    with (PROGRAM / "code_lists.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["list"], []).append(row)
    return {name: tuple(rows) for name, rows in found.items()}


@functools.cache
def library() -> tuple[Entry, ...]:
    entries = []
    for part in yaml.safe_load((PROGRAM / "library.yaml").read_text(encoding="utf-8")):
        title = dict(zip(LANGUAGES, part["title"], strict=True))
        for row in part["questions"]:
            words = row["ask"].split()
            entries.append(Entry(title, row, code_lists()[words[1]] if len(words) > 1 else ()))
    return tuple(entries)


def put_in(book: WorkbookEditor, name: str, after: int) -> int | None:
    """Add a question of the library after a row, with its choices; return its row, or None when there is no such entry."""
    entry = next((one for one in library() if one.name == name), None)
    if entry is None:
        return None
    taken = {line.row.name for line in book.lines()}
    fresh = name if name not in taken else next(f"{name}_{n}" for n in range(2, 1000) if f"{name}_{n}" not in taken)
    row = entry.row
    cells = {
        "type": row["ask"],
        "name": fresh,
        "privacy::class": row["class"],
        "required": "yes" if row.get("required") else "",
    }
    cells |= {f"privacy::{key}": row.get(key, "") for key in ("hierarchy", "export")}
    cells |= {key: str(row.get(key, "")) for key in ("relevant", "constraint", "calculation", "default", "appearance")}
    for key, column in (("label", "label"), ("hint", "hint"), ("message", "constraint_message")):
        cells |= _translated(book, column, row.get(key, ()))
    if entry.choices:
        list_name = row["ask"].split()[1]
        if list_name not in book.lists():
            book.add_list(
                list_name,
                [{"name": one["name"], **_translated(book, "label", (one["en"], one["fr"]))} for one in entry.choices],
            )
    return book.add(after, cells)


def _translated(book: WorkbookEditor, column: str, texts: Any) -> dict[str, str]:
    """Return texts in English and French under the languages that the workbook has."""
    words = dict(zip(LANGUAGES, texts, strict=False))
    return {
        f"{column}::{name}" if name else column: words[language_code(name or "default")]
        for name in book.languages
        if language_code(name or "default") in words
    }
