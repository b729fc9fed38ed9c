"""Run a form's logic over answers: relevance, calculations, then every rule.

The twin of client/src/engine/form.ts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forms import answers as tree
from forms import consent, keep
from forms.answers import MAX_INSTANCES, AnswerNode
from forms.budget import MAX_COMPUTED, Budget, TooSlow
from forms.definition import Element, FormDefinition
from forms.expressions import DateValue, EvaluationContext, ExpressionError, evaluate, to_boolean, to_number, to_string
from forms.expressions.evaluator import find_nodes
from forms.expressions.nodes import Ast
from forms.expressions.patterns import SLOW
from forms.expressions.values import NUMBER, Value, parse_date
from forms.lists import in_language
from forms.problems import N_, AnswerProblem
from forms.question_type import AnswerKind
from forms.types import TYPES

MAX_TEXT = 4000  # characters in one answer, pictures and the like left out
TOO_MUCH = "consent.kept_too_much"  # the problem of an answer that consent does not reach; nobody keeps it
KEPT_TOO_MUCH = N_("The person did not say yes to storing this answer, so it was deleted.")
NOT_CHECKED = "answers.pattern"  # the problem of answers that no rule was tried on
REQUIRED = "answers.required"


@dataclass(frozen=True)
class ValidationResult:
    """Answers after the form's logic: what is relevant and computed, and every problem found."""

    answers: dict[str, Any]
    problems: list[AnswerProblem]
    is_refusal: bool = False  # somebody was to be asked for consent, and there is no yes
    refused_by: str = ""  # the card code of somebody who said no, and not only for this record
    is_above: bool = False  # what was sent holds more than consent reaches; `answers` does not


def validate(definition: FormDefinition, form_data: Any, now: DateValue, budget: Budget | None = None) -> ValidationResult:
    """Return the answers as the form's own logic leaves them, with every problem.

    `now` is the phone's local time.

    Raise TooSlow when that takes more than the budget.
    """
    try:
        return _validate(definition, form_data, now, budget or Budget())
    except ExpressionError as error:
        return _make_unchecked(form_data, error)


def _validate(definition: FormDefinition, form_data: Any, now: DateValue, budget: Budget) -> ValidationResult:
    root, problems = tree.build_tree(definition, form_data)
    questions = _list_questions(root)
    # Before calculating: what the phone computed is compared with what the centre computes from the
    # same answers.
    sent = {node: node.text for node in questions if node.element.calculate is not None}
    calculate(definition, root, now, budget)
    rules = Rules(definition, root, now, budget)
    if definition.counts:  # counting made instances, or marked some that are beyond
        questions = _list_questions(root)
    problems += rules.list_problems(questions, sent)
    _cut_dates(definition, questions)
    answers = tree.to_json(root)
    is_refusal, refused_by = _find_refusal(definition, root)
    is_above = False
    # Not after a refusal: then nothing of the person is kept anyway, and what is above consent goes
    # with it.
    if definition.keeps and not is_refusal:
        problems, is_above = _name_too_much(definition, root, sent, problems)
    # Only once a question about consent was answered; before that the record is unfinished, and
    # cutting it would lose a worker's typing.
    if is_refusal and definition.kept_after_no and consent.is_answered(definition, answers):
        answers = consent.without_person(definition, answers)
    return ValidationResult(answers, problems, is_refusal, refused_by, is_above)


def _name_too_much(
    definition: FormDefinition, root: AnswerNode, sent: Mapping[AnswerNode, str], problems: list[AnswerProblem]
) -> tuple[list[AnswerProblem], bool]:
    """Return the problems, those with answers above consent named, and if there are any.

    `sent`: computed answers as the phone has them.
    """
    denied = _find_denied(definition, root)
    if not denied:
        return problems, False
    above = {}
    for node in _list_questions(root):
        is_denied = not definition.keeps.get(node.element.path, frozenset()).isdisjoint(denied)
        # An answer is above consent only where the form's own rules made it irrelevant: the rules
        # of consent are part of them.
        if is_denied and not node.is_relevant and (sent.get(node) or node.text):
            place = node.describe_place()
            above[place] = AnswerProblem(TOO_MUCH, KEPT_TOO_MUCH, place)
    others = [problem for problem in problems if problem.path not in above]
    # What the phone computed otherwise than the centre may be made of what it should not have.
    is_above = bool(above) or any(problem.code == "answers.calculation" for problem in others)
    return [*others, *above.values()], is_above


