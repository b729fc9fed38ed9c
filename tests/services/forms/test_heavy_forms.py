"""Workbooks that are far too heavy: taken or refused in bounded time and memory."""

import io
import resource

import pytest
import xlsxwriter

from forms.isolation import compile_isolated
from forms.problems import FormRefused


def test_very_long_choice_lists_are_taken_or_refused_in_bounded_time_and_memory() -> None:
    def book(count: int) -> bytes:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer) as made:
            survey, choices, settings = (made.add_worksheet(name) for name in ("survey", "choices", "settings"))
            survey.write_row(0, 0, ("type", "name", "label", "privacy"))
            survey.write_row(1, 0, ("select_one long", "q", "Q", "operational"))
            choices.write_row(0, 0, ("list_name", "name", "label"))
            for number in range(count):
                choices.write_row(number + 1, 0, ("long", f"c{number}", f"Choice {number}"))
            settings.write_row(0, 0, ("form_id", "version"))
            settings.write_row(1, 0, ("t", "1"))
        return buffer.getvalue()

    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    form = compile_isolated(book(50_000)).definition
    assert len(form.choices["long"]) == 50_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 40
    with pytest.raises(FormRefused) as caught:
        compile_isolated(book(50_001))
    assert "form.too_many_choices" in {one.code for one in caught.value.problems}
