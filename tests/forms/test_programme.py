"""The programme's forms, as centres get them."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from forms import definition as definition_module
from forms.privacy_classes import PrivacyClass
from forms.validation import validate
from sync.intake import local_time
from tests.cast import encounter
from tests.programme import FOLDER, FORMS, compiled_of, definition_of, workbook_of

UNSEEN = ("calculate", "hidden")
EXPECTED = {
    "encounter": 20,
    "mediation": 22,
    "mediation_follow_up": 4,
    "incident": 21,
    "incident_follow_up": 8,
    "referral": 12,
    "event": 11,
    "participant": 30,
    "shift": 6,
}


@pytest.mark.slow
def test_the_workbooks_are_those_that_the_sources_give(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(FOLDER.parent.parent / "tools/build_forms.py"), str(tmp_path)], check=True)
    for form in FORMS:
        assert (tmp_path / f"{form}.xlsx").read_bytes() == workbook_of(form), f"{form}: run make forms"


@pytest.mark.parametrize("form", FORMS)
def test_every_question_is_classified_and_in_english_and_french(form: str) -> None:
    compiled = compiled_of(form)
    heard = {"ar", "so", "es", "ta", "pt"}  # on the consent card; the rest falls back, and the phone says so
    assert {problem.code for problem in compiled.warnings} <= {"form.language"}
    definition = compiled.definition
    assert set(definition.title) == {"en", "fr"}
    asked = [element for element in definition.elements if element.kind == "question" and element.type not in UNSEEN]
    assert len(asked) >= EXPECTED[form]
    for element in definition.elements:
        if element.is_answered:
            assert element.privacy in list(PrivacyClass), element.path
        if element.type not in UNSEEN:
            assert set(element.label) - heard == {"en", "fr"}, element.path
        if element.constraint:
            assert set(element.constraint_message) == {"en", "fr"}, element.path
    for choices in definition.choices.values():
        assert all(set(choice.label) - heard == {"en", "fr"} for choice in choices)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_definitions_keep_the_contract_with_phones(form: str) -> None:
    schema = json.loads((Path(definition_module.__file__).parent / "definition.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(definition_of(form).to_json()))


@pytest.mark.parametrize("form", ["encounter", "referral"])
def test_forms_that_meet_a_person_carry_the_consent_group(form: str) -> None:
    names = {element.name for element in definition_of(form).children["/data/consent"]}
    assert names >= {"script", "said", "understood", "tier_said", "tier"}
    assert "receipt_given" not in names  # there is no slip yet


def problems(**changes: dict[str, str]) -> list[str]:
    answers = encounter(dt.date(2026, 3, 8), **changes)
    checked = validate(definition_of("encounter"), answers, local_time(dt.datetime(2026, 3, 8, 22)))
    return [f"{problem.path} {problem.code}" for problem in checked.problems]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (
            {
                "people": {"who": "enrolled", "code": "K7QM-3RXDQ"},
                "consent": {"said": "as_before", "known_tier": "2", "tier_said": "2"},
            },
            [],
        ),
        (
            {
                "people": {"who": "enrolled", "code": "K7QM3RXDQ"},
                "consent": {"said": "as_before", "known_tier": "2", "tier_said": "2"},
            },
            [],
        ),
        (
            {
                "people": {"who": "enrolled", "code": "K7QM-3RXD0"},
                "consent": {"said": "as_before", "known_tier": "2", "tier_said": "2"},
            },
            ["people.code answers.constraint"],
        ),
        (
            {
                "people": {"who": "enrolled", "code": "K7QM-3RXMQ"},
                "consent": {"said": "as_before", "known_tier": "2", "tier_said": "2"},
            },
            ["people.code answers.constraint"],
        ),
        ({"people": {"who": "new_person"}}, ["consent.said answers.required"]),
        ({"talk": {"people_n": "0"}}, ["talk.people_n answers.constraint"]),
        ({"when_where": {"enc_date": "2026-03-09"}}, ["when_where.enc_date answers.constraint"]),
        ({"when_where": {"enc_date": "2026-02-21"}}, ["when_where.enc_date answers.constraint"]),
        ({"when_where": {"enc_date": "2026-02-22"}}, []),
        ({"when_where": {"nbhd": "014"}}, ["when_where.nbhd answers.type"]),
        ({"next": {"note": "x" * 281}}, ["next.note answers.constraint"]),
    ],
)
def test_the_encounters_rules(changes: dict[str, dict[str, str]], expected: list[str]) -> None:
    assert problems(**changes) == expected


@pytest.mark.parametrize(
    ("consent", "tier"),
    [
        ({"said": "read_out", "understood": "yes", "tier_said": "2"}, "2"),
        ({"said": "read_out", "understood": "no"}, "0"),
        ({"said": "not_asked"}, "0"),
        ({"said": "as_before", "known_tier": "3", "tier_said": "3"}, "3"),
    ],
)
def test_unanswered_consent_is_tier_0(consent: dict[str, str], tier: str) -> None:
    answers = encounter(people={"who": "new_person"}, consent=consent)
    assert answers["consent"]["tier"] == tier


def test_irrelevant_answers_are_erased_not_hidden() -> None:
    answers = encounter(people={"who": "group", "code": "K7QM-3RXDQ"}, consent={"said": "not_asked"})
    assert "code" not in answers["people"]
    assert "consent" not in answers


@pytest.mark.parametrize("form", ["encounter", "referral"])
def test_the_consent_card_speaks_the_programmes_languages(form: str) -> None:
    definition = definition_of(form)
    spoken = {"en", "fr", "ar", "so", "es", "ta", "pt"}
    for name in ("script", "understood", "tier_said"):
        assert set(definition.by_path[f"/data/consent/{name}"].label) == spoken
    assert all(set(choice.label) == spoken for choice in definition.choices["tier"])


def _judge_shift(start: str, end: str, finished_at: str, moved: str = "") -> tuple[list[str], str]:
    """Return which answers of a shift are refused, and its hours."""
    answers = {"start": start, "end": end, "areas": "001", "team_n": "1", **({"clock_minutes": moved} if moved else {})}
    moment = local_time(dt.datetime.fromisoformat(finished_at))
    result = validate(definition_of("shift"), {"shift": answers}, moment)
    return [problem.path for problem in result.problems if problem.path.endswith(("start", "end"))], result.answers["shift"][
        "hours"
    ]


def test_a_shift_is_as_long_as_it_was_in_the_nights_in_which_clocks_change() -> None:
    over = ("2026-10-31T22:00:00.000", "2026-11-01T06:00:00.000", "2026-11-01T06:01:00-05:00")
    assert _judge_shift(*over) == ([], "8")  # of a phone that says nothing of it
    assert _judge_shift(*over, moved="-60") == ([], "9")
    spring = ("2026-03-07T22:00:00.000", "2026-03-08T06:00:00.000", "2026-03-08T06:01:00-04:00")
    assert _judge_shift(*spring, moved="60") == ([], "7")
    within = ("2026-11-01T01:40:00.000", "2026-11-01T01:20:00.000", "2026-11-01T01:20:30-05:00")
    assert _judge_shift(*within, moved="-60") == ([], "0.7")
    refused, _ = _judge_shift(*within)
    assert refused == ["shift.start", "shift.end"]
    day = ("2026-10-31T09:00:00.000", "2026-11-01T09:00:00.000", "2026-11-01T09:00:30-05:00")
    assert _judge_shift(*day)[0] == []
    assert _judge_shift(*day, moved="-60")[0] == ["shift.end"]  # 25 hours
