"""The tree of answers of one submission, and its JSON.

Groups are objects, repeats are lists, every answer is text.
"""

import itertools
from collections.abc import Sequence
from typing import Any

from forms.definition import Element, FormDefinition
from forms.expressions.values import Value
from forms.problems import N_, AnswerProblem
from forms.question_type import AnswerKind
from forms.types import TYPES

ROOT = Element(path="/data", name="data", kind="group", type="", parent="")
MAX_INSTANCES = 1000  # of one repeat whose number a calculation gives


class AnswerNode:
    """A question, a group or one instance of a repeat, with its answer as text."""

    __slots__ = ("children", "element", "is_beyond", "is_relevant", "parent", "text")

    def __init__(self, element: Element, parent: "AnswerNode | None"):
        self.element = element
        self.parent = parent
        self.children: dict[str, list[AnswerNode]] = {}
        self.text = ""
        self.is_relevant = True
        self.is_beyond = False  # more than a repeat that counts its instances has

    def children_named(self, name: str) -> "Sequence[AnswerNode]":
        """Return the answers to a question of this name; several inside a repeat."""
        return self.children.get(name, ())

    def all_children(self) -> "Sequence[AnswerNode]":
        """Return every question, group and instance inside, in the order of the form."""
        return list(itertools.chain.from_iterable(self.children.values()))

    def value(self) -> Value:
        """Return the typed value; "" while the question is not relevant."""
        text = self.text
        if not text or not self.is_relevant:
            return ""
        return TYPES[self.element.type].read(text)

    def position(self) -> int:
        """Return the place of an instance in its repeat, counted from 1; 1 for anything else."""
        if self.parent:
            return self.parent.children[self.element.name].index(self) + 1
        return 1

    def describe_place(self) -> str:
        """Return the dotted name with the position in repeats: followup[2].outcome."""
        if self.parent is None:
            return ""
        own = self.element.name
        if self.element.kind == "repeat":
            own = f"{self.element.name}[{self.position()}]"
        return ".".join(part for part in (self.parent.describe_place(), own) if part)


def build_tree(definition: FormDefinition, answers: Any) -> tuple[AnswerNode, list[AnswerProblem]]:
    """Return the tree that answers describe, and what in them does not belong to the form."""
    root = AnswerNode(ROOT, None)
    problems: list[AnswerProblem] = []
    fill_node(definition, root, answers, problems)
    return root, problems


def fill_node(definition: FormDefinition, node: AnswerNode, answers: Any, problems: list[AnswerProblem]) -> None:
    """Make the children of a group or instance from its answers.

    What is wrong with their shape is added to `problems`.
    """
    if not isinstance(answers, dict):
        problems.append(AnswerProblem("answers.shape", N_("This should have several answers."), node.describe_place()))
        # Read on as blank: one wrong shape must not hide what else is wrong.
        answers = {}
    elements = definition.children.get(node.element.path, ())
    taken = 0
    for element in elements:
        answer = answers.get(element.name)
        taken += element.name in answers
        if element.kind == "question":
            _add_question(node, element, answer, problems)
        else:
            _add_instances(definition, node, element, answer, problems)
    # Counted first, since nearly every record has no unknown question, and making sets costs.
    if taken < len(answers):
        for name in answers.keys() - {element.name for element in elements}:
            # Cut, since the name is whatever was sent.
            where = ".".join(part for part in (node.describe_place(), str(name)[:80]) if part)
            problems.append(AnswerProblem("answers.unknown_question", N_("The form has no such question."), where))


def _add_question(node: AnswerNode, element: Element, answer: Any, problems: list[AnswerProblem]) -> None:
    child = AnswerNode(element, node)
    node.children[element.name] = [child]
    if isinstance(answer, str):
        child.text = answer
    elif answer is not None:
        problems.append(AnswerProblem("answers.shape", N_("This answer should be text."), child.describe_place()))


def _add_instances(
    definition: FormDefinition, node: AnswerNode, element: Element, answer: Any, problems: list[AnswerProblem]
) -> None:
    """Add a group, or the instances of a repeat."""
    instances: list[Any] = [answer]
    if element.kind == "repeat" and isinstance(answer, list):
        # Not a list: there is nothing to take instances from.
        instances = answer
    elif element.kind == "repeat":
        instances = []
        if answer is not None:
            problems.append(AnswerProblem("answers.shape", N_("This should be a list."), element.name))
    children = node.children.setdefault(element.name, [])
    for instance in instances:
        child = AnswerNode(element, node)
        children.append(child)
        inside: Any = {}  # None: an instance of which nothing was answered
        if instance is not None:
            inside = instance
        fill_node(definition, child, inside, problems)


def list_attachment_answers(definition: FormDefinition, answers: Any, path: str = "/data") -> list[str]:
    """Return the answers that are pictures, recordings or files."""
    attachments: list[str] = []
    for element in definition.children.get(path, ()):
        value = None
        if isinstance(answers, dict):
            value = answers.get(element.name)
        if element.kind != "question":
            instances = [value]
            if isinstance(value, list):
                instances = value
            for instance in instances:
                attachments += list_attachment_answers(definition, instance, element.path)
        elif element.answer_kind == AnswerKind.MEDIA and isinstance(value, str):
            attachments.append(value)
    return attachments


def to_json(node: AnswerNode) -> dict[str, Any]:
    """Return the relevant answers that are not blank, as the nested JSON that phones send."""
    result: dict[str, Any] = {}
    for name, children in node.children.items():
        relevant = [child for child in children if child.is_relevant]
        if not relevant:
            continue
        element = relevant[0].element
        if element.kind == "repeat":
            # An instance stays though nothing in it was answered: that there was one says
            # something.
            result[name] = [to_json(child) for child in relevant]
        elif element.kind == "group":
            inner = to_json(relevant[0])
            if inner:
                result[name] = inner
        elif relevant[0].text:
            result[name] = relevant[0].text
    return result
