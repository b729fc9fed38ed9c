"""A small form whose answers are kept for different times."""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from fieldapp.services.forms.published import publish_form
from forms.xlsform import compile_workbook
from tests.cast import Cast, envelope

TEXT = """
| survey |
| | type | name | retain::months | consent::keep | relevant | required | app_role | label::English (en) | privacy::class | privacy::export |
| | select_one kind | kind | | | | yes | kind | Kind | operational | |
| | text | code | | | | | person | Card | identifier | drop |
| | select_one tier | tier | | | | yes | tier | May we? | sensitive | |
| | date | day | | | | yes | day | Day | operational | |
| | select_one yes_no | wish | | | | | consent_contact | May we call? | sensitive | drop |
| | text | how | | +4 | | | | How to call | free-text | drop |
| | integer | short | 6 | | | yes | | Short | sensitive | drop |
| | text | long | 24 | | | | | Long | free-text | drop |
| | integer | other | | | | | | Other | operational | |
| settings |
| | form_id | version | form_title | retain_months |
| | timed | {version} | Timed | {months} |
| choices |
| | list_name | name | label::English (en) | app_role |
| | kind | visit | Visit | |
| | kind | exit | Exit | ends_work |
| | tier | 0 | No | |
| | tier | 1 | Yes | |
| | tier | 2 | More | |
| | tier | 3 | Most | |
| | yes_no | yes | Yes | yes |
| | yes_no | no | No | |
"""


def publish_timed(session: Session, cast: Cast, version: str = "1", months: str = "") -> None:
    workbook = TEXT.format(version=version, months=months).encode()
    publish_form(session, cast.system, compiled=compile_workbook(workbook, ".md"), workbook=workbook)


def timed(
    day: dt.date, kind: str = "visit", code: str = "", version: str = "1", number: int = 77777, **more: Any
) -> dict[str, Any]:
    """Return a record whose answers say CANARY and a number of their own."""
    answers = {
        "day": day.isoformat(), "kind": kind, "code": code, "tier": "3", "wish": "yes", "how": f"CANARY how {number}",
        "short": str(number), "long": f"CANARY long {number}", "other": "4",
    }  # fmt: skip
    answers = {name: value for name, value in answers.items() if value}
    return envelope(answers, form="timed", day=day, version=version, **more)
