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
        """Yield a form's records from the day `first` to `last`, with their answers by column."""
        definitions: dict[str, FormDefinition] = {}
        for record in records.iterate_for_release(self.session, self.centre_id, form, first, last, self.cut_off):
            if record.version not in definitions:
                definitions[record.version] = self._load_definition(form, record.version)
            definition = definitions[record.version]
            standing = self._find_standing(definition, record)
            row = eligibility.flatten_answers(definition, record.answers, standing)
            event = row
            if standing is not None and standing <= LOWEST:
                tally = without_person(definition, record.answers)
                event = eligibility.flatten_answers(definition, tally, standing)
            yield ReadRecord(record, row, event)

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

    def _load_definition(self, form: str, version: str) -> FormDefinition:
        stored = versions.find(self.session, self.centre_id, form, version)
        return load_definition(stored) if stored else self.newest[form]
