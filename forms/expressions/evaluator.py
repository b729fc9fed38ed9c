"""Evaluate an AST against a tree of answers; the twin of client/src/engine/evaluator.ts."""

import functools
import math
import operator
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from forms.budget import Budget
from forms.expressions import geometry
from forms.expressions.functions import OF_SELF, PLAIN
from forms.expressions.shuffle import shuffled
from forms.expressions.values import DateValue, Value, equal, less, to_boolean, to_number, to_string


class Node(Protocol):
    """What a path walks over: a question, a group, one instance of a repeat; or a list, its rows, their cells."""

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
    """Where an expression is evaluated: the node in hand, the question it belongs to, the clock and the lists.

    `position` and `size` count within a condition in brackets, as XPath 1.0 has it.
    """

    __slots__ = ("budget", "current", "lists", "node", "now", "position", "root", "size")

    def __init__(self, root: Node, node: Node, now: DateValue, lists: Lists | None = None, budget: Budget | None = None):
        self.root, self.node, self.now, self.lists, self.budget = root, node, now, lists, budget
        self.current, self.position, self.size = node, 1, 1

    def enter_condition(self, node: Node, position: int, size: int) -> "EvaluationContext":
        """Return the context of a condition in brackets."""
        inner = EvaluationContext(self.root, node, self.now, self.lists, self.budget)
        inner.current, inner.position, inner.size = self.current, position, size
        return inner


def evaluate(ast: Any, context: EvaluationContext) -> Value:
    """Return the value of an AST; a path gives the value of its first node, or "" when there is none."""
    kind = ast[0]
    if kind == "n":
        return float(ast[1])
    if kind == "s":
        return str(ast[1])
    if kind in {"path", "union"}:
        found = find_nodes(ast, context)
        return found[0].value() if found else ""
    if kind == "neg":
        return -to_number(evaluate(ast[1], context))
    if kind == "op":
        return evaluate_operation(ast[1], ast[2], ast[3], context)
    return evaluate_call(ast[1], ast[2], context)


def find_nodes(ast: Any, context: EvaluationContext) -> Sequence[Any]:
    """Return the nodes that a path leads to, in document order."""
    if ast[0] == "union":
        return list(dict.fromkeys(node for path in ast[1] for node in find_nodes(path, context)))
    if ast[0] != "path":  # randomize(…)
        return _randomize(ast[2], context) if ast[:2] == ["call", "randomize"] else []
    _, origin, steps = ast
    found: Sequence[Any]
    if origin == "/":
        found, steps = [context.root], steps[1:]  # the first step names the root itself
    elif origin == ".":
        found = [context.node]
    elif origin == "current":
        found = [context.current]
    else:
        return _walk_list(origin[1], steps, context)
    for step in steps:
        found = _take_step(step, found, context)
    return found


def _take_step(step: Any, found: Sequence[Any], context: EvaluationContext) -> Sequence[Any]:
    kind, conditions = step[0], 1
    if context.budget:
        context.budget.spend(1 + len(found))
    if kind == "child":
        conditions = 2
        name = step[1]
        after = (
            found[0].children_named(name) if len(found) == 1 else [c for node in found for c in node.children_named(name)]
        )
    elif kind == "parent":
        after = list(dict.fromkeys(node.parent for node in found if node.parent is not None))
    elif kind == "any":
        after = [child for node in found for child in node.all_children()]
    else:
        after = found
    if len(step) == conditions:
        return after
    # A position counts among the children of one parent, so conditions run parent by parent.
    groups = [_take_step(step[:conditions], [node], context) for node in found] if len(found) > 1 else [after]
    for condition in step[conditions:]:
        groups = [_filter_nodes(condition[1], group, context) for group in groups]
    return [node for group in groups for node in group]


def _filter_nodes(condition: Any, group: Sequence[Any], context: EvaluationContext) -> Sequence[Any]:
    kept = []
    for position, node in enumerate(group, 1):
        if context.budget:
            context.budget.spend()
        value = evaluate(condition, context.enter_condition(node, position, len(group)))
        is_number = isinstance(value, float) and not isinstance(value, bool)
        if value == position if is_number else to_boolean(value):
            kept.append(node)
    return kept


def _walk_list(name: str, steps: Any, context: EvaluationContext) -> Sequence[Any]:
    """Walk over a list; a condition such as [district = …] finds its rows by an index, not by looking at each."""
    if context.lists is None or (root := context.lists.root(name)) is None:
        return []
    found: Sequence[Any] = [root]
    for depth, step in enumerate(steps):
        if (
            depth == 1
            and step[0] == "child"
            and step[1] == "item"
            and len(step) > 2
            and (key := parse_index_condition(step[2][1]))
        ):
            column, wanted = key
            text = evaluate(wanted, context)
            if isinstance(text, str):
                found = context.lists.rows_with(name, column, text)
                for condition in step[3:]:
                    found = _filter_nodes(condition[1], found, context)
                continue
        found = _take_step(step, found, context)
    return found


def parse_index_condition(condition: Any) -> tuple[str, Any] | None:
    """Return the column and the wanted value of a condition `column = value` whose value is the same for every row."""
    if condition[0] != "op" or condition[1] != "=":
        return None
    for column, wanted in ((condition[2], condition[3]), (condition[3], condition[2])):
        is_column = column[0] == "path" and column[1] == "." and len(column[2]) == 1 and column[2][0][0] == "child"
        if (
            is_column
            and len(column[2][0]) == 2
            and (wanted[0] == "s" or (wanted[0] == "path" and wanted[1] in ("/", "current")))
        ):
            return column[2][0][1], wanted
    return None


