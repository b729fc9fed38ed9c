"""The rows that may leave, collected one by one as numbers to need little memory."""

from array import array
from collections.abc import Mapping

import numpy as np

from evaluator_export.datasets.dataset_spec import SEVERAL, Column, DatasetSpec
from evaluator_export.datasets.eligibility import add_derived_columns, has_consent, is_in_scope
from evaluator_export.policy.policy import Role
from evaluator_export.series.ledger import TAG_BYTES
from evaluator_export.tabular import CategoricalColumn


class InternedColumn:
    """A column of text that grows row by row; each text is kept once, under a number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.codes = array("i")
        self.size = 0

    def add(self, value: str) -> None:
        """Add the value of one more row."""
        number = self.numbers.get(value)
        if number is None:
            number = self.size
            self.numbers[value] = number
            self.size += 1
        self.codes.append(number)

    def add_anonymous(self) -> None:
        """Add a value like no other that need not be read again: no text is kept of it."""
        self.codes.append(self.size)
        self.size += 1

    def to_column(self) -> CategoricalColumn:
        """Return the column; without any text when some values were added without theirs."""
        # Text that is missing in the middle would shift all that follows.
        values = tuple(self.numbers) if len(self.numbers) == self.size else ()
        if not self.codes:  # NumPy refuses an empty buffer
            return CategoricalColumn(np.zeros(0, np.int32), values)
        return CategoricalColumn(np.frombuffer(self.codes, dtype=np.int32), values)


class EligibleRows:
    """The rows of a dataset that may leave, and how many may not.

    `tags`: what the ledger knows the rows by, `TAG_BYTES` each, in the order of the rows.
    `without_consent`: rows that were offered and refused, since consent does not reach so far.
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
        """Add a row if it is one of this dataset and consent covers it; say whether it was added.

        `row`: answers by question, as `flatten_answers` gives them.
        """
        # Scope before consent: a record that the dataset is not about must not count as one that
        # was refused.
        if not is_in_scope(self.dataset, row):
            return False
        if not has_consent(self.dataset.consent, row):
            self.without_consent += 1
            return False
        row = add_derived_columns(self.dataset, row)
        # The tag goes in only with its row: both have to stay in step, since rows are found by
        # their place.
        self.tags += tag
        for name, column in self.dataset.columns.items():
            value = row.get(column.question, "")
            if name == self.person and not value:
                # Somebody without a card counts as a person of their own.
                if self.has_pseudonyms:
                    self.interned[name].add(tag.hex())
                else:
                    self.interned[name].add_anonymous()
            else:
                self.interned[name].add(self._make_cell(column, value))
        return True

    def _make_cell(self, column: Column, value: str) -> str:
        """Return an answer as its cell has it: several choices in one order, or as one word."""
        if not column.is_multiple:
            return value
        choices = sorted(value.split())
        # A set of several choices is a rare combination and could single somebody out as an exact
        # day can.
        if len(choices) > 1 and column.name in self.identifiers:
            return SEVERAL
        return ";".join(choices)

    def columns(self) -> dict[str, CategoricalColumn]:
        """Return the rows as columns, by the dataset's names for them."""
        return {name: interned.to_column() for name, interned in self.interned.items()}
