"""Run a form's logic over answers: relevance, calculations, then every rule. The twin of client/src/engine/form.ts."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from forms import answers as tree
from forms import consent
from forms.answers import MAX_INSTANCES, AnswerNode
from forms.budget import MAX_COMPUTED, Budget, TooSlow
from forms.definition import CAPTURES, DATES, NUMBERS, SELECTS, Element, FormDefinition
from forms.expressions import Context, DateValue, ExpressionError, evaluate, to_boolean, to_number, to_string
from forms.expressions.evaluator import nodes
from forms.expressions.functions import to_date, to_date_time, to_time, words
from forms.expressions.geometry import points_of
from forms.expressions.patterns import SLOW
from forms.expressions.values import NUMBER, Value, parse_date, parse_time
from forms.lists import in_language
from forms.problems import N_, AnswerProblem

INTEGER = re.compile(r"-?[0-9]{1,15}")
MAX_TEXT = 4000  # characters in one answer
MAX_CAPTURE = 200_000  # characters of a picture, recording or file as a data: URL: about 150 KB
NOT_CHECKED = "answers.pattern"  # the problem of answers that no rule was tried on
HELD = ":[0-9a-f]{64}"  # an attachment that travelled apart: attachment:<kind>:<SHA-256 of what was sent>
CAPTURED = {
    "image": re.compile(rf"data:image/(jpeg|png);base64,[A-Za-z0-9+/]+={{0,2}}|attachment:image/(jpeg|png){HELD}"),
    "audio": re.compile(rf"data:audio/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={{0,2}}|attachment:audio/[a-z0-9.+-]+{HELD}"),
    "file": re.compile(rf"data:[a-z]+/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={{0,2}}|attachment:[a-z]+/[a-z0-9.+-]+{HELD}"),
}


@dataclass(frozen=True)
class Checked:
    """Answers after the form's logic: what is relevant and computed, and every problem found."""

    answers: dict[str, Any]
    problems: list[AnswerProblem]
    is_refusal: bool = False  # somebody was to be asked for consent, and there is no yes
    refused_by: str = ""  # the card code of somebody who said no


def check(definition: FormDefinition, given: Any, now: DateValue, budget: Budget | None = None) -> Checked:
    """Return the answers as the form's own logic leaves them, with every problem; `now` is the phone's local time.

    Raise TooSlow when that takes more than the budget.
    """
    try:
        return _checked(definition, given, now, budget or Budget())
    except ExpressionError as error:
        return _not_checked(given, error)


def _checked(definition: FormDefinition, given: Any, now: DateValue, budget: Budget) -> Checked:
    root, problems = tree.build(definition, given)
    questions = _questions(root)
    sent = {node: node.text for node in questions if node.element.calculate is not None}
    calculate(definition, root, now, budget)
    rules = Rules(definition, root, now, budget)
    for node in _questions(root) if definition.counts else questions:
        if problem := rules.problem(node, sent):
            problems.append(problem)
    answers = tree.to_json(root)
    is_refusal, refused_by = _refusal(definition, root)
    if is_refusal and definition.kept_after_no and consent.is_answered(definition, answers):
        answers = consent.without_person(definition, answers)
    return Checked(answers, problems, is_refusal, refused_by)


def _refusal(definition: FormDefinition, root: AnswerNode) -> tuple[bool, str]:
    """Return whether somebody was to be asked for consent and there is no yes; and the card code of who said no."""
    tier = _summarised(definition, root, "tier")
    if tier is None or tier.parent is None or not tier.parent.is_relevant or to_number(tier.value()) >= 1:
        return False, ""
    person = _summarised(definition, root, "person")
    return True, to_string(person.value()) if person else ""


def _summarised(definition: FormDefinition, root: AnswerNode, key: str) -> AnswerNode | None:
    """Return the question that a form's summary names; None when there is none."""
    node = root
    for name in definition.summary_names.get(key, ()):
        found = node.children_named(name)
        if not found:
            return None
        node = found[0]
    return None if node is root else node


def complete(definition: FormDefinition, given: Any, now: DateValue, budget: Budget | None = None) -> Checked:
    """Return answers with what the form computes filled in anew, and every problem that is left.

    Raise TooSlow when that takes more than the budget.
    """
    try:
        return _completed(definition, given, now, budget or Budget())
    except ExpressionError as error:
        return _not_checked(given, error)


