"""What a form that compiles still tells its author.

Limits of privacy, other engines, length, reading grade.
"""

from collections.abc import Iterator

from forms import dependencies
from forms.definition import EXPRESSIONS, Element, FormDefinition
from forms.expressions.functions import OF_SELF
from forms.expressions.nodes import (
    Ast,
    Call,
    NumberLiteral,
    Operation,
    Path,
    TextLiteral,
    Union,
    list_called_functions,
    list_conditions,
    list_parts,
    walk,
)
from forms.expressions.values import parse_date
from forms.lists import in_language
from forms.privacy import MAX_QUASI_IDENTIFIERS
from forms.privacy_classes import NEVER_LEAVES, PrivacyClass
from forms.problems import N_, FormProblem
from forms.reading import estimate
from forms.workbook import Row, Workbook, language_code, row_advice
from forms.xform import COLUMN_OF

MAX_MINUTES = 10
APP_LANGUAGES = ("en", "fr")  # those that the app itself speaks
MAX_GRADE = 8
ONLY_HERE = {"ceiling", "floor", "substring", "last", "date-time"}  # not in ODK Collect (JavaRosa)


def advise(workbook: Workbook, definition: FormDefinition) -> list[FormProblem]:
    """Return what is wrong or worth knowing about a form as a whole."""
    problems = [*_check_quasi_identifiers(definition), *_check_length(definition), *_check_languages(workbook)]
    full, partial = _check_coverage(workbook, definition)
    problems += partial
    for element in definition.elements:
        row = workbook.by_path.get(element.path)
        # The second question of "or other" has no row of its own to point at.
        if row is None or row.path != element.path:
            continue
        problems += [
            *_find_derived_leaks(definition, element, row),
            *_check_engines(element, row),
            *_find_untranslated(full, element, row),
        ]
        if element.kind == "question" and element.is_on_screen and element.calculate:
            text = N_("“{name}” is computed: people see it and cannot change it.")
            problems.append(row_advice("form.computed", text, row, "calculation", name=element.name))
        if "or_other" in row.type.lower().split():
            text = N_("“{name}” also offers an answer in free text. It stays at the centre: its class is free-text.")
            problems.append(row_advice("form.or_other", text, row, "type", name=element.name))
    return problems


def _check_quasi_identifiers(definition: FormDefinition) -> Iterator[FormProblem]:
    names = [
        element.name
        for element in definition.elements
        # What leaves only as counts, or not at all, cannot be joined with the others.
        if element.privacy == PrivacyClass.QUASI_IDENTIFIER and element.export not in ("drop", "count")
    ]
    if len(names) > MAX_QUASI_IDENTIFIERS:
        text = N_(
            "{count} indirect identifiers could be released together, and more than {most} let outsiders "
            "identify people: {names}. Set privacy::export to “drop” or “count” for some."
        )
        details = {"count": str(len(names)), "most": str(MAX_QUASI_IDENTIFIERS), "names": ", ".join(names)}
        yield FormProblem("form.quasi_identifiers", text, details, column="privacy::export")


def _check_length(definition: FormDefinition) -> Iterator[FormProblem]:
    estimated = estimate(definition)
    if estimated.minutes > MAX_MINUTES:
        text = N_(
            "Filling this in takes about {minutes} minutes when every question is asked. Long forms are left unfinished."
        )
        yield FormProblem("form.long", text, {"minutes": f"{estimated.minutes:.0f}"}, sheet="", severity="warning")
    for language, grade in estimated.grades.items():
        if grade > MAX_GRADE:
            text = N_(
                "The words ({language}) need about {grade} years of school; aim for 6 to 7. Use shorter words and sentences."
            )
            details = {"language": language, "grade": f"{grade:.0f}"}
            yield FormProblem("form.reading", text, details, sheet="", severity="warning")


def _check_languages(workbook: Workbook) -> Iterator[FormProblem]:
    if "fr" not in map(language_code, workbook.languages):
        text = N_("The form has no French labels. Workers who use French will see another language.")
        yield FormProblem("form.language", text, row=1, severity="warning")


def _find_derived_leaks(definition: FormDefinition, element: Element, row: Row) -> Iterator[FormProblem]:
    """Refuse a calculation that could carry out what never leaves under a lower class."""
    if element.privacy in list(NEVER_LEAVES) or row.cells.get("privacy::approval"):
        return
    # Values that come in by a trigger are calculations, too.
    own = [(element.path, ast) for ast in (element.calculate, element.first_value) if ast]
    for seen_from, ast in [*own, *element.triggers.items()]:
        for path in _list_copied_questions(definition, ast, seen_from):
            source = definition.by_path[path]
            text = N_(
                "“{name}” could carry “{source}”, which is {privacy} and never leaves. Give it the same class, "
                "or write in privacy::approval who agreed."
            )
            details = {"name": element.name, "source": source.name, "privacy": source.privacy}
            yield FormProblem("form.derived", text, details, row=row.number, column=row.column("privacy::class"))


