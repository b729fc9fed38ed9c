"""Records about people who were not asked again: they go no further than what stands.

“Asked before, still the same”, of older forms, is an answer of that day; where a no stands it is no yes. An answer with
the role `standing` is none at all: the phone showed what stands and nobody was asked. Such a record says nothing about
consent, and is stored as far as consent reaches when it arrives.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fieldapp.services.consent import standing
from fieldapp.services.problems import N_
from forms.budget import Budget, TooSlow
from forms.consent import goes_on_as_before, without_person
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from forms.roles import QuestionRole
from forms.validation import NOT_CHECKED, validate
from sync.envelope import Envelope
from sync.intake import Decision, Status, local_time
from sync.notes import plain_code

STANDS_AT_NO = AnswerProblem(
    "consent.stands_at_no",
    N_("This person said no before, so nothing of this was stored. Ask them; after a yes, write it again."),
    "",
)
NOTHING_STANDS = AnswerProblem(
    "consent.nothing_stands",
    N_("The centre has no answer of this person, so nothing of this was stored. Ask them; after a yes, write it again."),
    "",
)


def find_unasked_person(definition: FormDefinition | None, envelope: Envelope, decision: Decision) -> str | None:
    """Return whose consent a record takes as given without asking; "" where it names nobody.

    None for a record that says so itself, or needs no consent. A correction says again what was said then.
    """
    if definition is None or decision.problems or decision.is_cut:
        return None
    is_as_before = goes_on_as_before(definition, decision.answers)
    if envelope.root and not is_as_before:
        return None
    level = standing.read_consent(definition, decision.answers)
    if level is None or level[0] <= standing.LOWEST or level[1]:
        return None
    person = plain_code(definition.read_role(decision.answers, QuestionRole.PERSON))
    if person or is_as_before:
        return person
    return None


def decide_by_standing(
    definition: FormDefinition, envelope: Envelope, decision: Decision, tier: int | None, budget: Budget
) -> Decision:
    """Return what becomes of a record about somebody who was not asked, by what stands.

    `tier`: what stands; None for a person who never said anything. `budget` limits how long the form's rules may take.
    """
    is_as_before = goes_on_as_before(definition, decision.answers)
    if tier is not None and tier <= standing.LOWEST:
        return _refuse(definition, decision, STANDS_AT_NO)
    if not is_as_before:
        return decision
    if tier is None:
        return _refuse(definition, decision, NOTHING_STANDS)
    level = standing.read_consent(definition, decision.answers)
    if level is None or level[0] <= tier:
        return decision
    answers = _cut_to(definition, envelope, _replace_tier(definition, decision.answers, tier), budget)
    if answers is None:
        return _refuse(definition, decision, NOTHING_STANDS)
    return replace(decision, answers=answers, is_above=True)


def _refuse(definition: FormDefinition, decision: Decision, problem: AnswerProblem) -> Decision:
    return Decision(Status.REJECTED, without_person(definition, decision.answers), [problem], is_above=True)


def _replace_tier(definition: FormDefinition, answers: Mapping[str, Any], tier: int) -> dict[str, Any]:
    """Return answers as the phone would have them, had it known of this tier."""
    lowered = dict(answers)
    for role in (QuestionRole.CONSENT_STANDING, QuestionRole.TIER):
        lowered = _put(lowered, definition.summary_names.get(role, ()), str(tier))
    return lowered


def _cut_to(
    definition: FormDefinition, envelope: Envelope, answers: Mapping[str, Any], budget: Budget
) -> dict[str, Any] | None:
    """Return what the form's rules leave of answers; None where they cannot be run."""
    try:
        result = validate(definition, answers, local_time(envelope.finished_at), budget)
    except TooSlow:
        return None
    if result.is_refusal or any(problem.code == NOT_CHECKED for problem in result.problems):
        return None
    return result.answers


def _put(answers: Mapping[str, Any], names: tuple[str, ...], text: str) -> dict[str, Any]:
    """Return answers with another one in the place that these names lead to."""
    if not names:
        return dict(answers)
    name, *rest = names
    if not rest:
        return {**answers, name: text}
    inner = answers.get(name)
    return {**answers, name: _put(inner if isinstance(inner, Mapping) else {}, tuple(rest), text)}
