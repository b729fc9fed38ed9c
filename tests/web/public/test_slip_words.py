"""The words of the page of a slip are easy to read, and the same sentences are there in each language."""

import re

import pytest
from flask import Flask

from fieldapp.web.public.slip_words import WORDS, list_languages, load_others, say
from forms.reading_grade import HARDEST_GRADE, compute_grade

VALUES = {"month": "2026", "day": "2026", "told": "1", "phones": "2"}
PLACE = re.compile(r"\{\w+\}")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_is_of_grade_7_at_most(app: Flask, language: str) -> None:
    with app.test_request_context():
        text = "\n".join(say(language, key, **VALUES) for key in WORDS)
    grade = compute_grade(text, language)
    assert grade is not None
    assert grade <= HARDEST_GRADE


@pytest.mark.parametrize("language", load_others())
def test_each_language_says_each_sentence(language: str) -> None:
    others = load_others()[language]
    assert set(others) == set(WORDS)
    for key, text in others.items():
        assert text.strip(), key
        assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(WORDS[key])), key


def test_the_french_says_each_sentence(app: Flask) -> None:
    with app.test_request_context():
        untranslated = [key for key in WORDS if say("fr", key, **VALUES) == say("en", key, **VALUES)]
    assert untranslated == ["title"]


def test_its_languages_are_those_of_the_consent_script() -> None:
    from tools.build_forms import PROGRAM, read  # noqa: PLC0415

    assert set(list_languages()) == {"en", "fr", *read(PROGRAM / "consent_languages.yaml")["languages"]}
