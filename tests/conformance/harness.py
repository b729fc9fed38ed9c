"""Run vectors and filled forms through both evaluators: Python here, the phone's TypeScript in Node."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from forms import answers as tree
from forms.definition import Choice, CsvTable, Element, FormDefinition
from forms.expressions import Ast, DateValue, EvaluationContext, ExpressionError, evaluate, parse, to_string
from forms.expressions.nodes import write_json
from forms.expressions.shorthand import write_out
from forms.expressions.values import parse_date

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CLIENT = ROOT / "client"
NOW = "2026-03-08T12:34:56.789"
NODE = [sys.executable, str(ROOT / "tools/with_node.py"), "node"]


NO_VECTORS = {"goldens", "differences", "consent"}  # consent.json holds forms, not expressions


def all_vectors() -> list[dict[str, Any]]:
    """Return every vector of this folder, in the order of the goldens."""
    return [vector for path in sorted(HERE.glob("*.json")) if path.stem not in NO_VECTORS for vector in read(path)]


def read(path: Path) -> list[dict[str, Any]]:
    """Return the vectors in a file."""
    vectors: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return vectors


@cache
def built() -> Path:
    """Bundle the phone's engine for Node, once a run, and return the bundle."""
    subprocess.run([*NODE, str(CLIENT / "build.mjs"), "--tests"], check=True)
    return CLIENT / "build/test/runner.mjs"


def run_on_phone(given: dict[str, Any]) -> dict[str, Any]:
    """Run the phone's engine over vectors and filled forms."""
    done = subprocess.run([*NODE, str(built())], input=json.dumps(given), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def definition(vector: dict[str, Any]) -> FormDefinition:
    """Make the smallest form in which a vector's answers can stand."""
    types = dict(vector.get("types", {}))
    for name in vector.get("answers", {}):
        types.setdefault(name, "text")
    elements = []
    for path, kind in types.items():
        full = f"/data/{path}"
        type_, _, choices = kind.partition(" ")
        is_question = kind not in ("repeat", "group")
        elements.append(
            Element(
                path=full,
                name=path.rsplit("/", 1)[-1],
                kind="question" if is_question else kind,
                type=type_ if is_question else "",
                parent=full.rsplit("/", 1)[0],
                choices=choices,
            )
        )
    choices = {
        name: tuple(
            Choice(row["name"], {"en": row.get("label", "")}, {k: v for k, v in row.items() if k not in ("name", "label")})
            for row in rows
        )
        for name, rows in vector.get("choices", {}).items()
    }
    tables = {
        name: CsvTable(tuple(rows[0]), tuple(tuple(row.values()) for row in rows))
        for name, rows in vector.get("tables", {}).items()
    }
    return FormDefinition("v", "1", {}, ("en",), "", tuple(elements), {"": (Choice("x", {}),)} | choices, (), {}, tables)


def plain(expression: str) -> str:
    """Write ${a} as /data/a, as pyxform does."""
    return re.sub(r"\$\{([\w/]+)\}", r" /data/\1 ", expression)


def compiled(vector: dict[str, Any]) -> Ast:
    """Return the AST of a vector's expression; raise ExpressionError."""
    return write_out(parse(plain(vector["expression"])), re.sub(r":\d+", "", vector.get("at", "/data")))


def typed(value: Any) -> list[str]:
    kind = value.kind if isinstance(value, DateValue) else {bool: "boolean", float: "number", str: "string"}[type(value)]
    return [kind, to_string(value)]


def moment(vector: dict[str, Any]) -> DateValue:
    now = parse_date(vector.get("now", NOW))
    assert now
    return DateValue(now.days, "dateTime")


def on_server(vector: dict[str, Any]) -> list[str]:
    """Return type and text of a vector's value; ["error", code] when the compiler refuses it."""
    try:
        ast = compiled(vector)
    except ExpressionError as error:
        return ["error", error.code]
    form = definition(vector)
    root, _ = tree.build_tree(form, vector.get("answers", {}))
    node = root
    for part in vector.get("at", "/data").split("/")[2:]:
        name, _, index = part.partition(":")
        node = node.children_named(name)[int(index or 0)]
    return typed(evaluate(ast, EvaluationContext(root, node, moment(vector), form.lists)))


def on_phone(vectors: list[dict[str, Any]]) -> list[list[str]]:
    """Return the same for many vectors, from the phone's evaluator; what the compiler refuses never reaches it."""
    given, results = [], list[list[str]]()
    for vector in vectors:
        try:
            ast = compiled(vector)
        except ExpressionError as error:
            results.append(["error", error.code])
            continue
        results.append([])
        given.append(
            {
                "ast": write_json(ast),
                "definition": json.loads(definition(vector).to_json()),
                "answers": vector.get("answers", {}),
                "at": vector.get("at", "/data"),
                "now": vector.get("now", NOW),
            }
        )
    found = iter(run_on_phone({"vectors": given, "forms": [], "definitions": []})["vectors"])
    return [result or next(found) for result in results]


def expected(vector: dict[str, Any]) -> list[str]:
    return ["error", vector["error"]] if "error" in vector else list(vector["expected"])


def differs(vector: dict[str, Any], golden: list[str]) -> bool:
    """Return whether another engine answers otherwise; where it has no answer, or the clock is asked, it does not."""
    ours = expected(vector)
    if ours[0] == "error" or golden[0] == "error" or re.search(r"today\(\)|now\(\)|random\(\)|uuid\(", vector["expression"]):
        return False
    mine, theirs = ours[1], golden[1]
    if ours[0] in ("date", "dateTime"):
        return not theirs.startswith(mine[:10])
    try:
        a, b = float(mine), float(theirs)
    except ValueError:
        return mine != theirs
    return not (a == b or (a != a and b != b) or abs(a - b) <= 1e-9 * max(abs(a), abs(b)))
