"""Records for releases and counts: flat answers, with the person's standing consent."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evaluator_export.datasets import eligibility
from fieldapp.services.consent.contested import find_lowest_tier, find_people
from fieldapp.services.consent.standing import LOWEST, Standings
from fieldapp.services.definitions import load_definition
from fieldapp.store.forms import versions
from fieldapp.store.records import records
from fieldapp.store.records.records import ReleasableRecord
from fieldapp.store.session import Session
from forms.consent import without_person
from forms.definition import FormDefinition
from forms.roles import FOLLOWED, FormRole


@dataclass(frozen=True)
class ReadRecord:
    """A record with its answers by column.

    `event` is what a count of events may know of it: of somebody who stands at a no, as much as stays after a no.
    """

    record: ReleasableRecord
    row: dict[str, str]
    event: dict[str, str]


@dataclass(frozen=True)
class RecordReader:
    """Reads a centre's records as they were at `cut_off`.

    `newest` has the newest definition of each form, by form.
    """

    session: Session
    centre_id: int
    newest: Mapping[str, FormDefinition]
    standings: Standings
    cut_off: dt.datetime

    def iterate(self, form: str, first: dt.date, last: dt.date) -> Iterator[ReadRecord]:
        """Yield a form's records from the day `first` to `last`, with their answers by column.

        With them are the answers of the records that follow it up, in columns that the form lacks or has in a repeat.
        """
        definitions = _Versions(self, form)
        follow_up_form = self._find_follow_up_form(form)
        visits = _Versions(self, follow_up_form)
        own = _list_single_columns(self.newest[form])
        days = first, last
        for record in records.iterate_for_release(self.session, self.centre_id, form, *days, self.cut_off, follow_up_form):
            definition = definitions.get(record.version)
            standing = self._find_standing(definition, record)
            row = eligibility.flatten_answers(definition, record.answers, standing)
            event = row
            if standing is not None and standing <= LOWEST:
                tally = without_person(definition, record.answers)
                event = eligibility.flatten_answers(definition, tally, standing)
            for version, answers in record.follow_ups:
                # Of nobody: those that name a card are not among them.
                visit = eligibility.flatten_answers(visits.get(version), answers, None)
                _add_visit(row, {column: answer for column, answer in visit.items() if column not in own})
            yield ReadRecord(record, row, event)

    def _find_follow_up_form(self, form: str) -> str:
        """Return the form whose records follow up those of a form; "" where there is none."""
        role = self.newest[form].role
        for definition in self.newest.values():
            if definition.role in FOLLOWED and FOLLOWED[FormRole(definition.role)] == role:
                return definition.id
        return ""

    def _find_standing(self, definition: FormDefinition, record: ReleasableRecord) -> int | None:
        """Return how far a record may go by the consent of whom it names.

        Until somebody chooses between its answers: by the least that any of them allows.
        """
        standing = self.standings.of_record(record.person, record.is_refused)
        if record.is_settled:
            return standing
        people = find_people(definition, record.answers, record.contested) - {record.person}
        tiers = [standing, find_lowest_tier(definition, record.answers, record.contested)]
        tiers += [self.standings.of(person) for person in people]
        return min((tier for tier in tiers if tier is not None), default=None)


class _Versions:
    """The definitions of a form's versions, each loaded once."""

    def __init__(self, reader: RecordReader, form: str):
        self.reader = reader
        self.form = form
        self.loaded: dict[str, FormDefinition] = {}

    def get(self, version: str) -> FormDefinition:
        """Return the definition of a version; the newest where the centre does not have it."""
        if version not in self.loaded:
            stored = versions.find(self.reader.session, self.reader.centre_id, self.form, version)
            self.loaded[version] = load_definition(stored) if stored else self.reader.newest[self.form]
        return self.loaded[version]


def _list_single_columns(definition: FormDefinition) -> set[str]:
    """Return the columns of a form's questions that a record answers once."""
    return {definition.column(element) for element in definition.elements if not definition.is_repeated(element)}


def _add_visit(row: dict[str, str], visit: Mapping[str, str]) -> None:
    """Add the answers of a follow-up to a row: several answers have spaces between."""
    for column, answer in visit.items():
        row[column] = f"{row.get(column, '')} {answer}".strip()