def _completed(definition: FormDefinition, given: Any, now: DateValue, budget: Budget) -> Checked:
    root, problems = tree.build(definition, given)
    calculate(definition, root, now, budget)
    computed = {node: node.text for node in _questions(root) if node.element.calculate is not None}
    rules = Rules(definition, root, now, budget)
    problems += [problem for node in _questions(root) if (problem := rules.problem(node, computed))]
    answers = tree.to_json(root)
    is_refusal, _ = _refusal(definition, root)
    if is_refusal and definition.kept_after_no and consent.is_answered(definition, answers):
        answers = consent.without_person(definition, answers)
        problems = [problem for problem in problems if problem.path in consent.kept_places(definition)]
    return Checked(answers, problems, is_refusal)


def _not_checked(given: Any, error: ExpressionError) -> Checked:
    """Return the answers as they came and why they were not checked: a rule of the form itself must not be run."""
    if error.code != SLOW:
        raise error
    text = N_(
        "The form has a pattern that could take too long to check, so the answers were kept and not checked. "
        "Publish the form anew with another pattern."
    )
    return Checked(given if isinstance(given, dict) else {}, [AnswerProblem(NOT_CHECKED, text, "")])


def calculate(definition: FormDefinition, root: AnswerNode, now: DateValue, budget: Budget | None = None) -> None:
    """Set relevance and calculated answers, each element after those that it reads."""
    budget = budget or Budget()
    by_chance, lists = definition.by_chance, definition.lists
    at: dict[str, list[AnswerNode]] = {"/data": [root]}
    for path, element in definition.deciding:
        parents = _at(root, element.parent, at)
        if element.count is not None:
            at.pop(path, None)
            for parent in parents:
                _count(definition, element, parent, root, now, budget)
        budget.look()
        for parent in parents:
            allowed = parent.is_relevant
            for node in parent.children.get(element.name, ()):
                budget.spend()
                is_relevant = allowed
                if node.is_beyond:
                    is_relevant = False
                if is_relevant and element.relevant is not None:
                    node.is_relevant = True
                    is_relevant = to_boolean(evaluate(element.relevant, Context(root, node, now, lists, budget)))
                node.is_relevant = is_relevant
                if element.calculate is not None:
                    if not is_relevant:
                        node.text = ""
                    elif path not in by_chance:
                        node.text = computed(element, evaluate(element.calculate, Context(root, node, now, lists, budget)))
                        if len(node.text) > MAX_COMPUTED:
                            raise TooSlow


def computed(element: Element, value: Value) -> str:
    """Return a computed value as the answer of a question of its type; NaN, which is no answer, as ""."""
    if isinstance(value, float) and not isinstance(value, bool):
        if math.isnan(value):
            return ""
        if element.type == "integer" and math.isfinite(value):
            value = float(math.trunc(value))
        elif element.type == "date":
            value = to_date(value)
        elif element.type == "dateTime":
            value = to_date_time(value)
        elif element.type == "time":
            value = to_time(DateValue(value, "dateTime"))
    return to_string(value)


def _count(
    definition: FormDefinition, element: Element, parent: AnswerNode, root: AnswerNode, now: DateValue, budget: Budget
) -> None:
    """Make as many instances as the form counts; mark those beyond, which count as not relevant."""
    instances = parent.children[element.name]
    context = Context(root, AnswerNode(element, parent), now, definition.lists, budget)
    number = to_number(evaluate(element.count, context))
    wanted = int(min(max(number, 0), MAX_INSTANCES)) if not math.isnan(number) else 0
    while len(instances) < wanted:
        budget.make()
        node = AnswerNode(element, parent)
        instances.append(node)
        tree.fill(definition, node, {}, [])
    for position, node in enumerate(instances):
        node.is_beyond = position >= wanted


def _questions(root: AnswerNode) -> list[AnswerNode]:
    """Return every question, in the order of the form."""
    found: list[AnswerNode] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.element.kind == "question":
            found.append(node)
        else:
            waiting += [child for children in reversed(node.children.values()) for child in reversed(children)]
    return found


def _at(root: AnswerNode, path: str, at: dict[str, list[AnswerNode]]) -> list[AnswerNode]:
    """Return the nodes of a path, remembering them for the next question of the same group."""
    if path not in at:
        parent, _, name = path.rpartition("/")
        at[path] = [child for node in _at(root, parent, at) for child in node.children.get(name, ())]
    return at[path]


