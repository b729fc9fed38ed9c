"""`python -m evaluator_export deidentify`: any table, any policy; refused before anything is written, or safe."""

import copy
import csv
import functools
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator_export.__main__ import main
from evaluator_export.policy.hierarchies import Hierarchy
from evaluator_export.policy.hierarchy_reader import read_hierarchy
from evaluator_export.policy.policy_reader import parse_policy, read_policy
from evaluator_export.problems import ExportProblem
from tests.evaluator_export.arx import FIXTURES

POLICY = """
deid: 1
id: fixtures
model: {k: 5, l: {field: outcome, distinct: 2, max_confidence: 0.9}}
suppress: {max_rows: 0.05, max_group_rate: {field: race, ratio: 2.0, min_n: 50}}
fields:
  age: {role: qi, hierarchy: "file:age.csv", min: 1}
  gender: {role: qi, hierarchy: "file:gender.csv"}
  race: {role: qi, hierarchy: "file:race.csv", max: 1, weight: 3}
  cell: {role: qi, hierarchy: "file:cell.csv", min: 1}
  date: {role: qi, hierarchy: "date[month,quarter,half,year]"}
  kind: {role: qi, hierarchy: "file:kind.csv"}
  outcome: {role: sensitive}
"""
DATA = FIXTURES / "encounters_10k.parquet"


def policy_file(folder: Path, text: str = POLICY) -> Path:
    for hierarchy in (FIXTURES / "hierarchies").iterdir():
        (folder / hierarchy.name).write_bytes(hierarchy.read_bytes())
    path = folder / "policy.yaml"
    path.write_text(text)
    return path


def run(folder: Path, text: str = POLICY, data: Path = DATA, out: str = "out.csv") -> dict[str, Any] | None:
    arguments = [
        "deidentify",
        str(data),
        "--policy",
        str(policy_file(folder, text)),
        "--report",
        str(folder / "report.json"),
    ]
    if main([*arguments, "--out", str(folder / out)]):
        return None
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


def refusal(folder: Path, capsys: pytest.CaptureFixture[str], text: str, data: Path = DATA) -> str:
    assert run(folder, text, data) is None
    assert not (folder / "out.csv").exists()
    assert not (folder / "report.json").exists()
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("deid: 1", "deid: 9", "must begin with"),
        ("k: 5", "k: 2", "never be under 3"),
        ("k: 5", "k: five", "whole number"),
        ("k: 5", "preset: nothing", "no preset"),
        ("role: sensitive", "role: secret", "no role"),
        ("role: sensitive}", "role: sensitive, colour: red}", "“colour” is not known"),
        ("id: fixtures", "id: fixtures\ndefault_role: keep", "can only be drop"),
        ('hierarchy: "file:race.csv"', 'hierarchy: "file:none.csv"', "No such file"),
        ('hierarchy: "file:race.csv", max: 1', 'hierarchy: "file:race.csv", max: 9', "levels from 0 to"),
        ('"date[month,quarter,half,year]"', '"date[week,month]"', "A date has the levels"),
        ('"date[month,quarter,half,year]"', '"bins[5,12]"', "do not nest"),
        ('"date[month,quarter,half,year]"', '"clock"', "No such file"),
        ("max_rows: 0.05", "max_rows: 5", "max_rows: It must be a number from 0 to 1"),
        ("max_confidence: 0.9", "max_confidence: 2", "from 0.01 to 1"),
        ("field: race", "field: nothing", "no field “nothing”"),
        ("field: outcome", "field: nothing", "Name a field"),
        ("outcome: {role: sensitive}", "outcome: {role: sensitive}\n  nothing: {role: keep}", "no column “nothing”"),
        ("outcome: {role: sensitive}", "outcome: {role: pseudonym}", "key of a series"),
    ],
)
def test_a_policy_that_is_not_in_order_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, why: str
) -> None:
    assert why in refusal(tmp_path, capsys, POLICY.replace(old, new, 1))


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = POLICY.replace("k: 5", "k: 1").replace("max_rows: 0.05", "max_rows: 7").replace("role: sensitive", "role: x")
    assert len(refusal(tmp_path, capsys, text).splitlines()) >= 3


