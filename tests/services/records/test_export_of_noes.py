"""The centre's own file: what it says of people who said no, or took everything back."""

import csv
import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.consent.card_consent import end_card, find_card, lower_card
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.records.export import write_records_archive
from fieldapp.services.records.export_consent import ExportPurpose
from fieldapp.settings import Settings
from fieldapp.store.records.records import RecordFilter
from tests.cast import Cast, encounter, envelope
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


def read_files(session: Session, cast: Cast, folder: Path, **limits: Any) -> dict[str, list[dict[str, str]]]:
    buffer = io.BytesIO()
    record_filter = RecordFilter(form="encounter", **limits)
    count = write_records_archive(session, cast.centre.id, record_filter, buffer, folder, ExportPurpose.WORK)
    session.rollback()
    files = {}
    with zipfile.ZipFile(buffer) as archive:
        for name in archive.namelist():
            files[name] = list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
    assert len(files["encounter.csv"]) == count
    return files


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
