"""Step 1: which rows may go in. Consent first; whatever is not clearly allowed stays."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from evaluator_export.dataset import Consent, Dataset
from forms.definition import FormDefinition


def flat(definition: FormDefinition, answers: dict[str, Any]) -> dict[str, str]:
    """Return answers by column name; repeats are left out (they are datasets of their own)."""
    row: dict[str, str] = {}
    for element in definition.elements:
        value: Any = answers
        for name in element.path.split("/")[2:]:
            value = value.get(name) if isinstance(value, dict) else None
        if element.is_answered and isinstance(value, str):
            row[definition.column(element)] = value
    return row


def is_allowed(consent: Consent | None, row: Mapping[str, str]) -> bool:
    """Say whether consent lets a row leave: about no one person, or a tier that is high enough."""
    if consent is None:
        return True
    if consent.unless_question and row.get(consent.unless_question, "") in consent.unless_values:
        return True
    tier = row.get(consent.question, "")
    return tier.isdecimal() and int(tier) >= consent.minimum


def completed(dataset: Dataset, row: Mapping[str, str]) -> Mapping[str, str]:
    """Return a row with the questions that the dataset makes from others."""
    made = {name: _minutes(row.get(start, ""), row.get(end, "")) for name, (start, end) in dataset.minutes.items()}
    return {**row, **made} if made else row


def _minutes(start: str, end: str) -> str:
    try:
        between = dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)
        return str(int(between.total_seconds() // 60))
    except (ValueError, TypeError):
        return ""


def is_wanted(dataset: Dataset, row: Mapping[str, str]) -> bool:
    """Say whether a dataset is about such rows at all."""
    return dataset.where is None or row.get(dataset.where[0], "") in dataset.where[1]
