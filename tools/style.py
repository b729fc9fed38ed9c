"""Count what makes code slow to read, and let no count grow: `python tools/style.py`, or `--lower` after a clean-up.

ruff holds what it has rules for. These rules it has not. tools/style_baseline.json holds how often each is still broken,
by folder; a count above it fails, and so does one below it until the baseline is lowered, so that it can only shrink.
"""

import ast
import functools
import gc
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "tools" / "style_baseline.json"
PACKAGES = ("evaluator_export", "fieldapp", "forms", "sync")
BANNED_NAMES = frozenset(
    {"one", "found", "known", "given", "wanted", "kept", "made", "held", "told", "said", "had", "shown", "mine", "here"}
)
BANNED_WORDS = re.compile(r"\b(signs|anew|whoever|whom it may|shall|cellar|halls?|front door|doors)\b", re.IGNORECASE)
DOCSTRING_WIDTH = 88
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

# Of each package in 1,000 lines of product code, as in the densest of the projects that we compare with.
CEILINGS = {
    "all nested comprehensions": 1.3,
    "all assignments in expressions": 1.5,
    "all conditional expressions": 9.3,
    "all tuple assignments": 1.8,
}

RULES = {
    "name": "a name that says nothing (one, found, known, …): name the thing",
    "nested comprehension": "a comprehension in a comprehension, or with two `for`: write a loop or a function",
    "assignment in expression": "`:=` outside the test of `while` and `if`: write a line before it",
    "nested conditional": "a conditional expression in another, or two on one line: write if and else",
    "tuple assignment": "two or more values assigned in one line: write a line each (swaps and unpacking are fine)",
    "docstring width": f"the first line of a docstring is longer than {DOCSTRING_WIDTH} characters",
    "docstring words": "a docstring uses a word that docs/words.md refuses (signs, anew, shall, doors, …)",
    "class name": "a class name that another module of the product has too",
    **{measure: f"more than {ceiling} in 1,000 lines of the package" for measure, ceiling in CEILINGS.items()},
}


def read_sources() -> dict[str, str]:
    """Return the text of each module of the product, by its path; migrations are left out."""
    sources = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "migrations/versions" not in name:
                sources[name] = path.read_text(encoding="utf-8")
    return sources


@functools.cache
def list_nodes(tree: ast.Module) -> list[ast.AST]:
    """Return all nodes of a module; every rule reads them, and walking is most of what the rules cost."""
    return list(ast.walk(tree))


