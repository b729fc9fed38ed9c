"""The pages of docs/security name tests that are there, and every requirement of the standard once."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs/security").glob("*.md"))
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w*)`")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (yes|part|no|—) \| (.+) \|$", re.MULTILINE)
# How many requirements of levels 1 and 2 each chapter of ASVS 5.0.0 has.
CHAPTERS = {
    1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13, 16: 16, 17: 7,
}  # fmt: skip
ADVERSARIES = 9


def list_missing(text: str) -> list[str]:
    """Return the tests that a text names and that are not there."""
    missing = []
    for path, name in NAMED.findall(text):
        file = ROOT / path
        if not file.is_file() or not re.search(rf"^(?:async )?def {name}\(", file.read_text(), re.MULTILINE):
            missing.append(f"{path}::{name}")
    return missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_of_security_names_is_there(page: Path) -> None:
    assert NAMED.search(page.read_text())
    assert list_missing(page.read_text()) == []


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert list_missing("`tests/house/test_security_pages.py::test_nothing`, `tests/nowhere.py::test_x`") == [
        "tests/house/test_security_pages.py::test_nothing",
        "tests/nowhere.py::test_x",
    ]


def test_every_requirement_of_the_standard_stands_there_once_with_its_test_or_why_not() -> None:
    rows = ROW.findall((ROOT / "docs/security/asvs.md").read_text())
    numbers = [number for number, _, _ in rows]
    assert len(numbers) == len(set(numbers)) == sum(CHAPTERS.values())
    assert {chapter: sum(number.startswith(f"{chapter}.") for number in numbers) for chapter in CHAPTERS} == CHAPTERS
    assert [number for number, state, how in rows if state == "yes" and not NAMED.search(how)] == []


def test_each_adversary_has_what_they_get_what_not_and_what_is_left() -> None:
    sections = (ROOT / "docs/security/threat-model.md").read_text().split("\n## ")[1:]
    assert len(sections) == ADVERSARIES
    for section in sections:
        assert "| they get | they do not get |" in section
        assert NAMED.search(section)
        assert "\nLeft: " in section
