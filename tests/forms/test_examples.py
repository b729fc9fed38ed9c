"""The examples in docstrings say what really comes out."""

import doctest
import importlib

import pytest

MODULES = [
    "forms.expressions.functions",
    "forms.expressions.patterns",
    "forms.expressions.values",
    "forms.headings",
    "forms.picks",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_right(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted and not result.failed