def _find_denied(definition: FormDefinition, root: AnswerNode) -> frozenset[str]:
    """Return the keeps that consent does not reach; none where nobody was to be asked."""
    tier = _find_role_question(definition, root, "tier")
    # Nobody was to be asked: a record about no one person needs no consent.
    if tier is None or tier.parent is None or not tier.parent.is_relevant:
        return frozenset()

    def read(role: str) -> str:
        node = _find_role_question(definition, root, role)
        if node is None:
            return ""
        return to_string(node.value())

    return keep.list_denied(definition, to_number(tier.value()), read)


def _find_refusal(definition: FormDefinition, root: AnswerNode) -> tuple[bool, str]:
    """Return whether consent is missing, and the card code of who refused it for good.

    It is missing when somebody was to be asked and there is no yes.
    """
    tier = _find_role_question(definition, root, "tier")
    if tier is None or tier.parent is None or not tier.parent.is_relevant or to_number(tier.value()) >= 1:
        return False, ""
    # The form hid every question about consent, so there was nothing to refuse.
    if not any(_is_asked(tier.parent, question) for question in consent.list_consent_questions(definition, tier.element)):
        return False, ""
    person = _find_role_question(definition, root, "person")
    # A no for one record only names nobody, so that the person's other records stay.
    if person is None or not consent.is_statement(definition, to_string(tier.value())):
        return True, ""
    return True, to_string(person.value())


def _is_asked(group: AnswerNode, question: Element) -> bool:
    return any(node.is_relevant for node in group.children_named(question.name))


def _find_role_question(definition: FormDefinition, root: AnswerNode, key: str) -> AnswerNode | None:
    """Return the question that a form's summary names; None when there is none."""
    node = root
    for name in definition.summary_names.get(key, ()):
        nodes = node.children_named(name)
        if not nodes:
            return None
        node = nodes[0]
    if node is root:
        return None
    return node


def recalculate(
    definition: FormDefinition, form_data: Any, now: DateValue, budget: Budget | None = None
) -> ValidationResult:
    """Return answers with all computed ones filled in again, and every problem left.

    Raise TooSlow when that takes more than the budget.
    """
    try:
        return _recalculate(definition, form_data, now, budget or Budget())
    except ExpressionError as error:
        return _make_unchecked(form_data, error)


def _recalculate(definition: FormDefinition, form_data: Any, now: DateValue, budget: Budget) -> ValidationResult:
    root, problems = tree.build_tree(definition, form_data)
    calculate(definition, root, now, budget)
    computed = {node: node.text for node in _list_questions(root) if node.element.calculate is not None}
    rules = Rules(definition, root, now, budget)
    # Computed answers are their own measure here: a correction at the centre has no phone to agree
    # with.
    problems += rules.list_problems(_list_questions(root), computed)
    _cut_dates(definition, _list_questions(root))
    answers = tree.to_json(root)
    is_refusal, _ = _find_refusal(definition, root)
    # Before any question about consent was answered, the answers are only unfinished.
    if is_refusal and definition.kept_after_no and consent.is_answered(definition, answers):
        answers = consent.without_person(definition, answers)
        problems = [problem for problem in problems if problem.path in consent.kept_places(definition)]
    return ValidationResult(answers, problems, is_refusal)


def _cut_dates(definition: FormDefinition, questions: Sequence[AnswerNode]) -> None:
    """Make a day where only its month or year is asked the first of it.

    Phones do so before they compute. Here it comes last: what ODK Collect computed of the day is no problem.
    """
    if not definition.dates_in_part:
        return
    for node in questions:
        if node.element.path in definition.dates_in_part and parse_date(node.text):
            cut, rest = (7, "-01") if node.element.date_part == "month" else (4, "-01-01")
            node.text = node.text[:cut] + rest


