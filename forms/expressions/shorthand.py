"""What XLSForms write short, written out at publish, so that evaluators need not know it.

- indexed-repeat(question, repeat, number, …) as the path that it stands for. Source: ODK XForms specification.
- jr:choice-name(${x}, '${x}'): pyxform writes the path of the question, with blanks, as seen from here.
- ${question} in a condition on a repeat, `count(${r}[${x} = 'y'])`: pyxform writes its whole path; meant, as in JavaRosa, is
  the question of the instance in hand.
"""

from typing import Any

from forms.expressions.parser import Ast, parse
from forms.expressions.problems import ExpressionError
from forms.problems import N_


def write_out(ast: Any, path: str) -> Ast:
    """Return the AST with everything short written out, as seen from the element at `path`.

    indexed-repeat(/data/r/x, /data/r, 2) becomes /data/r[position() = 2]/x. Raise ExpressionError where it has no meaning.
    """
    if not isinstance(ast, list) or not ast:
        return ast
    if ast[0] == "path" and not isinstance(ast[1], list):
        return ["path", ast[1], _conditions(ast, path)]
    if ast[:2] == ["call", "jr:choice-name"] and ast[2][1][0] == "s":
        path_of = parse(ast[2][1][1].strip()) if ast[2][1][1].strip() else ["s", ""]
        named = make_absolute_path(path_of, path) if path_of[0] == "path" else ast[2][1][1]
        return ["call", "jr:choice-name", [write_out(ast[2][0], path), ["s", named]]]
    if ast[:2] != ["call", "indexed-repeat"]:
        return [write_out(part, path) if isinstance(part, list) else part for part in ast]
    wanted, *pairs = ast[2]
    if len(pairs) % 2 or any(one[0] != "path" for one in (wanted, *pairs[::2])):
        text = N_("indexed-repeat() needs a question, then for each repeat around it the repeat and a number.")
        raise ExpressionError("expression.indexed_repeat", text)
    steps: list[Any] = [["child", name] for name in make_absolute_path(wanted, path).split("/")[1:]]
    for repeat, number in zip(pairs[::2], pairs[1::2], strict=True):
        parts = make_absolute_path(repeat, path).split("/")[1:]
        if not parts or [step[1] for step in steps[: len(parts)]] != parts:
            text = N_("indexed-repeat(): the question does not stand in the repeat “{name}”.")
            raise ExpressionError("expression.indexed_repeat", text, name=parts[-1] if parts else "")
        index = _from_question(write_out(number, path))
        number_of = ["call", "number", [index]]
        steps[len(parts) - 1].append(["where", ["op", "=", ["call", "position", []], number_of]])
    return ["path", "/", steps]


def _conditions(ast: Any, path: str) -> list[Any]:
    """Return the steps of a path, with whole paths in their conditions as seen from the node in hand."""
    steps, walked = [], []
    for step in ast[2]:
        walked.append(step[:2] if step[0] == "child" else step[:1])
        plain = 2 if step[0] == "child" else 1
        here = make_absolute_path(["path", ast[1], walked], path).split("/")[1:]
        conditions = [["where", _from_node(write_out(condition[1], path), here)] for condition in step[plain:]]
        steps.append([*step[:plain], *conditions])
    return steps


def _from_node(ast: Any, here: list[str]) -> Any:
    """Return an AST in which whole paths through the node at `here` start at it."""
    if not isinstance(ast, list) or not ast:
        return ast
    if ast[0] == "path" and ast[1] == "/" and len(here) > 1:
        names = [step[1] if step[0] == "child" and len(step) == 2 else "" for step in ast[2]]
        if len(names) > len(here) and names[: len(here)] == here:
            return ["path", ".", ast[2][len(here) :]]
    return [_from_node(part, here) for part in ast]


def make_absolute_path(ast: Any, context: str) -> str:
    """Return the path of the element that a path means, seen from the element at `context`; conditions are left out."""
    _, origin, steps = ast
    parts = [] if origin == "/" else context.split("/")[1:]
    for step in steps:
        parts = [*parts, step[1]] if step[0] == "child" else parts[:-1] if step[0] == "parent" else parts
    return "/" + "/".join(parts)


def _from_question(ast: Any) -> Any:
    """Return an AST in which relative paths start at the question, for use within a condition."""
    if not isinstance(ast, list) or not ast:
        return ast
    if ast[0] == "path" and ast[1] == ".":
        return ["path", "current", ast[2]]
    return [_from_question(part) for part in ast]
