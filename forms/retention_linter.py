"""What is wrong with how long a form keeps answers, and what is kept longest."""

from collections.abc import Iterator

from forms import dependencies
from forms.definition import FormDefinition
from forms.problems import N_, FormProblem
from forms.retention import (
    MONTHS_COLUMN,
    MONTHS_SETTING,
    MOST_MONTHS,
    RetainedTimes,
    find_times,
    read_months,
)
from forms.workbook import Workbook, row_problem


def lint_retention(workbook: Workbook, definition: FormDefinition) -> list[FormProblem]:
    """Return what is wrong with the times in a form, and which is the longest."""
    times = find_times(definition)
    problems = [
        *_check_numbers(workbook),
        *_check_lasting(workbook, times),
        *_check_readers(workbook, definition, times),
    ]
    return problems or [*_show_longest(definition, times)]


def _check_numbers(workbook: Workbook) -> Iterator[FormProblem]:
    text = N_("“{written}” is no number of months from 1 to {most}.")
    written = workbook.settings.get(MONTHS_SETTING, "")
    if written and not read_months(written):
        details = {"written": written, "most": str(MOST_MONTHS)}
        number = workbook.settings_number
        yield FormProblem("retain.months", text, details, "settings", number, MONTHS_SETTING)
    for row in workbook.survey:
        written = row.cells.get(MONTHS_COLUMN, "")
        if written and not read_months(written):
            yield row_problem("retain.months", text, row, MONTHS_COLUMN, written=written, most=str(MOST_MONTHS))


def _check_lasting(workbook: Workbook, times: RetainedTimes) -> Iterator[FormProblem]:
    """Refuse a time of its own for what the app reads as long as there is a record."""
    for path in sorted(times.lasting):
        row = workbook.by_path.get(path)
        if row is not None and row.path == path and row.cells.get(MONTHS_COLUMN):
            text = N_(
                "The app reads “{name}”, or something that depends on it, so it stays with its record. Empty this cell."
            )
            yield row_problem("retain.lasting", text, row, MONTHS_COLUMN, name=row.name)


def _check_readers(workbook: Workbook, definition: FormDefinition, times: RetainedTimes) -> Iterator[FormProblem]:
    """Refuse a question that goes earlier than what it decides about: that would go with it."""
    for reader in definition.elements:
        kept_for = times.get(reader)
        if not reader.is_answered or reader.path in times.lasting:
            continue
        for path in sorted(_list_deciding(definition, reader.path)):
            decider = definition.by_path[path]
            months = times.get(decider)
            row = workbook.by_path.get(path)
            if row is not None and months and (not kept_for or kept_for > months):
                text = N_("“{name}” decides about “{other}”, which is stored longer. Give “{other}” the same time or less.")
                yield row_problem("retain.reads", text, row, MONTHS_COLUMN, name=decider.name, other=reader.name)


def _list_deciding(definition: FormDefinition, path: str) -> set[str]:
    """Return the questions that an element, or a group that it is in, reads."""
    deciding: set[str] = set()
    place = path
    while place in definition.by_path:
        element = definition.by_path[place]
        reads = {read for read, _ in dependencies.find_element_reads(element, definition.children)}
        deciding |= {read for read in reads if read in definition.by_path and definition.by_path[read].is_answered}
        place = element.parent
    return deciding - {path}


def _show_longest(definition: FormDefinition, times: RetainedTimes) -> Iterator[FormProblem]:
    """Say what is kept longest, where the form says how long anything is."""
    if not times.list_used():
        return
    answered = [element for element in definition.elements if element.is_answered]
    longest = max(answered, key=times.get)
    endless = [element.name for element in answered if not times.get(element)]
    details = {"months": str(times.get(longest)), "name": longest.name, "count": str(len(endless))}
    text = N_("Stored longest: “{name}”, for {months} months. {count} answers stay as long as their record.")
    yield FormProblem("retain.longest", text, details, column=MONTHS_COLUMN, severity="warning")
