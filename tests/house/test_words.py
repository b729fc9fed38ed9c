"""One word for one thing: every catalogue, workbook and document is checked against tools/words.yaml."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from babel.messages.pofile import read_po

from evaluator_export.formats import heat_map
from evaluator_export.products import shift_report
from evaluator_export.summary import words as summary
from tools import words_page

ROOT = Path(__file__).parent.parent.parent
WORDS = words_page.load_words()
# words.md lists the words themselves; promises.md quotes what is checked where it is told.
NOT_READ = ("words.md", "promises.md", "CHANGELOG.md")
DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")] if path.name not in NOT_READ)


FORM_TEXTS = ("label", "hint", "message", "title")  # each a text in English and the same in French
PLACEHOLDER = re.compile(r"\{\w+\}|%\(\w+\)[sd]")


class Sentence(NamedTuple):
    """A sentence that somebody reads; `french` is empty where there is none."""

    where: str
    english: str
    french: str


def find_words(text: str, language: str, is_screen: bool = False) -> Iterator[str]:
    """Yield what a text has of the words that are never used, each with what to write instead.

    A word counts in each of its forms that the list gives, in any case. Names between braces, and code between
    backticks or in a path, are not words.
    """
    plain = re.sub(r"`[^`]*`|https?://\S+|\b\w+(?:[/.]\w+)+\b|\]\([^)]*\)", " ", PLACEHOLDER.sub("1", text))
    for entry in WORDS["never"][language]:
        if not is_screen and (entry.get("button") or entry.get("only") == "screens"):
            continue
        left = re.sub(entry["except"], " ", plain, flags=re.IGNORECASE) if "except" in entry else plain
        word = entry["word"]
        pattern = rf"^(?:{word})$" if entry.get("button") else rf"(?<![\w-])(?:{word})(?!\w)"
        match = re.search(pattern, left, re.IGNORECASE)
        if match:
            yield f"“{match[0]}”: write {entry['say']}"


def find_missing_terms(english: str, french: str) -> Iterator[str]:
    """Yield each term of the glossary that the English of a message has and its French translates otherwise."""
    text = PLACEHOLDER.sub(" ", english)
    for entry in WORDS["glossary"]:
        if "match" not in entry:
            continue
        left = re.sub(entry["except"], " ", text, flags=re.IGNORECASE) if "except" in entry else text
        flags = 0 if entry["en"].isupper() else re.IGNORECASE
        is_english = re.search(rf"(?<![\w-])(?:{entry['match']})(?![\w-])", left, flags)
        is_french = re.search(rf"(?<!\w)(?:{entry['french']})(?!\w)", french, re.IGNORECASE)
        if is_english and not is_french:
            yield f"{entry['en']} is {entry['fr']}"


def find_typing(french: str) -> Iterator[str]:
    """Yield what is typed otherwise than French Canada types it."""
    code = re.sub(r"'[^'\s]*'|\('[^)]*\)", " ", french)
    if re.search(r"\w'\w", code):
        yield "write ’, not '"
    if re.search(r" [:»]|« ", french):
        yield "a no-break space stands before : and inside « »"
    if re.search(r"\d KB|\d MB", french):
        yield "write Ko and Mo"
    if " …" in french:
        yield "no space stands before …"


def read_catalogue() -> list[Sentence]:
    with (ROOT / "translations/fr/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file, locale="fr")
    sentences = []
    for message in catalogue:
        english = message.id if isinstance(message.id, str) else message.id[-1]
        french = message.string if isinstance(message.string, str) else message.string[-1]
        if english:
            sentences.append(Sentence(f"messages.po: {english[:60]}", english, french))
    return sentences


def read_program() -> list[Sentence]:
    """Return the texts of the program's datasets, numbers and products in both languages."""
    sentences = []
    for where, node in _walk_program():
        if isinstance(node.get("en"), str):
            sentences.append(Sentence(f"{where}: {node['en'][:60]}", node["en"], str(node.get("fr", ""))))
    return sentences


def read_form_texts() -> list[Sentence]:
    """Return the titles, labels, hints and messages of the program's forms."""
    sentences = []
    for where, node in _walk_program():
        for key in FORM_TEXTS:
            if isinstance(node.get(key), list):
                english, french = node[key]
                sentences.append(Sentence(f"{where}: {english[:60]}", english, french))
    return sentences


