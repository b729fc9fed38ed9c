"""Small workbooks written as tables, and what is refused in them."""

import pytest

from forms.definition import FormDefinition
from forms.problems import FormRefused
from forms.xlsform import compile_workbook

SETTINGS = "| settings |\n| | form_id | version |\n| | t | 1 |\n"


HEADER = "| survey |\n| | type | name | label::English (en) | label::French (fr) | relevant | constraint | calculation | privacy::class |\n"


def compile_md(*rows: str, choices: str = "", settings: str = SETTINGS, header: str = HEADER) -> FormDefinition:
    text = header + "".join(f"| | {row} |\n" for row in rows) + choices + settings
    return compile_workbook(text.encode(), ".md").definition


def refused(*rows: str, **parts: str) -> list[tuple[str, int | None, str | None]]:
    with pytest.raises(FormRefused) as caught:
        compile_md(*rows, **parts)
    return [(problem.code, problem.row, problem.column) for problem in caught.value.problems if problem.severity == "error"]
