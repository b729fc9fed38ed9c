"""What pyxform lets pass and a program must not.

Every problem of the rows themselves, at once.
"""

import re
from collections.abc import Iterator
from typing import Literal

from forms import support
from forms.choice_linter import find_similar, lint_choices
from forms.expressions import ExpressionError, parse
from forms.headings import is_known, is_translated, language_of, to_snake_case
from forms.privacy import DIRECT, EXPORTS, find_refused_topic, read_written_class
from forms.privacy_classes import AT_LEAST, NEVER_LEAVES, PrivacyClass, is_at_least
from forms.problems import N_, FormProblem
from forms.question_type import LOOK, WORKS, QuestionType
from forms.types import TYPES
from forms.workbook import NAME, REFERENCE, Row, Workbook, language_code, name_column, row_advice, row_problem

LAST_SAVED = re.compile(r"\$\{\s*last-saved#[^}]*\}")
EXPRESSION_COLUMNS = ("relevant", "required", "constraint", "calculation", "read_only", "choice_filter", "repeat_count")
WORDS_FOR_YES = ("yes", "no", "true", "false", "true()", "false()")


def lint(workbook: Workbook, tables: set[str]) -> list[FormProblem]:
    """Return everything wrong that can be seen in the rows.

    `tables` are the lists that came as files.
    """
    # All problems at once: an author who learns of one error an upload gives up.
    problems = [*_check_columns(workbook), *_check_settings(workbook), *_refuse_entities(workbook)]
    rows = [row for row in workbook.survey if not row.ends]
    if not rows:
        problems.append(FormProblem("form.empty", N_("The survey sheet has no questions. Add at least one row.")))
    names = {row.name: row.kind for row in rows}
    # pyxform makes a question of this name for "or other"; rules may refer to it.
    names |= {f"{row.name}_other": "text" for row in rows if "or_other" in row.type.lower()}
    problems += _check_nesting(workbook)
    for row in workbook.survey:
        problems += _check_cells(row)
        if not row.ends:
            problems += [*_check_type(row), *_check_name(row), *_check_calculation(row), *_check_expressions(row, names)]
        question_type = row.question_type
        if question_type:
            problems += [
                *_check_appearance(row),
                *_check_parameters(row, question_type),
                *_check_privacy(row, question_type),
            ]
    return problems + lint_choices(workbook, tables)


def _check_columns(workbook: Workbook) -> Iterator[FormProblem]:
    for heading in workbook.columns("survey"):
        if is_known(heading.standard):
            continue
        column = heading.written
        near = find_similar(to_snake_case(column.split(":")[0]), support.COLUMNS)
        text = N_("“{column}” is not a column of an XLSForm. Did you mean “{near}”?")
        if not near:
            text = N_("“{column}” is not a column of an XLSForm, so nothing reads it.")
        details = {"column": column, "near": near}
        # An error only where a word looks like a typo of a column that matters; other columns are
        # an author's own notes.
        severity: Literal["error", "warning"] = "warning"
        if near:
            severity = "error"
        yield FormProblem("form.column", text, details, row=1, column=column, severity=severity)
    for sheet in ("survey", "choices", "settings"):
        yield from _find_doubled_columns(workbook, sheet)
        yield from _find_cells_without_heading(workbook, sheet)


def _find_doubled_columns(workbook: Workbook, sheet: str) -> Iterator[FormProblem]:
    """Name columns that mean the same, of which only one could be read."""
    seen: dict[str, str] = {}
    for heading in workbook.columns(sheet):
        meaning = heading.standard
        # "label::French" and "label::French (fr)" are two headings of one language.
        if is_translated(meaning) and language_of(meaning):
            base = meaning.removesuffix(language_of(meaning))
            meaning = base + language_code(language_of(meaning))
        if meaning in seen:
            text = N_("Two columns mean the same: “{other}” and “{header}”. Remove one of them.")
            details = {"other": seen[meaning], "header": heading.written}
            yield FormProblem("form.column_twice", text, details, sheet=sheet, row=1, column=heading.written)
        seen.setdefault(meaning, heading.written)


