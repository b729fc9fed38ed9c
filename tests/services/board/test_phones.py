"""The board reaches the phones of those it gives something to, hears that they saw it, and what the field asks for."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services import acts
from fieldapp.services.acts import Actor
from fieldapp.services.board import board, shifts
from fieldapp.services.board.board import SEEN_WITHIN, SILENT_AFTER, Giving, StepOvertaken
from fieldapp.services.board.report_file import make_report_file
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.services.forms.published import publish_form
from fieldapp.services.phones.devices import enrol_device, find_actor_for_token, revoke_device
from fieldapp.services.phones.pull import note_pulled, pull_changes
from fieldapp.services.records.quarantine import let_in_all
from fieldapp.store.board.board import BoardItem, BoardStep
from fieldapp.store.people.users import User
from fieldapp.store.records.submissions import Submission
from sync.notes import NEEDS
from tests.cast import Cast, another_worker, publish_others
from tests.programme import compiled_of, workbook_of
from tests.services.board.incidents import incident
from tests.services.caseload.incidents import FOLLOW_UP, followed_up
from tests.services.caseload.meetings import knows, note, send

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def ready(session: Session, cast: Cast) -> Cast:
    publish_others(session, cast)
    publish_form(session, cast.system, compiled=compiled_of(FOLLOW_UP), workbook=workbook_of(FOLLOW_UP))
    return cast


@pytest.fixture
def team(ready: Cast) -> Actor:
    return Actor(ready.centre.id, "crisis", ready.rosa.user_id)


@pytest.fixture
def basil(session: Session, ready: Cast) -> Actor:
    return another_worker(session, ready)


def given(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return what a worker's phone shows as given to them."""
    return [body for key, body in knows(session, actor).items() if key.startswith("asked/")]


