"""Run a form's logic over answers: relevance, calculations, then every rule. The twin of client/src/engine/form.ts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forms import answers as tree
from forms.answers import AnswerNode
from forms.definition import FormDefinition, in_language
from forms.expressions import Context, DateValue, evaluate, to_boolean, to_string
from forms.expressions.values import parse_date
from forms.problems import N_, AnswerProblem

INTEGER = re.compile(r"-?[0-9]{1,15}")
MAX_TEXT = 4000  # characters in one answer


@dataclass(frozen=True)
class Checked:
    """Answers after the form's logic: what is relevant and computed, and every problem found."""

    answers: dict[str, Any]
    problems: list[AnswerProblem]


def check(definition: FormDefinition, given: Any, now: DateValue) -> Checked:
    """Return the answers as the form's own logic leaves them, with every problem; `now` is the phone's local time."""
    root, problems = tree.build(definition, given)
    sent = {id(node): node.text for node in _walk(root)}
    calculate(definition, root, now)
    for node in _walk(root):
        if node.element.kind == "question" and (problem := _problem(definition, root, node, sent[id(node)], now)):
            problems.append(problem)
    return Checked(tree.to_json(root), problems)


def calculate(definition: FormDefinition, root: AnswerNode, now: DateValue) -> None:
    """Set relevance and calculated answers, each element after those that it reads."""
    for path in definition.order:
        element = definition.by_path[path]
        for node in _at(root, path):
            assert node.parent is not None
            context = _context(definition, root, node, now)
            node.is_relevant = node.parent.is_relevant and (
                element.relevant is None or to_boolean(evaluate(element.relevant, context))
            )
            if element.calculate is not None:
                node.text = to_string(evaluate(element.calculate, context)) if node.is_relevant else ""


def _context(definition: FormDefinition, root: AnswerNode, node: AnswerNode, now: DateValue) -> Context:
    def choice_label(name: str, path: str) -> str:
        element = definition.by_path.get(path)
        return definition.choice_label(element, name, definition.languages[0]) if element else name

    return Context(root=root, node=node, now=now, choice_label=choice_label)


def _walk(node: AnswerNode) -> Iterator[AnswerNode]:
    yield node
    for children in node.children.values():
        for child in children:
            yield from _walk(child)


def _at(root: AnswerNode, path: str) -> list[AnswerNode]:
    found = [root]
    for name in path.split("/")[2:]:
        found = [child for node in found for child in node.children_named(name)]
    return found


def _problem(
    definition: FormDefinition, root: AnswerNode, node: AnswerNode, sent: str, now: DateValue
) -> AnswerProblem | None:
    element, where = node.element, node.where()
    if not node.is_relevant:
        if sent and element.calculate is None:
            return AnswerProblem("answers.irrelevant", N_("This question was not to be asked here."), where)
        return None
    if element.calculate is not None:
        if sent != node.text:
            return AnswerProblem("answers.calculation", N_("The phone and the centre compute different values."), where)
        return None
    context = _context(definition, root, node, now)
    if not node.text:
        if element.required is not None and to_boolean(evaluate(element.required, context)):
            return AnswerProblem("answers.required", N_("An answer is needed."), where)
        return None
    if reason := _mistyped(definition, node):
        return AnswerProblem("answers.type", reason, where)
    if element.constraint is not None and not to_boolean(evaluate(element.constraint, context)):
        message = in_language(element.constraint_message, definition.languages[0])
        return AnswerProblem("answers.constraint", message or N_("This answer is not allowed."), where)
    return None


def _mistyped(definition: FormDefinition, node: AnswerNode) -> str:
    kind, text = node.element.type, node.text
    if len(text) > MAX_TEXT:
        return N_("This answer is too long.")
    if kind == "integer" and not INTEGER.fullmatch(text):
        return N_("This should be a whole number.")
    if kind == "decimal" and not isinstance(node.value(), float):
        return N_("This should be a number.")
    if kind in ("date", "dateTime"):
        parsed = parse_date(text)
        if parsed is None or parsed.has_time != (kind == "dateTime"):
            return N_("This should be a date.") if kind == "date" else N_("This should be a date and a time.")
    if kind == "select_one" and text not in definition.choice_names[node.element.choices]:
        return N_("The form has no such choice.")
    if kind == "select_multiple":
        names = text.split()
        if len(set(names)) != len(names) or not set(names) <= definition.choice_names[node.element.choices]:
            return N_("The form has no such choice.")
    return ""
