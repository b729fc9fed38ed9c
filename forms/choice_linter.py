"""What is wrong with lists of choices.

On the choices sheet, in files, and where selects name them.
"""

import difflib
from collections.abc import Iterable, Iterator

from forms import support
from forms.headings import is_translated
from forms.problems import N_, FormProblem
from forms.workbook import NAME, REFERENCE, Row, Workbook, row_problem

MAX_CHOICES = 50_000  # rows on the choices sheet


def lint_choices(workbook: Workbook, tables: set[str]) -> list[FormProblem]:
    """Return everything wrong with the lists; `tables` are those that came as files."""
    # Before the rows: 50,000 problems, one a row, would help nobody.
    if len(workbook.choices) > MAX_CHOICES:
        text = N_("The choices sheet has more than 50,000 rows. Put long lists into a CSV file each.")
        return [FormProblem("form.too_many_choices", text, sheet="choices")]
    return [*_check_columns(workbook), *_find_missing_lists(workbook, tables), *_check_rows(workbook)]


def _check_columns(workbook: Workbook) -> Iterator[FormProblem]:
    """A column of one's own is named in filters and in the XForm, so it must be a name."""
    for heading in workbook.columns("choices"):
        column = heading.written
        if not is_translated(heading.standard) and not NAME.fullmatch(heading.standard):
            text = N_("“{column}” cannot name a column of choices: use letters, digits, “_”, “-” and “.”.")
            yield FormProblem("form.choice_column", text, {"column": column}, sheet="choices", row=1, column=column)


def find_similar(name: str, names: Iterable[str]) -> str:
    """Return the name most like a misspelt one, to ask "Did you mean …?".

    "" when none is close.

    Example: find_similar("langauge", ["language", "age"]) is "language".
    """
    for near in difflib.get_close_matches(name, names, 1):
        return near
    return ""


def _find_missing_lists(workbook: Workbook, tables: set[str]) -> Iterator[FormProblem]:
    lists = {cells.get("list_name", "") for _, cells in workbook.choices}
    # A select may offer the answers of a repeat.
    lists |= {row.name for row in workbook.survey if row.begins == "repeat"}
    for row in workbook.survey:
        if row.standard_type == "csv-external" and row.name not in tables:
            text = N_("Add the file “{file}” together with the workbook.")
            yield row_problem("form.file_missing", text, row, "name", file=f"{row.name}.csv")
        if row.standard_type not in support.LISTED or not row.kind:
            continue
        name = support.list_of(row.type)
        if "from_file" in row.standard_type:
            yield from _check_file(row, name, tables)
        elif name not in lists and not REFERENCE.fullmatch(name):
            near = find_similar(name, filter(None, lists))
            text = N_("The choices sheet has no list “{list}”. Did you mean “{near}”?")
            if not near:
                text = N_("The choices sheet has no list “{list}”.")
            yield row_problem("form.list", text, row, "type", list=name, near=near)


def _check_file(row: Row, name: str, tables: set[str]) -> Iterator[FormProblem]:
    stem, _, extension = name.rpartition(".")
    if extension.lower() != "csv":
        text = N_("Lists come as CSV files here. Save “{file}” as CSV UTF-8.")
        yield row_problem("form.file", text, row, "type", file=name)
    elif stem not in tables:
        text = N_("Add the file “{file}” together with the workbook.")
        yield row_problem("form.file_missing", text, row, "type", file=name)


def _check_rows(workbook: Workbook) -> Iterator[FormProblem]:
    may_repeat = workbook.settings.get("allow_choice_duplicates", "").lower() in ("yes", "true")
    multiple = {
        support.list_of(row.type) for row in workbook.survey if row.question_type and row.question_type.has_several_names
    }
    seen: set[tuple[str, str]] = set()
    for number, cells in workbook.choices:
        key = cells.get("list_name", ""), cells.get("name", "")
        problems = _check_row(cells, is_split=key[0] in multiple)
        # Blank names are reported by themselves; two of them are no double.
        if all(key) and key in seen and not may_repeat:
            problems.append(("form.choice_twice", N_("The list “{list}” has two choices called “{name}”."), "name"))
        seen.add(key)
        for code, text, column in problems:
            details = {"list": key[0], "name": key[1]}
            yield FormProblem(code, text, details, sheet="choices", row=number, column=column)


def _check_row(cells: dict[str, str], is_split: bool) -> list[tuple[str, str, str]]:
    """Return code, sentence and column of what is wrong with one choice.

    `is_split`: a space in its name would split it.
    """
    problems = []
    name = cells.get("name", "")
    if not cells.get("list_name"):
        problems.append(("form.choice_list", N_("This choice has no list_name."), "list_name"))
    if not name:
        problems.append(("form.choice_name", N_("This choice has no name."), "name"))
    elif " " in name and is_split:
        problems.append(("form.choice_name", N_("The name “{name}” has a space in it. Use an underscore."), "name"))
    if not any(cell for column, cell in cells.items() if column.split("::")[0] == "label"):
        problems.append(("form.choice_label", N_("This choice has no text."), "label"))
    for column, cell in cells.items():
        if cell and column.startswith("media::"):
            problems.append(("form.unsupported", support.COLUMNS["::".join(column.split("::")[:2])], column))
    return problems
