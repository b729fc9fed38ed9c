"""The page of what XLSForms can hold is what the code does."""

import importlib
import sys
from pathlib import Path

import pytest
from pyxform import aliases
from pyxform.question_type_dictionary import QUESTION_TYPE_DICT

from forms import support
from forms.expressions.functions import SIGNATURES, UNSUPPORTED
from forms.headings import survey_heading as standard_column

ROOT = Path(__file__).parent.parent.parent
# ODK XForms specification, section "XPath functions", and the form operators page of the ODK documentation (2026).
SPECIFICATION = [
    "string",
    "concat",
    "join",
    "substr",
    "substring-before",
    "substring-after",
    "translate",
    "string-length",
    "normalize-space",
    "contains",
    "starts-with",
    "ends-with",
    "uuid",
    "digest",
    "pulldata",
    "if",
    "coalesce",
    "once",
    "true",
    "false",
    "boolean",
    "boolean-from-string",
    "not",
    "regex",
    "checklist",
    "weighted-checklist",
    "number",
    "random",
    "int",
    "sum",
    "max",
    "min",
    "round",
    "pow",
    "log",
    "log10",
    "abs",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sqrt",
    "exp",
    "exp10",
    "pi",
    "count",
    "count-non-empty",
    "position",
    "instance",
    "current",
    "randomize",
    "today",
    "now",
    "format-date",
    "format-date-time",
    "date",
    "decimal-date-time",
    "decimal-time",
    "selected",
    "selected-at",
    "count-selected",
    "jr:choice-name",
    "jr:itext",
    "indexed-repeat",
    "area",
    "distance",
    "base64-decode",
    "extract-signed",
    "geofence",
    "intersects",
]


def test_the_page_is_written_from_the_code() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    forms_support = importlib.import_module("forms_support")
    assert (ROOT / "docs/forms-support.md").read_text() == forms_support.page(), "run make forms-support"


@pytest.mark.parametrize("name", SPECIFICATION)
def test_every_function_of_the_specification_works_or_is_refused_with_a_reason(name: str) -> None:
    assert (name in SIGNATURES) != (name in UNSUPPORTED)


@pytest.mark.parametrize("name", sorted(QUESTION_TYPE_DICT))
def test_every_type_that_pyxform_knows_works_or_is_refused_with_a_reason(name: str) -> None:
    known_to_nobody_else = name.startswith(
        ("uri:", "number of days", "select multiple using", "select one using", "select multiple from")
    )
    assert support.standard_type(name) in support.TYPE_VERDICTS or known_to_nobody_else


@pytest.mark.parametrize("name", sorted(aliases.survey_header))
def test_every_column_that_pyxform_knows_works_or_is_refused_with_a_reason(name: str) -> None:
    base = standard_column(name)
    assert base in support.COLUMNS or base.split("::")[0] in support.COLUMNS or name.startswith("sms_")
