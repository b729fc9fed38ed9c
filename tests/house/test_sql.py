"""SQL stands in the store, whichever way somebody writes it: import contracts see modules, this sees the text."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
APPLICATION = ROOT / "fieldapp"
# The pure packages need no such look: they import nothing that could run a query.
PARTS = sorted(
    path.name for path in APPLICATION.iterdir() if path.name != "store" and (path.is_dir() or path.suffix == ".py")
)
# What runs or builds a query; rows are added and deleted as objects, which needs none of these.
QUERYING = {"exec_driver_sql", "execute", "executemany", "executescript", "query", "scalar", "scalars", "select", "text"}
STATEMENT = re.compile(
    r"\s*(select .+ from|select 1|insert into|update \w+ set|delete from|pragma|(truncate|drop|alter) (table|schema|index)) ",
    re.I,
)


def find_sql(source: str) -> Iterator[str]:
    """Yield line and reason for everything in a module's text that speaks SQL."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in QUERYING:
            yield f"{node.lineno}: .{node.func.attr}("
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in QUERYING:
            yield f"{node.lineno}: {node.func.id}("
        if isinstance(node, ast.Attribute) and node.attr == "sa":
            yield f"{node.lineno}: SQLAlchemy taken from a module of the store"
        if isinstance(node, ast.alias) and node.name == "sa":
            yield f"{node.lineno}: SQLAlchemy imported from a module of the store"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(f"{node.value} "):
            yield f"{node.lineno}: {node.value[:40]}"


@pytest.mark.parametrize("part", PARTS)
def test_no_sql_is_written_or_run_outside_the_store(part: str) -> None:
    for path in APPLICATION.glob(f"{part}/**/*.py" if (APPLICATION / part).is_dir() else part):
        assert not list(find_sql(path.read_text())), path


@pytest.mark.parametrize(
    "line",
    [
        "ctx.session.execute(statement)",
        "session.connection().exec_driver_sql('x')",
        "session.scalars(records.sa.select(1))",
        "text('x')",
        "statement = 'DELETE FROM record'",
        "statement = 'select id from record where id = 1'",
        "from fieldapp.store.records.records import sa",
        "rows = session.query(Record)",
    ],
)
def test_every_way_of_writing_it_is_found(line: str) -> None:
    assert list(find_sql(line))


@pytest.mark.parametrize("line", ["'Select a form and drop it here'", "session.add(Record())", "'Update the record'"])
def test_what_only_looks_like_it_is_left_alone(line: str) -> None:
    assert not list(find_sql(line))