class Rules:
    """The rules of every question: needed, of the right type, and what its constraint says."""

    def __init__(self, definition: FormDefinition, root: AnswerNode, now: DateValue, budget: Budget | None = None):
        self.definition, self.root, self.now, self.budget = definition, root, now, budget or Budget()

    def context(self, node: AnswerNode) -> Context:
        return Context(self.root, node, self.now, self.definition.lists, self.budget)

    def problem(self, node: AnswerNode, sent: dict[AnswerNode, str]) -> AnswerProblem | None:
        element = node.element
        if not node.text and element.required is None and element.calculate is None:
            return None
        self.budget.look()
        if not node.is_relevant:
            if node.text and element.calculate is None:
                return AnswerProblem("answers.irrelevant", N_("This question was not to be asked here."), node.where())
            return None
        if element.calculate is not None:
            if not same(sent.get(node, ""), node.text):
                text = N_("The phone and the centre compute different values.")
                return AnswerProblem("answers.calculation", text, node.where())
            return None
        if not node.text:
            if element.required is not None and to_boolean(evaluate(element.required, self.context(node))):
                return AnswerProblem("answers.required", N_("An answer is needed."), node.where())
            return None
        if reason := self.mistyped(node):
            return AnswerProblem("answers.type", reason, node.where())
        if element.constraint is not None and not to_boolean(evaluate(element.constraint, self.context(node))):
            message = in_language(element.constraint_message, self.definition.languages[0])
            return AnswerProblem("answers.constraint", message or N_("This answer is not allowed."), node.where())
        return None

    def mistyped(self, node: AnswerNode) -> str:
        kind, text = node.element.type, node.text
        if kind in CAPTURES:
            is_good = len(text) <= MAX_CAPTURE and CAPTURED[kind].fullmatch(text)
            return "" if is_good else N_("This should be a picture, a recording or a file, of 150 KB at most.")
        if len(text) > MAX_TEXT:
            return N_("This answer is too long.")
        if kind in SELECTS:
            return self.mischosen(node)
        if kind == "integer":
            return "" if INTEGER.fullmatch(text) else N_("This should be a whole number.")
        if kind in NUMBERS:
            if not NUMBER.fullmatch(text):
                return N_("This should be a number.")
            return "" if kind == "decimal" or on_scale(node.element, float(text)) else N_("This number is not on the scale.")
        if kind in DATES:
            parsed = parse_date(text)
            if parsed is None or parsed.kind != kind:
                return N_("This should be a date.") if kind == "date" else N_("This should be a date and a time.")
        if kind == "time" and parse_time(text) is None:
            return N_("This should be a time of day.")
        if kind == "geopoint" and len(points_of([text]) or ()) != 1:
            return N_("This should be a place: latitude and longitude.")
        if kind == "acknowledge" and text != "OK":
            return N_("This should be ticked or left alone.")
        return ""

    def mischosen(self, node: AnswerNode) -> str:
        element = node.element
        names = [node.text] if element.type == "select_one" else words(node.text)
        if len(set(names)) != len(names) or not self.may_choose(node, names):
            return N_("The form has no such choice.")
        if element.type == "rank" and len(names) != len(options(element, self.context(node), self.definition)):
            return N_("Every choice needs a place in the order.")
        return ""

    def may_choose(self, node: AnswerNode, names: Sequence[str]) -> bool:
        element = node.element
        if element.items is None:
            return self.definition.choice_names[element.choices].issuperset(names)
        return set(options(element, self.context(node), self.definition)).issuperset(names)


def options(element: Element, context: Context, definition: FormDefinition) -> list[str]:
    """Return the names that a select offers now."""
    if element.items is None:
        return [choice.name for choice in definition.choices.get(element.choices, ())]
    column = element.item_value or "name"
    found = (row.children_named(column) for row in nodes(element.items, context))
    return [name for cells in found if cells and (name := to_string(cells[0].value()))]


def on_scale(element: Element, number: float) -> bool:
    """Return whether a number is on the scale of a range question: between its ends, on one of its steps."""
    start, end, step = (float(element.parameters.get(key, other)) for key, other in SCALE)
    low, high = min(start, end), max(start, end)
    steps = (number - start) / abs(step)
    return low <= number <= high and abs(steps - math.floor(steps + 0.5)) < 1e-9


SCALE = (("start", "1"), ("end", "10"), ("step", "1"))


def same(sent: str, own: str) -> bool:
    """Return whether two computed answers agree: the same text, or numbers that differ after the ninth digit at most."""
    if sent == own:
        return True
    if not (NUMBER.fullmatch(sent) and NUMBER.fullmatch(own)):
        return False
    a, b = float(sent), float(own)
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))
