"""A participant and their reviews are one chain: a review is due after an intake, and only a review does it."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.board import board
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.settings import Settings
from fieldapp.store.records.records import Record
from forms.validation import validate
from sync.intake import local_time
from tests.cast import Cast, another_worker, envelope, publish_others
from tests.programme import definition_of
from tests.services.caseload.meetings import ONE, TWO, knows, met, note, send
from tests.services.caseload.participants import CONSENT, participant

TODAY = dt.date.today()


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


@pytest.fixture(autouse=True)
def _with_forms(session: Session, cast: Cast) -> None:
    publish_others(session, cast)


def reviews_due(session: Session, actor: Actor) -> list[int]:
    """Return in how many days reviews are due, by this worker's phone; a review is marked as one."""
    due = [body for key, body in knows(session, actor).items() if key.startswith("due/") and body["form"] == "participant"]
    assert all(body["own"] is True and body["code"] for body in due)
    return sorted((dt.date.fromisoformat(body["on"]) - TODAY).days for body in due)


def test_after_an_intake_a_review_is_due_and_after_that_the_next(session: Session, cast: Cast) -> None:
    send(session, cast.amina, participant("intake", ago(80)))
    assert reviews_due(session, cast.amina) == [10]
    send(session, cast.amina, participant("review", ago(0), plan="d180"))
    assert reviews_due(session, cast.amina) == [10, 180]  # a review ahead of its day does not take the place of it
    send(session, cast.amina, participant("intake", ago(0), plan="none", card=TWO))
    assert reviews_due(session, cast.amina) == [10, 180]


def test_a_talk_is_no_review_and_a_review_is_a_contact(session: Session, cast: Cast) -> None:
    send(session, cast.amina, participant("intake", ago(100)), met(ONE, ago(3)))
    assert reviews_due(session, cast.amina) == [-10]
    earlier = met(ONE, ago(2), due=0)
    send(session, cast.amina, earlier)
    send(session, cast.amina, participant("review", ago(0)))
    assert reviews_due(session, cast.amina) == [90]


def test_of_who_said_no_to_the_offer_the_month_is_listed_and_no_day(session: Session, cast: Cast) -> None:
    start = {"kind": "intake", "offered_resp": "declined"}
    answers = {"start": start, "arrival": {"month_in": f"{ago(0)}", "came_by": "outreach"}}
    version = definition_of("participant").version
    send(session, cast.amina, envelope(answers, form="participant", version=version, day=ago(0)))
    record = session.scalars(sa.select(Record)).one()
    first = ago(0).replace(day=1)
    assert (record.occurred_on, record.answers["arrival"]["month_in"]) == (first, f"{first}")


@pytest.mark.parametrize("is_exit_first", [True, False])
def test_nothing_is_due_of_who_left_until_they_come_back(session: Session, cast: Cast, is_exit_first: bool) -> None:
    team = Actor(cast.centre.id, "crisis", cast.rosa.user_id)
    parts = [participant("intake", ago(120)), participant("exit", ago(40))]
    for part in reversed(parts) if is_exit_first else parts:
        send(session, cast.amina, part)
    assert reviews_due(session, cast.amina) == []
    assert board.see_board(session, team).due_late == 0
    send(session, cast.amina, met(ONE))
    assert reviews_due(session, cast.amina) == [-30] and board.see_board(session, team).due_late == 1


def test_it_goes_with_the_card_to_another_worker(session: Session, cast: Cast) -> None:
    colleague = another_worker(session, cast)
    send(session, cast.amina, participant("intake", ago(80)))
    send(session, cast.amina, note("handover", {"code": ONE, "to": colleague.user_id}))
    assert (reviews_due(session, cast.amina), reviews_due(session, colleague)) == ([], [10])
    send(session, colleague, participant("review", ago(0)))
    assert 90 in reviews_due(session, colleague)


def test_a_review_that_was_erased_is_due_again(session: Session, cast: Cast, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    mistake = participant("review", ago(0))
    send(session, cast.amina, participant("intake", ago(95)), mistake)
    assert reviews_due(session, cast.amina) == [90]
    erase_record(session, cast.rosa, instance_id=mistake["id"], reason="by_mistake")
    assert reviews_due(session, cast.amina) == [-5]


def test_phones_know_of_a_cards_intake_and_the_form_asks_about_a_second(session: Session, cast: Cast) -> None:
    first, form = participant("intake", ago(58)), definition_of("participant")
    send(session, cast.amina, first, participant("review", ago(2)), met(ONE), met(TWO))
    assert knows(session, cast.amina)[f"card/{ONE}"]["intake"] == f"{ago(58)}"
    assert "intake" not in knows(session, cast.amina)[f"card/{TWO}"]

    def problems(kind: str, **arrival: str) -> list[str]:
        start = {"kind": kind, "offered_resp": "accepted", "code": ONE, "intake_day": f"{ago(58)}"}
        answers = {"start": start, "consent": CONSENT, "arrival": arrival}
        checked = validate(form, answers, local_time(dt.datetime.now(dt.UTC)))
        return [f"{problem.path} {problem.code}" for problem in checked.problems if "second_intake" in problem.path]

    assert problems("intake") == ["arrival.second_intake answers.required"]
    assert problems("intake", second_intake="no") == ["arrival.second_intake answers.constraint"]
    assert problems("intake", second_intake="yes") == problems("review") == []
