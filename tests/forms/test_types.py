"""Types of questions: which privacy classes each may have, and what a type must state before a form may use it."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forms.privacy import propose_class
from forms.privacy_classes import PrivacyClass
from forms.question_type import AnswerKind, IncompleteType, ProposedClass, QuestionType
from forms.support import QUESTION_TYPES, REFUSED_TYPES
from forms.types import TYPES
from tests.forms.workbooks import HEADER, SETTINGS, refused

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = ROOT / "tools/templates/question_type.py"
ANY = {"identifier", "quasi-identifier", "sensitive", "free-text", "operational"}
WRITTEN = {"identifier", "free-text"}
POINTS = {"identifier"}
NEVER: set[str] = set()

# Every type that an XLSForm can name → the classes that a question of it may have. Written by hand, not read from the
# code: a type that is not here fails. Those with nothing are refused whatever their class, or have no answer.
MAY_HAVE: dict[str, set[str]] = {
    "text": WRITTEN,
    "integer": ANY,
    "decimal": ANY,
    "range": ANY,
    "date": ANY,
    "time": ANY,
    "dateTime": ANY,
    "select_one": ANY,
    "select_multiple": ANY,
    "select_one_from_file": ANY,
    "select_multiple_from_file": ANY,
    "rank": ANY,
    "acknowledge": ANY,
    "calculate": ANY,
    "hidden": ANY,
    "start": ANY,
    "end": ANY,
    "today": ANY,
    "username": POINTS,
    "deviceid": POINTS,
    "barcode": POINTS,
    "geopoint": POINTS,
    "image": POINTS,
    "audio": POINTS,
    "file": POINTS,
    "geotrace": NEVER,
    "geoshape": NEVER,
    "video": NEVER,
    "start-geopoint": NEVER,
    "background-geopoint": NEVER,
    "background-audio": NEVER,
    "audit": NEVER,
    "phonenumber": NEVER,
    "email": NEVER,
    "simserial": NEVER,
    "subscriberid": NEVER,
    "osm": NEVER,
    "select_one_external": NEVER,
    "xml-external": NEVER,
}
CLASS_PROBLEMS = {"form.identifier", "form.free_text", "form.least_class", "form.privacy_class", "form.type"}


def codes(xlsform_type: str, privacy: str, appearance: str = "") -> set[str]:
    """Return the codes of what is wrong with a question of a type and class, asked with an approval."""
    header = "| survey |\n| | type | name | label | calculation | appearance | privacy | privacy::approval |\n"
    listed = {"select_one": " l", "select_multiple": " l", "rank": " l"}.get(xlsform_type, "")
    listed = " towns.csv" if xlsform_type.endswith("_from_file") else listed
    calculation = "1" if xlsform_type == "calculate" else ""
    row = f"{xlsform_type}{listed} | asked | Words | {calculation} | {appearance} | {privacy} | board, 2026-01-01"
    # The second row has no class, so that every form here is refused, whatever the first is.
    rows = (row, "integer | unclassed | Words | | | | ")
    choices = "| choices |\n| | list_name | name | label |\n| | l | a | A |\n| | l | b | B |\n"
    return {code for code, number, _ in refused(*rows, header=header, choices=choices) if number == 2}


@pytest.mark.parametrize("privacy", sorted(ANY))
@pytest.mark.parametrize("xlsform_type", sorted(MAY_HAVE))
def test_no_question_has_a_class_below_the_least_one_of_its_type(xlsform_type: str, privacy: str) -> None:
    is_refused = bool(codes(xlsform_type, privacy) & CLASS_PROBLEMS)
    assert is_refused == (privacy not in MAY_HAVE[xlsform_type])


def test_every_type_that_a_form_can_name_is_in_the_table() -> None:
    named = QUESTION_TYPES.keys() | REFUSED_TYPES.keys()
    assert named - {"note"} == MAY_HAVE.keys()
    assert TYPES["note"].answer == AnswerKind.NOTHING


@pytest.mark.parametrize("privacy", sorted(ANY))
def test_a_text_that_the_phone_fills_in_from_a_map_of_areas_may_have_any_class(privacy: str) -> None:
    assert not codes("text", privacy, "area-cell") & CLASS_PROBLEMS


@pytest.mark.parametrize("name", ["asked", "number of events", "age", "risk", "card code"])
@pytest.mark.parametrize("xlsform_type", sorted(QUESTION_TYPES.keys() - {"note"}))
def test_no_class_is_proposed_that_would_then_be_refused(xlsform_type: str, name: str) -> None:
    privacy, reason = propose_class(QUESTION_TYPES[xlsform_type], name, [])
    is_filled_by_phone = xlsform_type in ("username", "deviceid")
    assert privacy in MAY_HAVE[xlsform_type] or is_filled_by_phone
    assert reason


def without(**parts: Any) -> QuestionType:
    return replace(TYPES["geopoint"], name="geoshape", **parts)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"least_class": PrivacyClass.SENSITIVE}, "least class must be identifier"),
        ({"least_class": PrivacyClass.OPERATIONAL}, "least class must be identifier"),
        ({"least_class": None}, "no least privacy class"),
        ({"refused_topic": ""}, "refused_topic"),
        ({"proposal": None}, "must also propose"),
        ({"proposal": ProposedClass(PrivacyClass.SENSITIVE, "Why not.")}, "proposes a class below"),
        ({"answer": AnswerKind.MEDIA, "least_class": PrivacyClass.FREE_TEXT}, "least class must be identifier"),
        ({"answer": AnswerKind.TEXT, "least_class": PrivacyClass.SENSITIVE}, "least class must be free-text"),
    ],
)
def test_a_type_that_would_not_protect_its_answers_cannot_be_made(parts: dict[str, Any], words: str) -> None:
    with pytest.raises(IncompleteType, match=words):
        without(**parts)


def follow_the_recipe(folder: Path, template: str) -> None:
    """Do in a copy of the form language what CONTRIBUTING says for a question type on the server's side."""
    shutil.copytree(ROOT / "forms", folder / "forms", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "forms/types/geoshape.py").write_text(template, encoding="utf-8")
    support = folder / "forms/support.py"
    support.write_text(re.sub(r'\n    "geoshape": N_\([^)]*\),', "", support.read_text(), count=1), encoding="utf-8")


