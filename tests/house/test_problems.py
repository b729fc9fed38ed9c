"""One register of problems: each has a code, a paragraph in docs/problems.md, and words in both languages."""

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import evaluator_export
import fieldapp
import forms
import sync
from evaluator_export.problems import SENTENCES, Reason
from fieldapp.services.problems import ActProblem
from fieldapp.services.stored_problems import StoredProblem
from forms.expressions.problems import ExpressionError
from forms.problems import AnswerProblem, FormProblem
from sync.problems import SyncProblem

ROOT = Path(__file__).parent.parent.parent
PACKAGES = (forms, sync, evaluator_export, fieldapp)
CODE = re.compile(r"[a-z_0-9]+\.[a-z_0-9]+")
PROBLEMS = {
    one.__name__ for one in (ActProblem, AnswerProblem, ExpressionError, FormProblem, Reason, StoredProblem, SyncProblem)
}

# Errors without a code of their own, and why no reader meets an English sentence of theirs.
WITHOUT_CODE = {
    # they carry problems that have codes
    "AreasRefused", "BatchRefused", "ExportProblem", "FormRefused", "InstanceRefused", "DeliveryFailed",
    # they are caught, and something with a code is said instead
    "CircularReference", "KeyUnavailable", "_ChainFault", "_Unusable", "LeaseLost", "Overtaken", "TooAmbiguous", "TooFine", "TooSlow", "XlsxUnreadable",
    # the command line speaks English
    "BackupProblem", "Busy", "CannotOpen", "CopyProblem", "KeyMissing", "KeyProblem", "NewerKey", "RowProblem", "SettingsProblem", "StoreProblem",
    # a programmer meets it, when the module is loaded
    "ClearText", "IncompleteType",
    # programs read OData, and its errors are in English
    "QueryRefused",
}  # fmt: skip
# What is passed on: who made it has been looked at where it was made.
PASSED_ON = {
    ("fieldapp/services/stored_problems.py", "StoredProblem"),
    ("fieldapp/web/odata/views.py", "ActProblem"),  # programs read it, in English
}


def load_modules() -> None:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)


