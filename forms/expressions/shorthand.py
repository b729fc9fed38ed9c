"""What XLSForms write short, written out at publish, so that evaluators need not know it.

- indexed-repeat(question, repeat, number, …) as the path that it stands for. Source: ODK XForms specification.
- jr:choice-name(${x}, '${x}'): pyxform writes the path of the question, with blanks, as seen from here.
- ${question} in a condition on a repeat, `count(${r}[${x} = 'y'])`: pyxform writes its whole path; meant, as in JavaRosa, is
  the question of the instance in hand.
"""

from dataclasses import replace

from forms.expressions.nodes import (
    Ast,
    Call,
    ChildStep,
    InList,
    Operation,
    Origin,
    ParentStep,
    Path,
    Step,
    TextLiteral,
    map_conditions,
    map_parts,
)
from forms.expressions.parser import parse
from forms.expressions.problems import ExpressionError
from forms.problems import N_


def write_out(ast: Ast, path: str) -> Ast:
    """Return an expression written out in full, as seen from the element at `path`.

    Example: indexed-repeat(/data/r/x, /data/r, 2) becomes /data/r[position() = 2]/x.
    Raises ExpressionError where it has no meaning.
    """
    match ast:
        case Path(InList(), _):
            # Inside a list, relative paths mean the row: only what is in brackets can speak of
            # questions.
            return map_parts(lambda part: write_out(part, path), ast)
        case Path():
            return _write_out_conditions(ast, path)
        case Call("jr:choice-name", (value, TextLiteral(question))):
            return Call("jr:choice-name", (write_out(value, path), TextLiteral(_write_out_question(question, path))))
        case Call("indexed-repeat", arguments):
            return _write_out_indexed_repeat(arguments, path)
        case _:
            return map_parts(lambda part: write_out(part, path), ast)


def _write_out_question(question: str, path: str) -> str:
    """Return the whole path of the question that jr:choice-name() names.

    pyxform writes such a path; any other text is returned as it is.
    """
    named = None
    if question.strip():
        # pyxform writes blanks around the path.
        named = parse(question.strip())
    if isinstance(named, Path):
        return make_absolute_path(named, path)
    return question


def _write_out_indexed_repeat(arguments: tuple[Ast, ...], path: str) -> Ast:
    question, *pairs = arguments
    repeats = pairs[::2]
    numbers = pairs[1::2]
    paths = [part for part in (question, *repeats) if isinstance(part, Path)]
    if len(repeats) != len(numbers) or len(paths) != 1 + len(repeats):
        text = N_("indexed-repeat() needs a question, then for each repeat around it the repeat and a number.")
        raise ExpressionError("expression.indexed_repeat", text)
    names = _list_names(paths[0], path)
    conditions: dict[int, tuple[Ast, ...]] = {}
    for repeat, number in zip(paths[1:], numbers, strict=True):
        parts = _list_names(repeat, path)
        if not parts or names[: len(parts)] != parts:
            text = N_("indexed-repeat(): the question is not in the repeat “{name}”.")
            name = ""
            if parts:
                name = parts[-1]
            raise ExpressionError("expression.indexed_repeat", text, name=name)
        # number(), since a text in brackets would be a condition that always holds, and not a
        # position.
        index = Call("number", (_from_question(write_out(number, path)),))
        condition = Operation("=", Call("position", ()), index)
        conditions[len(parts)] = (*conditions.get(len(parts), ()), condition)
    steps = [ChildStep(name, conditions.get(depth, ())) for depth, name in enumerate(names, 1)]
    return Path(Origin.ROOT, tuple(steps))


def _list_names(path: Path, context: str) -> list[str]:
    return make_absolute_path(path, context).split("/")[1:]


def _write_out_conditions(ast: Path, path: str) -> Path:
    """Return a path with whole paths in its conditions as seen from the node in hand."""
    steps: list[Step] = []
    walked: list[Step] = []
    for step in ast.steps:
        walked.append(_drop_conditions(step))
        names = _list_names(Path(ast.origin, tuple(walked)), path)
        steps.append(_write_out_step(step, path, names))
    return Path(ast.origin, tuple(steps))


def _write_out_step(step: Step, path: str, names: list[str]) -> Step:
    return map_conditions(lambda condition: _from_node(write_out(condition, path), names), step)


def _drop_conditions(step: Step) -> Step:
    """Return a step without its conditions."""
    return replace(step, conditions=())


def _from_node(ast: Ast, node_names: list[str]) -> Ast:
    """Return an expression whose paths through a node, given by its names, start at it."""
    if isinstance(ast, Path) and ast.origin == Origin.ROOT and len(node_names) > 1:
        names = [_get_plain_name(step) for step in ast.steps]
        # Only paths that go through the node itself; those elsewhere stay whole, since they mean
        # all instances.
        if len(names) > len(node_names) and names[: len(node_names)] == node_names:
            return Path(Origin.NODE, ast.steps[len(node_names) :])
    return map_parts(lambda part: _from_node(part, node_names), ast)


def _get_plain_name(step: Step) -> str:
    """Return the name of a step to a child without conditions; "" for any other step."""
    if isinstance(step, ChildStep) and not step.conditions:
        return step.name
    return ""


def make_absolute_path(ast: Path, context: str) -> str:
    """Return the path of the element that a path means, seen from the element at `context`.

    Conditions are left out.

    Example: ../x seen from /data/r/y is /data/r/x.
    """
    parts = []
    if ast.origin != Origin.ROOT:
        parts = context.split("/")[1:]
    for step in ast.steps:
        match step:
            case ChildStep(name):
                parts.append(name)
            case ParentStep():
                parts = parts[:-1]
    return "/" + "/".join(parts)


def _from_question(ast: Ast) -> Ast:
    # A relative path in the number is meant as seen from the question, and inside brackets it would
    # start at the instance.
    """Return an expression for a condition: its relative paths start at the question."""
    if isinstance(ast, Path) and ast.origin == Origin.NODE:
        return Path(Origin.QUESTION, ast.steps)
    return map_parts(_from_question, ast)
