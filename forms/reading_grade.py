"""How hard a text is to read, in years of school.

Counted from the length of sentences and words: the Flesch-Kincaid grade for English (Kincaid et al., Derivation of
New Readability Formulas, 1975), and for French the reading ease of Kandel and Moles (Application de l'indice de
Flesch à la langue française, 1958), put on the same scale. It says nothing about whether a text is clear: a person
who speaks the language has to read it too. Other languages are not counted.
"""

import re

HARDEST_GRADE = 7.0  # for words that somebody has to understand before they say yes
FEWEST_WORDS = 20  # the formulas say little about less

_WORD = re.compile(r"[^\W\d_]+|\d+")
_END = re.compile(r"[.!?:;…]+|\n")
_ENGLISH_VOWELS = re.compile(r"[aeiouy]+")
_ENGLISH_SILENT = re.compile(r"(?<![aeiouyl])e$|(?<![aeiouytd])ed$|(?<![aeiouyscxzhg])es$")
_FRENCH_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöùûüœæ]+")
_FRENCH_SILENT = re.compile(r"(?<=[^aeiouyàâäéèêëîïôöùûüœæ])(?:e|es|ent)$")


def compute_grade(text: str, language: str) -> float | None:
    """Return how many years of school a text asks for; None where that cannot be said.

    `language` is a tag such as "en" or "fr-CA". None for other languages, and for under FEWEST_WORDS words.

    Example:
        compute_grade("You can say no. We still help you. " * 4, "en")  # under 1
    """
    words = _WORD.findall(text.lower())
    if len(words) < FEWEST_WORDS:
        return None
    per_sentence = len(words) / _count_sentences(text)
    # fr-CA and fr read alike.
    primary = language.lower().partition("-")[0]
    if primary == "en":
        syllables = sum(map(count_english_syllables, words)) / len(words)
        return 0.39 * per_sentence + 11.8 * syllables - 15.59
    if primary == "fr":
        syllables = sum(map(count_french_syllables, words)) / len(words)
        return _ease_to_grade(207 - 1.015 * per_sentence - 73.6 * syllables)
    return None


def _count_sentences(text: str) -> int:
    parts = [part for part in _END.split(text) if _WORD.search(part)]
    return max(1, len(parts))


def _ease_to_grade(ease: float) -> float:
    """Return the grade for a reading ease.

    By Flesch's own bands: 90 is grade 5, 70 grade 7, 50 grade 11.
    """
    if ease >= 70:
        return 5 + (90 - ease) / 10
    return 7 + (70 - ease) / 5


def count_english_syllables(word: str) -> int:
    """Return about how many syllables an English word in small letters has."""
    groups = len(_ENGLISH_VOWELS.findall(word))
    if groups > 1 and _ENGLISH_SILENT.search(word):
        groups -= 1
    return max(1, groups)


def count_french_syllables(word: str) -> int:
    """Return about how many spoken syllables a French word in small letters has."""
    groups = len(_FRENCH_VOWELS.findall(word))
    if groups > 1 and _FRENCH_SILENT.search(word):
        groups -= 1
    return max(1, groups)
