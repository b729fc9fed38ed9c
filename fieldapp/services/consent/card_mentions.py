"""Card codes in answers: find them, take one out; what is left when a card ended."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from forms.definition import FormDefinition
from forms.roles import QuestionRole
from sync.card_codes import take_out_codes
from sync.fold import flatten, unflatten

NO_TIER = "0"
SEPARATORS = ("-", " ", ".", "_", "\u2011", "\u2013", "\u00a0")


def list_spellings(code: str) -> tuple[str, ...]:
    """Return the spellings of a card code that are looked for in what phones are told.

    The two that forms allow, and those that are often typed into notes.
    """
    halves = [f"{code[:4]}{separator}{code[4:]}" for separator in SEPARATORS]
    return code, *halves, " ".join(code), f"{code[:3]}-{code[3:6]}-{code[6:]}", f"{code[:3]} {code[3:6]} {code[6:]}"


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
