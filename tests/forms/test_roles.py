"""The roles that a workbook gives: read, and refused where they cannot be."""

import pytest

from forms.problems import FormProblem, FormRefused
from forms.role_reader import find_missing_roles
from forms.roles import FORM_ROLES, QUESTION_ROLES, ChoiceRole, FormRole, QuestionRole, Reader
from forms.xlsform import compile_workbook

FORM = """| survey | | | | | |
| | type | name | label | privacy | app_role |
| | dateTime | told | Told | operational | {told} |
| | select_one risk | risk | Risk | operational | {risk} |
| | text | words | Words | free-text | {words} |
| | begin_group | part | Part | | {part} |
| | note | hello | Hello | | |
| | end_group | | | | |
| choices | | | | | |
| | list_name | name | label | app_role | app_minutes |
| | risk | high | High | {high} | {minutes} |
| | risk | low | Low | | |
| settings | | | | | |
| | form_id | version | {setting} | | |
| | t | 1 | {value} | | |
"""


def _compile(**cells: str) -> object:
    blank = dict.fromkeys(("told", "risk", "words", "part", "high", "minutes", "value"), "") | {"setting": "app_role"}
    return compile_workbook(FORM.format(**{**blank, **cells}).encode(), ".md")


def _refusals(**cells: str) -> list[FormProblem]:
    with pytest.raises(FormRefused) as refused:
        _compile(**cells)
    return [problem for problem in refused.value.problems if problem.severity == "error"]


def test_questions_choices_and_the_form_have_the_roles_that_the_workbook_gives() -> None:
    compiled = compile_workbook(
        FORM.format(
            told="day alerted_at", risk="retaliation_risk", words="", part="", high="watch", minutes="", setting="app_role",
            value="incident",
        ).encode(),
        ".md",
    )  # fmt: skip
    form = compiled.definition
    assert form.role == "incident"
    assert form.summary == {"day": "/data/told", "alerted_at": "/data/told", "retaliation_risk": "/data/risk"}
    assert form.is_chosen({"risk": "high"}, QuestionRole.RETALIATION_RISK, ChoiceRole.WATCH)
    assert not form.is_chosen({"risk": "low"}, QuestionRole.RETALIATION_RISK, ChoiceRole.WATCH)
    (problem,) = find_missing_roles(form, [Reader.BOARD])
    assert problem.details["roles"].split(", ")[:2] == ["area", "kind"]
    assert find_missing_roles(form, [Reader.PHONE]) == []
    assert "app_role" not in compiled.xform.split("<h:body>")[1]


@pytest.mark.parametrize(
    ("cells", "code", "sheet", "said"),
    [
        ({"told": "alarmed_at"}, "form.role_unknown", "survey", "alerted_at"),
        ({"value": "accident"}, "form.role_unknown", "settings", "incident"),
        ({"high": "watched"}, "form.role_unknown", "choices", "watch"),
        ({"words": "alerted_at"}, "form.role_type", "survey", "words"),
        ({"part": "day"}, "form.role_type", "survey", "part"),
        ({"minutes": "ten"}, "form.role_type", "choices", "ten"),
        ({"setting": "summary_day", "value": "words"}, "form.role_type", "settings", "words"),
        ({"setting": "summary_day", "value": "nothing"}, "form.reference", "settings", "nothing"),
    ],
)
def test_a_role_that_cannot_be_read_is_refused(cells: dict[str, str], code: str, sheet: str, said: str) -> None:
    (problem,) = _refusals(**cells)
    assert (problem.code, problem.sheet) == (code, sheet)
    assert said in str(problem)


def test_a_role_of_two_questions_is_refused_also_where_a_setting_gives_it() -> None:
    (problem,) = _refusals(told="retaliation_risk", risk="retaliation_risk")[-1:]
    assert problem.code in ("form.role_twice", "form.role_type")
    (problem,) = _refusals(risk="kind", setting="summary_kind", value="words")
    assert problem.code == "form.role_twice" and problem.details["other"] == "words"


def test_a_role_in_a_repeat_is_refused() -> None:
    form = FORM.replace("begin_group | part", "begin_repeat | part").replace("end_group", "end_repeat")
    form = form.replace("| | note | hello | Hello | | |", "| | date | day | Day | operational | day |")
    blank = dict.fromkeys(("told", "risk", "words", "part", "high", "minutes", "value"), "") | {"setting": "app_role"}
    with pytest.raises(FormRefused, match="repeat"):
        compile_workbook(form.format(**blank).encode(), ".md")


def test_a_setting_and_a_column_may_say_the_same() -> None:
    assert _compile(risk="kind", setting="summary_kind", value="risk")


def test_every_role_says_what_it_means_and_who_reads_it() -> None:
    assert set(QUESTION_ROLES) == set(QuestionRole) and set(FORM_ROLES) == set(FormRole)
    assert all(rule.meaning and rule.readers and rule.answers for rule in QUESTION_ROLES.values())
