"""`fieldapp forms publish`: it refuses what the office refuses."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.paths import PROGRAM
from fieldapp.store.forms.versions import FormVersion
from forms.sheets import read_sheets
from tests.cast import Cast
from tests.commands import Ended, run_command

SENTENCE = "This form asks about people and asks nobody for consent."
VISITS = """
| survey | | | | | | |
| | type | name | label::English (en) | privacy::class | privacy::export | app_role |
| | text | story | What happened to them | free-text | drop | |
| settings | | | | | | |
| | form_id | version | form_title | consent_why | | |
| | visits | 1 | Visits | | | |
"""
WITH_REASON = VISITS.replace("Visits | |", "Visits | Board, 1 May 2026 |")


@pytest.fixture
def environment(session: Session, cast: Cast, tmp_path: Path) -> dict[str, str]:
    session.commit()
    url = session.get_bind().engine.url.render_as_string(hide_password=False)
    return {"PATH": "/usr/bin:/bin", "FIELDAPP_DATABASE_URL": url, "FIELDAPP_DATA": str(tmp_path)}


def publish(environment: dict[str, str], text: str, ending: str = ".md") -> Ended:
    data = text.encode() if ending == ".md" else read_sheets(text.encode(), ".md").to_xlsx()
    path = Path(environment["FIELDAPP_DATA"], f"form{ending}")
    path.write_bytes(data)
    return run_command(environment, "forms", "publish", str(path))


def list_versions(session: Session, form: str) -> list[str]:
    session.rollback()
    return list(session.scalars(sa.select(FormVersion.version).where(FormVersion.form == form).order_by(FormVersion.id)))


@pytest.mark.parametrize("ending", [".md", ".xlsx"])
def test_a_form_that_asks_nobody_is_refused_until_it_says_why(
    session: Session, environment: dict[str, str], ending: str
) -> None:
    refused = publish(environment, VISITS, ending)
    assert (refused.returncode, SENTENCE in refused.stderr, "consent_why" in refused.stderr) == (1, True, True)
    assert list_versions(session, "visits") == []
    done = publish(environment, WITH_REASON, ending)
    assert done.returncode == 0, done.stderr
    assert list_versions(session, "visits") == ["1"]
    # What was decided about a form holds as long as it says so.
    dropped = publish(environment, VISITS.replace("visits | 1", "visits | 2"), ending)
    assert (dropped.returncode, SENTENCE in dropped.stderr) == (1, True)


def test_it_names_everything_at_once(session: Session, environment: dict[str, str]) -> None:
    """What the compiler finds, or what the centre could not read; and that nobody is asked."""
    broken = publish(environment, VISITS.replace("| | text", "| | nosuch | what | What | operational | keep | |\n| | text"))
    assert (broken.returncode, SENTENCE in broken.stderr, "nosuch" in broken.stderr) == (1, True, True)
    why = publish(
        environment, WITH_REASON.replace("| | text", "| | nosuch | what | What | operational | keep | |\n| | text")
    )
    assert (why.returncode, SENTENCE in why.stderr, "nosuch" in why.stderr) == (1, False, True)
    taken = VISITS.replace("| consent_why |", "| consent_why | app_role |").replace(
        "| Visits | |", "| Visits | | encounter |"
    )
    roles = publish(environment, taken)
    assert (roles.returncode, SENTENCE in roles.stderr, "form.role_taken" in roles.stderr) == (1, True, True)
    assert list_versions(session, "visits") == []


def test_a_form_about_work_alone_goes_until_it_asks_about_people(session: Session, environment: dict[str, str]) -> None:
    work = VISITS.replace("text | story | What happened to them | free-text", "integer | seats | Seats | operational")
    assert publish(environment, work).returncode == 0
    refused = publish(environment, VISITS.replace("visits | 1", "visits | 2"))
    assert (refused.returncode, SENTENCE in refused.stderr) == (1, True)
    assert list_versions(session, "visits") == ["1"]


def test_the_programs_own_forms_go(session: Session, environment: dict[str, str]) -> None:
    for path in sorted(PROGRAM.glob("*.xlsx")):
        done = run_command(environment, "forms", "publish", str(path))
        assert done.returncode == 0, done.stderr
    assert list_versions(session, "incident")


def test_a_form_that_is_in_use_without_a_reason_goes_on(session: Session, environment: dict[str, str]) -> None:
    own = PROGRAM / "incident.xlsx"
    assert run_command(environment, "forms", "publish", str(own)).returncode == 0
    book = read_sheets(own.read_bytes(), ".xlsx")
    settings = book.sheets["settings"]
    settings[1][settings[0].index("version")] = "2099010101"
    newer = Path(environment["FIELDAPP_DATA"], "newer.xlsx")
    newer.write_bytes(book.to_xlsx())
    done = run_command(environment, "forms", "publish", str(newer))
    assert done.returncode == 0, done.stderr
    assert list_versions(session, "incident")[-1] == "2099010101"