@pytest.mark.slow
def test_a_policy_that_cannot_be_kept_names_the_nearest_that_can(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pinned = POLICY.replace("min: 1}\n  gender", "min: 1, max: 1}\n  gender").replace(
        'cell.csv", min: 1', 'cell.csv", max: 2'
    )
    said = refusal(tmp_path, capsys, pinned.replace("max_rows: 0.05", "max_rows: 0"))
    assert "No way of making" in said
    assert "less detailed than their limit: age, race, cell" in said
    share = float(said.split("max_rows: ")[1].split(")")[0])
    assert (
        run(tmp_path, pinned.replace("max_rows: 0.05", f"max_rows: {share}").replace("ratio: 2.0", "waived: test"))
        is not None
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no column"),
        ("age,gender\n1,Man\n", "no column “race”"),
        ("age,gender,race,cell,date,kind,outcome\n", "no rows"),
        ('age,gender,race,cell,date,kind,outcome\n1,"Man\n', "cannot be read"),
        (
            "age,gender,race,cell,date,kind,outcome\n" + "1,Man,White,x,2024-01-01,y,z\n" * 4,
            "too few people (4; 5 are needed)",
        ),
    ],
)
def test_data_that_cannot_be_used_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, why: str
) -> None:
    data = tmp_path / "data.csv"
    data.write_text(content)
    assert why in refusal(tmp_path, capsys, POLICY, data)


def test_one_person_in_many_rows_is_one_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data.csv"
    data.write_text("who,age,outcome\n" + "".join(f"only,{number % 90},{number % 3}\n" for number in range(50)))
    text = "deid: 1\nunit: {person: who}\nmodel: {k: 5}\nfields:\n  age: {role: qi, hierarchy: 'bins[10]'}\n  outcome: {role: sensitive}\n"
    assert "too few people (1; 5 are needed)" in refusal(tmp_path, capsys, text, data)


def test_a_cell_that_a_spreadsheet_would_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data.csv"
    data.write_text("age,outcome\n" + "1,=cmd()\n1,-5\n" * 9)
    text = "deid: 1\nmodel: {k: 5}\nfields:\n  age: {role: qi, hierarchy: 'bins[10]'}\n  outcome: {role: keep}\n"
    said = refusal(tmp_path, capsys, text, data)
    assert "outcome: A value begins with" in said
    assert "cmd" not in said  # it may be somebody's answer
    assert "-5" not in said


@pytest.mark.slow
@pytest.mark.parametrize("out", ["out.csv", "out.parquet"])
@pytest.mark.parametrize("mode", ["global", "local"])
def test_what_is_written_holds_what_was_asked(tmp_path: Path, out: str, mode: str) -> None:
    text = POLICY.replace("max_rows: 0.05", f"max_rows: 0.05, mode: {mode}").replace("ratio: 2.0", "ratio: 9.0")
    report = run(tmp_path, text, out=out)
    assert report
    reader = pyarrow.parquet.read_table if out.endswith("parquet") else pyarrow.csv.read_csv
    rows = [{name: str(value) for name, value in row.items()} for row in reader(tmp_path / out).to_pylist()]
    identifiers = report["quasi_identifiers"]
    classes: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for row in rows:
        classes[tuple(row[name] for name in identifiers)][row["outcome"]] += 1
    assert (
        min(map(Counter.total, classes.values()))
        == report["class_sizes"]["smallest"]
        == report["recheck"]["smallest_class"]
        >= 5
    )
    assert len(rows) == report["rows"] - report["suppressed_rows"]
    for outcomes in classes.values():
        assert len(outcomes) >= 2
        assert max(outcomes.values()) <= 0.9 * sum(outcomes.values()) + 1e-9
    assert list(rows[0]) == ["age", "gender", "race", "cell", "date", "kind", "outcome"]
    assert report["cpu_seconds"]["search"] >= 0
    assert report["peak_memory_mb"] > 0
    assert set(report["utility"]["loss_by_field"]) == set(identifiers)
    assert sum(report["utility"]["loss_by_field"].values()) > 0
    assert report["groups"]["worst_ratio"] <= 9.0


