"""Each import contract guards what its name says: a planted violation breaks it, also in a folder made today."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("forms", "sync", "evaluator_export", "fieldapp")
DOWN = "The application imports the pure packages, never the other way round"
INSIDE = "Inside the application: commands and web, then services, then store"
PURE = "The pure packages know no Flask, SQL, scheduler or network"
SQL = "Only the store speaks SQL"
PAGES = "Each audience's pages are independent of the others'"
OFFICE = "Each subject of the office is independent of the others"
SERVICES = "Which subject of the services uses which"
STORE = "Which subject of the store uses which"
CIRCLES = "No circles"

# Contract, the file to which a line is added (or which is made), the line.
VIOLATIONS = [
    (DOWN, "forms/answers.py", "import fieldapp.settings"),
    (DOWN, "forms/brand_new/part.py", "import sync.fold"),
    (DOWN, "sync/fold.py", "import evaluator_export.periods"),
    (INSIDE, "fieldapp/services/disk.py", "import fieldapp.web.language"),
    (INSIDE, "fieldapp/services/brand_new/part.py", "import fieldapp.jobs.runner"),
    (INSIDE, "fieldapp/store/base.py", "import fieldapp.services.disk"),
    (INSIDE, "fieldapp/brand_new/part.py", ""),
    (PURE, "forms/brand_new/part.py", "import flask"),
    (PURE, "evaluator_export/brand_new/part.py", "import sqlite3"),
    (PURE, "sync/fold.py", "from sqlalchemy import select"),
    (SQL, "fieldapp/services/disk.py", "from sqlalchemy import select"),
    (SQL, "fieldapp/services/brand_new/part.py", "from sqlalchemy.orm import Session"),
    (SQL, "fieldapp/jobs/runner.py", "import sqlalchemy"),
    (SQL, "fieldapp/web/public/views.py", "from sqlalchemy import select"),
    (SQL, "fieldapp/web/collect/views.py", "import sqlite3"),
    (SQL, "fieldapp/web/brand_new/part.py", "import psycopg"),
    (SQL, "fieldapp/cli/doctor.py", "from flask_sqlalchemy import SQLAlchemy"),
    (PAGES, "fieldapp/web/collect/views.py", "import fieldapp.web.phone.sync"),
    (PAGES, "fieldapp/web/formats.py", "import fieldapp.web.office.blueprint"),
    (PAGES, "fieldapp/web/brand_new/part.py", ""),
    (OFFICE, "fieldapp/web/office/board/views.py", "import fieldapp.web.office.people.views"),
    (OFFICE, "fieldapp/web/office/brand_new/part.py", ""),
    (SERVICES, "fieldapp/services/people/accounts.py", "import fieldapp.services.releases.downloads"),
    (SERVICES, "fieldapp/services/board/board.py", "from fieldapp.services.releases import datasets"),
    (SERVICES, "fieldapp/services/acts.py", "import fieldapp.services.people.accounts"),
    (SERVICES, "fieldapp/services/brand_new/part.py", ""),
    (STORE, "fieldapp/store/people/users.py", "import fieldapp.store.records.records"),
    (STORE, "fieldapp/store/base.py", "import fieldapp.store.people.users"),
    (STORE, "fieldapp/store/brand_new/part.py", ""),
    (CIRCLES, "forms/answers.py", "import forms.xlsform"),
    (CIRCLES, "fieldapp/services/problems.py", "import fieldapp.services.releases.build"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what the contracts look at."""
    copy = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    shutil.copyfile(ROOT / "pyproject.toml", copy / "pyproject.toml")
    return copy


def run_linter(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    return subprocess.run(
        [*command, "--config", "pyproject.toml", "--no-cache", "--no-logo"],
        cwd=tree, capture_output=True, text=True, env={"PYTHONPATH": str(tree), "PATH": "", "COLUMNS": "200"},
    )  # fmt: skip


def broken_contracts(tree: Path) -> set[str]:
    """Run the linter over a tree and return the names of the contracts that it breaks."""
    ran = run_linter(tree)
    lines = " ".join(ran.stdout.split())
    assert "Contracts: " in lines, ran.stdout + ran.stderr
    return {name for name in contracts() if f"{name} BROKEN" in lines}


def contracts() -> list[str]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return [contract["name"] for contract in config["contracts"]]


def test_every_contract_has_a_violation_here() -> None:
    assert {name for name, _, _ in VIOLATIONS} == set(contracts())


@pytest.mark.slow
def test_the_tree_as_it_is_breaks_none(tree: Path) -> None:
    assert not broken_contracts(tree)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file", "line"), VIOLATIONS)
def test_a_planted_violation_breaks_the_contract(tree: Path, name: str, file: str, line: str) -> None:
    path = tree / file
    text = path.read_text() if path.exists() else None
    is_new_folder = not path.parent.exists()
    path.parent.mkdir(exist_ok=True)
    if is_new_folder:
        (path.parent / "__init__.py").touch()
    path.write_text(f"{text or ''}\n{line}\n")
    try:
        assert name in broken_contracts(tree)
    finally:
        if text is None:
            shutil.rmtree(path.parent)
        else:
            path.write_text(text)


@pytest.mark.slow
def test_a_use_that_is_allowed_and_not_made_any_more_has_to_go(tree: Path) -> None:
    """Else the list of who uses what would say what once was, and let it come back unseen."""
    config = tree / "pyproject.toml"
    text = config.read_text()
    listed = '"fieldapp.services.board.** -> fieldapp.services.forms.**",'
    assert text.count(listed) == 1
    unused = '"fieldapp.services.board.** -> fieldapp.services.people.**"'
    config.write_text(text.replace(listed, f"{listed} {unused},"))
    try:
        ran = run_linter(tree)
    finally:
        config.write_text(text)
    assert ran.returncode != 0
    assert "fieldapp.services.board.** -> fieldapp.services.people.**" in ran.stdout + ran.stderr
