"""Whatever people say, in whatever order: no reader counts or shows anybody whose standing consent forbids it."""

import csv
import datetime as dt
import io
import json
import random
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export.datasets.recipe import Audience
from evaluator_export.periods import parse
from evaluator_export.tables.protected_counts import TOTAL
from fieldapp.services.acts import utcnow
from fieldapp.services.board.board import see_board
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.products import editions, tables
from fieldapp.services.products.maps import fetch_maps
from fieldapp.services.products.odata.build import build_feed_files
from fieldapp.services.products.odata.feed import get_feed_folder
from fieldapp.services.products.odata.keys import make_key
from fieldapp.services.records.export import write_records_archive
from fieldapp.services.records.export_consent import ExportPurpose
from fieldapp.services.releases import build
from fieldapp.services.releases.datasets import load_catalogue
from fieldapp.services.releases.gathering import gather
from fieldapp.settings import Settings
from fieldapp.store.caseload import follow_ups
from fieldapp.store.consent import standing as store
from fieldapp.store.database import WriteTransaction
from fieldapp.store.products import products
from fieldapp.store.products.feed_file import Feed, Query
from fieldapp.store.records.records import Record, RecordFilter
from fieldapp.store.releases import datasets
from sync.consent import END
from tests.cast import Cast, a_series, encounter, envelope
from tests.services.caseload.meetings import code
from tests.services.consent.consents import consent, intake, send, told
from tests.services.consent.endings import end
from tests.services.products.figures import NOW, body_of, number, switched_on

FIRST = dt.date(2026, 6, 15)  # the week's map begins on the 8th
AREAS = ("002", "004", "007")
SIZE = 25  # people of a crowd: shown whichever way a number is rounded
STEPS = 4
ARRIVED = NOW - dt.timedelta(days=5)


@dataclass
class Crowd:
    """People who say the same things on the same days, and are met in a place of their own."""

    area: str
    people: list[str]
    said: list[int] = field(default_factory=list)
    is_ended: bool = False


def make_crowds() -> list[Crowd]:
    return [Crowd(area, [code(1000 + SIZE * place + one) for one in range(SIZE)]) for place, area in enumerate(AREAS)]


def talk(session: Session, cast: Cast, crowd: Crowd, day: dt.date, tier: int, is_known: bool) -> None:
    """Let a worker meet each of a crowd, who answer the question about consent."""
    risks = random.Random(crowd.area)
    items = []
    for place, person in enumerate(crowd.people):
        met_on = day + dt.timedelta(days=place % 2)
        answers = encounter(
            met_on,
            when_where={"nbhd": crowd.area, "enc_hour": "19"},
            people={"who": "enrolled", "code": person},
            consent=consent(str(tier)),
            talk={"risk_now": risks.choice(["low", "none", "raised"])},
            next={"ref_made": "no", "next_due": "2026-07-20", "note": f"CANARY {person}"},
        )
        spoken = {"knew": told(session, person).get("heads", [])} if is_known else {}
        items.append(envelope(answers, day=met_on, consent={**spoken, "language": "en"}))
    send(session, cast, *items)
    crowd.said.append(tier)


def live(session: Session, cast: Cast, chance: random.Random) -> list[Crowd]:
    """Let crowds say what they like for a while; return them with what they said."""
    crowds = make_crowds()
    for crowd in crowds:
        first = chance.choice([1, 2, 3])
        send(session, cast, *(intake(person, dt.date(2026, 4, 20), str(first)) for person in crowd.people))
        crowd.said.append(first)
    for step in range(STEPS):
        for crowd in crowds:
            if crowd.is_ended:
                continue
            if step and chance.random() < 0.15:
                for person in crowd.people:
                    end(session, cast, person)
                crowd.is_ended = True
            else:
                day = FIRST + dt.timedelta(days=3 * step)
                talk(session, cast, crowd, day, chance.choice([0, 1, 2, 3, 3]), chance.random() < 0.7)
    return crowds


