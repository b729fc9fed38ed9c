"""Evaluate an AST against a tree of answers; the twin of client/src/engine/evaluator.ts."""

import functools
import itertools
import math
import operator
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeGuard, cast

from forms.budget import Budget
from forms.expressions import geometry
from forms.expressions.functions import OF_SELF, PLAIN
from forms.expressions.nodes import (
    AnyChildStep,
    Ast,
    Call,
    ChildStep,
    InList,
    Negation,
    NumberLiteral,
    Operation,
    Origin,
    ParentStep,
    Path,
    Step,
    TextLiteral,
    Union,
    is_node_set,
)
from forms.expressions.shuffle import shuffled
from forms.expressions.values import DateValue, Value, equal, less, to_boolean, to_number, to_string

Arguments: TypeAlias = tuple[Ast, ...]
# An enum looks its members up slowly, and these are compared for every path of every answer.
ROOT = Origin.ROOT
NODE = Origin.NODE


class Node(Protocol):
    """What a path leads to: an answer, a group, one instance of a repeat, or a part of a list.

    Of a list: the list itself, one of its rows, or a cell of a row.
    """

    @property
    def parent(self) -> "Node | None": ...
    def children_named(self, name: str) -> "Sequence[Any]": ...
    def all_children(self) -> "Sequence[Any]": ...
    def value(self) -> Value: ...
    def position(self) -> int: ...


class Lists(Protocol):
    """The lists of a form: its choices, and the CSV files that came with it."""

    def root(self, name: str) -> Node | None: ...
    def rows_with(self, name: str, column: str, text: str) -> "Sequence[Any]": ...
    def text(self, reference: str) -> str: ...
    def choice_label(self, name: str, path: str) -> str: ...


class EvaluationContext:
    """What an expression can ask about: its node, its question, the clock and the lists.

    `position` and `size` count within a condition in brackets, as XPath 1.0 has it.
    """

    __slots__ = ("budget", "current", "lists", "node", "now", "position", "root", "size")

    def __init__(self, root: Node, node: Node, now: DateValue, lists: Lists | None = None, budget: Budget | None = None):
        self.root = root
        self.node = node
        self.now = now
        self.lists = lists
        self.budget = budget
        self.current = node
        self.position = 1
        # The question stays the same inside brackets, where the node changes: current() means it.
        self.size = 1

    def enter_condition(self, node: Node, position: int, size: int) -> "EvaluationContext":
        """Return the context of a condition in brackets."""
        inner = EvaluationContext(self.root, node, self.now, self.lists, self.budget)
        inner.current = self.current
        inner.position = position
        inner.size = size
        return inner


def evaluate(ast: Ast, context: EvaluationContext) -> Value:
    """Return the value of an expression.

    A path gives the value of its first node, or "" when there is none.

    Example: evaluate(parse("1 + 2"), context) is 3.0.
    """
    return EVALUATORS[type(ast)](ast, context)


def _evaluate_path(path: Path, context: EvaluationContext) -> Value:
    nodes = _walk_path(path, context)
    value: Value = ""
    if nodes:
        value = nodes[0].value()
    return value


def _evaluate_union(union: Union, context: EvaluationContext) -> Value:
    nodes = find_nodes(union, context)
    value: Value = ""
    if nodes:
        value = nodes[0].value()
    return value


def find_nodes(ast: Ast, context: EvaluationContext) -> Sequence[Any]:
    """Return the nodes that a path leads to, in document order; those of a value are none."""
    if isinstance(ast, Path):
        return _walk_path(ast, context)
    if isinstance(ast, Union):
        nodes: dict[Any, None] = {}  # in order, each once
        for path in ast.paths:
            nodes.update(dict.fromkeys(find_nodes(path, context)))
        return list(nodes)
    if _is_randomize(ast):
        return _randomize(ast.arguments, context)
    return []


def _walk_path(path: Path, context: EvaluationContext) -> Sequence[Any]:
    origin = path.origin
    steps: Sequence[Step] = path.steps
    nodes: Sequence[Any]
    if origin is ROOT:
        nodes = [context.root]
        steps = steps[1:]  # the first step names the root itself
    elif origin is NODE:
        nodes = [context.node]
    elif isinstance(origin, InList):
        return _walk_list(origin.name, steps, context)
    else:
        nodes = [context.current]
    for step in steps:
        nodes = _take_step(step, nodes, context)
    return nodes


