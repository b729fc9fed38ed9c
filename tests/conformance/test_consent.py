"""What consent reaches is kept, on phone and server alike: vectors, and forms made by chance."""

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from forms import keep
from forms.definition import FormDefinition
from forms.expressions import to_number
from forms.problems import FormRefused
from forms.validation import TOO_MUCH, validate
from forms.xlsform import compile_workbook
from tests.conformance.filling import filled
from tests.conformance.harness import HERE, NOW, moment, read
from tests.conformance.random_forms import CONSENT_CHOICES, Maker, answers, steps

HEAD = """
| survey |
| | type | name | consent::keep | consent::why | calculation | required | relevant | app_role | label::English (en) | privacy::class |
| | select_one who | who | | | | yes | | | Who? | operational |
| | text | code | | | | | | person | Code | identifier |
| | begin_group | consent | | | | | ${who} = 'one' | | Consent | |
| | select_one tier | said | | | | yes | | tier | May we? | sensitive |
| | select_one yes_no | contact | | | | | ${said} > 0 | consent_contact | Contact? | sensitive |
| | select_one yes_no | share | | | | | ${said} > 0 | consent_sharing | Share? | sensitive |
| | end_group | | | | | | | | | |
"""
TAIL = "| | help | yes | Yes | | |\n| | help | no | No | | |\n| settings |\n| | form_id | version |\n| | x | 1 |\n"
CARD = "K7QM3RXDQ"


# Where consent has two noes: one for today, and one for good that is offered under a condition.
TWO_ANSWERS = {
    "sensitive |\n| | select_one yes_no | contact": "sensitive | name != '-1' or ${who} = 'one' |\n| | select_one yes_no | contact",
    "privacy::class |": "privacy::class | choice_filter |",
    "| | tier | 0 | No | | consent_tier |": (
        "| | tier | 0 | Nothing today | | consent_tier nothing_today |\n| | tier | -1 | No more | | consent_tier no_more |"
    ),
}


def vector_form(rows: list[str], two_answers: bool = False) -> FormDefinition:
    """Return a form whose rows are: type | name | keep | why | calculation | required."""
    lines = []
    for row in rows:
        type_ = row.split("|", 1)[0].strip()
        label, privacy = "Label", "operational" if type_.startswith("select") else "free-text"
        if type_.startswith(("begin", "end")):
            privacy = ""
        if type_.startswith("end"):
            label = ""
        lines.append(f"| | {row} | | | {label} | {privacy} |")
    text = HEAD + "\n".join(lines) + "\n" + CONSENT_CHOICES + TAIL
    for old, new in TWO_ANSWERS.items() if two_answers else ():
        assert old in text
        text = text.replace(old, new, 1)
    return compile_workbook(text.encode(), ".md").definition


def typed_answers(case: Mapping[str, Any]) -> dict[str, Any]:
    return {"who": case.get("who", "one"), "code": CARD, "consent": case["consent"], **case["typed"]}


def vectors() -> list[dict[str, Any]]:
    return read(HERE / "consent.json")


def without_what_is_asked_anyway(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in ("who", "code", "consent")}


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_the_centre_keeps_what_consent_reaches(vector: dict[str, Any]) -> None:
    form = vector_form(vector["rows"], vector.get("two_answers", False))
    for case in vector["cases"]:
        found = validate(form, typed_answers(case), moment({}))
        assert without_what_is_asked_anyway(found.answers) == case["kept"], case
        again = validate(form, found.answers, moment({}))
        lacking = [problem.path for problem in again.problems if problem.code == "answers.required"]
        assert (again.answers, lacking) == (found.answers, case.get("lacks", []))
        assert ("code" in found.answers) != found.is_refusal
        assert found.refused_by == (CARD if found.is_refusal and case.get("is_for_good", True) else "")


@pytest.mark.slow
def test_the_phone_keeps_what_consent_reaches() -> None:
    forms = [vector_form(vector["rows"], vector.get("two_answers", False)) for vector in vectors()]
    cases = [(number, case) for number, vector in enumerate(vectors()) for case in vector["cases"]]
    given = [{"definition": number, "answers": typed_answers(case), "now": NOW} for number, case in cases]
    for (_, case), phone in zip(cases, filled(forms, given), strict=True):
        assert without_what_is_asked_anyway(phone["answers"]) == case["kept"], case
        is_no = "code" not in phone["answers"]
        assert phone["refused_by"] == (CARD if is_no and case.get("is_for_good", True) else ""), case


