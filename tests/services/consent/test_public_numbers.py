"""Public numbers that were published already follow who takes everything back, as soon as there are twenty of them."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.services.products import editions
from fieldapp.settings import Settings
from fieldapp.store.database import WriteTransaction
from fieldapp.store.records.records import Record
from fieldapp.store.releases.datasets import PublishedCounts
from tests.cast import Cast, encounter, envelope, publish_others
from tests.services.caseload.meetings import code
from tests.services.consent.consents import consent
from tests.services.consent.endings import end, send
from tests.services.products.figures import NOW, body_of, number, switched_on

pytestmark = pytest.mark.slow
MAY = dt.date(2026, 5, 10)
LONG_AGO = dt.date(2025, 2, 10)  # over 400 days before: it is published in each new edition all the same
PEOPLE = [code(3000 + one) for one in range(30)]


@pytest.fixture(autouse=True)
def _with_list(one_no: None, session: Session, cast: Cast, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    publish_others(session, cast)


def talk(person: str, day: dt.date) -> dict[str, Any]:
    groups = {"people": {"who": "enrolled", "code": person}, "when_where": {"nbhd": "020"}, "consent": consent("3")}
    return envelope(encounter(day, **groups), day=day)


def publish(session: Session, cast: Cast, day: dt.date) -> list[str]:
    """Let 30 people be met on a day, and the dashboard be built; return the ids of the records."""
    first = talk(code(2999), dt.date(2024, 12, 30))
    items = [talk(person, day) for person in PEOPLE]
    send(session, cast.amina, first, *items)
    with WriteTransaction(session):  # as if each had arrived on its day
        session.execute(
            sa.update(Record).values(received_at=NOW - dt.timedelta(days=5), changed_at=NOW - dt.timedelta(days=5))
        )
    switched_on(session, cast, "dashboard")
    assert editions.build_due(session, NOW) == 1
    return [item["id"] for item in items]


def read(session: Session, cast: Cast, quarter: str) -> tuple[float | None, float | None, int]:
    """Return what the newest edition says: people, talks in their ward, how often it was revised."""
    body = body_of(session, cast, "dashboard", "2026-06")
    people = number(body, "participants", quarter)
    series = next(one["series"] for one in body["indicators"] if one["id"] == "encounters_by_ward")
    texts = next(row["texts"] for row in series["rows"] if row["key"] == "ward 03")
    text = texts[series["periods"].index(quarter)]
    return people["value"], float(text) if text.isdecimal() else None, people["revised"]


@pytest.mark.parametrize("day", [MAY, LONG_AGO], ids=["last quarter", "long ago"])
def test_who_takes_everything_back_is_counted_out_of_what_was_published(session: Session, cast: Cast, day: dt.date) -> None:
    publish(session, cast, day)
    quarter = f"{day.year}-Q{(day.month + 2) // 3}"
    assert read(session, cast, quarter) == (30, 30, 0)
    for person in PEOPLE[:10]:
        end(session, cast, person)
    assert editions.build_due(session, NOW + dt.timedelta(minutes=10)) == 0
    assert read(session, cast, quarter) == (30, 30, 0)  # one alone, or ten, would be told by the difference
    for person in PEOPLE[10:]:
        end(session, cast, person)
    assert editions.build_due(session, NOW + dt.timedelta(minutes=20)) == 1
    assert read(session, cast, quarter) == (None, None, 1)
    assert editions.build_due(session, NOW + dt.timedelta(minutes=30)) == 0


def test_twelve_months_do_not_tell_how_few_took_everything_back(session: Session, cast: Cast) -> None:
    """Fifteen are under twenty: the quarter stays, so twelve months that hold it have to be its sum and not a new count."""
    publish(session, cast, MAY)
    for person in PEOPLE[:15]:
        end(session, cast, person)
    assert editions.build_due(session, dt.datetime(2026, 10, 10, 12, tzinfo=dt.UTC)) > 0
    counts = read_ward_counts(session)
    assert counts["2026-Q2"] == 30
    assert counts["P1Y/2026-Q3"] == 30  # new since then
    for person in PEOPLE[15:]:
        end(session, cast, person)
    editions.build_due(session, dt.datetime(2026, 10, 11, 12, tzinfo=dt.UTC))
    counts = read_ward_counts(session)
    assert (counts["2026-Q2"], counts["P1Y/2026-Q3"], counts["P1Y/2026-Q2"]) == (0, 0, 0)


def read_ward_counts(session: Session) -> dict[str, int]:
    """Return from which counts of the ward the published numbers were made, by period."""
    found: dict[str, int] = {}
    for row in session.execute(sa.select(PublishedCounts.period, PublishedCounts.cells)):
        for cell, count, _ in row.cells:
            if cell == ["ward 03"]:
                found[row.period] = count
    session.rollback()
    return found


def test_records_that_are_erased_are_counted_out_too(session: Session, cast: Cast) -> None:
    for record_id in publish(session, cast, MAY):
        erase_record(session, cast.rosa, instance_id=record_id, reason="by_mistake")
    assert editions.build_due(session, NOW + dt.timedelta(minutes=10)) == 1
    assert read(session, cast, "2026-Q2")[:2] == (None, None)


def test_after_the_upgrade_every_table_is_counted_once_more(session: Session, cast: Cast) -> None:
    """Whoever took everything back before it was in what had been published."""
    publish(session, cast, MAY)
    for person in PEOPLE:
        end(session, cast, person)
    with WriteTransaction(session):
        session.execute(sa.update(PublishedCounts).values(late=0))  # as ends left it before
    assert editions.build_due(session, NOW + dt.timedelta(minutes=10)) == 0
    with WriteTransaction(session):
        session.execute(sa.update(PublishedCounts).values(late=1_000_000_000))  # as the step of the schema does
    assert editions.build_due(session, NOW + dt.timedelta(minutes=20)) == 1
    assert read(session, cast, "2026-Q2")[:2] == (None, None)