def find_tiers(session: Session, cast: Cast, crowds: list[Crowd]) -> dict[str, int]:
    """Return what stands for the people of each crowd, by area; an end is the end."""
    session.rollback()
    tiers = store.list_tiers(session, cast.centre.id)
    found = {}
    for crowd in crowds:
        stands = {tiers.get(person, END) for person in crowd.people}
        assert len(stands) == 1, "the people of a crowd say the same"
        found[crowd.area] = stands.pop()
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("one_no")
@pytest.mark.parametrize("seed", range(4))
def test_no_reader_counts_or_shows_anybody_against_what_stands(
    session: Session, cast: Cast, tmp_path: Path, seed: int
) -> None:
    evaluators = a_series(session, cast)
    city = a_series(session, cast, key="city-quarterly")
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    # Numbers begin with the first whole quarter after the first record, which is about nobody here.
    early = dt.date(2026, 3, 31)
    send(session, cast, envelope(encounter(early, when_where={"nbhd": "050"}), day=early))
    crowds = live(session, cast, random.Random(seed))
    tiers = find_tiers(session, cast, crowds)
    with WriteTransaction(session):  # as if all had arrived by then
        session.execute(sa.update(Record).values(received_at=ARRIVED, changed_at=ARRIVED))
    switched_on(session, cast, "dashboard", "hot_spots_week", "heat_map", "panel")
    editions.build_due(session, NOW)
    shown = {area for area, tier in tiers.items() if tier >= 1}
    assert read_map(session, cast) & set(AREAS) == shown
    assert read_workbook(session, cast) & set(AREAS) == shown
    assert read_board_people(session, cast) <= {
        person for crowd in crowds if tiers[crowd.area] >= 1 for person in crowd.people
    }
    look_at_people(session, cast, sum(SIZE for tier in tiers.values() if tier >= 3))
    look_at_months(session, evaluators, sum(SIZE for tier in tiers.values() if tier >= 2))
    look_at_feeds(session, cast, [evaluators, city], crowds, tiers, tmp_path)
    for purpose in ExportPurpose:
        look_at_export(session, cast, crowds, tiers, purpose, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("one_no")
def test_maps_that_are_built_already_follow_a_no_at_the_next_turn(session: Session, cast: Cast, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    crowds = make_crowds()
    for crowd in crowds:
        talk(session, cast, crowd, FIRST, 3, is_known=False)
    with WriteTransaction(session):
        session.execute(sa.update(Record).values(received_at=ARRIVED, changed_at=ARRIVED))
    switched_on(session, cast, "hot_spots_week", "hot_spots_month", "heat_map")
    assert editions.build_due(session, NOW) > 0
    assert read_map(session, cast) & set(AREAS) == set(AREAS)
    assert editions.build_due(session, NOW) == 0  # nothing fell
    version = products.find_latest_version(session, cast.centre.id, "hot_spots_week")
    for person in crowds[0].people:
        end(session, cast, person)
    talk(session, cast, crowds[1], FIRST + dt.timedelta(days=3), 0, is_known=True)
    with WriteTransaction(session):
        session.execute(sa.update(Record).values(received_at=ARRIVED, changed_at=ARRIVED))
    assert editions.build_due(session, NOW) == 3
    assert read_map(session, cast) & set(AREAS) == {AREAS[2]}
    assert read_workbook(session, cast) & set(AREAS) == {AREAS[2]}
    phone_map = json.dumps(fetch_maps(session, cast.amina)["maps"]["week"]["layers"])
    assert AREAS[2] in phone_map
    assert AREAS[0] not in phone_map
    assert products.find_latest_version(session, cast.centre.id, "hot_spots_week") != version  # so that phones fetch it
    assert editions.build_due(session, NOW) == 0


def read_map(session: Session, cast: Cast) -> set[str]:
    """Return the areas that the week's map counts anything in."""
    body = body_of(session, cast, "hot_spots_week", "2026-W27")
    layer = next(one for one in body["layers"] if one["id"] == "encounters")
    return {area for area, figures in layer["areas"].items() if figures["n"]} | {area for area, *_ in layer["times"]}


def read_workbook(session: Session, cast: Cast) -> set[str]:
    """Return the areas in whose row the workbook has a number, as who opens it sees them."""
    edition = products.edition(session, cast.centre.id, "heat_map", "2026-06")
    assert edition
    grid = next(one for one in body_of(session, cast, "heat_map", "2026-06")["grids"] if one["name"] == "grid_area_month")
    by_label = {heading["en"]: heading["key"] for heading in grid["rows"]}
    data = products.file(session, edition.id, "heat-map-en.xlsx")
    assert data
    areas = set()
    for sheet in openpyxl.load_workbook(io.BytesIO(data)).worksheets:
        for label, *cells in sheet.iter_rows(values_only=True):
            if label in by_label and any(isinstance(cell, int) and cell for cell in cells):
                areas.add(by_label[label])
    return areas


def read_board_people(session: Session, cast: Cast) -> set[str]:
    """Return the card codes of whom the board says that something is due."""
    due = follow_ups.due_until(session, cast.centre.id, utcnow().date())
    page = see_board(session, cast.rosa)
    assert page.due_late + page.due_today == len(due)
    return {item.code for item in due}


def look_at_people(session: Session, cast: Cast, people: int) -> None:
    """Look at the public number of participants, and at what it was counted from."""
    spec = tables.list_table_specs(load_catalogue(session, cast.centre.id), Audience.PUBLIC, ["participants_active"])
    cells = datasets.table_states(session, cast.centre.id, spec["participants_active"].key)["2026-Q2"]
    assert sum(count for cell, count, _ in cells if tuple(cell) == TOTAL) == people
    shown = number(body_of(session, cast, "dashboard", "2026-06"), "participants", "2026-Q2")
    assert (shown["value"] is None) == (people < SIZE)


def look_at_months(session: Session, series: Any, people: int) -> None:
    """Look at the months of people, and the intakes, that a release would be made of."""
    gathered = gather.gather_release(session, series, parse("2026-Q2"), utcnow())
    counts = {part.name: part.records - part.without_consent for part in gathered.datasets}
    assert counts["participants"] <= people and counts["participant_months"] <= 3 * people
    session.rollback()


def look_at_feeds(
    session: Session, cast: Cast, series: list[Any], crowds: list[Crowd], tiers: dict[str, int], folder: Path
) -> None:
    """Build the releases and read the feeds of an evaluator and of the City."""
    rows = 0
    for crowd in crowds:
        if tiers[crowd.area] >= 2:
            rows += SIZE * sum(tier >= 2 for tier in crowd.said[1:])
    for one in series:
        build.build_release(session, one, parse("2026-Q2"), folder, "s" * 64)
        make_key(session, cast.rosa, series_id=one.id, label="a reader")
    build_feed_files(session, folder)
    for one in series:
        (path,) = get_feed_folder(folder).glob(f"{one.id}-*.db")
        feed = Feed(path)
        if "encounters" in feed.sets:
            assert feed.count(feed.entity("encounters"), Query()) <= rows
        assert one.key != "city-quarterly" or "encounters" not in feed.sets
        numbers = feed.read(feed.entity("indicator_numbers"), Query(), 5000).rows
        people = sum(SIZE for tier in tiers.values() if tier >= 3)
        for figures in numbers:
            if (figures["indicator"], figures["period"]) == ("participants", "2026-Q2"):
                assert (figures["value"] is None) == (people < 20)


def look_at_export(
    session: Session, cast: Cast, crowds: list[Crowd], tiers: dict[str, int], purpose: ExportPurpose, folder: Path
) -> None:
    """Open every file of an export, and look for whoever may not be there."""
    buffer = io.BytesIO()
    write_records_archive(session, cast.centre.id, RecordFilter(form="encounter"), buffer, folder, purpose)
    least = 1 if purpose is ExportPurpose.WORK else 2
    with zipfile.ZipFile(buffer) as archive:
        text = "".join(archive.read(name).decode("utf-8-sig") for name in archive.namelist())
        rows = list(csv.DictReader(io.StringIO(archive.read("encounter.csv").decode("utf-8-sig"))))
    for crowd in crowds:
        of_crowd = [row for row in rows if row["nbhd"] == crowd.area]
        expected = SIZE * sum(tier >= least for tier in crowd.said[1:])
        assert len(of_crowd) == (expected if tiers[crowd.area] >= least else 0), (crowd, purpose)
        is_named = any(person in text or f"CANARY {person}" in text for person in crowd.people)
        may_be_named = purpose is ExportPurpose.WORK and tiers[crowd.area] >= 1
        assert is_named <= may_be_named, crowd
