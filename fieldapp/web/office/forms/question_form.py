"""A row of the survey sheet, as the builder's pages show and save it.

A page writes only what was changed on it: a field that comes back as it was shown leaves its cell as it is, however
that cell is written. What a page does not show is never changed.
"""

from collections import defaultdict
from dataclasses import dataclass

from fieldapp.services.forms.drafts import DraftDetails
from fieldapp.web.office.forms.fields import FormData, find_changes, list_label_columns, name_column, one_line, tidy
from fieldapp.web.office.forms.list_form import add_yes_no
from forms import support
from forms.builder import SurveyRow, WorkbookEditor, slug
from forms.keep import KEEP_COLUMN, WHY_COLUMN, read_keep
from forms.picks import OPERATORS, AnswerLimits, SimpleCondition, read_condition, read_limits
from forms.privacy import EXPORTS, read_written_class
from forms.privacy_classes import PrivacyClass
from forms.problems import N_, FormProblem
from forms.question_type import AnswerKind
from forms.retention import MONTHS_COLUMN
from forms.types import TYPES

GROUPS = {"group": N_("Group of questions"), "repeat": N_("Group that repeats")}
RAW_COLUMNS = (
    "default", "calculation", "choice_filter", "repeat_count", "parameters", "appearance", "read_only", "trigger",
)  # fmt: skip
LOGIC_COLUMNS = ("relevant", "constraint", "calculation", "choice_filter")
TRANSLATED_COLUMNS = ("label", "hint", "constraint_message")
ALWAYS = "always"  # what a page sends where a question has no condition
MAX_VALUE_LENGTH = 200
NO = ("", "no", "false", "false()")
OPERATOR_WORDS = {
    "is": N_("is"),
    "is_not": N_("is not"),
    "has": N_("includes"),
    "more": N_("is more than"),
    "less": N_("is less than"),
    "answered": N_("is answered"),
    "blank": N_("is not answered"),
}
# A word for each operator: a new one must not come up without a label.
assert set(OPERATOR_WORDS) == set(OPERATORS)
KEEP_WORDS = {
    "": N_("any yes"),
    "2": N_("2: facts for those who check the program"),
    "3": N_("3: public totals as well"),
    "+4": N_("+4: to be contacted later"),
    "+5": N_("+5: to tell a service, this one time"),
    "0": N_("0: it stays even after a no"),
}


def _list_offered_types() -> dict[str, str]:
    """Return the words of each type that the builder offers, often needed ones first."""
    offered = [question_type for question_type in TYPES.values() if question_type.builder_position is not None]
    offered.sort(key=lambda question_type: question_type.builder_position or 0)
    return {question_type.name: question_type.words for question_type in offered} | GROUPS


OFFERED_TYPES = _list_offered_types()


@dataclass(frozen=True)
class OutlineRow:
    """A row in the list of a form's questions."""

    line: SurveyRow
    label: str
    kind: str
    problems: list[FormProblem]
    has_logic: bool


@dataclass(frozen=True)
class QuestionForm:
    """A row as its page shows it."""

    line: SurveyRow
    kind: str
    list_name: str
    languages: list[str]
    lists: list[str]
    others: list[tuple[str, str]]  # questions that a condition can look at: name, label
    condition: SimpleCondition | None  # None: only the formula can show it
    limits: AnswerLimits | None  # None: only the formula can show them
    problems: list[FormProblem]
    raw: dict[str, str]
    operators: dict[str, str]
    exports: tuple[str, ...]
    keeps: dict[str, str]

    @property
    def is_select(self) -> bool:
        question_type = self.line.row.question_type
        return question_type is not None and question_type.is_select

    @property
    def type_words(self) -> str:
        """Return the words for the type of a question; "" for a group, or a type that is refused."""
        question_type = self.line.row.question_type
        if question_type:
            return question_type.words
        return ""

    @property
    def privacy(self) -> str:
        """Return the privacy class in its standard spelling, or as it is written when it is none."""
        privacy_class = read_written_class(self.line.row)
        if privacy_class in list(PrivacyClass):
            return privacy_class
        return self.line.row.cells.get("privacy::class", "")

    @property
    def export(self) -> str:
        export = self.line.row.cells.get("privacy::export", "")
        if export.lower() in EXPORTS:
            return export.lower()
        return export

    @property
    def keep(self) -> str:
        """Return how far consent must reach, in its standard spelling; "" for any yes."""
        return read_keep(self.line.row.cells)

    @property
    def is_required(self) -> bool:
        return self.line.row.cells.get("required", "").lower() not in NO

    def cell(self, column: str, language: str = "") -> str:
        return self.line.row.cells.get(name_column(column, language), "")


