"""Answers as the office reads them: days as people write them, in the reader's language."""

import pytest
from flask import Flask

from fieldapp.web.answers import write_answer
from fieldapp.web.formats import format_day
from forms.definition import Element, FormDefinition

NO_FORM = FormDefinition("f", "1", {}, ("en", "fr"), "", (), {}, (), {})


@pytest.mark.parametrize(
    ("type_", "look", "value", "english", "french"),
    [
        ("date", "", "2026-11-29", "Nov 29, 2026", "29 nov. 2026"),
        ("date", "month-year", "2026-11-01", "November 2026", "novembre 2026"),
        ("date", "year", "2026-01-01", "2026", "2026"),
        ("dateTime", "", "2026-11-29T22:05:00.000", "Nov 29, 2026, 22:05", "29 nov. 2026, 22:05"),
        ("dateTime", "", "soon", "soon", "soon"),
        ("text", "", "2026-11-29", "2026-11-29", "2026-11-29"),
    ],
)
def test_a_day_is_written_as_people_read_it(
    app: Flask, type_: str, look: str, value: str, english: str, french: str
) -> None:
    element = Element(path="/data/q", name="q", kind="question", type=type_, parent="/data", appearance=look)
    for language, words in (("en", english), ("fr", french)):
        with app.test_request_context(headers={"Accept-Language": language}):
            assert write_answer(NO_FORM, element, value) == words


def test_a_day_of_a_product_is_one_too(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert format_day("2026-11-02") == "Nov 2, 2026"
