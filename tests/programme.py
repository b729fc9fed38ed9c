"""The program's forms, compiled once a test process."""

import functools
from pathlib import Path

from forms.builder import WorkbookEditor
from forms.definition import Compiled, FormDefinition
from forms.roles import ROLE_COLUMN, ChoiceRole
from forms.sheets import read_sheets
from forms.xlsform import compile_workbook

FOLDER = Path(__file__).parent.parent / "fieldapp" / "program"
FORMS = [
    "encounter", "mediation", "mediation_follow_up", "incident", "incident_follow_up", "referral", "event", "participant",
    "shift",
]  # fmt: skip
WITH_ONE_NO = False  # the fixture `one_no` sets it


def workbook_of(form: str) -> bytes:
    return _read(form, WITH_ONE_NO)


def compiled_of(form: str) -> Compiled:
    return _compile(form, WITH_ONE_NO)


def definition_of(form: str) -> FormDefinition:
    return compiled_of(form).definition


@functools.cache
def _compile(form: str, with_one_no: bool) -> Compiled:
    return compile_workbook(_read(form, with_one_no))


@functools.cache
def _read(form: str, with_one_no: bool) -> bytes:
    workbook = (FOLDER / f"{form}.xlsx").read_bytes()
    if with_one_no:
        return _leave_one_no(workbook)
    return workbook


def _leave_one_no(workbook: bytes) -> bytes:
    """Return a form as those that centres have from before: 0 is a no that holds from then on, and the only one.

    In it, “asked before, still the same” is an answer that the worker chooses.
    """
    book = WorkbookEditor(read_sheets(workbook, ".xlsx"))
    for number, cells in book.choices_of("tier").items():
        if ChoiceRole.NOTHING_TODAY in cells.get(ROLE_COLUMN, "").split():
            book.set_choice(number, {ROLE_COLUMN: str(ChoiceRole.CONSENT_TIER)})
        elif ChoiceRole.NO_MORE in cells.get(ROLE_COLUMN, "").split():
            ends = number
    if not book.choices_of("tier"):
        return workbook
    book.remove_choices([ends])
    for number, cells in book.choices_of("said").items():
        if cells["name"] == "as_before":
            book.set_choice(number, {"name": "earlier", ROLE_COLUMN: ""})
    for line in reversed(book.lines()):
        if line.row.name in ("no_more_sure", "known_tier"):
            book.remove(line.number)
        elif line.row.name in ("script", "said", "tier_said", "tier"):
            cells = {key: line.row.cells.get(key, "") for key in ("relevant", "calculation")}
            cells = {key: text.replace("= 'as_before'", "= 'earlier'") for key, text in cells.items()}
            book.set(line.number, cells | {"choice_filter": ""})
    return book.sheets.to_xlsx()
