"""How exact days and times are in a file for checking the program, by what a form says of each."""

import pytest

from fieldapp.services.records.export_days import cut_for_evaluation
from forms.definition import FormDefinition
from forms.sheets import read_sheets
from forms.xlsform import compile_workbook

FORM = """| survey | | | | | | | | |
| | type | name | label::English (en) | label::French (fr) | app_role | privacy::class | privacy::export | privacy::hierarchy | calculation |
| | date | day | Day | Jour | day | quasi-identifier | {day} | | |
| | date | kept | Kept | Gardé | | operational | keep | | |
| | date | unsaid | Unsaid | Tu | | operational | | | |
| | date | dropped | Dropped | Tombé | | quasi-identifier | drop | | |
| | dateTime | moment | Moment | Moment | | quasi-identifier | generalise | 0-1 | |
| | time | hour | Hour | Heure | | quasi-identifier | generalise | 0-1 | |
| | calculate | made | | | | quasi-identifier | generalise | 0-1 | ${{moment}} |
| | begin repeat | visit | Visit | Visite | | | | |
| | dateTime | came | Came | Venue | | operational | generalise | 0-1 | |
| | time | left | Left | Départ | | operational | keep | | |
| | end repeat | | | | | | | | |
| settings | | | |
| | form_title | form_id | version |
| | Days | days | 1 |
"""
EXACT = {
    "day": "2026-04-17", "kept": "2026-04-18", "unsaid": "2026-04-19", "dropped": "2026-04-20",
    "moment": "2026-04-21T13:37:00.000-04:00", "hour": "13:37:00.000-04:00", "made": "2026-04-21T13:37:00.000-04:00",
    "visit": [{"came": "2026-04-22T10:00:00.000-04:00", "left": "11:00:00.000-04:00"}], "unknown": "2026-04-23",
}  # fmt: skip


def compile_form(day: str) -> FormDefinition:
    workbook = read_sheets(FORM.format(day=day).encode(), ".md").to_xlsx()
    return compile_workbook(workbook, ".xlsx", {}).definition


@pytest.mark.parametrize(("day", "shown", "unsaid"), [("generalise", "2026-04", "2026-04"), ("drop", None, "")])
def test_each_is_as_exact_as_its_form_lets_it_out(day: str, shown: str | None, unsaid: str) -> None:
    cut = cut_for_evaluation(compile_form(day), EXACT)
    assert cut.pop("day", None) == shown
    assert cut == {
        "kept": "2026-04-18", "unsaid": unsaid, "moment": "2026-04", "hour": "", "made": "2026-04",
        "visit": [{"came": "2026-04", "left": "11:00:00.000-04:00"}],
    }  # fmt: skip


def test_what_nobody_says_anything_of_stays_exact_where_the_day_does() -> None:
    assert cut_for_evaluation(compile_form("keep"), EXACT)["unsaid"] == "2026-04-19"


def test_of_a_form_that_nobody_knows_nothing_leaves() -> None:
    assert cut_for_evaluation(None, EXACT) == {}
