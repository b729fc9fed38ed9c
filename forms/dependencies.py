"""Which answer recalculates which: the order to compute in, and a refusal of circles."""

from collections.abc import Iterable

from forms.definition import Element
from forms.expressions import references
from forms.expressions.parser import Ast


class CircularReference(ValueError):
    """Questions that wait for each other; `paths` names the circle."""

    def __init__(self, paths: list[str]):
        super().__init__(" → ".join(paths))
        self.paths = paths


def absolute(reference: Ast, context: str) -> str:
    """Return the path of the element that a path expression means, seen from the element at `context`."""
    _, origin, steps = reference
    assert isinstance(steps, list)
    parts = [] if origin == "/" else context.split("/")[1:]
    for step in steps:
        if step[0] == "parent":
            parts = parts[:-1]
        elif step[0] == "child":
            parts = [*parts, step[1]]
    return "/" + "/".join(parts)


def reads_of(element: Element, known: Iterable[str]) -> tuple[str, ...]:
    """Return the paths whose change makes this element compute anew: what its expressions name, and its parent."""
    paths = set(known)
    found = {element.parent} if element.parent in paths else set()
    for ast in (element.relevant, element.calculate):
        for reference in references(ast) if ast else ():
            target = absolute(reference, element.path)
            if target != element.path:
                found.add(target)
                found.update(path for path in paths if path.startswith(target + "/") and path != element.path)
    found -= {path for path in found if path == element.path or path.startswith(element.path + "/")}
    return tuple(sorted(found & paths))


def order(reads: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the paths so that each comes after what it reads (iterative depth-first search)."""
    done: dict[str, bool] = {}
    result: list[str] = []
    for start, first in reads.items():
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
                trail.append((following, iter(reads[following])))
            elif not done[following]:
                names = [step for step, _ in trail]
                raise CircularReference([*names[names.index(following) :], following])
    return tuple(result)
