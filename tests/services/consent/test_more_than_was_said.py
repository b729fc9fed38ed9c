"""A record that holds more than the person's consent reaches is cut before it is stored, and the phone is told."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent.card_consent import find_card, lower_card
from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.consent import standing as words
from fieldapp.store.records.submissions import Submission
from forms.budget import Budget, TooSlow
from sync import intake
from sync.envelope import Envelope, parse_batch, parse_item
from tests.cast import Cast, batch, envelope, publish_others
from tests.in_clear import everything
from tests.programme import definition_of
from tests.services.consent.consents import APRIL, JULY, JUNE, MAY, ONE, knowing, met, send
from tests.services.consent.refusals import CARD

VERSION = definition_of("participant").version
CANARY = "another_gender"


def review(tier: str, **about: str) -> dict[str, Any]:
    """Return a review of a person as a phone sends it that does not run the form's rules."""
    said = {"said": "read_out", "understood": "yes", "tier_said": tier, "tier": tier}
    return {
        "start": {"kind": "review", "code": CARD, "code_plain": CARD, "code_check": "ok"},
        "arrival": {"month_in": "2026-11-01"},
        "consent": said,
        "about": {"age_band": "16-19", "school_work": "school", "housing": "stable", **about},
        "risks": {"risk_level": "high"},
        "plan": {"needs": "housing"},
    }


def sent(tier: str, **about: str) -> Envelope:
    item = envelope(review(tier, **about), form="participant", version=VERSION)
    arrived = parse_item(item)
    assert arrived
    return arrived


def test_what_was_not_agreed_to_is_cut_and_the_phone_is_told(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    arrived = sent("1", gender=CANARY)
    [answer] = receive_batch(session, cast.amina, [IncomingSubmission(arrived)])
    assert answer["status"] == "rejected"
    told = {(problem["code"], problem["path"]) for problem in answer["problems"]}
    assert ("consent.kept_too_much", "about.gender") in told
    session.expire_all()
    assert CANARY not in everything(session)
    submission = session.scalars(sa.select(Submission)).one()
    assert (submission.sha256, "16-19" in submission.body) == (arrived.sha256, True)  # sent again it is known
    assert [one["status"] for one in receive_batch(session, cast.amina, [IncomingSubmission(arrived)])] == ["duplicate"]
    assert CANARY not in everything(session)


def test_what_was_agreed_to_is_stored(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    [answer] = receive_batch(session, cast.amina, [IncomingSubmission(sent("2", gender=CANARY))])
    assert "consent.kept_too_much" not in str(answer)
    assert CANARY in everything(session)


def test_what_is_put_aside_is_cut_too(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    arrived = IncomingSubmission(sent("1", gender=CANARY), quarantine_reason=("sync.shut_out", "Shut out."))
    receive_batch(session, cast.amina, [arrived])
    session.expire_all()
    assert CANARY not in everything(session)


class NoTime(Budget):
    def look(self) -> None:
        raise TooSlow

    def spend(self, steps: int = 1) -> None:
        raise TooSlow


@pytest.mark.parametrize(("tier", "is_above"), [("1", True), ("2", False)])
def test_it_is_cut_where_the_rules_take_too_long(tier: str, is_above: bool) -> None:
    judgement = intake.validate_submission(sent(tier, gender=CANARY), definition_of("participant"), NoTime())
    assert (judgement.is_quarantined, judgement.is_refusal, judgement.is_above) == (True, False, is_above)
    assert (CANARY in str(judgement.answers)) is False
    assert ("16-19" in str(judgement.answers)) is is_above  # otherwise it is stored as it came


@pytest.mark.usefixtures("one_no")
@pytest.mark.parametrize("no", ["0", "office"])
def test_asked_before_is_no_yes_after_a_no(session: Session, cast: Cast, no: str) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    if no == "office":
        lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=0, reason="in_person")
    else:
        send(session, cast, knowing(session, met(ONE, MAY, "0")))
    same = met(ONE, JUNE, "3", said="earlier")
    [answer] = receive_batch(session, cast.amina, parse_batch(batch(same)))
    assert answer["status"] == "rejected"
    assert {problem["code"] for problem in answer["problems"]} == {"consent.stands_at_no"}
    session.expire_all()
    stored = session.scalars(sa.select(Submission).where(Submission.instance_id == same["id"])).one()
    assert stored.is_cut or "risk_now" not in stored.body
    assert ONE not in stored.body
    assert words.list_tiers(session, cast.centre.id, [ONE]) == {ONE: 0}
    send(session, cast, knowing(session, met(ONE, JULY, "2")))  # asked again, they say yes
    [answer] = receive_batch(session, cast.amina, parse_batch(batch(met(ONE, JULY, "2", said="earlier"))))
    assert answer["status"] == "stored"


@pytest.mark.usefixtures("one_no")
def test_asked_before_is_believed_of_somebody_who_said_no_such_thing(session: Session, cast: Cast) -> None:
    [answer] = receive_batch(session, cast.amina, parse_batch(batch(met(ONE, JUNE, "2", said="earlier"))))
    assert answer["status"] == "stored"