def _randomize(arguments: Any, context: EvaluationContext) -> Sequence[Any]:
    found = find_nodes(arguments[0], context)
    return shuffled(found, to_number(evaluate(arguments[1], context))) if len(arguments) > 1 else found


def evaluate_operation(sign: str, left: Any, right: Any, context: EvaluationContext) -> Value:
    if sign == "or":
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


def compare(test: Callable[[Value, Value], bool], left: Any, right: Any, context: EvaluationContext) -> bool:
    """Compare; where a path leads to several nodes it is enough that one of them compares so (XPath 1.0)."""
    lefts, rights = evaluate_each(left, context), evaluate_each(right, context)
    if len(lefts) == 1 and len(rights) == 1:
        return test(lefts[0], rights[0])
    for a in lefts:
        if context.budget:
            context.budget.spend(len(rights))
        if any(test(a, b) for b in rights):
            return True
    return False


def evaluate_each(ast: Any, context: EvaluationContext) -> list[Value]:
    if ast[0] not in ("path", "union"):
        return [evaluate(ast, context)]
    return [node.value() for node in find_nodes(ast, context)] or [""]


def arithmetic(sign: str, a: float, b: float) -> float:
    if sign == "+":
        return a + b
    if sign == "-":
        return a - b
    if sign == "*":
        return a * b
    if sign == "div":
        if b == 0:
            return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
        return a / b
    return math.nan if b == 0 or math.isinf(a) or math.isnan(a) or math.isnan(b) else math.fmod(a, b)


def list_values(argument: Any, context: EvaluationContext) -> list[Value]:
    """Return the values of an argument: every node of a path, or the one value of anything else; blanks left out."""
    is_set = argument[0] in ("path", "union") or argument[:2] == ["call", "randomize"]
    values = [node.value() for node in find_nodes(argument, context)] if is_set else [evaluate(argument, context)]
    return [value for value in values if value != ""]


def evaluate_call(name: str, arguments: Any, context: EvaluationContext) -> Value:
    if name in PLAIN:
        return PLAIN[name][0](*[evaluate(argument, context) for argument in arguments])
    if name in SPECIAL:
        return SPECIAL[name](arguments, context)
    value = evaluate(arguments[0], context) if arguments else context.node.value()
    result: Value = OF_SELF[name](value)
    return result


def _if(arguments: Any, context: EvaluationContext) -> Value:
    return evaluate(arguments[1] if to_boolean(evaluate(arguments[0], context)) else arguments[2], context)


def _coalesce(arguments: Any, context: EvaluationContext) -> Value:
    return next((value for argument in arguments if (value := evaluate(argument, context)) != ""), "")


def _once(arguments: Any, context: EvaluationContext) -> Value:
    return held if (held := context.current.value()) != "" else evaluate(arguments[0], context)


def _position(arguments: Any, context: EvaluationContext) -> Value:
    if not arguments:
        return float(context.position)
    found = find_nodes(arguments[0], context)
    return float(found[0].position()) if found else math.nan


def _concat(arguments: Any, context: EvaluationContext) -> Value:
    return "".join(to_string(value) for argument in arguments for value in list_values(argument, context))


def _join(arguments: Any, context: EvaluationContext) -> Value:
    parts = [value for argument in arguments[1:] for value in list_values(argument, context)]
    return to_string(evaluate(arguments[0], context)).join(to_string(part) for part in parts)


def _list_all_values(arguments: Any, context: EvaluationContext) -> list[Value]:
    return [value for argument in arguments for value in list_values(argument, context)]


def _sum(arguments: Any, context: EvaluationContext) -> Value:
    # not sum(): it compensates, and phones do not
    return functools.reduce(operator.add, map(to_number, _list_all_values(arguments, context)), 0.0)


def _extreme(choose: Callable[[list[float]], float], arguments: Any, context: EvaluationContext) -> Value:
    numbers = [to_number(value) for value in _list_all_values(arguments, context)]
    return math.nan if not numbers or any(map(math.isnan, numbers)) else choose(numbers)


def _choice_name(arguments: Any, context: EvaluationContext) -> Value:
    name, path = to_string(evaluate(arguments[0], context)), to_string(evaluate(arguments[1], context))
    return context.lists.choice_label(name, path) if context.lists else name


def _itext(arguments: Any, context: EvaluationContext) -> Value:
    return context.lists.text(to_string(evaluate(arguments[0], context))) if context.lists else ""


def _pulldata(arguments: Any, context: EvaluationContext) -> Value:
    name, wanted, key, text = (to_string(evaluate(argument, context)) for argument in arguments)
    rows = context.lists.rows_with(name, key, text) if context.lists else ()
    cells = rows[0].children_named(wanted) if rows else ()
    value: Value = cells[0].value() if cells else ""
    return value


def _uuid(arguments: Any, context: EvaluationContext) -> Value:
    if not arguments:
        return str(uuid.uuid4())
    length = to_number(evaluate(arguments[0], context))
    return uuid.uuid4().hex[: int(length)] if 0 < length <= 32 else ""


Special = Callable[[Any, EvaluationContext], Value]

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
