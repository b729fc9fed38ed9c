"""What pyxform lets pass and a programme must not: unclassified questions, misspelt columns, refused questions."""

import difflib
import re
from collections.abc import Iterator

from forms.expressions.parser import ExpressionError, parse
from forms.privacy import REFUSED_NAMES, PrivacyClass
from forms.problems import N_, FormProblem
from forms.workbook import BEGIN, END, Row, Workbook, language_code

QUESTION_TYPES = {
    "text": "text",
    "string": "text",
    "integer": "integer",
    "int": "integer",
    "decimal": "decimal",
    "date": "date",
    "datetime": "dateTime",
    "note": "note",
    "calculate": "calculate",
    "hidden": "calculate",
    "select_one": "select_one",
    "select_multiple": "select_multiple",
}
REFERENCE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")
EXPRESSION_COLUMNS = ("relevant", "required", "constraint", "calculation")
COLUMNS = [
    *("type", "name", "label", "hint", "guidance_hint", "appearance", "default", "calculation", "relevant", "required"),
    *("required_message", "constraint", "constraint_message", "note", "privacy"),
]
# Known to XLSForm, and refused where a cell is filled, since the phone would pass over them.
UNSUPPORTED = [
    *("read_only", "readonly", "parameters", "choice_filter", "repeat_count", "trigger", "bind", "body", "instance"),
    *("media", "image", "audio", "video", "jr:count"),
]
APPEARANCES = ["multiline", "minimal", "last-used", "card-code", "field-list"]
SETTINGS = ["form_title", "title", "form_id", "id_string", "version", "default_language", "style"]


def _base(column: str) -> str:
    """Return the name of a column without its language or kind: label for "label::French (fr)"."""
    return column.split("::", maxsplit=1)[0].strip().lower()


def question_type(row: Row) -> str:
    """Return the type of a row without its list: select_one for "select_one yes_no"."""
    words = row.type.split(" ")
    return QUESTION_TYPES.get(words[0].lower(), "") if words else ""


def lint(workbook: Workbook) -> list[FormProblem]:
    """Return everything wrong that can be seen in the rows themselves."""
    problems = [*_columns(workbook), *_settings(workbook)]
    rows = [row for row in workbook.survey if row.type.lower() not in END]
    if not rows:
        problems.append(FormProblem("form.empty", N_("The survey sheet has no questions. Add at least one row.")))
    names = {row.name for row in rows}
    for row in rows:
        problems += [*_row(row), *_expressions(row, names), *_advice(workbook, row)]
    problems += _choices(workbook)
    return problems


def _columns(workbook: Workbook) -> Iterator[FormProblem]:
    for column in workbook.header("survey"):
        base = _base(column)
        if base == "privacy" and column != "privacy::class":
            base = column
        if base and base not in COLUMNS and base not in UNSUPPORTED:
            near = difflib.get_close_matches(base, [*COLUMNS, "privacy::class"], 1)
            text = N_("“{column}” is not a column of an XLSForm. Did you mean “{near}”?")
            if not near:
                text = N_("“{column}” is not a column of an XLSForm. Remove it, or name it “note”.")
            details = {"column": column, "near": near[0] if near else ""}
            yield FormProblem("form.column", text, details, row=1, column=column)


def _expressions(row: Row, names: set[str]) -> Iterator[FormProblem]:
    for column in EXPRESSION_COLUMNS:
        text = row.cells.get(column, "")
        if not text or text.lower() in ("yes", "no", "true", "false"):
            continue
        for name in REFERENCE.findall(text):
            if name not in names:
                sentence = N_("There is no question “{name}” to refer to.")
                yield FormProblem("form.reference", sentence, {"name": name}, row=row.number, column=column)
        try:
            parse(REFERENCE.sub(r"\1", text))
        except ExpressionError as error:
            yield FormProblem(error.code, error.text, error.details, row=row.number, column=column)


