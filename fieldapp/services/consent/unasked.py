"""Records about people who were not asked again: they go no further than what stands.

“Asked before, still the same”, of older forms, is an answer of that day; where a no stands it is no yes. An answer with
the role `standing` is none at all: the phone showed what stands and nobody was asked. Such a record says nothing about
consent, and is stored as far as consent reaches when it arrives.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fieldapp.services.consent import standing
from fieldapp.services.consent.refusals import read_answers
from fieldapp.services.problems import N_
from forms import keep
from forms.budget import Budget, TooSlow
from forms.consent import goes_on_as_before, list_consent_questions, without_person
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from forms.roles import QuestionRole
from forms.validation import NOT_CHECKED, validate
from sync.envelope import Envelope
from sync.intake import Decision, Status, local_time
from sync.notes import plain_code

LEVELS = ("1", "2", "3")
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


REASONS = {reason.code: reason for reason in (STANDS_AT_NO, NOTHING_STANDS)}


def find_unasked_person(definition: FormDefinition | None, envelope: Envelope, decision: Decision) -> str | None:
    """Return whose consent a record takes as given without asking; "" where it names nobody.

    None for a record that says so itself, or needs no consent. A correction says again what was said then.
    Whatever else is decided about it: what is refused or kept aside is stored as well.
    """
    if definition is None or decision.is_refusal:
        return None
    answers = _find_answers(definition, envelope, decision)
    is_as_before = goes_on_as_before(definition, answers)
    person = plain_code(definition.read_role(answers, QuestionRole.PERSON))
    if is_as_before:
        return person
    level = standing.read_consent(definition, answers)
    is_yes_unasked = level is not None and level[0] > standing.LOWEST and not level[1]
    if envelope.root or not is_yes_unasked:
        return None
    return person or None


def decide_by_standing(
    definition: FormDefinition, envelope: Envelope, decision: Decision, tier: int | None, budget: Budget
) -> Decision:
    """Return what becomes of a record about somebody who was not asked, by what stands.

    `tier`: what stands; None for a person who never said anything. `budget` limits how long the form's rules may take.
    """
    answers = _find_answers(definition, envelope, decision)
    if tier is not None and tier <= standing.LOWEST:
        return refuse_unasked(definition, answers, decision, STANDS_AT_NO)
    if not goes_on_as_before(definition, answers):
        return decision
    if tier is None:
        return refuse_unasked(definition, answers, decision, NOTHING_STANDS)
    if _read_level(definition, answers) <= tier:
        return decision
    lowered = _replace_tier(definition, answers, tier)
    is_judged = not decision.problems
    cut = _cut_to(definition, envelope, lowered, budget)
    if cut is None and not is_judged:
        # It is no record yet, so it need not be right: what it must not have is all that counts.
        cut = keep.cut_above(definition, lowered, _list_denied(definition, lowered, tier))
    if cut is None:
        return refuse_unasked(definition, answers, decision, NOTHING_STANDS)
    return replace(decision, answers=cut, is_above=True)


def refuse_unasked(
    definition: FormDefinition, answers: Mapping[str, Any], decision: Decision, problem: AnswerProblem
) -> Decision:
    """Return the decision to store no more of a record than that there was a contact.

    What is kept aside stays there; what is wrong with answers that are gone is left out.
    """
    problems = [other for other in decision.problems if not other.path and other.code not in REASONS]
    contact = _leave_out_consent(definition, without_person(definition, answers))
    return Decision(Status.REJECTED, contact, [*problems, problem], decision.is_quarantined, is_above=True)


def find_reason(problems: Iterable[Mapping[str, Any]]) -> AnswerProblem | None:
    """Return why no more was stored of a submission when it arrived; None for any other."""
    for problem in problems:
        if problem.get("code") in REASONS:
            return REASONS[problem["code"]]
    return None


def cut_envelope(definition: FormDefinition, envelope: Envelope, decision: Decision) -> Envelope:
    """Return a submission without what leads to a person whom its answers name no more."""
    if decision.is_above and not definition.read_role(decision.answers, QuestionRole.PERSON):
        return replace(envelope, refused_by="", cards=(), due="")
    return envelope


def _find_answers(definition: FormDefinition, envelope: Envelope, decision: Decision) -> Mapping[str, Any]:
    """Return what the rules left of the answers; as they came where no rule could be run."""
    return decision.answers or read_answers(envelope.body, definition)


def _read_level(definition: FormDefinition, answers: Mapping[str, Any]) -> int:
    """Return how far a record goes; what is no level could be any."""
    text = definition.read_role(answers, QuestionRole.TIER)
    return int(text) if text in LEVELS else standing.HIGHEST


def _list_denied(definition: FormDefinition, answers: Mapping[str, Any], tier: int) -> frozenset[str]:
    return keep.list_denied(definition, tier, lambda role: definition.read_role(answers, role))


def _leave_out_consent(definition: FormDefinition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers without those about consent: nobody was asked, so a correction has to."""
    tier = definition.find_with_role(QuestionRole.TIER)
    if tier is None:
        return dict(answers)
    asked = {definition.summary.get(QuestionRole.CONSENT_STANDING, "")}
    asked.update(question.path for question in list_consent_questions(definition, tier))
    asked.update(element.path for element in definition.children[tier.parent] if element.calculate is not None)
    return keep.leave_out(definition, answers, asked)


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
        result = validate(definition, answers, local_time(envelope.judged_at), budget)
    except TooSlow:
        return None
    except Exception:  # its rules failed before, which was logged then
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