def list_outline_rows(opened: DraftDetails) -> list[OutlineRow]:
    """Return the rows of a draft, each with its problems."""
    problems_by_row: defaultdict[int, list[FormProblem]] = defaultdict(list)
    for problem in opened.errors:
        if problem.sheet == "survey" and problem.row:
            problems_by_row[problem.row].append(problem)
    rows = []
    for line in opened.book.lines():
        rows.append(
            OutlineRow(
                line=line,
                label=find_label(opened.book, line),
                kind=find_kind(line),
                problems=problems_by_row.get(line.number, []),
                has_logic=any(line.row.cells.get(column) for column in LOGIC_COLUMNS),
            )
        )
    return rows


def make_question_form(opened: DraftDetails, line: SurveyRow) -> QuestionForm:
    """Return what the page of a row shows."""
    book = opened.book
    cells = line.row.cells
    list_name = support.list_of(line.row.type)
    others = _list_other_questions(book, line)
    return QuestionForm(
        line=line,
        kind=find_kind(line),
        list_name=list_name,
        languages=book.languages,
        lists=sorted({*book.lists(), list_name} - {""}),
        others=others,
        # A condition about a question that is not there any more is shown as its formula, so that
        # nothing is lost by saving.
        condition=_make_condition(cells.get("relevant", ""), {name for name, _ in others}),
        limits=read_limits(cells.get("constraint", "")),
        problems=[problem for problem in opened.problems if (problem.sheet, problem.row) == ("survey", line.number)],
        raw={column: cells.get(column, "") for column in RAW_COLUMNS},
        operators=OPERATOR_WORDS,
        exports=EXPORTS,
        keeps=KEEP_WORDS,
    )


def find_kind(line: SurveyRow) -> str:
    """Return the type of a row as the builder offers it."""
    row = line.row
    if row.begins:
        return row.begins
    # The builder has one word for what is computed and what is carried along.
    if row.standard_type == "hidden":
        return "calculate"
    return row.standard_type


def find_label(book: WorkbookEditor, line: SurveyRow) -> str:
    """Return the label of a row in the first language that has one; "" when none has."""
    labels = [line.row.cells.get(column, "") for column in list_label_columns(book)]
    return next(filter(None, labels), "")


def find_free_name(book: WorkbookEditor) -> str:
    """Return a name for a new question that no row has."""
    taken = {line.row.name for line in book.lines()}
    number = 1
    while f"question_{number}" in taken:
        number += 1
    return f"question_{number}"


def choose_row_type(book: WorkbookEditor, kind: str) -> str:
    """Return the type cell of a new row; a question with choices begins with the list yes_no."""
    if kind not in OFFERED_TYPES:
        return "text"
    if kind in GROUPS:
        return f"begin_{kind}"
    if not TYPES[kind].is_select:
        return kind
    add_yes_no(book)
    return f"{kind} yes_no"


def _list_other_questions(book: WorkbookEditor, line: SurveyRow) -> list[tuple[str, str]]:
    questions = []
    for other in book.lines():
        name = other.row.name
        if name and other.number != line.number and not other.row.begins and _has_answer(other):
            questions.append((name, find_label(book, other) or name))
    return questions


def _has_answer(line: SurveyRow) -> bool:
    question_type = line.row.question_type
    return question_type is None or question_type.answer != AnswerKind.NOTHING


def _make_condition(relevant: str, others: set[str]) -> SimpleCondition | None:
    """Return a condition as its fields show it; None when only the formula can show it."""
    if not relevant:
        return SimpleCondition()
    condition = read_condition(relevant)
    if condition is None or condition.question not in others:
        return None
    return condition


