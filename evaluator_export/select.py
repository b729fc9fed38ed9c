"""Step 1: which rows may go in. Consent first; whatever is not clearly allowed stays."""

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np

from evaluator_export.dataset import SEVERAL, Consent, Dataset
from evaluator_export.tabular import Words
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


def is_wanted(dataset: Dataset, row: Mapping[str, str]) -> bool:
    """Say whether a dataset is about such rows at all."""
    return dataset.where is None or row.get(dataset.where[0], "") in dataset.where[1]


class Interned:
    """A column of words that grows row by row."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.codes = array("i")

    def add(self, word: str) -> None:
        self.codes.append(self.numbers.setdefault(word, len(self.numbers)))

    def words(self) -> Words:
        return Words(np.frombuffer(self.codes, dtype=np.int32) if self.codes else np.zeros(0, np.int32), tuple(self.numbers))


class Rows:
    """The rows of a dataset that may leave, as numbered words; and how many may not."""

    def __init__(self, dataset: Dataset):
        self.dataset = dataset
        self.units: list[str] = []
        self.refused = 0
        self.person = dataset.policy.person
        self.identifiers = {field.name for field in dataset.policy.identifiers}
        self.interned = {name: Interned() for name in dataset.columns}

    def add(self, unit: str, row: Mapping[str, str]) -> None:
        """Add a row, unless it is none of this dataset or consent does not reach so far."""
        if not is_wanted(self.dataset, row):
            return
        if not is_allowed(self.dataset.consent, row):
            self.refused += 1
            return
        self.units.append(unit)
        for name, column in self.dataset.columns.items():
            value = row.get(column.question, "")
            if name == self.person:
                value = value or unit  # somebody without a card counts as a person of their own
            elif column.many:
                chosen = sorted(value.split())
                value = SEVERAL if len(chosen) > 1 and name in self.identifiers else ";".join(chosen)
            self.interned[name].add(value)

    def columns(self) -> dict[str, Words]:
        return {name: interned.words() for name, interned in self.interned.items()}
