"""Who rewrites the audit log by hand is found: by the office, the operator, and who has a package."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from evaluator_export.periods import parse
from fieldapp.cli import cli
from fieldapp.jobs.timetable import check_audit_log
from fieldapp.services.acts import utcnow
from fieldapp.services.releases.build import build_release
from fieldapp.settings import Settings
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditEvent, AuditHead, AuditLine
from tests.cast import Cast, a_series
from tests.opening import open_engine
from tests.services.releases.taking_back import SECRET


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("FIELDAPP_DATABASE_URL", settings.url)
    monkeypatch.setenv("FIELDAPP_DATA", str(settings.data))
    return CliRunner()


def test_a_changed_line_is_said_on_the_home_page_and_by_the_operators_commands(
    settings: Settings, web_cast: Cast, command: CliRunner, client_of: Callable[[str], FlaskClient]
) -> None:
    home = client_of("rosa").get("/office/").text
    assert "not as it was written" not in home
    assert command.invoke(cli, ["audit", "verify"]).exit_code == 0
    with Session(open_engine(settings)) as session:
        number = session.scalars(sa.select(AuditEvent.number).where(AuditEvent.act == "form.publish")).first()
        with WriteTransaction(session):
            session.execute(sa.update(AuditEvent).where(AuditEvent.number == number).values(act="record.open"))
        check_audit_log(session, settings)
    assert f"from line {number} on" in client_of("rosa").get("/office/").text
    verified = command.invoke(cli, ["audit", "verify"])
    assert verified.exit_code == 1
    assert f"line {number} is changed" in verified.output
    assert f"from line {number} on" in command.invoke(cli, ["doctor"]).output


def test_a_wrong_name_that_was_taken_out_of_the_log_is_said_too(
    settings: Settings, web_cast: Cast, client_of: Callable[[str], FlaskClient]
) -> None:
    with Session(open_engine(settings)) as session:
        with WriteTransaction(session):
            audit.add(session, [AuditLine(utcnow(), "sign_in.failed") for _ in range(2)])
        with WriteTransaction(session):
            session.execute(sa.delete(AuditEvent).where(AuditEvent.centre_id.is_(None), AuditEvent.number == 1))
        check_audit_log(session, settings)
    assert "from line 1 on" in client_of("rosa").get("/office/").text


def test_a_package_of_a_recipient_shows_that_all_of_it_was_written_anew(
    settings: Settings, web_cast: Cast, command: CliRunner
) -> None:
    with Session(open_engine(settings), expire_on_commit=False) as session:
        series = a_series(session, web_cast)
        release = build_release(session, series, parse("2026-Q2"), settings.packages, SECRET)
        assert release
        package = settings.packages / f"{release.sha256}.zip"
        verified = command.invoke(cli, ["audit", "verify", "--package", str(package)])
        assert verified.exit_code == 0, verified.output
        lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.centre_id == web_cast.centre.id)).all()
        told = [AuditLine(line.at, line.act, line.centre_id, None, None, line.target, line.details) for line in lines]
        with WriteTransaction(session):
            session.execute(sa.delete(AuditEvent))
            session.execute(sa.delete(AuditHead))
            session.delete(release)
            audit.add(session, told)
    assert command.invoke(cli, ["audit", "verify"]).exit_code == 0, "nothing in the database says it"
    verified = command.invoke(cli, ["audit", "verify", "--package", str(package)])
    assert verified.exit_code == 1
    assert "which somebody kept" in verified.output


def test_what_is_no_package_is_refused(command: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "other.zip").write_bytes(b"no zip")
    refused = command.invoke(cli, ["audit", "verify", "--package", str(tmp_path / "other.zip")])
    assert refused.exit_code == 1
    assert "is no package" in refused.output
