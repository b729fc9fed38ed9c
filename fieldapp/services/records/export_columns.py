"""The columns of a form's export, and the codebook that explains them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from forms.definition import Element, FormDefinition
from forms.lists import in_language

RECORD_COLUMNS = ("record", "day", "worker", "received", "changed", "version", "via", "review")
OTHER_ANSWERS = "other_answers"  # what no version of the form names, as JSON
ENTRY_COLUMNS = ("record", "parent", "entry", "index")
CODEBOOK_COLUMNS = (
    "file", "column", "type", "privacy", "label_en", "label_fr", "choice", "choice_label_en", "choice_label_fr", "versions",
)  # fmt: skip


AnswerPath = tuple[str, ...]  # the names from the outermost group inwards


@dataclass
class AnswerSheet:
    """One file of answers: the records themselves, or the entries of a repeat."""

    filename: str
    columns: dict[AnswerPath, str] = field(default_factory=dict)  # where an answer is → its column
    repeats: dict[AnswerPath, str] = field(default_factory=dict)  # repeats right within → the column with how many entries

    def header(self) -> list[str]:
        return [*self.columns.values(), *self.repeats.values(), OTHER_ANSWERS]


def list_sheets(
    definitions: Sequence[FormDefinition], form: str = "", may_leave: Callable[[Element], bool] = lambda element: True
) -> dict[AnswerPath, AnswerSheet]:
    """Return the files of a form by the repeat that each is about, () for the records.

    The definitions come newest first. `form` names it where the centre has no version of it: then all its answers are in
    one column.
    Questions that `may_leave` refuses get no column.
    A column is one place in the form. Where an older version has the name at another place, that is dotted from the root.
    """
    form = definitions[0].id if definitions else form
    sheets: dict[AnswerPath, AnswerSheet] = {(): AnswerSheet(f"{form}.csv")}
    taken: dict[str, AnswerPath] = {}
    for definition in definitions:
        for element in definition.elements:
            place = _split_path(element)
            within = _repeat_around(definition, element)
            if element.kind == "repeat":
                name = _choose_column_name(definition.column(element), place, taken)
                sheets[within].repeats.setdefault(place, name)
                sheets.setdefault(place, AnswerSheet(f"{form}.{name}.csv"))
            elif element.is_answered and may_leave(element):
                sheets[within].columns.setdefault(place, _choose_column_name(definition.column(element), place, taken))
    return sheets


def _split_path(element: Element) -> AnswerPath:
    return tuple(element.path.split("/")[2:])


def _repeat_around(definition: FormDefinition, element: Element) -> AnswerPath:
    """Return the innermost repeat that an element is in."""
    parent = definition.by_path.get(element.parent)
    while parent is not None and parent.kind != "repeat":
        parent = definition.by_path.get(parent.parent)
    return _split_path(parent) if parent else ()


def _choose_column_name(name: str, place: AnswerPath, taken: dict[str, AnswerPath]) -> str:
    """Return the name of a place's column: no two places have the same one."""
    for candidate in (name, ".".join(place)):
        if candidate in (*RECORD_COLUMNS, *ENTRY_COLUMNS, OTHER_ANSWERS):
            continue
        if taken.setdefault(candidate, place) == place:
            return candidate
    return f"answers.{'.'.join(place)}"


def make_codebook(definitions: Sequence[FormDefinition], sheets: Mapping[AnswerPath, AnswerSheet]) -> list[tuple[str, ...]]:
    """Return the rows of the codebook: what each column and choice means, in which versions.

    There is a row for each wording; rows about one column stand together.
    """
    versions: dict[tuple[str, ...], list[str]] = {}
    for definition in definitions:
        for element in definition.elements:
            sheet = sheets[_repeat_around(definition, element)]
            place = _split_path(element)
            name = sheet.columns.get(place) or sheet.repeats.get(place)
            if name is None:
                continue
            column = (sheet.filename, name, element.type or element.kind, element.privacy, *_translate(element.label))
            for choice in [("", "", ""), *_list_choices(definition, element)]:
                versions.setdefault((*column, *choice), []).append(definition.version)
    rows_by_column: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for meaning, names in versions.items():
        rows_by_column.setdefault((meaning[0], meaning[1]), []).append((*meaning, ", ".join(names)))
    return list(chain.from_iterable(rows_by_column.values()))


def _translate(words: Mapping[str, Any]) -> tuple[str, str]:
    return in_language(dict(words), "en"), in_language(dict(words), "fr")


def _list_choices(definition: FormDefinition, element: Element) -> Iterator[tuple[str, str, str]]:
    """Yield the choices of a question with both labels, from the form or its file."""
    for choice in definition.choices.get(element.choices, ()):
        yield (choice.name, *_translate(choice.label))
    table = definition.tables.get(element.choices)
    name = element.item_value or "name"
    label = element.item_label or "label"
    if table is None or name not in table.columns:
        return
    for row in table.rows:
        cells = dict(zip(table.columns, row, strict=False))
        yield cells.get(name, ""), cells.get(label, ""), cells.get(label, "")