def find_breaches(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each breach in a module: its rule and its line."""
    yield from _find_banned_names(tree)
    yield from _find_dense_expressions(tree)
    yield from _find_docstrings(tree)


def _find_banned_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in list_nodes(tree):
        if isinstance(node, ast.arg) and node.arg in BANNED_NAMES:
            yield "name", node.lineno
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in BANNED_NAMES:
            yield "name", node.lineno


def _find_dense_expressions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    in_tests = {
        id(part)
        for node in list_nodes(tree)
        if isinstance(node, ast.If | ast.While)
        for part in ast.walk(node.test)
        if isinstance(part, ast.NamedExpr)
    }
    conditionals_on_line: Counter[int] = Counter()
    for node in list_nodes(tree):
        if isinstance(node, COMPREHENSIONS) and (len(node.generators) > 1 or _has_inner(node, COMPREHENSIONS)):
            yield "nested comprehension", node.lineno
        if isinstance(node, ast.NamedExpr) and id(node) not in in_tests:
            yield "assignment in expression", node.lineno
        if isinstance(node, ast.IfExp):
            conditionals_on_line[node.lineno] += 1
            if _has_inner(node, (ast.IfExp,)):
                yield "nested conditional", node.lineno
        if isinstance(node, ast.Assign) and _assigns_several_values(node):
            yield "tuple assignment", node.lineno
    for line, count in conditionals_on_line.items():
        if count > 1:
            yield "nested conditional", line


def _has_inner(node: ast.AST, kinds: tuple[type[ast.AST], ...]) -> bool:
    return any(isinstance(part, kinds) for part in ast.walk(node) if part is not node)


def _assigns_several_values(node: ast.Assign) -> bool:
    target = node.targets[0]
    if not isinstance(target, ast.Tuple) or not isinstance(node.value, ast.Tuple):
        return False
    before = {ast.unparse(part) for part in target.elts}
    is_swap = before == {ast.unparse(part) for part in node.value.elts}
    return not is_swap


def _find_docstrings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in list_nodes(tree):
        if not isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)):
            continue
        text = ast.get_docstring(node)
        if not text:
            continue
        line = getattr(node, "lineno", 1)
        if len(text.splitlines()[0]) > DOCSTRING_WIDTH:
            yield "docstring width", line
        for _ in BANNED_WORDS.findall(text):
            yield "docstring words", line


def find_repeated_classes(modules: dict[str, ast.Module]) -> Iterator[tuple[str, str, int]]:
    """Yield (module, class, line) of each class whose name an earlier module has too."""
    first: dict[str, str] = {}
    for name, tree in modules.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and first.setdefault(node.name, name) != name:
                yield name, node.name, node.lineno


def count_dense(tree: ast.Module) -> Counter[str]:
    """Return how often a module has each measure of CEILINGS, allowed places included."""
    counts: Counter[str] = Counter()
    for node in list_nodes(tree):
        if isinstance(node, COMPREHENSIONS):
            counts["all nested comprehensions"] += len(node.generators) > 1 or _has_inner(node, COMPREHENSIONS)
        elif isinstance(node, ast.NamedExpr):
            counts["all assignments in expressions"] += 1
        elif isinstance(node, ast.IfExp):
            counts["all conditional expressions"] += 1
        elif isinstance(node, ast.Assign):
            is_tuple = isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple)
            counts["all tuple assignments"] += is_tuple
    return counts


def count_over_ceilings(sources: dict[str, str], modules: dict[str, ast.Module]) -> dict[str, dict[str, int]]:
    """Return, for each measure, the counts of the packages that are above its ceiling.

    Counts and not shares: a package that the baseline lets be above may grow, but not in what is dense.
    """
    lines: Counter[str] = Counter()
    dense: dict[str, Counter[str]] = {package: Counter() for package in PACKAGES}
    for name, source in sources.items():
        package = name.split("/", maxsplit=1)[0]
        lines[package] += len(source.splitlines())
        dense[package] += count_dense(modules[name])
    over: dict[str, dict[str, int]] = {measure: {} for measure in CEILINGS}
    for package, counts in dense.items():
        for measure, ceiling in CEILINGS.items():
            if counts[measure] * 1000 > ceiling * lines[package]:
                over[measure][package] = counts[measure]
    return over


def folder_of(name: str) -> str:
    """Return the folder that a module's count belongs to, at most three deep."""
    return "/".join(name.split("/")[:-1][:3])


def count_breaches(modules: dict[str, ast.Module]) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Return the counts by rule and folder, and a line for each breach: file, line, rule."""
    counts: dict[str, Counter[str]] = {rule: Counter() for rule in RULES}
    lines = []
    for name, tree in modules.items():
        for rule, line in find_breaches(tree):
            counts[rule][folder_of(name)] += 1
            lines.append(f"{name}:{line}: {rule}")
    for name, class_name, line in find_repeated_classes(modules):
        counts["class name"][folder_of(name)] += 1
        lines.append(f"{name}:{line}: class name {class_name}")
    return {rule: dict(sorted(folders.items())) for rule, folders in counts.items()}, lines


def compare_with_baseline(counts: dict[str, dict[str, int]], baseline: dict[str, dict[str, int]]) -> list[str]:
    """Return a sentence for each count that differs from the baseline; none when all are equal."""
    problems = []
    for rule, why in RULES.items():
        allowed = baseline.get(rule, {})
        counted = counts.get(rule, {})
        for folder in sorted({*allowed, *counted}):
            before = allowed.get(folder, 0)
            after = counted.get(folder, 0)
            if after > before:
                problems.append(f"{folder}: {after} instead of {before}: {why}")
            elif after < before:
                problems.append(
                    f"{folder}: {after} instead of {before}: fewer, well done. Run `make style-baseline`. ({rule})"
                )
    return problems


def main() -> int:
    sources = read_sources()
    modules = {name: ast.parse(source, name) for name, source in sources.items()}
    counts, lines = count_breaches(modules)
    counts |= count_over_ceilings(sources, modules)
    baseline = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    if "--list" in sys.argv:
        print("\n".join(lines))
        return 0
    problems = compare_with_baseline(counts, baseline)
    grown = [problem for problem in problems if "well done" not in problem]
    if "--lower" in sys.argv and not (grown and baseline):
        BASELINE.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    for problem in problems:
        print(problem)
    if problems:
        print("`python tools/style.py --list` names each place.")
    return 1 if problems else 0


if __name__ == "__main__":
    gc.disable()  # two million nodes that all stay: looking through them for garbage is half of the time
    sys.exit(main())