def save_question(opened: DraftDetails, line: SurveyRow, form_data: FormData) -> None:
    """Write the changed fields of a row's page into its cells; rename it everywhere."""
    edited = make_question_form(opened, line)
    cells = find_changes(form_data, line.row.cells, _name_fields(edited))
    # These are shown in their standard spelling, so they are compared with what was shown.
    shown_cells = {"privacy::class": edited.privacy, "privacy::export": edited.export, KEEP_COLUMN: edited.keep}
    for column, before in shown_cells.items():
        if column in form_data and tidy(form_data[column]) != before:
            cells[column] = tidy(form_data[column])
    # Groups are not asked, so they can be neither required nor of another type.
    if not line.row.begins:
        cells["type"] = _read_type(opened.book, edited, form_data)
        cells["required"] = _read_required(edited, form_data)
    cells["relevant"] = _read_relevant(edited, form_data)
    cells["constraint"] = _read_constraint(edited, form_data)
    opened.book.set(line.number, cells)
    name = tidy(form_data.get("name", ""))
    if name and name != line.row.name:
        # Last: renaming changes the formulas that were just written.
        opened.book.rename(line.number, name)


def _name_fields(edited: QuestionForm) -> dict[str, str]:
    """Return the name of the field that shows each column."""
    fields = {
        column: column for column in ("privacy::hierarchy", "privacy::approval", WHY_COLUMN, MONTHS_COLUMN, *RAW_COLUMNS)
    }
    for index, language in enumerate(edited.languages):
        fields |= {name_column(column, language): f"{column}-{index}" for column in TRANSLATED_COLUMNS}
    return fields


def _read_required(edited: QuestionForm, form_data: FormData) -> str:
    # Left as it is written where the tick did not change: "true()" and "yes" are both required.
    if bool(form_data.get("required")) == edited.is_required:
        return edited.cell("required")
    if edited.is_required:
        return ""
    return "yes"


def _read_type(book: WorkbookEditor, edited: QuestionForm, form_data: FormData) -> str:
    """Return the type cell: as it is, or of the type and list that were chosen."""
    kind = form_data.get("type", "")
    if kind not in OFFERED_TYPES or kind in GROUPS:
        return edited.cell("type")
    list_name = tidy(form_data.get("list", ""))
    new_list = tidy(form_data.get("new_list", ""))
    is_same_list = list_name == edited.list_name and not new_list
    if kind == edited.kind and (is_same_list or not TYPES[kind].is_select):
        return edited.cell("type")
    if not TYPES[kind].is_select:
        return kind
    list_name = slug(new_list) if new_list else list_name or "yes_no"
    if list_name == "yes_no":
        add_yes_no(book)
    # A ranking has no “other”: there would be nothing to put in order.
    has_other = TYPES[kind].answer != AnswerKind.ORDER and "or_other" in edited.line.row.type.lower().split()
    if has_other:
        return f"{kind} {list_name} or_other"
    return f"{kind} {list_name}"


def _read_constraint(edited: QuestionForm, form_data: FormData) -> str:
    """Return the limits that were chosen, or the formula; the cell if neither was changed."""
    before = edited.cell("constraint")
    if "constraint" not in form_data:
        return before
    limits = AnswerLimits(
        minimum=tidy(form_data.get("least", "")),
        maximum=tidy(form_data.get("most", "")),
        length=tidy(form_data.get("length", "")),
        days_back=tidy(form_data.get("days_back", "")),
        not_future=bool(form_data.get("not_future")),
    )
    formula = tidy(form_data["constraint"])
    # A formula that the fields can show is not in its own field as well, else two places would say
    # it.
    shown_formula = before if edited.limits is None else ""
    if formula == shown_formula and limits == (edited.limits or AnswerLimits()):
        return before
    return limits.expression() or formula


def _read_relevant(edited: QuestionForm, form_data: FormData) -> str:
    """Return the condition that was chosen, or the formula; the cell if neither was changed."""
    formula = tidy(form_data.get("relevant", edited.cell("relevant")))
    if "when_question" not in form_data:
        return formula
    question = form_data["when_question"]
    operator = form_data.get("when_how", "")
    value = form_data.get("when_value", "").strip()
    if not _is_condition_changed(edited.condition, question, operator, value):
        return formula
    is_question = any(question == name for name, _ in edited.others)
    if is_question and operator in OPERATORS:
        return SimpleCondition(question, operator, value[:MAX_VALUE_LENGTH]).expression()
    if question == ALWAYS:
        return ""
    return formula


def _is_condition_changed(before: SimpleCondition | None, question: str, operator: str, value: str) -> bool:
    """Return whether a condition's fields were changed; None was shown as a formula."""
    if before is None:
        before = SimpleCondition()
        shown_question = ""
    else:
        shown_question = before.question or ALWAYS
    if question != shown_question:
        return True
    # Without a question the other two fields say nothing.
    if question in (ALWAYS, ""):
        return False
    return operator != before.operator or value != one_line(before.value)
