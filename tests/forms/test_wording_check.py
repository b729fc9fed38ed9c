"""What people hear before they say yes is easy, and whole in each language; who writes it is told otherwise."""

import dataclasses

import pytest

from forms.definition import FormDefinition
from forms.problems import FormProblem
from forms.wording_check import find_languages_behind
from forms.xlsform import compile_workbook
from tests.programme import FORMS, compiled_of

HARD = (
    "The organization administers a longitudinal evaluation infrastructure whose participating institutions "
    "systematically disaggregate pseudonymized information in accordance with all applicable provincial legislation."
)
DIFFICILE = (
    "L’organisation administre une infrastructure d’évaluation longitudinale dont les établissements participants "
    "désagrègent systématiquement des renseignements pseudonymisés conformément à la législation applicable en vigueur."
)
EASY = (
    "We write down a few things so we can help you. You can say no. We still help you then. You can say yes to a part of it."
)
FACILE = (
    "Nous notons peu de choses pour vous aider. Vous pouvez dire non. Nous vous aidons quand même. C’est à vous de voir."
)
SHEETS = """| survey | | | | | | | | |
| | type | name | label::English (en) | label::French (fr) | label::Somali (so) | required | privacy::class | privacy::export |
| | begin_group | ask | Consent | Accord | | | | |
| | note | script | {en} | {fr} | {so} | | | |
| | select_one tier | tier | May we? | On peut? | {so_tier} | yes | sensitive | keep |
| | end_group | | | | | | | |
| choices | | | | | |
| | list_name | name | label::English (en) | label::French (fr) | label::Somali (so) |
| | tier | 0 | No | Non | {so_no} |
| | tier | 1 | Yes | Oui | {so_yes} |
| settings | | | |
| | form_id | version | summary_tier |
| | t | {version} | tier |
"""


def compile_words(
    en: str = EASY, fr: str = FACILE, so: str = "", so_tier: str = "", so_no: str = "", so_yes: str = "", version: str = "1"
) -> tuple[FormDefinition, list[FormProblem]]:
    words = {"en": en, "fr": fr, "so": so, "so_tier": so_tier, "so_no": so_no, "so_yes": so_yes, "version": version}
    compiled = compile_workbook(SHEETS.format(**words).encode(), ".md")
    found = [problem for problem in compiled.warnings if problem.code == "consent.wording"]
    assert {problem.severity for problem in found} <= {"warning"}, "a form does not wait for a translator"
    return compiled.definition, found


@pytest.mark.parametrize(("words", "language"), [({"en": HARD}, "en"), ({"fr": DIFFICILE}, "fr")])
def test_hard_words_are_told_with_their_language_and_place(words: dict[str, str], language: str) -> None:
    _, (problem,) = compile_words(**words)
    assert (problem.row, problem.details["language"], problem.details["name"]) == (3, language, "script")
    assert float(problem.details["grade"]) > 6 and f"({language})" in str(problem)


def test_easy_words_are_not_and_a_language_that_nobody_can_count_is_not_counted() -> None:
    assert compile_words()[1] == []
    assert compile_words(so=HARD, so_tier="Ma?", so_no="Maya", so_yes="Haa")[1] == []


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ({"so": "Waad diidi kartaa."}, {(4, "tier")}),
        ({"so_yes": "Haa"}, {(3, "script"), (4, "tier")}),
        ({"so": "Waad.", "so_tier": "Ma?", "so_no": "Maya"}, {(4, "tier")}),  # one answer only
        ({"so": "Waad.", "so_tier": "Ma?", "so_no": "Maya", "so_yes": "Haa"}, set()),
    ],
)
def test_a_language_that_people_hear_only_in_part_is_told(words: dict[str, str], places: set[tuple[int, str]]) -> None:
    found = compile_words(**words)[1]
    assert {(problem.row, problem.details["name"]) for problem in found} == places
    assert {problem.details["language"] for problem in found} <= {"so"}


def test_a_change_in_one_language_only_is_told_before_it_is_published() -> None:
    before = compile_words()[0]
    changed = compile_words(en=EASY + " We also count you.", version="2")[0]
    (change,) = find_languages_behind(before, changed)
    assert (change.name, change.details["languages"]) == ("script", "fr")
    both = compile_words(en=EASY + " We also count you.", fr=FACILE + " Nous vous comptons.", version="2")[0]
    assert list(find_languages_behind(before, both)) == []
    assert list(find_languages_behind(before, dataclasses.replace(before, version="3"))) == []


@pytest.mark.parametrize("form", FORMS)
def test_the_programs_own_words_are_easy_and_whole(form: str) -> None:
    assert [str(problem) for problem in compiled_of(form).warnings if problem.code == "consent.wording"] == []
