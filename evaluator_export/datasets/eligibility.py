"""Which rows may leave. Consent first; whatever is not clearly allowed stays."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evaluator_export.datasets.dataset_spec import ConsentRule, DatasetSpec, Derivation
from forms.definition import FormDefinition

# In a row that names a card: how far what its person last said reaches. No question has this name.
STANDING = "(standing consent)"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def flatten_answers(
    definition: FormDefinition,
    answers: dict[str, Any],
    standing: int | None,
) -> dict[str, str]:
    """Return answers as text by column name.

    Of a question in a repeat, all answers with spaces between. `standing`: the standing consent
    level of the person whose card the record names; None only where it names no card.
    """
    row: dict[str, str] = {}
    for column, names in definition.answered:
        value: Any = answers
        for name in names:
            value = _get_answer(value, name)
        # Only text: anything else in a body (numbers, objects of a broken client) is no answer and
        # stays out.
        if isinstance(value, str):
            row[column] = value
        elif isinstance(value, list):
            row[column] = " ".join(answer for answer in value if isinstance(answer, str))
    if standing is not None:
        row[STANDING] = str(standing)
    return row


def _get_answer(value: Any, name: str) -> Any:
    """Return what lies under a name in a group; under each instance of a repeat, a list."""
    if isinstance(value, list):
        return [instance.get(name) for instance in value if isinstance(instance, dict)]
    if isinstance(value, dict):
        return value.get(name)
    return None


def has_consent(rule: ConsentRule | None, row: Mapping[str, str]) -> bool:
    """Say whether a row may leave: consent was high enough then and is now, or none is needed.

    What a person says later lowers what their earlier rows allow; it never raises it. `rule`: None
    when the rows are about no person.
    """
    if rule is None:
        return True
    # Before the exception below: who took consent back must not leave as "about no one person".
    if STANDING in row and int(row[STANDING]) < rule.minimum:
        return False
    if rule.unless_question and row.get(rule.unless_question, "") in rule.unless_values:
        return True
    # No answer, or one that is no number, is no consent.
    level = row.get(rule.question, "")
    return level.isdecimal() and int(level) >= rule.minimum


def is_in_scope(dataset: DatasetSpec, row: Mapping[str, str]) -> bool:
    """Say whether a dataset is about such rows at all."""
    if dataset.where is None:
        return True
    question, values = dataset.where
    return row.get(question, "") in values


def add_derived_columns(dataset: DatasetSpec, row: Mapping[str, str]) -> Mapping[str, str]:
    """Return a row with the questions that the dataset derives from others."""
    if not dataset.derived:
        return row
    completed = dict(row)
    for name, question in dataset.derived.items():
        # From the row as it came: a derived question is never derived from another.
        if question.how == Derivation.STRONGEST:
            completed[name] = _find_strongest(row, question.sources, question.answers)
        else:
            completed[name] = DERIVATIONS[question.how](row, *question.sources)
    return completed


def _count_minutes(row: Mapping[str, str], start: str, *ends: str) -> str:
    """Return whole minutes between a time and the first of some ends.

    One before the time is passed over where there is another. An end that is no time is none.
    """
    try:
        began = dt.datetime.fromisoformat(row.get(start, ""))
    except ValueError:
        return ""
    lengths = []
    for answer in _list_words(row, ends):
        try:
            lengths.append(_measure(began, dt.datetime.fromisoformat(answer)))
        except ValueError:
            continue
    after = [length for length in lengths if length >= dt.timedelta()]
    if not lengths:
        return ""
    return str(int(min(after or lengths).total_seconds() // 60))


def _measure(began: dt.datetime, ended: dt.datetime) -> dt.timedelta:
    """Return how long it was between two times.

    By the clock on the wall where one has no zone.
    """
    if began.tzinfo is None or ended.tzinfo is None:
        return ended.replace(tzinfo=None) - began.replace(tzinfo=None)
    return ended - began


def _list_words(row: Mapping[str, str], questions: Sequence[str]) -> list[str]:
    """Return the answers to questions, of follow-ups too."""
    return " ".join(row.get(question, "") for question in questions).split()


def _find_strongest(row: Mapping[str, str], questions: Sequence[str], answers: Sequence[str]) -> str:
    """Return the first of some answers that any of the questions has; nothing when none."""
    words = _list_words(row, questions)
    return next((answer for answer in answers if answer in words), "")


def _get_latest(row: Mapping[str, str], *questions: str) -> str:
    """Return the last answer to any of the questions; follow-ups stand by their days."""
    words = _list_words(row, questions)
    return words[-1] if words else ""


def _get_weekday(row: Mapping[str, str], question: str) -> str:
    try:
        day = dt.date.fromisoformat(row.get(question, "")[:10])
    except ValueError:
        return ""
    return WEEKDAYS[day.weekday()]


def _get_hour(row: Mapping[str, str], question: str) -> str:
    value = row.get(question, "")
    if len(value) > 12:
        # "2026-08-01T17:58" and longer; a plain day has no hour.
        return value[11:13]
    return ""


def _has_any_choice(row: Mapping[str, str], question: str, *choices: str) -> str:
    """Say whether one of some choices was made; nothing when there is no answer."""
    answers = row.get(question, "").split()
    if not answers:
        return ""
    if set(answers).isdisjoint(choices):
        return "no"
    return "yes"


def _leave_records_open(row: Mapping[str, str]) -> str:
    """Return nothing: only tables/protected_counts.py sees all records of a person."""
    return ""


DERIVATIONS: Mapping[Derivation, Callable[..., str]] = {
    Derivation.MINUTES: _count_minutes,
    Derivation.WEEKDAY: _get_weekday,
    Derivation.HOUR: _get_hour,
    Derivation.CHOSEN: _has_any_choice,
    Derivation.LATEST: _get_latest,
    Derivation.RECORDS: _leave_records_open,
}
