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
from fieldapp.services.phones.reports import clean_report, record_contact
from fieldapp.services.releases.build import build_release
from fieldapp.settings import Settings
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditEvent, AuditHead, AuditLine
from fieldapp.store.phones.devices import Device
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


def test_what_phones_heard_shows_that_all_of_it_was_written_anew(
    settings: Settings, web_cast: Cast, command: CliRunner
) -> None:
    device_id = web_cast.amina.device_id
    with Session(open_engine(settings), expire_on_commit=False) as session:
        link = audit.read_link(session, web_cast.centre.id)
        device = session.get_one(Device, device_id)
        # As the phone says it with its next delivery: what it heard days ago.
        phone = {"made": 0, "unsent": 0, "deleted": 0, "audit": f"0:{link}"}
        record_contact(session, device, clean_report(phone))
        lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.centre_id == web_cast.centre.id)).all()
        others = [AuditLine(line.at, line.act, line.centre_id, None, None, line.target, line.details) for line in lines]
    verified = command.invoke(cli, ["audit", "verify"])
    assert verified.exit_code == 0
    assert "Links that phones heard, and that its lines have: 1" in verified.output
    with Session(open_engine(settings)) as session, WriteTransaction(session):
        session.execute(sa.delete(AuditEvent))
        session.execute(sa.delete(AuditHead))
        audit.add(session, others)
    verified = command.invoke(cli, ["audit", "verify"])
    assert f"LOOK AT: phone {device_id} heard of a line that is not there" in verified.output
    # After a restore that is no wonder: the lines since the backup are gone, and a line says so.
    with Session(open_engine(settings)) as session, WriteTransaction(session):
        session.get_one(Device, device_id).report = {"audit": f"7:{link}"}
    assert "LOOK AT" not in command.invoke(cli, ["audit", "verify"]).output


@pytest.mark.parametrize("said", ["", "0:", "0:" + "G" * 64, "x:" + "0" * 64, 7, None, ["0:" + "0" * 64]])
def test_what_is_no_link_is_not_taken_over(said: object) -> None:
    report = clean_report({"made": 1, "audit": said})
    assert report is not None and "audit" not in report["report"]
