"""A centre with enough in it for products to have figures."""

import datetime as dt
import json
import random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.products.registry import switch_product
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.database import WriteTransaction
from fieldapp.store.products import products
from fieldapp.store.records.records import Record
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope

NOW = dt.datetime(2026, 7, 10, 12, tzinfo=dt.UTC)


def fill(session: Session, cast: Cast, count: int, first: dt.date, days: int, seed: int = 1) -> None:
    """Send encounters, as if they had arrived on their days."""
    chance = random.Random(seed)
    items = []
    for place in range(count):
        # One on the first day: of a month that had begun before there were records nothing is told.
        day = first + dt.timedelta(days=chance.randrange(days) if place else 0)
        answers = encounter(
            day,
            talk={"risk_now": chance.choice(["low", "none", "raised"])},
            when_where={"nbhd": chance.choice(["002", "002", "004"]), "enc_hour": chance.choice(["19", "22"])},
            what={"contact_type": chance.choice(["check_in", "deesc"])},
        )
        items.append(envelope(answers, day=day))
    for start in range(0, count, 100):
        receive_batch(session, cast.amina, parse_batch(batch(*items[start : start + 100])))
    with WriteTransaction(session):
        moment = dt.datetime.combine(first + dt.timedelta(days=days), dt.time(), dt.UTC)
        session.execute(sa.update(Record).values(received_at=moment, changed_at=moment))


def switched_on(session: Session, cast: Cast, *names: str) -> None:
    for name in names:
        switch_product(session, cast.rosa, name=name, is_on=True)


def body_of(session: Session, cast: Cast, name: str, period: str) -> dict[str, Any]:
    found = products.edition(session, cast.centre.id, name, period)
    assert found
    made: dict[str, Any] = json.loads(found.body)
    return made


def number(body: dict[str, Any], indicator: str, period: str) -> dict[str, Any]:
    numbers = next(one for one in body["indicators"] if one["id"] == indicator)["numbers"]
    return next(one for one in numbers if one["period"] == period)


PARTNER = b"""indicator,title_en,title_fr,unit,period,from,to,part,value
calls,Calls for help,Appels,count,P1,2026-01-01,2026-01-28,total,400
population_share,Population,Population,percent,2021,2021-01-01,2021-12-31,total,100
population_share,Population,Population,percent,2021,2021-01-01,2021-12-31,black,30
"""
