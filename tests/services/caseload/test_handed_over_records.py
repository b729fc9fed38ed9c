"""The follow-ups of a mediation or an incident, which name no card, are handed over: by their worker or the office."""

import datetime as dt
import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.caseload import hand_over
from fieldapp.services.caseload.update import rebuild_caseload
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.services.forms.published import publish_form
from fieldapp.services.phones.pull import pull_changes
from fieldapp.services.problems import ActProblem
from fieldapp.services.products.editions import build_due
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.settings import Settings
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.database import WriteTransaction
from fieldapp.store.people.users import User
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_batch
from tests.cast import Cast, another_worker, batch, publish_others
from tests.in_clear import everything
from tests.programme import compiled_of, workbook_of
from tests.services.caseload.incidents import FOLLOW_UP as INCIDENT_FOLLOW_UP
from tests.services.caseload.incidents import alerted, followed_up
from tests.services.caseload.mediations import FOLLOW_UP, mediated, visited
from tests.services.caseload.meetings import ONE, knows, met, note
from tests.services.products.figures import body_of, number, switched_on

TODAY = dt.date.today()


@pytest.fixture(autouse=True)
def _with_forms(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    for form in (FOLLOW_UP, INCIDENT_FOLLOW_UP):
        publish_form(session, cast.system, compiled=compiled_of(form), workbook=workbook_of(form))


@pytest.fixture
def colleague(session: Session, cast: Cast) -> Actor:
    return another_worker(session, cast)


def third_worker(session: Session, cast: Cast) -> int:
    user = User(
        centre_id=cast.centre.id, username="cleo", label="L-cleo", role="worker", password="-",
        fs_uniquifier="cleo", created_at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    session.add(user)
    session.commit()
    return user.id


def id_of(actor: Actor) -> int:
    assert actor.user_id is not None
    return actor.user_id


def send(session: Session, actor: Actor, *items: dict[str, Any]) -> None:
    answers = receive_batch(session, actor, parse_batch(batch(*items)))
    assert {answer["status"] for answer in answers} == {"stored"}


def handed(root: str, to: int | None, minute: int = 0) -> dict[str, Any]:
    return note("handover", {"record": root, "to": to}, minute)


def has(session: Session, actor: Actor, root: str) -> set[str]:
    """Return what this worker's phone would list of a record: the days that are due, and whether it is open."""
    found = set()
    for key in knows(session, actor):
        kind, _, name = key.partition("/")
        if name.startswith(root):
            found.add(name.partition("/")[2] or kind)
    return found


def days(*ahead: int) -> set[str]:
    return {(TODAY + dt.timedelta(days=each)).isoformat() for each in ahead}


@pytest.mark.parametrize(
    "bad",
    [
        {"record": "x", "to": 1},
        {"record": 3, "to": 1},
        {"record": True, "to": 1},
        {"to": 1},
        {"code": ONE, "record": ONE, "to": 1},
    ],
)
def test_a_note_that_names_no_record_is_kept_and_does_nothing(session: Session, cast: Cast, bad: dict[str, Any]) -> None:
    (answer,) = receive_batch(session, cast.amina, parse_batch(batch(note("handover", bad))))
    assert answer["status"] == "rejected"


def test_who_does_not_have_it_hands_nothing_over(session: Session, cast: Cast, colleague: Actor) -> None:
    asks = mediated(plan="d7")
    send(session, cast.amina, asks)
    send(session, colleague, handed(asks["id"], colleague.user_id))
    send(session, cast.amina, handed(asks["id"], cast.eve.user_id), handed(asks["id"], 10**6))  # who is no worker
    assert has(session, cast.amina, asks["id"]) == days(7)
    assert has(session, colleague, asks["id"]) == set()


def test_what_is_about_a_person_goes_with_their_card_alone(session: Session, cast: Cast, colleague: Actor) -> None:
    first = met(ONE, due=3)
    send(session, cast.amina, first, handed(first["id"], colleague.user_id))
    assert has(session, cast.amina, first["id"]) == days(3)
    assert knows(session, colleague) == {}
    with pytest.raises(ActProblem) as refused:
        hand_over.assign_record(session, cast.rosa, root_id=first["id"], user_id=id_of(colleague))
    assert refused.value.code == "follow_ups.none"


def test_what_is_due_goes_to_the_colleague_and_leaves_the_other(session: Session, cast: Cast, colleague: Actor) -> None:
    asks, stays, alert = mediated(plan="d1 d7"), mediated(plan="d1"), alerted(plan="d7")
    send(session, cast.amina, asks, stays, alert)
    cursor = json.loads(pull_changes(session, cast.amina, cursor=0))["cursor"]
    send(session, cast.amina, handed(asks["id"], colleague.user_id), handed(alert["id"], colleague.user_id))
    assert has(session, colleague, asks["id"]) == days(1, 7)
    assert has(session, colleague, alert["id"]) == {"open", *days(7)}
    assert has(session, cast.amina, stays["id"]) == days(1)
    gone = {key for key, body in json.loads(pull_changes(session, cast.amina, cursor=cursor))["items"] if body is None}
    due = {f"due/{asks['id']}/{day}" for day in days(1, 7)} | {f"due/{alert['id']}/{day}" for day in days(7)}
    assert gone == due | {f"open/{alert['id']}"}
    # What is asked for from now on is the colleague's too, whoever asks.
    send(session, cast.amina, visited(asks["id"], then="d3"))
    assert (has(session, cast.amina, asks["id"]), has(session, colleague, asks["id"])) == (set(), days(1, 3, 7))
    send(session, colleague, followed_up(alert["id"], status_now="closed", next_look="none"))
    assert has(session, colleague, alert["id"]) == set()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_of_arrival_changes_nothing(
    session: Session, cast: Cast, colleague: Actor, order: tuple[int, ...]
) -> None:
    """Amina hands over while her phone is offline, the colleague does it and gives it back, offline too."""
    asks = mediated(plan="d1 d7")
    sent = [
        (cast.amina, asks),
        (cast.amina, handed(asks["id"], colleague.user_id, 1)),
        (colleague, visited(asks["id"], then="d3")),
        (colleague, handed(asks["id"], cast.amina.user_id, 2)),
    ]
    for place in order:
        send(session, *sent[place])
    assert has(session, cast.amina, asks["id"]) == days(1, 3, 7)
    assert has(session, colleague, asks["id"]) == set()


def test_while_both_phones_are_offline_the_last_who_had_it_decides(session: Session, cast: Cast, colleague: Actor) -> None:
    """The worker and the office give one mediation to two people; the phones hear of it later, in either order."""
    third = third_worker(session, cast)
    ends = []
    for office_first in (True, False):
        asks = mediated(plan="d7")
        send(session, cast.amina, asks)
        acts = [
            lambda root=asks["id"]: hand_over.assign_record(session, cast.rosa, root_id=root, user_id=third),
            # By its clock before the office; it arrives when the phone has signal.
            lambda root=asks["id"]: send(session, cast.amina, {**handed(root, colleague.user_id), "finished_at": past()}),
        ]
        for do in acts if office_first else reversed(acts):
            do()
        # The colleague, who never had it for good, gives it on and does it all the same.
        send(session, colleague, {**handed(asks["id"], cast.amina.user_id), "finished_at": future()}, visited(asks["id"]))
        session.expire_all()
        ends.append(set(session.scalars(sa.select(FollowUp.worker_id).where(FollowUp.root_id == asks["id"]))))
        assert has(session, colleague, asks["id"]) == has(session, cast.amina, asks["id"]) == set()
    assert ends == [{third}, {third}]


def past() -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat(timespec="milliseconds")


def future() -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)).isoformat(timespec="milliseconds")


