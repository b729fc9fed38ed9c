"""Names of the program's forms (questions, groups, lists, forms), and where code says them."""

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parent.parent.parent
PROGRAM = ROOT / "fieldapp/program"
CODE = ("fieldapp", "sync", "evaluator_export", "forms")
# The list of roles, the same for phones; migrations say what was so when they were written; the demo makes records up.
EXEMPT = ("forms/roles.py", "client/src/engine/roles.ts", "fieldapp/store/migrations/", "fieldapp/cli/demo")
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Mention(NamedTuple):
    """A name that a file says, and on which line."""

    file: str
    line: int
    name: str


def list_names() -> set[str]:
    """Return the names of the program's forms, questions, groups and lists; of choices, those of two words."""
    names = set()
    for source in PROGRAM.glob("*.yaml"):
        body = yaml.safe_load(source.read_text(encoding="utf-8"))
        if isinstance(body, dict) and "form_id" in body:
            names.add(str(body["form_id"]))
            for page in body["pages"]:
                names.add(str(page.get("page") or page["repeat"]))
                names |= _list_questions(page.get("questions", []))
    names |= _list_questions(yaml.safe_load((PROGRAM / "consent.yaml").read_text(encoding="utf-8")))
    with (PROGRAM / "code_lists.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            names.add(row["list"])
            if "_" in row["name"]:
                names.add(row["name"])
    return names


def _list_questions(rows: list[dict[str, object]]) -> set[str]:
    return {str(row["name"]) for row in rows if "name" in row}


def find_mentions(names: set[str]) -> Iterator[Mention]:
    """Yield each place where code says one of the names: in a string, a template, or as a key."""
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from _find_in(path, _iterate_python(path), names)
        for path in sorted((ROOT / folder).rglob("*.html")):
            yield from _find_in(path, _iterate_template(path), names)
    for path in sorted((ROOT / "client/src").rglob("*.ts*")):
        if ".test." not in path.name:
            yield from _find_in(path, _iterate_typescript(path), names)


def _find_in(path: Path, texts: Iterator[tuple[int, str]], names: set[str]) -> Iterator[Mention]:
    file = str(path.relative_to(ROOT))
    if file.startswith(EXEMPT):
        return
    for line, text in texts:
        # A sentence is for people; what names something has no spaces, or stands between characters: data/nbhd, a.b.
        for word in re.split(r"[^\w]+", text) if re.fullmatch(r"[\w/.#$?=|{}()-]+", text) else [text]:
            if word in names:
                yield Mention(file, line, word)


def find_reads(names: set[str]) -> Iterator[Mention]:
    """Yield each place where code reads an answer by the name of its question, whatever else the name may mean.

    Example:
        answers["status"], answers.get("what"), answers.status, "when_where/hour"
    """
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from _keep_names(path, iterate_python_reads(path.read_text(encoding="utf-8"), names), names)
        for path in sorted((ROOT / folder).rglob("*.html")):
            yield from _keep_names(path, iterate_reads(path.read_text(encoding="utf-8")), names)
    for path in sorted((ROOT / "client/src").rglob("*.ts*")):
        if ".test." not in path.name:
            yield from _keep_names(path, iterate_reads(path.read_text(encoding="utf-8")), names)


def _keep_names(path: Path, found: Iterator[tuple[int, str]], names: set[str]) -> Iterator[Mention]:
    file = str(path.relative_to(ROOT))
    for line, name in found:
        if name in names and not file.startswith(EXEMPT):
            yield Mention(file, line, name)


def iterate_python_reads(text: str, names: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the line and the key of each answer that Python reads, and each path of which all parts are names."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Subscript(value=held, slice=ast.Constant(value=str(key))) if _is_answers(held):
                yield node.lineno, key
            case ast.Call(func=ast.Attribute(value=held, attr="get"), args=[ast.Constant(value=str(key)), *_]) if (
                _is_answers(held)
            ):
                yield node.lineno, key
            case ast.Constant(value=str(path)) if "/" in path and set(path.split("/")) <= names:
                yield node.lineno, path.rpartition("/")[2]


def _is_answers(node: ast.expr) -> bool:
    """Tell whether an expression is somebody's answers, by its name: answers, record.answers, answers["what"]."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return "answers" in (node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", ""))


def iterate_reads(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the key of each answer that a template or TypeScript reads."""
    for number, line in enumerate(text.splitlines(), 1):
        for dotted, quoted in re.findall(r"answers\??(?:\.(\w+)|(?:\?\.)?\[[\"'](\w+)[\"']\])", line):
            yield number, dotted or quoted


def _iterate_python(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = set()
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and node.body and isinstance(node.body[0], ast.Expr):
            documented.add(id(node.body[0].value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.lineno, node.value


def _iterate_template(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for code in re.findall(r"\{\{.*?\}\}|\{%.*?%\}", line):
            for text in re.findall(r"\"([^\"]*)\"|'([^']*)'|\.(\w+)", code):
                yield number, text[0] or text[1]


def _iterate_typescript(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.match(r"\s*(//|/?\*)|import ", line):
            continue
        for text in re.findall(r"\"([^\"]*)\"|`([^`]*)`|^\s*(\w+): \(", line):
            yield number, re.sub(r"\$\{[^}]*\}", "", text[0] or text[1] or text[2])