# What comes out of these says nothing of the text that went in, or only yes or no.
SAY_LITTLE = {"string-length", "count", "count-non-empty", "position", "regex", "not", "boolean", "selected", "contains"}
COMPARE = {"=", "!=", "<", "<=", ">", ">=", "and", "or"}


def _list_copied_questions(definition: FormDefinition, ast: Ast, path: str) -> Iterator[str]:
    """Yield the paths of questions that never leave and whose answers an expression may carry."""
    match ast:
        case Call(name) if name in SAY_LITTLE:
            return
        case Operation(operator) if operator in COMPARE:
            return
        case Path():
            for target, _ in dependencies.find_references(ast, path, definition.children):
                element = definition.by_path.get(target)
                if element and element.privacy in list(NEVER_LEAVES):
                    yield target
        # Of if() only the two results are carried out; the condition says yes or no.
        case Call("if", (_, *values)):
            for value in values:
                yield from _list_copied_questions(definition, value, path)
        # Several paths at once give the value of the first node, and the parser lets them stand
        # only where sets are counted.
        case Union():
            return
        case _:
            for part in list_parts(ast):
                yield from _list_copied_questions(definition, part, path)


def _check_engines(element: Element, row: Row) -> Iterator[FormProblem]:
    """Say where ODK Collect or Enketo would compute something else."""
    for field in EXPRESSIONS:
        ast = getattr(element, field)
        # Only what the author wrote: pyxform and this program add expressions of their own.
        if not ast or not row.cells.get(COLUMN_OF[field]):
            continue
        column = COLUMN_OF[field]
        for name in sorted(list_called_functions(ast) & ONLY_HERE):
            text = N_("ODK Collect does not know {name}(); this form would not open there.")
            yield row_advice("form.engines", text, row, column, name=name)
        only_here: set[str] = set()
        for part in walk(ast):
            only_here.update(_list_own_features(part))
        for text in sorted(only_here):
            yield row_advice("form.engines", text, row, column)
        for text in _find_date_sums(ast):
            yield row_advice("form.engines", text, row, column)


COMPARED_OR_ADDED = {"=", "!=", "<", "<=", ">", ">=", "+", "-"}


def _find_date_sums(ast: Ast) -> Iterator[str]:
    """Yield the first thing that engines compute differently with days and the clock."""
    for part in walk(ast):
        if not isinstance(part, Operation) or part.operator not in COMPARED_OR_ADDED:
            continue
        sides = (part.left, part.right)
        if any(isinstance(side, TextLiteral) and parse_date(side.value) for side in sides):
            yield N_("Write a day as date('2026-01-31'): ODK Collect does not read a day in quotes as one.")
            return
        if part.operator in ("+", "-") and Call("now", ()) in sides:
            yield N_("Apps differ in adding to now(): here it gives days since 1970 with their fraction, in local time.")
            return


def _list_own_features(part: Ast) -> Iterator[str]:
    """Yield what ODK Collect would refuse or read differently in one part of an expression."""
    match part:
        case Call("coalesce", (_, _, _, *_)):
            yield N_("ODK Collect takes only two values in coalesce(). Put one into another.")
        case Call(name, ()) if name in OF_SELF:
            yield N_("ODK Collect needs a value here; write the full stop: string(.)")
        case Path() if any(isinstance(condition, NumberLiteral) for condition in list_conditions(part)):
            yield N_("ODK Collect does not read a bare number in brackets. Write [position() = 2].")
        case Union():
            yield N_("ODK Collect does not know “|” between paths.")


def _check_coverage(workbook: Workbook, definition: FormDefinition) -> tuple[list[str], list[FormProblem]]:
    """Return the languages of the form, and advice about each that it has only in part."""
    asked = [element for element in definition.elements if element.label and element.is_on_screen]
    full = []
    partial = []
    for language in workbook.languages:
        count = sum(_has_words(element, language) for element in asked)
        # A few translated labels are not a translation; it is worth a warning for the form, not for
        # each row.
        if language == "default" or language_code(language) in APP_LANGUAGES or 2 * count >= len(asked):
            full.append(language)
            continue
        text = N_("{count} of {all} questions have a text in {language}; for the others workers see another language.")
        details = {"count": str(count), "all": str(len(asked)), "language": language}
        column = f"label::{language}"
        partial.append(FormProblem("form.language", text, details, row=1, column=column, severity="warning"))
    return full, partial


def _has_words(element: Element, language: str) -> bool:
    return bool(in_language({"x": element.label.get(language_code(language), "")}, "x"))


def _find_untranslated(languages: list[str], element: Element, row: Row) -> Iterator[FormProblem]:
    if not element.is_on_screen or not element.label:
        return
    for language in languages:
        if language != "default" and not _has_words(element, language):
            column = f"label::{language}"
            text = N_("“{name}” has no text in {language}; workers will see another language.")
            yield row_advice("form.untranslated", text, row, column, name=element.name, language=language)
