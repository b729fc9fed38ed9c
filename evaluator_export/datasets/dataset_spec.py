"""A dataset: which answers become rows, whose consent they need, and their policy.

A centre has each dataset once, and every recipient gets rows of the same batches: so recipients who
pool their packages learn no more than the finest of them says. `dataset_reader` reads it from YAML;
docs/policies.md describes the format.
"""

from dataclasses import dataclass
from enum import StrEnum

from evaluator_export.policy.hierarchies import Hierarchy
from evaluator_export.policy.policy import Policy

SEVERAL = "several"  # the value of a quasi-identifier where several choices were made
RECEIVED = "received_on"  # the day on which the centre had the record: not a question of any form
MONTH = "months_since_intake"  # columns that rows of months have beside the intake's questions
CONTACTS = "contacts"


class Family(StrEnum):
    """What the rows of a dataset are about; the values are the words of the format."""

    EVENTS = "events"  # where, when and what, never who
    PEOPLE = "people"  # who, never where and when


class Derivation(StrEnum):
    """How a question is derived from others."""

    MINUTES = "minutes"  # between a time and the first end after it
    STRONGEST = "strongest"  # of all answers to some questions, the one that comes first in a list
    LATEST = "latest"  # the last answer to any of some questions
    WEEKDAY = "weekday"  # of a day: mon, tue, …
    HOUR = "hour"  # of a time: 00 to 23
    CHOSEN = "chosen"  # whether one of some choices was made: yes or no
    RECORDS = "records"  # how many records a person has; known only when all are counted


@dataclass(frozen=True)
class DerivedQuestion:
    """A question that no form asks: how it is derived, and from what.

    `sources` are questions; for CHOSEN, a question and then the choices that count. `answers`: for STRONGEST, in order.
    """

    how: Derivation
    sources: tuple[str, ...]
    answers: tuple[str, ...] = ()

    @property
    def questions(self) -> tuple[str, ...]:
        """Return the questions among the sources."""
        if self.how == Derivation.CHOSEN:
            return self.sources[:1]
        return self.sources


@dataclass(frozen=True)
class ConsentRule:
    """Which rows consent covers.

    `question` has the consent level, which must be `minimum` at least. Rows that have one of
    `unless_values` in `unless_question` are about no one person and need no consent.
    """

    question: str
    minimum: int
    unless_question: str = ""
    unless_values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """Where a field of the policy comes from, and what it is called.

    `title`: by language. `is_multiple`: several choices, with ";" between; in a quasi-identifier,
    more than one choice is `SEVERAL`.
    """

    name: str
    question: str
    title: dict[str, str]
    is_multiple: bool = False


@dataclass(frozen=True)
class ParticipantMonthSpec:
    """Rows that are months of people, counted from their intake.

    So no calendar stands beside who. `since` and `person`: the questions of the dataset's form
    with the day of intake and the card code. `form`, `form_person` and `form_day`: the form whose
    records count as contacts, and its questions with the card code and the day.
    """

    since: str
    person: str
    form: str
    form_person: str
    form_day: str


@dataclass(frozen=True)
class DatasetSpec:
    """One dataset, as its YAML describes it.

    `consent`: None when its rows are about no person. `where`: a question and the values that it
    has in rows of this dataset; None takes all. `columns`: by field name. `sha256`: of the YAML.
    `derived`: questions derived from others, by name. `has_rows`: False when it is for tables only,
    and no recipe can hand out its rows.
    """

    name: str
    form: str
    family: Family
    title: dict[str, str]
    consent: ConsentRule | None
    where: tuple[str, tuple[str, ...]] | None
    policy: Policy
    columns: dict[str, Column]
    sha256: str
    max_hold_months: int
    derived: dict[str, DerivedQuestion]
    months: ParticipantMonthSpec | None
    has_rows: bool = True

    @property
    def forms(self) -> set[str]:
        """Ids of the forms whose records it reads."""
        if self.months is None:
            return {self.form}
        return {self.form, self.months.form}

    def hierarchy(self, name: str) -> Hierarchy:
        """Return the hierarchy of a field that has one."""
        for field in self.policy.fields:
            if field.name == name and field.hierarchy is not None:
                return field.hierarchy
        raise KeyError(name)
