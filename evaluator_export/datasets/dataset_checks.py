"""What a dataset must not let out: what its form keeps in, and who beside where and when."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluator_export.datasets.dataset_spec import Column, ConsentRule, Family
from evaluator_export.policy.policy import Field, Policy, Role
from evaluator_export.problems import Detail, Reason
from forms.definition import Choice, Element, FormDefinition
from forms.keep import ASKED_BY
from forms.privacy_classes import NEVER_LEAVES
from forms.question_type import AnswerKind
from forms.roles import ChoiceRole, QuestionRole

COARSE_TIMES = frozenset({"half", "year", "all"})
ANY_YES = 1


def find_reason_to_stay(
    element: Element,
    column: str,
    body: Mapping[str, Any],
    has_rows: bool,
) -> Reason | None:
    """Return why the form does not let a question leave as the policy wants; None if it does.

    `column`: the question's column name. `body`: what the policy says of the field. `has_rows`:
    whether rows of the dataset leave, and not only tables.
    """
    role = body.get("role")
    # A pseudonym is made of an identifier, and is the one way in which one may leave: under a name
    # that means nothing elsewhere.
    if role == Role.PERSON or (role == Role.PSEUDONYM and element.privacy == "identifier"):
        return None
    # "count" means in tables only: a dataset without rows is for nothing else.
    is_dropped = element.export == "drop" or (element.export == "count" and has_rows)
    if not element.privacy:
        return Reason("dataset.unclassified", {"column": column})
    if element.privacy in {str(privacy) for privacy in NEVER_LEAVES}:
        return Reason("dataset.never", {"column": column, "privacy": element.privacy})
    if is_dropped:
        return Reason("dataset.export", {"column": column, "export": element.export})
    if element.export == "generalise" and "hierarchy" not in body:
        return Reason("dataset.generalize", {"column": column})
    # What others may know of a person has to be declared as such: as a mere "keep" no class would
    # protect it.
    if element.privacy == Role.QUASI_IDENTIFIER and role not in ("qi", Role.QUASI_IDENTIFIER):
        details = {"column": column, "role": str(role or Role.DROP)}
        return Reason("dataset.identifier", details)
    return None


def check_family(
    family: str,
    policy: Policy,
    columns: Mapping[str, Column],
    questions: Mapping[str, Element],
    choices: Mapping[str, Sequence[Choice]],
) -> list[Reason]:
    """Return what is wrong with fields that say who beside where and when.

    They are never in one dataset, or a row about a person could be matched with what was seen on
    a street. `columns`: by field name. `questions`: by the name that columns have for them.
    `choices`: the lists of the form, whose choices say by their roles what they tell.
    """
    reasons = []
    for field in policy.fields:
        if field.role == Role.PERSON or field.name not in columns:
            continue
        element = questions[columns[field.name].question]
        roles = _list_choice_roles(choices.get(element.choices, ()))
        details = {"column": field.name}
        if family == Family.EVENTS:
            # Events say where and when, so they may not also say who; the other family the other
            # way round.
            if ChoiceRole.SAYS_WHO in roles or field.role == Role.PSEUDONYM:
                reasons.append(Reason("dataset.who", details))
        elif family == Family.PEOPLE:
            if ChoiceRole.SAYS_WHERE_OR_WHEN in roles:
                reasons.append(Reason("dataset.where_when", details))
            if element.answer_kind == AnswerKind.DATE and _is_exact_time(field):
                reasons.append(Reason("dataset.time", details))
    return reasons


def check_consent(
    consent: ConsentRule | None, form: FormDefinition, columns: Mapping[str, Sequence[Element]]
) -> list[Reason]:
    """Return which columns need more consent than the dataset asks for.

    `columns`: the questions of the form that each column is made of. Without a consent a dataset
    takes what any yes allows: the form lets nothing else through.
    """
    minimum = consent.minimum if consent else ANY_YES
    reasons = []
    for column, elements in columns.items():
        for element in elements:
            for keep in sorted(_list_needs(form, element)):
                if keep in ASKED_BY:
                    reasons.append(Reason("dataset.purpose", {"column": column, "keep": keep}))
                elif int(keep) > minimum:
                    details: dict[str, Detail] = {"column": column, "keep": keep, "minimum": minimum}
                    reasons.append(Reason("dataset.keep", details))
    return reasons


def _list_needs(form: FormDefinition, element: Element) -> frozenset[str]:
    """Return the keeps of a question and its groups; none where it stays after a no."""
    if element.path in form.kept_after_no or not form.find_with_role(QuestionRole.TIER):
        return frozenset()
    # Without a rule of its own a question may leave after any yes, but never without one.
    return form.keeps.get(element.path, frozenset({str(ANY_YES)}))


def _list_choice_roles(choices: Sequence[Choice]) -> set[str]:
    """Return the roles that any choice of a list has."""
    return set().union(*(choice.roles for choice in choices))


def _is_exact_time(field: Field) -> bool:
    if field.hierarchy is None:
        return False
    return field.hierarchy.names[field.minimum] not in COARSE_TIMES