def _make_unchecked(form_data: Any, error: ExpressionError) -> ValidationResult:
    """Return the answers as they came and why they were not checked.

    A rule of the form itself must not be run.
    """
    # Any other error of an expression is a fault of ours and must be seen.
    if error.code != SLOW:
        raise error
    text = N_(
        "The form has a pattern that could take too long to check, so the answers were stored and not "
        "checked. Publish the form again with another pattern."
    )
    answers = {}
    if isinstance(form_data, dict):
        answers = form_data
    return ValidationResult(answers, [AnswerProblem(NOT_CHECKED, text, "")])


def calculate(definition: FormDefinition, root: AnswerNode, now: DateValue, budget: Budget | None = None) -> None:
    """Set relevance and calculated answers, each element after those that it reads.

    Raises TooSlow when that takes more than the budget.
    """
    run = _Calculation(definition, root, now, budget or Budget())
    # Only elements that an answer can change, in an order in which each comes after what it reads;
    # one pass is then enough.
    for path, element in definition.deciding:
        run.decide(path, element)


class _Calculation:
    """One run over all elements of which the form's logic decides something."""

    def __init__(self, definition: FormDefinition, root: AnswerNode, now: DateValue, budget: Budget):
        self.definition = definition
        self.root = root
        self.now = now
        self.budget = budget
        self.lists = definition.lists
        self.randomized_paths = definition.randomized_paths
        self.nodes_by_path: dict[str, list[AnswerNode]] = {"/data": [root]}

    def decide(self, path: str, element: Element) -> None:
        """Set how many instances an element has, which are relevant, and what they compute."""
        parents = self._find_nodes(element.parent)
        if element.count is not None:
            self.nodes_by_path.pop(path, None)  # there may be more of them, or fewer
            for parent in parents:
                self._make_instances(element, parent, element.count)
        # Asked once an element, not only when it is evaluated: an element in a thousand instances
        # is work, too.
        self.budget.look()
        for parent in parents:
            for node in parent.children.get(element.name, ()):
                self.budget.spend()
                self._set_relevance(node, parent)
                if element.calculate is not None:
                    self._compute(node, element.calculate)

    def _context(self, node: AnswerNode) -> EvaluationContext:
        return EvaluationContext(self.root, node, self.now, self.lists, self.budget)

    def _set_relevance(self, node: AnswerNode, parent: AnswerNode) -> None:
        rule = node.element.relevant
        is_relevant = parent.is_relevant and not node.is_beyond
        if is_relevant and rule is not None:
            node.is_relevant = True  # a rule that reads the answer itself sees it
            is_relevant = to_boolean(evaluate(rule, self._context(node)))
        node.is_relevant = is_relevant

    def _compute(self, node: AnswerNode, calculation: Ast) -> None:
        if not node.is_relevant:
            # What is not asked has no answer, also when an older app computed one.
            node.text = ""
        # What was drawn at random cannot be drawn again: the centre believes the phone.
        elif node.element.path not in self.randomized_paths:
            node.text = format_computed(node.element, evaluate(calculation, self._context(node)))
            # Each calculation may double a text, so a form of thirty rows could ask for a gigabyte.
            if len(node.text) > MAX_COMPUTED:
                raise TooSlow

    def _make_instances(self, element: Element, parent: AnswerNode, count: Ast) -> None:
        """Make as many instances as the form counts, and mark those beyond as not relevant."""
        instances = parent.children[element.name]
        number = to_number(evaluate(count, self._context(AnswerNode(element, parent))))
        count_wanted = 0
        if not math.isnan(number):
            count_wanted = int(min(max(number, 0), MAX_INSTANCES))
        while len(instances) < count_wanted:
            self.budget.make()
            node = AnswerNode(element, parent)
            instances.append(node)
            tree.fill_node(self.definition, node, {}, [])
        # Marked, not removed: when the count goes up again on a phone, what was typed is still
        # there.
        for position, node in enumerate(instances):
            node.is_beyond = position >= count_wanted

    def _find_nodes(self, path: str) -> list[AnswerNode]:
        """Return the nodes of a path, remembering them for the next question of the same group."""
        if path not in self.nodes_by_path:
            parent, _, name = path.rpartition("/")
            nodes: list[AnswerNode] = []
            for node in self._find_nodes(parent):
                nodes.extend(node.children.get(name, ()))
            self.nodes_by_path[path] = nodes
        return self.nodes_by_path[path]


