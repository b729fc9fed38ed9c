"""Between the builder's pages and the workbook: what a page shows of a row, and how its fields become cells.

A page writes only what was changed on it: a field that comes back as it was shown leaves its cell alone, however oddly the
cell is written, and what a page does not show is never touched.
"""

import bisect
import re
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from fieldapp.services.forms.drafts import DraftDetails
from forms import support
from forms.builder import SurveyRow, WorkbookEditor, slug
from forms.picks import OPERATORS, AnswerLimits, SimpleCondition, read_condition, read_limits
from forms.privacy import EXPORTS, read_written_class
from forms.privacy_classes import PrivacyClass
from forms.problems import N_, FormProblem
from forms.question_type import AnswerKind
from forms.types import TYPES

SETTINGS = ("form_title", "form_id", "version", "style", "summary_day", "summary_area", "summary_kind")
SPARE = 4  # blank lines at the end of a list
MOST_CHOICES = 200  # on one page
MOST_CHARACTERS = 60_000  # in the choices of one page; a request holds a million bytes, and a character may take twelve
LINE = re.compile(r"name-([0-9]{1,6})")
YES = ("yes", "true", "true()")


def _list_offered_types() -> dict[str, str]:
    """Return the types that the builder offers with their words, in the order in which people need them."""
    positions = {one.name: one.builder_position for one in TYPES.values() if one.builder_position is not None}
    types = {name: TYPES[name].words for name in sorted(positions, key=positions.__getitem__)}
    return types | {"group": N_("Group of questions"), "repeat": N_("Group that repeats")}


OFFERED_TYPES = _list_offered_types()
ONE_LINE = ("name", "appearance")  # fields that cannot show the end of a line
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
assert set(HOW_WORDS) == set(OPERATORS)


@dataclass(frozen=True)
class Outlined:
    """A row of the builder's list."""

    line: SurveyRow
    label: str
    kind: str
    problems: list[FormProblem]
    has_logic: bool


@dataclass(frozen=True)
class Edited:
    """A row as its page shows it."""

    line: SurveyRow
    kind: str
    list_name: str
    languages: list[str]
    lists: list[str]
    others: list[tuple[str, str]]  # questions that a condition can look at: name, label
    condition: SimpleCondition | None
    limits: AnswerLimits | None
    problems: list[FormProblem]
    raw: dict[str, str]
    how: dict[str, str]
    exports: tuple[str, ...]

    @property
    def is_select(self) -> bool:
        question_type = self.line.row.question_type
        return question_type is not None and question_type.is_select

    @property
    def type_words(self) -> str:
        """Return the words for the type of a question; "" for a group, or a type that is refused."""
        question_type = self.line.row.question_type
        return question_type.words if question_type else ""

    @property
    def privacy(self) -> str:
        """Return the privacy class in its standard spelling, or as it is written when it is none."""
        given = read_written_class(self.line.row)
        return given if given in list(PrivacyClass) else self.line.row.cells.get("privacy::class", "")

    @property
    def export(self) -> str:
        given = self.line.row.cells.get("privacy::export", "")
        return given.lower() if given.lower() in EXPORTS else given

    @property
    def is_required(self) -> bool:
        return self.line.row.cells.get("required", "").lower() not in ("", "no", "false", "false()")

    def cell(self, column: str, language: str = "") -> str:
        return self.line.row.cells.get(f"{column}::{language}" if language else column, "")


@dataclass(frozen=True)
class EditedList:
    """A page of a list: the choices it shows by their rows (0: a blank line), and where the pages before and after begin."""

    name: str
    languages: list[str]
    choices: list[tuple[int, dict[str, str]]]
    first: int  # number of the first choice shown, from 1
    count: int  # of all choices of the list
    previous: int | None
    next: int | None


