"""Forms that may be about people and ask nobody for consent: they need a reason."""

from collections.abc import Sequence

from fieldapp.paths import PROGRAM
from fieldapp.services.definitions import load_definition
from fieldapp.services.forms.roles import find_role_problems
from fieldapp.services.problems import N_
from fieldapp.store.forms import versions
from fieldapp.store.session import Session
from forms.builder import WorkbookEditor
from forms.consent_linter import WHY_SETTING
from forms.definition import FormDefinition
from forms.privacy import read_written_class
from forms.privacy_classes import PrivacyClass
from forms.problems import FormProblem, FormRefused
from forms.question_type import AnswerKind
from forms.roles import ROLE_COLUMN, QuestionRole
from forms.sheets import read_sheets

ASKS_NOBODY = "draft.asks_nobody"  # the code of the problem that nobody is asked, without a reason
ASKS_NOBODY_TEXT = N_(
    "This form asks about people and asks nobody for consent. Add the consent questions, or write in its settings "
    "on whose decision nobody is asked."
)


def needs_reason(session: Session, centre_id: int, definition: FormDefinition, book: WorkbookEditor) -> bool:
    """Say whether a form lacks a reason, and is not in use without one.

    One that is goes on.
    """
    return lacks_reason(definition, book) and not _is_in_use_without(session, centre_id, definition.id)


def lacks_reason(definition: FormDefinition, book: WorkbookEditor) -> bool:
    """Say whether a form may be about people and asks nobody, without a reason.

    A question is about people unless it is operational, a day or the area: without a card code, too, it may hold what
    somebody told. Nothing stops such an answer from being stored after a no.
    """
    return _is_about_people(definition) and not book.setting(WHY_SETTING)


def list_publish_problems(
    session: Session, centre_id: int, definition: FormDefinition, book: WorkbookEditor, workbook: bytes
) -> Sequence[FormProblem]:
    """Return every reason why a centre cannot publish a form that has no errors.

    The program's own forms need none for asking nobody.
    """
    problems = find_role_problems(session, centre_id, definition)
    if needs_reason(session, centre_id, definition, book) and not _is_of_program(workbook):
        problems.append(_make_problem())
    return problems


def list_reasons_to_come(session: Session, centre_id: int, book: WorkbookEditor) -> Sequence[FormProblem]:
    """Return what a form with errors will lack once they are corrected.

    As far as its rows say it.
    """
    lines = book.lines()
    asks = book.setting(f"summary_{QuestionRole.TIER}") or any(
        line.row.cells.get(ROLE_COLUMN) == QuestionRole.TIER for line in lines
    )
    if asks or book.setting(WHY_SETTING) or _is_in_use_without(session, centre_id, book.setting("form_id")):
        return []
    for line in lines:
        question_type = line.row.question_type
        is_day = question_type is not None and question_type.answer in (AnswerKind.DATE, AnswerKind.TIME)
        is_area = line.row.cells.get(ROLE_COLUMN) == QuestionRole.AREA
        is_about_work = read_written_class(line.row) in ("", PrivacyClass.OPERATIONAL) or is_day or is_area
        if question_type is not None and question_type.is_on_screen and not is_about_work:
            return [_make_problem()]
    return []


def _is_in_use_without(session: Session, centre_id: int, form: str) -> bool:
    """Say whether the newest version of a form lacks a reason."""
    published = versions.latest(session, centre_id, form)
    if published is None:
        return False
    if not _is_about_people(load_definition(published)):
        return False
    try:
        return not WorkbookEditor(read_sheets(published.workbook, ".xlsx")).setting(WHY_SETTING)
    except FormRefused:
        return True  # nothing that can be read says why


def _is_about_people(definition: FormDefinition) -> bool:
    """Say whether a form that asks nobody has a question that may be about people."""
    if definition.find_with_role(QuestionRole.TIER) is not None:
        return False
    area = definition.summary.get(QuestionRole.AREA)
    for element in definition.elements:
        is_day = element.answer_kind in (AnswerKind.DATE, AnswerKind.TIME)
        is_about_work = element.privacy in ("", PrivacyClass.OPERATIONAL) or is_day or element.path == area
        if element.is_answered and element.is_on_screen and not is_about_work:
            return True
    return False


def _is_of_program(workbook: bytes) -> bool:
    return any(path.read_bytes() == workbook for path in PROGRAM.glob("*.xlsx"))


def _make_problem() -> FormProblem:
    return FormProblem(ASKS_NOBODY, ASKS_NOBODY_TEXT, sheet="settings", column=WHY_SETTING)
