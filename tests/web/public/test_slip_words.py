"""The words of the page of a slip are easy to read, and the same sentences are there in each language."""

import re

import pytest
from flask import Flask

from fieldapp.web.public.slip_words import WORDS, list_languages, load_others, say

SENTENCE = re.compile(r"[^.!?:]+")
WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
PLACE = re.compile(r"\{\w+\}")
VOWELS = {"en": re.compile(r"[aeiouy]+"), "fr": re.compile(r"[aeiouyàâäéèêëîïôöùûüœæ]+")}
HIGHEST_GRADE = 7
# Flesch's reading ease as Kandel and Moles fitted it to French; 70 and more is what pupils of 12 read.
LEAST_EASE = 70


def count_syllables(word: str, language: str) -> int:
    """Return about how many syllables a word has: its groups of vowels, without a silent e at its end."""
    text = word.lower()
    count = len(VOWELS[language].findall(text))
    endings = r"[^aeiouyl]e$" if language == "en" else r"[^aeiouyéèê](?:es?|ent)$"
    return max(count - bool(re.search(endings, text)), 1)


def measure(texts: list[str], language: str) -> tuple[float, float]:
    """Return words a sentence and syllables a word."""
    sentences = [words for text in texts for part in SENTENCE.findall(text) if (words := WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    return len(words) / len(sentences), sum(count_syllables(word, language) for word in words) / len(words)


def test_the_english_is_of_grade_7_at_most() -> None:
    words, syllables = measure([text for text in WORDS.values() if " " in text], "en")
    grade = 0.39 * words + 11.8 * syllables - 15.59  # Flesch and Kincaid
    assert grade <= HIGHEST_GRADE, grade


def test_the_french_is_as_easy(app: Flask) -> None:
    with app.test_request_context():
        texts = [say("fr", key, month="mai") for key in WORDS if " " in WORDS[key]]
    words, syllables = measure(texts, "fr")
    ease = 207 - 1.015 * words - 73.6 * syllables
    assert ease >= LEAST_EASE, ease


def test_a_hard_sentence_is_measured_as_hard() -> None:
    words, syllables = measure(["Participants' standing consent determines institutional dissemination eligibility."], "en")
    assert 0.39 * words + 11.8 * syllables - 15.59 > 12


@pytest.mark.parametrize("language", load_others())
def test_each_language_says_each_sentence(language: str) -> None:
    others = load_others()[language]
    assert set(others) == set(WORDS)
    for key, text in others.items():
        assert text.strip(), key
        assert PLACE.findall(text) == PLACE.findall(WORDS[key]), key


def test_the_french_says_each_sentence(app: Flask) -> None:
    with app.test_request_context():
        untranslated = [key for key in WORDS if say("fr", key, month="mai") == say("en", key, month="mai")]
    assert untranslated == ["title"]


def test_its_languages_are_those_of_the_consent_script() -> None:
    from tools.build_forms import PROGRAM, read  # noqa: PLC0415

    assert set(list_languages()) == {"en", "fr", *read(PROGRAM / "consent_languages.yaml")["languages"]}