@functools.cache
def trees() -> list[tuple[str, ast.Module]]:
    paths = [path for package in PACKAGES for path in sorted(Path(package.__path__[0]).rglob("*.py"))]
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in paths]


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def is_marked(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and name_of(node.func) == "N_"


def codes_in(tree: ast.Module) -> set[str]:
    """Return the codes of a module: what stands first in a problem, and what stands before words that are marked."""
    codes = set()
    for node in ast.walk(tree):
        parts = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        is_problem = isinstance(node, ast.Call) and name_of(node.func) in PROBLEMS
        for place, part in enumerate(parts):
            is_code = isinstance(part, ast.Constant) and isinstance(part.value, str) and CODE.fullmatch(part.value)
            is_first = is_problem and place == 0
            if is_code and (is_first or (place + 1 < len(parts) and is_marked(parts[place + 1]))):
                codes.add(part.value)
    return codes


def all_codes() -> set[str]:
    return set(SENTENCES).union(*(codes_in(tree) for _, tree in trees()))


@pytest.mark.slow
def test_every_error_has_a_code_or_says_here_why_it_needs_none() -> None:
    load_modules()
    prefixes = tuple(f"{package.__name__}." for package in PACKAGES)
    for module in [module for name, module in sys.modules.items() if name.startswith(prefixes)]:
        for name, one in inspect.getmembers(module, inspect.isclass):
            if issubclass(one, Exception) and one.__module__ == module.__name__:
                has_code = issubclass(one, ActProblem | ExpressionError)
                assert has_code or name in WITHOUT_CODE, f"{module.__name__}.{name}"


@pytest.mark.slow
def test_every_code_is_in_the_document_and_the_document_has_no_other() -> None:
    page = (ROOT / "docs/problems.md").read_text()
    codes = all_codes()
    missing = sorted(code for code in codes if f"`{code}`" not in page)
    assert not missing
    subjects = {code.split(".")[0] for code in codes}
    named = {code for code in re.findall(r"`([a-z_0-9]+\.[a-z_0-9]+)`", page) if code.split(".")[0] in subjects}
    strings = {
        node.value
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(named - codes - strings) == []


def test_the_list_of_reasons_is_written_from_the_register() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    problems_page = importlib.import_module("problems_page")
    page = (ROOT / "docs/problems.md").read_text()
    assert problems_page.write_page(page) == page, "run make translations"


@pytest.mark.slow
def test_no_problem_has_a_sentence_that_cannot_be_translated() -> None:
    """A text is marked where it is written: never put together, and never plain English."""
    for path, tree in trees():
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            assigned = assignments_in(function)
            for node in ast.walk(function):
                if not (isinstance(node, ast.Call) and name_of(node.func) in PROBLEMS - {"Reason"}):
                    continue
                is_unpacked = any(isinstance(part, ast.Starred) for part in node.args)  # of a marked pair: see codes_in
                if len(node.args) < 2 or is_unpacked or (path, name_of(node.func)) in PASSED_ON:
                    continue
                text = node.args[1]
                options = assigned.get(text.id, []) if isinstance(text, ast.Name) else [text]
                for option in options:
                    is_plain = isinstance(option, ast.Constant | ast.JoinedStr | ast.BinOp)
                    assert not is_plain, f"{path}:{node.lineno} {ast.unparse(node)}"


def assignments_in(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """Return what each name of a function is set to, in order."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found.setdefault(node.target.id, []).append(node.value)
    return found


def test_every_sentence_of_the_register_has_french_and_keeps_its_details() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    catalogues = importlib.import_module("catalogues")
    french = catalogues.read(catalogues.po("fr"))
    for code, sentence in SENTENCES.items():
        message = french.get(sentence)
        assert (message and message.string and message.string != sentence) or code == "package.check", code
        assert set(re.findall(r"\{\w+\}", str(message.string))) == set(re.findall(r"\{\w+\}", sentence)), code


def reasons() -> Iterator[tuple[str, str, set[str]]]:
    """Yield where a reason is given, its code, and the names of its details, where both are written out."""
    for path, tree in trees():
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            assigned = assignments_in(function)
            for node in ast.walk(function):
                if not (isinstance(node, ast.Call) and name_of(node.func) in ("Reason", "refuse") and node.args):
                    continue
                code, given = node.args[0], node.args[1] if len(node.args) > 1 else None
                if isinstance(given, ast.Name):
                    before = [one for one in assigned.get(given.id, []) if one.lineno <= node.lineno]
                    given = before[-1] if before else None
                names = (
                    {key.value for key in given.keys if isinstance(key, ast.Constant)}
                    if isinstance(given, ast.Dict)
                    else set()
                )
                if isinstance(code, ast.Constant) and code.value in SENTENCES:
                    yield f"{path}:{node.lineno}", code.value, {str(name) for name in names}


@pytest.mark.slow
def test_every_reason_fills_in_its_sentence() -> None:
    given = set()
    for where, code, names in reasons():
        given.add(code)
        assert names == set(re.findall(r"\{(\w+)\}", SENTENCES[code])), where
    by_calendar = {code for code in SENTENCES if code.startswith("period.not_")}
    assert set(SENTENCES) - given - by_calendar == set(), "a sentence that nothing says"


@pytest.mark.parametrize(
    ("reason", "english"),
    [
        (
            Reason("policy.k_floor", {"k": 2, "least": 3}, ("visits", "model")),
            "visits: model: k is 2; it may never be under 3.",
        ),
        (Reason("partner.empty", {"column": "unit"}, (4,)), "Row 4: unit is empty."),
        (Reason("table.ways", {"most": 2_000_000}), "There are more than 2,000,000 ways to make"),
        (Reason("table.confidence", {"file": "a.csv", "column": "b", "share": 0.925}), "away: 92.5% of its rows have it."),
    ],
)
def test_a_reason_says_where_it_is_and_how_much(reason: Reason, english: str) -> None:
    assert english in str(reason)