def _take_step(step: Step, nodes: Sequence[Any], context: EvaluationContext) -> Sequence[Any]:
    # Steps through thousands of instances are what makes a hostile or careless form slow.
    if context.budget:
        context.budget.spend(1 + len(nodes))
    after = _follow(step, nodes)
    if not step.conditions:
        return after
    # A position counts among the children of one parent, so conditions run parent by parent.
    groups = [after]
    if len(nodes) > 1:
        # Step again without conditions from each parent; a single parent needs no second walk.
        plain = ChildStep(step.name) if isinstance(step, ChildStep) else type(step)()
        groups = [_take_step(plain, [node], context) for node in nodes]
    for condition in step.conditions:
        groups = [_filter_nodes(condition, group, context) for group in groups]
    return list(itertools.chain.from_iterable(groups))


def _follow(step: Step, nodes: Sequence[Any]) -> Sequence[Any]:
    """Return where a step leads from some nodes, before its conditions."""
    if isinstance(step, ChildStep):
        if len(nodes) == 1:
            return cast("Sequence[Any]", nodes[0].children_named(step.name))
        return list(itertools.chain.from_iterable(node.children_named(step.name) for node in nodes))
    if isinstance(step, ParentStep):
        return list(dict.fromkeys(node.parent for node in nodes if node.parent is not None))
    if isinstance(step, AnyChildStep):
        return list(itertools.chain.from_iterable(node.all_children() for node in nodes))
    return nodes


def _filter_nodes(condition: Ast, group: Sequence[Any], context: EvaluationContext) -> Sequence[Any]:
    """Return the nodes for which a condition holds, or the one at the position it gives."""
    matching = []
    for position, node in enumerate(group, 1):
        if context.budget:
            context.budget.spend()
        value = evaluate(condition, context.enter_condition(node, position, len(group)))
        # bool is a kind of int to Python, and a condition that holds is not the position 1.
        is_number = isinstance(value, float) and not isinstance(value, bool)
        is_match = value == position
        if not is_number:
            is_match = to_boolean(value)
        if is_match:
            matching.append(node)
    return matching


def _walk_list(name: str, steps: Sequence[Step], context: EvaluationContext) -> Sequence[Any]:
    """Return the rows or cells of a list that a path leads to.

    A condition such as [district = …] finds its rows by an index, not by looking at each: lists have
    thousands of rows, and phones are slow.
    """
    root = None
    if context.lists:
        root = context.lists.root(name)
    if root is None:
        return []
    nodes: Sequence[Any] = [root]
    for depth, step in enumerate(steps):
        rows = None
        # Only the step from the list to its rows has an index.
        if depth == 1:
            rows = _look_up_rows(name, step, context)
        if rows is None:
            rows = _take_step(step, nodes, context)
        nodes = rows
    return nodes


def _look_up_rows(name: str, step: Step, context: EvaluationContext) -> Sequence[Any] | None:
    """Return the rows of a list that a step leads to; None where no index can tell."""
    if context.lists is None or not isinstance(step, ChildStep) or step.name != "item" or not step.conditions:
        return None
    key = parse_index_condition(step.conditions[0])
    if key is None:
        return None
    column, expression = key
    text = evaluate(expression, context)
    if not isinstance(text, str):
        return None  # a number equals "07" and "7.0" too, which an index by text would miss
    rows: Sequence[Any] = context.lists.rows_with(name, column, text)
    # An index holds for the first condition; the others look at what it left.
    for condition in step.conditions[1:]:
        rows = _filter_nodes(condition, rows, context)
    return rows


def parse_index_condition(condition: Ast) -> tuple[str, Ast] | None:
    """Return the column and the expression of a condition `column = expression`.

    None for any other condition, and where the expression has not one value for all rows, since an
    index could not find them.
    """
    if not isinstance(condition, Operation) or condition.operator != "=":
        return None
    for column, expression in ((condition.left, condition.right), (condition.right, condition.left)):
        match column:
            case Path(Origin.NODE, (ChildStep(name, ()),)) if _is_same_for_all_rows(expression):
                return name, expression
    return None


def _is_same_for_all_rows(ast: Ast) -> bool:
    # The question's or the root's answers are the same for every row; a path from the row itself is
    # not.
    if isinstance(ast, Path):
        return ast.origin in (Origin.ROOT, Origin.QUESTION)
    return isinstance(ast, TextLiteral)


def _is_randomize(ast: Ast) -> TypeGuard[Call]:
    return isinstance(ast, Call) and ast.name == "randomize"


