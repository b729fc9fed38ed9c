"""Give roles to forms that were published before forms named them.

Which names stood for which roles is data of the program: earlier_roles.yaml. A stored definition is never
rewritten: what is read from the database passes through here, at the centre and on its way to phones, so that
a form of before goes on working as it did.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from fieldapp.paths import PROGRAM
from forms.definition import Choice, Element, FormDefinition
from forms.roles import MINUTES_COLUMN, ROLE_COLUMN, ChoiceRole, QuestionRole

# Roles that settings could give before there were others.
EARLIER = frozenset({"day", "area", "kind", "person", "due", "plan", "minutes", "tier", "status"})


@functools.cache
def _read_names() -> Mapping[str, Any]:
    names: Mapping[str, Any] = yaml.safe_load((PROGRAM / "earlier_roles.yaml").read_text(encoding="utf-8"))
    return names


def give_roles(definition: FormDefinition) -> FormDefinition:
    """Return a definition with the roles that its names stood for, where it gives none.

    Two things hold for every form. The questions beside the one about consent get their roles where they have none:
    else a person who did not understand would count as asked. And lists that say who, where or when are marked.
    """
    # A form that gives any role is taken at its word; to guess at the rest would override what its
    # author left out.
    if not _gives_roles(definition):
        definition = _give_by_name(definition)
    return _mark_lists(_give_consent_roles(definition))


def _gives_roles(definition: FormDefinition) -> bool:
    # What stood in settings before cannot tell a form of today from one of then, so only other
    # roles count.
    if definition.role or not EARLIER.issuperset(definition.summary):
        return True
    return any(map(_has_roles, definition.choices.values()))


def _has_roles(choices: Sequence[Choice]) -> bool:
    return any(choice.roles for choice in choices)


def _give_by_name(definition: FormDefinition) -> FormDefinition:
    names = _read_names()
    form = names["forms"].get(definition.id, {})
    summary = dict(definition.summary)
    for role, place in form.get("questions", {}).items():
        path = f"/data/{place}"
        if path in definition.by_path:
            summary.setdefault(role, path)
    definition = dataclasses.replace(definition, role=form.get("role", ""), summary=summary)
    # After the questions: choices are found by the question that has the role.
    for role, meanings in names["choices"].items():
        definition = _mark_choices(definition, role, ROLE_COLUMN, meanings)
    minutes = {name: str(number) for name, number in names["minutes"].items()}
    return _mark_choices(definition, QuestionRole.MINUTES, MINUTES_COLUMN, minutes)


def _give_consent_roles(definition: FormDefinition) -> FormDefinition:
    names = _read_names()
    tier = _find_tier(definition, names["tier_list"])
    if tier is None:
        return definition
    summary = dict(definition.summary)
    for role, name in names["beside_tier"].items():
        path = f"{tier.parent}/{name}"
        if path in definition.by_path and role not in summary:
            summary[role] = path
    # Where the form had all roles itself, its choices were marked by its author too.
    if summary != definition.summary:
        definition = dataclasses.replace(definition, summary=summary)
        for role, meanings in names["consent_choices"].items():
            definition = _mark_choices(definition, role, ROLE_COLUMN, meanings)
    if tier.choices not in definition.choices:
        return definition
    marked = tuple(_mark(choice, ROLE_COLUMN, ChoiceRole.CONSENT_TIER) for choice in definition.choices[tier.choices])
    return dataclasses.replace(definition, choices={**definition.choices, tier.choices: marked})


def _mark_lists(definition: FormDefinition) -> FormDefinition:
    """Return a definition whose lists are known to say who, or where and when."""
    choices = dict(definition.choices)
    for role, lists in _read_names()["lists"].items():
        for name in set(lists) & choices.keys():
            choices[name] = tuple(_mark(choice, ROLE_COLUMN, role) for choice in choices[name])
    return dataclasses.replace(definition, choices=choices)


def _find_tier(definition: FormDefinition, tier_list: str) -> Element | None:
    by_list = (element for element in definition.elements if element.choices == tier_list)
    # By its role, else by its list: forms from before roles named the list only.
    return definition.find_with_role(QuestionRole.TIER) or next(by_list, None)


def _mark_choices(definition: FormDefinition, role: str, column: str, cells: Mapping[str, str]) -> FormDefinition:
    """Return a definition whose question with a role offers choices with these cells."""
    question = definition.find_with_role(role)
    if question is None or question.choices not in definition.choices:
        return definition
    marked = tuple(
        _mark(choice, column, cells[choice.name]) if choice.name in cells else choice
        for choice in definition.choices[question.choices]
    )
    return dataclasses.replace(definition, choices={**definition.choices, question.choices: marked})


def _mark(choice: Choice, column: str, cell: str) -> Choice:
    """Return a choice with one more role, or a number of minutes."""
    before = choice.data.get(column, "").split()
    cells = before if cell in before else [*before, cell]
    return dataclasses.replace(choice, data={**choice.data, column: " ".join(cells)})
