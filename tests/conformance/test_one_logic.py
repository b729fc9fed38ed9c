"""The same logic on phone and server: vectors, and random answers to the programme's own forms."""

import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from forms import answers as tree
from forms.definition import Choice, Element, FormDefinition
from forms.expressions import Context, DateValue, ExpressionError, evaluate, parse, to_string
from forms.expressions.values import parse_date
from forms.validation import check
from tests.programme import FORMS, definition_of

HERE = Path(__file__).parent
CLIENT = HERE.parent.parent / "client"
NOW = "2026-03-08T12:34:56.789"
VECTORS = [vector for path in sorted(HERE.glob("*.json")) for vector in json.loads(path.read_text())]


def run_on_phone(given: dict[str, Any]) -> dict[str, Any]:
    """Run the client's engine in Node over the same input."""
    node = ["python3", str(HERE.parent.parent / "tools/with_node.py"), "node"]
    subprocess.run([*node, str(CLIENT / "build.mjs"), "--tests"], check=True)
    done = subprocess.run(
        [*node, str(CLIENT / "build/test/runner.mjs")], input=json.dumps(given), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def definition(vector: dict[str, Any]) -> FormDefinition:
    """Make the smallest form in which a vector's answers can stand."""
    types = dict(vector.get("types", {}))
    for name in vector.get("answers", {}):
        types.setdefault(name, "text")
    elements = []
    for path, kind in types.items():
        full = f"/data/{path}"
        is_repeat = kind == "repeat"
        elements.append(
            Element(
                path=full,
                name=path.rsplit("/", 1)[-1],
                kind="repeat" if is_repeat else "question",
                type="" if is_repeat else kind,
                parent=full.rsplit("/", 1)[0],
            )
        )
    return FormDefinition("v", "1", {}, ("en",), "", tuple(elements), {"": (Choice("x", {}),)}, (), {}, {})


def plain(expression: str) -> str:
    """Write ${a} as /data/a, as pyxform does."""
    return re.sub(r"\$\{(\w+)\}", r" /data/\1 ", expression)


def typed(value: Any) -> list[str]:
    kind = "dateTime" if isinstance(value, DateValue) and value.has_time else "date" if isinstance(value, DateValue) else ""
    kind = kind or {bool: "boolean", float: "number", str: "string"}[type(value)]
    return [kind, to_string(value)]


def run_here(vector: dict[str, Any]) -> list[str]:
    root, _ = tree.build(definition(vector), vector.get("answers", {}))
    node = root
    for part in vector.get("at", "/data").split("/")[2:]:
        name, _, index = part.partition(":")
        node = node.children_named(name)[int(index or 0)]
    now = parse_date(vector.get("now", NOW))
    assert now
    return typed(evaluate(parse(plain(vector["expression"])), Context(root, node, now)))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["expression"])
def test_server_passes_vector(vector: dict[str, Any]) -> None:
    if "error" in vector:
        with pytest.raises(ExpressionError) as refused:
            parse(plain(vector["expression"]))
        assert refused.value.code == vector["error"]
    else:
        assert run_here(vector) == vector["expected"]


def test_phone_passes_every_vector() -> None:
    vectors = [vector for vector in VECTORS if "error" not in vector]
    given = [
        {
            "ast": parse(plain(vector["expression"])),
            "definition": json.loads(definition(vector).to_json()),
            "answers": vector.get("answers", {}),
            "at": vector.get("at", "/data"),
            "now": vector.get("now", NOW),
        }
        for vector in vectors
    ]
    results = run_on_phone({"vectors": given, "forms": [], "definitions": []})["vectors"]
    wrong = [(v["expression"], r, v["expected"]) for v, r in zip(vectors, results, strict=True) if r != v["expected"]]
    assert not wrong


def random_answers(form: FormDefinition, chance: random.Random, parent: str = "/data") -> dict[str, Any]:
    """Answer at random, often well, sometimes badly."""
    result: dict[str, Any] = {}
    for element in form.children.get(parent, []):
        if element.kind == "repeat":
            result[element.name] = [random_answers(form, chance, element.path) for _ in range(chance.randrange(3))]
        elif element.kind == "group":
            result[element.name] = random_answers(form, chance, element.path)
        elif element.is_answered and chance.random() < 0.85:
            result[element.name] = random_answer(form, element, chance)
    return result


def random_answer(form: FormDefinition, element: Element, chance: random.Random) -> str:
    if chance.random() < 0.05:
        return chance.choice(["x y", "-1", "2026-02-30", "é😀", " ", "1e3", "99999999999", "NaN"])
    names = [choice.name for choice in form.choices.get(element.choices, ())]
    return {
        "select_one": lambda: chance.choice(names),
        "select_multiple": lambda: " ".join(chance.sample(names, min(len(names), chance.randrange(1, 3)))),
        "integer": lambda: str(chance.randrange(-2, 260)),
        "decimal": lambda: f"{chance.uniform(-5, 60000):.2f}",
        "date": lambda: f"2026-03-{chance.randrange(1, 12):02}" if chance.random() < 0.8 else "2026-01-05",
        "dateTime": lambda: f"2026-03-0{chance.randrange(1, 9)}T{chance.randrange(24):02}:15",
        "text": lambda: chance.choice(["K7QM-3RXDQ", "K7QM3RXDQ", "K7QM-3RXD5", "quiet night", "x" * 300]),
    }.get(element.type, lambda: "x")()


def test_phone_and_server_agree_on_random_answers_to_the_programmes_forms() -> None:
    chance = random.Random(7)
    definitions = [definition_of(name) for name in FORMS]
    now = parse_date(NOW)
    assert now
    filled, expected = [], []
    for number in range(2000):
        index = number % len(definitions)
        answers = random_answers(definitions[index], chance)
        checked = check(definitions[index], answers, now)
        expected.append(checked)
        filled.append({"definition": index, "answers": answers, "now": NOW})
    given = {"vectors": [], "forms": filled, "definitions": [json.loads(form.to_json()) for form in definitions]}
    for mine, theirs, case in zip(expected, run_on_phone(given)["forms"], filled, strict=True):
        assert mine.answers == theirs["answers"], case
        rules = ("answers.required", "answers.type", "answers.constraint")
        mine_wrong = sorted(f"{one.path} {one.code.split('.')[1]}" for one in mine.problems if one.code in rules)
        assert mine_wrong == theirs["problems"], case


def test_what_the_phone_finishes_passes_at_the_centre() -> None:
    """A form without problems on the phone has none at the centre, calculations included."""
    chance = random.Random(11)
    now = parse_date(NOW)
    assert now
    accepted = 0
    for number in range(1500):
        form = definition_of(FORMS[number % len(FORMS)])
        first = check(form, random_answers(form, chance), now)
        second = check(form, first.answers, now)
        assert second.answers == first.answers
        assert not [problem for problem in second.problems if problem.code in ("answers.calculation", "answers.irrelevant")]
        accepted += not second.problems
    assert accepted > 0
