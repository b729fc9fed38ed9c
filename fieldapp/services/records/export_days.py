"""Days in a file to check the program: as exact as the form lets them out."""

import re
from collections.abc import Mapping
from typing import Any

from fieldapp.services.records.export_consent import DayDetail, ExportPurpose, find_day_detail, may_leave
from forms.definition import Element, FormDefinition
from forms.question_type import AnswerKind

DAY_TEXT = re.compile(r"\d{4}-\d\d-\d\d(?:T|$)")  # also what a form computes, or a phone fills in
TIME_TEXT = re.compile(r"\d\d:\d\d")
MONTH_LENGTH = len("2026-11")
DATES = (AnswerKind.DATE, AnswerKind.TIME)


def cut_for_evaluation(definition: FormDefinition | None, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers with months for days, and without what may not leave.

    By the form's own version: the column of a question may be there for another one. {} where nobody knows the form.
    """
    if definition is None:
        return {}
    return _cut_within(definition, answers, "/data", find_day_detail(ExportPurpose.EVALUATION, definition))


def _cut_within(definition: FormDefinition, answers: Mapping[str, Any], path: str, detail: DayDetail) -> dict[str, Any]:
    cut: dict[str, Any] = {}
    for element in definition.children.get(path, ()):
        value = answers.get(element.name)
        if element.kind == "group" and isinstance(value, Mapping):
            cut[element.name] = _cut_within(definition, value, element.path, detail)
        elif element.kind == "repeat" and isinstance(value, list):
            entries = [entry for entry in value if isinstance(entry, Mapping)]
            cut[element.name] = [_cut_within(definition, entry, element.path, detail) for entry in entries]
        elif element.kind == "question" and isinstance(value, str) and may_leave(ExportPurpose.EVALUATION, element):
            cut[element.name] = _cut_answer(element, value, detail)
    return cut


def _cut_answer(element: Element, answer: str, detail: DayDetail) -> str:
    """Return the month of a day and nothing of a time, where the form asks for less."""
    is_date = element.answer_kind in DATES or bool(DAY_TEXT.match(answer) or TIME_TEXT.match(answer))
    if not is_date or _is_exact(element, detail):
        return answer
    if not DAY_TEXT.match(answer) or (not element.export and detail is DayDetail.NONE):
        return ""
    return answer[:MONTH_LENGTH]


def _is_exact(element: Element, detail: DayDetail) -> bool:
    """Say whether an answer may be as exact as it is.

    Of a question of which the form says nothing, that goes by how exactly the record's day may be said.
    """
    if element.export:
        return element.export == "keep"
    return element.answer_kind not in DATES or detail is DayDetail.DAY
