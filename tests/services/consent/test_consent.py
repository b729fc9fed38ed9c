"""What the centre keeps after a no: read from every table of the real database."""

import datetime as dt
import json
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.caseload import cards
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_item
from tests.cast import Cast, another_worker, envelope
from tests.in_clear import everything
from tests.services.consent.refusals import (
    CARD,
    NOT_ASKED,
    NOT_UNDERSTOOD,
    SAID_NO,
    YES,
    met,
    receive,
    with_everything,
)

pytestmark = pytest.mark.usefixtures("one_no")  # with two noes: test_two_answers.py


@pytest.mark.parametrize("consent", [SAID_NO, NOT_UNDERSTOOD, NOT_ASKED], ids=["said no", "not understood", "not asked"])
def test_after_a_no_nothing_about_the_person_is_stored(session: Session, cast: Cast, consent: dict[str, str]) -> None:
    sent = with_everything(consent)
    assert "CANARY" in json.dumps(sent)
    receive(session, cast, envelope(sent))
    held = everything(session, "card", "consent_word", "standing")
    for told in ("CANARY", CARD, "safety_plan", "5_15", "conflict"):
        assert told not in held, told
    record = session.scalars(sa.select(Record)).one()
    assert (record.kind, record.person, record.area) == ("check_in", "", "")
    assert record.answers["people"] == {"who": "enrolled"}


def test_a_no_that_arrives_twice_is_kept_once(session: Session, cast: Cast) -> None:
    item = envelope(with_everything(SAID_NO))
    assert receive(session, cast, item) == ["stored"]
    assert receive(session, cast, item) == ["duplicate"]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"talk": {"people_n": "900", "risk_now": "low", "minutes": "5_15"}},
        {"next": {"note": "CANARY" * 100}},
        {"surprise": "CANARY"},
    ],
)
def test_a_record_that_is_refused_is_cut_as_well(session: Session, cast: Cast, spoilt: dict[str, Any]) -> None:
    receive(session, cast, envelope({**with_everything(SAID_NO), **spoilt}))
    assert "CANARY" not in everything(session)
    assert CARD not in everything(session, "card", "consent_word", "standing")


def test_what_is_kept_aside_is_cut_as_well(session: Session, cast: Cast) -> None:
    why = ("sync.shut_out", "The centre has turned off this person's access. The record is kept aside.")
    assert receive(session, cast, envelope(with_everything(SAID_NO)), aside=why) == ["rejected"]
    held = everything(session, "card", "consent_word", "standing")
    assert "CANARY" not in held
    assert CARD not in held


def test_the_same_id_with_other_answers_is_cut_as_well(session: Session, cast: Cast) -> None:
    first = envelope(met(SAID_NO))
    receive(session, cast, first)
    assert receive(session, cast, envelope(with_everything(SAID_NO), id=first["id"])) == ["conflict"]
    assert "CANARY" not in everything(session)


def test_a_correction_to_a_no_takes_the_earlier_versions_along(session: Session, cast: Cast) -> None:
    first = envelope(met(YES))
    receive(session, cast, first)
    assert "CANARY" in everything(session)
    change = {"root": first["id"], "prev": [first["id"]]}
    receive(session, cast, envelope(with_everything(SAID_NO), id=str(uuid.uuid4()), **change))
    assert "CANARY" not in everything(session)
    assert session.scalars(sa.select(sa.func.count()).select_from(Submission)).one() == 2
    assert session.scalars(sa.select(Record)).one().person == ""


def test_a_colleague_erases_nothing_by_a_no(session: Session, cast: Cast) -> None:
    first = envelope(met(YES))
    receive(session, cast, first)
    change = envelope(with_everything(SAID_NO), root=first["id"], prev=[first["id"]])
    stranger = parse_item(change)
    assert stranger
    receive_batch(session, another_worker(session, cast), [stranger])
    record = session.scalars(sa.select(Record)).one()
    assert record.answers["next"]["note"].startswith("CANARY")
    assert record.person == CARD


def test_what_is_kept_aside_erases_nothing(session: Session, cast: Cast) -> None:
    first = envelope(met(YES))
    receive(session, cast, first)
    change = envelope(with_everything(SAID_NO), root=first["id"], prev=[first["id"]])
    receive(
        session, cast, change, aside=("sync.unopenable", "The centre could not open the record. It is stored as it arrived.")
    )
    record = session.scalars(sa.select(Record)).one()
    assert record.answers["next"]["note"].startswith("CANARY")
    assert "CANARY" in everything(session, "record")


def test_after_a_yes_everything_is_stored(session: Session, cast: Cast) -> None:
    receive(session, cast, envelope(met(YES)))
    record = session.scalars(sa.select(Record)).one()
    assert (record.person, record.area) == (CARD, "002")
    assert record.answers["next"]["note"].startswith("CANARY")


def test_a_no_is_heard_at_the_card_though_the_record_names_none(session: Session, cast: Cast) -> None:
    receive(session, cast, envelope(met(YES)))
    assert cards.by_codes(session, cast.centre.id, [CARD])[CARD].tier == "2"
    receive(session, cast, envelope(met(SAID_NO), refused_by=CARD))  # as today's app sends it
    session.expire_all()
    assert cards.by_codes(session, cast.centre.id, [CARD])[CARD].tier == "0"


def test_a_code_that_is_none_is_passed_over(session: Session, cast: Cast) -> None:
    assert receive(session, cast, envelope(met(SAID_NO), refused_by="nonsense")) == ["stored"]
    assert parse_item(envelope(met(SAID_NO), refused_by=7)) is None
    assert parse_item(envelope(met(SAID_NO), refused_by="x" * 200)) is None


def test_the_day_of_the_record_is_that_of_finishing(session: Session, cast: Cast) -> None:
    receive(session, cast, envelope(met(SAID_NO), day=dt.date.today()))
    assert session.scalars(sa.select(Record)).one().occurred_on == dt.date.today()
