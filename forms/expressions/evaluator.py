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


class Context:
    """Where an expression is evaluated: the node in hand, the question it belongs to, the clock and the lists.

    `position` and `size` count within a condition in brackets, as XPath 1.0 has it.
    """

    __slots__ = ("budget", "current", "lists", "node", "now", "position", "root", "size")

    def __init__(self, root: Node, node: Node, now: DateValue, lists: Lists | None = None, budget: Budget | None = None):
        self.root, self.node, self.now, self.lists, self.budget = root, node, now, lists, budget
        self.current, self.position, self.size = node, 1, 1

    def inside(self, node: Node, position: int, size: int) -> "Context":
        """Return the context of a condition in brackets."""
        inner = Context(self.root, node, self.now, self.lists, self.budget)
        inner.current, inner.position, inner.size = self.current, position, size
        return inner


def evaluate(ast: Any, context: Context) -> Value:
    """Return the value of an AST; a path gives the value of its first node, or "" when there is none."""
    kind = ast[0]
    if kind == "n":
        return float(ast[1])
    if kind == "s":
        return str(ast[1])
    if kind in {"path", "union"}:
        found = nodes(ast, context)
        return found[0].value() if found else ""
    if kind == "neg":
        return -to_number(evaluate(ast[1], context))
    if kind == "op":
        return operate(ast[1], ast[2], ast[3], context)
    return call(ast[1], ast[2], context)


def nodes(ast: Any, context: Context) -> Sequence[Any]:
    """Return the nodes that a path leads to, in document order."""
    if ast[0] == "union":
        return list(dict.fromkeys(node for path in ast[1] for node in nodes(path, context)))
    if ast[0] != "path":  # randomize(…)
        return _randomized(ast[2], context) if ast[:2] == ["call", "randomize"] else []
    _, origin, steps = ast
    found: Sequence[Any]
    if origin == "/":
        found, steps = [context.root], steps[1:]  # the first step names the root itself
    elif origin == ".":
        found = [context.node]
    elif origin == "current":
        found = [context.current]
    else:
        return _in_list(origin[1], steps, context)
    for step in steps:
        found = _step(step, found, context)
    return found


def _step(step: Any, found: Sequence[Any], context: Context) -> Sequence[Any]:
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
    groups = [_step(step[:conditions], [node], context) for node in found] if len(found) > 1 else [after]
    for condition in step[conditions:]:
        groups = [_where(condition[1], group, context) for group in groups]
    return [node for group in groups for node in group]


def _where(condition: Any, group: Sequence[Any], context: Context) -> Sequence[Any]:
    kept = []
    for position, node in enumerate(group, 1):
        if context.budget:
            context.budget.spend()
        value = evaluate(condition, context.inside(node, position, len(group)))
        is_number = isinstance(value, float) and not isinstance(value, bool)
        if value == position if is_number else to_boolean(value):
            kept.append(node)
    return kept


def _in_list(name: str, steps: Any, context: Context) -> Sequence[Any]:
    """Walk over a list; a condition such as [district = …] finds its rows by an index, not by looking at each."""
    if context.lists is None or (root := context.lists.root(name)) is None:
        return []
    found: Sequence[Any] = [root]
    for depth, step in enumerate(steps):
        if depth == 1 and step[0] == "child" and step[1] == "item" and len(step) > 2 and (key := keyed(step[2][1])):
            column, wanted = key
            text = evaluate(wanted, context)
            if isinstance(text, str):
                found = context.lists.rows_with(name, column, text)
                for condition in step[3:]:
                    found = _where(condition[1], found, context)
                continue
        found = _step(step, found, context)
    return found


def keyed(condition: Any) -> tuple[str, Any] | None:
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


def _randomized(arguments: Any, context: Context) -> Sequence[Any]:
    found = nodes(arguments[0], context)
    return shuffled(found, to_number(evaluate(arguments[1], context))) if len(arguments) > 1 else found


def operate(sign: str, left: Any, right: Any, context: Context) -> Value:
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


def compare(test: Callable[[Value, Value], bool], left: Any, right: Any, context: Context) -> bool:
    """Compare; where a path leads to several nodes it is enough that one of them compares so (XPath 1.0)."""
    lefts, rights = each(left, context), each(right, context)
    if len(lefts) == 1 and len(rights) == 1:
        return test(lefts[0], rights[0])
    for a in lefts:
        if context.budget:
            context.budget.spend(len(rights))
        if any(test(a, b) for b in rights):
            return True
    return False