def test_the_office_hands_over_what_a_worker_who_left_had(session: Session, cast: Cast, colleague: Actor) -> None:
    asks, alert = mediated(plan="d7"), alerted(plan="")
    send(session, cast.amina, asks, alert)
    listed = {one.record.instance_id: one for one in hand_over.list_caseload(session, cast.rosa).records}
    assert listed[asks["id"]].due_on == TODAY + dt.timedelta(days=7)
    assert listed[alert["id"]].due_on is None
    assert {one.worker_id for one in listed.values()} == {cast.amina.user_id}
    for root in (asks["id"], alert["id"]):
        hand_over.assign_record(session, cast.rosa, root_id=root, user_id=id_of(colleague))
        with pytest.raises(ActProblem):
            hand_over.assign_record(session, cast.rosa, root_id=root, user_id=id_of(cast.eve))
    assert has(session, colleague, asks["id"]) == days(7)
    assert has(session, colleague, alert["id"]) == {"open"}
    assert knows(session, cast.amina) == {}
    assert hand_over.list_caseload(session, cast.rosa, worker_id=cast.amina.user_id).records == []
    assert len(hand_over.list_caseload(session, cast.rosa, worker_id=colleague.user_id).records) == 2
    send(session, colleague, visited(asks["id"], then="none"))
    with pytest.raises(ActProblem) as refused:
        hand_over.assign_record(session, cast.rosa, root_id=asks["id"], user_id=id_of(cast.amina))
    assert refused.value.code == "follow_ups.none"


