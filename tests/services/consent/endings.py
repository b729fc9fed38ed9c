"""People with cards, and the end of a card in the office."""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.consent.card_consent import end_card, find_card
from fieldapp.services.records.deliveries import receive_batch
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope
from tests.services.caseload.meetings import code
from tests.services.consent.consents import MAY, consent

CARD, OTHER = code(7), code(8)
NOTE = "CANARY of a quiet evening"


def talked(card: str = CARD, tier: str = "3", day: dt.date = MAY, days_ahead: int = 30, **more: Any) -> dict[str, Any]:
    """Return an encounter with somebody who has a card; its note is a canary."""
    people = {"who": "enrolled", "code": f"{card[:4]}-{card[4:]}"}
    due = {"ref_made": "no", "next_due": (day + dt.timedelta(days=days_ahead)).isoformat(), "note": NOTE}
    talk = {"risk_now": "raised", "topics": "conflict"}
    answers = encounter(day, people=people, consent=consent(tier), talk=talk, next=due)
    return envelope(answers, day=day, **more)


def send(session: Session, actor: Actor, *items: dict[str, Any], status: str = "stored") -> list[dict[str, Any]]:
    answers = receive_batch(session, actor, parse_batch(batch(*items)))
    assert {answer["status"] for answer in answers} == {status}, answers
    return answers


def end(session: Session, cast: Cast, card: str = CARD) -> str:
    return end_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=card), reason="in_person")