def test_columns_that_are_not_named_never_leave(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("age,phone,outcome\n" + "".join(f"{n % 20},CANARY{n},{n % 3}\n" for n in range(200)))
    text = "deid: 1\nmodel: {k: 5}\nfields:\n  age: {role: qi, hierarchy: 'bins[10]'}\n  outcome: {role: sensitive}\n"
    assert run(tmp_path, text, data)
    assert "CANARY" not in (tmp_path / "out.csv").read_text()


def test_the_same_input_gives_the_same_bytes_in_an_order_that_tells_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("age,outcome\n" + "".join(f"5,{n}\n" for n in range(200)))
    text = "deid: 1\nmodel: {k: 5}\nfields:\n  age: {role: qi, hierarchy: 'bins[10]'}\n  outcome: {role: keep}\n"
    run(tmp_path, text, data)
    first = (tmp_path / "out.csv").read_bytes()
    run(tmp_path, text, data)
    assert (tmp_path / "out.csv").read_bytes() == first
    order = [int(row["outcome"]) for row in csv.DictReader(first.decode().splitlines())]
    assert sorted(order) == list(range(200))
    assert order != sorted(order)


@pytest.mark.slow
def test_search_only_writes_no_table_and_needs_no_app(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "evaluator_export", "deidentify", str(DATA), "--policy", str(policy_file(tmp_path))]
    ran = subprocess.run([*command, "--search-only", "--report", str(report)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(report.read_text())
    assert {"node", "loss", "suppressed_rows", "class_sizes", "cpu_seconds", "peak_memory_mb"} <= set(found)
    assert "out" not in found
    command = [sys.executable, "-X", "importtime", "-m", "evaluator_export", "deidentify", "--help"]
    assert "flask" not in subprocess.run(command, capture_output=True, text=True).stderr


@pytest.mark.slow
def test_a_context_asks_for_bigger_classes_on_average(tmp_path: Path) -> None:
    context = "context: {controls: medium, motives: low, participants: 500, population: 100000, breach: 0.1}\n"
    text = POLICY.replace("k: 5", "k: 5, preset: ipc2025-high") + context
    policy = read_policy(policy_file(tmp_path, text))
    assert policy.context
    assert policy.context.insider == 0.2
    assert policy.context.acquaintance == pytest.approx(0.5286, abs=1e-3)
    assert policy.limits.average == 11  # 0.05 / 0.53 = 0.094: the worked example of the governance notes
    report = run(tmp_path, text)
    assert report
    assert report["class_sizes"]["mean"] >= 11
    for wrong in ("controls: none", "participants: 0", "breach: 7"):
        name = wrong.split(":")[0]
        broken = ", ".join(wrong if part.startswith(name) else part for part in context[10:-2].split(", "))
        with pytest.raises(ExportProblem, match=name):
            read_policy(policy_file(tmp_path, text.replace(context[10:-2], broken)))


PARSED = yaml.safe_load(POLICY)
ODD = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1.5,
        10**30,
        float("nan"),
        "",
        "x",
        "file:",
        "bins[]",
        "date[",
        [],
        [1],
        [None],
        {},
        {"a": 1},
        [[{}]],
    ]
)


def places(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything inside a parsed policy."""
    found = [path] if path else []
    items = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in items:
        found += places(value, (*path, key))
    return found


@functools.cache
def known_hierarchy(name: str) -> Hierarchy:
    return read_hierarchy(FIXTURES / "hierarchies", name)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(places(PARSED)), ODD), min_size=1, max_size=3))
def test_whatever_stands_in_a_policy_it_is_read_or_refused_with_reasons(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    body = copy.deepcopy(PARSED)
    for path, value in changes:
        holder = body
        for key in path[:-1]:
            holder = holder[key] if isinstance(holder, dict) and key in holder else None
        if isinstance(holder, dict):
            holder[path[-1]] = value
    try:
        parse_policy(body, "0" * 64, known_hierarchy)
    except ExportProblem as problem:
        assert problem.reasons
        assert all(str(reason) for reason in problem.reasons)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "deid: 1",
        "deid: 1\nfields: []",
        "deid: 1\nfields: {a: 1}",
        "- : -",
        "\x00",
        "deid: !!python/object:os.x {}",
    ],
)
def test_what_is_no_policy_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert refusal(tmp_path, capsys, text)


@pytest.mark.slow
def test_places_that_cannot_be_written_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["deidentify", str(DATA), "--policy", str(policy_file(tmp_path)), "--out"]
    assert main([*arguments, str(tmp_path / "none" / "out.csv")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path / "out.xlsx")]) == 1
    assert ".csv or .parquet" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path / "out.csv"), "--report", str(tmp_path / "none" / "r.json")]) == 1
    assert "cannot be written" in capsys.readouterr().err
