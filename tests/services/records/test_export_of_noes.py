"""The centre's own file: what it says of people who said no, or took everything back."""

import csv
import datetime as dt
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.consent.card_consent import end_card, find_card, lower_card
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.forms.published import publish_form
from fieldapp.services.records.export import write_records_archive
from fieldapp.services.records.export_consent import ExportPurpose
from fieldapp.settings import Settings
from fieldapp.store.records.records import RecordFilter
from tests.cast import Cast, encounter, envelope, publish_others
from tests.programme import compiled_of, workbook_of
from tests.services.caseload.incidents import alerted, at
from tests.services.caseload.mediations import FOLLOW_UP, mediated, visited
from tests.services.caseload.meetings import code
from tests.services.consent.consents import APRIL, MAY, ONE, consent, met, send

TWO = code(9)
THREE = code(10)


@pytest.fixture
def _said_no(session: Session, cast: Cast, tmp_path: Path) -> list[dict[str, Any]]:
    """One stands at a no, one took everything back, one said no at once, one said yes."""
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    people = {"who": "new_person"}
    refused = encounter(MAY, people=people, consent=consent("0"))
    broken = json.loads(met(ONE, MAY, "3", "as_before")["body"])
    broken["talk"]["people_n"] = "900"
    items = [met(ONE, APRIL, "3"), met(TWO, APRIL, "3"), envelope(refused, day=MAY), met(THREE, APRIL, "2")]
    send(session, cast, *items)
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=0, reason="in_person")
    end_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=TWO), reason="in_person")
    send(session, cast, envelope(broken, day=MAY), status="rejected")
    session.rollback()
    return items


def read_files(
    session: Session,
    cast: Cast,
    folder: Path,
    form: str = "encounter",
    purpose: ExportPurpose = ExportPurpose.WORK,
    **limits: Any,
) -> dict[str, list[dict[str, str]]]:
    buffer = io.BytesIO()
    record_filter = RecordFilter(form=form, **limits)
    count = write_records_archive(session, cast.centre.id, record_filter, buffer, folder, purpose)
    session.rollback()
    files = {}
    with zipfile.ZipFile(buffer) as archive:
        for name in archive.namelist():
            files[name] = list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
    assert len(files[f"{form}.csv"]) == count
    return files


def change_body(answers: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(answers)
    return {"body": body, "sha256": hashlib.sha256(body.encode()).hexdigest()}


def list_talks(files: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    """Return what stands in the lines of people who said no."""
    lines = [row for row in files["encounter.csv"] if not row["record"]]
    return [{column: cell for column, cell in row.items() if cell not in ("", "0")} for row in lines]


def test_of_who_said_no_there_is_a_line_with_kind_month_and_worker(
    session: Session, cast: Cast, tmp_path: Path, _said_no: list[dict[str, Any]]
) -> None:
    files = read_files(session, cast, tmp_path)
    line = {"worker": "L-amina", "contact_type": "check_in"}
    talks = list_talks(files)
    april = line | {"day": "2026-04"}
    talks[2].pop("contact_type")  # whichever it was
    assert talks == [april, april, {"worker": "L-amina", "day": "2026-05"}]
    assert [row["record"] for row in files["encounter.csv"] if row["record"]] == [_said_no[3]["id"]]
    assert files["encounter-history.csv"] == []  # nor what was refused of them, with its day and hour


def test_no_filter_says_where_or_on_which_day(
    session: Session, cast: Cast, tmp_path: Path, _said_no: list[dict[str, Any]]
) -> None:
    areas = {row["nbhd"] for row in read_files(session, cast, tmp_path)["encounter.csv"]}
    for area in (areas | {"002", "003", "004"}) - {""}:
        assert list_talks(read_files(session, cast, tmp_path, area=area)) == []
    first = APRIL.replace(day=1)
    last = MAY.replace(day=1) - dt.timedelta(days=1)
    for number in range(last.day):
        day = first + dt.timedelta(days=number)
        assert len(list_talks(read_files(session, cast, tmp_path, until=day))) == 2
        assert len(list_talks(read_files(session, cast, tmp_path, since=day, until=last))) == (2 if day == first else 0)
    on_the_day = read_files(session, cast, tmp_path, since=APRIL, until=APRIL)["encounter.csv"]
    assert [row["record"] for row in on_the_day] == [_said_no[3]["id"]]
    assert read_files(session, cast, tmp_path, since=APRIL + dt.timedelta(days=1), until=last)["encounter.csv"] == []


def test_to_check_the_program_a_day_is_as_exact_as_its_form_lets_it_out(
    session: Session, cast: Cast, tmp_path: Path
) -> None:
    publish_form(session, cast.system, compiled=compiled_of(FOLLOW_UP), workbook=workbook_of(FOLLOW_UP))
    asks = mediated(APRIL)
    send(session, cast, met(ONE, APRIL, "3"), asks, visited(asks["id"], APRIL))
    [line] = read_files(session, cast, tmp_path, purpose=ExportPurpose.EVALUATION)["encounter.csv"]
    assert (line["day"], line["enc_date"]) == ("2026-04", "2026-04")
    assert {len(line["received"]), len(line["changed"])} == {7}
    [line] = read_files(session, cast, tmp_path)["encounter.csv"]
    assert (line["day"], line["enc_date"]) == (APRIL.isoformat(), APRIL.isoformat())
    [line] = read_files(session, cast, tmp_path, FOLLOW_UP, ExportPurpose.EVALUATION)[f"{FOLLOW_UP}.csv"]
    assert (line["day"], line["received"], line["changed"], "fu_date" in line) == ("", "", "", False)
    # Nor does a filter say it: by days, a line is in or out by the first of its month.
    first, day = APRIL.replace(day=1), APRIL
    for since, count in ((first, 1), (day, 0)):
        limits = {"since": since, "until": day}
        assert len(read_files(session, cast, tmp_path, purpose=ExportPurpose.EVALUATION, **limits)["encounter.csv"]) == count


def test_to_check_the_program_every_other_day_and_time_is_as_exact_as_its_form_lets_it_out(
    session: Session, cast: Cast, tmp_path: Path
) -> None:
    publish_others(session, cast)
    item = alerted(APRIL)
    answers = json.loads(item["body"])
    answers["alert"]["inc_dt"] = at(APRIL, 9)
    answers["response"] |= {"acts": "scene_presence", "reached_n": "1_5", "first_dt": at(APRIL, 13, 37)}
    send(session, cast, item | change_body(answers))
    [line] = read_files(session, cast, tmp_path, "incident")["incident.csv"]
    assert line["first_dt"][:16] == f"{APRIL}T13:37"  # for the centre's own work all is there
    [line] = read_files(session, cast, tmp_path, "incident", ExportPurpose.EVALUATION)["incident.csv"]
    assert [line[name] for name in ("inc_alert_dt", "inc_dt", "first_dt")] == ["2026-04"] * 3
    assert str(APRIL) not in str(line)
