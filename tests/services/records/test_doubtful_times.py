"""A record of another year is not silently missing from this one's numbers: somebody is asked to look."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.records import listing, reviews
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.doubtful_times import FIRST_DAY, is_doubtful
from fieldapp.store.phones import devices
from fieldapp.store.records.records import Record
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope
from tests.services.records.phone import Phone

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
EAST = dt.timezone(dt.timedelta(hours=14))
WEST = dt.timezone(dt.timedelta(hours=-10))


@pytest.mark.parametrize(
    ("finished", "occurred", "minutes", "expected"),
    [
        (NOON, NOON.date(), 0, False),
        (NOON.astimezone(EAST), (NOON + DAY).date(), 0, False),  # a phone that is east of the centre
        (NOON, (NOON + DAY).date(), 0, True),  # tomorrow
        (NOON + DAY, (NOON + DAY).date(), 0, True),  # the same, by a clock that is a day ahead
        (NOON.astimezone(WEST), (NOON.astimezone(WEST) + DAY).date(), 0, True),
        (NOON - 300 * DAY, (NOON - 300 * DAY).date(), 0, False),  # a phone that lay in a drawer
        (NOON - 329 * DAY, (NOON - 329 * DAY).date(), 0, False),
        (NOON - 330 * DAY, (NOON - 330 * DAY).date(), 0, True),
        (NOON - 365 * DAY, (NOON - 365 * DAY).date(), 0, True),  # a clock that is behind by exactly a year
        (NOON.replace(year=2025), NOON.date().replace(year=2025), 0, True),
        (NOON, NOON.date().replace(year=2025), 0, True),  # the year before, typed in January
        (NOON + 1.5 * DAY, NOON.date(), 0, True),
        (NOON, (NOON + 3 * DAY).date(), 0, True),
        (NOON.replace(year=2099), NOON.date().replace(year=2099), 0, True),
        (dt.datetime(2000, 1, 2, tzinfo=dt.UTC), dt.date(2000, 1, 2), 0, True),
        (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.date(1970, 1, 1), 0, True),
        (NOON, FIRST_DAY - DAY, 0, True),
        (NOON, NOON.date(), 40, False),
        (NOON, NOON.date(), -3 * 24 * 60, True),
    ],
)
def test_a_time_is_doubtful(finished: dt.datetime, occurred: dt.date, minutes: int, expected: bool) -> None:
    assert is_doubtful(finished, occurred, NOON, minutes) is expected


def send(session: Session, cast: Cast, *items: dict[str, object]) -> list[str]:
    answers = receive_batch(session, cast.amina, parse_batch(batch(*items)))
    session.rollback()
    return [answer["status"] for answer in answers]


def of_day(day: dt.date, **more: object) -> dict[str, object]:
    """Return an encounter as a phone makes it that believes it is this day."""
    return envelope(encounter(day), day=day, **more)


def review_of(session: Session) -> str:
    return session.scalars(sa.select(Record.review)).one()


@pytest.mark.parametrize("year", [1970, 2000, 2099])
def test_a_record_of_a_wrong_clock_is_stored_and_somebody_is_asked(session: Session, cast: Cast, year: int) -> None:
    first = of_day(dt.date(year, 1, 2))
    assert send(session, cast, first) == ["stored"]
    assert review_of(session) == "clock"
    queue = listing.list_review_queue(session, cast.rosa)
    assert [record.instance_id for record in queue.records] == [first["id"]]
    reviews.review_record(session, cast.rosa, instance_id=str(first["id"]), state="returned", comment="Which day was it?")
    corrected = envelope(encounter(), root=first["id"], prev=[first["id"]])
    assert send(session, cast, corrected) == ["stored"]
    assert review_of(session) == "corrected"


def test_a_correction_with_the_same_wrong_clock_is_asked_about_again(session: Session, cast: Cast) -> None:
    first = of_day(dt.date(2099, 1, 2))
    send(session, cast, first, of_day(dt.date(2099, 1, 3), root=first["id"], prev=[first["id"]]))
    assert review_of(session) == "clock"


def test_what_a_supervisor_approved_is_not_asked_about_again(session: Session, cast: Cast) -> None:
    first = of_day(dt.date(2099, 1, 2))
    send(session, cast, first)
    reviews.review_record(session, cast.rosa, instance_id=str(first["id"]), state="approved", comment="")
    assert send(session, cast, first) == ["duplicate"]
    assert review_of(session) == "approved"


def test_a_phone_that_said_its_clock_was_off_is_asked_about(session: Session, cast: Cast) -> None:
    assert cast.amina.device_id
    now = dt.datetime.now(dt.UTC)
    devices.update_last_contact(session, cast.amina.device_id, now, {"report": {"clock": -2 * 24 * 60}})
    session.commit()
    send(session, cast, envelope(encounter()))
    assert review_of(session) == "clock"


@pytest.mark.parametrize("finished_at", ["1970-01-01T00:00:02+00:00", "1969-12-31T19:00:02-05:00"])
def test_a_clock_that_began_at_1970_loses_nothing_and_is_asked_about(session: Session, cast: Cast, finished_at: str) -> None:
    """Sealed, as phones send it: it is no record that could not be opened."""
    phone = Phone(session, cast)
    item = phone.seal(encounter(dt.datetime.fromisoformat(finished_at).date()), finished_at=finished_at)
    assert phone.statuses(item) == ["stored"]
    assert review_of(session) == "clock"
    assert phone.statuses(item) == ["duplicate"]


def test_a_record_of_exactly_a_year_ago_is_asked_about(session: Session, cast: Cast) -> None:
    today = dt.datetime.now(dt.UTC).date()
    assert send(session, cast, of_day(today - dt.timedelta(days=365))) == ["stored"]
    assert review_of(session) == "clock"
