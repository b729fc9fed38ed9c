"""Choices that stand alone: refused together with others by the centre and the phone, in the form's languages."""

import json
from typing import Any

import pytest

from forms.definition import FormDefinition
from forms.validation import validate
from forms.xlsform import compile_workbook
from tests.forms.small_forms import NOW
from tests.programme import definition_of

FORM = """| survey | | | | | |
| | type | name | label::English (en) | label::French (fr) | privacy | constraint | constraint_message::English (en) |
| | select_multiple seen | seen | Seen | Vu | operational | {own} | {message} |
| | select_one seen | last | Last | Dernier | operational | | |
| choices | | | | | |
| | list_name | name | label::English (en) | label::French (fr) | app_role |
| | seen | police | Police | Police | |
| | seen | medic | Medics | Secours | |
| | seen | none | Nobody | Personne | stands_alone |
| | seen | unknown | Unknown | Inconnu | stands_alone |
| settings | | | | | |
| | form_id | version | consent_why | | |
| | t | 1 | nobody is asked in a test | | |
"""


def _compile(own: str = "", message: str = "") -> FormDefinition:
    return compile_workbook(FORM.format(own=own, message=message).encode(), ".md").definition


def _find_problems(definition: FormDefinition, seen: str) -> list[str]:
    answers: dict[str, Any] = {"seen": seen}
    return [problem.code for problem in validate(definition, answers, NOW).problems]


@pytest.mark.parametrize("seen", ["none police", "police none", "none unknown", "police medic unknown"])
def test_none_is_refused_beside_anything_else(seen: str) -> None:
    assert _find_problems(_compile(), seen)


@pytest.mark.parametrize("seen", ["", "none", "unknown", "police", "police medic"])
def test_it_may_stand_alone_and_others_together(seen: str) -> None:
    assert not _find_problems(_compile(), seen)


def test_the_message_names_the_choices_in_each_language() -> None:
    (question,) = [element for element in _compile().elements if element.name == "seen"]
    body = json.dumps(question.constraint_message, default=str, ensure_ascii=False)
    assert "Nobody / Unknown" in body and "cannot go with other answers." in body
    assert "«\u00a0Personne / Inconnu\u00a0» ne va pas avec" in body


def test_an_own_rule_and_its_message_stay() -> None:
    definition = _compile("count-selected(.) <= 1", "Choose one.")
    assert _find_problems(definition, "police medic") and _find_problems(definition, "none police")
    (question,) = [element for element in definition.elements if element.name == "seen"]
    assert "Choose one." in json.dumps(question.constraint_message, default=str)
    assert "other answers" not in json.dumps(question.constraint_message, default=str)


def test_the_program_has_no_answer_that_says_none_and_some() -> None:
    """What an outside look could send: nobody on scene, and the police; the team watched only, and calmed the crowd."""
    incident = definition_of("incident")
    answers = {
        "response": {"on_scene": "none police", "acts": "crowd_support monitor_only"},
        "after": {"supports": "none_yet"},
    }
    paths = {problem.path for problem in validate(incident, answers, NOW).problems}
    assert {"response.on_scene", "response.acts"} <= paths
    assert "after.supports" not in paths
