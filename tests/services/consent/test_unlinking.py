"""Two years after the last contact no record says any more who it was about, and numbers stay as they are."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.caseload.hand_over import assign_card
from fieldapp.services.consent.card_consent import find_card, lower_card
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.services.consent.standing import Standings
from fieldapp.services.phones.pull import note_pulled, pull_changes
from fieldapp.services.records import quarantine
from fieldapp.settings import Settings
from fieldapp.store.caseload.cards import Card
from fieldapp.store.consent import standing as words
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import ASIDE, Submission
from sync.notes import HANDOVER
from tests.cast import Cast, encounter, envelope
from tests.in_clear import everything
from tests.services.consent.calendar import Calendar
from tests.services.consent.endings import CARD, NOTE, OTHER, send, talked
from tests.services.consent.holds import preserve
from tests.services.records.phone import Phone
from tests.services.records.shutting_out import shut_out


@pytest.fixture(autouse=True)
def settings_with_list(session: Session, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast) -> Calendar:
    return Calendar(monkeypatch, session, cast)


def talk(calendar: Calendar, card: str = CARD, **more: Any) -> dict[str, Any]:
    return talked(card, day=calendar.now.date(), **more)


def pass_days(calendar: Calendar, days: int) -> None:
    calendar.go_on(days)
    calendar.settle_in()
    calendar.live(8)


def pull(session: Session, cast: Cast) -> None:
    answer = json.loads(pull_changes(session, cast.amina, cursor="0"))
    note_pulled(session, cast.amina, cursor=str(answer["cursor"]))


def is_in_database(session: Session, card: str) -> bool:
    session.rollback()
    text = everything(session).lower()
    session.rollback()
    return any(spelling.lower() in text for spelling in (card, f"{card[:4]}-{card[4:]}", f"{card[:4]} {card[4:]}"))


def read_records(session: Session, *items: dict[str, Any]) -> list[Record]:
    session.rollback()
    session.expire_all()
    ids = [item["id"] for item in items]
    return list(session.scalars(sa.select(Record).where(Record.instance_id.in_(ids)).order_by(Record.id)))


def test_no_record_says_any_more_who_it_was_and_each_stays(session: Session, cast: Cast, calendar: Calendar) -> None:
    first = talk(calendar)
    other = talk(calendar, OTHER)
    text = f"with {CARD[:4].lower()} {CARD[4:].lower()}"
    mention = envelope(encounter(calendar.now.date(), next={"ref_made": "no", "note": text}), day=calendar.now.date())
    send(session, cast.amina, first, other, mention)
    assert cast.amina.user_id is not None
    assign_card(session, cast.rosa, code=CARD, user_id=cast.amina.user_id)
    calendar.go_on(400)
    second = talk(calendar)
    send(session, cast.amina, second, talk(calendar, OTHER))
    pass_days(calendar, 720)
    assert is_in_database(session, CARD)
    calendar.send(talk(calendar, OTHER))  # the other person is met again
    pass_days(calendar, 12)
    pull(session, cast)
    calendar.live(1)
    assert not is_in_database(session, CARD)
    assert is_in_database(session, OTHER)
    kept = read_records(session, first, second, mention)
    assert [(record.person, record.kind, record.form) for record in kept] == [("", "check_in", "encounter")] * 3
    assert kept[0].heads == [first["id"]]
    assert words.list_tiers(session, cast.centre.id) == {OTHER: 3}
    assert session.scalars(sa.select(Card.code)).all() == [OTHER]


def test_who_is_met_again_in_time_stays(session: Session, cast: Cast, calendar: Calendar) -> None:
    send(session, cast.amina, talk(calendar))
    pass_days(calendar, 700)
    send(session, cast.amina, talk(calendar))
    pass_days(calendar, 700)
    assert {record.person for record in read_records(session)} == set()
    assert session.scalars(sa.select(sa.func.count()).where(Record.person == CARD)).one() == 2


def test_what_the_person_took_back_does_not_leave_when_nobody_knows_them_any_more(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    lowered, allowed = talk(calendar), talk(calendar, OTHER)
    send(session, cast.amina, lowered, allowed)
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=CARD), tier=1, reason="in_person")
    pass_days(calendar, 735)
    pull(session, cast)
    calendar.live(1)
    assert not is_in_database(session, CARD)
    standings = Standings(session, cast.centre.id)
    rights = [standings.of_record(record.person, record.is_refused) for record in read_records(session, lowered, allowed)]
    assert rights == [0, None]
    wrong = {**encounter(calendar.now.date()), "what": {}}
    late = envelope(wrong, day=calendar.now.date(), root=lowered["id"], prev=[lowered["id"]])
    assert calendar.send(late)[0]["status"] == "rejected"
    (record,) = read_records(session, lowered)
    assert record.is_refused


def test_a_hold_of_one_record_keeps_the_card_until_its_day(session: Session, cast: Cast, calendar: Calendar) -> None:
    item = talk(calendar)
    send(session, cast.amina, item)
    calendar.go_on(300)
    until = calendar.now.date() + dt.timedelta(days=500)
    preserve(session, cast, item["id"], until)
    pass_days(calendar, 460)
    assert is_in_database(session, CARD)
    pass_days(calendar, 60)
    pull(session, cast)
    calendar.live(1)
    assert not is_in_database(session, CARD)


def test_what_comes_again_after_that_is_a_duplicate_and_brings_no_link_back(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    item = talk(calendar)
    send(session, cast.amina, item)
    pass_days(calendar, 735)
    assert calendar.send(item)[0]["status"] == "duplicate"
    (record,) = read_records(session, item)
    bodies = session.scalars(sa.select(Submission.body).where(Submission.root_id == item["id"])).all()
    assert record.person == ""
    assert not any(f"{CARD[:4]}-{CARD[4:]}" in body for body in bodies)


def unlink(session: Session, cast: Cast, calendar: Calendar, tier: int) -> dict[str, Any]:
    """Let a person say yes to all and then to less, and go by two years; return their record."""
    item = talk(calendar)
    send(session, cast.amina, item)
    if tier < 3:
        lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=CARD), tier=tier, reason="in_person")
    pass_days(calendar, 735)
    pull(session, cast)
    calendar.live(1)
    assert not is_in_database(session, CARD)
    return item


def assert_nobody_is_back(session: Session, cast: Cast, *items: dict[str, Any]) -> None:
    late = read_records(session, *items)
    assert [(record.person, record.is_refused) for record in late] == [("", True)] * len(items)
    assert words.list_tiers(session, cast.centre.id) == {}
    assert not is_in_database(session, CARD)


@pytest.mark.parametrize("tier", [0, 1, 3])
def test_an_old_phone_brings_nobody_back_after_that(session: Session, cast: Cast, calendar: Calendar, tier: int) -> None:
    older = talk(calendar)
    first = unlink(session, cast, calendar, tier)
    corrected = talked(day=calendar.now.date() - dt.timedelta(days=740), root=first["id"], prev=[first["id"]])
    for late in (older, corrected):
        (answer,) = calendar.send(late)
        assert answer["status"] == "stored"
        assert [problem["code"] for problem in answer["problems"]] == ["card.unlinked"]
    assert_nobody_is_back(session, cast, older, first)
    # A later correction that names no card does not let the record leave either.
    again = envelope(encounter(calendar.now.date()), day=calendar.now.date(), root=older["id"], prev=[older["id"]])
    calendar.send(again)
    assert_nobody_is_back(session, cast, older, first)


def test_what_was_kept_aside_brings_nobody_back_when_it_is_let_in(session: Session, cast: Cast, calendar: Calendar) -> None:
    older = json.loads(talk(calendar)["body"])
    unlink(session, cast, calendar, 0)
    phone = Phone(session, cast)
    shut_out(phone)
    phone.send(phone.seal(older))
    waiting = session.scalars(sa.select(Submission).where(Submission.state == ASIDE)).one()
    number = waiting.id
    item = {"id": waiting.root_id}
    session.rollback()
    assert not is_in_database(session, CARD)
    assert quarantine.let_in(session, cast.rosa, [number]) == quarantine.AcceptedCount(1, 0)
    assert_nobody_is_back(session, cast, item)


def test_a_no_or_a_hand_over_of_then_names_nobody_now(session: Session, cast: Cast, calendar: Calendar) -> None:
    unlink(session, cast, calendar, 3)
    refused = {**talk(calendar, tier="0"), "refused_by": CARD}
    calendar.send(refused, envelope(json.dumps({"code": CARD, "to": 1}), form=HANDOVER))
    assert not is_in_database(session, CARD)
    assert words.list_tiers(session, cast.centre.id) == {}


def test_a_correction_of_a_record_that_was_erased_since_names_nobody_either(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    item = unlink(session, cast, calendar, 3)
    erase_record(session, cast.rosa, instance_id=item["id"], reason="by_mistake")
    less = talked(tier="1", day=calendar.now.date() - dt.timedelta(days=740), root=item["id"], prev=[item["id"]])
    calendar.send(less)
    assert words.list_tiers(session, cast.centre.id) == {}
    assert not is_in_database(session, CARD)


def test_who_comes_back_after_that_gets_a_new_card(session: Session, cast: Cast, calendar: Calendar) -> None:
    unlink(session, cast, calendar, 1)
    back = talk(calendar, OTHER)
    assert "problems" not in calendar.send(back)[0]
    assert words.list_tiers(session, cast.centre.id) == {OTHER: 3}
    assert [(record.person, record.is_refused) for record in read_records(session, back)] == [(OTHER, False)]


def test_a_record_that_only_mentions_the_card_stays_as_it_is(session: Session, cast: Cast, calendar: Calendar) -> None:
    unlink(session, cast, calendar, 1)
    mention = talk(calendar, OTHER)
    mention = envelope(mention["body"].replace(NOTE, f"with {CARD}"), day=calendar.now.date())
    assert "problems" not in calendar.send(mention)[0]
    assert not is_in_database(session, CARD)
    assert [(record.person, record.is_refused) for record in read_records(session, mention)] == [(OTHER, False)]


def test_without_the_key_no_card_is_unlinked(session: Session, cast: Cast, calendar: Calendar, tmp_path: Path) -> None:
    send(session, cast.amina, talk(calendar))
    attach(session.get_bind().engine, Settings(data=str(tmp_path)))
    pass_days(calendar, 735)
    assert is_in_database(session, CARD)
