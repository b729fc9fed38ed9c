"""Let all apps of the tests share what Jinja and Werkzeug compiled, as all requests of one server do.

A test has an app of its own, so it would compile anew each address of the app and each page that it opens: two thirds
of the CPU of a test that signs in and opens a page.
"""

import functools
from collections.abc import Callable
from types import CodeType, SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule, rules


class SharedTemplates(BytecodeCache):
    """What templates became, by their names and their text."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code
        self._compiled[bucket.key, bucket.checksum] = bucket.code


def share_compiled_pages(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Flask, "jinja_options", {"bytecode_cache": SharedTemplates()})
    usual = Rule._compile_builder
    compiled: dict[object, Callable[..., tuple[str, str]]] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Any:
        # All that Werkzeug compiles the function from, which gets the rule itself when it is called.
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = usual(rule, append_unknown)
        return compiled[key]

    patch.setattr(Rule, "_compile_builder", compile_once)
    patch.setattr(rules, "_part_re", SimpleNamespace(match=functools.cache(rules._part_re.match)))
