"""Evaluate an AST against a tree of answers; the twin of client/src/engine/evaluator.ts."""

import functools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from forms.expressions.functions import PLAIN
from forms.expressions.values import DateValue, Value, equal, less, to_boolean, to_number, to_string


class Node(Protocol):
    """What a path walks over: a question, a group or one instance of a repeat."""

    @property
    def parent(self) -> "Node | None": ...
    def children_named(self, name: str) -> "list[Any]": ...
    def value(self) -> Value: ...
    def position(self) -> int: ...


@dataclass(frozen=True)
class Context:
    """Where an expression is evaluated: the root, the question, the local clock and the words of choices."""

    root: Node
    node: Node
    now: DateValue
    choice_label: Callable[[str, str], str] = lambda name, path: name


def evaluate(ast: Any, context: Context) -> Value:
    """Return the value of an AST; a path gives the value of its first node, or "" when there is none."""
    kind = ast[0]
    if kind == "n":
        return float(ast[1])
    if kind == "s":
        return str(ast[1])
    if kind == "path":
        found = nodes(ast, context)
        return found[0].value() if found else ""
    if kind == "neg":
        return -to_number(evaluate(ast[1], context))
    if kind == "op":
        return operate(ast[1], ast[2], ast[3], context)
    return call(ast[1], ast[2], context)


def nodes(ast: Any, context: Context) -> list[Any]:
    """Return the nodes that a path leads to, in document order."""
    _, origin, steps = ast
    if origin == "/":
        found, steps = [context.root], steps[1:]  # the first step names the root itself
    else:
        found = [context.node]
    for step in steps:
        if step[0] == "child":
            found = [child for node in found for child in node.children_named(step[1])]
        elif step[0] == "parent":
            found = list(dict.fromkeys(node.parent for node in found if node.parent is not None))
    return found


def operate(sign: str, left: Any, right: Any, context: Context) -> Value:
    if sign == "or":
        return to_boolean(evaluate(left, context)) or to_boolean(evaluate(right, context))
    if sign == "and":
        return to_boolean(evaluate(left, context)) and to_boolean(evaluate(right, context))
    a, b = evaluate(left, context), evaluate(right, context)
    if sign == "=":
        return equal(a, b)
    if sign == "!=":
        return not equal(a, b)
    if sign in ("<", "<="):
        return less(a, b, sign == "<=")
    if sign in (">", ">="):
        return less(b, a, sign == ">=")
    return arithmetic(sign, to_number(a), to_number(b))


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
    is_path = argument[0] == "path"
    values = [node.value() for node in nodes(argument, context)] if is_path else [evaluate(argument, context)]
    return [value for value in values if value != ""]


def call(name: str, arguments: Any, context: Context) -> Value:
    if name in PLAIN:
        return PLAIN[name][0](*(evaluate(argument, context) for argument in arguments))
    if name == "if":
        return evaluate(arguments[1] if to_boolean(evaluate(arguments[0], context)) else arguments[2], context)
    if name == "coalesce":
        return next((value for argument in arguments if (value := evaluate(argument, context)) != ""), "")
    if name == "once":
        return held if (held := context.node.value()) != "" else evaluate(arguments[0], context)
    if name == "today":
        return DateValue(math.floor(context.now.days))
    if name == "now":
        return context.now
    if name == "position":
        found = nodes(arguments[0], context)
        return float(found[0].position()) if found else math.nan
    if name == "count":
        return float(len(nodes(arguments[0], context)))
    if name == "jr:choice-name":
        return context.choice_label(to_string(evaluate(arguments[0], context)), to_string(evaluate(arguments[1], context)))
    return aggregate(name, arguments, context)


def aggregate(name: str, arguments: Any, context: Context) -> Value:
    if name == "join":
        parts = [value for argument in arguments[1:] for value in values_of(argument, context)]
        return to_string(evaluate(arguments[0], context)).join(to_string(part) for part in parts)
    values = [value for argument in arguments for value in values_of(argument, context)]
    if name == "count-non-empty":
        return float(len(values))
    numbers = [to_number(value) for value in values]
    if name == "sum":
        return functools.reduce(operator.add, numbers, 0.0)  # not sum(): it compensates, and phones do not
    if not numbers or any(map(math.isnan, numbers)):
        return math.nan
    return max(numbers) if name == "max" else min(numbers)
