"""Answers go when the time is over that their form says; their record stays, and the rest of it."""

import datetime as dt
import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import ActContext
from fieldapp.services.records import folding
from fieldapp.store.consent.retention import RetentionPlan
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from tests.cast import Cast
from tests.services.caseload.meetings import code
from tests.services.consent.calendar import Calendar
from tests.services.consent.holds import preserve
from tests.services.consent.timed_forms import publish_timed, timed

SHORT = '"77777"'
ALL = {"day", "kind", "tier", "wish", "how", "short", "long", "other"}


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast) -> Calendar:
    return Calendar(monkeypatch, session, cast)


def pass_months(calendar: Calendar, months: int) -> None:
    """Let months go by, and a week in which what is due is shown and goes."""
    calendar.go_on(months * 31)
    calendar.settle_in()
    calendar.live(8)


def read_record(session: Session, item: dict[str, Any]) -> Record:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(Record).where(Record.instance_id == item["id"])).one()


def read_stored(session: Session, item: dict[str, Any]) -> str:
    """Return all that the database has of a record and its submissions, as a text."""
    record = read_record(session, item)
    bodies = session.scalars(sa.select(Submission.body).where(Submission.root_id == item["id"])).all()
    return "\n".join([json.dumps(record.answers), *bodies])


def test_an_answer_goes_after_its_months_and_no_other_one(session: Session, cast: Cast, calendar: Calendar) -> None:
    publish_timed(session, cast)
    item = timed(calendar.now.date())
    assert calendar.send(item)[0]["status"] == "stored"
    changed_at = read_record(session, item).changed_at
    pass_months(calendar, 5)
    assert set(read_record(session, item).answers) == ALL
    pass_months(calendar, 2)
    assert set(read_record(session, item).answers) == ALL - {"short"}
    assert SHORT not in read_stored(session, item)
    pass_months(calendar, 6)  # free text without a time of its own goes after a year
    assert set(read_record(session, item).answers) == ALL - {"short", "how"}
    pass_months(calendar, 12)
    assert set(read_record(session, item).answers) == {"day", "kind", "tier", "wish", "other"}
    assert "CANARY" not in read_stored(session, item)
    assert read_record(session, item).changed_at == changed_at
    assert calendar.send(item)[0]["status"] == "duplicate"
    assert "CANARY" not in read_stored(session, item)


def test_the_time_of_the_form_is_for_every_other_answer_and_not_for_what_the_app_reads(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    publish_timed(session, cast, months="3")
    item = timed(calendar.now.date())
    calendar.send(item)
    pass_months(calendar, 4)
    assert set(read_record(session, item).answers) == ALL - {"how", "other"}
    assert '"4"' not in read_stored(session, item)


def test_the_newest_version_says_how_long_for_records_of_earlier_ones(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    publish_timed(session, cast)
    item = timed(calendar.now.date())
    calendar.send(item)
    pass_months(calendar, 4)
    assert set(read_record(session, item).answers) == ALL
    publish_timed(session, cast, version="2", months="3")
    pass_months(calendar, 0)
    assert set(read_record(session, item).answers) == ALL - {"how", "other"}


def test_what_was_changed_counts_from_then_and_a_hold_stops_it(session: Session, cast: Cast, calendar: Calendar) -> None:
    publish_timed(session, cast)
    preserved = timed(calendar.now.date())
    corrected = timed(calendar.now.date())
    calendar.send(preserved, corrected)
    until = calendar.now.date() + dt.timedelta(days=365)
    preserve(session, cast, preserved["id"], until)
    calendar.go_on(4 * 31)
    again = timed(calendar.now.date(), root=corrected["id"], prev=[corrected["id"]])
    assert calendar.send(again)[0]["status"] == "stored"
    pass_months(calendar, 3)
    assert SHORT in read_stored(session, preserved)
    assert SHORT in read_stored(session, corrected)
    pass_months(calendar, 4)
    assert SHORT in read_stored(session, preserved)
    assert SHORT not in read_stored(session, corrected)


def test_a_record_that_is_folded_again_is_the_same_without_an_answer_that_its_form_requires(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    publish_timed(session, cast)
    item = timed(calendar.now.date())
    left = timed(calendar.now.date(), root=item["id"], prev=[item["id"]])
    right = timed(calendar.now.date(), root=item["id"], prev=[item["id"]])
    calendar.send(item, left, right)
    pass_months(calendar, 7)
    before = read_record(session, item).answers
    folding.refold(ActContext(session, cast.system, calendar.now), item["id"])
    session.commit()
    after = read_record(session, item)
    assert (after.answers, after.review) == (before, "")


def test_wishes_to_be_contacted_go_thirty_days_after_the_exit(session: Session, cast: Cast, calendar: Calendar) -> None:
    publish_timed(session, cast)
    stayed, left, other = code(7), code(8), code(9)
    day = calendar.now.date()
    items = {person: timed(day, code=person) for person in (stayed, left, other)}
    calendar.send(*items.values())
    pass_months(calendar, 2)
    assert all("CANARY how" in read_stored(session, item) for item in items.values())
    calendar.send(timed(calendar.now.date(), "exit", left))
    calendar.go_on(29)
    calendar.settle_in()
    assert not session.scalars(sa.select(RetentionPlan).where(RetentionPlan.rule == "contact_wishes")).all()
    pass_months(calendar, 1)
    texts = {person: read_stored(session, item) for person, item in items.items()}
    assert {person for person, text in texts.items() if "CANARY how" in text} == {stayed, other}
    assert "CANARY long" in texts[left]


def test_an_answer_goes_from_what_was_refused_as_well(session: Session, cast: Cast, calendar: Calendar) -> None:
    publish_timed(session, cast)
    day = calendar.now.date()
    good, refused, preserved = timed(day), timed(day, kind="no such kind"), timed(day, kind="no such kind")
    statuses = [answer["status"] for answer in calendar.send(good, refused, preserved)]
    assert statuses == ["stored", "rejected", "rejected"]
    preserve(session, cast, preserved["id"], day + dt.timedelta(days=600))
    pass_months(calendar, 5)
    calendar.send(refused)  # sent again it is no younger
    pass_months(calendar, 2)
    session.rollback()
    session.expire_all()
    bodies = {row.root_id: row.body for row in session.execute(sa.select(Submission.root_id, Submission.body))}
    has_short = [SHORT in bodies[item["id"]] for item in (good, refused, preserved)]
    assert has_short == [False, False, True]
    assert "CANARY long" in bodies[refused["id"]]
    plan = session.scalars(sa.select(RetentionPlan).where(RetentionPlan.rule == "answers")).one()
    assert (plan.count, plan.erased) == (2, 2)
