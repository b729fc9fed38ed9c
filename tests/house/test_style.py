"""What makes code slow to read can only become less."""

import ast
import math

import pytest

from tools import style

BREACHES = {
    "name": "one = load()",
    "nested comprehension": "rows = [cell for row in table for cell in row]",
    "assignment in expression": "rows = f(size := 3)",
    "nested conditional": "a = 1 if b else 2 if c else 3",
    "tuple assignment": "a, b = 1, 2",
    "docstring width": '"""' + "A long first line. " * 6 + '"""',
    "docstring words": '"""At most 20 signs."""',
}
DENSE = {
    "all nested comprehensions": "rows = [[cell for cell in row] for row in table]",
    "all assignments in expressions": "while chunk := read():\n    pass",
    "all conditional expressions": "a = 1 if b else 2",
    "all tuple assignments": "a, b = b, a",
}
FINE = [
    "for record in records:\n    add(record)",
    "rows = [row for row in table]",
    "while chunk := read():\n    write(chunk)",
    "a = 1 if b else 2",
    "a, b = b, a",
    "first, last = parts()",
    '"""A short first line.\n\n' + "Then as long as it has to be. " * 6 + '"""',
    '"""At most 20 characters."""',
]


@pytest.mark.parametrize("rule", list(BREACHES))
def test_each_rule_sees_its_breach(rule: str) -> None:
    assert rule in {name for name, _ in style.find_breaches(ast.parse(BREACHES[rule]))}


@pytest.mark.parametrize("source", FINE)
def test_plain_code_breaks_no_rule(source: str) -> None:
    assert not list(style.find_breaches(ast.parse(source)))


def test_every_rule_is_tried_here() -> None:
    assert {*BREACHES, *DENSE, "class name"} == set(style.RULES)


@pytest.mark.parametrize("measure", list(style.CEILINGS))
def test_a_package_above_a_ceiling_is_named_with_its_count(measure: str) -> None:
    assert over_ceilings(DENSE[measure], 1000 / style.CEILINGS[measure]) == {}
    assert over_ceilings(DENSE[measure], 1000 / style.CEILINGS[measure] - 2) == {measure: {"sync": 1}}


def test_a_ceiling_is_for_the_package_not_for_the_file() -> None:
    sources = {"sync/dense.py": DENSE["all tuple assignments"], "sync/long.py": "pass\n" * 600}
    modules = {name: ast.parse(source) for name, source in sources.items()}
    assert not any(style.count_over_ceilings(sources, modules).values())


def over_ceilings(source: str, lines: float) -> dict[str, dict[str, int]]:
    """Return what a package of one module is above, when that has so many lines."""
    text = source + "\npass" * (math.ceil(lines) - len(source.splitlines()))
    over = style.count_over_ceilings({"sync/a.py": text}, {"sync/a.py": ast.parse(text)})
    return {measure: counts for measure, counts in over.items() if counts}


def test_two_classes_of_one_name_are_seen() -> None:
    modules = {"a.py": ast.parse("class Batch: pass"), "b.py": ast.parse("class Batch: pass")}
    assert list(style.find_repeated_classes(modules)) == [("b.py", "Batch", 1)]


def test_a_count_may_neither_grow_nor_lag_behind() -> None:
    baseline = {"name": {"forms": 2}}
    assert style.compare_with_baseline({"name": {"forms": 2}}, baseline) == []
    assert "3 instead of 2" in style.compare_with_baseline({"name": {"forms": 3}}, baseline)[0]
    assert "1 instead of 2" in style.compare_with_baseline({"name": {"forms": 1}}, baseline)[0]
    assert "1 instead of 0" in style.compare_with_baseline({"name": {"forms": 2, "sync": 1}}, baseline)[0]
