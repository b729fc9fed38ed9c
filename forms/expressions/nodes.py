"""The parts of an expression: frozen values in memory, nested lists in JSON.

| in memory | in JSON |
|---|---|
| NumberLiteral(3) | ["n", 3] |
| TextLiteral("a") | ["s", "a"] |
| Negation(x) | ["neg", x] |
| Operation("+", x, y) | ["op", "+", x, y] |
| Call("sum", (x,)) | ["call", "sum", [x]] |
| Union((x, y)) | ["union", [x, y]] |
| Path(Origin.ROOT, steps) | ["path", "/", steps]; "." from the node in hand, "current" from the question |
| Path(InList("towns"), steps) | ["path", ["instance", "towns"], steps] |
| ChildStep("a", (x,)) | ["child", "a", ["where", x]] |
| AnyChildStep(), ParentStep(), SelfStep() | ["any"], ["parent"], ["self"], with conditions likewise |

The JSON is part of a form definition: client/src/engine reads the same, and its bytes are hashed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias


class Origin(StrEnum):
    """Where a path begins, but for one into a list."""

    ROOT = "/"
    NODE = "."  # the node in hand
    QUESTION = "current"  # the question whose expression it is, also within a condition


@dataclass(frozen=True, slots=True)
class InList:
    """The beginning of a path into a list of choices, or a file."""

    name: str


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    value: int | float


@dataclass(frozen=True, slots=True)
class TextLiteral:
    value: str


@dataclass(frozen=True, slots=True)
class Negation:
    operand: "Ast"


@dataclass(frozen=True, slots=True)
class Operation:
    operator: str  # or and = != < <= > >= + - * div mod
    left: "Ast"
    right: "Ast"


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple["Ast", ...]


@dataclass(frozen=True, slots=True)
class ChildStep:
    """To the children with a name; `conditions` stand in brackets behind it."""

    name: str
    conditions: tuple["Ast", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyChildStep:
    conditions: tuple["Ast", ...] = ()


@dataclass(frozen=True, slots=True)
class ParentStep:
    conditions: tuple["Ast", ...] = ()


@dataclass(frozen=True, slots=True)
class SelfStep:
    conditions: tuple["Ast", ...] = ()


Step: TypeAlias = ChildStep | AnyChildStep | ParentStep | SelfStep


@dataclass(frozen=True, slots=True)
class Path:
    origin: Origin | InList
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Union:
    paths: tuple["Ast", ...]


Ast: TypeAlias = NumberLiteral | TextLiteral | Negation | Operation | Call | Path | Union

NODE_SETS = (Path, Union)
OWN_VALUE = Path(Origin.NODE, (SelfStep(),))  # a plain full stop
STEP_NAMES: dict[type[Step], str] = {AnyChildStep: "any", ParentStep: "parent", SelfStep: "self"}
PLAIN_STEPS: dict[str, type[AnyChildStep | ParentStep | SelfStep]] = {
    "any": AnyChildStep,
    "parent": ParentStep,
    "self": SelfStep,
}


def walk(ast: Ast) -> Iterator[Ast]:
    """Yield every part of an expression, itself first; conditions in brackets included."""
    yield ast
    for part in list_parts(ast):
        yield from walk(part)


def list_parts(ast: Ast) -> tuple[Ast, ...]:
    """Return the expressions that an expression is made of; of a path, its conditions."""
    match ast:
        case Negation(operand):
            return (operand,)
        case Operation(_, left, right):
            return (left, right)
        case Call(_, arguments):
            return arguments
        case Union(paths):
            return paths
        case Path():
            return list_conditions(ast)
        case _:
            return ()


def list_conditions(path: Path) -> tuple[Ast, ...]:
    """Return the conditions in brackets of all steps of a path."""
    conditions: tuple[Ast, ...] = ()
    for step in path.steps:
        conditions += step.conditions
    return conditions


def list_called_functions(ast: Ast) -> set[str]:
    """Return the names of the functions that an expression calls."""
    return {part.name for part in walk(ast) if isinstance(part, Call)}


def is_node_set(ast: Ast) -> bool:
    """Return whether an expression leads to nodes, not to one value."""
    return isinstance(ast, NODE_SETS)


def write_json(ast: Ast) -> list[Any]:
    """Return an expression as nested lists.

    Example: Negation(NumberLiteral(3)) gives ["neg", ["n", 3]].
    """
    match ast:
        case NumberLiteral(value):
            return ["n", value]
        case TextLiteral(text):
            return ["s", text]
        case Negation(operand):
            return ["neg", write_json(operand)]
        case Operation(operator, left, right):
            return ["op", operator, write_json(left), write_json(right)]
        case Call(name, arguments):
            return ["call", name, [write_json(argument) for argument in arguments]]
        case Union(paths):
            return ["union", [write_json(path) for path in paths]]
        case Path(InList(name), steps):
            return ["path", ["instance", name], [_write_step(step) for step in steps]]
        case Path(origin, steps):
            return ["path", str(origin), [_write_step(step) for step in steps]]


def _write_step(step: Step) -> list[Any]:
    written = ["child", step.name] if isinstance(step, ChildStep) else [STEP_NAMES[type(step)]]
    return [*written, *(["where", write_json(condition)] for condition in step.conditions)]


def read_json(body: list[Any]) -> Ast:
    """Return the expression in nested lists. Raises ValueError for a list that is none."""
    match body:
        case ["n", value]:
            return NumberLiteral(value)
        case ["s", text]:
            return TextLiteral(text)
        case ["neg", operand]:
            return Negation(read_json(operand))
        case ["op", operator, left, right]:
            return Operation(operator, read_json(left), read_json(right))
        case ["call", name, arguments]:
            return Call(name, tuple(read_json(argument) for argument in arguments))
        case ["union", paths]:
            return Union(tuple(read_json(path) for path in paths))
        case ["path", ["instance", name], steps]:
            return Path(InList(name), tuple(_read_step(step) for step in steps))
        case ["path", origin, steps]:
            return Path(Origin(origin), tuple(_read_step(step) for step in steps))
        case _:
            raise ValueError("This is no expression.")


def _read_step(body: list[Any]) -> Step:
    kind = body[0]
    if kind == "child":
        return ChildStep(body[1], tuple(read_json(condition[1]) for condition in body[2:]))
    return PLAIN_STEPS[kind](tuple(read_json(condition[1]) for condition in body[1:]))


def map_parts(change: Callable[[Ast], Ast], ast: Ast) -> Ast:
    """Return an expression with each of its parts (see list_parts) put through a function."""
    match ast:
        case Negation(operand):
            return Negation(change(operand))
        case Operation(operator, left, right):
            return Operation(operator, change(left), change(right))
        case Call(name, arguments):
            return Call(name, tuple(change(argument) for argument in arguments))
        case Union(paths):
            return Union(tuple(change(path) for path in paths))
        case Path(origin, steps):
            return Path(origin, tuple(map_conditions(change, step) for step in steps))
        case _:
            return ast


def map_conditions(change: Callable[[Ast], Ast], step: Step) -> Step:
    """Return a step with each of its conditions put through a function."""
    return replace(step, conditions=tuple(change(condition) for condition in step.conditions))