def kind_of(line: SurveyRow) -> str:
    row = line.row
    if row.begins:
        return row.begins
    # The builder has one word for what is computed and what is carried along.
    return "calculate" if row.standard_type == "hidden" else row.standard_type


def _has_answer(line: SurveyRow) -> bool:
    question_type = line.row.question_type
    return question_type is None or question_type.answer != AnswerKind.NOTHING


def label_of(book: WorkbookEditor, line: SurveyRow) -> str:
    columns = [f"label::{name}" if name else "label" for name in book.languages]
    return next((text for column in columns if (text := line.row.cells.get(column, ""))), "")


def begin(book: WorkbookEditor, kind: str) -> str:
    """Return the type cell for a new row of a kind; a question with choices begins with a list of two."""
    if kind not in OFFERED_TYPES:
        kind = "text"
    if kind in ("group", "repeat"):
        return f"begin_{kind}"
    if not TYPES[kind].is_select:
        return kind
    add_yes_no(book)
    return f"{kind} yes_no"


def free_name(book: WorkbookEditor) -> str:
    taken = {line.row.name for line in book.lines()}
    return next(f"question_{number}" for number in range(1, 10_000) if f"question_{number}" not in taken)


def outline(opened: DraftDetails) -> list[Outlined]:
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


def shown(opened: DraftDetails, line: SurveyRow) -> Edited:
    """Return what the page of a row shows."""
    book, cells = opened.book, line.row.cells
    others = [
        (other.row.name, label_of(book, other) or other.row.name)
        for other in book.lines()
        if other.number != line.number and other.row.name and not other.row.begins and _has_answer(other)
    ]
    return Edited(
        line=line,
        kind=kind_of(line),
        list_name=support.list_of(line.row.type),
        languages=book.languages,
        lists=sorted(set(book.lists()) | {support.list_of(line.row.type)} - {""}),
        others=others,
        condition=shown_condition(cells.get("relevant", ""), {name for name, _ in others}),
        limits=read_limits(cells.get("constraint", "")),
        problems=[one for one in opened.problems if one.sheet == "survey" and one.row == line.number],
        raw={column: cells.get(column, "") for column in RAW},
        how=HOW_WORDS,
        exports=EXPORTS,
    )


def shown_condition(relevant: str, others: set[str]) -> SimpleCondition | None:
    """Return the condition as its fields show it; None when only the formula can show it."""
    if not relevant:
        return SimpleCondition()
    condition = read_condition(relevant)
    return condition if condition and condition.question in others else None


def save(opened: DraftDetails, line: SurveyRow, given: MultiDict[str, str]) -> None:
    """Write the fields of a row's page that were changed into its cells."""
    edited = shown(opened, line)
    held, book = line.row.cells, opened.book
    fields = {column: column for column in ("privacy::hierarchy", "privacy::approval", *RAW)}
    for index, language in enumerate(edited.languages):
        for column in ("label", "hint", "constraint_message"):
            fields[f"{column}::{language}" if language else column] = f"{column}-{index}"
    cells = _changed(given, held, fields)
    for column, now in (("privacy::class", edited.privacy), ("privacy::export", edited.export)):
        if column in given and tidy(given[column]) != now:
            cells[column] = tidy(given[column])
    if not line.row.begins:
        cells |= {"type": _type(book, edited, given), "required": _required(edited, given)}
    cells |= {"relevant": _relevant(edited, given), "constraint": _constraint(edited, given)}
    book.set(line.number, cells)
    name = tidy(given.get("name", ""))
    if name and name != line.row.name:
        book.rename(line.number, name)


def _required(edited: Edited, given: MultiDict[str, str]) -> str:
    held = edited.line.row.cells.get("required", "")
    if bool(given.get("required")) == edited.is_required:
        return held
    return "" if edited.is_required else "yes"


