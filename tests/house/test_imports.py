"""Each name that a test module takes from another is there: one that is not would only show in the whole run."""

import ast
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent


@cache
def list_names(module: Path) -> frozenset[str]:
    """Return what a module defines or imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
    return frozenset(names)


def find_missing(text: str) -> list[str]:
    """Return the names that a module's text takes from tests' modules in vain."""
    missing = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("tests"):
            continue
        place = ROOT / str(node.module).replace(".", "/")
        source = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        names = list_names(source) if source.is_file() else frozenset()
        for alias in node.names:
            is_module = (place / alias.name).is_dir() or (place / f"{alias.name}.py").is_file()
            if alias.name not in names and not is_module:
                missing.append(f"{alias.name} from {node.module}")
    return missing


def test_a_name_that_is_not_there_is_found() -> None:
    text = "from tests.in_clear import everything, nobody_wrote_this\nfrom tests.house import test_imports\n"
    assert find_missing(text) == ["nobody_wrote_this from tests.in_clear"]


def test_what_a_test_takes_from_another_is_there() -> None:
    missing = {str(module.relative_to(ROOT)): find_missing(module.read_text()) for module in TESTS.rglob("*.py")}
    assert {name: names for name, names in missing.items() if names} == {}
