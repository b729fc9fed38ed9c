"""The program is data: with every question, group, list and form renamed, there are the same numbers everywhere."""

import datetime as dt
import hashlib
import json
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.cli.demo_year import Year, list_follow_ups
from fieldapp.paths import PROGRAM
from fieldapp.services.acts import Actor
from fieldapp.services.board import board
from fieldapp.services.caseload.hand_over import list_caseload
from fieldapp.services.forms.areas import import_areas
from fieldapp.services.forms.published import publish_form
from fieldapp.services.forms.roles import find_area_list, list_areas
from fieldapp.services.operations.overview import view_home
from fieldapp.services.phones.devices import enrol_device, find_actor_for_token
from fieldapp.services.products.editions import build_due
from fieldapp.services.products.registry import switch_product
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases import datasets
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations.centres import Centre
from fieldapp.store.people.users import User
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.products import products
from fieldapp.store.records.records import Record
from forms.definition import FormDefinition
from forms.validation import validate
from sync.envelope import parse_batch
from sync.intake import local_time
from tests.cast import Cast, batch, password_hash
from tests.city import squares
from tests.conformance.harness import run_on_phone
from tests.programme import FORMS, compiled_of, definition_of, workbook_of
from tests.renaming import (
    rename_answers,
    rename_datasets,
    renamed_compiled_of,
    renamed_definition_of,
    renamed_workbook_of,
)

pytestmark = pytest.mark.slow  # a year of records, counted for two centres

PRODUCTS = ("dashboard", "hot_spots_week", "hot_spots_month", "heat_map", "equity", "panel")
NOW = dt.datetime.now(dt.UTC)
ARRIVED = NOW - dt.timedelta(days=2)  # what comes in while numbers are counted waits for the next time
SECRET = "5e" * 32


def make_id(number: int) -> str:
    """Return the id of a record that is the same at both centres: numbers are rounded by it."""
    return str(uuid.UUID(int=number, version=4))


class Place:
    """A centre with its own people and phone, and the program's forms under one set of names."""

    def __init__(self, session: Session, centre: Centre, is_renamed: bool):
        self.session = session
        self.centre = centre
        self.is_renamed = is_renamed
        with WriteTransaction(session):
            centre.table_secret = SECRET
            people = {}
            for role in ("worker", "admin"):
                name = f"{role}-{centre.slug}"
                people[role] = User(
                    centre_id=centre.id, username=name, label=f"L-{role}", role=role, password=password_hash(),
                    fs_uniquifier=uuid.uuid4().hex, created_at=NOW,
                )  # fmt: skip
            session.add_all(people.values())
        self.admin = Actor(centre.id, "admin", people["admin"].id)
        worker = Actor(centre.id, "worker", people["worker"].id)
        actor = find_actor_for_token(session, enrol_device(session, worker, label="A phone").token)
        assert actor
        self.worker = actor
        for form in FORMS:
            compiled = renamed_compiled_of(form) if is_renamed else compiled_of(form)
            workbook = renamed_workbook_of(form) if is_renamed else workbook_of(form)
            publish_form(session, Actor.system(centre.id), compiled=compiled, workbook=workbook)

    def definition_of(self, form: str) -> FormDefinition:
        return renamed_definition_of(form) if self.is_renamed else definition_of(form)

    def send(self, records: list[tuple[str, dt.datetime, dict[str, Any]]]) -> list[str]:
        """Send what was filled in, under this place's names, and return what the centre answers."""
        items = []
        for number, (form, moment, answers) in enumerate(records):
            definition = self.definition_of(form)
            body = json.dumps(rename_answers(answers) if self.is_renamed else answers)
            items.append(
                {
                    "id": make_id(number),
                    "form": definition.id,
                    "version": definition.version,
                    "finished_at": moment.isoformat(),
                    "body": body,
                    "sha256": hashlib.sha256(body.encode()).hexdigest(),
                }
            )
        statuses = []
        for start in range(0, len(items), 100):
            results = receive_batch(self.session, self.worker, parse_batch(batch(*items[start : start + 100])))
            statuses += [result["status"] for result in results]
        with WriteTransaction(self.session):
            changed = sa.update(Record).where(Record.centre_id == self.centre.id)
            self.session.execute(changed.values(received_at=ARRIVED, changed_at=ARRIVED))
        return statuses


def _list_records() -> list[tuple[str, dt.datetime, dict[str, Any]]]:
    """Return a year in which everything happens that the board, the caseload and the products count."""
    year = Year(7, NOW.date(), workers=1, encounters=320, mediations=60, incidents=30)
    records = []
    for _, form, moment, answers in year.records():
        finished = moment.replace(tzinfo=dt.UTC)
        records.append((form, finished, validate(definition_of(form), answers, local_time(finished)).answers))
    chance = random.Random(7)
    for number, (form, finished, answers) in enumerate(list(records)):
        if form == "mediation":
            for _, moment, visit in list_follow_ups(make_id(number), answers, finished, NOW.date(), chance):
                given = validate(definition_of("mediation_follow_up"), visit, local_time(moment)).answers
                records.append(("mediation_follow_up", moment, given))
    began = (NOW - dt.timedelta(hours=5)).isoformat(timespec="milliseconds")
    ended = (NOW - dt.timedelta(hours=1)).isoformat(timespec="milliseconds")
    shift = {"shift": {"start": began, "end": ended, "areas": "002 004", "felt": "need_debrief"}}
    return [*records, ("shift", NOW, validate(definition_of("shift"), shift, local_time(NOW)).answers)]


