"""CONTRIBUTING's recipes work to the letter: each is followed in a copy of the checkout, with the code that stands in it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(r"^```\w+\n# (\S+\.\w+)(?: after ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("fieldapp", "forms", "sync", "evaluator_export", "tests", "tools", "translations", "pyproject.toml")


def blocks_of(recipe: str) -> list[tuple[str, str, str]]:
    """Return path, anchor ("" for none) and text of each block of a recipe."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    start = text.index(f"**{recipe}.**")
    end = re.search(r"^\*\*", text[start + 2 :], re.MULTILINE)
    assert end
    return BLOCK.findall(text[start : start + 2 + end.start()])


def follow(recipe: str, folder: Path) -> None:
    for path, anchor, text in blocks_of(recipe):
        target = folder / path
        if anchor:
            lines = target.read_text().splitlines(keepends=True)
            place = next(number for number, line in enumerate(lines, 1) if line.startswith(anchor))
            target.write_text("".join([*lines[:place], text, *lines[place:]]))
        elif target.exists():
            target.write_text(target.read_text().rstrip() + "\n" + text)
        else:
            target.write_text(text)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)  # with what is compiled already, which goes by the file's time
        else:
            shutil.copy(source, tmp_path / name)
    (tmp_path / "static").symlink_to(ROOT / "static")
    (tmp_path / "client").symlink_to(ROOT / "client")
    return tmp_path


def run(folder: Path, *command: str) -> str:
    """Run Python in the copy, whose packages come before those of the checkout."""
    code = "import runpy, sys; sys.path.insert(0, '.'); sys.argv = sys.argv[1:]; name = sys.argv[0]; "
    code += (
        "runpy.run_path(name, run_name='__main__') if name.endswith('.py') else runpy.run_module(name, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr  # whole: with CI set, pytest prints long differences first
    return done.stdout


def script(folder: Path, text: str) -> str:
    (folder / "tried.py").write_text(text)
    return run(folder, "tried.py")


ACT = """
import datetime as dt
from tests.cast import Cast
from sqlalchemy.orm import Session
import pytest, sqlalchemy as sa
from fieldapp.services.caseload.counting import count_cards
from fieldapp.services.problems import ActProblem
from fieldapp.store.operations.audit import AuditEvent


def test_it_works_and_leaves_its_line(session: Session, cast: Cast) -> None:
    assert count_cards(session, cast.rosa) == 0
    line = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "cards.count")).one()
    assert line.details == {"cards": 0}
    with pytest.raises(ActProblem):
        count_cards(session, cast.amina)
"""


@pytest.mark.slow
def test_the_recipe_for_an_act(checkout: Path) -> None:
    follow("An act", checkout)
    (checkout / "tests/services/caseload/test_counting.py").write_text(ACT)
    said = run(
        checkout, "pytest", "-q", "-n", "0", "tests/services/caseload/test_counting.py", "tests/services/test_walls.py",
        "tests/house/test_house.py", "-k", "counting or table_of_the_tests or right or every_act or audit or words",
    )  # fmt: skip
    assert "passed" in said


@pytest.mark.slow
@pytest.mark.parametrize("forgotten", ["access.py", "rights.py", "test_walls.py", "words.py"])
def test_a_step_of_the_recipe_for_an_act_that_is_left_out_is_noticed(checkout: Path, forgotten: str) -> None:
    before = {path: (checkout / path).read_text() for path, anchor, _ in blocks_of("An act") if anchor}
    follow("An act", checkout)
    (path,) = [path for path in before if path.endswith(forgotten)]
    (checkout / path).write_text(before[path])
    with pytest.raises(AssertionError, match=r"cards\.count|count_cards"):
        run(
            checkout, "pytest", "-q", "-x", "-n", "0", "tests/house/test_house.py", "tests/services/test_walls.py",
            "-k", "table_of_the_tests or right or every_act or audit or words",
        )  # fmt: skip


INDICATOR = """
from evaluator_export.datasets.recipe import Audience
from fieldapp.services.products.catalogue import load_kpis
from fieldapp.services.releases.datasets import load_table_menu
(kpi,) = [kpi for kpi in load_kpis() if kpi.id == "encounters_outside"]
assert list(kpi.tables) == ["encounters_by_setting"], kpi.tables
assert any(one["name"] == "encounters_by_setting" for one in load_table_menu())
print("well")
"""

DASHBOARD = """
import datetime as dt
from sqlalchemy.orm import Session
from fieldapp.services.products import editions, tables
from tests.cast import Cast, publish_others
from tests.services.products.figures import body_of, fill, switched_on, NOW


def test_it_stands_in_the_dashboard(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    switched_on(session, cast, "dashboard")
    fill(session, cast, 60, dt.date(2026, 4, 1), 60)
    tables.count_due_tables(session, cast.centre.id, NOW)
    editions.build_due(session, NOW)
    (shown,) = [one for one in body_of(session, cast, "dashboard", "2026-06")["indicators"] if one["id"] == "encounters_outside"]
    assert [number["value"] for number in shown["numbers"] if number["period"] == "2026-Q2"] == [60], shown
"""


@pytest.mark.slow
def test_the_recipe_for_an_indicator(checkout: Path) -> None:
    follow("An indicator", checkout)
    assert "well" in script(checkout, INDICATOR)
    (checkout / "tests/services/products/test_outside.py").write_text(DASHBOARD)
    run(checkout, "pytest", "-q", "-n", "0", "tests/services/products/test_outside.py", "-k", "sqlite")


TABLE = """
import datetime as dt, sys
import sqlalchemy as sa
from sqlalchemy.orm import Session
from fieldapp.store import migrations, tables
from fieldapp.store.caseload.visits import Visit
from fieldapp.store.database import engine_for
engine = engine_for("sqlite:///tried.db")
migrations.upgrade(engine)
assert migrations.is_current(engine) and "visit" in sa.inspect(engine).get_table_names()
assert "visit" in tables.metadata.tables
columns = {column["name"] for column in sa.inspect(engine).get_columns("visit")}
assert columns == {"id", "centre_id", "card_id", "visited_on"}, columns
migrations.downgrade(engine, "-1")
assert "visit" not in sa.inspect(engine).get_table_names()
migrations.upgrade(engine)
print("well")
"""


@pytest.mark.slow
def test_the_recipe_for_a_table(checkout: Path) -> None:
    follow("A table or column", checkout)
    versions = checkout / "fieldapp/store/migrations/versions"
    before = sorted(path.name for path in versions.glob("*.py"))
    run(checkout, "tools/migration.py", "visits of cards")
    (written,) = [path.name for path in versions.glob("*.py") if path.name not in before]
    assert written == f"{int(before[-1][:4]) + 1:04}_visits_of_cards.py"
    assert "well" in script(checkout, TABLE)
