"""How far consent must reach for an answer to be kept: the column `consent::keep`.

Blank means that any yes will do (tier 1). "2" and "3" need that tier, "+4" and "+5" a yes to a question of their own
beside tier 1, and "0" stays after a no. forms/consent.py makes the rule part of what makes questions relevant.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from forms import dependencies
from forms.definition import HIGHER_KEEPS, Element, FormDefinition
from forms.expressions.nodes import Ast, ChildStep, NumberLiteral, Operation, Origin, Path, TextLiteral
from forms.roles import ChoiceRole, QuestionRole

KEEP_COLUMN = "consent::keep"
WHY_COLUMN = "consent::why"
AFTER_NO = "0"
KEEPS = (AFTER_NO, "1", "2", "3", "+4", "+5")
SPELLINGS = {"1": "", "4": "+4", "5": "+5"}  # a spreadsheet makes the number 4 of +4
ASKED_BY = {"+4": QuestionRole.CONSENT_CONTACT, "+5": QuestionRole.CONSENT_SHARING}


def read_keep(cells: Mapping[str, str]) -> str:
    """Return the keep of a row in its standard spelling; "" for 1, as written when it is none."""
    written = cells.get(KEEP_COLUMN, "").strip().removesuffix(".0")
    return SPELLINGS.get(written, written)


def make_yes(definition: FormDefinition, tier: Element, keep: str) -> Ast:
    """Return the condition under which consent reaches as far as a keep; "" is tier 1."""
    role = ASKED_BY.get(keep)
    if role is None:
        return Operation(">=", make_path(tier), NumberLiteral(int(keep or "1")))
    yes: Ast = Operation(">=", make_path(tier), NumberLiteral(1))
    question = definition.find_with_role(role)
    if question is None:
        return yes  # refused by the linter
    chosen: Ast | None = None
    for name in _list_yeses(definition, role):
        is_name = Operation("=", make_path(question), TextLiteral(name))
        chosen = Operation("or", chosen, is_name) if chosen else is_name
    return Operation("and", yes, chosen) if chosen else yes


def make_path(element: Element) -> Ast:
    """Return the path of an element from the root."""
    return Path(Origin.ROOT, tuple(ChildStep(name) for name in element.path.split("/")[1:]))


def write_yes(definition: FormDefinition, tier: Element, keep: str) -> str:
    """Return the same condition as make_yes in XPath, for the XForm that ODK Collect has."""
    role = ASKED_BY.get(keep)
    if role is None:
        return f"{tier.path} >= {keep or '1'}"
    question = definition.find_with_role(role)
    if question is None:
        return f"{tier.path} >= 1"
    chosen = " or ".join(f"{question.path} = '{name}'" for name in _list_yeses(definition, role))
    return f"{tier.path} >= 1 and ({chosen})"


def list_denied(definition: FormDefinition, tier: float, read: Callable[[QuestionRole], str]) -> frozenset[str]:
    """Return the keeps that consent does not reach.

    `tier`: the number that the person said. `read`: gives the answer to the question with a role, "" when it is not asked.
    """
    denied = set()
    for keep in HIGHER_KEEPS & definition.keeps_used:
        role = ASKED_BY.get(keep)
        is_yes = tier >= (1 if role else int(keep))
        if role is not None:
            is_yes = is_yes and read(role) in _list_yeses(definition, role)
        if not is_yes:
            denied.add(keep)
    return frozenset(denied)


def cut_above(definition: FormDefinition, answers: Mapping[str, Any], denied: Collection[str]) -> dict[str, Any]:
    """Return answers as they came without what consent does not reach.

    For where no rule could be run. What the form computes of such answers goes too.
    """
    return leave_out(definition, answers, list_made_of(definition, denied))


def list_made_of(definition: FormDefinition, denied: Collection[str]) -> set[str]:
    """Return the paths of elements with these keeps, and of what is computed of their answers."""
    paths = {path for path, keeps in definition.keeps.items() if not keeps.isdisjoint(denied)}
    computed = [element for element in definition.elements if element.calculate is not None]
    computed = [element for element in computed if element.path not in definition.kept_after_no]
    is_growing = True
    while is_growing:
        before = len(paths)
        for element in computed:
            reads = {path for path, _ in dependencies.find_element_reads(element, definition.children)}
            if not reads.isdisjoint(paths):
                paths.add(element.path)
        is_growing = len(paths) > before
    return paths


def leave_out(
    definition: FormDefinition, answers: Mapping[str, Any], left_out: Collection[str], path: str = "/data"
) -> dict[str, Any]:
    """Return answers as they came without the elements at some paths.

    `path`: where the answers are.
    """
    part: dict[str, Any] = {}
    for element in definition.children.get(path, ()):
        value = answers.get(element.name)
        if element.path in left_out:
            continue
        if element.kind == "group" and isinstance(value, Mapping):
            part[element.name] = leave_out(definition, value, left_out, element.path)
        elif element.kind == "repeat" and isinstance(value, list):
            instances = [instance for instance in value if isinstance(instance, Mapping)]
            part[element.name] = [leave_out(definition, instance, left_out, element.path) for instance in instances]
        elif element.kind == "question" and isinstance(value, str):
            part[element.name] = value
    return part


def _list_yeses(definition: FormDefinition, role: QuestionRole) -> list[str]:
    return [choice.name for choice in definition.list_choices_with_role(role, ChoiceRole.YES)]
