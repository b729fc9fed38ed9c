"""Months of people, counted from their intake (dataset B2 of the governance notes): relative time instead of a calendar."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping

from evaluator_export.policy.dataset_spec import CONTACTS, MONTH, DatasetSpec, ParticipantMonthSpec
from evaluator_export.policy.eligibility import is_in_scope


class ParticipantMonths:
    """Gathers intakes, reviews and contacts by card code, in any order; then gives a row a person and month."""

    def __init__(self, dataset: DatasetSpec, months: ParticipantMonthSpec):
        self.dataset, self.months = dataset, months
        self.intakes: dict[str, tuple[str, int, Mapping[str, str]]] = {}  # code → record, month, answers
        self.reviews: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
        self.contacts: Counter[tuple[str, int]] = Counter()

    def add(self, form: str, unit: str, row: Mapping[str, str]) -> None:
        """Take in a record of one of the two forms."""
        months = self.months
        if form == months.form:
            code, month = row.get(months.form_person, ""), number_month(row.get(months.form_day, ""))
            if code and month is not None:
                self.contacts[code, month] += 1
        if form != self.dataset.form or not is_in_scope(self.dataset, row):
            return
        code, month = row.get(months.person, ""), number_month(row.get(months.since, ""))
        if not code or month is None:
            return
        if self.is_intake(row):
            if code not in self.intakes or (month, unit) < (self.intakes[code][1], self.intakes[code][0]):
                self.intakes[code] = (unit, month, row)
        else:
            self.reviews.setdefault(code, []).append((month, row))

    def is_intake(self, row: Mapping[str, str]) -> bool:
        """Say whether a record begins a person's months: it is of the first kind that the dataset is about."""
        return self.dataset.where is None or row.get(self.dataset.where[0]) == self.dataset.where[1][0]

    def rows(self, first: dt.date, last: dt.date) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield a name and the answers of each month that lies in a window and is over.

        Answers are the newest known by then; the consent is the newest of all and no more than what stands now, so that what
        was taken back holds for every month.
        """
        whole = last.year * 12 + last.month - 1 + (0 if (last + dt.timedelta(days=1)).day == 1 else -1)
        begin = first.year * 12 + first.month - 1
        for code, (unit, start, intake) in sorted(self.intakes.items()):
            reviews = sorted(self.reviews.get(code, ()), key=lambda review: review[0])
            consent = self.dataset.consent.question if self.dataset.consent else ""
            newest = reviews[-1][1] if reviews else intake
            for month in range(max(start, begin), whole + 1):
                known = [row for at, row in reviews if at <= month]
                answers = {**intake, **{name: value for row in known for name, value in row.items() if value}}
                answers |= {MONTH: str(month - start), CONTACTS: str(self.contacts[code, month])}
                if consent:
                    answers[consent] = newest.get(consent, "")
                yield f"{unit} month {month - start}", answers


def number_month(day: str) -> int | None:
    """Return a month as one number; None for what is no day."""
    try:
        found = dt.date.fromisoformat(day[:10])
    except ValueError:
        return None
    return found.year * 12 + found.month - 1
