"""Choices that stand alone, such as “none” or “unknown”: no other choice goes with them.

A choice of a `select_multiple` says so by the role `stands_alone`. The rule becomes part of the question's constraint
before the workbook is compiled, so phones, the centre and ODK Collect all follow it.
"""

from forms import support
from forms.roles import ROLE_COLUMN, ChoiceRole
from forms.workbook import Row, Workbook, language_code

MESSAGES = {
    "en": "“{label}” cannot go with other answers.",
    "fr": "«\u00a0{label}\u00a0» ne va pas avec d’autres réponses.",
}


def add_constraints(workbook: Workbook) -> None:
    """Add to each question that offers choices which stand alone that they do.

    A message that the author wrote for their own constraint stays.
    """
    alone = _list_alone(workbook)
    for row in workbook.survey:
        choices = alone.get(support.list_of(row.type))
        if row.standard_type == "select_multiple" and choices:
            _constrain(workbook, row, choices)


def _list_alone(workbook: Workbook) -> dict[str, list[dict[str, str]]]:
    """Return the rows of choices that stand alone, by list."""
    alone: dict[str, list[dict[str, str]]] = {}
    for _, cells in workbook.choices:
        if ChoiceRole.STANDS_ALONE in cells.get(ROLE_COLUMN, "").split():
            alone.setdefault(cells.get("list_name", ""), []).append(cells)
    return alone


def _constrain(workbook: Workbook, row: Row, choices: list[dict[str, str]]) -> None:
    rules = [f"not(selected(., '{choice['name']}') and count-selected(.) > 1)" for choice in choices]
    own = row.cells.get("constraint", "")
    if own:
        rules.insert(0, f"({own})")
    row.cells["constraint"] = " and ".join(rules)
    if any(column.startswith("constraint_message") for column in row.cells):
        return
    spoken = [language for language in workbook.languages if language_code(language) in MESSAGES]
    for language in spoken or workbook.languages[:1]:  # other languages are shown in one of these
        suffix = "" if language == "default" else f"::{language}"
        named = [choice.get(f"label{suffix}") or choice["name"] for choice in choices]
        message = MESSAGES.get(language_code(language), MESSAGES["en"])
        row.cells[f"constraint_message{suffix}"] = message.format(label=" / ".join(named))
