"""Check what people hear when they are asked for consent: easy, and whole in a language.

Advice, no errors: the grade is an estimate, and a form must not wait for a translator.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from forms.changes import FormChange
from forms.definition import Element, FormDefinition
from forms.lists import in_language
from forms.problems import N_, FormProblem
from forms.reading_grade import compute_grade
from forms.roles import QuestionRole
from forms.workbook import Workbook, language_code, row_advice

HARDEST_CONSENT = 6.0  # years of school
CODE = "consent.wording"


@dataclass(frozen=True)
class _Spoken:
    """A text that a person hears: of a question, or all that a question offers."""

    element: Element
    words: dict[str, str]  # by language; of choices only where all have a text
    languages: frozenset[str]  # in which any of it is
    is_choices: bool = False


def check_wording(workbook: Workbook, definition: FormDefinition) -> Iterator[FormProblem]:
    """Yield advice about the words in which people are asked for consent."""
    spoken = _list_spoken(definition)
    heard = frozenset[str]().union(*(text.languages for text in spoken))
    for text in spoken:
        row = workbook.by_path.get(text.element.path)
        if row is None:
            continue
        for language, words in text.words.items():
            grade = compute_grade(words, language)
            if grade is not None and grade > HARDEST_CONSENT:
                advice = N_(
                    "People hear “{name}” ({language}) before they say yes, and it needs about {grade} years of school. "
                    "Keep to 6: use shorter words and sentences."
                )
                column = _find_column(workbook, language)
                details = {"name": text.element.name, "language": language, "grade": f"{grade:.0f}"}
                yield row_advice(CODE, advice, row, column, **details)
        for language in sorted(heard - text.words.keys()):
            advice = N_(
                "What people hear about consent is in {language} only in part: “{name}” lacks it. "
                "Write it, or ask in another language."
            )
            column = _find_column(workbook, language)
            yield row_advice(CODE, advice, row, column, name=text.element.name, language=language)


def find_languages_behind(before: FormDefinition, after: FormDefinition) -> Iterator[FormChange]:
    """Yield words about consent that changed in one language and not in another."""
    earlier = {(text.element.path, text.is_choices): text.words for text in _list_spoken(before)}
    for text in _list_spoken(after):
        words = earlier.get((text.element.path, text.is_choices))
        if words is None or words == text.words:
            continue
        behind = [language for language in text.words if words.get(language) == text.words[language]]
        if behind:
            sentence = N_(
                "“{name}”: what people hear about consent changed, but not in {languages}. Change it there too, or they "
                "agree to something else."
            )
            details = {"name": text.element.name, "languages": ", ".join(sorted(behind))}
            yield FormChange("words", text.element.name, sentence, details)


def _list_spoken(definition: FormDefinition) -> list[_Spoken]:
    """Return what a person hears: texts beside the tier, its own, and its answers."""
    tier = definition.find_with_role(QuestionRole.TIER)
    if tier is None:
        return []
    spoken = []
    for element in definition.children.get(tier.parent, ()):
        is_read_out = element.type == "note" or element == tier
        if is_read_out and element.label:
            words = _read(element.label)
            spoken.append(_Spoken(element, words, frozenset(words)))
    choices = [_read(choice.label) for choice in definition.choices.get(tier.choices, ())]
    if choices:
        whole = set(choices[0]).intersection(*choices)
        words = {}
        for language in whole:
            words[language] = "\n".join(choice[language] for choice in choices)
        spoken.append(_Spoken(tier, words, frozenset().union(*choices), is_choices=True))
    return spoken


def _read(label: dict[str, object]) -> dict[str, str]:
    """Return the words of a label by language, without those that are blank."""
    words = {language: in_language({"x": text}, "x") for language, text in label.items()}
    return {language: text for language, text in words.items() if text}


def _find_column(workbook: Workbook, language: str) -> str:
    """Return the column of the labels in a language."""
    names = [name for name in workbook.languages if language_code(name) == language]
    return f"label::{names[0]}" if names else "label"
