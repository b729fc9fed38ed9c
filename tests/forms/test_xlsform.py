"""Workbooks: refused with every problem by sheet and row; compiled when good. Forms are Markdown tables."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from forms.definition import FormDefinition
from forms.isolation import compile_isolated
from forms.problems import FormRefused
from forms.workbook import MAX_BYTES
from forms.xlsform import compile_workbook
from tests.forms.workbooks import HEADER, SETTINGS, compile_md, refused


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("text | note | Note | Note | | | |", ("form.unclassified", 2, "privacy::class")),
        ("text | note | Note | Note | | | | secret", ("form.privacy_class", 2, "privacy::class")),
        ("text | note | Note | Note | | | | operational", ("form.free_text", 2, "privacy::class")),
        ("text | phone | Phone | Tél. | | | | identifier", ("form.refused", 2, "name")),
        ("geopoint | place | Place | Lieu | | | | operational", ("form.identifier", 2, "privacy::class")),
        ("geopoint | place | Place | Lieu | | | | identifier", ("form.refused", 2, "name")),
        ("geotrace | route | Way | Trajet | | | | identifier", ("form.type", 2, "type")),
        ("image | face | Picture | Photo | | | | identifier", ("form.refused", 2, "name")),
        ("video | clip | Film | Film | | | | identifier", ("form.type", 2, "type")),
        ("integer | a b | A | A | | | | operational", ("form.name", 2, "name")),
        ("integer | | A | A | | | | operational", ("form.no_name", 2, "name")),
        ("integer | a | | | | | | operational", ("form.label", 2, "label")),
        ("end_group | | | | | | |", ("form.nesting", 2, "type")),
        ("begin_group | g | G | G | | | |", ("form.nesting", 2, "type")),
        ("integer | a | A | A | . > 1 | | | operational", ("form.own_answer", 2, "relevant")),
        ("text | a | A | A | | regex(., '(a+)+') | | free-text", ("expression.pattern_slow", 2, "constraint")),
        ("text | a | A | A | | regex(., '\\p{L}') | | free-text", ("expression.pattern", 2, "constraint")),
        (
            "integer | a | A | A | extract-signed('x', 'y') = 1 | | | operational",
            ("expression.refused_function", 2, "relevant"),
        ),
        ("integer | a | A | A | instance('nowhere')/root/item/x = 1 | | | operational", ("form.list", 2, "relevant")),
        ("select_one_from_file towns.csv | a | A | A | | | | operational", ("form.file_missing", 2, "type")),
        ("select_one_from_file towns.xml | a | A | A | | | | operational", ("form.file", 2, "type")),
        ("nonsense | a | A | A | | | | operational", ("form.type", 2, "type")),
        ("integer | a | A | A | (1 + | | | operational", ("expression.syntax", 2, "relevant")),
        ("integer | a | A | A | | . == 1 | | operational", ("expression.double_equals", 2, "constraint")),
        ("integer | a | A | A | | nope(.) | | operational", ("expression.function", 2, "constraint")),
        ("integer | a | A | A | ${b} = 1 | | | operational", ("form.reference", 2, "relevant")),
        ("select_one none | a | A | A | | | | operational", ("form.list", 2, "type")),
    ],
)
def test_a_bad_row_is_named(row: str, expected: tuple[str, int, str]) -> None:
    assert expected in refused(row)


def test_every_problem_is_listed_at_once() -> None:
    found = refused(
        "integer | a | A | A | ${zzz} = 1 | | |",
        "audit | b | B | B | | | | operational",
        "text | address | C | C | | . == 'x' | | free-text",
    )
    assert {row for _, row, _ in found} == {2, 3, 4}
    assert {code for code, _, _ in found} >= {
        "form.reference", "form.unclassified", "form.type", "form.refused", "expression.double_equals",
    }  # fmt: skip


def test_a_misspelt_column_is_named_with_what_was_meant() -> None:
    header = HEADER.replace("relevant", "relevent")
    assert ("form.column", 1, "relevent") in refused("integer | a | A | A | | | | operational", header=header)


@pytest.mark.parametrize("column", ["media::image", "bind::foo", "save_to", "intent"])
def test_a_column_that_phones_would_pass_over_is_refused_not_ignored(column: str) -> None:
    header = HEADER.replace("constraint", column)
    found = refused("integer | n | N | N | | yes | | operational", header=header)
    assert ("form.unsupported", 2, column) in found


def test_an_appearance_without_effect_is_said() -> None:
    text = (
        HEADER.replace("constraint", "appearance")
        + "| | integer | n | N | N | | likert sparkling | | operational |\n"
        + SETTINGS
    )
    warnings = compile_workbook(text.encode(), ".md").warnings
    assert [(problem.code, problem.row, problem.details["word"]) for problem in warnings] == [
        ("form.appearance", 2, "likert")
    ]


def test_a_setting_without_effect_is_said() -> None:
    text = (
        HEADER
        + "| | integer | n | N | N | | | | operational |\n| settings |\n| | form_id | version | public_key |\n| | t | 1 | xyz |\n"
    )
    warnings = compile_workbook(text.encode(), ".md").warnings
    assert [(problem.code, problem.column) for problem in warnings] == [("form.setting_unused", "public_key")]


def test_circles_are_named() -> None:
    found = refused(
        "calculate | a | | | | | ${b} + 1 | operational",
        "calculate | b | | | | | ${a} + 1 | operational",
    )
    assert "form.circle" in [code for code, _, _ in found]


def test_blank_rows_keep_row_numbers_right() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        survey, settings = book.add_worksheet("survey"), book.add_worksheet("settings")
        for number, row in {0: ("type", "name", "label"), 1: ("integer", "a", "A"), 4: ("integer", "b", "B")}.items():
            survey.write_row(number, 0, row)
        settings.write_row(0, 0, ("form_id", "version"))
        settings.write_row(1, 0, ("t", "1"))
    with pytest.raises(FormRefused) as caught:
        compile_workbook(buffer.getvalue())
    rows = [problem.row for problem in caught.value.problems if problem.code == "form.unclassified"]
    assert rows == [2, 5]


def test_missing_settings_and_no_questions() -> None:
    codes = {code for code, _, _ in refused("", settings="| settings |\n| | form_title |\n| | T |\n")}
    assert {"form.setting", "form.empty"} <= codes


def test_a_good_form_compiles_and_survives_json() -> None:
    definition = compile_md(
        "integer | n | How many | Combien | | . > 0 | | operational",
        "begin_repeat | r | Visit | Visite | ${n} > 1 | | | ",
        "date | d | Day | Jour | | | | quasi-identifier",
        "end_repeat | | | | | | |",
        "calculate | total | | | | | count(${r}) * ${n} | operational",
    )
    assert [element.path for element in definition.elements] == ["/data/n", "/data/r", "/data/r/d", "/data/total"]
    assert definition.by_path["/data/r/d"].label == {"en": "Day", "fr": "Jour"}
    assert definition.order.index("/data/n") < definition.order.index("/data/r") < definition.order.index("/data/total")
    assert FormDefinition.from_json(definition.to_json()) == definition


def test_a_missing_translation_is_advice_not_a_refusal() -> None:
    text = HEADER + "| | integer | n | How many | | | | | operational |\n" + SETTINGS
    warnings = compile_workbook(text.encode(), ".md").warnings
    assert [(problem.code, problem.severity) for problem in warnings] == [("form.untranslated", "warning")]


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"PK\x03\x04broken", b"x" * (MAX_BYTES + 1)], ids=["empty", "text", "cut off", "enormous"]
)
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(FormRefused):
        compile_isolated(data)


def test_a_zip_that_unpacks_to_very_much_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 70_000_000)
    with pytest.raises(FormRefused) as caught:
        compile_isolated(buffer.getvalue())
    assert caught.value.problems[0].code == "form.too_large"


@pytest.mark.slow
def test_an_other_kind_of_zip_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("hello.txt", b"hello")
    with pytest.raises(FormRefused) as caught:
        compile_isolated(buffer.getvalue())
    assert caught.value.problems[0].code == "form.unreadable"


@pytest.mark.slow
def test_the_command_lists_problems_and_says_so_by_its_status(tmp_path: Path) -> None:
    form = tmp_path / "form.md"
    form.write_text(HEADER + "| | integer | a | A | A | | | | |\n" + SETTINGS)
    command = [sys.executable, "-m", "forms", "compile", str(form)]
    bad = subprocess.run(command, capture_output=True, text=True)
    assert (bad.returncode, "row 2, column privacy::class" in bad.stderr) == (1, True)
    form.write_text(HEADER + "| | integer | a | A | A | | | | operational |\n" + SETTINGS)
    target = tmp_path / "form.json"
    good = subprocess.run([*command, "--json", str(target)], capture_output=True, text=True)
    assert good.returncode == 0
    assert FormDefinition.from_json(target.read_text()).id == "t"
    missing = subprocess.run([*command[:-1], str(tmp_path / "none.xlsx")], capture_output=True, text=True)
    assert (missing.returncode, "Traceback" in missing.stderr) == (2, False)
