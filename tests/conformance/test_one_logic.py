"""The same logic on phone and server: vectors, forms made by chance, and random answers to the programme's own forms."""

import random
from typing import Any

import pytest

from forms.definition import FormDefinition
from forms.problems import FormRefused
from forms.validation import ValidationResult, validate
from forms.xlsform import compile_workbook
from tests.conformance.filling import filled
from tests.conformance.harness import (
    HERE,
    NOW,
    all_vectors,
    differs,
    expected,
    moment,
    on_phone,
    on_server,
    read,
)
from tests.conformance.random_forms import Maker, answers, steps
from tests.programme import FORMS, definition_of

VECTORS = all_vectors()
RULES = ("answers.required", "answers.type", "answers.constraint")
CASES = 10_000


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["expression"][:80])
def test_server_passes_vector(vector: dict[str, Any]) -> None:
    assert on_server(vector) == expected(vector)


@pytest.mark.slow
def test_phone_passes_every_vector() -> None:
    results = on_phone(VECTORS)
    wrong = [(v["expression"], r, expected(v)) for v, r in zip(VECTORS, results, strict=True) if r != expected(v)]
    assert not wrong


def test_every_difference_from_other_engines_has_its_reason() -> None:
    """JavaRosa and Enketo's evaluator answered the same vectors; where we answer otherwise, we say why."""
    goldens = read(HERE / "goldens.json")
    reasons = {(one["expression"], one.get("at")): one["why"] for one in read(HERE / "differences.json")}
    assert [one["expression"] for one in goldens] == [vector["expression"] for vector in VECTORS], "run make goldens"
    found = {
        (vector["expression"], vector.get("at"))
        for vector, golden in zip(VECTORS, goldens, strict=True)
        if differs(vector, golden["javarosa"]) or differs(vector, golden["enketo"])
    }
    assert found == set(reasons)
    assert all(len(why) > 15 for why in reasons.values())


def problems_of(checked: ValidationResult) -> list[str]:
    return sorted(f"{one.path} {one.code.split('.')[1]}" for one in checked.problems if one.code in RULES)


def random_form(chance: random.Random) -> FormDefinition:
    """Return the first form made by chance that compiles; circles and the like are refused, as they should be."""
    while True:
        try:
            return compile_workbook(Maker(chance).form().encode(), ".md").definition
        except FormRefused as refused:
            codes = {problem.code for problem in refused.problems if problem.severity == "error"}
            assert codes <= {"form.circle", "form.repeat_reference", "form.own_answer"}, refused


@pytest.mark.slow
def test_phone_and_server_agree_on_forms_and_answers_made_by_chance() -> None:
    """What a phone computes step by step is what it computes at once, and what the centre computes from the answers."""
    chance = random.Random(20261124)
    forms = [random_form(chance) for _ in range(125)]
    cases = [
        {
            "definition": number % len(forms),
            "answers": None,
            "steps": steps(forms[number % len(forms)], chance, 12),
            "now": NOW,
        }
        for number in range(CASES)
    ]
    now = moment({})
    for case, phone in zip(cases, filled(forms, cases), strict=True):
        form = forms[case["definition"]]
        checked = validate(form, phone["answers"], now)
        where = f"{form.to_json()}\n{case['steps']}\n{phone}"
        assert phone["isSettled"], where
        assert checked.answers == phone["answers"], where
        assert problems_of(checked) == phone["problems"], where
        assert not [one for one in checked.problems if one.code not in RULES], where


@pytest.mark.slow
def test_phone_and_server_agree_on_bad_answers_too() -> None:
    chance = random.Random(7)
    forms = [definition_of(name) for name in FORMS] + [random_form(chance) for _ in range(25)]
    cases = [
        {"definition": number % len(forms), "answers": answers(forms[number % len(forms)], chance), "now": NOW}
        for number in range(3000)
    ]
    now = moment({})
    for case, phone in zip(cases, filled(forms, cases), strict=True):
        checked = validate(forms[case["definition"]], case["answers"], now)
        assert checked.answers == phone["answers"], case
        assert problems_of(checked) == phone["problems"], case


@pytest.mark.slow
def test_what_the_phone_finishes_passes_at_the_centre() -> None:
    """A form without problems on the phone has none at the centre, calculations included."""
    chance = random.Random(11)
    now = moment({})
    accepted = 0
    for number in range(1500):
        form = definition_of(FORMS[number % len(FORMS)])
        first = validate(form, answers(form, chance), now)
        second = validate(form, first.answers, now)
        assert second.answers == first.answers
        assert not [problem for problem in second.problems if problem.code in ("answers.calculation", "answers.irrelevant")]
        accepted += not second.problems
    assert accepted > 0
