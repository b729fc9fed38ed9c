"""Step 1: which rows may go in. Consent first; whatever is not clearly allowed stays."""

from collections.abc import Iterable
from typing import Any

from evaluator_export.recipe import Consent, Dataset
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


def is_allowed(consent: Consent | None, row: dict[str, str]) -> bool:
    """Say whether consent lets a row leave: about no one person, or a tier that is high enough."""
    if consent is None:
        return True
    if consent.unless_question and row.get(consent.unless_question, "") in consent.unless_values:
        return True
    tier = row.get(consent.question, "")
    return tier.isdecimal() and int(tier) >= consent.minimum


def split(dataset: Dataset, rows: Iterable[dict[str, str]]) -> tuple[list[dict[str, str]], int]:
    """Return the rows that may leave and how many may not."""
    allowed, refused = [], 0
    for row in rows:
        if is_allowed(dataset.consent, row):
            allowed.append(row)
        else:
            refused += 1
    return allowed, refused
