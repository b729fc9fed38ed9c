"""Find which answers an expression reads, and the order in which a form computes them.

Questions that wait for each other in a circle are refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from forms.definition import Element
from forms.expressions.nodes import AnyChildStep, Ast, ChildStep, Origin, ParentStep, Path, SelfStep, list_parts

Read = tuple[str, int]  # the path that is read; how many of its first parts are the same instance as the reader's


class CircularReference(ValueError):
    """Questions that wait for each other; `paths` names the circle."""

    def __init__(self, paths: list[str]):
        super().__init__(" → ".join(paths))
        self.paths = paths


def find_references(ast: Ast, element: str, children: dict[str, list[Element]]) -> Iterator[Read]:
    """Yield each path that an expression reads, with how many names are the same instance.

    `../x` seen from /data/r/y is /data/r/x in the same instance of r: ("/data/r/x", 2). `sum(/data/r/x)` is
    ("/data/r/x", 1): only the root is shared, so every instance counts. A plain `.` reads nothing: it is the value held.
    """
    place = _Place(tuple(element.split("/")[1:]), element.count("/"))
    yield from _find_reads(ast, _Reader(place, children), place)


@dataclass(frozen=True)
class _Place:
    """How far a path has been followed.

    The names from the root (None in a list), and how many of them the reader shares.
    """

    names: tuple[str, ...] | None
    scope: int

    @property
    def path(self) -> str:
        """Return the path of the element; asked only where its names are known."""
        return "/" + "/".join(self.names or ())

    def to_child(self, name: str) -> "_Place":
        """Return the place of a child; a place in a list stays in it."""
        if self.names is None:
            return self
        return _Place((*self.names, name), self.scope)

    def to_parent(self) -> "_Place":
        """Return the place of the parent; above a repeat fewer names are shared."""
        if self.names is None:
            return self
        names = self.names[:-1]
        # Above a repeat an instance is no longer known: all of its instances are meant.
        return _Place(names, min(self.scope, len(names)))


@dataclass(frozen=True)
class _Reader:
    """The element whose expression it is, and the elements of the form by their parents."""

    place: _Place
    children: dict[str, list[Element]]

    def list_children(self, place: _Place) -> list[_Place]:
        """Return the places of all children of an element."""
        elements = self.children.get(place.path, ())
        return [_Place(tuple(element.path.split("/")[1:]), place.scope) for element in elements]


def _find_reads(ast: Ast, reader: _Reader, place: _Place) -> Iterator[Read]:
    """Yield each path that an expression reads, with how many names the reader shares.

    `place` is the node in hand, another one within conditions.
    """
    if isinstance(ast, Path):
        yield from _find_path_reads(ast, reader, place)
        return
    for part in list_parts(ast):
        yield from _find_reads(part, reader, place)


def _find_path_reads(path: Path, reader: _Reader, start: _Place) -> Iterator[Read]:
    place = _begin(path, reader, start)
    steps = path.steps
    if path.origin == Origin.ROOT:
        # The first name of a whole path is the root itself, which is in the place already.
        steps = path.steps[1:]
    for step in steps:
        reached = [place]
        match step:
            case ChildStep(name):
                place = place.to_child(name)
                reached = [place]
            case ParentStep():
                place = place.to_parent()
                reached = [place]
            # In a list there are no elements to go through.
            case AnyChildStep() if place.names is not None:
                reached = reader.list_children(place)
                for child in reached:
                    yield child.path, child.scope
        for condition in step.conditions:
            # A step to nothing may still have conditions that read answers.
            for node in reached or [_Place(None, place.scope)]:
                yield from _find_reads(condition, reader, _Place(node.names, place.scope))
    # A full stop reads what is being answered: no other question, so it waits for nothing.
    is_own_value = path.origin != Origin.ROOT and all(step == SelfStep() for step in steps)
    if place.names is not None and not is_own_value:
        yield place.path, place.scope


def _begin(path: Path, reader: _Reader, place: _Place) -> _Place:
    """Return where a path begins."""
    if path.origin == Origin.ROOT:
        name = "data"
        for step in path.steps[:1]:
            if isinstance(step, ChildStep):
                name = step.name
        return _Place((name,), 1)
    if path.origin == Origin.QUESTION:
        return reader.place
    if path.origin == Origin.NODE:
        return place
    return _Place(None, place.scope)  # in a list: only its conditions read answers


def list_controlling_expressions(element: Element) -> list[Ast]:
    """Return the expressions that decide about an element while a form is filled in."""
    return [ast for ast in (element.relevant, element.calculate, element.count) if ast]


def find_element_reads(element: Element, children: dict[str, list[Element]]) -> set[Read]:
    """Return what makes this element compute again: what its expressions read, and its parent."""
    reads: set[Read] = set()
    for ast in list_controlling_expressions(element):
        reads.update(find_references(ast, element.path, children))
    # A group that is not asked hides all that is in it; the root is always there.
    if element.parent != "/data":
        reads.add((element.parent, element.parent.count("/")))
    return reads


def order_calculations(elements: tuple[Element, ...], children: dict[str, list[Element]]) -> tuple[str, ...]:
    """Return the paths so that each comes after what it reads (iterative depth-first search).

    Raise CircularReference. A question may read itself in other instances of its repeat (a running total).
    """
    paths = {element.path for element in elements}
    after: dict[str, list[str]] = {}
    for element in elements:
        depth = element.path.count("/")
        reads = find_element_reads(element, children)
        # In the same instance it would wait for itself; in the others it is a running total.
        if (element.path, depth) in reads:
            raise CircularReference([element.path, element.path])
        # Sorted, so that one form gives one order, and with it one hash.
        after[element.path] = sorted({path for path, _ in reads if path in paths and path != element.path})
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
                # On the trail and not done: we have come back to where we are. The circle is the
                # trail from there on.
                names = [step for step, _ in trail]
                raise CircularReference([*names[names.index(following) :], following])
    return tuple(result)
