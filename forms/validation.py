"""Run a form's logic over answers: relevance, calculations, then every rule. The twin of client/src/engine/form.ts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forms import answers as tree
from forms import consent
from forms.answers import MAX_INSTANCES, AnswerNode
from forms.budget import MAX_COMPUTED, Budget, TooSlow
from forms.definition import Element, FormDefinition
from forms.expressions import DateValue, EvaluationContext, ExpressionError, evaluate, to_boolean, to_number, to_string
from forms.expressions.evaluator import find_nodes
from forms.expressions.patterns import SLOW
from forms.expressions.values import NUMBER, Value
from forms.lists import in_language
from forms.problems import N_, AnswerProblem
from forms.question_type import AnswerKind
from forms.types import TYPES

MAX_TEXT = 4000  # characters in one answer, pictures and the like left out
NOT_CHECKED = "answers.pattern"  # the problem of answers that no rule was tried on


@dataclass(frozen=True)
class ValidationResult:
    """Answers after the form's logic: what is relevant and computed, and every problem found."""

    answers: dict[str, Any]
    problems: list[AnswerProblem]
    is_refusal: bool = False  # somebody was to be asked for consent, and there is no yes
    refused_by: str = ""  # the card code of somebody who said no


def validate(definition: FormDefinition, given: Any, now: DateValue, budget: Budget | None = None) -> ValidationResult:
    """Return the answers as the form's own logic leaves them, with every problem; `now` is the phone's local time.

    Raise TooSlow when that takes more than the budget.
    """
    try:
        return _validate(definition, given, now, budget or Budget())
    except ExpressionError as error:
        return _make_unchecked(given, error)


def _validate(definition: FormDefinition, given: Any, now: DateValue, budget: Budget) -> ValidationResult:
    root, problems = tree.build_tree(definition, given)
    questions = _list_questions(root)
    sent = {node: node.text for node in questions if node.element.calculate is not None}
    calculate(definition, root, now, budget)
    rules = Rules(definition, root, now, budget)
    for node in _list_questions(root) if definition.counts else questions:
        if problem := rules.find_problem(node, sent):
            problems.append(problem)
    answers = tree.to_json(root)
    is_refusal, refused_by = _find_refusal(definition, root)
    if is_refusal and definition.kept_after_no and consent.is_answered(definition, answers):
        answers = consent.without_person(definition, answers)
    return ValidationResult(answers, problems, is_refusal, refused_by)


def _find_refusal(definition: FormDefinition, root: AnswerNode) -> tuple[bool, str]:
    """Return whether somebody was to be asked for consent and there is no yes; and the card code of who said no."""
    tier = _find_role_question(definition, root, "tier")
    if tier is None or tier.parent is None or not tier.parent.is_relevant or to_number(tier.value()) >= 1:
        return False, ""
    person = _find_role_question(definition, root, "person")
    return True, to_string(person.value()) if person else ""


def _find_role_question(definition: FormDefinition, root: AnswerNode, key: str) -> AnswerNode | None:
    """Return the question that a form's summary names; None when there is none."""
    node = root
    for name in definition.summary_names.get(key, ()):
        found = node.children_named(name)
        if not found:
            return None
        node = found[0]
    return None if node is root else node


def recalculate(definition: FormDefinition, given: Any, now: DateValue, budget: Budget | None = None) -> ValidationResult:
    """Return answers with what the form computes filled in anew, and every problem that is left.

    Raise TooSlow when that takes more than the budget.
    """
    try:
        return _recalculate(definition, given, now, budget or Budget())
    except ExpressionError as error:
        return _make_unchecked(given, error)


def _recalculate(definition: FormDefinition, given: Any, now: DateValue, budget: Budget) -> ValidationResult:
    root, problems = tree.build_tree(definition, given)
    calculate(definition, root, now, budget)
    computed = {node: node.text for node in _list_questions(root) if node.element.calculate is not None}
    rules = Rules(definition, root, now, budget)
    problems += [problem for node in _list_questions(root) if (problem := rules.find_problem(node, computed))]
    answers = tree.to_json(root)
    is_refusal, _ = _find_refusal(definition, root)
    if is_refusal and definition.kept_after_no and consent.is_answered(definition, answers):
        answers = consent.without_person(definition, answers)
        problems = [problem for problem in problems if problem.path in consent.kept_places(definition)]
    return ValidationResult(answers, problems, is_refusal)


def _make_unchecked(given: Any, error: ExpressionError) -> ValidationResult:
    """Return the answers as they came and why they were not checked: a rule of the form itself must not be run."""
    if error.code != SLOW:
        raise error
    text = N_(
        "The form has a pattern that could take too long to check, so the answers were kept and not checked. "
        "Publish the form anew with another pattern."
    )
    return ValidationResult(given if isinstance(given, dict) else {}, [AnswerProblem(NOT_CHECKED, text, "")])


def calculate(definition: FormDefinition, root: AnswerNode, now: DateValue, budget: Budget | None = None) -> None:
    """Set relevance and calculated answers, each element after those that it reads."""
    budget = budget or Budget()
    by_chance, lists = definition.randomized_paths, definition.lists
    at: dict[str, list[AnswerNode]] = {"/data": [root]}
    for path, element in definition.deciding:
        parents = _find_nodes(root, element.parent, at)
        if element.count is not None:
            at.pop(path, None)
            for parent in parents:
                _make_instances(definition, element, parent, root, now, budget)
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
                    is_relevant = to_boolean(evaluate(element.relevant, EvaluationContext(root, node, now, lists, budget)))
                node.is_relevant = is_relevant
                if element.calculate is not None:
                    if not is_relevant:
                        node.text = ""
                    elif path not in by_chance:
                        node.text = format_computed(
                            element, evaluate(element.calculate, EvaluationContext(root, node, now, lists, budget))
                        )
                        if len(node.text) > MAX_COMPUTED:
                            raise TooSlow


