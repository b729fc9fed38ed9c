"""What a form's logic may do over one record: time, instances, and characters are bounded."""

import itertools

import pytest

from forms.budget import LOOK_EVERY, MAX_MADE, Budget, TooSlow
from forms.expressions import DateValue
from forms.sheets import read_sheets
from forms.validation import validate
from forms.xlsform import compile_workbook

DOUBLING = """
| survey |           |      |       |             |                    |
|        | type      | name | label | privacy     | calculation        |
|        | integer   | n0   | N     | operational |                    |
"""
NOW = DateValue(20_000.5, "dateTime")


def test_the_clock_ends_it_and_without_one_there_is_no_end() -> None:
    ticks = itertools.count()
    budget = Budget(3, lambda: float(next(ticks)))
    with pytest.raises(TooSlow):
        for _ in range(10 * LOOK_EVERY):
            budget.spend()
    free = Budget()
    for _ in range(10 * LOOK_EVERY):
        free.spend()
    free.look()


def test_a_form_makes_only_so_many_instances() -> None:
    budget = Budget()
    for _ in range(MAX_MADE):
        budget.make()
    with pytest.raises(TooSlow):
        budget.make()


def test_answers_that_double_and_double_are_stopped() -> None:
    rows = [
        f"|        | calculate | n{at} |       | operational | concat(${{n{at - 1}}}, ${{n{at - 1}}}) |"
        for at in range(1, 31)
    ]
    settings = "\n| settings | form_id  | version |\n|          | doubling | 1       |\n"
    text = DOUBLING + "\n".join(rows) + settings
    definition = compile_workbook(read_sheets(text.encode(), ".md").to_xlsx()).definition
    with pytest.raises(TooSlow):
        validate(definition, {"n0": "12"}, NOW)


@pytest.mark.slow
def test_counted_repeats_in_counted_repeats_are_stopped() -> None:
    text = """
| survey |              |      |       |             |              |
|        | type         | name | label | privacy     | repeat_count |
|        | begin repeat | a    | A     |             | 1000         |
|        | begin repeat | b    | B     |             | 1000         |
|        | integer      | n    | N     | operational |              |
|        | end repeat   |      |       |             |              |
|        | end repeat   |      |       |             |              |
| settings | form_id | version |
|          | many    | 1       |
"""
    definition = compile_workbook(read_sheets(text.encode(), ".md").to_xlsx()).definition
    with pytest.raises(TooSlow):
        validate(definition, {}, NOW)
