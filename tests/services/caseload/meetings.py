"""Encounters with one participant, codes of participants, notes, and what phones know of all that."""

import datetime as dt
import hashlib
import json
import random
import uuid
from typing import Any

from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.phones.pull import pull_changes
from fieldapp.services.records.deliveries import receive_batch
from sync.envelope import parse_batch
from sync.notes import ALPHABET, CHECK
from tests.cast import batch, encounter, envelope

TODAY = dt.date.today()


def code(seed: int) -> str:
    signs = "".join(random.Random(seed).choices(ALPHABET, k=8))
    value = 0
    for sign in signs:
        value = value * 32 + ALPHABET.index(sign)
    return signs + CHECK[value % 37]


ONE, TWO = code(1), code(2)


def met(card: str, day: dt.date = TODAY, due: int = 0, **changes: Any) -> dict[str, Any]:
    """Return an encounter with somebody who has a card, with the next contact in so many days."""
    after = {"next_due": (TODAY + dt.timedelta(days=due)).isoformat()} if due else {}
    groups = {
        "people": {"who": "enrolled", "code": card},
        "next": {"ref_made": "no", **after},
        "consent": {"said": "read_out", "understood": "yes", "tier_said": "2"},
    }
    return envelope(encounter(day, **groups), day=day, **changes)


def note(kind: str, body: dict[str, Any], minute: int = 0) -> dict[str, Any]:
    text = json.dumps(body)
    return {
        "id": str(uuid.uuid4()),
        "form": f"fieldapp.{kind}",
        "version": "1",
        "finished_at": dt.datetime.combine(TODAY, dt.time(22, minute), dt.UTC).isoformat(),
        "body": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def send(session: Session, actor: Actor, *items: dict[str, Any]) -> list[str]:
    return [answer["status"] for answer in receive_batch(session, actor, parse_batch(batch(*items)))]


def knows(session: Session, actor: Actor) -> dict[str, Any]:
    """Return what a phone of this worker would know that starts from nothing."""
    return {key: body for key, body in json.loads(pull_changes(session, actor, cursor=0))["items"] if body is not None}