def format_computed(element: Element, value: Value) -> str:
    """Return a computed value as the answer of a question of its type; NaN, which is no answer, as ""."""
    if isinstance(value, float) and math.isnan(value):
        return ""
    return TYPES[element.type].from_value(value)


def _make_instances(
    definition: FormDefinition, element: Element, parent: AnswerNode, root: AnswerNode, now: DateValue, budget: Budget
) -> None:
    """Make as many instances as the form counts; mark those beyond, which count as not relevant."""
    instances = parent.children[element.name]
    context = EvaluationContext(root, AnswerNode(element, parent), now, definition.lists, budget)
    number = to_number(evaluate(element.count, context))
    wanted = int(min(max(number, 0), MAX_INSTANCES)) if not math.isnan(number) else 0
    while len(instances) < wanted:
        budget.make()
        node = AnswerNode(element, parent)
        instances.append(node)
        tree.fill_node(definition, node, {}, [])
    for position, node in enumerate(instances):
        node.is_beyond = position >= wanted


def _list_questions(root: AnswerNode) -> list[AnswerNode]:
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


def _find_nodes(root: AnswerNode, path: str, at: dict[str, list[AnswerNode]]) -> list[AnswerNode]:
    """Return the nodes of a path, remembering them for the next question of the same group."""
    if path not in at:
        parent, _, name = path.rpartition("/")
        at[path] = [child for node in _find_nodes(root, parent, at) for child in node.children.get(name, ())]
    return at[path]


class Rules:
    """The rules of every question: needed, of the right type, and what its constraint says."""

    def __init__(self, definition: FormDefinition, root: AnswerNode, now: DateValue, budget: Budget | None = None):
        self.definition, self.root, self.now, self.budget = definition, root, now, budget or Budget()

    def context(self, node: AnswerNode) -> EvaluationContext:
        return EvaluationContext(self.root, node, self.now, self.definition.lists, self.budget)

    def find_problem(self, node: AnswerNode, sent: dict[AnswerNode, str]) -> AnswerProblem | None:
        element = node.element
        if not node.text and element.required is None and element.calculate is None:
            return None
        self.budget.look()
        if not node.is_relevant:
            if node.text and element.calculate is None:
                return AnswerProblem(
                    "answers.irrelevant", N_("This question was not to be asked here."), node.describe_place()
                )
            return None
        if element.calculate is not None:
            if not equal_computed(sent.get(node, ""), node.text):
                text = N_("The phone and the centre compute different values.")
                return AnswerProblem("answers.calculation", text, node.describe_place())
            return None
        if not node.text:
            if element.required is not None and to_boolean(evaluate(element.required, self.context(node))):
                return AnswerProblem("answers.required", N_("An answer is needed."), node.describe_place())
            return None
        if reason := self.find_type_problem(node):
            return AnswerProblem("answers.type", reason, node.describe_place())
        if element.constraint is not None and not to_boolean(evaluate(element.constraint, self.context(node))):
            message = in_language(element.constraint_message, self.definition.languages[0])
            return AnswerProblem("answers.constraint", message or N_("This answer is not allowed."), node.describe_place())
        return None

    def find_type_problem(self, node: AnswerNode) -> str:
        """Return why an answer is not of its question's type; "" when it is."""
        question_type = TYPES[node.element.type]
        if len(node.text) > MAX_TEXT and question_type.answer != AnswerKind.MEDIA:
            return N_("This answer is too long.")
        return question_type.check(node.text, AnsweredQuestion(self, node))


class AnsweredQuestion:
    """A question as the check of its type sees it (forms.question_type.Question)."""

    __slots__ = ("node", "rules")

    def __init__(self, rules: Rules, node: AnswerNode):
        self.rules = rules
        self.node = node

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.node.element.parameters

    def offers(self, names: Sequence[str]) -> bool:
        """Return whether all of these are choices that the question offers now."""
        element = self.node.element
        if element.items is None:
            return self.rules.definition.choice_names[element.choices].issuperset(names)
        return set(self._list_choices()).issuperset(names)

    def count_choices(self) -> int:
        """Return how many choices the question offers now."""
        return len(self._list_choices())

    def _list_choices(self) -> list[str]:
        return list_available_choices(self.node.element, self.rules.context(self.node), self.rules.definition)


def list_available_choices(element: Element, context: EvaluationContext, definition: FormDefinition) -> list[str]:
    """Return the names that a select offers now."""
    if element.items is None:
        return [choice.name for choice in definition.choices.get(element.choices, ())]
    column = element.item_value or "name"
    found = (row.children_named(column) for row in find_nodes(element.items, context))
    return [name for cells in found if cells and (name := to_string(cells[0].value()))]


def equal_computed(sent: str, own: str) -> bool:
    """Return whether two computed answers agree: the same text, or numbers that differ after the ninth digit at most."""
    if sent == own:
        return True
    if not (NUMBER.fullmatch(sent) and NUMBER.fullmatch(own)):
        return False
    a, b = float(sent), float(own)
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))
