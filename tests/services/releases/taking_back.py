"""A centre whose people take everything back after rows about them have left."""

import csv
import datetime as dt
import io
import random
import zipfile
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from evaluator_export.package.verify import verify
from evaluator_export.periods import parse
from fieldapp.services.acts import ActContext, utcnow
from fieldapp.services.consent.ending import end_person
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.releases.build import build_release
from fieldapp.settings import Settings
from fieldapp.store.database import WriteTransaction
from fieldapp.store.releases.releases import Release, ReleaseSeries
from tests.cast import Cast, a_series, encounter, envelope
from tests.services.caseload.meetings import code
from tests.services.consent.consents import APRIL, consent, send

SECRET = "s" * 64
PEOPLE = [code(seed) for seed in range(100, 200)]


def met(card: str, day: dt.date) -> dict[str, Any]:
    chance = random.Random(card)
    answers = encounter(
        day,
        people={"who": "enrolled", "code": card},
        consent=consent("3"),
        when_where={"setting": chance.choice(["street", "school"])},
        talk={"risk_now": chance.choice(["low", "none", "raised"])},
    )
    return envelope(answers, day=day)


def a_series_of_people(session: Session, cast: Cast, folder: Path) -> ReleaseSeries:
    """Return a series of the centre; a hundred people with cards said that evaluators may have facts about them.

    `folder` has the list of ended cards.
    """
    attach(session.get_bind().engine, Settings(data=str(folder), secret_key=SECRET))
    made = a_series(session, cast)
    send(session, cast, *(met(card, APRIL) for card in PEOPLE))
    return made


def another_series(session: Session, cast: Cast, series: ReleaseSeries) -> ReleaseSeries:
    other = ReleaseSeries(
        centre_id=cast.centre.id, key="another", title=series.title, recipe=series.recipe, cadence="quarter",
        first_period="2026-Q2", secret="0a" * 32,
    )  # fmt: skip
    session.add(other)
    session.commit()
    return other


def publish(session: Session, series: ReleaseSeries, period: str, packages: Path, secret: str = SECRET) -> Release:
    built = build_release(session, series, parse(period), packages, secret)
    assert built
    assert verify(packages / f"{built.sha256}.zip") == []
    return built


def take_back(session: Session, cast: Cast, card: str) -> str:
    """Let somebody take everything back; return the id of their withdrawal."""
    with WriteTransaction(session):
        return end_person(ActContext(session, cast.rosa, utcnow()), card, "office", "They asked for it.").id


def file_of(packages: Path, built: Release, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(packages / f"{built.sha256}.zip") as package:
        return list(csv.DictReader(io.StringIO(package.read(name).decode())))


def to_delete(packages: Path, built: Release) -> list[tuple[str, str, int, int]]:
    lines = file_of(packages, built, "withdrawals.csv")
    return [
        (line["dataset"], line["period"], int(line["batch"]), int(line["row"])) for line in lines if line["what"] == "delete"
    ]
