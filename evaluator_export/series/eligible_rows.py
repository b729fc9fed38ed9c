"""The rows that may leave, gathered one by one as numbered words: a million of them in little memory."""

from array import array
from collections.abc import Mapping

import numpy as np

from evaluator_export.policy.dataset_spec import SEVERAL, DatasetSpec
from evaluator_export.policy.eligibility import add_derived_columns, has_consent, is_in_scope
from evaluator_export.policy.policy import Role
from evaluator_export.series.ledger import TAG_BYTES
from evaluator_export.tabular import CategoricalColumn


class InternedColumn:
    """A column of words that grows row by row."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.codes = array("i")
        self.size = 0

    def add(self, word: str) -> None:
        number = self.numbers.get(word)
        if number is None:
            number = self.numbers[word] = self.size
            self.size += 1
        self.codes.append(number)

    def add_anonymous(self) -> None:
        """Add a value that is like no other and need not be known again."""
        self.codes.append(self.size)
        self.size += 1

    def words(self) -> CategoricalColumn:
        """Return the column; without words where some values are nameless."""
        codes = np.frombuffer(self.codes, dtype=np.int32) if self.codes else np.zeros(0, np.int32)
        return CategoricalColumn(codes, tuple(self.numbers) if len(self.numbers) == self.size else ())


class EligibleRows:
    """The rows of a dataset that may leave, as numbered words; and how many may not.

    `tags` are what the ledger knows the rows by, one after the other.
    """

    def __init__(self, dataset: DatasetSpec):
        self.dataset = dataset
        self.tags = bytearray()
        self.without_consent = 0
        self.person = dataset.policy.person
        self.identifiers = {field.name for field in dataset.policy.identifiers}
        self.has_pseudonyms = bool(dataset.policy.list_fields_with_role(Role.PSEUDONYM))
        self.interned = {name: InternedColumn() for name in dataset.columns}

    def __len__(self) -> int:
        return len(self.tags) // TAG_BYTES

    def add(self, tag: bytes, row: Mapping[str, str]) -> bool:
        """Add a row, unless it is none of this dataset or consent does not reach so far; say whether it was added."""
        if not is_in_scope(self.dataset, row):
            return False
        if not has_consent(self.dataset.consent, row):
            self.without_consent += 1
            return False
        row = add_derived_columns(self.dataset, row)
        self.tags += tag
        for name, column in self.dataset.columns.items():
            value = row.get(column.question, "")
            if name == self.person and not value:  # somebody without a card counts as a person of their own
                if not self.has_pseudonyms:
                    self.interned[name].add_anonymous()
                    continue
                value = tag.hex()
            elif column.is_multiple:
                chosen = sorted(value.split())
                value = SEVERAL if len(chosen) > 1 and name in self.identifiers else ";".join(chosen)
            self.interned[name].add(value)
        return True

    def columns(self) -> dict[str, CategoricalColumn]:
        return {name: interned.words() for name, interned in self.interned.items()}
