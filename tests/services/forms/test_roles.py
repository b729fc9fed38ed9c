"""Roles: a form that what is switched on could not read is refused, and forms from before there were roles go on working."""

import dataclasses
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.definitions import load_definition
from fieldapp.services.earlier_roles import give_roles
from fieldapp.services.forms.published import publish_form, withdraw_form
from fieldapp.services.problems import ActProblem
from fieldapp.services.products.registry import switch_product
from forms.definition import Choice, Compiled, FormDefinition
from forms.roles import ChoiceRole, QuestionRole
from tests import programme
from tests.cast import Cast
from tests.programme import FORMS, compiled_of, workbook_of


def _publish(session: Session, cast: Cast, definition: FormDefinition) -> None:
    compiled = Compiled(definition, compiled_of("incident").xform, [])
    publish_form(session, cast.system, compiled=compiled, workbook=workbook_of("incident"))


def _without_role(definition: FormDefinition, role: str) -> FormDefinition:
    summary = {key: path for key, path in definition.summary.items() if key != role}
    return dataclasses.replace(definition, version="next", summary=summary)


def _without_choice_roles(definition: FormDefinition) -> FormDefinition:
    choices = {name: tuple(map(_without_data, listed)) for name, listed in definition.choices.items()}
    return dataclasses.replace(definition, version="next", choices=choices)


def _without_data(choice: Choice) -> Choice:
    return Choice(choice.name, choice.label)


def _as_before(definition: FormDefinition) -> FormDefinition:
    """Return a form as it was stored before there were roles."""
    earlier = {"day", "area", "kind", "person", "due", "plan", "minutes", "tier", "status"}
    summary = {key: path for key, path in definition.summary.items() if key in earlier}
    return dataclasses.replace(_without_choice_roles(definition), version=definition.version, summary=summary, role="")


@pytest.mark.parametrize(
    ("change", "code", "lacks"),
    [
        (lambda form: _without_role(form, QuestionRole.ALERTED_AT), "form.role_missing", "alerted_at"),
        (lambda form: _without_role(form, QuestionRole.RETALIATION_RISK), "form.role_missing", "retaliation_risk"),
        (_without_choice_roles, "form.role_missing", "incident_status/ends_incident"),
        (lambda form: dataclasses.replace(form, version="next", role=""), "form.role_lost", "incident"),
        (lambda form: dataclasses.replace(form, id="other"), "form.role_taken", "incident"),
    ],
    ids=["a time", "the risk", "what its choices mean", "what it is for", "twice at a centre"],
)
def test_what_the_board_could_not_read_is_refused(
    session: Session, cast: Cast, change: Callable[[FormDefinition], FormDefinition], code: str, lacks: str
) -> None:
    whole = programme.definition_of("incident")
    _publish(session, cast, whole)
    with pytest.raises(ActProblem) as refused:
        _publish(session, cast, change(whole))
    assert refused.value.code == code
    assert lacks in ", ".join(refused.value.details.values())


def test_a_role_that_only_maps_read_is_needed_once_one_is_switched_on(session: Session, cast: Cast) -> None:
    without_area = _without_role(programme.definition_of("encounter"), QuestionRole.AREA)
    _publish(session, cast, without_area)
    switch_product(session, cast.rosa, name="hot_spots_week", is_on=True)
    with pytest.raises(ActProblem, match="maps"):
        _publish(session, cast, dataclasses.replace(without_area, version="later"))


def test_a_role_is_free_again_when_its_form_is_withdrawn(session: Session, cast: Cast) -> None:
    whole = programme.definition_of("incident")
    first = publish_form(session, cast.system, compiled=compiled_of("incident"), workbook=workbook_of("incident"))
    withdraw_form(session, cast.rosa, version_id=first.id)
    _publish(session, cast, dataclasses.replace(whole, id="other"))


# What no form of before has: what `consent::keep` reads, and two noes.
YOUNGER = {
    QuestionRole.CONSENT_CONTACT,
    QuestionRole.CONSENT_SHARING,
    QuestionRole.INTAKE_DAY,
    QuestionRole.CLOCK_MOVED,
}


@pytest.mark.parametrize("form", [form for form in FORMS if "follow_up" not in form])  # younger than roles
def test_a_form_from_before_there_were_roles_has_them_all_the_same(one_no: None, form: str) -> None:
    now = programme.definition_of(form)
    given = give_roles(_as_before(now))
    assert given.role == now.role
    assert given.summary == {role: path for role, path in now.summary.items() if role not in YOUNGER}
    assert give_roles(now) == now
    for role in given.summary:
        before = {choice.name: set(choice.roles) for choice in given.list_choices_of(role)}
        after = {choice.name: set(choice.roles) - {"stands_alone"} for choice in now.list_choices_of(role)}  # younger
        assert before == after, role


def test_a_form_from_before_goes_on_at_its_centre_under_its_own_hash(session: Session, cast: Cast) -> None:
    before = _as_before(programme.definition_of("shift"))
    stored = publish_form(
        session, cast.system, compiled=Compiled(before, compiled_of("shift").xform, []), workbook=workbook_of("shift")
    )
    assert stored.sha256 == before.sha256
    read = load_definition(stored)
    assert read.role == "shift" and read.list_choices_with_role(QuestionRole.KIND, ChoiceRole.CALL_FOR_HELP)
    again = publish_form(
        session, cast.system, compiled=Compiled(before, compiled_of("shift").xform, []), workbook=workbook_of("shift")
    )
    assert again.id == stored.id


def test_who_did_not_understand_has_not_said_yes_in_any_form() -> None:
    own = dataclasses.replace(_as_before(programme.definition_of("encounter")), id="own", role="encounter")
    given = give_roles(own)
    assert QuestionRole.CONSENT_UNDERSTOOD in given.summary
    assert [choice.name for choice in given.list_choices_with_role("consent_understood", ChoiceRole.YES)] == ["yes"]
