"""What the caseload reads: submissions that passed, and what a record says after them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.definitions import load_definitions
from fieldapp.store.records import submissions
from fieldapp.store.records.records import Record
from forms.definition import FormDefinition
from forms.roles import FOLLOWED, QuestionRole
from sync.envelope import Envelope, is_random_uuid
from sync.notes import plain_code


@dataclass(frozen=True)
class AcceptedSubmission:
    """A submission that passed: its answers as the form's logic left them."""

    envelope: Envelope
    answers: Mapping[str, Any]
    definition: FormDefinition | None  # none for a note
    channel: str
    position: int = 0  # its id in the store: the order of arrival
    is_refusal: bool = False  # the person did not say yes
    is_overruled: bool = False  # by a no of its record: what it says of consent counts no more

    @property
    def key(self) -> tuple[str, str]:
        return self.envelope.instance_id, self.envelope.sha256


@dataclass(frozen=True)
class RecordState:
    """What a record says now, as far as the caseload reads it."""

    root_id: str
    form: str
    version: str
    author_id: int
    day: dt.date
    answers: Mapping[str, Any]
    heads: Sequence[str]
    definition: FormDefinition
    cards: tuple[str, ...] = ()  # made by the phone for it
    finished_on: dt.date | None = None
    is_refusal: bool = False  # the person did not say yes
    followed_before: str = ""  # the record that it followed up until it was corrected
    person_before: str = ""  # the card code that it named until then
    first_finished_on: dt.date | None = None  # when its first version was finished; None where that is not known

    @property
    def person(self) -> str:
        """Return the card code of the person, without dashes; "" when it names none."""
        return plain_code(self.read_role(QuestionRole.PERSON))

    @property
    def follows(self) -> str:
        """Return the id of the record that this one follows up; "" when it is no follow-up."""
        return find_followed(self.definition, self.answers)

    def read_role(self, key: str) -> str:
        return find_role_answer(self.definition, self.answers, key)

    def is_chosen(self, role: str, choice_role: str) -> bool:
        """Say whether the answer to the question with a role is a choice with a role."""
        return self.definition.is_chosen(self.answers, role, choice_role)


def find_role_answer(definition: FormDefinition, answers: Mapping[str, Any], key: str) -> str:
    """Return the answer that a form's summary points to; "" when it has none."""
    return definition.read_role(answers, key)


def find_followed(definition: FormDefinition, answers: Mapping[str, Any]) -> str:
    """Return the id of the record that answers follow up.

    "" where they name none, or one that no phone could have made.
    """
    followed = find_role_answer(definition, answers, QuestionRole.FOLLOWS)
    return followed if definition.role in FOLLOWED and is_random_uuid(followed) else ""


def load_states(ctx: ActContext, stored: Sequence[Record], since: dt.date | None = None) -> list[RecordState]:
    """Return what stored records say.

    `since`: the day on which they count as finished; None for the day on which each was. Older versions let corrections
    under another form in: such a record has no form that it could be read by, and is left out.
    """
    finish_days: Mapping[str, dt.date] = {}
    if since is None:
        heads: set[str] = set()
        for record in stored:
            heads.update([*record.heads, record.instance_id])
        finish_days = submissions.list_finish_days(ctx.session, ctx.centre_id, heads)
    names = {(record.form, record.version) for record in stored}
    definitions = load_definitions(ctx.session, ctx.centre_id, names)
    states = []
    for record in stored:
        definition = definitions.get((record.form, record.version))
        if definition is None:
            continue
        state = RecordState(
            record.instance_id,
            record.form,
            record.version,
            record.author_id,
            record.occurred_on,
            record.answers,
            record.heads,
            definition,
            finished_on=since or max((finish_days[head] for head in record.heads if head in finish_days), default=None),
            first_finished_on=since or finish_days.get(record.instance_id),
        )
        states.append(state)
    return states
