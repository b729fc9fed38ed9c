"""How long a form takes and how hard its words are.

Estimates for its author, from published formulas.

Reading grade in English: Flesch and Kincaid (1975). In French: the ease of Kandel and Moles (1958), turned into a grade by
the steps of Flesch's own table. Syllables are counted as groups of vowels, which is right for about nine words in ten.
"""

import itertools
import re
from dataclasses import dataclass
from typing import Any

from forms.definition import Element, FormDefinition
from forms.lists import in_language
from forms.types import TYPES

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
SENTENCE = re.compile(r"[.!?:;\n]+")
VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöùûüœæ]+")
WORDS_A_SECOND = 4.0  # silent reading, known forms
FRENCH_STEPS = ((90, 5.0), (80, 6.0), (70, 7.0), (60, 8.5), (50, 11.0), (30, 13.0))


@dataclass(frozen=True)
class Estimate:
    """How long a form takes and how hard it reads.

    `minutes`: when every question is asked once. `grades`: the school grade of its words, by language.
    """

    questions: int
    minutes: float
    grades: dict[str, float]


def count_syllables(word: str, language: str) -> int:
    """Return about how many syllables a word has: its groups of vowels, silent ends left out."""
    word = word.lower()
    count = len(VOWELS.findall(word))
    silent = ("es", "ent", "e") if language == "fr" else ("e",)
    # "le" and "ee" are spoken: little, coffee.
    if count > 1 and word.endswith(silent) and not word.endswith(("le", "ee")):
        count -= 1
    return max(count, 1)


def grade_text(text: str, language: str) -> float | None:
    """Return the school grade that a text asks for.

    None for other languages or fewer than 30 words.
    """
    words = WORD.findall(text)
    if language not in ("en", "fr") or len(words) < 30:
        return None
    sentences = max(1, len([part for part in SENTENCE.split(text) if WORD.search(part)]))
    length = len(words) / sentences
    weight = sum(count_syllables(word, language) for word in words) / len(words)
    if language == "en":
        return max(1.0, 0.39 * length + 11.8 * weight - 15.59)
    ease = 207 - 1.015 * length - 73.6 * weight
    return next((step for limit, step in FRENCH_STEPS if ease >= limit), 16.0)


def estimate(definition: FormDefinition) -> Estimate:
    """Return how long a form takes and how hard its words are."""
    asked = [element for element in definition.elements if element.type and element.is_on_screen]
    language = definition.languages[0]
    seconds = 0.0
    for element in asked:
        seconds += TYPES[element.type].seconds + _count_words(element, language) / WORDS_A_SECOND
    grades = {}
    for code in definition.languages:
        text = "\n".join(itertools.chain.from_iterable(_list_texts(element, code) for element in asked))
        grade = grade_text(text, code)
        if grade is not None:
            grades[code] = grade
    return Estimate(sum(element.is_answered for element in asked), seconds / 60, grades)


def _list_texts(element: Element, language: str) -> list[str]:
    fields: list[dict[str, Any]] = [element.label, element.hint, element.constraint_message]
    texts = [in_language({language: words[language]}, language) for words in fields if language in words]
    return [text for text in texts if text]


def _count_words(element: Element, language: str) -> int:
    return len(WORD.findall(in_language(element.label, language)))
