"""Records that say something of consent."""

import datetime as dt
import json
import random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.phones.pull import PullItem
from forms.validation import validate
from sync.envelope import parse_batch
from sync.intake import local_time
from tests.cast import Cast, batch, encounter, envelope
from tests.programme import definition_of
from tests.services.caseload.meetings import code

APRIL, MAY, JUNE, JULY = (dt.date(2026, month, 10) for month in (4, 5, 6, 7))


ONE = code(7)


def consent(tier: str, said: str = "read_out", understood: str = "yes") -> dict[str, str]:
    """Return the answers of the consent page as the form has it."""
    if said == "as_before":  # the phone knew it, and nobody was asked
        return {"known_tier": tier, "said": said, "tier_said": tier}
    if said not in ("read_out", "they_read", "interpreter"):
        return {"said": said, "tier_said": tier} if tier else {"said": said}
    if understood != "yes":
        return {"said": said, "understood": understood}
    given = {"said": said, "understood": "yes", "tier_said": tier, "lang_used": "en"}
    asks_for_slip = "/data/consent/receipt_given" in definition_of("encounter").by_path
    return {**given, "receipt_given": "printed"} if asks_for_slip and tier != "0" else given


def met(card: str, day: dt.date, tier: str, said: str = "read_out", understood: str = "yes", **more: Any) -> dict[str, Any]:
    """Return an encounter with somebody who has a card, and what they said yes to."""
    people = {"who": "enrolled", "code": card}
    chance = random.Random(card)
    answers = encounter(
        day, people=people, consent=consent(tier, said, understood),
        talk={"risk_now": chance.choice(["low", "none", "raised"])},
    )  # fmt: skip
    return envelope(answers, day=day, **more)


def told(session: Session, card: str = ONE) -> dict[str, Any]:
    """Return what the phones were told last of somebody's standing consent; {} for nothing."""
    session.rollback()
    body = session.scalars(sa.select(PullItem.body).where(PullItem.key == f"card/{card}", PullItem.body != "")).first()
    consent: dict[str, Any] = json.loads(body or "{}").get("consent", {})
    return consent


def knowing(session: Session, item: dict[str, Any], card: str = ONE) -> dict[str, Any]:
    """Return a record as made by a phone that knows all that the centre has heard of a person."""
    return item | {"consent": {"knew": told(session, card).get("heads", []), "language": "en"}}


def send(session: Session, cast: Cast, *items: dict[str, Any], status: str = "stored") -> None:
    for first in range(0, len(items), 50):
        answers = receive_batch(session, cast.amina, parse_batch(batch(*items[first : first + 50])))
        assert {answer["status"] for answer in answers} == {status}, answers


def corrected(of: dict[str, Any], day: dt.date, tier: str, said: str = "read_out", card: str = ONE) -> dict[str, Any]:
    """Return a correction of an encounter of April, finished on a day."""
    item = met(card, APRIL, tier, said, root=of["id"], prev=[of["id"]])
    return item | {"finished_at": dt.datetime.combine(day, dt.time(22), dt.UTC).isoformat()}


def intake(card: str, day: dt.date, tier: str = "3", risk: str = "high") -> dict[str, Any]:
    """Return the intake of somebody with a card."""
    answers = {
        "start": {"kind": "intake", "offered_resp": "accepted", "code": card},
        "arrival": {"month_in": f"{day:%Y-%m-01}", "came_by": "outreach"},
        "consent": consent(tier),
        "about": {"age_band": "16-19", "gender": "man_boy", "race": "black", "school_work": "school", "housing": "stable"},
        "risks": {"risk_level": risk, "feel_safe": "sometimes"},
        "plan": {"needs": "employment"},
    }  # fmt: skip
    return filled("participant", answers, day)


def filled(form: str, answers: dict[str, Any], day: dt.date) -> dict[str, Any]:
    """Return a form as a phone finishes it on a day."""
    definition = definition_of(form)
    finished = validate(definition, answers, local_time(dt.datetime.combine(day, dt.time(22))))
    item = envelope(finished.answers, form=form, day=day, refused_by=finished.refused_by)
    return item | {"version": definition.version}
