"""How long answers are kept: what a form may say, and what it is told."""

import pytest

from forms.definition import FormDefinition
from forms.problems import FormProblem, FormRefused
from forms.retention import find_times
from forms.xlsform import compile_workbook

SHEETS = """
| survey |
| | type | name | retain::months | relevant | app_role | label::English (en) | privacy::class |
{rows}
| settings |
| | form_id | version | form_title | consent_why | retain_months |
| | x | 1 | X | nobody is asked in a test | {months} |
| choices |
| | list_name | name | label::English (en) |
| | yes_no | yes | Yes |
"""
DAY = "date | day | | | day | Day | operational |"


def compile_form(*rows: str, months: str = "") -> tuple[FormDefinition | None, list[FormProblem]]:
    lines = "\n".join(f"| | {row}" for row in rows)
    try:
        compiled = compile_workbook(SHEETS.format(rows=lines, months=months).encode(), ".md")
    except FormRefused as refused:
        return None, refused.problems
    return compiled.definition, compiled.warnings


def list_retain_problems(*rows: str, months: str = "") -> list[tuple[str, int | None]]:
    _, problems = compile_form(*rows, months=months)
    return [(problem.code, problem.row) for problem in problems if problem.code.startswith("retain.")]


@pytest.mark.parametrize(
    ("rows", "months", "problem"),
    [
        ([DAY, "text | a | 0 | | | A | free-text |"], "", ("retain.months", 3)),
        ([DAY, "text | a | 241 | | | A | free-text |"], "", ("retain.months", 3)),
        ([DAY, "text | a | 1.5 | | | A | free-text |"], "", ("retain.months", 3)),
        ([DAY, "text | a | soon | | | A | free-text |"], "", ("retain.months", 3)),
        ([DAY], "x", ("retain.months", 2)),
        ([DAY.replace("day | |", "day | 3 |", 1)], "", ("retain.lasting", 2)),
        (
            ["select_one yes_no | b | 3 | | | B | operational |", DAY.replace("day | | |", "day | | ${b} = 'yes' |", 1)],
            "",
            ("retain.lasting", 2),
        ),
        (
            [DAY, "select_one yes_no | b | 3 | | | B | operational |", "text | a | 4 | ${b} = 'yes' | | A | free-text |"],
            "",
            ("retain.reads", 3),
        ),
        (
            [DAY, "select_one yes_no | b | 3 | | | B | operational |", "begin_group | g | | ${b} = 'yes' | | G | |",
             "integer | a | | | | A | operational |", "end_group | | | | | | |"],
            "",
            ("retain.reads", 3),
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_time_is_named_with_its_row(
    rows: list[str], months: str, problem: tuple[str, int | None]
) -> None:
    assert list_retain_problems(*rows, months=months) == [problem]


def test_the_author_is_told_what_is_stored_longest() -> None:
    rows = [DAY, "text | a | 4.0 | | | A | free-text |", "integer | b | 30 | | | B | operational |"]
    definition, problems = compile_form(*rows)
    assert definition is not None
    (longest,) = [problem for problem in problems if problem.code == "retain.longest"]
    assert longest.severity == "warning"
    assert longest.details == {"months": "30", "name": "b", "count": "1"}


def test_a_form_without_times_is_told_nothing_and_its_text_for_phones_is_as_before() -> None:
    definition, problems = compile_form(DAY, "text | a | | | | A | free-text |")
    assert definition is not None
    assert not [problem for problem in problems if problem.code.startswith("retain.")]
    assert "retain_months" not in definition.to_json()


def test_times_are_those_of_the_question_else_its_group_else_the_form() -> None:
    rows = [
        DAY, "begin_group | g | 6 | | | G | |", "text | a | | | | A | free-text |", "text | b | 2 | | | B | free-text |",
        "end_group | | | | | | |", "integer | c | | | | C | operational |",
    ]  # fmt: skip
    definition, _ = compile_form(*rows, months="24")
    assert definition is not None
    read_again = FormDefinition.from_json(definition.to_json())
    assert read_again == definition
    times = find_times(read_again)
    months = {element.name: times.get(element) for element in read_again.elements}
    assert months == {"day": 0, "g": 0, "a": 6, "b": 2, "c": 24}
    assert times.list_used() == [2, 6, 24]
