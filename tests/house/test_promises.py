"""Each sentence that promises something to a person stands in docs/promises.md, with a test that holds it."""

import csv
import datetime as dt
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from babel.messages.extract import extract_from_dir

from evaluator_export.datasets.recipe import Audience
from fieldapp.services import access
from forms.roles import QuestionRole
from forms.validation import validate
from sync.intake import local_time
from tests.programme import FORMS, definition_of

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "promises.md"
FEWEST_WORDS = 3  # a shorter text is a label
NO_PROMISES = "## Sentences that promise nothing"
# What a promise is worded with. A sentence without any of these is not found: word promises plainly.
PROMISING = re.compile(
    r"\b(never|only|nothing|nobody|no one|deletes?|deleted|erased?|safe|any time|always|lost|encrypted"
    r"|take[ns]?(?: \w+)? back|(?:do|does) not (?:keep|store)"
    r"|leaves?|cannot be (?:identified|seen|read)|sees? nothing|stays? (?:with|on|at|in) )",
    re.IGNORECASE,
)
# Read from the source and not from the catalogue, which has no places: words of errors in forms/ promise nothing.
SCREENS = ("fieldapp/web", "fieldapp/services", "client/src")
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.tsx", "javascript"), ("**.ts", "javascript")]
KEYWORDS = {"N_": None, "t": None, "nt": (1, 2), "lazy_gettext": None, "_": None, "gettext": None, "ngettext": (1, 2)}
DOCUMENTS = ("docs/workers.md", "docs/evaluators.md")
SOURCES = (*FORMS, "library", "consent")  # in fieldapp/program


class Promise(NamedTuple):
    """A sentence of the page, and the tests that are said to hold it."""

    sentence: str
    tests: tuple[str, ...]


def may_promise(sentence: str) -> bool:
    """Say whether a sentence has a word that promises are made of."""
    return len(sentence.split()) >= FEWEST_WORDS and PROMISING.search(sentence) is not None


def split_sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, without marks of emphasis and line breaks."""
    plain = re.sub(r"\s+", " ", re.sub(r"[*`]", "", text)).strip()
    for sentence in re.split(r"(?<=[.!?])\s+", plain):
        if sentence:
            yield sentence


def read_page(text: str) -> tuple[list[Promise], set[str]]:
    """Return the promises of the page, and the sentences that it says promise nothing."""
    promises: list[Promise] = []
    others: set[str] = set()
    held, _, free = text.partition(NO_PROMISES)
    for line in held.splitlines():
        if line.startswith("- "):
            promises.append(Promise(line[2:].strip(), ()))
        elif line.startswith("  - `"):
            sentence, tests = promises.pop()
            promises.append(Promise(sentence, (*tests, line.strip()[3:-1])))
    for line in free.splitlines():
        if line.startswith("- "):
            others.add(line[2:].strip())
    return promises, others


@cache
def read_screens() -> dict[str, str]:
    """Return each sentence of the screens that may be a promise, with one place where it is told."""
    told: dict[str, str] = {}
    for folder in SCREENS:
        found = extract_from_dir(ROOT / folder, method_map=METHODS, keywords=KEYWORDS)
        for name, _, message, _, _ in found:
            if ".test." in name:
                continue
            for text in (message,) if isinstance(message, str) else message[:1]:
                for sentence in split_sentences(text):
                    if may_promise(sentence):
                        told.setdefault(sentence, f"{folder}/{name}")
    return told


def read_script() -> list[str]:
    """Return the sentences that workers read out: all of them, whatever their words."""
    questions = yaml.safe_load((ROOT / "fieldapp/program/consent.yaml").read_text(encoding="utf-8"))
    (script,) = [question for question in questions if question.get("appearance") == "consent-card"]
    return list(split_sentences(script["label"][0]))


def read_forms() -> dict[str, str]:
    """Return the English sentences of the program's forms that may be a promise."""
    told: dict[str, str] = {}
    for form in SOURCES:
        data = yaml.safe_load((ROOT / f"fieldapp/program/{form}.yaml").read_text(encoding="utf-8"))
        for text in _list_english(data):
            for sentence in split_sentences(text):
                if may_promise(sentence):
                    told.setdefault(sentence, f"fieldapp/program/{form}.yaml")
    for sentence in read_answers():
        told.setdefault(sentence, "fieldapp/program/code_lists.csv")
    return told


def read_answers() -> Iterator[str]:
    """Yield what the answers about consent say that may be a promise, but for the words of whoever answers."""
    with (ROOT / "fieldapp/program/code_lists.csv").open(encoding="utf-8") as file:
        answers = [row["en"] for row in csv.DictReader(file) if "consent_tier" in row["role"]]
    for answer in answers:
        yield from filter(may_promise, split_sentences(answer.rpartition("”")[2].strip()))


def _list_english(node: object) -> Iterator[str]:
    """Yield the English of every pair of English and French."""
    if isinstance(node, dict):
        for value in node.values():
            yield from _list_english(value)
    elif isinstance(node, list) and len(node) == 2 and all(isinstance(item, str) for item in node):
        yield node[0]
    elif isinstance(node, list):
        for item in node:
            yield from _list_english(item)