def _randomize(arguments: Arguments, context: EvaluationContext) -> Sequence[Any]:
    nodes = find_nodes(arguments[0], context)
    if len(arguments) > 1:
        return shuffled(nodes, to_number(evaluate(arguments[1], context)))
    return nodes


def evaluate_operation(ast: Operation, context: EvaluationContext) -> Value:
    """Return the value of two operands and what stands between them."""
    sign = ast.operator
    left = ast.left
    right = ast.right
    if sign == "or":
        # The right side is not evaluated where the left one decides, so a rule may guard itself:
        # ${n} != 0 and 10 div ${n} > 1.
        return to_boolean(evaluate(left, context)) or to_boolean(evaluate(right, context))
    if sign == "and":
        return to_boolean(evaluate(left, context)) and to_boolean(evaluate(right, context))
    if sign in COMPARE:
        return compare(COMPARE[sign], left, right, context)
    return arithmetic(sign, to_number(evaluate(left, context)), to_number(evaluate(right, context)))


COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "=": equal,
    "!=": lambda a, b: not equal(a, b),
    "<": lambda a, b: less(a, b, False),
    "<=": lambda a, b: less(a, b, True),
    ">": lambda a, b: less(b, a, False),
    ">=": lambda a, b: less(b, a, True),
}


def compare(test: Callable[[Value, Value], bool], left: Ast, right: Ast, context: EvaluationContext) -> bool:
    """Compare two expressions; a path stands for all of its nodes.

    Of several nodes it is enough that one compares so. Source: XPath 1.0, section 3.4.
    """
    lefts = evaluate_each(left, context)
    rights = evaluate_each(right, context)
    if len(lefts) == 1 and len(rights) == 1:  # nearly always; the loops below cost more
        return test(lefts[0], rights[0])
    for a in lefts:
        if context.budget:
            context.budget.spend(len(rights))
        if any(test(a, b) for b in rights):
            return True
    return False


def evaluate_each(ast: Ast, context: EvaluationContext) -> list[Value]:
    """Return the value of every node of a path, or the one value of anything else.

    A path without a node has the value "".
    """
    if isinstance(ast, Path):
        return [node.value() for node in _walk_path(ast, context)] or [""]
    if isinstance(ast, Union):
        return [node.value() for node in find_nodes(ast, context)] or [""]
    return [evaluate(ast, context)]


def arithmetic(sign: str, a: float, b: float) -> float:
    """Return `a` and `b` joined by +, -, *, div or mod, as IEEE 754 has it.

    The result of mod has the sign of `a`, as in XPath 1.0.
    """
    if sign == "+":
        return a + b
    if sign == "-":
        return a - b
    if sign == "*":
        return a * b
    if sign == "div":
        return _divide(a, b)
    # As browsers do: no remainder of infinity, and none by 0.
    has_remainder = b != 0 and math.isfinite(a) and not math.isnan(b)
    if has_remainder:
        return math.fmod(a, b)
    return math.nan


def _divide(a: float, b: float) -> float:
    """Divide as IEEE 754 does, which Python refuses by zero."""
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    # The sign of a zero decides between plus and minus infinity.
    return math.copysign(math.inf, a) * math.copysign(1, b)


def list_values(argument: Ast, context: EvaluationContext) -> list[Value]:
    """Return the values of an argument that are not blank: of a path, those of every node."""
    if is_node_set(argument) or _is_randomize(argument):
        values = [node.value() for node in find_nodes(argument, context)]
        return [value for value in values if value != ""]
    value = evaluate(argument, context)
    if value == "":
        return []
    return [value]


def evaluate_call(ast: Call, context: EvaluationContext) -> Value:
    """Return the value of a function for its arguments."""
    name = ast.name
    arguments = ast.arguments
    # In the order of how often they occur: this is the hottest place of a form's logic.
    if name in PLAIN:
        return PLAIN[name][0](*[evaluate(argument, context) for argument in arguments])
    if name in SPECIAL:
        return SPECIAL[name](arguments, context)
    value = evaluate(arguments[0], context) if arguments else context.node.value()
    result: Value = OF_SELF[name](value)
    return result


def _if(arguments: Arguments, context: EvaluationContext) -> Value:
    condition, if_true, if_false = arguments
    if to_boolean(evaluate(condition, context)):
        return evaluate(if_true, context)
    return evaluate(if_false, context)


def _coalesce(arguments: Arguments, context: EvaluationContext) -> Value:
    for argument in arguments:
        value = evaluate(argument, context)
        if value != "":
            return value
    return ""


