"""What phones are told of somebody who said no, and of a card whose records were corrected."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.caseload.earlier_cards import tell_in_every_centre
from fieldapp.services.consent.card_consent import find_card, lower_card
from fieldapp.services.consent.forgotten import attach
from fieldapp.settings import Settings
from fieldapp.store.caseload.cards import Card
from fieldapp.store.phones.pull import PullItem, read_changes_after, read_last_number
from tests.cast import Cast, publish_others
from tests.in_clear import put_told
from tests.services.caseload.meetings import ONE, TODAY, TWO, knows, send
from tests.services.caseload.participants import participant, referred
from tests.services.consent.consents import filled, knowing, met

EARLIER, LATER = TODAY - dt.timedelta(days=5), TODAY - dt.timedelta(days=2)


@pytest.fixture(autouse=True)
def forms(session: Session, cast: Cast, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    publish_others(session, cast)


def refer(card: str, **more: Any) -> dict[str, Any]:
    answers = json.loads(referred(EARLIER)["body"])
    answers["need"] = {"has_card": "yes", "code": card, "need": "housing"}
    return filled("referral", answers, EARLIER) | more


def read_seen(session: Session, card: str) -> dt.date | None:
    session.rollback()
    return session.scalars(sa.select(Card.seen_on).where(Card.code == card)).one()


def test_nobody_is_reminded_of_a_referral_of_who_said_no(session: Session, cast: Cast) -> None:
    referral, other = refer(ONE), refer(TWO)
    assert send(session, cast.amina, met(ONE, EARLIER, "2"), referral, other) == ["stored"] * 3
    listed = {f"ref/{referral['id']}", f"ref/{other['id']}"}
    assert listed == {key for key in knows(session, cast.amina) if key.startswith("ref/")}
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=0, reason="in_person")
    assert f"ref/{referral['id']}" not in knows(session, cast.amina)
    assert f"ref/{other['id']}" in knows(session, cast.amina)
    # Something new about it does not bring it back; the next yes does.
    send(session, cast.amina, refer(ONE, root=referral["id"], prev=[referral["id"]]))
    assert f"ref/{referral['id']}" not in knows(session, cast.amina)
    send(session, cast.amina, knowing(session, met(ONE, TODAY, "2"), ONE))
    assert listed == {key for key in knows(session, cast.amina) if key.startswith("ref/")}


def test_an_upgrade_takes_referrals_of_who_said_no_before_off_phones(session: Session, cast: Cast) -> None:
    referral, other = refer(ONE), refer(TWO)
    send(session, cast.amina, met(ONE, EARLIER, "2"), referral, other)
    mine, others = f"ref/{referral['id']}", f"ref/{other['id']}"
    before = session.scalars(sa.select(PullItem.body).where(PullItem.key == mine)).one()
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=0, reason="in_person")
    # As a version left it that did not take it off.
    put_told(session, cast.centre.id, cast.amina.user_id or 0, mine, before)
    session.commit()
    cursor = read_last_number(session, cast.amina.user_id or 0)
    tell_in_every_centre(session)
    known = knows(session, cast.amina)
    assert mine not in known
    assert others in known
    _, count, items = read_changes_after(session, cast.amina.user_id or 0, cursor, 100)
    assert (count, items) == (1, f'["{mine}",null]')
    tell_in_every_centre(session)  # once is enough
    assert read_changes_after(session, cast.amina.user_id or 0, cursor + 1, 100)[1] == 0


def test_the_day_of_a_record_that_became_a_no_is_not_on_the_card(session: Session, cast: Cast) -> None:
    first = met(ONE, LATER, "2")
    send(session, cast.amina, met(ONE, EARLIER, "2"), first)
    assert read_seen(session, ONE) == LATER
    send(session, cast.amina, met(ONE, LATER, "0", root=first["id"], prev=[first["id"]]))
    assert knows(session, cast.amina)[f"card/{ONE}"]["seen"] == EARLIER.isoformat()
    assert read_seen(session, ONE) == EARLIER


def test_the_day_of_the_only_record_goes_with_it(session: Session, cast: Cast) -> None:
    first = met(ONE, LATER, "2")
    send(session, cast.amina, first)
    send(session, cast.amina, met(ONE, LATER, "0", root=first["id"], prev=[first["id"]]))
    assert knows(session, cast.amina)[f"card/{ONE}"]["seen"] == ""
    assert read_seen(session, ONE) is None


def test_the_day_of_a_record_goes_to_the_card_that_it_names_now(session: Session, cast: Cast) -> None:
    first = met(ONE, LATER, "2")
    send(session, cast.amina, met(ONE, EARLIER, "2"), first)
    send(session, cast.amina, met(TWO, LATER, "2", root=first["id"], prev=[first["id"]]))
    assert knows(session, cast.amina)[f"card/{ONE}"]["seen"] == EARLIER.isoformat()
    assert (read_seen(session, ONE), read_seen(session, TWO)) == (EARLIER, LATER)


def test_a_day_that_is_corrected_is_an_earlier_day_on_the_card(session: Session, cast: Cast) -> None:
    first = met(ONE, LATER, "2")
    send(session, cast.amina, first)
    send(session, cast.amina, met(ONE, EARLIER, "2", root=first["id"], prev=[first["id"]]))
    assert read_seen(session, ONE) == EARLIER


def test_an_exit_of_somebody_else_does_not_end_the_work(session: Session, cast: Cast) -> None:
    mistaken = participant("exit", LATER)
    send(session, cast.amina, participant("intake", EARLIER), mistaken)
    assert f"card/{ONE}" not in knows(session, cast.amina)
    send(session, cast.amina, participant("exit", LATER, card=TWO, root=mistaken["id"], prev=[mistaken["id"]]))
    assert knows(session, cast.amina)[f"card/{ONE}"]["seen"] == EARLIER.isoformat()


def test_phones_are_told_no_day_of_who_said_no(session: Session, cast: Cast) -> None:
    send(session, cast.amina, met(ONE, EARLIER, "2"))
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=0, reason="in_person")
    assert knows(session, cast.amina)[f"card/{ONE}"]["seen"] == ""