def format_computed(element: Element, value: Value) -> str:
    """Return a computed value as the answer of a question of its type.

    NaN, which is no answer, as "".
    """
    if isinstance(value, float) and math.isnan(value):
        return ""
    return TYPES[element.type].from_value(value)


def _list_questions(root: AnswerNode) -> list[AnswerNode]:
    """Return every question, in the order of the form."""
    questions: list[AnswerNode] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.element.kind == "question":
            questions.append(node)
        else:
            # Reversed, so that taking from the end gives the order of the form.
            for children in reversed(node.children.values()):
                waiting.extend(reversed(children))
    return questions


class Rules:
    """The rules of every question: needed, of the right type, and what its constraint says."""

    def __init__(self, definition: FormDefinition, root: AnswerNode, now: DateValue, budget: Budget | None = None):
        self.definition = definition
        self.root = root
        self.now = now
        self.budget = budget or Budget()

    def context(self, node: AnswerNode) -> EvaluationContext:
        return EvaluationContext(self.root, node, self.now, self.definition.lists, self.budget)

    def list_problems(self, nodes: Sequence[AnswerNode], sent: dict[AnswerNode, str]) -> list[AnswerProblem]:
        """Return the problem of each question that has one.

        `sent` are computed answers as the phone has them.
        """
        problems = (self.find_problem(node, sent) for node in nodes)
        return [problem for problem in problems if problem is not None]

    def find_problem(self, node: AnswerNode, sent: dict[AnswerNode, str]) -> AnswerProblem | None:
        element = node.element
        # The great majority: not answered and nothing asked of it. Worth leaving early.
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
            # Said without saying which is right: it may be another version of the app, or a clock
            # that was wrong.
            if not equal_computed(sent.get(node, ""), node.text):
                text = N_("The phone and the centre compute different values.")
                return AnswerProblem("answers.calculation", text, node.describe_place())
            return None
        if not node.text:
            if element.required is not None and to_boolean(evaluate(element.required, self.context(node))):
                return AnswerProblem(REQUIRED, N_("An answer is needed."), node.describe_place())
            return None
        # The type before the constraint: a rule about a number cannot judge what is no number.
        reason = self.find_type_problem(node)
        if reason:
            return AnswerProblem("answers.type", reason, node.describe_place())
        if element.constraint is not None and not to_boolean(evaluate(element.constraint, self.context(node))):
            message = in_language(element.constraint_message, self.definition.languages[0])
            return AnswerProblem("answers.constraint", message or N_("This answer is not allowed."), node.describe_place())
        return None

    def find_type_problem(self, node: AnswerNode) -> str:
        """Return why an answer is not of its question's type; "" when it is."""
        question_type = TYPES[node.element.type]
        # Pictures are data in the answer itself until they are sent apart, and have a limit of
        # their own.
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
        # Looked up in a set made once a form; most selects have no filter.
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
    names = []
    for row in find_nodes(element.items, context):
        cells = row.children_named(column)
        if cells:
            names.append(to_string(cells[0].value()))
    return [name for name in names if name]


def equal_computed(sent: str, own: str) -> bool:
    """Return whether two computed answers are the same text, or the same to nine digits."""
    if sent == own:
        return True
    if not (NUMBER.fullmatch(sent) and NUMBER.fullmatch(own)):
        return False
    phone_value = float(sent)
    own_value = float(own)
    # Sine and logarithm differ in the last digits between Python and browsers.
    return abs(phone_value - own_value) <= 1e-9 * max(abs(phone_value), abs(own_value))
