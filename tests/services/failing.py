"""Code that fails on purpose, and what a log may say of it."""

import re
from typing import Any

CANARY = "CANARY-Jordan-of-Jane-Street"


NUMBER = re.compile(r"\b[2-9A-HJ-NP-Z]{6}\b")


HERE = "tests/services/failing.py"


def outer(*_: Any, **__: Any) -> Any:
    answer = CANARY
    return inner({"name": answer})


def inner(answers: dict[str, str]) -> Any:
    return answers[f"{CANARY}-missing"]


def is_traced(text: str) -> None:
    assert CANARY not in text
    assert "answers[" not in text  # no line of source
    for function in ("outer", "inner"):
        assert re.search(rf"{HERE}:\d+:{function}\b", text), text
    assert NUMBER.search(text), text
