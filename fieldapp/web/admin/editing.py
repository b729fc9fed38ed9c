"""Between the builder's pages and the workbook: what a page shows of a row, and how its fields become cells."""

from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldapp.services.form_drafts import Opened
from forms import support
from forms.builder import Book, Line, slug
from forms.picks import HOW, Condition, Limits, read_condition, read_limits
from forms.privacy import EXPORTS
from forms.problems import N_, FormProblem

SETTINGS = ("form_title", "form_id", "version", "style", "summary_day", "summary_area", "summary_kind")
SPARE = 4  # blank lines at the end of a list
# The types that the builder offers, in the order in which people need them.
TYPES: dict[str, str] = {
    "select_one": N_("One choice"),
    "select_multiple": N_("Several choices"),
    "text": N_("Text"),
    "integer": N_("Whole number"),
    "decimal": N_("Number"),
    "range": N_("Number on a scale"),
    "date": N_("Day"),
    "time": N_("Time of day"),
    "dateTime": N_("Day and time"),
    "rank": N_("Put in order"),
    "acknowledge": N_("Tick to confirm"),
    "note": N_("Only words"),
    "barcode": N_("Code, typed or scanned"),
    "calculate": N_("Computed, not asked"),
    "group": N_("Group of questions"),
    "repeat": N_("Group that repeats"),
}
RAW = ("default", "calculation", "choice_filter", "repeat_count", "parameters", "appearance", "read_only", "trigger")
HOW_WORDS = {
    "is": N_("is"),
    "is_not": N_("is not"),
    "has": N_("includes"),
    "more": N_("is more than"),
    "less": N_("is less than"),
    "answered": N_("is answered"),
    "blank": N_("is not answered"),
}
assert set(HOW_WORDS) == set(HOW)


@dataclass(frozen=True)
class Outlined:
    """A row of the builder's list."""

    line: Line
    label: str
    kind: str
    problems: list[FormProblem]
    has_logic: bool


@dataclass(frozen=True)
class Edited:
    """A row as its page shows it."""

    line: Line
    kind: str
    list_name: str
    languages: list[str]
    lists: list[str]
    others: list[tuple[str, str]]  # questions that a condition can look at: name, label
    condition: Condition | None
    limits: Limits | None
    problems: list[FormProblem]
    raw: dict[str, str]
    how: dict[str, str]
    exports: tuple[str, ...]

    def cell(self, column: str, language: str = "") -> str:
        return self.line.row.cells.get(f"{column}::{language}" if language else column, "")


@dataclass(frozen=True)
class EditedList:
    name: str
    languages: list[str]
    choices: list[dict[str, str]]


def kind_of(line: Line) -> str:
    row = line.row
    return row.begins or (row.standard_type if row.standard_type not in ("hidden",) else "calculate")


def label_of(book: Book, line: Line) -> str:
    columns = [f"label::{name}" if name else "label" for name in book.languages]
    return next((text for column in columns if (text := line.row.cells.get(column, ""))), "")


def begin(kind: str) -> str:
    """Return the type cell for a new row of a kind."""
    if kind not in TYPES:
        kind = "text"
    if kind in ("group", "repeat"):
        return f"begin_{kind}"
    return f"{kind} yes_no" if kind in support.SELECT_LOOKS else kind


def free_name(book: Book) -> str:
    taken = {line.row.name for line in book.lines()}
    return next(f"question_{number}" for number in range(1, 10_000) if f"question_{number}" not in taken)


def outline(opened: Opened) -> list[Outlined]:
    """Return the rows of a draft with the problems of each."""
    by_row: dict[int, list[FormProblem]] = {}
    for problem in opened.errors:
        if problem.sheet == "survey" and problem.row:
            by_row.setdefault(problem.row, []).append(problem)
    return [
        Outlined(
            line,
            label_of(opened.book, line),
            kind_of(line),
            by_row.get(line.number, []),
            any(line.row.cells.get(column) for column in ("relevant", "constraint", "calculation", "choice_filter")),
        )
        for line in opened.book.lines()
    ]