def _constraint(edited: Edited, given: MultiDict[str, str]) -> str:
    """Return the limits that were picked, or the formula that was typed; what stands there when neither was changed."""
    held, before = edited.line.row.cells.get("constraint", ""), edited.limits or AnswerLimits()
    if "constraint" not in given:
        return held
    least, most, length, days_back = (tidy(given.get(key, "")) for key in ("least", "most", "length", "days_back"))
    limits = AnswerLimits(least, most, length, days_back, bool(given.get("not_future")))
    formula = tidy(given["constraint"])
    is_typed = formula != (held if edited.limits is None else "")
    if limits == before and not is_typed:
        return held
    return limits.expression() or formula


def _type(book: WorkbookEditor, edited: Edited, given: MultiDict[str, str]) -> str:
    line, kind, chosen = edited.line, given.get("type", ""), tidy(given.get("list", ""))
    fresh = tidy(given.get("new_list", ""))
    if kind not in OFFERED_TYPES or kind in ("group", "repeat"):
        return line.row.cells.get("type", "")
    if kind == edited.kind and chosen == edited.list_name and not fresh:
        return line.row.cells.get("type", "")
    if not TYPES[kind].is_select:
        return line.row.cells.get("type", "") if kind == edited.kind else kind
    name = slug(fresh) if fresh else chosen or "yes_no"
    if name == "yes_no":
        add_yes_no(book)
    has_other = TYPES[kind].answer != AnswerKind.ORDER and "or_other" in line.row.type.lower().split()
    return f"{kind} {name} or_other" if has_other else f"{kind} {name}"


def add_yes_no(book: WorkbookEditor) -> None:
    """Add the list that new questions with choices begin with, unless the form has it."""
    if "yes_no" in book.lists():
        return
    words = {"en": ("Yes", "No"), "fr": ("Oui", "Non")}
    for at, one in enumerate(("yes", "no")):
        cells = {"name": one}
        for language, column in zip(book.languages, _labels(book), strict=True):
            cells[column] = words["fr" if "fr" in language.lower() else "en"][at]
        book.add_choice("yes_no", cells)


def _relevant(edited: Edited, given: MultiDict[str, str]) -> str:
    """Return the condition that was picked, or the formula that was typed; what stands there when neither was changed."""
    held = edited.line.row.cells.get("relevant", "")
    formula = tidy(given.get("relevant", held))
    if "when_question" not in given:
        return formula
    question, how = given["when_question"], given.get("when_how", "")
    value = given.get("when_value", "").strip()
    before = edited.condition or SimpleCondition()
    was = before.question or ("always" if edited.condition else "")
    is_picked = question != was or (
        question not in ("always", "") and (how, value) != (before.operator, one_line(before.value))
    )
    if not is_picked:
        return formula
    if question in {name for name, _ in edited.others} and how in OPERATORS:
        return SimpleCondition(question, how, value[:200]).expression()
    return formula if question != "always" else ""


def shown_list(book: WorkbookEditor, name: str, first: int = 1) -> EditedList:
    """Return the page of a list that begins at its choice number `first`."""
    starts = _pages(book, name)
    page = max(0, bisect.bisect_right(starts, first) - 1)
    rows = list(book.choices_of(name).items())
    start = starts[page]
    end = starts[page + 1] if page + 1 < len(starts) else len(rows) + 1
    blank: list[tuple[int, dict[str, str]]] = [(0, {}) for _ in range(SPARE)]
    return EditedList(
        name=name,
        languages=book.languages,
        choices=[*rows[start - 1 : end - 1], *blank],
        first=start,
        count=len(rows),
        previous=starts[page - 1] if page else None,
        next=end if end <= len(rows) else None,
    )


def _pages(book: WorkbookEditor, name: str) -> list[int]:
    """Return the number of the first choice of each page: a page is short enough to be sent back in one go."""
    starts, count, size = [1], 0, 0
    for number, cells in enumerate(book.choices_of(name).values(), 1):
        length = sum(len(cells.get(column, "")) for column in ("name", *_labels(book)))
        if count == MOST_CHOICES or (count and size + length > MOST_CHARACTERS):
            starts.append(number)
            count = size = 0
        count += 1
        size += length
    return starts


