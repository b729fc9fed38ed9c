"""What an export may hold of each record, by its purpose and by standing consent."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fieldapp.services.consent.card_mentions import find_named, read_chosen_kind
from fieldapp.services.consent.contested import find_lowest_tier, find_people
from fieldapp.services.consent.standing import LOWEST
from fieldapp.store.consent import standing
from fieldapp.store.records.records import ExportedRecord
from fieldapp.store.session import Session
from forms.consent import person_in
from forms.definition import Element, FormDefinition
from forms.privacy_classes import NEVER_LEAVES
from forms.roles import QuestionRole
from sync.notes import plain_code

EVALUATION_TIER = 2  # how far consent must reach for people who check the program


class ExportPurpose(StrEnum):
    """What a file is for."""

    WORK = "work"  # the centre's own: every answer, of people who did not say no
    EVALUATION = "evaluation"  # for checking the program: no codes, no free text, and only with a yes to it


def may_leave(purpose: ExportPurpose, element: Element) -> bool:
    """Say whether the answers to a question may be in a file for a purpose."""
    if purpose is ExportPurpose.WORK:
        return True
    return element.privacy not in {str(name) for name in NEVER_LEAVES} and element.export != "drop"


class DayDetail(StrEnum):
    """How exactly a file may say on which day a record is."""

    DAY = "day"
    MONTH = "month"
    NONE = "none"


def find_day_detail(purpose: ExportPurpose, definition: FormDefinition | None) -> DayDetail:
    """Return how exactly a file may say the days of a form's records.

    Its question about the day says that, by its export.
    """
    question = definition.find_with_role(QuestionRole.DAY) if definition else None
    if question is None or purpose is ExportPurpose.WORK:
        return DayDetail.DAY
    if not may_leave(purpose, question):
        return DayDetail.NONE
    return DayDetail.MONTH if question.export == "generalise" else DayDetail.DAY


@dataclass(frozen=True, order=True)
class Talk:
    """What is written of a record of somebody who said no, or took everything back."""

    month: str  # YYYY-MM
    author_id: int
    kind: str  # JSON of the answers that say which kind of talk it was


@dataclass(frozen=True)
class ConsentFilter:
    """Narrows records to what consent allows at the moment when they are written.

    `definitions`: of the form, by version.
    """

    session: Session
    centre_id: int
    purpose: ExportPurpose
    definitions: Mapping[str, FormDefinition]
    talks: Counter[Talk] = field(default_factory=Counter)  # of which no more is written

    def narrow(self, batch: Sequence[ExportedRecord]) -> list[ExportedRecord]:
        """Return the records that may be in the file; count the talks of which no more is said."""
        people = {record.record_id: self._find_people(record) for record in batch}
        named = {record.record_id: self._find_named(record) for record in batch}
        tiers = standing.list_tiers(self.session, self.centre_id, set().union(*people.values(), *named.values()))
        allowed = []
        for record in batch:
            stands = [tiers.get(person, LOWEST) for person in people[record.record_id]]
            stands += [tiers.get(person, self._unknown) for person in named[record.record_id]]
            narrowed = self._narrow_record(record, min(stands, default=None))
            if narrowed is not None:
                allowed.append(narrowed)
        return allowed

    @property
    def _unknown(self) -> int:
        """Return how far consent reaches of a card that nobody has said anything about.

        In a form that asks nobody: the centre's own work may go on with it.
        """
        return LOWEST if self.purpose is ExportPurpose.EVALUATION else LOWEST + 1

    def _find_named(self, record: ExportedRecord) -> set[str]:
        definition = self.definitions.get(record.version)
        return find_named(definition, record.answers) if definition is not None else set()

    def _find_people(self, record: ExportedRecord) -> set[str]:
        definition = self.definitions.get(record.version)
        people = {record.person} - {""}
        if definition is not None and record.contested:
            people |= find_people(definition, record.answers, record.contested)
        return people

    def _narrow_record(self, record: ExportedRecord, stands: int | None) -> ExportedRecord | None:
        """Return a record that may be written; None for one that may not, or only as a talk.

        `stands`: how far consent reaches now; None where the record names no card.
        """
        definition = self.definitions.get(record.version)
        if record.is_refused:
            stands = LOWEST
        if self.purpose is ExportPurpose.EVALUATION:
            own = find_lowest_tier(definition, record.answers, record.contested) if definition else LOWEST
            reaches = [tier for tier in (stands, own) if tier is not None]
            return record if min(reaches, default=EVALUATION_TIER) >= EVALUATION_TIER else None
        own = find_lowest_tier(definition, record.answers, record.contested) if definition else None
        if min(tier for tier in (stands, own, LOWEST + 1) if tier is not None) > LOWEST:
            return record
        kind = json.dumps(read_chosen_kind(definition, record.answers), sort_keys=True)
        self.talks[Talk(f"{record.day:%Y-%m}", record.author_id, kind)] += 1
        return None

    def find_refused(self, named: Mapping[int, Any], definitions: Mapping[int, FormDefinition | None]) -> Collection[int]:
        """Return which submissions, of no record, name somebody who said no.

        `named`: answers by submission; `definitions`: by submission, None where the centre has none.
        """
        people = {}
        for number, answers in named.items():
            definition = definitions.get(number)
            person = plain_code(person_in(definition, answers)) if definition else ""
            if person:
                people[number] = person
        tiers = standing.list_tiers(self.session, self.centre_id, set(people.values()))
        return {number for number, person in people.items() if tiers.get(person, LOWEST + 1) <= LOWEST}