def shown(opened: Opened, line: Line) -> Edited:
    """Return what the page of a row shows."""
    book, cells = opened.book, line.row.cells
    others = [
        (other.row.name, label_of(book, other) or other.row.name)
        for other in book.lines()
        if other.number != line.number and other.row.name and not other.row.begins and other.row.kind != "note"
    ]
    relevant, constraint = cells.get("relevant", ""), cells.get("constraint", "")
    return Edited(
        line=line,
        kind=kind_of(line),
        list_name=support.list_of(line.row.type),
        languages=book.languages,
        lists=sorted(set(book.lists()) | {support.list_of(line.row.type)} - {""}),
        others=others,
        condition=read_condition(relevant) if relevant else Condition(),
        limits=read_limits(constraint),
        problems=[one for one in opened.problems if one.sheet == "survey" and one.row == line.number],
        raw={column: cells.get(column, "") for column in RAW},
        how=HOW_WORDS,
        exports=EXPORTS,
    )


def save(book: Book, line: Line, given: MultiDict[str, str]) -> None:
    """Write the fields of a row's page into its cells."""

    def field(key: str) -> str:
        return given.get(key, "").strip()[:20_000]

    cells: dict[str, str] = {}
    if not line.row.begins:
        cells["type"] = _type(book, line, field("type"), field("list"), field("new_list"))
    for index, language in enumerate(book.languages):
        for column in ("label", "hint", "constraint_message"):
            if f"{column}-{index}" in given:
                cells[f"{column}::{language}" if language else column] = field(f"{column}-{index}")
    cells["required"] = "yes" if field("required") else ""
    for column in ("privacy::class", "privacy::hierarchy", "privacy::export", "privacy::approval", *RAW):
        if column in given:
            cells[column] = field(column)
    cells["relevant"] = _relevant(book, given)
    if "constraint" in given:
        least, most, length, days_back = (field(key) for key in ("least", "most", "length", "days_back"))
        limits = Limits(least, most, length, days_back, bool(field("not_future")))
        cells["constraint"] = limits.expression() or field("constraint")
    if (line.row.cells.get("required", "") not in ("", "yes")) and cells["required"]:
        del cells["required"]  # a condition of its own stays
    book.set(line.number, cells)
    if (name := field("name")) and name != line.row.name:
        book.rename(line.number, name)


def _type(book: Book, line: Line, kind: str, chosen: str, fresh: str) -> str:
    if kind not in TYPES or kind in ("group", "repeat"):
        return line.row.type
    if kind not in support.SELECT_LOOKS:
        return line.row.type if kind == line.row.standard_type else kind
    name = slug(fresh) if fresh else chosen or "yes_no"
    if fresh and name not in book.lists():
        book.add_list(name, [])
    if name == "yes_no" and name not in book.lists():
        words = {"en": ("Yes", "No"), "fr": ("Oui", "Non")}
        rows = []
        for at, one in enumerate(("yes", "no")):
            row = {"name": one}
            for language in book.languages:
                code = "fr" if "fr" in language.lower() else "en"
                row[f"label::{language}" if language else "label"] = words[code][at]
            rows.append(row)
        book.add_list(name, rows)
    if name == support.list_of(line.row.type) and kind == line.row.standard_type:
        return line.row.type
    return f"{kind} {name}"


def _relevant(book: Book, given: MultiDict[str, str]) -> str:
    question, how = given.get("when_question", ""), given.get("when_how", "")
    if question in {line.row.name for line in book.lines()} and how in HOW:
        return Condition(question, how, given.get("when_value", "").strip()[:200]).expression()
    return given.get("relevant", "").strip()[:20_000] if question != "always" else ""


def shown_list(book: Book, name: str) -> EditedList:
    blank: list[dict[str, Any]] = [{} for _ in range(SPARE)]
    return EditedList(name, book.languages, [*book.lists().get(name, []), *blank])


def save_list(book: Book, name: str, given: MultiDict[str, str]) -> None:
    """Write the choices of a list; a line without a label is left out, one without a name gets one."""
    choices, taken = [], set[str]()
    for index in range(2000):
        if f"name-{index}" not in given:
            break
        labels = {
            f"label::{language}" if language else "label": given.get(f"label-{index}-{at}", "").strip()
            for at, language in enumerate(book.languages)
        }
        first = next(filter(None, labels.values()), "")
        choice = given[f"name-{index}"].strip() or (slug(first) if first else "")
        if not first or not choice:
            continue
        while choice in taken:
            choice += "_2"
        taken.add(choice)
        choices.append({"name": choice, **labels})
    book.add_list(name, choices)
