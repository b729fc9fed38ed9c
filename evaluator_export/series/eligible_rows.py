"""The rows that may leave, gathered one by one as numbered words: a million of them in little memory."""

from array import array
from collections.abc import Mapping

import numpy as np

from evaluator_export.policy.dataset_spec import SEVERAL, Dataset
from evaluator_export.policy.eligibility import completed, is_allowed, is_wanted
from evaluator_export.policy.policy import PSEUDONYM
from evaluator_export.series.ledger import TAG_BYTES
from evaluator_export.tabular import Words


class Interned:
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

    def add_nameless(self) -> None:
        """Add a value that is like no other and need not be known again."""
        self.codes.append(self.size)
        self.size += 1

    def words(self) -> Words:
        """Return the column; without words where some values are nameless."""
        codes = np.frombuffer(self.codes, dtype=np.int32) if self.codes else np.zeros(0, np.int32)
        return Words(codes, tuple(self.numbers) if len(self.numbers) == self.size else ())


class Rows:
    """The rows of a dataset that may leave, as numbered words; and how many may not.

    `tags` are what the ledger knows the rows by, one after the other.
    """

    def __init__(self, dataset: Dataset):
        self.dataset = dataset
        self.tags = bytearray()
        self.refused = 0
        self.person = dataset.policy.person
        self.identifiers = {field.name for field in dataset.policy.identifiers}
        self.has_pseudonyms = bool(dataset.policy.of_role(PSEUDONYM))
        self.interned = {name: Interned() for name in dataset.columns}

    def __len__(self) -> int:
        return len(self.tags) // TAG_BYTES

    def add(self, tag: bytes, row: Mapping[str, str]) -> bool:
        """Add a row, unless it is none of this dataset or consent does not reach so far; say whether it was added."""
        if not is_wanted(self.dataset, row):
            return False
        if not is_allowed(self.dataset.consent, row):
            self.refused += 1
            return False
        row = completed(self.dataset, row)
        self.tags += tag
        for name, column in self.dataset.columns.items():
            value = row.get(column.question, "")
            if name == self.person and not value:  # somebody without a card counts as a person of their own
                if not self.has_pseudonyms:
                    self.interned[name].add_nameless()
                    continue
                value = tag.hex()
            elif column.many:
                chosen = sorted(value.split())
                value = SEVERAL if len(chosen) > 1 and name in self.identifiers else ";".join(chosen)
            self.interned[name].add(value)
        return True

    def columns(self) -> dict[str, Words]:
        return {name: interned.words() for name, interned in self.interned.items()}