def _labels(book: WorkbookEditor) -> list[str]:
    return [f"label::{language}" if language else "label" for language in book.languages]


def save_list(book: WorkbookEditor, name: str, given: MultiDict[str, str]) -> None:
    """Write the choices that a page shows: each line goes to its own row, whatever other rows are called.

    A line whose words were emptied is taken out, a new one without a name gets one; rows that the page does not show stay.
    """
    held = book.choices_of(name)
    may_repeat = book.setting("allow_choice_duplicates").lower() in YES
    removed: list[int] = []
    for index in _lines(given):
        number = _row_of(given, index, list(held))
        if number and number not in held:
            continue  # a row of another list, or none
        before = held.get(number, {})
        fields = {"name": f"name-{index}"} | {column: f"label-{index}-{at}" for at, column in enumerate(_labels(book))}
        changed = _changed(given, before, fields)
        after = {column: before.get(column, "") for column in fields} | changed
        words = [after[column] for column in _labels(book) if after[column]]
        if not changed or (not number and not words):
            continue
        if number and not words:
            removed.append(number)
            continue
        taken = {cells.get("name", "") for row, cells in book.choices_of(name).items() if row != number}
        if not after["name"]:
            changed["name"] = _free(slug(words[0]), taken)
        elif "name" in changed and not may_repeat:
            changed["name"] = _free(after["name"], taken)
        if number:
            book.set_choice(number, changed)
        else:
            book.add_choice(name, changed)
    book.remove_choices(removed)


def _lines(given: MultiDict[str, str]) -> list[int]:
    """Return the numbers of the lines that a page sent: first those of rows, then the new ones, which move other rows."""
    lines = [int(match[1]) for key in given if (match := LINE.fullmatch(key))]
    return sorted(lines, key=lambda line: (not _whole(given.get(f"row-{line}", "")), line))


def _changed(given: MultiDict[str, str], before: dict[str, str], fields: dict[str, str]) -> dict[str, str]:
    """Return the cells whose fields do not come back as they were shown; `fields` gives the field of each column."""
    changed = {}
    for column, key in fields.items():
        shown = before.get(column, "")
        if column in ONE_LINE:
            shown = one_line(shown)
        if key in given and tidy(given[key]) != shown:
            changed[column] = tidy(given[key])
    return changed


def one_line(text: str) -> str:
    """Return a text as a field of one line sends it back: a browser leaves out the ends of lines."""
    return re.sub(r"[\r\n]", "", text).strip()


def tidy(text: str) -> str:
    """Return the text of a field as a cell holds it: browsers send the ends of lines in two characters."""
    return text.strip().replace("\r\n", "\n").replace("\r", "\n")


def _row_of(given: MultiDict[str, str], index: int, rows: list[int]) -> int:
    """Return the row that a line stands for, 0 for a new one; a sender that names no rows means the list from its top."""
    if any(key.startswith("row-") for key in given):
        return _whole(given.get(f"row-{index}", ""))
    return rows[index] if index < len(rows) else 0


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_2"
    return name


def shown_settings(book: WorkbookEditor) -> dict[str, str]:
    """Return the settings as the page of questions shows them."""
    shown = {key: book.setting(key) for key in SETTINGS}
    shown["style"] = "pages" if "pages" in shown["style"] else ""
    return shown


def save_settings(book: WorkbookEditor, given: MultiDict[str, str]) -> None:
    """Write the settings that were changed."""
    shown = shown_settings(book)
    for key in SETTINGS:
        if key in given and tidy(given[key]) not in (shown[key], one_line(shown[key])):
            book.set_setting(key, tidy(given[key])[:200])
    language = given.get("language", "").strip()
    if language:
        book.add_language(language[:60])