def _find_cells_without_heading(workbook: Workbook, sheet: str) -> Iterator[FormProblem]:
    """Name cells that stand under no heading, once a column."""
    table = workbook.table(sheet)
    headed = {heading.at for heading in workbook.columns(sheet)}
    if not headed and len(table) > 1:
        text = N_("The sheet “{sheet_name}” has no row of column names at its top.")
        yield FormProblem("form.no_headings", text, {"sheet_name": sheet}, sheet=sheet, row=1)
        return
    reported: set[int] = set()
    for number, row in enumerate(table[1:], 2):
        for at, text in enumerate(row):
            if text and at not in headed and at not in reported:
                reported.add(at)
                sentence = N_("Nothing reads this column, since its first row is empty. Give it a name, or remove it.")
                column = name_column(at)
                yield FormProblem("form.no_heading", sentence, {}, sheet, number, column, severity="warning")


def _check_cells(row: Row) -> Iterator[FormProblem]:
    """Refuse what stands in a column that this app does not read."""
    for column, cell in row.cells.items():
        # Their work is done by other means here: the type of a question says both.
        if not cell or column in ("bind::type", "bind::odk:length"):
            continue
        parts = column.split("::")
        # From the longest name to the shortest, so that "bind::type" is judged before "bind".
        verdict = support.COLUMNS.get(column) or support.COLUMNS.get("::".join(parts[:2])) or support.COLUMNS.get(parts[0])
        if verdict is None and parts[0] in ("control",):
            verdict = support.COLUMNS["body"]
        if verdict and verdict not in (WORKS, LOOK):
            yield row_problem("form.unsupported", verdict, row, column)


def _check_settings(workbook: Workbook) -> Iterator[FormProblem]:
    settings = workbook.settings
    number = workbook.settings_number
    for key in ("form_id", "version"):
        if not settings.get(key):
            text = N_("The settings sheet needs a {key}.")
            yield FormProblem("form.setting", text, {"key": key}, sheet="settings", row=number, column=key)
    for key in ("form_id", "version"):
        # They become file names, parts of addresses and of XML.
        if settings.get(key) and not re.fullmatch(r"[A-Za-z0-9_.\-]{1,64}", settings[key]):
            text = N_("“{key}” may have letters, digits, “_”, “-” and “.” only, 64 at most.")
            yield FormProblem("form.setting", text, {"key": key}, sheet="settings", row=number, column=key)
    for key, value in settings.items():
        verdict = support.SETTINGS.get(key)
        if key.startswith(("summary_", "form_title_", "form_title::")) or not value:
            continue
        if verdict is None or verdict not in (WORKS, LOOK):
            text = N_("The setting “{key}” has no effect here.")
            yield FormProblem("form.setting_unused", text, {"key": key}, "settings", number, key, "warning")
    for other, _ in workbook.rows("settings")[1:]:
        text = N_("Only one row of settings is read, row {number}. Remove this one.")
        details = {"number": str(number)}
        yield FormProblem("form.settings_row", text, details, sheet="settings", row=other)


def _refuse_entities(workbook: Workbook) -> Iterator[FormProblem]:
    if workbook.rows("entities"):
        yield FormProblem("form.entities", N_("Entities are not stored here. Remove the sheet entities."), sheet="entities")
    if workbook.rows("external_choices"):
        text = N_("Use select_one_from_file with a choice_filter: it does the same and works in every app.")
        yield FormProblem("form.type", text, sheet="external_choices")
    if workbook.rows("osm"):
        yield FormProblem("form.type", support.REFUSED_TYPES["osm"], sheet="osm")


def _check_nesting(workbook: Workbook) -> Iterator[FormProblem]:
    trail: list[Row] = []
    for row in workbook.survey:
        if row.begins:
            trail.append(row)
        elif row.ends:
            if not trail:
                yield row_problem("form.nesting", N_("A group or repeat ends here that never began."), row, "type")
                continue
            opened = trail.pop()
            if opened.begins != row.ends:
                text = N_("This ends a {kind}, but the {open} of row {at} is still open.")
                yield row_problem(
                    "form.nesting", text, row, "type", kind=row.ends, open=opened.begins, at=str(opened.number)
                )
    for row in trail:
        yield row_problem("form.nesting", N_("A group or repeat begins here and never ends."), row, "type")


def _check_type(row: Row) -> Iterator[FormProblem]:
    if row.begins:
        if row.begins == "loop":
            yield row_problem("form.type", N_("Loops over a list are old XLSForm. Use a repeat."), row, "type")
        return
    if not row.type:
        text = N_("This row has no type. Is a cell one column off?")
        yield row_problem("form.no_type", text, row, "type")
        return
    verdict = support.TYPE_VERDICTS.get(row.standard_type)
    if verdict is None:
        near = find_similar(row.type.split()[0], [*support.TYPE_VERDICTS, *support.TYPE_ALIASES])
        text = N_("“{type}” is not a type of question. Did you mean “{near}”?")
        if not near:
            text = N_("“{type}” is not a type of question that an XLSForm knows.")
        yield row_problem("form.type", text, row, "type", type=row.type, near=near)
    elif verdict != WORKS:
        yield row_problem("form.type", verdict, row, "type", type=row.type)