def read_choices() -> list[Sentence]:
    """Return the choices of the program's forms, without the City's own names of its neighbourhoods."""
    with (ROOT / "fieldapp/program/code_lists.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["list"] != "nbhd158"]
    return [Sentence(f"code_lists.csv: {row['list']} {row['name']}", row["en"], row["fr"]) for row in rows]


def _walk_program() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each mapping of the program's files, however deep, with the name of its file."""
    for path in sorted((ROOT / "fieldapp/program").rglob("*.yaml")):
        for node in _walk(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield path.name, node


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for part in parts:
        yield from _walk(part)


def read_files() -> list[Sentence]:
    """Return the words of PDFs and of workbooks that the app writes."""
    sentences = []
    for name, words in (("summary", summary.WORDS), ("shift report", shift_report.WORDS), ("heat map", heat_map.WORDS)):
        for key, english in words["en"].items():
            sentences.append(Sentence(f"{name}: {key}", english, words["fr"][key]))
    return sentences


def check(sentence: Sentence) -> list[str]:
    problems = [*find_words(sentence.english, "english", is_screen=True)]
    if sentence.french:
        problems += find_words(sentence.french, "french", is_screen=True)
        problems += find_missing_terms(sentence.english, sentence.french)
        problems += find_typing(sentence.french)
    return [f"{sentence.where}\n    {problem}" for problem in problems]


def test_no_screen_says_a_word_that_is_never_used() -> None:
    problems = [problem for sentence in read_catalogue() for problem in check(sentence)]
    assert not problems, "\n".join(problems)


def test_no_form_or_product_says_a_word_that_is_never_used() -> None:
    sentences = read_program()
    assert len(sentences) > 100
    problems = [problem for sentence in sentences for problem in check(sentence)]
    assert not problems, "\n".join(problems)


def test_the_french_of_forms_is_typed_as_french_canada_types_it() -> None:
    sentences = [*read_form_texts(), *read_choices()]
    assert len(sentences) > 500
    problems = [f"{text.where}\n    {problem}" for text in sentences for problem in find_typing(text.french)]
    assert not problems, "\n".join(problems)


def test_no_pdf_or_workbook_says_a_word_that_is_never_used() -> None:
    problems = [problem for sentence in read_files() for problem in check(sentence)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_says_a_word_that_is_never_used(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    problems = []
    for _number, line in enumerate(text.splitlines(), 1):
        problems += [f"{path.name}: {line[:90]}\n    {problem}" for problem in find_words(line, "english")]
    assert not problems, "\n".join(problems)


def test_the_page_of_words_is_current() -> None:
    assert words_page.PAGE.read_text(encoding="utf-8") == words_page.write_page(WORDS), "run make translations"


def test_each_term_is_there_once() -> None:
    terms = [entry["en"] for entry in WORDS["glossary"]] + list(WORDS["code"])
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize(
    ("english", "french", "problem"),
    [
        ("At most 500 signs.", "", "characters"),
        ("At most {most} signs.", "", "characters"),
        ("Publish the form Anew.", "", "again"),
        ("Releases build by themselves.", "", "automatically"),
        ("Six things to do", "", "name the item"),
        ("Keep it", "", "name the object"),
        ("A record", "Un dossier", "record is fiche"),
        ("A record", "Un dossier", "write fiche"),
        ("Two cards", "Deux codes", "card is carte"),
        ("An encrypted copy", "Une copie scellée", "encrypted is chiffré"),
        ("3 characters", "3 signes", "write caractères"),
        ("Forms", "Formulaires d'ici", "not '"),
        ("Forms: two", "Formulaires : deux", "no-break space"),
        ("Log the referral", "Consigner la référence", "referral is aiguillage"),
        ("Loading", "Chargement …", "before …"),
    ],
)
def test_a_planted_word_is_seen(english: str, french: str, problem: str) -> None:
    assert problem in "\n".join(check(Sentence("here", english, french)))


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("At most 500 characters.", "Au plus 500 caractères."),
        ("The key that signs", "La clé qui signe"),
        ("It designs nothing", "Rien n’est fait"),
        ("Save the record", "Enregistrer la fiche"),
        ("Write <{signs}>.", "Écrivez <{signs}>."),
    ],
)
def test_plain_words_pass(english: str, french: str) -> None:
    assert not check(Sentence("here", english, french))


def split_sentences(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?])\s*(?=[A-ZÉÀ])", text) if part.strip()]


def test_no_french_text_says_a_sentence_twice() -> None:
    """Two branches that translate one text, merged, left it there twice."""
    doubled = []
    for sentence in read_catalogue():
        said = split_sentences(sentence.french)
        asked = split_sentences(sentence.english)
        if len(set(said)) < len(said) and len(set(asked)) == len(asked):
            doubled.append(sentence.where)
    assert doubled == []


def test_no_page_writes_a_colon_that_french_sets_otherwise() -> None:
    """Between two values a page calls colon(), which puts a no-break space before it in French."""
    bare = re.compile(r"(\}\}|</\w+>): ")
    pages = sorted((ROOT / "fieldapp/web").rglob("*.html"))
    assert len(pages) > 50
    assert [str(page.relative_to(ROOT)) for page in pages if bare.search(page.read_text())] == []