def each(ast: Any, context: Context) -> list[Value]:
    if ast[0] not in ("path", "union"):
        return [evaluate(ast, context)]
    return [node.value() for node in nodes(ast, context)] or [""]


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


def values_of(argument: Any, context: Context) -> list[Value]:
    """Return the values of an argument: every node of a path, or the one value of anything else; blanks left out."""
    is_set = argument[0] in ("path", "union") or argument[:2] == ["call", "randomize"]
    values = [node.value() for node in nodes(argument, context)] if is_set else [evaluate(argument, context)]
    return [value for value in values if value != ""]


def call(name: str, arguments: Any, context: Context) -> Value:
    if name in PLAIN:
        return PLAIN[name][0](*[evaluate(argument, context) for argument in arguments])
    if name in SPECIAL:
        return SPECIAL[name](arguments, context)
    value = evaluate(arguments[0], context) if arguments else context.node.value()
    result: Value = OF_SELF[name](value)
    return result


def _if(arguments: Any, context: Context) -> Value:
    return evaluate(arguments[1] if to_boolean(evaluate(arguments[0], context)) else arguments[2], context)


def _coalesce(arguments: Any, context: Context) -> Value:
    return next((value for argument in arguments if (value := evaluate(argument, context)) != ""), "")


def _once(arguments: Any, context: Context) -> Value:
    return held if (held := context.current.value()) != "" else evaluate(arguments[0], context)


def _position(arguments: Any, context: Context) -> Value:
    if not arguments:
        return float(context.position)
    found = nodes(arguments[0], context)
    return float(found[0].position()) if found else math.nan


def _concat(arguments: Any, context: Context) -> Value:
    return "".join(to_string(value) for argument in arguments for value in values_of(argument, context))


def _join(arguments: Any, context: Context) -> Value:
    parts = [value for argument in arguments[1:] for value in values_of(argument, context)]
    return to_string(evaluate(arguments[0], context)).join(to_string(part) for part in parts)


def _all(arguments: Any, context: Context) -> list[Value]:
    return [value for argument in arguments for value in values_of(argument, context)]


def _sum(arguments: Any, context: Context) -> Value:
    # not sum(): it compensates, and phones do not
    return functools.reduce(operator.add, map(to_number, _all(arguments, context)), 0.0)


def _extreme(choose: Callable[[list[float]], float], arguments: Any, context: Context) -> Value:
    numbers = [to_number(value) for value in _all(arguments, context)]
    return math.nan if not numbers or any(map(math.isnan, numbers)) else choose(numbers)


def _choice_name(arguments: Any, context: Context) -> Value:
    name, path = to_string(evaluate(arguments[0], context)), to_string(evaluate(arguments[1], context))
    return context.lists.choice_label(name, path) if context.lists else name


def _itext(arguments: Any, context: Context) -> Value:
    return context.lists.text(to_string(evaluate(arguments[0], context))) if context.lists else ""


def _pulldata(arguments: Any, context: Context) -> Value:
    name, wanted, key, text = (to_string(evaluate(argument, context)) for argument in arguments)
    rows = context.lists.rows_with(name, key, text) if context.lists else ()
    cells = rows[0].children_named(wanted) if rows else ()
    value: Value = cells[0].value() if cells else ""
    return value


def _uuid(arguments: Any, context: Context) -> Value:
    if not arguments:
        return str(uuid.uuid4())
    length = to_number(evaluate(arguments[0], context))
    return uuid.uuid4().hex[: int(length)] if 0 < length <= 32 else ""


Special = Callable[[Any, Context], Value]

SPECIAL: dict[str, Special] = {
    "area": lambda arguments, context: geometry.area(_all(arguments, context)),
    "coalesce": _coalesce,
    "concat": _concat,
    "count": lambda arguments, context: float(len(nodes(arguments[0], context))),
    "count-non-empty": lambda arguments, context: float(len(_all(arguments, context))),
    "distance": lambda arguments, context: geometry.distance(_all(arguments, context)),
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
    "randomize": lambda arguments, context: next((node.value() for node in _randomized(arguments, context)), ""),
    "sum": _sum,
    "today": lambda arguments, context: DateValue(math.floor(context.now.days), "date"),
    "uuid": _uuid,
}