def _read_board(place: Place) -> dict[str, Any]:
    page = board.see_board(place.session, place.admin)
    shown = ("kind", "area", "worst_harm", "retaliation_risk", "response", "debrief")
    return {
        "incidents": [
            [*map(incident.read_role, shown), incident.alerted_at, incident.minutes_to_first] for incident in page.incidents
        ],
        "watch": [[incident.read_role("kind"), incident.alerted_at] for incident in page.watch],
        "due": (page.due_today, page.due_late, dict(page.due_by_worker)),
        "out": [(worker.worker, worker.since, tuple(worker.areas)) for worker in page.workers_out],
        "areas": [choice.name for choice in page.areas],
    }


def _read_caseload(place: Place) -> dict[str, Any]:
    listed = list_caseload(place.session, place.admin)
    of_centre = FollowUp.centre_id == place.centre.id
    follow_ups = place.session.scalars(sa.select(FollowUp).where(of_centre).order_by(FollowUp.due_on, FollowUp.code))
    records = place.session.scalars(sa.select(Record).where(Record.centre_id == place.centre.id))
    return {
        "cards": [(card.code, card.tier, card.seen_on, card.is_open) for card in listed.cards],
        "due": sorted((one.due_on, one.code, one.is_wanted, one.is_settled) for one in follow_ups),
        "alerts": sorted((record.kind, record.review) for record in records),
        "week": view_home(place.session, place.admin, secret=SECRET).week,
    }


def _read_pulled(place: Place) -> list[Any]:
    """Return what the worker's phone is told, without ids and names of questions."""
    pulled = []
    for item in place.session.scalars(sa.select(PullItem).where(PullItem.user_id == place.worker.user_id)):
        body = json.loads(item.body) if item.body else {}
        about = {key: body.get(key) for key in ("day", "code", "kind", "status", "on", "from", "tier", "seen")}
        pulled.append((item.key.partition("/")[0], about))
    return sorted(pulled, key=repr)


def _read_products(place: Place) -> dict[str, Any]:
    for name in PRODUCTS:
        switch_product(place.session, place.admin, name=name, is_on=True)
    build_due(place.session, NOW)
    bodies = {}
    for name in PRODUCTS:
        state = products.states(place.session, place.centre.id)[name]
        assert state.problem == "", (name, state.problem)
        latest = products.latest(place.session, place.centre.id, name)
        bodies[name] = json.loads(latest.body) if latest else {}
        bodies[name].pop("centre", None)
        switch_product(place.session, place.admin, name=name, is_on=False)
    return bodies


def _read_phone(place: Place, records: list[tuple[str, dt.datetime, dict[str, Any]]]) -> list[Any]:
    """Return what the phone makes of each record: its caseload, the time spent, whether a referral follows."""
    calls = []
    for number, (form, moment, answers) in enumerate(records):
        definition = json.loads(place.definition_of(form).to_json())
        given = rename_answers(answers) if place.is_renamed else answers
        record = {"id": f"r{number}", "answers": given}
        calls += [
            ["readRoles", definition, given],
            ["addFinishedRecord", EMPTY_CASELOAD, definition, record, str(moment.date())],
        ]
    request = {"vectors": [], "forms": [], "definitions": [], "calls": calls}
    results: list[Any] = run_on_phone(request)["calls"]
    for result in results:
        for follow_up in result.get("due", []):
            follow_up.pop("form")
    return results


EMPTY_CASELOAD = {
    "people": [], "due": [], "settled": [], "made": [], "referrals": {}, "todo": {}, "clashes": [], "told": {},
    "cursor": 0, "finished": 0, "heard": 0, "open": {}, "intakes": {}, "shift": "", "unheard": {},
}  # fmt: skip


@pytest.fixture
def renamed_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Return what puts the datasets in place whose questions are renamed; what was read of either is forgotten after."""
    rename_datasets(PROGRAM, tmp_path)
    yield monkeypatch
    _forget_datasets()


def _forget_datasets() -> None:
    datasets.load_program_datasets.cache_clear()
    datasets.load_count_only_datasets.cache_clear()


def test_every_number_is_the_same_when_everything_is_renamed(
    session: Session, cast: Cast, renamed_datasets: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    centres = []
    with WriteTransaction(session):
        for slug in ("named", "renamed"):
            centres.append(Centre(slug=slug, name="A centre", created_at=NOW))
        session.add_all(centres)
    named, renamed = Place(session, centres[0], False), Place(session, centres[1], True)
    records = _list_records()
    assert named.send(records) == renamed.send(records)

    assert _read_board(named) == _read_board(renamed)
    assert _read_board(named)["incidents"] and _read_board(named)["watch"] and _read_board(named)["out"]
    assert _read_caseload(named) == _read_caseload(renamed)
    assert _read_pulled(named) == _read_pulled(renamed)
    assert _read_phone(named, records[-40:]) == _read_phone(renamed, records[-40:])

    outlines = squares([choice.name for choice in list_areas(session, named.centre.id)]).encode()
    for place in (named, renamed):
        key = find_area_list(session, place.centre.id)
        system = Actor.system(place.centre.id)
        import_areas(session, system, key=key, data=outlines, code="AREA_SHORT_CODE", attribution="City")
    numbers = _read_products(named)
    assert any(indicator["numbers"] for indicator in numbers["dashboard"]["indicators"])
    assert any(layer["areas"] for layer in numbers["hot_spots_month"]["layers"])
    _forget_datasets()
    renamed_datasets.setattr(datasets, "PROGRAM", tmp_path)
    assert numbers == _read_products(renamed)
