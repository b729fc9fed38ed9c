"""The open referrals of a person go with their card: who was given it says what came of them."""

import datetime as dt
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.caseload import hand_over
from fieldapp.services.caseload.earlier_cards import tell_in_every_centre
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.phones.pull import fetch_record_for_correction
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.reviews import review_record
from fieldapp.settings import Settings
from fieldapp.store.caseload.cards import Card
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from tests.cast import Cast, another_worker, publish_others
from tests.in_clear import everything, put_told
from tests.services.caseload.meetings import ONE, TODAY, knows, met, note, send
from tests.services.caseload.participants import referred
from tests.services.consent.consents import filled

DAY = TODAY - dt.timedelta(days=9)


@pytest.fixture(autouse=True)
def _with_forms(session: Session, cast: Cast, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    publish_others(session, cast)


@pytest.fixture
def colleague(session: Session, cast: Cast) -> Actor:
    return another_worker(session, cast)


def refer(status: str = "sent", said: dict[str, Any] | None = None, words: str = "", **more: Any) -> dict[str, Any]:
    """Return a referral of the person with card ONE, or a later version of it."""
    answers = json.loads(referred(DAY, status)["body"])
    answers["need"] = {"has_card": "yes", "code": ONE, "need": "housing"}
    if said:
        answers["consent"] |= said
    if words:
        answers["progress"]["note"] = words
    return filled("referral", answers, DAY) | more


def updated(referral: dict[str, Any], status: str, minutes: int = 5, **more: Any) -> dict[str, Any]:
    later = dt.datetime.fromisoformat(referral["finished_at"]) + dt.timedelta(minutes=minutes)
    links = {"root": referral["id"], "prev": [referral["id"]], "finished_at": later.isoformat()}
    return refer(status, **more) | links


def handed(to: int | None, minute: int = 0) -> dict[str, Any]:
    return note("handover", {"code": ONE, "to": to}, minute)


def status_of(session: Session, referral: dict[str, Any]) -> str:
    session.rollback()
    record = session.scalars(sa.select(Record).where(Record.instance_id == referral["id"])).one()
    return str(record.answers.get("progress", {}).get("status", ""))


def lists(session: Session, actor: Actor, referral: dict[str, Any]) -> bool:
    return f"ref/{referral['id']}" in knows(session, actor)


def test_a_colleague_without_the_card_changes_no_referral(session: Session, cast: Cast, colleague: Actor) -> None:
    referral = refer()
    send(session, cast.amina, met(ONE, DAY), referral)
    assert send(session, colleague, updated(referral, "completed")) == ["rejected"]
    assert status_of(session, referral) == "sent"
    # Nobody gives a card to themselves.
    send(session, colleague, handed(colleague.user_id))
    assert status_of(session, referral) == "sent"
    assert not lists(session, colleague, referral)


def test_other_records_stay_with_their_author(session: Session, cast: Cast, colleague: Actor) -> None:
    talk = met(ONE, DAY)
    send(session, cast.amina, talk, handed(colleague.user_id))
    assert send(session, colleague, met(ONE, DAY, root=talk["id"], prev=[talk["id"]])) == ["rejected"]


@pytest.mark.parametrize("by_office", [False, True])
def test_an_open_referral_moves_with_the_card(session: Session, cast: Cast, colleague: Actor, by_office: bool) -> None:
    referral = refer(words="Room 4 on Friday")
    send(session, cast.amina, met(ONE, DAY), referral)
    assert lists(session, cast.amina, referral)
    if by_office:
        hand_over.assign_card(session, cast.rosa, code=ONE, user_id=colleague.user_id or 0)
    else:
        send(session, cast.amina, handed(colleague.user_id))
    assert not lists(session, cast.amina, referral)
    told = knows(session, colleague)[f"ref/{referral['id']}"]
    assert (told["status"], told["heads"]) == ("sent", [referral["id"]])
    assert told["answers"]["progress"]["note"] == "Room 4 on Friday"
    # What the colleague says is the referral's state; it stays the record of who made it.
    assert send(session, colleague, updated(referral, "completed")) == ["stored"]
    assert status_of(session, referral) == "completed"
    author = session.scalars(sa.select(Record.author_id).where(Record.instance_id == referral["id"])).one()
    assert author == cast.amina.user_id
    assert not lists(session, colleague, referral)
    assert not lists(session, cast.amina, referral)


def test_one_that_goes_on_stays_with_who_has_the_card(session: Session, cast: Cast, colleague: Actor) -> None:
    referral = refer()
    send(session, cast.amina, met(ONE, DAY), referral, handed(colleague.user_id))
    send(session, colleague, updated(referral, "waitlist"))
    assert knows(session, colleague)[f"ref/{referral['id']}"]["status"] == "waitlist"
    assert not lists(session, cast.amina, referral)
    # The author, who was offline, corrects it: that counts, and is shown where the card is.
    send(session, cast.amina, updated(referral, "sent", minutes=9, words="Second form sent"))
    assert lists(session, colleague, referral)
    assert not lists(session, cast.amina, referral)


def test_the_order_of_arrival_changes_nothing(session: Session, cast: Cast, colleague: Actor) -> None:
    referral = refer()
    update = updated(referral, "completed")
    parts = [(cast.amina, referral), (cast.amina, handed(colleague.user_id)), (colleague, update)]
    ends = {_play(session, cast, referral, order) for order in itertools.permutations(parts)}
    assert ends == {("completed", False, False)}


def _play(session: Session, cast: Cast, referral: dict[str, Any], order: Any) -> tuple[str, bool, bool]:
    for table in (Submission, Record):
        session.execute(sa.delete(table).where(table.form.in_(["referral", "fieldapp.handover"])))
    session.execute(sa.delete(PullItem))
    session.execute(sa.update(Card).values(worker_id=cast.amina.user_id))
    session.commit()
    send(session, cast.amina, met(ONE, DAY))
    colleague = next(actor for actor, _ in order if actor is not cast.amina)
    for actor, part in order:
        send(session, actor, part)
    (state,) = session.scalars(sa.select(Submission.state).where(Submission.author_id == colleague.user_id))
    assert state == "stored"
    return status_of(session, referral), lists(session, cast.amina, referral), lists(session, colleague, referral)


def test_a_no_to_who_has_the_card_is_a_no(session: Session, cast: Cast, colleague: Actor) -> None:
    referral = refer(words="Room 4 on Friday")
    send(session, cast.amina, met(ONE, DAY), referral, handed(colleague.user_id))
    no = {"said": "said_no", "understood": "", "tier_said": ""}
    update = updated(referral, "waitlist", said=no, words="They do not want this kept")
    assert send(session, colleague, update) == ["stored"]
    assert status_of(session, referral) == ""
    assert "Room 4" not in everything(session)
    assert "do not want this" not in everything(session)
    assert not lists(session, colleague, referral)
    # It goes on being a no, whatever comes after the card is out of the record.
    late = updated(referral, "completed", minutes=2, words="Moved in")
    send(session, cast.amina, late)
    assert status_of(session, referral) == ""
    assert "Moved in" not in everything(session)


def test_a_no_that_came_before_the_card_counts_once_it_is_there(session: Session, cast: Cast, colleague: Actor) -> None:
    referral = refer(words="Room 4 on Friday")
    send(session, cast.amina, met(ONE, DAY), referral)
    update = updated(referral, "waitlist", said={"said": "said_no", "understood": "", "tier_said": ""})
    assert send(session, colleague, update) == ["rejected"]
    send(session, cast.amina, handed(colleague.user_id))
    assert status_of(session, referral) == ""
    assert "Room 4" not in everything(session)


def test_an_upgrade_gives_referrals_to_who_was_given_the_card_before(session: Session, cast: Cast, colleague: Actor) -> None:
    referral = refer()
    send(session, cast.amina, met(ONE, DAY), referral, handed(colleague.user_id))
    key = f"ref/{referral['id']}"
    told = json.dumps(knows(session, colleague)[key])
    # As a version left it in which referrals stayed with their authors.
    put_told(session, cast.centre.id, cast.amina.user_id or 0, key, told)
    put_told(session, cast.centre.id, colleague.user_id or 0, key, "")
    session.commit()
    tell_in_every_centre(session)
    assert lists(session, colleague, referral)
    assert not lists(session, cast.amina, referral)
    lines = sa.select(sa.func.count(AuditEvent.id)).where(
        AuditEvent.centre_id == cast.centre.id, AuditEvent.target == "card/referrals"
    )
    assert session.scalar(lines) == 1
    tell_in_every_centre(session)  # once is enough
    assert session.scalar(lines) == 1


def test_what_is_sent_back_goes_to_who_has_the_card(session: Session, cast: Cast, colleague: Actor) -> None:
    referral = refer()
    send(session, cast.amina, met(ONE, DAY), referral, handed(colleague.user_id))
    send(session, colleague, updated(referral, "waitlist"))
    key = f"rec/{referral['id']}"
    review_record(session, cast.rosa, instance_id=referral["id"], state="returned", comment="Since when?")
    assert key in knows(session, colleague)
    assert key not in knows(session, cast.amina)
    asked = fetch_record_for_correction(session, colleague, instance_id=referral["id"])
    assert asked["answers"]["progress"]["status"] == "waitlist"
    (update,) = asked["heads"]
    answer = refer("connected") | {"root": referral["id"], "prev": [update]}
    assert send(session, colleague, answer) == ["stored"]
    assert key not in knows(session, colleague)


def test_a_record_that_is_no_referral_is_given_to_its_author_alone(session: Session, cast: Cast, colleague: Actor) -> None:
    talk = met(ONE, DAY)
    send(session, cast.amina, talk, handed(colleague.user_id))
    with pytest.raises(ActProblem):
        fetch_record_for_correction(session, colleague, instance_id=talk["id"])
    review_record(session, cast.rosa, instance_id=talk["id"], state="returned", comment="Where?")
    assert f"rec/{talk['id']}" in knows(session, cast.amina)
    assert f"rec/{talk['id']}" not in knows(session, colleague)
