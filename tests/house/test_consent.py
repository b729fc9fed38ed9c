"""Nobody reads a person's tier but the code for standing consent: a new reader has to ask it, or this says so."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
READERS = ("fieldapp", "evaluator_export", "sync", "bench")


def trees(*words: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules whose text has one of some words; to parse them all would take too long for a quick test."""
    for folder in READERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name, text = str(path.relative_to(ROOT)), path.read_text()
            if "migrations" not in name and any(word in text for word in words):
                yield name, ast.parse(text)


def test_only_one_function_compares_a_tier_with_what_is_needed() -> None:
    found = {
        name
        for name, tree in trees("minimum")
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and part.attr == "minimum" and re.search("consent|rule", ast.unparse(part.value))
    }
    assert found == {"evaluator_export/datasets/eligibility.py"}


def test_every_row_is_made_with_the_standing_consent_of_its_person() -> None:
    calls = [
        (name, [ast.unparse(given) for given in node.args])
        for name, tree in trees("eligibility")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "eligibility.flatten_answers"
    ]
    assert {name for name, _ in calls} == {"fieldapp/services/releases/gathering/answers.py"}
    assert {given[-1] for _, given in calls} == {"standing"}
    asked = [
        ast.unparse(node.value)
        for _, tree in trees("eligibility.flatten_answers")
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "standing" and isinstance(node.value, ast.Call)
    ]
    assert set(asked) == {
        "self._find_standing(definition, record)",
        "self.standings.of_record(record.person, record.is_refused)",
    }


def test_what_releases_and_counts_never_names_the_question_with_the_tier() -> None:
    """The store of consent itself has a column of this name."""
    counting = re.compile(r"evaluator_export/|fieldapp/services/(products|releases)/|fieldapp/store/(?!consent/)")
    found = {
        name
        for name, tree in trees("tier")
        if counting.match(name)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in ("tier", "tier_said")
    }
    assert found == set()


def test_what_people_said_is_read_in_one_place() -> None:
    naming = {
        name
        for name, tree in trees("ConsentWord")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "ConsentWord")
        or (isinstance(node, ast.alias) and node.name == "ConsentWord")
    }
    assert naming == {"fieldapp/store/consent/standing.py", "fieldapp/services/consent/standing.py"}
