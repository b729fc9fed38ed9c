"""Step 1: which rows may go in. Consent first; whatever is not clearly allowed stays."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from evaluator_export.policy.dataset_spec import CHOSEN, HOUR, MINUTES, RECORDS, WEEKDAY, ConsentRule, DatasetSpec
from forms.definition import FormDefinition

STANDING = "(standing consent)"  # in a row that names a card: how far what its person said reaches now; no question's name


def flatten_answers(definition: FormDefinition, answers: dict[str, Any], standing: int | None) -> dict[str, str]:
    """Return answers by column name; of a question in a repeat all answers, one after the other with spaces between.

    `standing` is the standing consent of the person whose card the record names; None only where it names no card.
    """
    row: dict[str, str] = {}
    for column, names in definition.answered:
        value: Any = answers
        for name in names:
            if isinstance(value, list):
                value = [one.get(name) for one in value if isinstance(one, dict)]
            else:
                value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str):
            row[column] = value
        elif isinstance(value, list):
            row[column] = " ".join(one for one in value if isinstance(one, str))
    if standing is not None:
        row[STANDING] = str(standing)
    return row


def has_consent(consent: ConsentRule | None, row: Mapping[str, str]) -> bool:
    """Say whether consent lets a row leave: about no one person, or a tier that is high enough, then and now.

    What a person says later lowers what their rows of before allow; it never raises it.
    """
    if consent is None:
        return True
    if STANDING in row and int(row[STANDING]) < consent.minimum:
        return False
    if consent.unless_question and row.get(consent.unless_question, "") in consent.unless_values:
        return True
    tier = row.get(consent.question, "")
    return tier.isdecimal() and int(tier) >= consent.minimum


def add_derived_columns(dataset: DatasetSpec, row: Mapping[str, str]) -> Mapping[str, str]:
    """Return a row with the questions that the dataset makes from others."""
    if not dataset.made:
        return row
    return {**row, **{name: MAKING[how](row, *parts) for name, (how, *parts) in dataset.made.items()}}


def _minutes(row: Mapping[str, str], start: str, end: str) -> str:
    """Return whole minutes; of several ends, to the first."""
    ends = row.get(end, "").split()
    try:
        between = dt.datetime.fromisoformat(min(ends)) - dt.datetime.fromisoformat(row.get(start, ""))
        return str(int(between.total_seconds() // 60))
    except (ValueError, TypeError):
        return ""


def _weekday(row: Mapping[str, str], moment: str) -> str:
    try:
        return WEEKDAYS[dt.date.fromisoformat(row.get(moment, "")[:10]).weekday()]
    except ValueError:
        return ""


def _hour(row: Mapping[str, str], moment: str) -> str:
    value = row.get(moment, "")
    return value[11:13] if len(value) > 12 else ""


def _has_any_choice(row: Mapping[str, str], question: str, *values: str) -> str:
    """Say whether one of some choices is among the answers; nothing when there is no answer."""
    answers = row.get(question, "").split()
    return "" if not answers else "yes" if set(answers) & set(values) else "no"


def _records(row: Mapping[str, str]) -> str:
    """How many records a person has is known only when all are counted (tables/protected_counts.py)."""
    return ""


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAKING: Mapping[str, Callable[..., str]] = {
    MINUTES: _minutes,
    WEEKDAY: _weekday,
    HOUR: _hour,
    CHOSEN: _has_any_choice,
    RECORDS: _records,
}


def is_in_scope(dataset: DatasetSpec, row: Mapping[str, str]) -> bool:
    """Say whether a dataset is about such rows at all."""
    return dataset.where is None or row.get(dataset.where[0], "") in dataset.where[1]
