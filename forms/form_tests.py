"""Tests that an author writes in a sheet called `tests`: given these answers, expect this. They run at every publish.

| test | question | answer | expect |
|---|---|---|---|
| A check-in | who | enrolled | |
| A check-in | code | | shown |
| A check-in | people_n | 500 | constraint |

Rows with the same `test` belong together and are taken in order. A row with an `answer` gives it; `expect` is then checked:
`shown`, `hidden`, `ok`, `required`, `constraint`, `type`, `= text` for the value, or the words of the form's own message. A
question in a repeat is written followup[2].outcome; giving an answer makes the instance.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from forms import answers as tree
from forms.answers import AnswerNode
from forms.definition import FormDefinition
from forms.expressions import DateValue, EvaluationContext, evaluate, to_string
from forms.expressions.values import parse_date
from forms.problems import N_, FormProblem
from forms.validation import Rules, calculate

COLUMNS = ("test", "question", "answer", "expect")
NOW = "2026-06-15T12:00:00.000"  # the phone's clock in tests that do not set it (question: now)


def run_tests(sheet: list[list[str]], definition: FormDefinition) -> list[FormProblem]:
    """Return a problem for each expectation that does not hold; the first row of the sheet names its columns."""
    header = [column.strip().lower() for column in sheet[0]] if sheet else []
    problems: list[FormProblem] = []
    for column in header:
        if column and column not in (*COLUMNS, "note"):
            text = N_("The tests sheet has the columns test, question, answer and expect.")
            problems.append(_make_problem(1, text, column=column))
    for _, steps in groupby(_read_steps(header, sheet), key=lambda step: step[1].get("test", "")):
        problems += _TestRun(definition).all(list(steps))
    return problems


def count_tests(sheet: list[list[str]]) -> int:
    """Return how many tests a sheet holds."""
    header = [column.strip().lower() for column in sheet[0]] if sheet else []
    return len({cells.get("test", "") for _, cells in _read_steps(header, sheet)})


def _read_steps(header: list[str], sheet: list[list[str]]) -> list[tuple[int, dict[str, str]]]:
    named = [(number, dict(zip(header, row, strict=False))) for number, row in enumerate(sheet[1:], 2)]
    return [(number, cells) for number, cells in named if any(cells.values())]


def _make_problem(number: int, text: str, column: str = "expect", **details: str) -> FormProblem:
    return FormProblem("form.test", text, details, sheet="tests", row=number, column=column)


class _TestRun:
    """One test: a form that is being filled in."""

    def __init__(self, definition: FormDefinition):
        self.definition = definition
        self.root, _ = tree.build_tree(definition, {})
        now = parse_date(NOW)
        assert now
        self.now: DateValue = now
        self.defaults(self.root)

    def defaults(self, node: AnswerNode) -> None:
        lists = self.definition.lists
        for child in node.all_children():
            element = child.element
            if element.first_value:
                child.text = to_string(evaluate(element.first_value, EvaluationContext(self.root, child, self.now, lists)))
            elif element.default:
                child.text = element.default
            self.defaults(child)

    def all(self, steps: list[tuple[int, dict[str, Any]]]) -> Iterator[FormProblem]:
        for number, cells in steps:
            question, answer, expect = (cells.get(key, "") for key in COLUMNS[1:])
            if question == "now":
                moment = parse_date(answer)
                if moment is None:
                    yield _make_problem(number, N_("Write the moment like 2026-06-15T12:00."), "answer")
                else:
                    self.now = DateValue(moment.days, "dateTime")
                continue
            node = self.find(question, is_made=bool(answer))
            if node is None:
                text = N_("There is no question “{name}” to refer to.")
                yield _make_problem(number, text, "question", name=question)
                continue
            if answer:
                node.text = answer
            calculate(self.definition, self.root, self.now)
            if expect and (found := self.compare(node, expect.strip())) is not None:
                text = N_("The test “{test}” expects “{expect}” at “{name}”, but it is “{found}”.")
                details = {"test": cells.get("test", ""), "expect": expect, "name": question, "found": found}
                yield _make_problem(number, text, **details)

    def find(self, name: str, is_made: bool) -> AnswerNode | None:
        """Return the node of a question by its name or dotted path, making instances of repeats when an answer is given."""
        places = [name.split(".")]
        if "." not in name and "[" not in name:
            paths = [element.path for element in self.definition.elements if element.name == name]
            places = [path.split("/")[2:] for path in paths[:1]]
        for parts in places:
            node: AnswerNode | None = self.root
            for part in parts:
                node = self.child(node, part, is_made) if node else None
            return node
        return None

    def child(self, node: AnswerNode, part: str, is_made: bool) -> AnswerNode | None:
        name, _, index = part.rstrip("]").partition("[")
        wanted = int(index) if index.isdecimal() else 1
        element = next((one for one in self.definition.children.get(node.element.path, ()) if one.name == name), None)
        if element is None or not 1 <= wanted <= 100:
            return None
        instances = node.children[name]
        while is_made and element.kind == "repeat" and len(instances) < wanted:
            made = AnswerNode(element, node)
            instances.append(made)
            tree.fill_node(self.definition, made, {}, [])
            self.defaults(made)
        return instances[wanted - 1] if wanted <= len(instances) else None

    def compare(self, node: AnswerNode, expect: str) -> str | None:
        """Return what is the case where it is not what was expected."""
        if expect in ("shown", "hidden"):
            found = "shown" if node.is_relevant else "hidden"
            return None if found == expect else found
        if expect.startswith("="):
            return None if node.text == expect[1:].strip() else node.text or "–"
        problem = Rules(self.definition, self.root, self.now).find_problem(node, {node: node.text})
        found = problem.code.removeprefix("answers.") if problem else "ok"
        return None if expect == found or (problem and expect == problem.text) else found
