"""Rows that are months of people, counted from their intake instead of by a calendar."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evaluator_export.datasets.dataset_spec import (
    CONTACTS,
    MONTH,
    DatasetSpec,
    ParticipantMonthSpec,
)
from evaluator_export.datasets.eligibility import is_in_scope


@dataclass(frozen=True)
class _Intake:
    """The record that begins a person's months; `month` as `number_month` counts."""

    unit: str
    month: int
    answers: Mapping[str, str]


class ParticipantMonths:
    """Collects intakes, reviews and contacts by card code, then makes months of them."""

    def __init__(self, dataset: DatasetSpec, spec: ParticipantMonthSpec):
        self.dataset = dataset
        self.spec = spec
        self.intakes: dict[str, _Intake] = {}
        self.reviews: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
        self.contacts: Counter[tuple[str, int]] = Counter()

    def add(self, form: str, unit: str, row: Mapping[str, str]) -> None:
        """Add a record of one of the two forms; one without a card or a day is left out.

        `unit`: the record's name in the ledger. `row`: its answers by question.
        """
        spec = self.spec
        if form == spec.form:
            code = row.get(spec.form_person, "")
            month = number_month(row.get(spec.form_day, ""))
            if code and month is not None:
                # Every record of the form counts as a contact, also one that the dataset is not
                # about.
                self.contacts[code, month] += 1
        if form != self.dataset.form or not is_in_scope(self.dataset, row):
            return
        code = row.get(spec.person, "")
        month = number_month(row.get(spec.since, ""))
        if not code or month is None:
            return
        if self.is_intake(row):
            self._add_intake(code, _Intake(unit, month, row))
        else:
            self.reviews.setdefault(code, []).append((month, row))

    def _add_intake(self, code: str, intake: _Intake) -> None:
        """Keep the earliest intake of a person; of two in a month, the same one at every build."""
        earlier = self.intakes.get(code)
        # By the record's id where the month is the same: the order of reading must not decide which
        # answers are published.
        if earlier is None or (intake.month, intake.unit) < (earlier.month, earlier.unit):
            self.intakes[code] = intake

    def is_intake(self, row: Mapping[str, str]) -> bool:
        """Say whether a record begins a person's months: the first kind the dataset is about."""
        if self.dataset.where is None:
            return True
        question, values = self.dataset.where
        return row.get(question) == values[0]

    def rows(self, first: dt.date, last: dt.date) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the name and the answers of each month that is over, from `first` to `last`.

        Answers are the newest of that month or before, with `MONTH` (from 0, the intake's) and
        `CONTACTS`. The consent is the newest of all: who takes it back does so for every month.
        """
        first_month = first.year * 12 + first.month - 1
        last_month = last.year * 12 + last.month - 1
        # A month that is not over would be published with what is known today, and could not be
        # changed later.
        if (last + dt.timedelta(days=1)).day != 1:  # the month of the last day goes on after it
            last_month -= 1
        # By card code, which says nothing about when somebody came; the rows are shuffled in any
        # case.
        for code, intake in sorted(self.intakes.items(), key=lambda item: item[0]):
            reviews = sorted(self.reviews.get(code, ()), key=lambda review: review[0])
            # Not "known by then": a consent that was taken back holds for earlier months, too.
            newest = intake.answers
            if reviews:
                newest = reviews[-1][1]
            for month in range(max(intake.month, first_month), last_month + 1):
                answers = dict(intake.answers)
                for review_month, review in reviews:
                    if review_month <= month:
                        # Blank answers do not overwrite: a review that does not ask again leaves
                        # what was known.
                        answers |= {name: value for name, value in review.items() if value}
                number = month - intake.month
                answers[MONTH] = str(number)
                answers[CONTACTS] = str(self.contacts[code, month])
                if self.dataset.consent:
                    question = self.dataset.consent.question
                    answers[question] = newest.get(question, "")
                # Named by the intake and a number, not by the calendar: in the ledger, too, no
                # calendar stands beside a person.
                yield name_month(intake.unit, number), answers


def name_month(unit: str, number: int) -> str:
    """Return what the ledger knows a month by; `unit` names the intake, whose month is 0."""
    return f"{unit} month {number}"


def number_month(day: str) -> int | None:
    """Return the month of an ISO day as one number, so that months can be subtracted.

    Example: "2026-01-31" is 24312, "2026-02-01" is 24313. None for what is no day.
    """
    try:
        date = dt.date.fromisoformat(day[:10])
    except ValueError:
        return None
    return date.year * 12 + date.month - 1