def asked(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return what a worker's phone shows of what they asked for."""
    return [body for key, body in knows(session, actor).items() if key.startswith("request/")]


def give(session: Session, team: Actor, root: str, to: Actor, **more: Any) -> None:
    assert to.user_id is not None
    board.take_step(session, team, kind="assigned", root_id=root, to_id=to.user_id, **more)


def seen_note(body: dict[str, Any], minute: int = 0) -> dict[str, Any]:
    return note("seen", {"asked": body["id"], "assigned": body["assigned"]}, minute)


def steps_of(session: Session, team: Actor) -> list[str]:
    (one,) = board.see_board(session, team).incidents
    return [str(step.kind) for step in one.steps]


def giving_of(session: Session, team: Actor) -> Giving:
    page = board.see_board(session, team)
    (giving,) = page.givings.values()
    return giving


def test_what_is_given_to_a_worker_is_told_in_chosen_words_alone(
    session: Session, ready: Cast, team: Actor, basil: Actor
) -> None:
    root = incident(session, ready)
    give(session, team, root, basil)
    (body,) = given(session, basil)
    assert set(body) == {"id", "assigned", "form", "from", "kind", "area", "since"}
    assert (body["form"], body["kind"], body["area"]) == ("incident", "stabbing", "002")
    assert "CANARY" not in json.dumps(body)  # what somebody wrote in the record
    assert given(session, ready.amina) == []


def test_that_it_was_seen_comes_back_once_however_often_it_is_sent(
    session: Session, ready: Cast, team: Actor, basil: Actor
) -> None:
    give(session, team, incident(session, ready), basil)
    (body,) = given(session, basil)
    one = seen_note(body)
    assert send(session, basil, one, seen_note(body, 1)) == ["stored", "stored"]  # from two phones of theirs
    assert send(session, basil, one) == ["duplicate"]
    assert steps_of(session, team) == ["assigned", "seen"]
    giving = giving_of(session, team)
    assert giving.answer and giving.answer.author_id == basil.user_id and not giving.is_late
    (body,) = given(session, basil)
    assert "seen" in body


@pytest.mark.parametrize("whose", ["colleague", "other centre"])
def test_nobody_else_says_that_it_was_seen(session: Session, ready: Cast, team: Actor, basil: Actor, whose: str) -> None:
    give(session, team, incident(session, ready), basil)
    (body,) = given(session, basil)
    worker = ready.amina
    if whose == "other centre":
        user = User(
            centre_id=ready.other_centre.id, username="els", label="L-els", role="worker", password="-",
            fs_uniquifier="els", created_at=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        session.add(user)
        session.commit()
        enrolled = enrol_device(session, Actor(ready.other_centre.id, "worker", user.id), label="A phone")
        worker = find_actor_for_token(session, enrolled.token) or worker
    assert send(session, worker, seen_note(body)) == ["stored"]
    assert steps_of(session, team) == ["assigned"]
    assert given(session, worker) == []


def test_a_note_that_is_damaged_is_refused(session: Session, ready: Cast, team: Actor, basil: Actor) -> None:
    give(session, team, incident(session, ready), basil)
    (body,) = given(session, basil)
    for wrong in ({}, {"asked": 1, "assigned": body["assigned"]}, {"asked": body["id"], "assigned": "2026-11-30T20:00"}):
        assert send(session, basil, note("seen", wrong)) == ["rejected"]
    for wrong in ({}, {"need": "police"}, {"need": "escort", "area": 2}, {"need": "escort", "area": "x" * 21}):
        assert send(session, basil, note("ask", wrong)) == ["rejected"]
    assert board.see_board(session, team).requests == []


def test_given_to_somebody_else_it_leaves_the_first_phone_and_the_first_word_counts_no_more(
    session: Session, ready: Cast, team: Actor, basil: Actor
) -> None:
    root = incident(session, ready)
    give(session, team, root, basil)
    (first,) = given(session, basil)
    give(session, team, root, ready.amina)
    assert given(session, basil) == []
    assert len(given(session, ready.amina)) == 1
    send(session, basil, seen_note(first))  # it was on its way
    assert "seen" not in steps_of(session, team)
    give(session, team, root, basil)  # and back: to be seen once more
    (again,) = given(session, basil)
    send(session, basil, seen_note(first, 1))
    assert "seen" not in steps_of(session, team)
    send(session, basil, seen_note(again, 2))
    assert steps_of(session, team)[-1] == "seen"


def test_of_two_dispatchers_the_second_is_told_and_the_phone_of_the_first_choice_keeps_it(
    session: Session, ready: Cast, team: Actor, basil: Actor
) -> None:
    root = incident(session, ready)
    mark = board.item_revision(None, [])
    give(session, team, root, basil, seen=mark)
    with pytest.raises(StepOvertaken):
        give(session, team, root, ready.amina, seen=mark)
    session.rollback()
    assert len(given(session, basil)) == 1
    assert given(session, ready.amina) == []


def test_that_a_worker_saw_it_overtakes_no_dispatcher(session: Session, ready: Cast, team: Actor, basil: Actor) -> None:
    root = incident(session, ready)
    give(session, team, root, basil)
    (one,) = board.see_board(session, team).incidents
    mark = board.item_revision(one.item, one.steps)
    (body,) = given(session, basil)
    send(session, basil, seen_note(body))
    board.take_step(session, team, kind="acted", root_id=root, seen=mark)
    assert steps_of(session, team) == ["assigned", "seen", "acted"]


def test_a_crisis_team_has_no_phone_to_tell(session: Session, ready: Cast, team: Actor) -> None:
    give(session, team, incident(session, ready), team)
    assert board.see_board(session, team).givings == {}


@pytest.mark.parametrize("end", ["closed here", "ended by a follow-up", "erased"])
def test_what_has_ended_leaves_the_phone(session: Session, ready: Cast, team: Actor, basil: Actor, end: str) -> None:
    root = incident(session, ready)
    give(session, team, root, basil)
    if end == "closed here":
        board.take_step(session, team, kind="closed", root_id=root)
    elif end == "erased":
        erase_record(session, ready.rosa, root, reason="by_mistake")
    else:
        assert send(session, basil, followed_up(root, status_now="closed")) == ["stored"]  # by who was sent
    assert given(session, basil) == []
    assert board.see_board(session, team).incidents == []
    if end == "closed here":
        board.take_step(session, team, kind="reopened", root_id=root)
        assert len(given(session, basil)) == 1


def test_it_says_whether_it_is_on_the_phone_and_since_when_the_phone_is_silent(
    session: Session, ready: Cast, team: Actor, basil: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(session, team, incident(session, ready), basil)
    giving = giving_of(session, team)
    assert (giving.has_phone, giving.is_on_phone, giving.is_silent, giving.is_late) == (True, False, False, False)
    cursor = json.loads(pull_changes(session, basil, cursor=0))["cursor"]
    assert not giving_of(session, team).is_on_phone
    note_pulled(session, basil, cursor=str(cursor))  # it asks for more, so what came before is stored
    giving = giving_of(session, team)
    assert giving.is_on_phone and not giving.is_silent
    for late in (SEEN_WITHIN, SILENT_AFTER):
        monkeypatch.setattr(acts, "utcnow", lambda late=late: dt.datetime.now(dt.UTC) + late)
        giving = giving_of(session, team)
        assert (giving.is_late, giving.is_silent) == (True, late == SILENT_AFTER)
    board.take_step(session, team, kind="notified", item_id=next(iter(board.see_board(session, team).givings)))
    assert not giving_of(session, team).is_late


def test_a_phone_that_was_taken_away_is_none_and_what_it_says_waits(
    session: Session, ready: Cast, team: Actor, basil: Actor
) -> None:
    give(session, team, incident(session, ready), basil)
    (body,) = given(session, basil)
    assert basil.device_id is not None
    revoke_device(session, ready.rosa, device_id=basil.device_id)
    assert not giving_of(session, team).has_phone
    request = note("ask", {"need": "escort", "area": "002"})
    assert send(session, basil, seen_note(body), request) == ["rejected", "rejected"]
    assert steps_of(session, team) == ["assigned"]
    assert board.see_board(session, team).requests == []
    let_in_all(session, ready.rosa, basil.device_id)
    assert steps_of(session, team) == ["assigned", "seen"]
    (one,) = board.see_board(session, team).requests
    assert one.steps[0].author_id == basil.user_id


def test_what_the_field_asks_for_is_on_the_board_and_its_answers_on_the_phone(
    session: Session, ready: Cast, team: Actor, basil: Actor
) -> None:
    sent = note("ask", {"need": "escort", "area": "002"})
    assert send(session, basil, sent) == ["stored"]
    assert send(session, basil, sent) == ["duplicate"]
    (one,) = board.see_board(session, team).requests
    assert (one.item.need, one.item.area, one.item.uid) == ("escort", "002", sent["id"])
    assert one.is_unseen and one.steps[0].author_id == basil.user_id
    (body,) = asked(session, basil)
    assert set(body) == {"need", "area", "heard"}
    for kind, name in (("acknowledged", "seen"), ("acted", "acted"), ("closed", "done")):
        board.take_step(session, team, kind=kind, item_id=one.item.id)
        (body,) = asked(session, basil)
        assert name in body
    assert asked(session, ready.amina) == []
    report = shifts.see_history(session, team, hours=12)
    assert [step.kind for step in report.steps] == ["asked", "acknowledged", "acted", "closed"]


def test_a_place_that_the_centre_does_not_know_is_left_out_and_the_request_stays(
    session: Session, ready: Cast, team: Actor, basil: Actor
) -> None:
    assert send(session, basil, note("ask", {"need": "visit", "area": "Nowhere"})) == ["stored"]
    (one,) = board.see_board(session, team).requests
    assert one.item.area == ""


def test_a_request_is_given_to_a_colleague_as_an_incident_is(
    session: Session, ready: Cast, team: Actor, basil: Actor
) -> None:
    send(session, basil, note("ask", {"need": "supplies"}))
    (one,) = board.see_board(session, team).requests
    assert ready.amina.user_id is not None
    board.take_step(session, team, kind="assigned", item_id=one.item.id, to_id=ready.amina.user_id)
    (body,) = given(session, ready.amina)
    assert (body["need"], body["area"]) == ("supplies", "")
    send(session, ready.amina, seen_note(body))
    assert giving_of(session, team).answer is not None
    (told,) = asked(session, basil)
    assert "assigned" in told


def test_what_was_done_long_ago_leaves_the_phone(
    session: Session, ready: Cast, team: Actor, basil: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(session, basil, note("ask", {"need": "visit"}))
    (one,) = board.see_board(session, team).requests
    board.take_step(session, team, kind="closed", item_id=one.item.id)
    monkeypatch.setattr(acts, "utcnow", lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=2))
    send(session, basil, note("ask", {"need": "vigil"}))
    assert [body["need"] for body in asked(session, basil)] == ["vigil"]


def test_the_time_on_the_phone_is_kept_beside_that_of_the_centre(
    session: Session, ready: Cast, team: Actor, basil: Actor
) -> None:
    early = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
    late = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)  # a phone whose clock is wrong
    for moment in (early, late):
        send(session, basil, note("ask", {"need": "visit"}) | {"finished_at": moment.isoformat()})
    first, second = session.scalars(sa.select(BoardStep).order_by(BoardStep.id))
    assert first.said_at == early and first.at > early
    assert second.said_at == second.at < late


def test_the_report_says_what_a_worker_has_not_seen(session: Session, ready: Cast, team: Actor, basil: Actor) -> None:
    give(session, team, incident(session, ready), basil)
    report = shifts.see_history(session, team, hours=12)
    assert len(make_report_file(report, "fr")) > 1000
    assert report.board.givings


def test_what_phones_say_lies_sealed(session: Session, ready: Cast, basil: Actor) -> None:
    send(session, basil, note("ask", {"need": "escort", "area": "002"}))
    stored = session.execute(sa.text("SELECT body FROM submission")).scalars().all()
    assert stored and not any(b"escort" in bytes(body) for body in stored)
    (item,) = session.scalars(sa.select(BoardItem))
    assert item.uid == session.scalars(sa.select(Submission.instance_id)).one()


def test_what_a_worker_has_not_seen_for_long_stands_before_what_is_newer(
    session: Session, ready: Cast, team: Actor, basil: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = [incident(session, ready, hours_ago=hours) for hours in (5, 4, 3, 2)]
    for root in roots[:3]:
        board.take_step(session, team, kind="acknowledged", root_id=root)
    give(session, team, roots[0], basil)
    monkeypatch.setattr(acts, "utcnow", lambda: dt.datetime.now(dt.UTC) + SEEN_WITHIN)
    listed = [one.root_id for one in board.see_board(session, team).incidents]
    assert listed == [roots[3], roots[0], roots[2], roots[1]]


def test_phones_offer_the_needs_that_the_centre_takes() -> None:
    source = (ROOT / "client/src/screens/crisis_team/team_later.tsx").read_text()
    listed = source.partition("NEEDS: Record<string, () => string> = {")[2].partition("};")[0]
    assert tuple(re.findall(r"(\w+): \(\) => t\(", listed)) == NEEDS
