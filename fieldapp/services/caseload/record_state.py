"""What the caseload reads: submissions that passed, and what a record says after them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forms.definition import FormDefinition
from forms.roles import QuestionRole
from sync.envelope import Envelope
from sync.notes import plain_code


@dataclass(frozen=True)
class AcceptedSubmission:
    """A submission that passed: its answers as the form's logic left them."""

    envelope: Envelope
    answers: Mapping[str, Any]
    definition: FormDefinition | None  # none for a note
    channel: str
    position: int = 0  # its place in the centre's log
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

    @property
    def person(self) -> str:
        """Return the card code of the person, without dashes; "" when it names none."""
        return plain_code(self.summary(QuestionRole.PERSON))

    def summary(self, key: str) -> str:
        return find_role_answer(self.definition, self.answers, key)

    def is_chosen(self, role: str, choice_role: str) -> bool:
        """Say whether the answer to the question with a role is a choice with a role."""
        return self.definition.is_chosen(self.answers, role, choice_role)


def find_role_answer(definition: FormDefinition, answers: Mapping[str, Any], key: str) -> str:
    """Return the answer that a form's summary points to; "" when it has none."""
    return definition.read_role(answers, key)
