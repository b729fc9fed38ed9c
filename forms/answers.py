"""The tree of answers of one submission, and its JSON: groups are objects, repeats are lists, every answer is text."""

from typing import Any

from forms.definition import Element, FormDefinition
from forms.expressions.values import NUMBER, Value, parse_date
from forms.problems import N_, AnswerProblem

ROOT = Element(path="/data", name="data", kind="group", type="", parent="")


class AnswerNode:
    """A question, a group or one instance of a repeat, with its answer as text."""

    def __init__(self, element: Element, parent: "AnswerNode | None"):
        self.element = element
        self.parent = parent
        self.children: dict[str, list[AnswerNode]] = {}
        self.text = ""
        self.is_relevant = True

    def children_named(self, name: str) -> "list[AnswerNode]":
        return self.children.get(name, [])

    def value(self) -> Value:
        """Return the typed value; "" while the question is not relevant."""
        if not self.is_relevant or not self.text:
            return ""
        if self.element.type in ("integer", "decimal"):
            return float(self.text) if NUMBER.fullmatch(self.text) else self.text
        if self.element.type in ("date", "dateTime"):
            return parse_date(self.text) or self.text
        return self.text

    def position(self) -> int:
        siblings = self.parent.children_named(self.element.name) if self.parent else [self]
        return siblings.index(self) + 1

    def where(self) -> str:
        """Return the dotted name with the position in repeats: followup[2].outcome."""
        if self.parent is None:
            return ""
        here = f"{self.element.name}[{self.position()}]" if self.element.kind == "repeat" else self.element.name
        return ".".join(part for part in (self.parent.where(), here) if part)


def build(definition: FormDefinition, answers: Any) -> tuple[AnswerNode, list[AnswerProblem]]:
    """Return the tree that answers describe, and what in them does not belong to the form."""
    root, problems = AnswerNode(ROOT, None), list[AnswerProblem]()
    _fill(definition, root, answers, problems)
    return root, problems


def _fill(definition: FormDefinition, node: AnswerNode, answers: Any, problems: list[AnswerProblem]) -> None:
    if not isinstance(answers, dict):
        problems.append(AnswerProblem("answers.shape", N_("This should hold several answers."), node.where()))
        answers = {}
    elements = definition.children.get(node.element.path, [])
    for name in answers.keys() - {element.name for element in elements}:
        where = ".".join(part for part in (node.where(), str(name)[:80]) if part)
        problems.append(AnswerProblem("answers.unknown_question", N_("The form has no such question."), where))
    for element in elements:
        given = answers.get(element.name)
        if element.kind == "repeat":
            instances = given if isinstance(given, list) else []
            if given is not None and not isinstance(given, list):
                problems.append(AnswerProblem("answers.shape", N_("This should be a list."), element.name))
        else:
            instances = [given]
        children = node.children.setdefault(element.name, [])
        for instance in instances:
            child = AnswerNode(element, node)
            children.append(child)
            if element.kind == "question":
                if isinstance(given, str):
                    child.text = given
                elif given is not None:
                    problems.append(AnswerProblem("answers.shape", N_("This answer should be text."), child.where()))
            else:
                _fill(definition, child, {} if instance is None else instance, problems)


def to_json(node: AnswerNode) -> dict[str, Any]:
    """Return the relevant answers that are not blank, as the nested JSON that phones send."""
    result: dict[str, Any] = {}
    for name, children in node.children.items():
        relevant = [child for child in children if child.is_relevant]
        if not relevant:
            continue
        element = relevant[0].element
        if element.kind == "repeat":
            result[name] = [to_json(child) for child in relevant]
        elif element.kind == "group":
            if inner := to_json(relevant[0]):
                result[name] = inner
        elif relevant[0].text:
            result[name] = relevant[0].text
    return result
