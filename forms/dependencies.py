"""Which answer recalculates which: what an expression reads, the order to compute in, and a refusal of circles."""

from collections.abc import Iterator
from typing import Any

from forms.definition import Element
from forms.expressions import Ast

Read = tuple[str, int]  # the path that is read; how many of its first parts are the same instance as the reader's


class CircularReference(ValueError):
    """Questions that wait for each other; `paths` names the circle."""

    def __init__(self, paths: list[str]):
        super().__init__(" → ".join(paths))
        self.paths = paths


def find_references(ast: Any, element: str, children: dict[str, list[Element]]) -> Iterator[Read]:
    """Yield what an expression of an element reads: paths, and how far reader and read are the same instance.

    `../x` seen from /data/r/y is /data/r/x in the same instance of r: ("/data/r/x", 2). `sum(/data/r/x)` is
    ("/data/r/x", 1): only the root is shared, so every instance counts. A plain `.` reads nothing: it is the value held.
    """
    parts = element.split("/")[1:]
    yield from _read(ast, parts, parts, len(parts), children)


def _read(
    ast: Any, element: list[str], here: list[str] | None, scope: int, children: dict[str, list[Element]]
) -> Iterator[Read]:
    kind = ast[0]
    if kind == "path":
        yield from _read_path(ast, element, here, scope, children)
    elif kind == "op":
        yield from _read(ast[2], element, here, scope, children)
        yield from _read(ast[3], element, here, scope, children)
    elif kind == "neg":
        yield from _read(ast[1], element, here, scope, children)
    elif kind in ("call", "union"):
        for argument in ast[-1]:
            yield from _read(argument, element, here, scope, children)


def _read_path(
    ast: Any, element: list[str], here: list[str] | None, scope: int, children: dict[str, list[Element]]
) -> Iterator[Read]:
    _, origin, steps = ast
    parts: list[str] | None
    if origin == "/":
        parts, scope, steps = [steps[0][1] if steps and steps[0][0] == "child" else "data"], 1, steps[1:]
    elif origin == "current":
        parts, scope = list(element), len(element)
    elif origin == ".":
        parts = None if here is None else list(here)
    else:
        parts = None  # in a list: only its conditions read answers
    is_self = all(step[0] == "self" and len(step) == 1 for step in steps) and origin != "/"
    for step in steps:
        found: list[list[str]] = [parts] if parts is not None else []
        if parts is not None and step[0] == "child":
            parts = [*parts, step[1]]
            found = [parts]
        elif parts is not None and step[0] == "parent":
            parts = parts[:-1]
            scope = min(scope, len(parts))
            found = [parts]
        elif parts is not None and step[0] == "any":
            found = [child.path.split("/")[1:] for child in children.get("/" + "/".join(parts), ())]
            for child in found:
                yield "/" + "/".join(child), scope
        conditions = step[2:] if step[0] == "child" else step[1:]
        for condition in conditions:
            for place in found or (None,):
                yield from _read(condition[1], element, place, scope, children)
    if parts is not None and not is_self:
        yield "/" + "/".join(parts), scope


def list_controlling_expressions(element: Element) -> list[Ast]:
    """Return the expressions that decide about an element while a form is filled in."""
    return [ast for ast in (element.relevant, element.calculate, element.count) if ast]


def find_element_reads(element: Element, children: dict[str, list[Element]]) -> set[Read]:
    """Return what makes this element compute anew: what its expressions read, and its parent."""
    found = {read for ast in list_controlling_expressions(element) for read in find_references(ast, element.path, children)}
    if element.parent != "/data":
        found.add((element.parent, element.parent.count("/")))
    return found


def order_calculations(elements: tuple[Element, ...], children: dict[str, list[Element]]) -> tuple[str, ...]:
    """Return the paths so that each comes after what it reads (iterative depth-first search).

    Raise CircularReference. A question may read itself in other instances of its repeat (a running total).
    """
    known = {element.path for element in elements}
    after: dict[str, list[str]] = {}
    for element in elements:
        depth = element.path.count("/")
        reads = find_element_reads(element, children)
        if (element.path, depth) in reads:
            raise CircularReference([element.path, element.path])
        after[element.path] = sorted({path for path, _ in reads if path in known and path != element.path})
    done: dict[str, bool] = {}
    result: list[str] = []
    for start, first in after.items():
        if start in done:
            continue
        trail = [(start, iter(first))]
        done[start] = False
        while trail:
            path, remaining = trail[-1]
            following = next(remaining, None)
            if following is None:
                done[path] = True
                result.append(path)
                trail.pop()
            elif following not in done:
                done[following] = False
                trail.append((following, iter(after[following])))
            elif not done[following]:
                names = [step for step, _ in trail]
                raise CircularReference([*names[names.index(following) :], following])
    return tuple(result)
