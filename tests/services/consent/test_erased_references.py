"""Of a record that was erased, what else there is says neither its number nor its day."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.services.forms.published import publish_form
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.reviews import review_record
from fieldapp.settings import Settings
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_batch
from tests.cast import Cast, batch, publish_others
from tests.in_clear import everything, list_told
from tests.programme import compiled_of, workbook_of
from tests.services.caseload.incidents import alerted, followed_up
from tests.services.caseload.mediations import mediated, visited
from tests.services.caseload.meetings import TODAY, knows
from tests.services.caseload.participants import participant
from tests.services.consent.consents import filled

FIRST, DAY = TODAY - dt.timedelta(days=5), TODAY - dt.timedelta(days=1)
PAIRS = pytest.mark.parametrize(("make", "follow"), [(mediated, visited), (alerted, followed_up)])
Make = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def forms(session: Session, cast: Cast, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    publish_others(session, cast)
    for form in ("mediation_follow_up", "incident_follow_up"):
        publish_form(session, cast.system, compiled=compiled_of(form), workbook=workbook_of(form))


def send(session: Session, cast: Cast, *items: dict[str, Any]) -> None:
    receive_batch(session, cast.amina, parse_batch(batch(*items)))


def erase(session: Session, cast: Cast, item: dict[str, Any]) -> None:
    erase_record(session, cast.rosa, instance_id=item["id"], reason="too_much")
    session.rollback()
    session.expire_all()


def list_messages(session: Session, item: dict[str, Any]) -> list[str]:
    """Return the keys under which a phone is told something with the number of a record in it."""
    return list_told(session, item["id"])


def count_left(session: Session, item: dict[str, Any]) -> int:
    """Return how often the number of a record is anywhere, but where phones are told to forget it."""
    return everything(session, "feed_item", "told_worker").count(item["id"]) + len(list_messages(session, item))


def _with_body(item: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(answers)
    return item | {"body": body, "sha256": hashlib.sha256(body.encode()).hexdigest()}


def _list_bodies(session: Session) -> str:
    """Return all answers that the centre has."""
    session.rollback()
    session.expire_all()
    answers = [json.dumps(record.answers) for record in session.scalars(sa.select(Record))]
    answers += [submission.body for submission in session.scalars(sa.select(Submission))]
    return "\n".join(answers)


@PAIRS
def test_no_version_of_a_follow_up_names_it(session: Session, cast: Cast, make: Make, follow: Make) -> None:
    first, second = make(DAY), make(DAY)
    visit = follow(first["id"], DAY)
    send(session, cast, first, second, visit)
    send(session, cast, follow(second["id"], DAY, root=visit["id"], prev=[visit["id"]]))
    erase(session, cast, first)
    assert count_left(session, first) == 0
    record = session.scalars(sa.select(Record).where(Record.instance_id == visit["id"])).one()
    assert record.follows == second["id"]


@PAIRS
def test_nor_do_two_versions_between_which_somebody_must_choose(
    session: Session, cast: Cast, make: Make, follow: Make
) -> None:
    first, second, third = make(DAY), make(DAY), make(DAY)
    visit = follow(first["id"], DAY)
    send(session, cast, first, second, third, visit)
    for other in (second, third):
        send(session, cast, follow(other["id"], DAY, root=visit["id"], prev=[visit["id"]]))
    record = session.scalars(sa.select(Record).where(Record.instance_id == visit["id"])).one()
    assert record.contested
    for gone in (second, third):
        erase(session, cast, gone)
        assert count_left(session, gone) == 0


@PAIRS
def test_nor_is_a_phone_told_its_number_with_what_came_back(session: Session, cast: Cast, make: Make, follow: Make) -> None:
    first, other = make(DAY), make(DAY)
    visit, refused = follow(first["id"], DAY), follow(first["id"], DAY)
    broken = json.loads(refused["body"])
    for answers in broken.values():
        if "fu_date" in answers:
            answers["fu_date"] = "no day"
    refused = _with_body(refused, broken)
    send(session, cast, first, other, visit, refused)
    review_record(session, cast.rosa, instance_id=visit["id"], state="returned", comment="why")
    assert {f"rec/{visit['id']}", f"rec/{refused['id']}"} <= set(list_messages(session, first))
    erase(session, cast, first)
    assert count_left(session, first) == 0
    assert f"rec/{visit['id']}" in knows(session, cast.amina)
    late = _with_body(follow(first["id"], DAY), broken)
    send(session, cast, late)
    assert count_left(session, first) == 0


def test_its_day_goes_from_what_follows_it_up(session: Session, cast: Cast) -> None:
    alert = alerted(FIRST)
    known = followed_up(alert["id"], DAY, began=FIRST)
    send(session, cast, alert, known)
    assert str(FIRST) in known["body"]
    erase(session, cast, alert)
    late = followed_up(alert["id"], DAY, began=FIRST)
    send(session, cast, late)
    session.rollback()
    stays = session.scalars(sa.select(Record).where(Record.form == "incident_follow_up")).all()
    assert [record.answers["since_then"]["fu_date"] for record in stays] == [str(DAY)] * 2
    assert str(FIRST) not in _list_bodies(session)


def test_its_day_goes_from_a_later_intake_of_the_same_card(session: Session, cast: Cast) -> None:
    first, stays = participant("intake", FIRST), participant("intake", DAY)
    body = json.loads(stays["body"])
    body["start"]["intake_day"] = str(FIRST)
    body["arrival"]["second_intake"] = "yes"
    second = filled("participant", body, DAY)
    send(session, cast, first, second)
    erase(session, cast, first)
    assert str(FIRST) not in _list_bodies(session)
    record = session.scalars(sa.select(Record).where(Record.instance_id == second["id"])).one()
    assert record.answers["arrival"]["second_intake"] == "yes"


def test_its_day_goes_from_an_intake_that_comes_only_afterwards(session: Session, cast: Cast) -> None:
    first = participant("intake", FIRST)
    send(session, cast, first)
    erase(session, cast, first)
    body = json.loads(participant("intake", DAY)["body"])
    body["start"]["intake_day"] = str(FIRST)
    body["arrival"]["second_intake"] = "yes"
    second = filled("participant", body, DAY)
    body["start"]["intake_day"] = str(DAY)  # of no intake that was erased
    third = filled("participant", body, DAY)
    send(session, cast, second, third)
    record = session.scalars(sa.select(Record).where(Record.instance_id == second["id"])).one()
    assert "intake_day" not in record.answers["start"]
    assert record.answers["arrival"]["second_intake"] == "yes"
    assert str(FIRST) not in session.scalars(sa.select(Submission.body).where(Submission.root_id == second["id"])).one()
    other = session.scalars(sa.select(Record).where(Record.instance_id == third["id"])).one()
    assert other.answers["start"]["intake_day"] == str(DAY)


def test_the_day_of_another_intake_stays(session: Session, cast: Cast) -> None:
    first = participant("intake", FIRST)
    body = json.loads(participant("intake", DAY)["body"])
    body["start"]["intake_day"] = str(FIRST)
    body["arrival"]["second_intake"] = "yes"
    second, other = filled("participant", body, DAY), participant("intake", DAY)
    send(session, cast, first, second, other)
    erase(session, cast, other)
    record = session.scalars(sa.select(Record).where(Record.instance_id == second["id"])).one()
    assert record.answers["start"]["intake_day"] == str(FIRST)