def _once(arguments: Arguments, context: EvaluationContext) -> Value:
    # The question's own answer, also inside a condition.
    answer = context.current.value()
    if answer == "":
        return evaluate(arguments[0], context)
    return answer


def _position(arguments: Arguments, context: EvaluationContext) -> Value:
    if not arguments:
        return float(context.position)
    nodes = find_nodes(arguments[0], context)
    if nodes:
        return float(nodes[0].position())
    return math.nan


def _concat(arguments: Arguments, context: EvaluationContext) -> Value:
    return "".join(map(to_string, _list_all_values(arguments, context)))


def _join(arguments: Arguments, context: EvaluationContext) -> Value:
    parts = _list_all_values(arguments[1:], context)
    return to_string(evaluate(arguments[0], context)).join(map(to_string, parts))


def _list_all_values(arguments: Arguments, context: EvaluationContext) -> list[Value]:
    values: list[Value] = []
    for argument in arguments:
        values += list_values(argument, context)
    return values


def _sum(arguments: Arguments, context: EvaluationContext) -> Value:
    # not sum(): it compensates, and phones do not
    return functools.reduce(operator.add, map(to_number, _list_all_values(arguments, context)), 0.0)


def _extreme(choose: Callable[[list[float]], float], arguments: Arguments, context: EvaluationContext) -> Value:
    numbers = [to_number(value) for value in _list_all_values(arguments, context)]
    # One that is no number makes the whole unknown, as in XPath; leaving it out would be a wrong
    # minimum.
    if not numbers or any(map(math.isnan, numbers)):
        return math.nan
    return choose(numbers)


def _choice_name(arguments: Arguments, context: EvaluationContext) -> Value:
    name = to_string(evaluate(arguments[0], context))
    path = to_string(evaluate(arguments[1], context))
    if context.lists:
        return context.lists.choice_label(name, path)
    return name


def _itext(arguments: Arguments, context: EvaluationContext) -> Value:
    if context.lists:
        return context.lists.text(to_string(evaluate(arguments[0], context)))
    return ""


def _pulldata(arguments: Arguments, context: EvaluationContext) -> Value:
    name, column, key, text = (to_string(evaluate(argument, context)) for argument in arguments)
    if not context.lists:
        return ""
    # The first row only: a list with two rows of one key is a mistake that must not make two
    # answers.
    for row in context.lists.rows_with(name, key, text)[:1]:
        for cell in row.children_named(column)[:1]:
            value: Value = cell.value()
            return value
    return ""


def _uuid(arguments: Arguments, context: EvaluationContext) -> Value:
    if not arguments:
        return str(uuid.uuid4())
    length = to_number(evaluate(arguments[0], context))
    # Hexadecimal digits of a UUID: there are 32.
    if 0 < length <= 32:
        return uuid.uuid4().hex[: int(length)]
    return ""


Special = Callable[[Arguments, EvaluationContext], Value]

SPECIAL: dict[str, Special] = {
    "area": lambda arguments, context: geometry.area(_list_all_values(arguments, context)),
    "coalesce": _coalesce,
    "concat": _concat,
    "count": lambda arguments, context: float(len(find_nodes(arguments[0], context))),
    "count-non-empty": lambda arguments, context: float(len(_list_all_values(arguments, context))),
    "distance": lambda arguments, context: geometry.distance(_list_all_values(arguments, context)),
    "if": _if,
    "join": _join,
    "jr:choice-name": _choice_name,
    "jr:itext": _itext,
    "last": lambda arguments, context: float(context.size),
    "max": functools.partial(_extreme, max),
    "min": functools.partial(_extreme, min),
    "now": lambda arguments, context: context.now,
    "once": _once,
    "position": _position,
    "pulldata": _pulldata,
    "random": lambda arguments, context: random.random(),
    "randomize": lambda arguments, context: next((node.value() for node in _randomize(arguments, context)), ""),
    "sum": _sum,
    "today": lambda arguments, context: DateValue(math.floor(context.now.days), "date"),
    "uuid": _uuid,
}

EVALUATORS: dict[type[Ast], Callable[[Any, EvaluationContext], Value]] = {
    NumberLiteral: lambda ast, context: float(ast.value),
    TextLiteral: lambda ast, context: cast("str", ast.value),
    Negation: lambda ast, context: -to_number(evaluate(ast.operand, context)),
    Operation: evaluate_operation,
    Call: evaluate_call,
    Path: _evaluate_path,
    Union: _evaluate_union,
}
