"""What the responsible worker's phones are told of a card: its last contacts, and their own labels, sealed."""

import base64
import datetime as dt
import secrets

from sqlalchemy.orm import Session

from fieldapp.services.caseload.labels import keep_labels
from fieldapp.services.consent.card_consent import find_card, lower_card
from tests.cast import Cast, another_worker, other_worker
from tests.services.caseload.meetings import ONE, TODAY, TWO, knows, met, note, send


def sealed() -> str:
    return base64.b64encode(secrets.token_bytes(284)).decode()


def test_a_phone_is_told_the_last_three_contacts_and_whose_they_were(session: Session, cast: Cast) -> None:
    ben = another_worker(session, cast)
    days = [TODAY - dt.timedelta(days=ago) for ago in (9, 6, 3, 0)]
    send(session, cast.amina, *(met(ONE, day) for day in days[:3]))
    send(session, ben, met(ONE, days[3]))
    last = knows(session, cast.amina)[f"card/{ONE}"]["last"]
    assert [(contact["on"], contact["own"]) for contact in last] == [
        (days[3].isoformat(), False), (days[2].isoformat(), True), (days[1].isoformat(), True),
    ]  # fmt: skip
    assert knows(session, ben) == {}, "only the worker whose card it is"


def test_contacts_with_who_said_no_are_shown_to_nobody(session: Session, cast: Cast) -> None:
    send(session, cast.amina, met(TWO))
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=TWO), tier=0, reason="in_person")
    assert "last" not in knows(session, cast.amina)[f"card/{TWO}"]


def test_only_sealed_labels_of_ones_own_cards_are_kept(session: Session, cast: Cast) -> None:
    ben, elsewhere = another_worker(session, cast), other_worker(session, cast)
    send(session, cast.amina, met(ONE))
    label = sealed()
    for worker in (ben, elsewhere):
        assert keep_labels(session, worker, labels={ONE: label}) == []
    wrong = {ONE: "red cap, Tuesday gym", TWO: label}
    assert keep_labels(session, cast.amina, labels=wrong) == [], "no clear text, and no card that is not in the caseload"
    assert keep_labels(session, cast.amina, labels={ONE: 7}) == []
    assert keep_labels(session, cast.amina, labels={ONE: label}) == [ONE]
    assert knows(session, cast.amina)[f"label/{ONE}"] == label
    assert f"label/{ONE}" not in knows(session, ben)
    assert keep_labels(session, cast.amina, labels={ONE: ""}) == [ONE]
    assert f"label/{ONE}" not in knows(session, cast.amina)


def test_a_label_goes_with_its_card(session: Session, cast: Cast) -> None:
    ben = another_worker(session, cast)
    send(session, cast.amina, met(ONE), met(TWO))
    keep_labels(session, cast.amina, labels={ONE: sealed(), TWO: sealed()})
    send(session, cast.amina, note("handover", {"code": ONE, "to": ben.user_id}))
    assert f"label/{ONE}" not in knows(session, cast.amina), "handed over"
    assert f"label/{ONE}" not in knows(session, ben)
    assert f"label/{TWO}" in knows(session, cast.amina)
