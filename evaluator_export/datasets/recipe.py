"""A recipe: what one recipient gets. Datasets and columns by name, tables, thresholds.

What it does not name stays. `recipe_reader` reads it from YAML; docs/policies.md describes the
format.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from evaluator_export.datasets.dataset_spec import ConsentRule, DatasetSpec, Derivation
from evaluator_export.datasets.eligibility import has_consent, is_in_scope
from evaluator_export.policy.hierarchies import Hierarchy


class Audience(StrEnum):
    """Who gets rows or numbers; the values are the words of the format."""

    EVALUATOR = "evaluator"
    CITY = "city"  # tables only: what it has can be asked for by others
    # The same value twice: enumerating gives one member, and both names may be used.
    PUBLIC = "city"  # everybody gets what the City may have
    STAFF = "staff"  # front-line staff: tables of products, also those that no recipe can choose


class Method(StrEnum):
    """How the counts of a table are protected; the values are the words of the format."""

    ROUND = "round"
    SUPPRESS = "suppress"
    EXACT = "exact"  # of things that anybody can count, such as events held: never of people, nor of events about them


AUDIENCES = (Audience.EVALUATOR, Audience.CITY)  # of recipes


@dataclass(frozen=True)
class RecipientView:
    """What a recipient gets of a dataset: its columns, and the lowest level of some of them."""

    dataset: DatasetSpec
    columns: tuple[str, ...]
    coarser: dict[str, int]


@dataclass(frozen=True)
class TableSpec:
    """A protected table of counts, by one to three columns of a dataset at fixed levels.

    `by`: column names and levels; `sources`: for each, its question, hierarchy and level. `person`:
    the question with the card code where persons are counted, else "". `consent`: None where no
    consent is needed. `threshold`: smaller counts do not show; 0 means as the recipe says.
    `days`: a cell with fewer different days does not show. `has_margins`: the sums by each of two
    columns are cells, too, each rounded by itself.
    """

    name: str
    dataset: DatasetSpec
    by: tuple[tuple[str, int], ...]
    sources: tuple[tuple[str, Hierarchy, int], ...]
    title: dict[str, str]
    person: str
    consent: ConsentRule | None
    method: Method
    threshold: int = 0
    days: int = 0
    has_margins: bool = False

    def counts(self, row: Mapping[str, str]) -> bool:
        """Say whether a row is one of those that the table counts."""
        if not is_in_scope(self.dataset, row) or not has_consent(self.consent, row):
            return False
        return not self.person or bool(row.get(self.person))

    def min_count(self, threshold: int) -> int:
        """Return the count under which a cell does not show; `threshold` is the recipe's."""
        return self.threshold or threshold

    def step(self, threshold: int) -> int:
        """Return by how much a count must have moved before a period is published again.

        `threshold` is the recipe's.
        """
        if self.method == Method.EXACT:
            return 1
        return self.threshold or max(threshold, self.dataset.policy.model.k)

    @property
    def is_by_records(self) -> bool:
        """Say whether persons are counted by how many records each has."""
        question, _, _ = self.sources[0]
        derived = self.dataset.derived.get(question)
        return derived is not None and derived.how == Derivation.RECORDS

    @cached_property
    def key(self) -> str:
        """What the centre remembers the table by: the same table is the same for everybody.

        Stored, so its text can never change. Audience, name and title are not in it: two recipients
        must not get two roundings of one count.
        """
        tier = self.consent.minimum if self.consent else ""
        parts = [self.dataset.form, str(self.dataset.where), f"{self.person} {tier}", self.method]
        for question, hierarchy, level in self.sources:
            parts.append(f"{question} {hierarchy.names[level]}")
        # Only where they differ from the default: tables from before there were these settings keep
        # the key that is stored.
        if self.threshold or self.has_margins:
            parts.append(f"{self.threshold} {self.days} {self.has_margins}")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Recipe:
    """What one recipient gets. `text` is the YAML that it was read from."""

    id: str
    text: str
    title: dict[str, str]
    purpose: dict[str, str]
    audience: Audience
    threshold: int
    views: tuple[RecipientView, ...]
    tables: tuple[TableSpec, ...]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the text: a package says by which recipe it was made."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def datasets(self) -> dict[str, DatasetSpec]:
        """Every dataset that the recipe reads, for rows or for tables, by name."""
        datasets = [view.dataset for view in self.views]
        datasets += [table.dataset for table in self.tables]
        return {dataset.name: dataset for dataset in datasets}
