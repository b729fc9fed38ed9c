"""What makes code slow to read can only become less."""

import ast

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


@pytest.mark.parametrize("rule", [rule for rule in style.RULES if rule != "class name"])
def test_each_rule_sees_its_breach(rule: str) -> None:
    assert rule in {name for name, _ in style.find_breaches(ast.parse(BREACHES[rule]))}


@pytest.mark.parametrize("source", FINE)
def test_plain_code_breaks_no_rule(source: str) -> None:
    assert not list(style.find_breaches(ast.parse(source)))


def test_two_classes_of_one_name_are_seen() -> None:
    modules = {"a.py": ast.parse("class Batch: pass"), "b.py": ast.parse("class Batch: pass")}
    assert list(style.find_repeated_classes(modules)) == [("b.py", "Batch", 1)]


def test_a_count_may_neither_grow_nor_lag_behind() -> None:
    baseline = {"name": {"forms": 2}}
    assert style.compare_with_baseline({"name": {"forms": 2}}, baseline) == []
    assert "3 instead of 2" in style.compare_with_baseline({"name": {"forms": 3}}, baseline)[0]
    assert "1 instead of 2" in style.compare_with_baseline({"name": {"forms": 1}}, baseline)[0]
    assert "1 instead of 0" in style.compare_with_baseline({"name": {"forms": 2, "sync": 1}}, baseline)[0]
