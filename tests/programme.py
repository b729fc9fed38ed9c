"""The program's forms, compiled once a test process."""

import functools
from pathlib import Path

from forms.definition import Compiled, FormDefinition
from forms.xlsform import compile_workbook

FOLDER = Path(__file__).parent.parent / "fieldapp" / "program"
FORMS = ["encounter", "mediation", "incident", "referral", "event", "participant", "shift"]


def workbook_of(form: str) -> bytes:
    return (FOLDER / f"{form}.xlsx").read_bytes()


@functools.cache
def compiled_of(form: str) -> Compiled:
    return compile_workbook(workbook_of(form))


def definition_of(form: str) -> FormDefinition:
    return compiled_of(form).definition