def _check_name(row: Row) -> Iterator[FormProblem]:
    if not row.name:
        if row.kind != "note" and (row.kind or row.begins):
            yield row_problem("form.no_name", N_("This row has no name. Give it a short one, like “place”."), row, "name")
    elif not NAME.fullmatch(row.name):
        text = N_("A name begins with a letter or “_”, followed by letters, digits, “_”, “-” or “.”.")
        yield row_problem("form.name", text, row, "name")
    has_label = any(cell for column, cell in row.cells.items() if column.split("::")[0] in ("label", "hint"))
    is_shown = row.question_type is not None and row.question_type.is_on_screen
    if is_shown and not has_label and not row.cells.get("calculation"):
        text = N_("“{name}” has no text, so nobody would know what is asked.")
        yield row_problem("form.label", text, row, "label", name=row.name)


def _check_calculation(row: Row) -> Iterator[FormProblem]:
    formula = row.cells.get("calculation") or row.cells.get("default")
    if row.standard_type == "calculate" and not formula:
        text = N_("“{name}” computes nothing: its calculation is empty.")
        yield row_problem("form.no_calculation", text, row, "calculation", name=row.name)


def _check_expressions(row: Row, names: dict[str, str]) -> Iterator[FormProblem]:
    cells = {column: row.cells.get(column, "") for column in EXPRESSION_COLUMNS}
    default = row.cells.get("default", "")
    if ("(" in default and "${" in default) or LAST_SAVED.search(default):
        cells["default"] = default
    for column, text in cells.items():
        # Words and not expressions: pyxform turns them into true() and false() itself.
        if not text or text.lower() in WORDS_FOR_YES:
            continue
        if LAST_SAVED.search(text):
            sentence = N_("last-saved is not known here. Use the appearance last-used, which remembers the last answer.")
            yield row_problem("form.last_saved", sentence, row, column)
            continue
        yield from _find_unknown_references(row, column, text, names)
        try:
            # The name alone parses as a path; braces have no meaning in the language itself.
            parse(REFERENCE.sub(r" \1 ", text))
        except ExpressionError as error:
            yield row_problem(error.code, error.text, row, column, **error.details)
    for column, text in row.cells.items():
        if column.split("::")[0] in (*support.TRANSLATED, "trigger"):
            yield from _find_unknown_references(row, column, text, names)
    # A hidden question changes without anybody touching it, and then nothing would be triggered.
    for name in REFERENCE.findall(row.cells.get("trigger", "")):
        target = TYPES.get(names.get(name, ""))
        if target is not None and not target.is_on_screen:
            text = N_("“{name}” is not a question that people answer, so nothing can be triggered by it.")
            yield row_problem("form.trigger", text, row, "trigger", name=name)


def _find_unknown_references(row: Row, column: str, text: str, names: dict[str, str]) -> Iterator[FormProblem]:
    for name in REFERENCE.findall(text):
        if name.startswith("last-saved#"):
            sentence = N_("last-saved is not known here. Use the appearance last-used, which remembers the last answer.")
            yield row_problem("form.last_saved", sentence, row, column)
        elif name not in names:
            near = find_similar(name, names)
            sentence = N_("There is no question “{name}” to refer to. Did you mean “{near}”?")
            if not near:
                sentence = N_("There is no question “{name}” to refer to.")
            yield row_problem("form.reference", sentence, row, column, name=name, near=near)


def _check_appearance(row: Row) -> Iterator[FormProblem]:
    text = row.cells.get("appearance", "")
    words = text.split()
    if text.startswith("search("):
        words = ["search()"]
    elif text == "quick map":  # the one appearance with a space in its name
        words = ["quick map"]
    for word in words:
        appearance = support.find_appearance(word)
        if appearance is None:
            sentence = N_("Nobody knows the appearance “{word}”; it has no effect.")
            yield row_advice("form.appearance", sentence, row, "appearance", word=word)
        elif appearance[1] not in (WORKS, LOOK):
            yield row_problem("form.appearance_refused", appearance[1], row, "appearance")
        elif "*" not in appearance[0] and row.kind not in appearance[0]:
            sentence = N_("The appearance “{word}” has no effect on this type of question.")
            yield row_advice("form.appearance", sentence, row, "appearance", word=word)


