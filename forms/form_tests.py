"""Tests that an author writes in a sheet called `tests`.

Given these answers, expect this. They run at every publish.

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
    """Return a problem for each expectation that does not hold.

    The first row of the sheet names its columns.
    """
    header = _read_header(sheet)
    problems: list[FormProblem] = []
    for column in header:
        if column and column not in (*COLUMNS, "note"):
            text = N_("The tests sheet has the columns test, question, answer and expect.")
            problems.append(_make_problem(1, text, column=column))
    for _, steps in groupby(_read_steps(header, sheet), key=lambda step: step[1].get("test", "")):
        # A fresh form for each test: what one test answers must not decide the next.
        problems += _TestRun(definition).all(list(steps))
    return problems


def count_tests(sheet: list[list[str]]) -> int:
    """Return how many tests a sheet holds."""
    return len({cells.get("test", "") for _, cells in _read_steps(_read_header(sheet), sheet)})


def _read_header(sheet: list[list[str]]) -> list[str]:
    """Return the names of the columns; none for a blank sheet."""
    for row in sheet:
        return [column.strip().lower() for column in row]
    return []


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
                # The first value comes before the fixed default, as on a phone when the form is
                # opened.
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
            # Only giving an answer makes an instance: looking at one that is not there is a mistake
            # in the test.
            node = self.find(question, is_made=bool(answer))
            if node is None:
                text = N_("There is no question “{name}” to refer to.")
                yield _make_problem(number, text, "question", name=question)
                continue
            if answer:
                node.text = answer
            # After every step, as on a phone: rules see what was answered so far.
            calculate(self.definition, self.root, self.now)
            actual = None
            if expect:
                actual = self.compare(node, expect.strip())
            if actual is not None:
                text = N_("The test “{test}” expects “{expect}” at “{name}”, but it is “{found}”.")
                details = {"test": cells.get("test", ""), "expect": expect, "name": question, "found": actual}
                yield _make_problem(number, text, **details)

    def find(self, name: str, is_made: bool) -> AnswerNode | None:
        """Return the node of a question by its name or dotted path; None where there is none.

        With `is_made`, instances of repeats that are not there yet are made.
        """
        places = [name.split(".")]
        if "." not in name and "[" not in name:
            paths = [element.path for element in self.definition.elements if element.name == name]
            places = [path.split("/")[2:] for path in paths[:1]]
        for parts in places:
            node: AnswerNode | None = self.root
            for part in parts:
                if node is None:
                    break
                node = self.child(node, part, is_made)
            return node
        return None

    def child(self, node: AnswerNode, part: str, is_made: bool) -> AnswerNode | None:
        name, _, index = part.rstrip("]").partition("[")
        number = 1
        if index.isdecimal():
            number = int(index)
        children = self.definition.children.get(node.element.path, ())
        element = next((child for child in children if child.name == name), None)
        if element is None or not 1 <= number <= 100:
            return None
        instances = node.children[name]
        while is_made and element.kind == "repeat" and len(instances) < number:
            instance = AnswerNode(element, node)
            instances.append(instance)
            tree.fill_node(self.definition, instance, {}, [])
            self.defaults(instance)
        if number <= len(instances):
            return instances[number - 1]
        return None

    def compare(self, node: AnswerNode, expect: str) -> str | None:
        """Return what is so at a question; None where it is as the test expects.

        `expect` is "shown", "hidden", "=" and an answer, "ok", or the code or text of a problem.
        """
        if expect in ("shown", "hidden"):
            actual = "hidden"
            if node.is_relevant:
                actual = "shown"
        elif expect.startswith("="):
            if node.text == expect[1:].strip():
                return None
            return node.text or "–"
        else:
            # The answer itself stands for what the phone computed, so a calculation cannot disagree
            # with itself.
            problem = Rules(self.definition, self.root, self.now).find_problem(node, {node: node.text})
            actual = "ok"
            if problem:
                actual = problem.code.removeprefix("answers.")
            if problem and expect == problem.text:
                return None
        if expect == actual:
            return None
        return actual
