"""Simulated centres: two years of encounters and mediations, and what is true of them."""

import csv
import datetime as dt
import json
import math
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from fieldapp.paths import PROGRAM
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations.centres import Centre
from fieldapp.store.records import records
from tests.cast import Cast, encounter
from tests.programme import definition_of
from tests.services.caseload.mediations import mediated

FIRST = dt.date(2024, 6, 20)  # in the midst of a month: of that one nothing may be told
LAST = dt.date(2026, 6, 30)
NOW = dt.datetime(2026, 7, 10, 12, tzinfo=dt.UTC)
SECRET = "5e" * 32  # of the tables
SEASON = 0.4  # how far summer lies above the mean
CLUSTER = 0.3  # so many encounters bring another one with them
WARDS = {"002": 0.5, "004": 0.3, "007": 0.17, "020": 0.03}
AREAS = csv.DictReader((PROGRAM / "hierarchies" / "area.csv").read_text().splitlines())
WARD_OF = {row["neighbourhood"]: row["ward"] for row in AREAS}
KINDS = ("check_in", "deesc", "presence", "support")
SETTLED = ("resolved", "not_resolved")


@dataclass(frozen=True)
class World:
    """A centre: how much happens in its first year, and by how much more in its second."""

    name: str
    encounters: int
    mediations: int
    growth: float = 1.0
    settled: float = 0.65  # share of mediations
    settled_later: float = 0.65  # in the second year
    seed: int = 1


@dataclass
class Truth:
    """What happened: events by day, each with what its record says."""

    world: World
    encounters: list[tuple[dt.date, str, str, int]] = field(default_factory=list)  # day, area, kind, hour
    mediations: list[tuple[dt.date, str]] = field(default_factory=list)  # day, outcome

    def count_encounters(self, first: dt.date, last: dt.date) -> int:
        return sum(first <= day <= last for day, *_ in self.encounters)

    def count_in_ward(self, first: dt.date, last: dt.date, ward: str) -> int:
        return sum(first <= day <= last and WARD_OF[area] == ward for day, area, *_ in self.encounters)

    def count_mediations(self, first: dt.date, last: dt.date, outcome: str = "") -> int:
        return sum(first <= day <= last and outcome in ("", said) for day, said in self.mediations)

    def count_cells(self, first: dt.date, last: dt.date) -> Counter[tuple[str, int, int]]:
        """Return how many encounters were in each area, on each weekday, in each hour."""
        within = [event for event in self.encounters if first <= event[0] <= last]
        return Counter((area, day.isoweekday(), hour) for day, area, _, hour in within)


def make_centre(session: Session, cast: Cast, world: World) -> Truth:
    """Put two years of records straight into the database; return what is true of them."""
    chance = random.Random(f"{world.name} {world.seed}")
    truth = Truth(world)
    for day in _list_days():
        rate = world.encounters / 365 * _find_rate(day, world.growth)
        for _ in range(_draw(chance, rate / (1 + CLUSTER)) if day != FIRST else 1):
            for _ in range(1 + (chance.random() < CLUSTER)):
                area = chance.choices(list(WARDS), list(WARDS.values()))[0]
                truth.encounters.append((day, area, chance.choice(KINDS), chance.choice((19, 20, 22, 23))))
        for _ in range(_draw(chance, world.mediations / 365 * _find_rate(day, world.growth))):
            share = world.settled_later if day >= _year_before_end() else world.settled
            truth.mediations.append((day, SETTLED[chance.random() >= share]))
    rows = [_make_encounter(cast, *event) for event in truth.encounters]
    rows += [_make_mediation(cast, *event) for event in truth.mediations]
    for row in rows:  # by the seed as well: the records' numbers decide how counts are rounded
        row["instance_id"] = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    with WriteTransaction(session):
        session.get_one(Centre, cast.centre.id).table_secret = SECRET
        records.add_all(session, rows)
    return truth


def _list_days() -> list[dt.date]:
    return [FIRST + dt.timedelta(days=number) for number in range((LAST - FIRST).days + 1)]


def _year_before_end() -> dt.date:
    return dt.date(LAST.year - 1, 7, 1)


def _find_rate(day: dt.date, growth: float) -> float:
    season = 1 + SEASON * math.cos(2 * math.pi * (day.timetuple().tm_yday - 200) / 365)
    return season * (growth if day >= _year_before_end() else 1.0)


def _draw(chance: random.Random, mean: float) -> int:
    """Return a number of events: Poisson, by multiplying."""
    limit, product, number = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        number += 1
    return number


def _make_encounter(cast: Cast, day: dt.date, area: str, kind: str, hour: int) -> dict[str, Any]:
    answers = ENCOUNTER | {
        "what": {**ENCOUNTER["what"], "contact_type": kind},
        "when_where": {**ENCOUNTER["when_where"], "enc_date": str(day), "enc_hour": f"{hour}", "nbhd": area},
    }
    return _make_row(cast, "encounter", day, answers, area=area, kind=kind)


def _make_mediation(cast: Cast, day: dt.date, outcome: str) -> dict[str, Any]:
    answers = MEDIATION | {
        "when_where": {**MEDIATION["when_where"], "med_date": str(day)},
        "result": {"outcome": outcome, "fu_plan": "d7", "safe_worker": "yes"},
    }
    return _make_row(cast, "mediation", day, answers, area="002", kind="money_debt")


def _make_row(cast: Cast, form: str, day: dt.date, answers: dict[str, Any], area: str, kind: str) -> dict[str, Any]:
    at = dt.datetime.combine(day, dt.time(23, 30), dt.UTC)
    return {
        "centre_id": cast.centre.id, "form": form, "version": definition_of(form).version,
        "via": "token", "author_id": cast.amina.user_id, "received_at": at, "changed_at": at, "heads": [], "contested": [],
        "review": "", "answers": answers, "occurred_on": day, "area": area, "kind": kind, "person": "",
    }  # fmt: skip


ENCOUNTER = encounter(dt.date(2026, 3, 1))
MEDIATION: dict[str, Any] = json.loads(mediated(dt.date(2026, 3, 1))["body"])