def test_what_is_read_again_stays_with_the_colleague(session: Session, cast: Cast, colleague: Actor) -> None:
    asks = mediated(plan="d7")
    send(session, cast.amina, asks, handed(asks["id"], colleague.user_id))
    for table in (PullItem, FollowUp):
        session.execute(sa.delete(table))
    session.commit()
    rebuild_caseload(session, cast.system)
    assert has(session, colleague, asks["id"]) == days(7)
    assert has(session, cast.amina, asks["id"]) == set()


def test_the_hand_over_goes_when_the_record_is_erased_also_what_comes_later(
    session: Session, cast: Cast, colleague: Actor, tmp_path: Path
) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    asks = mediated(plan="d7")
    send(session, cast.amina, asks, handed(asks["id"], colleague.user_id))
    erase_record(session, cast.rosa, instance_id=asks["id"], reason="by_mistake")
    assert (has(session, colleague, asks["id"]), has(session, cast.amina, asks["id"])) == (set(), set())
    (answer,) = receive_batch(session, colleague, parse_batch(batch(handed(asks["id"], cast.amina.user_id))))
    assert [problem["code"] for problem in answer["problems"]] == ["record.erased"]
    session.execute(sa.delete(PullItem))  # where tombstones for phones name what they forget
    session.commit()
    left = everything(session)
    assert asks["id"] not in left and asks["id"].replace("-", "") not in left


@pytest.mark.slow  # a quarter of mediations
def test_what_a_colleague_does_after_a_hand_over_is_counted(session: Session, cast: Cast, colleague: Actor) -> None:
    """From Amina's phone over the hand-over to the colleague's follow-up and the number on the dashboard."""
    chance = random.Random(3)
    now = dt.datetime(2026, 7, 11, 12, tzinfo=dt.UTC)
    asked = []
    for place in range(80):
        day = dt.date(2026, 4, 1) + dt.timedelta(days=chance.randrange(60) if place else 0)
        asked.append((mediated(day, "d7"), day))
    send(session, cast.amina, *(item for item, _ in asked))
    send(session, cast.amina, *(handed(item["id"], colleague.user_id) for item, _ in asked))
    for place, (item, day) in enumerate(asked):
        done = day + dt.timedelta(days=7 if place < 60 else 30)
        calm = "violent" if place < 8 else "cool"
        send(session, colleague, visited(item["id"], done, calm, due=f"{item['id']}/{day + dt.timedelta(days=7)}"))
    arrived = now - dt.timedelta(days=3)
    with WriteTransaction(session):
        session.execute(sa.update(Record).values(received_at=arrived, changed_at=arrived))
    switched_on(session, cast, "dashboard")
    build_due(session, now)
    shown = number(body_of(session, cast, "dashboard", "2026-06"), "mediations_visited", "2026-Q2")
    assert shown["state"] == "value" and abs(shown["value"] - 75) <= 5
    stored = session.execute(sa.select(Record.follows, Record.author_id).where(Record.form == FOLLOW_UP)).all()
    assert sorted(stored) == sorted((item["id"], colleague.user_id) for item, _ in asked)
    notes = session.scalars(sa.select(Submission.body).where(Submission.form == "fieldapp.handover")).all()
    assert sorted(json.loads(body)["record"] for body in notes) == sorted(item["id"] for item, _ in asked)
