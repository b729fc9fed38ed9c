"""Card codes in answers: find them, take one out; what is left when a card ended."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from forms.definition import Element, FormDefinition
from forms.privacy_classes import PrivacyClass
from forms.roles import QuestionRole
from sync.card_codes import find_codes, take_out_codes
from sync.fold import flatten, unflatten
from sync.notes import plain_code

NO_TIER = "0"
SEPARATORS = ("-", " ", ".", "_", "\u2011", "\u2013", "\u00a0")


def list_spellings(code: str) -> tuple[str, ...]:
    """Return the spellings of a card code that are looked for in what phones are told.

    The two that forms allow, and those that are often typed into notes.
    """
    halves = [f"{code[:4]}{separator}{code[4:]}" for separator in SEPARATORS]
    return code, *halves, " ".join(code), f"{code[:3]}-{code[3:6]}-{code[6:]}", f"{code[:3]} {code[3:6]} {code[6:]}"


def names_person(definition: FormDefinition, answers: Mapping[str, Any], codes: Collection[str]) -> bool:
    """Say whether answers are about the person with one of these cards.

    And do not only name it.

    In a form made elsewhere no question may have the role of the card: then any identifier outside a repeat says it, and
    any other answer there that is a code and nothing else.
    """
    if definition.find_with_role(QuestionRole.PERSON) is not None:
        named = definition.read_role(answers, QuestionRole.PERSON)
        return plain_code(named.replace(" ", "")) in codes  # a form refuses a space, but what it refused is stored too
    return any(
        _holds_code(definition, element, answers.get(element.name), codes) for element in definition.children["/data"]
    )


def find_named(definition: FormDefinition, answers: Mapping[str, Any]) -> set[str]:
    """Return the card codes of whom answers are about, where no question has that role.

    Without dashes; also of each instance of a repeat.
    """
    if definition.find_with_role(QuestionRole.PERSON) is not None:
        return set()
    codes = find_codes(json.dumps(answers, ensure_ascii=False))
    return {
        code
        for code in codes
        if names_person(definition, answers, {code}) or leave_out_instances(definition, answers, {code}) != answers
    }


def _holds_code(definition: FormDefinition, element: Element, value: Any, codes: Collection[str]) -> bool:
    """Say whether a question, or one in a group, names one of these cards.

    An identifier does where it holds a code. Any other question does where a code is all that it holds: in some forms
    “Card no.” is a free text.
    """
    if element.kind == "group" and isinstance(value, Mapping):
        children = definition.children.get(element.path, ())
        return any(_holds_code(definition, child, value.get(child.name), codes) for child in children)
    if element.kind != "question" or not isinstance(value, str) or find_codes(value).isdisjoint(codes):
        return False
    return element.privacy == PrivacyClass.IDENTIFIER or _is_nothing_else(value, codes)


def _is_nothing_else(text: str, codes: Collection[str]) -> bool:
    """Say whether a text that holds one of these codes has no other letters and digits."""
    return not any(character.isalnum() for character in take_out_codes(text, codes))


def leave_out_instances(
    definition: FormDefinition, answers: Mapping[str, Any], codes: Collection[str], path: str = "/data"
) -> dict[str, Any]:
    """Return answers without the instances of repeats that are about one of these cards.

    Only in forms where no role says whose they are.
    """
    if definition.find_with_role(QuestionRole.PERSON) is not None:
        return dict(answers)
    left = dict(answers)
    for element in definition.children.get(path, ()):
        value = answers.get(element.name)
        if element.kind == "group" and isinstance(value, Mapping):
            left[element.name] = leave_out_instances(definition, value, codes, element.path)
        elif element.kind == "repeat" and isinstance(value, list):
            left[element.name] = _leave_out_of_repeat(definition, element, value, codes)
    return left


def _leave_out_of_repeat(
    definition: FormDefinition, repeat: Element, instances: list[Any], codes: Collection[str]
) -> list[Any]:
    left = []
    children = definition.children.get(repeat.path, ())
    for instance in instances:
        page = instance if isinstance(instance, Mapping) else {}
        if not any(_holds_code(definition, child, page.get(child.name), codes) for child in children):
            left.append(leave_out_instances(definition, page, codes, repeat.path) if page else instance)
    return left


def take_out_of_answers(value: Any, codes: Collection[str]) -> Any:
    """Return JSON values without these card codes."""
    return json.loads(take_out_codes(json.dumps(value, ensure_ascii=False), codes))


def make_tally_answers(definition: FormDefinition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stays of a record whose card ended.

    That is the kind of contact, and that it allows nothing.

    A kind that somebody typed is not kept: it can say anything.
    """
    leaves = flatten(read_chosen_kind(definition, answers))
    tier = definition.find_with_role(QuestionRole.TIER)
    if tier is not None:
        leaves[_dotted(tier.path)] = NO_TIER
    return unflatten(leaves)


def read_chosen_kind(definition: FormDefinition | None, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of answers that is the kind of contact; {} where somebody typed it."""
    kind = definition.find_with_role(QuestionRole.KIND) if definition else None
    if definition is None or kind is None or not has_chosen_kind(definition):
        return {}
    return unflatten({_dotted(kind.path): definition.read_role(answers, QuestionRole.KIND)})


def has_chosen_kind(definition: FormDefinition | None) -> bool:
    """Say whether the kind of contact is one of a form's choices, not a text."""
    kind = definition.find_with_role(QuestionRole.KIND) if definition else None
    return kind is not None and kind.is_select


def _dotted(path: str) -> str:
    return ".".join(path.split("/")[2:])
