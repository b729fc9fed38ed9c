"""A centre with enough records for a release."""

import datetime as dt
import random

from sqlalchemy.orm import Session

from fieldapp.services.records.deliveries import receive_batch
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope


def fill(session: Session, cast: Cast, count: int, start: dt.date, seed: int = 1) -> None:
    chance = random.Random(seed)
    items = []
    for _ in range(count):
        day = start + dt.timedelta(days=chance.randrange(80))
        answers = encounter(
            day,
            talk={"risk_now": chance.choice(["low", "none", "raised"])},
            when_where={"nbhd": chance.choice(["002", "004"]), "enc_hour": chance.choice(["19", "22"])},
        )
        items.append(envelope(answers, day=day))
    for first in range(0, count, 100):
        receive_batch(session, cast.amina, parse_batch(batch(*items[first : first + 100])))
