"""The centre's records: filter, page, open, history."""

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.records import listing
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.records.records import RecordFilter
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope


@pytest.fixture
def thirty(session: Session, cast: Cast) -> list[str]:
    items = []
    for number in range(30):
        day = dt.date(2026, 9, 1) + dt.timedelta(days=number)
        area = "002" if number % 3 else "004"
        items.append(envelope(encounter(day, when_where={"nbhd": area}), day=day))
    receive_batch(session, cast.amina, parse_batch(batch(*items)))
    return [item["id"] for item in items]


def test_pages_go_newest_first_and_miss_nothing(session: Session, cast: Cast, thirty: list[str]) -> None:
    seen, cursor = list[str](), ""
    while True:
        page = listing.list_records(session, cast.rosa, record_filter=RecordFilter(), cursor=cursor).page
        seen += [record.instance_id for record in page.records]
        assert page.total == 30
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == list(reversed(thirty))


def test_a_filter_narrows_by_place_and_days(session: Session, cast: Cast, thirty: list[str]) -> None:
    wanted = RecordFilter(area="004", since=dt.date(2026, 9, 4), until=dt.date(2026, 9, 10))
    page = listing.list_records(session, cast.rosa, record_filter=wanted).page
    assert [record.occurred_on.day for record in page.records] == [10, 7, 4]


@pytest.mark.parametrize("cursor", ["x", "2026-13-01_1", "2026-09-01_x", "_", "2026-09-01_" + "9" * 400])
def test_a_broken_cursor_shows_the_first_page(session: Session, cast: Cast, thirty: list[str], cursor: str) -> None:
    assert len(listing.list_records(session, cast.rosa, record_filter=RecordFilter(), cursor=cursor).page.records) == 25


def test_opening_a_record_is_written_into_its_history(session: Session, cast: Cast, thirty: list[str]) -> None:
    first = listing.open_record(session, cast.rosa, instance_id=thirty[0])
    assert first.history == []
    again = listing.open_record(session, cast.rosa, instance_id=thirty[0])
    assert [(line.act, line.actor_id) for line in again.history] == [("record.open", cast.rosa.user_id)]
    assert again.steps[0].submission.device_id == cast.amina.device_id
