"""What tests share stands in modules of its own, so that no test leans on another test's file."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_nobody_imports_from_a_test_module() -> None:
    for folder in ("tests", "bench", "tools", "fieldapp"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text()
            if "import" in text and "test_" in text:
                assert not imported_test_modules(text), path


def imported_test_modules(source: str) -> list[str]:
    """Return the modules called test_… that a text imports, or imports from."""
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            modules += [f"{node.module or ''}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
    return [module for module in modules if any(part.startswith("test_") for part in module.split(".")[:-1])]


def test_the_look_for_such_imports_finds_them() -> None:
    assert imported_test_modules("from tests.services.board.test_board import incident")
    assert imported_test_modules("import tests.forms.test_xlsform.x")
    assert not imported_test_modules("from tests.cast import make_cast")


def test_no_browser_test_waits_for_a_fixed_time() -> None:
    """They wait for what a user would see: a fixed time is too short on a busy machine and too long on every other."""
    fixed = ("wait_for_timeout", "setTimeout(done, ")
    texts = {path: path.read_text() for path in (ROOT / "tests" / "browser").rglob("*.py")}
    assert not [(path.name, word) for path, text in texts.items() for word in fixed if word in text]