def _settings(workbook: Workbook) -> Iterator[FormProblem]:
    settings = workbook.settings
    for key in ("form_id", "version"):
        if not settings.get(key):
            text = N_("The settings sheet needs a {key}.")
            yield FormProblem("form.setting", text, {"key": key}, sheet="settings", row=2, column=key)
    for key in settings:
        if key not in SETTINGS and not key.startswith(("summary_", "form_title_", "privacy::")):
            text = N_("The setting “{key}” has no effect here.")
            yield FormProblem("form.setting_unused", text, {"key": key}, "settings", 2, key, "warning")
    if "fr" not in map(language_code, workbook.languages):
        text = N_("The form has no French labels. Workers who use French will see another language.")
        yield FormProblem("form.language", text, row=1, severity="warning")


def _row(row: Row) -> Iterator[FormProblem]:
    details = {"name": row.name or "?", "type": row.type}
    for column, cell in row.cells.items():
        if cell and _base(column) in UNSUPPORTED and not (question_type(row) == "note" and _base(column).startswith("read")):
            text = N_("The column “{column}” is not supported yet.")
            yield FormProblem("form.unsupported", text, {"column": column}, row=row.number, column=column)
    if row.type.lower() in BEGIN:
        return
    if not question_type(row):
        text = N_("“{type}” is not a type of question that this app can ask yet.")
        yield FormProblem("form.type", text, details, row=row.number, column="type")
        return
    if question_type(row) == "note":
        return
    given = row.cells.get("privacy::class", "")
    if not given:
        text = N_("“{name}” has no privacy class. Say in the column privacy::class what its answers tell about a person.")
        yield FormProblem("form.unclassified", text, details, row=row.number, column="privacy::class")
    elif given not in list(PrivacyClass):
        text = N_("“{given}” is not a privacy class. Use one of: {classes}.")
        details |= {"given": given, "classes": ", ".join(PrivacyClass)}
        yield FormProblem("form.privacy_class", text, details, row=row.number, column="privacy::class")
    elif question_type(row) == "text" and given not in (PrivacyClass.FREE_TEXT, PrivacyClass.IDENTIFIER):
        text = N_("“{name}” lets people write freely, so its privacy class must be free-text or identifier.")
        yield FormProblem("form.free_text", text, details, row=row.number, column="privacy::class")
    if row.name.lower() in REFUSED_NAMES:
        text = N_("“{name}” is on the list of things this programme does not collect. Take the question out.")
        yield FormProblem("form.refused", text, details, row=row.number, column="name")


def _advice(workbook: Workbook, row: Row) -> Iterator[FormProblem]:
    """What may stay, but its author might not know: parts without effect, missing translations."""
    if not question_type(row):
        return
    without_effect = {column: cell for column, cell in row.cells.items() if _base(column) == "guidance_hint"}
    if words := [word for word in row.cells.get("appearance", "").split() if word not in APPEARANCES]:
        without_effect["appearance"] = " ".join(words)
    for column, what in without_effect.items():
        text = N_("What stands in “{column}” has no effect here: {what}")
        details = {"column": column, "what": what[:40]}
        yield FormProblem("form.unused", text, details, row=row.number, column=column, severity="warning")
    details = {"name": row.name or "?"}
    for language in workbook.languages:
        column = "label" if language == "default" else f"label::{language}"
        if question_type(row) != "calculate" and not row.cells.get(column):
            text = N_("“{name}” has no label in {language}; workers will see another language.")
            details_here = details | {"language": language}
            yield FormProblem("form.untranslated", text, details_here, row=row.number, column=column, severity="warning")


def _choices(workbook: Workbook) -> Iterator[FormProblem]:
    lists = {row.get("list_name", row.get("list name", "")) for _, row in workbook.choices}
    for row in workbook.survey:
        words = row.type.split(" ")
        if question_type(row).startswith("select") and (len(words) < 2 or words[1] not in lists):
            text = N_("The choices sheet has no list “{list}”.")
            details = {"list": words[1] if len(words) > 1 else ""}
            yield FormProblem("form.list", text, details, row=row.number, column="type")
        if "or_other" in words:
            text = N_("“or_other” opens a free-text answer; add the choices that you need instead.")
            yield FormProblem("form.or_other", text, row=row.number, column="type")
    for number, cells in workbook.choices:
        if " " in cells.get("name", ""):
            text = N_("The name “{name}” has a space in it. Use an underscore.")
            yield FormProblem("form.choice_name", text, {"name": cells["name"]}, sheet="choices", row=number, column="name")
