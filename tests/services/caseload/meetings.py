"""Encounters with one participant, and codes of participants."""

import datetime as dt
import random
from typing import Any

from sync.notes import ALPHABET, CHECK
from tests.cast import encounter, envelope

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
