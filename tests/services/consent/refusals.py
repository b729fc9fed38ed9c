"""Encounters with somebody who did not say yes, and all that the database holds of them."""

from typing import Any

from sqlalchemy.orm import Session

from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.deliveries import receive_batch
from sync.envelope import parse_item
from tests.cast import Cast, encounter

CARD = "K7QM3RXDQ"
TALK = {"risk_now": "high", "safety_plan": "yes", "minutes": "5_15", "topics": "conflict"}
YES = {"said": "read_out", "understood": "yes", "tier_said": "2", "lang_used": "so"}
SAID_NO = {"said": "read_out", "understood": "yes", "tier_said": "0"}
NOT_UNDERSTOOD = {"said": "read_out", "understood": "no"}
NOT_ASKED = {"said": "not_asked"}


def met(consent: dict[str, str]) -> dict[str, Any]:
    """Return an encounter with an enrolled person."""
    return encounter(people={"who": "enrolled", "code": CARD}, talk=TALK, consent=consent)


def with_everything(consent: dict[str, str]) -> dict[str, Any]:
    """Return what a phone with an older app sends of such an encounter, whatever the person said."""
    return {**met({**YES, "tier_said": "1"}), "consent": {**consent, "tier": "0"}}


def receive(session: Session, cast: Cast, *items: dict[str, Any], aside: tuple[str, str] | None = None) -> list[str]:
    envelopes = [parse_item(item) for item in items]
    assert all(envelopes)
    arrived = [IncomingSubmission(one, quarantine_reason=aside) for one in envelopes if one]
    return [answer["status"] for answer in receive_batch(session, cast.amina, arrived)]