def read_documents() -> dict[str, str]:
    """Return the sentences of what workers and evaluators are given to read that may be a promise."""
    told: dict[str, str] = {}
    for name in DOCUMENTS:
        paragraphs = re.split(r"\n\n|\n\|", (ROOT / name).read_text(encoding="utf-8"))
        for sentence in (sentence for paragraph in paragraphs for sentence in split_sentences(paragraph)):
            if may_promise(sentence):
                told.setdefault(sentence, name)
    return told


def read_all() -> dict[str, str]:
    """Return every sentence that has to stand on the page, with one place where it is told."""
    told = dict.fromkeys(read_script(), "the consent script")
    return read_screens() | read_forms() | read_documents() | told


def list_missing(told: dict[str, str], text: str) -> list[str]:
    """Return the sentences that are told and do not stand on the page."""
    promises, others = read_page(text)
    known = {promise.sentence for promise in promises} | others
    return [f"{place}: {sentence}" for sentence, place in told.items() if sentence not in known]


def exists(test: str) -> bool:
    """Say whether there is a test of this name: path::function, or path::words in the client."""
    path, _, name = test.partition("::")
    file = ROOT / path
    if not file.is_file():
        return False
    text = file.read_text(encoding="utf-8")
    if path.endswith(".py"):
        return re.search(rf"^def {re.escape(name)}\(", text, re.MULTILINE) is not None
    return f'"{name}"' in text


@pytest.mark.slow
def test_each_promise_that_is_told_stands_on_the_page() -> None:
    assert list_missing(read_all(), PAGE.read_text(encoding="utf-8")) == []


@pytest.mark.slow
def test_nothing_stands_on_the_page_that_is_told_no_more() -> None:
    promises, others = read_page(PAGE.read_text(encoding="utf-8"))
    told = read_all()
    assert [sentence for sentence in [*(promise.sentence for promise in promises), *others] if sentence not in told] == []


def test_each_promise_has_a_test_and_the_test_exists() -> None:
    promises, _ = read_page(PAGE.read_text(encoding="utf-8"))
    assert len(promises) > 50
    assert [promise.sentence for promise in promises if not promise.tests] == []
    assert [test for promise in promises for test in promise.tests if not exists(test)] == []


def test_no_sentence_stands_on_the_page_twice() -> None:
    promises, others = read_page(PAGE.read_text(encoding="utf-8"))
    sentences = [promise.sentence for promise in promises]
    assert [sentence for sentence in set(sentences) if sentences.count(sentence) > 1] == []
    assert set(sentences) & others == set()


def test_a_planted_promise_and_a_test_that_is_gone_are_noticed() -> None:
    told = {"Nobody ever reads this.": "a screen"}
    assert list_missing(told, "") == ["a screen: Nobody ever reads this."]
    page = "- Nobody ever reads this.\n  - `tests/house/test_promises.py::test_that_is_gone`\n"
    assert list_missing(told, page) == []
    assert not exists("tests/house/test_promises.py::test_that_is_gone")
    assert not exists("tests/no_such_file.py::test_x")
    assert exists("tests/house/test_promises.py::test_a_planted_promise_and_a_test_that_is_gone_are_noticed")


# Promises that no other test holds.


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_the_program_asks_who_somebody_is(form: str) -> None:
    """Names, addresses, birthdays and telephone numbers would be of the class “identifier”: only card codes are."""
    definition = definition_of(form)
    code = definition.find_with_role(QuestionRole.PERSON)
    asked = [element.name for element in definition.elements if element.privacy == "identifier" and not element.calculate]
    assert asked == ([code.name] if code else [])


@pytest.mark.parametrize("form", FORMS)
def test_what_somebody_may_refuse_to_say_is_never_required(form: str) -> None:
    optional = [
        element
        for element in definition_of(form).elements
        if re.search("They may (say no|pass)", str(element.hint.get("en")))
    ]
    assert [element.name for element in optional if element.required is not None] == []
    assert bool(optional) == (form == "participant")


@pytest.mark.parametrize("form", FORMS)
def test_what_is_said_to_stay_at_the_centre_is_dropped_from_every_release(form: str) -> None:
    staying = re.compile("never leaves the health centre|Only your supervisor")
    kept = [element for element in definition_of(form).elements if staying.search(str(element.hint.get("en")))]
    assert [element.name for element in kept if element.export != "drop"] == []


def test_a_referral_form_is_sent_only_after_a_yes() -> None:
    for answer, is_allowed in (("no", False), ("yes_this_time", True)):
        answers = {
            "need": {"has_card": "yes", "code": "K7QM3RXDQ", "need": "housing"},
            "consent": {"said": "read_out", "understood": "yes", "tier_said": "1"},
            "sharing": {"consent_share": answer, "what_shared": "need_only", "warm": "form_sent"},
        }
        problems = validate(definition_of("referral"), answers, local_time(dt.datetime(2026, 3, 8, 22))).problems
        assert ("sharing.warm" in {problem.path for problem in problems}) != is_allowed


def test_there_is_no_recipient_beside_those_that_are_told() -> None:
    """Police and immigration are no recipient, and no role of anybody who signs in."""
    assert {audience.value for audience in Audience} == {"evaluator", "city", "staff"}
    assert set(access.ROLES) == {"worker", "crisis", "admin", "evaluator"}
