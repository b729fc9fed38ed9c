"""What Excel keeps in a cell besides text is read as it looks, or named by sheet, row and column: nothing reads as blank."""

import datetime as dt
import io
import zipfile
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from forms.problems import FormRefused
from forms.sheets import read_sheets
from forms.xlsform import compile_workbook

HEADINGS = ["type", "name", "label", "privacy", "constraint", "required"]
ROW = ["integer", "n", "Number", "operational", ". < 5", "yes"]


def written(cells: dict[str, Any], is_excels: bool = False) -> bytes:
    """Return a workbook with cells of the survey replaced: text, a formula with its result, a date, an error.

    Unless it is Excel's, it says that its formulas are to be computed by whoever opens it, as programs write.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet("survey")
    for number, row in enumerate((HEADINGS, ROW)):
        sheet.write_row(number, 0, row)
    for place, cell in cells.items():
        if isinstance(cell, tuple):
            sheet.write_formula(place, cell[0], None, cell[1])
        elif isinstance(cell, dt.date | dt.time):
            sheet.write_datetime(place, cell, book.add_format({"num_format": "yyyy-mm-dd"}))
        else:
            sheet.write(place, cell)
    settings = book.add_worksheet("settings")
    settings.write_row(0, 0, ["form_id", "version"])
    settings.write_row(1, 0, ["f", "1"])
    book.add_worksheet("scratch").write_formula("A1", "=1/0", None, "#DIV/0!")
    book.close()
    data = buffer.getvalue()
    return without(data, "xl/workbook.xml", b'fullCalcOnLoad="1"', b"") if is_excels else data


def without(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            changed.writestr(name, content.replace(old, new) if name == part else content)
    return buffer.getvalue()


def refusals(data: bytes) -> list[tuple[str, str, int | None, str | None]]:
    with pytest.raises(FormRefused) as refused:
        compile_workbook(data)
    return [(one.code, one.sheet, one.row, one.column) for one in refused.value.problems]


def test_a_rule_in_a_formula_without_a_result_is_named_and_never_vanishes() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet
    sheet.title = "survey"
    for row in (HEADINGS, [*ROW[:4], '=". < " & 5', "yes"], ['="integer"', "m", "Second", "operational", "", "yes"]):
        sheet.append(row)
    sheet["A3"] = '="integer"'
    settings = book.create_sheet("settings")
    settings.append(["form_id", "version"])
    settings.append(["f", "1"])
    buffer = io.BytesIO()
    book.save(buffer)
    assert refusals(buffer.getvalue()) == [("form.formula", "survey", 2, "E"), ("form.formula", "survey", 3, "A")]


def test_what_a_program_put_for_a_result_is_not_read_as_one() -> None:
    assert refusals(written({"E2": ('=". < " & 5', 0)})) == [("form.formula", "survey", 2, "E")]


def test_a_result_that_excel_kept_is_read_and_an_empty_text_is_one() -> None:
    data = written({"E2": ('=". < " & 5', ". < 5"), "F2": ('=""', "")}, is_excels=True)
    data = without(data, "xl/worksheets/sheet1.xml", b'<c r="F2">', b'<c r="F2" t="str">')
    (question,) = compile_workbook(data).definition.elements
    assert question.constraint is not None and question.required is None
    assert read_sheets(data, ".xlsx").sheets["survey"][1] == [*ROW[:5]]


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#DIV/0!"])
def test_an_error_in_a_cell_is_named(error: str) -> None:
    data = written({"E2": ("=A99", error)}, is_excels=True)
    with pytest.raises(FormRefused) as refused:
        compile_workbook(data)
    (problem,) = refused.value.problems
    assert (problem.code, problem.sheet, problem.row, problem.column) == ("form.cell_error", "survey", 2, "E")
    assert error in str(problem)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (dt.date(2026, 11, 1), "2026-11-01"),
        (dt.datetime(2026, 11, 1, 12, 30), "2026-11-01 12:30:00"),
        (dt.time(8, 15), "08:15:00"),
        (True, "TRUE"),
        (False, "FALSE"),
        (5.0, "5"),
        (0.25, "0.25"),
        ("#REF!", "#REF!"),
    ],
)
def test_days_truths_and_numbers_are_read_as_they_look(cell: Any, text: str) -> None:
    assert read_sheets(written({"C2": cell}), ".xlsx").sheets["survey"][1][2] == text
