"""A text that is hard to read is told from one that is easy, in English and French."""

import pytest

from forms.reading_grade import HARDEST_GRADE, compute_grade, count_english_syllables, count_french_syllables

LAW = (
    "Personal health information collected pursuant to this agreement may be disclosed to institutional researchers "
    "notwithstanding any previously communicated limitation, provided that appropriate organizational safeguards "
    "commensurate with the sensitivity of the information have been implemented and documented."
)
LOI = (
    "Les renseignements personnels recueillis conformément à la présente entente peuvent être communiqués à des "
    "établissements de recherche, nonobstant toute limitation antérieurement communiquée, pourvu que des mesures "
    "organisationnelles proportionnées à la sensibilité des renseignements aient été instaurées et documentées."
)
PLAIN = "You can say no and we still help you. You get a card with a code. We do not ask your name. You can say yes to some of it."
SIMPLE = "Vous pouvez dire non. On vous aide quand même. Vous avez une carte avec un code. On ne demande pas votre nom, ni où vous vivez."


@pytest.mark.parametrize(("text", "language"), [(LAW, "en"), (LAW, "en-CA"), (LOI, "fr"), (LOI, "fr-CA")])
def test_the_language_of_agreements_is_too_hard(text: str, language: str) -> None:
    grade = compute_grade(text, language)
    assert grade is not None
    assert grade > HARDEST_GRADE + 5


@pytest.mark.parametrize(("text", "language"), [(PLAIN, "en"), (SIMPLE, "fr")])
def test_spoken_words_pass(text: str, language: str) -> None:
    grade = compute_grade(text, language)
    assert grade is not None
    assert grade < HARDEST_GRADE - 1


def test_the_same_words_in_one_long_sentence_are_harder() -> None:
    long = PLAIN.replace(".", " and")
    assert (compute_grade(long, "en") or 0) > (compute_grade(PLAIN, "en") or 0) + 3


@pytest.mark.parametrize(("text", "language"), [("Yes", "en"), (PLAIN, "so"), ("", "fr"), ("1 2 3", "en")])
def test_what_is_short_or_in_another_language_is_not_judged(text: str, language: str) -> None:
    assert compute_grade(text, language) is None


@pytest.mark.parametrize(
    ("word", "syllables"),
    [("take", 1), ("people", 2), ("about", 2), ("asked", 1), ("wanted", 2), ("releases", 3), ("the", 1), ("information", 4)],
)
def test_syllables_of_english_words(word: str, syllables: int) -> None:
    assert count_english_syllables(word) == syllables


@pytest.mark.parametrize(
    ("word", "syllables"), [("carte", 1), ("adresse", 2), ("demandent", 2), ("naissance", 2), ("je", 1), ("ni", 1)]
)
def test_syllables_of_french_words(word: str, syllables: int) -> None:
    assert count_french_syllables(word) == syllables
