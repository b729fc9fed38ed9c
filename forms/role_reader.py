"""Read the roles that a workbook gives, and say what is wrong with them or missing."""

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from forms.definition import Element, FormDefinition
from forms.problems import N_, FormProblem
from forms.roles import (
    MINUTES_COLUMN,
    NEEDS,
    QUESTION_ROLES,
    ROLE_COLUMN,
    ChoiceRole,
    FormRole,
    QuestionRole,
    Reader,
    ReaderNeeds,
)
from forms.workbook import Row, Workbook, row_problem


@dataclass(frozen=True)
class GivenRoles:
    """The roles in a workbook: of the form, and of its questions by role → path."""

    form: str
    questions: dict[str, str]
    problems: list[FormProblem]


def read_roles(workbook: Workbook, elements: Sequence[Element]) -> GivenRoles:
    """Return the roles of a form and its questions, with everything that is wrong with them."""
    roles = _RoleReader(workbook, elements)
    roles.read_settings()
    roles.read_survey()
    roles.read_choices()
    return GivenRoles(roles.form, roles.questions, roles.problems)


class _RoleReader:
    """Collects roles; what is wrong with them goes to `problems`."""

    def __init__(self, workbook: Workbook, elements: Sequence[Element]):
        self.workbook = workbook
        self.elements = {element.path: element for element in elements}
        self.form = ""
        self.questions: dict[str, str] = {}
        self.problems: list[FormProblem] = []

    def read_settings(self) -> None:
        """Read the form's own role, and the questions of settings such as summary_day."""
        settings = self.workbook.settings
        written = settings.get(ROLE_COLUMN, "")
        if written and written not in list(FormRole):
            text, details = _make_unknown(written, FormRole)
            self.report_setting("form.role_unknown", text, details, ROLE_COLUMN)
        elif written:
            self.form = written
        paths = {element.name: element.path for element in self.elements.values() if element.is_answered}
        for role in QuestionRole:
            column = f"summary_{role}"
            name = settings.get(column, "")
            if name in paths:
                self.questions[role.value] = paths[name]
                if text := self.find_obstacle(role, paths[name]):
                    self.report_setting("form.role_type", text, {"role": role, "name": name}, column)
            elif name:
                text = N_("There is no question “{name}” to refer to.")
                self.report_setting("form.reference", text, {"name": name}, column)

    def read_survey(self) -> None:
        """Read the roles of questions; one may have several, with spaces between them."""
        for row in self.workbook.survey:
            for written in row.cells.get(ROLE_COLUMN, "").split():
                self.read_question_role(row, written)

    def read_question_role(self, row: Row, written: str) -> None:
        if written not in list(QuestionRole):
            text, details = _make_unknown(written, QuestionRole)
            self.problems.append(row_problem("form.role_unknown", text, row, ROLE_COLUMN, **details))
            return
        role = QuestionRole(written)
        before = self.questions.setdefault(role.value, row.path)
        # Read once in a record: with two answers there would be no saying which one counts.
        if before != row.path:
            text = N_("The role “{role}” is given to two questions: “{other}” and “{name}”. Keep one of them.")
            other = before.rsplit("/", 1)[-1]
            details = {"role": written, "other": other, "name": row.name}
            self.problems.append(row_problem("form.role_twice", text, row, ROLE_COLUMN, **details))
        elif text := self.find_obstacle(role, row.path) or self.find_repeat(row.path):
            self.problems.append(row_problem("form.role_type", text, row, ROLE_COLUMN, role=written, name=row.name))

    def find_obstacle(self, role: QuestionRole, path: str) -> str:
        """Return why a question cannot have a role; "" when it can."""
        element = self.elements.get(path)
        if element is None or element.kind != "question":
            return N_("“{name}” is no question, so it cannot have the role “{role}”.")
        if element.answer_kind not in QUESTION_ROLES[role].answers:
            return N_("“{name}” is not of a type that the role “{role}” can be read from.")
        return ""

    def find_repeat(self, path: str) -> str:
        """Return why a question in a repeat cannot have a role; "" where it is in none."""
        # A repeat has many answers, and who reads a role takes one.
        element = self.elements.get(path)
        while element is not None and element.kind != "repeat":
            element = self.elements.get(element.parent)
        return N_("“{name}” is in a repeat, and the role “{role}” is read once in a record.") if element else ""

    def read_choices(self) -> None:
        """Check the roles and minutes of choices, which keep them as data."""
        for number, cells in self.workbook.choices:
            for written in cells.get(ROLE_COLUMN, "").split():
                if written not in list(ChoiceRole):
                    text, details = _make_unknown(written, ChoiceRole)
                    self.report_choice("form.role_unknown", text, details, number, ROLE_COLUMN)
            minutes = cells.get(MINUTES_COLUMN, "")
            if minutes and not minutes.isdecimal():
                text = N_("“{minutes}” is not a number of minutes.")
                self.report_choice("form.role_type", text, {"minutes": minutes}, number, MINUTES_COLUMN)

    def report_setting(self, code: str, text: str, details: dict[str, str], column: str) -> None:
        number = self.workbook.settings_number
        self.problems.append(FormProblem(code, text, details, "settings", number, column))

    def report_choice(self, code: str, text: str, details: dict[str, str], number: int, column: str) -> None:
        self.problems.append(FormProblem(code, text, details, "choices", number, column))


def _make_unknown(written: str, roles: type[StrEnum]) -> tuple[str, dict[str, str]]:
    """Return the sentence about a role that nobody knows, with the nearest one that there is."""
    near = difflib.get_close_matches(written, list(roles), 1)
    if near:
        return N_("“{role}” is not a role. Did you mean “{near}”?"), {"role": written, "near": near[0]}
    return N_("“{role}” is not a role. Use one of: {roles}."), {"role": written, "roles": ", ".join(roles)}


MISSING = {
    Reader.CONSENT: N_("What people say about consent could not be read from this form. It lacks these roles: {roles}."),
    Reader.BOARD: N_("The board could not read this form. It lacks these roles: {roles}."),
    Reader.CASELOAD: N_("The caseload could not read this form. It lacks these roles: {roles}."),
    Reader.PHONE: N_("Phones could not read this form. It lacks these roles: {roles}."),
    Reader.MAPS: N_("The hot-spot maps could not read this form. It lacks these roles: {roles}."),
}


def find_missing_roles(definition: FormDefinition, readers: Collection[Reader]) -> list[FormProblem]:
    """Return what keeps readers from reading a form with its role, one problem a reader."""
    problems = []
    for needs in NEEDS:
        # Only of products that are switched on: a centre without maps need not ask for a
        # neighbourhood.
        if needs.form in (None, definition.role) and needs.reader in readers:
            missing = [*_iterate_missing(definition, needs)]
            if missing:
                details = {"roles": ", ".join(missing)}
                text = MISSING[needs.reader]
                problems.append(FormProblem("form.role_missing", text, details, column=ROLE_COLUMN))
    return problems


def _iterate_missing(definition: FormDefinition, needs: ReaderNeeds) -> Iterator[str]:
    """Yield the roles that a reader needs and a form lacks; of choices as question/choice."""
    for role in needs.questions:
        if role not in definition.summary:
            yield role.value
    for question, choice in needs.choices:
        # A choice is needed only where the question is there; without the question the role is
        # simply not used.
        if question in definition.summary and not definition.list_choices_with_role(question, choice):
            yield f"{question}/{choice}"
