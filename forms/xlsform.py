"""Compile an XLSForm.

Workbook → pyxform → XForm → FormDefinition, collecting every problem with its sheet and row.
"""

import re
from xml.etree import ElementTree

from forms import consent, consent_linter, exclusive, linter, retention_linter, xform
from forms.advice import advise
from forms.completeness import find_missing
from forms.definition import Compiled, CsvTable
from forms.form_tests import run_tests
from forms.problems import N_, FormProblem, FormRefused
from forms.sheets import read_sheets
from forms.tables import read_table
from forms.wording_check import check_wording
from forms.workbook import Workbook

# pyxform's complaints in our words, by its code or the beginning of it; {…} are filled from its context.
PYXFORM_SAYS = {
    "ENTITY": N_("Entities are not stored here. Remove the sheet entities and the column save_to."),
    "HEADER_001": N_("The sheet “{sheet_name}” has no row of column names at its top."),
    "HEADER_002": N_("Two columns mean the same: “{other}” and “{header}”. Remove one of them."),
    "HEADER_003": N_("A column is missing in the sheet “{sheet_name}”: {missing}."),
    "HEADER_004": N_("A column name on the choices sheet is empty or has a space in it."),
    "LABEL_001": N_("This choice has no text."),
    "NAMES_001": N_("The name “{value}” is used twice in the same group."),
    "NAMES_003": N_("A repeat cannot be called “data”."),
    "NAMES_004": N_("Two repeats are called “{value}”. Give each its own name."),
    "NAMES_005": N_("The name “meta” is taken by the form itself. Choose another."),
    "NAMES_006": N_("This choice has no name."),
    "NAMES_007": N_("Two choices of the same list have the same name."),
    "NAMES_01": N_("Names cannot begin with two underscores, contain a full stop or be “name” or “label” here."),
    "NAMES": N_("A name begins with a letter or “_”, followed by letters, digits, “_”, “-” or “.”."),
    "PYREF_003": N_("There is no question “{q}” to refer to."),
    "PYREF_004": N_("More than one question is called “{q}”, so it is not clear which is meant."),
    "PYREF": N_("Write a reference with a dollar sign and braces around the name of a question."),
    "RANGE": N_("The parameters of this range do not fit together: start, end and step must be numbers, with whole steps."),
    "SURVEY_001": N_("A group or repeat ends here that never began."),
    "SURVEY_002": N_("A group or repeat begins here and never ends."),
    "SURVEY_004": N_("Write parameters as key=value, with a space between them."),
    "SURVEY_005": N_("This type of question does not know one of its parameters. It knows: {accepted}."),
}


def compile_workbook(data: bytes, file_type: str = ".xlsx", files: dict[str, bytes] | None = None) -> Compiled:
    """Return the compiled form of an XLSForm (.xlsx, .xls or .md).

    Raise FormRefused with every problem found.

    `files` are the CSV files that came with it, by name.
    """
    from pyxform.xls2xform import convert  # noqa: PLC0415  heavy, and servers compile in a process of their own

    # Every problem of the rows, also where pyxform then stops: it names only the first.
    sheets = read_sheets(data, file_type).sheets
    workbook = Workbook(sheets)
    tables, problems = _tables(files or {})
    problems += linter.lint(workbook, set(tables))
    exclusive.add_constraints(workbook)
    text = ""
    try:
        text = convert(workbook.for_pyxform(), form_name="data").xform
    except Exception as error:  # pyxform raises what it likes
        problems.append(_from_pyxform(error, workbook))
    if text:
        try:
            definition, xform_problems = xform.read_xform(workbook, text, tables)
            problems += xform_problems
            # The rest needs a definition that holds together, and would only complain of what
            # follows from the first error.
            if not any(problem.severity == "error" for problem in problems):
                problems += consent_linter.lint_consent(workbook, definition)
                definition, xform_problems = consent.guard(definition)
                problems += xform_problems
                problems += retention_linter.lint_retention(workbook, definition)
                text = consent.write_rules(definition, text)
        except ElementTree.ParseError:
            text = ""
            sentence = N_("A name, a setting or a column has characters that no XForm can have, such as < or &.")
            problems.append(FormProblem("form.signs", sentence, sheet=""))
    # Advice and the author's own tests make sense only for a form that may be published.
    if text and not any(problem.severity == "error" for problem in problems):
        problems += [
            *advise(workbook, definition),
            *check_wording(workbook, definition),
            *find_missing(workbook, definition),
        ]
        problems += run_tests(sheets.get("tests", []), definition)
    # Settings first, then row by row: as an author goes through the workbook.
    problems = sorted(
        _distinct(problems), key=lambda problem: (problem.sheet != "settings", problem.sheet, problem.row or 0)
    )
    if not text or any(problem.severity == "error" for problem in problems):
        raise FormRefused(problems)
    return Compiled(definition, text, problems)


def _tables(files: dict[str, bytes]) -> tuple[dict[str, CsvTable], list[FormProblem]]:
    tables = {}
    problems: list[FormProblem] = []
    for name, data in files.items():
        table, file_problems = read_table(name, data)
        problems += file_problems
        if table:
            tables[name.rsplit(".", 1)[0]] = table
    return tables, problems


def _distinct(problems: list[FormProblem]) -> list[FormProblem]:
    # In reverse, so that of two at one place the first stays: it comes from us and says more.
    seen = {(problem.code, problem.sheet, problem.row, problem.column): problem for problem in reversed(problems)}
    errors = [problem for problem in problems if problem.code != "form.pyxform" and problem.severity == "error"]
    reported = {(problem.sheet, problem.row) for problem in errors if problem.row}
    return [
        problem
        for problem in seen.values()
        # pyxform's complaint is dropped where one of ours stands at that row, or where it names no
        # row and we have errors.
        if problem.code != "form.pyxform" or not ((problem.sheet, problem.row) in reported or (errors and not problem.row))
    ]


def _find_row_number(message: str) -> str | None:
    match = re.search(r"\[?row\s*:?\s*(\d+)", message)
    if match:
        return match[1]
    return None


def _from_pyxform(error: Exception, workbook: Workbook) -> FormProblem:
    """Return pyxform's complaint in our words, with the place that it names.

    pyxform stops at the first.
    """
    context = {key: str(value) for key, value in (getattr(error, "context", None) or {}).items()}
    message = str(error) or type(error).__name__
    row = context.get("row") or _find_row_number(message)
    sheet = context.get("sheet", "")
    if not sheet and "choices" in message:
        sheet = "choices"
    elif not sheet:
        sheet = "survey"
    code = getattr(getattr(error, "code", None), "name", "")
    if "'range' question type" in message:  # raised without its code
        code = "RANGE"
    # By the beginning of a code: one sentence of ours stands for several that differ only for
    # programmers.
    prefix = next((code_start for code_start in PYXFORM_SAYS if code and code.startswith(code_start)), "")
    number = None
    if row and row.isdecimal():
        number = int(row)
    column = context.get("column")
    if column and sheet == "survey":
        column = workbook.written.get(column, column)
    if prefix:
        details = {key: context.get(key, "?") for key in re.findall(r"\{(\w+)\}", PYXFORM_SAYS[prefix])}
        return FormProblem("form.pyxform", PYXFORM_SAYS[prefix], details, sheet, number, column)
    text = N_("pyxform, which reads the workbook, says: {reason}")
    # Cut: messages of other libraries may quote whole cells.
    return FormProblem("form.pyxform", text, {"reason": message[:400]}, sheet, number, column)
