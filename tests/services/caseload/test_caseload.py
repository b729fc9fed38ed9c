"""Follow-up without a register: codes only, scoped by the server, the same in any order of arrival."""

import datetime as dt
import itertools
import json
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.caseload import hand_over
from fieldapp.services.caseload.update import lacks_caseload, rebuild_caseload
from fieldapp.services.phones.pull import pull_changes
from fieldapp.services.problems import ActProblem
from fieldapp.store.caseload.cards import Card
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records.records import Record
from tests.cast import Cast, another_worker, envelope
from tests.services.caseload.meetings import ONE, TODAY, TWO, knows, met, note, send


def test_a_phone_knows_its_own_workers_caseload_and_nobody_elses(session: Session, cast: Cast) -> None:
    first = met(ONE, due=3)
    earlier_day = TODAY - dt.timedelta(days=2)
    second = met(ONE, earlier_day)
    send(session, cast.amina, first, second)
    heads = sorted([first["id"], second["id"]])
    consent = {"tier": 2, "since": f"{earlier_day:%Y-%m}", "heads": heads, "doubt": False, "wording": ""}
    due = (TODAY + dt.timedelta(days=3)).isoformat()
    last = [{"on": day.isoformat(), "form": "encounter", "kind": "check_in", "own": True} for day in (TODAY, earlier_day)]
    assert knows(session, cast.amina) == {
        f"card/{ONE}": {"code": ONE, "tier": "2", "seen": TODAY.isoformat(), "consent": consent, "last": last},
        f"due/{first['id']}/{due}": {"on": due, "code": ONE, "form": "encounter", "from": TODAY.isoformat()},
    }
    assert knows(session, another_worker(session, cast)) == {}


def test_only_what_changed_is_pulled(session: Session, cast: Cast) -> None:
    send(session, cast.amina, met(ONE))
    first = json.loads(pull_changes(session, cast.amina, cursor=0))
    assert json.loads(pull_changes(session, cast.amina, cursor=first["cursor"]))["items"] == []
    send(session, cast.amina, met(TWO))
    later = json.loads(pull_changes(session, cast.amina, cursor=first["cursor"]))
    assert [key for key, _ in later["items"]] == [f"card/{TWO}"]


def test_a_contact_settles_what_was_due_in_either_order(session: Session, cast: Cast) -> None:
    asks = met(ONE, TODAY - dt.timedelta(days=3))
    answers = json.loads(asks["body"])
    answers["next"]["next_due"] = (TODAY - dt.timedelta(days=1)).isoformat()
    asks = envelope(answers, day=TODAY - dt.timedelta(days=3))
    seen = met(ONE)
    for order in ((asks, seen), (seen, asks)):
        send(session, cast.amina, *(({**one, "id": str(uuid.uuid4())}) for one in order))
    assert not [key for key in knows(session, cast.amina) if key.startswith("due/")]


def test_not_needed_settles_also_when_it_comes_before_its_record(session: Session, cast: Cast) -> None:
    asks = met(ONE, due=5)
    due = f"{asks['id']}/{(TODAY + dt.timedelta(days=5)).isoformat()}"
    send(session, cast.amina, note("settle", {"due": due}))
    send(session, cast.amina, asks)
    assert f"due/{due}" not in knows(session, cast.amina)


@pytest.mark.parametrize("bad", [{}, {"due": "x"}, {"due": 3}, {"due": f"{uuid.uuid4()}/2026-13-01"}])
def test_a_broken_note_is_kept_and_does_nothing(session: Session, cast: Cast, bad: dict[str, Any]) -> None:
    assert send(session, cast.amina, note("settle", bad), note("spy", {}), note("handover", {"code": ONE, "to": True})) == [
        "rejected", "rejected", "rejected",
    ]  # fmt: skip
    assert knows(session, cast.amina) == {}


def test_a_card_is_handed_over_with_what_is_due(session: Session, cast: Cast) -> None:
    basil = another_worker(session, cast)
    send(session, cast.amina, met(ONE, due=3))
    cursor = json.loads(pull_changes(session, cast.amina, cursor=0))["cursor"]
    before = set(knows(session, cast.amina))
    send(session, cast.amina, note("handover", {"code": ONE, "to": basil.user_id}))
    assert set(knows(session, basil)) == before
    assert knows(session, cast.amina) == {}
    gone = json.loads(pull_changes(session, cast.amina, cursor=cursor))["items"]
    assert {key for key, body in gone if body is None} == before


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_hand_overs_arrive_in_any_order(session: Session, cast: Cast, order: tuple[int, ...]) -> None:
    basil = another_worker(session, cast)
    third = another_worker(session, cast)
    sent = [
        (cast.amina, met(ONE)),
        (cast.amina, note("handover", {"code": ONE, "to": basil.user_id}, 1)),
        (basil, note("handover", {"code": ONE, "to": cast.amina.user_id}, 2)),
    ]
    assert third.user_id == basil.user_id
    for place in order:
        send(session, sent[place][0], sent[place][1])
    send(session, cast.amina, met(ONE))
    session.rollback()
    assert session.scalars(sa.select(Card.worker_id)).one() == cast.amina.user_id


