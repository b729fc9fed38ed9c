"""Which of a centre's forms has a role, and what is read from the questions of such forms."""

from collections.abc import Sequence

from fieldapp.services.definitions import load_definition
from fieldapp.services.problems import N_
from fieldapp.store.forms import versions
from fieldapp.store.products import products
from fieldapp.store.session import Session
from forms.definition import Choice, FormDefinition
from forms.problems import FormProblem
from forms.role_reader import find_missing_roles
from forms.roles import ROLE_COLUMN, FormRole, QuestionRole, Reader

ALWAYS_ON = frozenset(
    {Reader.BOARD, Reader.CASELOAD, Reader.CONSENT, Reader.PHONE}
)  # the others are switched on, product by product
MAPS = ("hot_spots_week", "hot_spots_month")


def list_newest(session: Session, centre_id: int) -> list[FormDefinition]:
    """Return the newest version of each form, withdrawn or not: their records stay."""
    return [load_definition(version) for version in versions.newest(session, centre_id)]


def list_forms_with_role(session: Session, centre_id: int, role: FormRole) -> list[FormDefinition]:
    """Return the newest version of each form with a role."""
    return [definition for definition in list_newest(session, centre_id) if definition.role == role]


def find_area_list(session: Session, centre_id: int) -> str:
    """Return the list of neighbourhoods, to which outlines belong; "" when there is none."""
    definition = _find_form_with_areas(session, centre_id)
    question = definition.find_with_role(QuestionRole.AREA) if definition else None
    if question:
        return question.choices
    return ""


def list_areas(session: Session, centre_id: int) -> Sequence[Choice]:
    """Return the neighbourhoods that forms offer."""
    definition = _find_form_with_areas(session, centre_id)
    if definition:
        return definition.list_choices_of(QuestionRole.AREA)
    return ()


def _find_form_with_areas(session: Session, centre_id: int) -> FormDefinition | None:
    """Return the form for encounters; where that has no areas, the first form that has."""
    asking = [form for form in list_newest(session, centre_id) if form.list_choices_of(QuestionRole.AREA)]
    return next((form for form in asking if form.role == FormRole.ENCOUNTER), next(iter(asking), None))


def find_role_problems(session: Session, centre_id: int, definition: FormDefinition) -> list[FormProblem]:
    """Return why a form may not be published: what is switched on could not read it."""
    readers = set(ALWAYS_ON)
    if any(products.is_on(session, centre_id, name) for name in MAPS):
        readers.add(Reader.MAPS)
    problems = find_missing_roles(definition, readers)
    latest = versions.latest(session, centre_id, definition.id)
    before = ""
    if latest:
        before = load_definition(latest).role
    if before and definition.role != before:
        text = N_(
            "This form had the role “{role}” until now, and its records would no longer be found. Give it the role again."
        )
        problems.append(_make_form_problem("form.role_lost", text, before))
    others = (load_definition(version) for version in versions.current(session, centre_id))
    if definition.role and any(form.role == definition.role and form.id != definition.id for form in others):
        text = N_("Another form of the centre has the role “{role}”. Withdraw that one first.")
        problems.append(_make_form_problem("form.role_taken", text, definition.role))
    return problems


def _make_form_problem(code: str, text: str, role: str) -> FormProblem:
    return FormProblem(code, text, {"role": role}, sheet="settings", column=ROLE_COLUMN)