def _check_parameters(row: Row, question_type: QuestionType) -> Iterator[FormProblem]:
    if not row.cells.get("parameters"):
        return
    for pair in re.split(r"[\s,;]+", re.sub(r"\s*=\s*", "=", row.cells["parameters"])):
        key = pair.partition("=")[0].lower()
        if key and key not in question_type.parameters:
            sentence = N_("The parameter “{key}” is not one of this type of question.")
            yield row_problem("form.parameter", sentence, row, "parameters", key=key)


def _check_privacy(row: Row, question_type: QuestionType) -> Iterator[FormProblem]:
    least = question_type.least_class_of(row.standard_type, row.cells.get("appearance", ""))
    if least is None:
        return
    written = read_written_class(row)
    if written or not question_type.is_class_implied:
        yield from _check_class(row, written, least)
    topic = question_type.refused_topic or find_refused_topic(row.name)
    # By what its name asks for: a date called "dob" is a birth date, whatever its type and class
    # say.
    if topic in DIRECT and least != PrivacyClass.IDENTIFIER and written and written not in NEVER_LEAVES:
        yield row_problem("form.identifier", POINTS_TO_ONE, row, "privacy::class", name=row.name)
    yield from _check_topic(row, topic)
    yield from _check_export(row, written)


POINTS_TO_ONE = N_("“{name}” can point to one person, so its privacy class must be identifier.")
TOO_LOW = {
    PrivacyClass.IDENTIFIER: ("form.identifier", POINTS_TO_ONE),
    PrivacyClass.FREE_TEXT: (
        "form.free_text",
        N_("“{name}” lets people write freely, so its privacy class must be free-text or identifier."),
    ),
}
TOO_LOW_ELSE = ("form.least_class", N_("“{name}” can say more than its privacy class. Use one of: {classes}."))


def _check_class(row: Row, written: str, least: PrivacyClass) -> Iterator[FormProblem]:
    """Name a privacy class that is missing, unknown, or below the least one of the type."""
    column = "privacy::class"
    if not written:
        text = N_("“{name}” has no privacy class. Say in the column privacy what its answers reveal about a person.")
        yield row_problem("form.unclassified", text, row, column, name=row.name)
    elif written not in list(PrivacyClass):
        text = N_("“{given}” is not a privacy class. Use one of: {classes}.")
        yield row_problem("form.privacy_class", text, row, column, given=written, classes=", ".join(PrivacyClass))
    elif not is_at_least(written, least):
        code, text = TOO_LOW.get(least, TOO_LOW_ELSE)
        classes = ", ".join(sorted(AT_LEAST[least]))
        yield row_problem(code, text, row, column, name=row.name, classes=classes)


def _check_topic(row: Row, topic: str) -> Iterator[FormProblem]:
    """Name what is on the refuse-to-collect list.

    Refused, or asked with the approval that is written down.
    """
    if not topic:
        return
    approval = row.cells.get("privacy::approval", "")
    if not approval:
        text = N_(
            "“{name}” asks for something that this program does not collect ({what}). Remove it, or write in "
            "privacy::approval who agreed to it and when."
        )
        yield row_problem("form.refused", text, row, "name", name=row.name, what=topic)
        return
    text = N_("“{name}” is on the list of what not to collect ({what}), and is asked with this approval: {approval}")
    details = {"name": row.name, "what": topic, "approval": approval[:80]}
    yield row_advice("form.approved", text, row, "privacy::approval", **details)


def _check_export(row: Row, rule: str) -> Iterator[FormProblem]:
    export = row.cells.get("privacy::export", "").lower()
    if not export:
        return
    if export not in EXPORTS:
        text = N_("“{given}” is not an export rule. Use one of: {rules}.")
        yield row_problem("form.export", text, row, "privacy::export", given=export, rules=", ".join(EXPORTS))
    elif export != "drop" and rule in list(NEVER_LEAVES):
        text = N_("“{name}” is {privacy} and never leaves the centre. Its export rule must be “drop”.")
        yield row_problem("form.export_never", text, row, "privacy::export", name=row.name, privacy=rule)
    # A day needs no hierarchy of its own: months and years follow from it.
    elif export == "generalise" and not row.cells.get("privacy::hierarchy") and row.kind not in ("date", "dateTime"):
        text = N_("“{name}” is to be made less detailed; say how in privacy::hierarchy.")
        yield row_problem("form.hierarchy", text, row, "privacy::hierarchy", name=row.name)