def test_nobody_takes_a_colleagues_card(session: Session, cast: Cast) -> None:
    basil = another_worker(session, cast)
    send(session, cast.amina, met(ONE))
    send(session, basil, note("handover", {"code": ONE, "to": basil.user_id}))
    assert f"card/{ONE}" in knows(session, cast.amina)
    assert knows(session, basil) == {}


def test_the_office_gives_a_card_to_somebody_else(session: Session, cast: Cast) -> None:
    basil = another_worker(session, cast)
    send(session, cast.amina, met(ONE))
    assert basil.user_id
    hand_over.assign_card(session, cast.rosa, code=ONE, user_id=basil.user_id)
    assert f"card/{ONE}" in knows(session, basil)
    assert hand_over.list_caseload(session, cast.rosa).counts == {basil.user_id: 1}
    for who, user_id in ((cast.olaf, basil.user_id), (cast.rosa, 10**6)):
        with pytest.raises(ActProblem):
            hand_over.assign_card(session, who, code=ONE, user_id=user_id)


def test_a_code_that_two_phones_made_is_found_and_given_anew(session: Session, cast: Cast) -> None:
    basil = another_worker(session, cast)
    send(session, cast.amina, met(ONE, cards=[ONE]))
    theirs = met(ONE, cards=[ONE])
    send(session, basil, theirs)
    assert knows(session, basil)[f"clash/{ONE}"] == {"code": ONE}
    assert f"clash/{ONE}" not in knows(session, cast.amina)
    send(session, basil, note("reissue", {"code": ONE, "new": TWO}))
    session.rollback()
    people = {record.author_id: record.person for record in session.scalars(sa.select(Record))}
    assert people == {cast.amina.user_id: ONE, basil.user_id: TWO}
    told = knows(session, basil)
    assert f"clash/{ONE}" not in told
    assert f"card/{TWO}" in told
    late = met(ONE, TODAY - dt.timedelta(days=1))
    send(session, basil, late)  # it was written before its worker knew
    session.rollback()
    assert session.scalars(sa.select(Record.person).where(Record.instance_id == late["id"])).one() == TWO


def test_a_card_made_for_a_record_and_its_correction_in_one_message_is_known_as_made(session: Session, cast: Cast) -> None:
    basil = another_worker(session, cast)
    first = met(ONE, cards=[ONE])
    send(session, cast.amina, first, met(ONE, root=first["id"], prev=[first["id"]]))
    send(session, basil, met(ONE, cards=[ONE]))
    assert f"clash/{ONE}" in knows(session, basil)


def test_the_same_phone_may_name_its_card_again(session: Session, cast: Cast) -> None:
    send(session, cast.amina, met(ONE, cards=[ONE]), met(ONE, cards=[ONE]))
    assert f"clash/{ONE}" not in knows(session, cast.amina)


def test_a_correction_moves_what_is_due(session: Session, cast: Cast) -> None:
    first = met(ONE, due=3)
    send(session, cast.amina, first)
    send(session, cast.amina, met(ONE, due=9, root=first["id"], prev=[first["id"]]))
    keys = [key for key in knows(session, cast.amina) if key.startswith("due/")]
    assert keys == [f"due/{first['id']}/{(TODAY + dt.timedelta(days=9)).isoformat()}"]


def test_records_from_before_there_was_a_caseload_give_one(session: Session, cast: Cast) -> None:
    send(session, cast.amina, met(ONE, due=3), met(TWO))
    before = knows(session, cast.amina)
    for table in (PullItem, FollowUp, Card):
        session.execute(sa.delete(table))
    session.commit()
    assert lacks_caseload(session, cast.centre.id)
    assert not lacks_caseload(session, cast.other_centre.id)
    rebuild_caseload(session, cast.system)
    assert knows(session, cast.amina) == before
    assert not lacks_caseload(session, cast.centre.id)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_card_that_was_given_away_before_its_first_record_came_is_the_colleagues(
    session: Session, cast: Cast, order: tuple[int, ...]
) -> None:
    basil = another_worker(session, cast)
    sent = [met(ONE), note("handover", {"code": ONE, "to": basil.user_id}, 1)]
    for place in order:
        send(session, cast.amina, sent[place])
    assert f"card/{ONE}" in knows(session, basil)
    assert f"card/{ONE}" not in knows(session, cast.amina)


def test_a_correction_after_the_day_takes_nothing_off_that_is_past_due(session: Session, cast: Cast) -> None:
    """It was not done, whatever was corrected."""
    day = TODAY - dt.timedelta(days=5)
    due = TODAY - dt.timedelta(days=2)
    first = met(ONE, day, due=-2)
    send(session, cast.amina, first)
    key = f"due/{first['id']}/{due.isoformat()}"
    assert key in knows(session, cast.amina)
    later = met(ONE, day, due=-2, root=first["id"], prev=[first["id"]], clock=first["finished_at"])
    later["finished_at"] = dt.datetime.combine(TODAY, dt.time(12), dt.UTC).isoformat()
    assert send(session, cast.amina, later) == ["stored"]
    assert key in knows(session, cast.amina)