def test_what_consent_does_not_reach_is_named_and_not_kept() -> None:
    form = vector_form(["text | story | 2 | | | ", "calculate | secret | 2 | | concat('y', ${who}) | "])
    sent = {"who": "one", "code": CARD, "consent": {"said": "1"}, "story": "CANARY", "secret": "CANARY"}
    found = validate(form, sent, moment({}))
    assert found.is_above
    assert {(problem.code, problem.path) for problem in found.problems} == {(TOO_MUCH, "story"), (TOO_MUCH, "secret")}
    assert "CANARY" not in json.dumps(found.answers)
    allowed = validate(form, {**sent, "consent": {"said": "2"}, "secret": "yone"}, moment({}))
    assert (allowed.is_above, allowed.problems) == (False, [])


def random_form(chance: random.Random, has_logic: bool = True) -> FormDefinition:
    while True:
        try:
            return compile_workbook(Maker(chance).form_with_consent(has_logic).encode(), ".md").definition
        except FormRefused as refused:
            codes = {problem.code for problem in refused.problems if problem.severity == "error"}
            assert codes <= {"form.circle", "form.repeat_reference", "form.own_answer"}, refused


def random_answers(form: FormDefinition, chance: random.Random) -> dict[str, Any]:
    given = answers(form, chance)
    given["who"] = chance.choice(["one", "one", "many"])
    given["code"] = CARD
    given["block"] = {"said": chance.choice("0123"), "contact": chance.choice(["yes", "no", ""])}
    return given


def find_leaves(value: Any, path: str = "/data") -> Iterator[str]:
    """Yield the path of each answer, without positions in repeats."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, list):
        for instance in value:
            yield from find_leaves(instance, path)
    else:
        for name, inner in value.items():
            yield from find_leaves(inner, f"{path}/{name}")


def denied_in(form: FormDefinition, found: Mapping[str, Any]) -> frozenset[str]:
    block = found.get("block", {})
    if "block" not in found:
        return frozenset()
    return keep.list_denied(form, to_number(block.get("said", "")), lambda _: block.get("contact", ""))


@pytest.mark.slow
def test_what_a_phone_finishes_holds_nothing_above_its_consent_and_passes_at_the_centre() -> None:
    """Whatever was typed, and in whatever order; finished twice it is the same, and a saved draft holds no more."""
    chance = random.Random(20261129)
    forms = [random_form(chance) for _ in range(40)]
    cases: list[dict[str, Any]] = []
    for number in range(1600):
        form = forms[number % len(forms)]
        given = random_answers(form, chance)
        cases.append({"definition": number % len(forms), "answers": given, "steps": steps(form, chance, 6), "now": NOW})
    finished = filled(forms, cases)
    again = filled(
        forms, [{**case, "answers": one["answers"], "steps": []} for case, one in zip(cases, finished, strict=True)]
    )
    wrong = {"answers.irrelevant", "answers.calculation", TOO_MUCH}
    for case, phone, second in zip(cases, finished, again, strict=True):
        form = forms[case["definition"]]
        centre = validate(form, phone["answers"], moment({}))
        assert centre.answers == phone["answers"] == second["answers"]
        assert not [problem for problem in centre.problems if problem.code in wrong]
        denied = denied_in(form, phone["answers"])
        for path in find_leaves(phone["answers"]):
            assert form.keeps.get(path, frozenset()).isdisjoint(denied), (path, denied)
            if phone["answers"].get("block", {}).get("said") == "0":
                assert path in form.kept_after_no


@pytest.mark.slow
def test_a_lower_tier_keeps_no_more_than_a_higher_one() -> None:
    chance = random.Random(3)
    for _ in range(60):
        form = random_form(chance, has_logic=False)
        given = {**random_answers(form, chance), "who": "one"}
        before: set[str] = set()
        for tier in "0123":
            given["block"] = {"said": tier, "contact": given["block"].get("contact", "")}
            found = set(find_leaves(validate(form, given, moment({})).answers))
            found -= {element.path for element in form.elements if element.calculate is not None}
            assert before <= found
            before = found
