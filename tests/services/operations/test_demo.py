"""The demo's year: the same seed gives the same year, of the promised size, and phones would send it as it is."""

import datetime as dt
import zoneinfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.cli import demo
from fieldapp.cli.demo_year import Year, card_code
from fieldapp.services.operations.centres import set_up_centre
from fieldapp.store.records.records import Record
from forms.validation import validate
from sync.intake import local_time
from tests.programme import definition_of

TODAY = dt.date(2026, 11, 23)


def test_the_same_seed_gives_the_same_year() -> None:
    first, again = (list(Year(3, TODAY, 12).records()) for _ in range(2))
    assert first == again
    assert first != list(Year(4, TODAY, 12).records())


def test_the_year_is_large_skewed_and_seasonal() -> None:
    year = list(Year(1, TODAY, 12).records())
    counts = {form: sum(record[1] == form for record in year) for form in ("encounter", "mediation", "incident")}
    assert counts["encounter"] >= 1500 and counts["mediation"] >= 200 and counts["incident"] >= 60
    encounters = [record for record in year if record[1] == "encounter"]
    areas = [record[3]["when_where"]["nbhd"] for record in encounters]
    assert len(set(areas)) == 8
    assert max(map(areas.count, set(areas))) > len(areas) / 5
    months = [record[2].month for record in encounters]
    assert months.count(7) > 1.4 * months.count(1)
    assert {record[0] for record in year} == set(range(12))


def test_all_but_two_records_pass_their_forms() -> None:
    failed = 0
    for _, form, moment, answers in Year(1, TODAY, 12).records():
        first = validate(definition_of(form), answers, local_time(moment))
        failed += bool(validate(definition_of(form), first.answers, local_time(moment)).problems)
    assert failed == 2


def test_card_codes_carry_crockfords_check_symbol() -> None:
    assert card_code(0) == "0000-00000"
    assert card_code(0x9B6F61E3AD)[4] == "-"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_nobody_is_asked_about_the_older_days_of_the_demo(session: Session) -> None:
    zone = zoneinfo.ZoneInfo("America/Toronto")
    today = dt.datetime.now(zone).date()
    centre = set_up_centre(session, "demo", "Demo", asks_second_factor=False)
    worker = demo._phone(session, centre, "w01", "W-01")
    year = Year(1, today, 1, encounters=60, mediations=3, incidents=1)
    demo._send(session, centre, [worker], year.records(), 1, zone)
    session.rollback()
    assert session.scalars(sa.select(sa.func.min(Record.occurred_on))).one() < today - dt.timedelta(days=330)
    assert "clock" not in set(session.scalars(sa.select(Record.review)))
