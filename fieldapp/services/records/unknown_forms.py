"""A no under a form or version that the centre does not know.

Nothing of the person is kept until the form comes. The newest version that is here says what may stay. Of a form that
nobody here knows nothing stays where its answers say no under a name by which another form of the centre asks.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.consent.refusals import read_answers, says_for_good
from fieldapp.services.definitions import load_definition
from fieldapp.store.forms import versions
from forms import consent
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from forms.roles import QuestionRole
from sync.envelope import Envelope
from sync.intake import Decision
from sync.notes import is_caseload_note, plain_code
from sync.problems import N_

NOES = ("0", "-1")
NOT_KEPT = AnswerProblem(
    "consent.unknown_form",
    N_("The person said no, and the centre does not know this form yet. So it stored no answers."),
    "",
)


def cut_unknown(ctx: ActContext, envelope: Envelope, decision: Decision) -> Decision:
    """Return the decision about a submission whose form is not here.

    After a no it holds no answers about the person.
    """
    if is_caseload_note(envelope) or decision.is_refusal:
        return decision
    latest = versions.latest(ctx.session, ctx.centre_id, envelope.form)
    if latest is None:
        answers = read_answers(envelope.body, None)
        if not any(value in NOES for value in _iterate_values(answers, _list_names(ctx))):
            return decision
        return _refuse(decision, {}, plain_code(envelope.refused_by))
    definition = load_definition(latest)
    answers = read_answers(envelope.body, definition)
    if not _says_no(definition, answers):
        return decision
    code = ""
    if says_for_good(definition, envelope.body):
        code = plain_code(envelope.refused_by or consent.person_in(definition, answers))
    return _refuse(decision, consent.without_person(definition, answers), code)


def _refuse(decision: Decision, answers: Mapping[str, Any], code: str) -> Decision:
    return replace(decision, answers=dict(answers), is_refusal=True, refused_by=code)


def find_notice(decision: Decision, definition: FormDefinition | None) -> AnswerProblem | None:
    """Return what a phone is told of a submission whose answers were not stored."""
    return NOT_KEPT if definition is None and decision.is_refusal else None


def _says_no(definition: FormDefinition, answers: Mapping[str, Any]) -> bool:
    """Say whether consent was asked for and not given; where nobody is asked, nothing says no."""
    if definition.find_with_role(QuestionRole.TIER) is None or consent.goes_on_as_before(definition, answers):
        return False
    return consent.is_answered(definition, answers) and not consent.is_clear_yes(definition, answers)


def _list_names(ctx: ActContext) -> set[str]:
    """Return the names under which forms of the centre ask for consent."""
    names = {str(QuestionRole.TIER)}
    for version in versions.newest(ctx.session, ctx.centre_id):
        tier = load_definition(version).find_with_role(QuestionRole.TIER)
        if tier is not None:
            names.add(tier.name)
    return names


def _iterate_values(answers: Any, names: Collection[str]) -> Iterator[str]:
    """Yield the answers under some names, at any depth."""
    if isinstance(answers, list):
        for each in answers:
            yield from _iterate_values(each, names)
    if isinstance(answers, Mapping):
        for name, value in answers.items():
            if name in names and isinstance(value, str):
                yield value
            yield from _iterate_values(value, names)