def compile_in(folder: Path, privacy: str) -> str:
    """Return what the compiler in a folder says of a form that asks for an outline, with an approval."""
    header = HEADER.replace("calculation", "privacy::approval")
    (folder / "form.md").write_text(
        f"{header}| | geoshape | q | Q | Q | | | yes | {privacy} |\n{SETTINGS}", encoding="utf-8"
    )
    command = [sys.executable, "-m", "forms", "compile", "form.md"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stderr


@pytest.mark.slow
def test_the_recipe_for_a_type_gives_one_that_is_loaded_and_keeps_its_least_class(tmp_path: Path) -> None:
    follow_the_recipe(tmp_path, TEMPLATE.read_text())
    assert "form.identifier" in compile_in(tmp_path, "operational")
    assert "form.identifier" in compile_in(tmp_path, "quasi-identifier")
    assert "error" not in compile_in(tmp_path, "identifier")


@pytest.mark.slow
@pytest.mark.parametrize("part", ["least_class", "answer", "check", "read", "words", "seconds", "xlsform_names", "proposal"])
def test_a_type_that_leaves_out_a_part_stops_everything_and_the_part_is_named(tmp_path: Path, part: str) -> None:
    template = re.sub(rf"\n    {part}=.*", "", TEMPLATE.read_text())
    assert template != TEMPLATE.read_text()
    follow_the_recipe(tmp_path, template)
    ran = subprocess.run([sys.executable, "-c", "import forms.types"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 1
    last = ran.stderr.strip().splitlines()[-1]
    assert "IncompleteType" in last
    assert "forms/types/geoshape.py" in last
    assert part in last


@pytest.mark.slow
@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("", "has no TYPE"),
        (TEMPLATE.read_text().replace('name="geoshape"', 'name="outline"'), "name the file after it"),
        (TEMPLATE.read_text().replace('("geoshape",)', '("geopoint",)'), "named by two types"),
    ],
    ids=["nothing in it", "another name", "the name of another type"],
)
def test_a_module_that_is_no_type_of_its_own_cannot_be_loaded(tmp_path: Path, template: str, words: str) -> None:
    follow_the_recipe(tmp_path, template)
    ran = subprocess.run([sys.executable, "-c", "import forms.types"], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, words in ran.stderr) == (1, True)


def test_the_schema_that_others_rely_on_names_every_type() -> None:
    schema = json.loads((ROOT / "forms/definition.schema.json").read_text(encoding="utf-8"))
    assert set(schema["$defs"]["element"]["properties"]["type"]["enum"]) == {"", *TYPES}
