"""An incident and its follow-ups are one chain: phones, the board and the numbers read the latest word."""

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export.datasets.eligibility import add_derived_columns
from fieldapp.services.acts import Actor
from fieldapp.services.board import board
from fieldapp.services.board.board import Incident
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.services.consent.standing import Standings
from fieldapp.services.forms.published import publish_form
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases.datasets import load_catalogue
from fieldapp.services.releases.gathering.answers import RecordReader
from fieldapp.settings import Settings
from fieldapp.store.records.records import Record
from forms.validation import validate
from sync.envelope import parse_batch
from sync.intake import local_time
from tests.cast import Cast, another_worker, batch, publish_others
from tests.programme import compiled_of, definition_of, workbook_of
from tests.services.caseload.incidents import FOLLOW_UP, alerted, at, followed_up
from tests.services.caseload.mediations import mediated
from tests.services.caseload.meetings import knows

TODAY = dt.date.today()


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


@pytest.fixture(autouse=True)
def _with_forms(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    publish_form(session, cast.system, compiled=compiled_of(FOLLOW_UP), workbook=workbook_of(FOLLOW_UP))


@pytest.fixture
def team(cast: Cast) -> Actor:
    return Actor(cast.centre.id, "crisis", cast.rosa.user_id)


def send(session: Session, actor: Actor, *items: dict[str, Any]) -> None:
    answers = receive_batch(session, actor, parse_batch(batch(*items)))
    assert {answer["status"] for answer in answers} == {"stored"}


def list_open(session: Session, actor: Actor) -> set[str]:
    """Return the incidents that are open by this worker's phone."""
    return {key.removeprefix("open/") for key in knows(session, actor) if key.startswith("open/")}


def days_due(session: Session, actor: Actor, root: str) -> list[int]:
    days = [key.rsplit("/", 1)[1] for key in knows(session, actor) if key.startswith(f"due/{root}/")]
    return sorted((dt.date.fromisoformat(day) - TODAY).days for day in days)


def on_board(session: Session, team: Actor) -> dict[str, Incident]:
    session.expire_all()
    return {incident.root_id: incident for incident in board.see_board(session, team).incidents}


def test_an_alert_can_be_logged_before_anybody_did_anything(session: Session, cast: Cast, team: Actor) -> None:
    """Nothing false is asked for: no time of a first action, nobody reached, no supports, no debrief."""
    logged = alerted()
    send(session, cast.amina, logged)
    stored = session.scalars(sa.select(Record.answers).where(Record.instance_id == logged["id"])).one()
    assert not {"first_dt", "reached_n"} & set(stored["response"])
    assert on_board(session, team)[logged["id"]].minutes_to_first is None
    assert days_due(session, cast.amina, logged["id"]) == [1, 7, 30]
    about = {"form": "incident", "from": TODAY.isoformat(), "kind": "stabbing", "area": "002"}
    assert knows(session, cast.amina)[f"open/{logged['id']}"] == about


def test_retaliation_is_asked_after_30_days_or_in_review_and_not_before() -> None:
    form = definition_of(FOLLOW_UP)

    def is_asked(days: int, status: str = "open", is_known: bool = True) -> bool:
        answers = {
            "incident": "x", "began": f"{ago(days)}" if is_known else "", "acts_since": "none_yet", "debrief_now": "yes",
            "status_now": status, "next_look": "planned", "fu_date": f"{TODAY}",
        }  # fmt: skip
        checked = validate(form, {"since_then": answers}, local_time(dt.datetime.now(dt.UTC)))
        return [problem.path for problem in checked.problems] == ["since_then.retal_since"]

    assert [is_asked(days) for days in (0, 7, 29, 30, 31, 90)] == [False, False, False, True, True, True]
    assert is_asked(3, "review") and not is_asked(3, "closed")
    assert not is_asked(31, is_known=False) and is_asked(31, "review", is_known=False)


def test_a_first_action_before_the_day_of_the_alert_is_refused_on_the_phone() -> None:
    form = definition_of(FOLLOW_UP)

    def problems(moment: str) -> list[str]:
        answers = {
            "incident": "x", "began": f"{ago(2)}", "acts_since": "canvass", "first_since": moment, "debrief_now": "yes",
            "status_now": "open", "next_look": "planned", "fu_date": f"{TODAY}",
        }  # fmt: skip
        checked = validate(form, {"since_then": answers}, local_time(dt.datetime.now(dt.UTC)))
        return [problem.path for problem in checked.problems]

    assert problems(at(ago(4))) == ["since_then.first_since"]
    assert problems(at(ago(1))) == []


def test_a_follow_up_of_what_is_no_incident_changes_nothing(session: Session, cast: Cast, team: Actor) -> None:
    logged, other = alerted(), mediated(plan="d7")
    send(session, cast.amina, logged, other)
    for wrong in (other["id"], "5c0ffee5-0000-4000-8000-000000000001", ""):
        send(session, cast.amina, followed_up(wrong, status_now="closed", next_look="none"))
    assert list_open(session, cast.amina) == {logged["id"]} == set(on_board(session, team))
    assert days_due(session, cast.amina, other["id"]) == [7]


def test_it_is_open_until_a_follow_up_closes_it_for_phones_and_board_alike(
    session: Session, cast: Cast, team: Actor
) -> None:
    logged = alerted(ago(8), plan="none")
    send(session, cast.amina, logged)
    assert days_due(session, cast.amina, logged["id"]) == []  # open also where nothing is due
    send(session, cast.amina, followed_up(logged["id"], ago(3), debrief_now="yes", acts_since="canvass"))
    (incident,) = on_board(session, team).values()
    assert incident.find_latest("debrief").read_role("debrief") == "yes"
    assert [record.read_role("response") for record in incident.list_done()] == ["canvass"]
    assert list_open(session, cast.amina) == {logged["id"]}
    send(session, another_worker(session, cast), followed_up(logged["id"], status_now="closed"))
    assert list_open(session, cast.amina) == set(on_board(session, team)) == set()


def test_the_first_response_is_the_earliest_that_anybody_says(session: Session, cast: Cast, team: Actor) -> None:
    day = ago(5)
    logged = alerted(day)
    send(session, cast.amina, logged)
    later = followed_up(logged["id"], ago(1), acts_since="canvass", first_since=at(ago(2)))
    send(session, cast.amina, later)
    first = followed_up(logged["id"], ago(3), acts_since="canvass", first_since=at(day, 13, 5))
    send(session, cast.amina, first)
    assert on_board(session, team)[logged["id"]].minutes_to_first == 65
    before = followed_up(logged["id"], ago(3), acts_since="canvass", first_since=at(day, 3))  # a slip
    send(session, cast.amina, before)
    assert on_board(session, team)[logged["id"]].minutes_to_first == 65


def test_what_was_done_stays_on_the_board_after_a_follow_up_with_nothing_new(
    session: Session, cast: Cast, team: Actor
) -> None:
    day = ago(5)
    logged = alerted(day)
    send(session, cast.amina, logged)
    (incident,) = on_board(session, team).values()
    assert [record.read_role("response") for record in incident.list_done()] == ["none_yet"]
    for days, done in ((4, "scene_presence"), (3, "none_yet"), (1, "family_support")):
        send(session, cast.amina, followed_up(logged["id"], ago(days), acts_since=done))
    (incident,) = on_board(session, team).values()
    assert [record.read_role("response") for record in incident.list_done()] == ["scene_presence", "family_support"]


def test_the_order_of_arrival_changes_nothing(session: Session, cast: Cast, team: Actor) -> None:
    seen = []
    for order in itertools.permutations(range(3)):
        logged = alerted(ago(20))
        parts = [
            logged,
            followed_up(logged["id"], ago(10), status_now="closed"),
            followed_up(logged["id"], ago(5), status_now="open", debrief_now="yes"),
        ]
        for place in order:
            send(session, cast.amina, parts[place])
        is_open = logged["id"] in list_open(session, cast.amina), logged["id"] in on_board(session, team)
        seen.append((is_open, days_due(session, cast.amina, logged["id"])))
    assert seen == [((True, True), [10])] * 6


def test_a_correction_closes_it_and_one_that_says_nothing_new_does_not_open_it(
    session: Session, cast: Cast, team: Actor
) -> None:
    logged = alerted(ago(6))
    send(session, cast.amina, logged, followed_up(logged["id"], ago(3)))
    closed = alerted(ago(1), "closed", root=logged["id"], prev=[logged["id"]])
    send(session, cast.amina, closed)
    assert list_open(session, cast.amina) == set(on_board(session, team)) == set()

    other = alerted(ago(6))
    send(session, cast.amina, other, followed_up(other["id"], ago(3), status_now="closed"))
    send(session, cast.amina, alerted(ago(1), root=other["id"], prev=[other["id"]]))
    assert list_open(session, cast.amina) == set(on_board(session, team)) == set()


def test_what_was_closed_by_mistake_is_open_again_when_the_follow_up_is_corrected(session: Session, cast: Cast) -> None:
    logged = alerted(ago(2))
    mistake = followed_up(logged["id"], status_now="closed")
    send(session, cast.amina, logged, mistake)
    assert list_open(session, cast.amina) == set()
    send(session, cast.amina, followed_up(logged["id"], root=mistake["id"], prev=[mistake["id"]]))
    assert list_open(session, cast.amina) == {logged["id"]}


def test_the_board_hears_of_a_follow_up_at_once(session: Session, cast: Cast, team: Actor) -> None:
    logged = alerted(ago(2))
    send(session, cast.amina, logged)
    mark = board.read_board_version(session, team).rpartition("-")[0]
    send(session, cast.amina, followed_up(logged["id"]))
    assert board.read_board_version(session, team).rpartition("-")[0] != mark


def test_an_erased_follow_up_undoes_what_it_closed(session: Session, cast: Cast, team: Actor, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    logged = alerted(ago(2))
    mistake = followed_up(logged["id"], status_now="closed")
    send(session, cast.amina, logged, mistake)
    erase_record(session, cast.rosa, instance_id=mistake["id"], reason="by_mistake")
    assert list_open(session, cast.amina) == {logged["id"]} == set(on_board(session, team))
    erase_record(session, cast.rosa, instance_id=logged["id"], reason="by_mistake")
    assert list_open(session, cast.amina) == set(on_board(session, team)) == set()


def test_numbers_read_follow_ups_by_the_same_rule(session: Session, cast: Cast) -> None:
    day = ago(40)
    said_later, by_itself = alerted(day), alerted(day)
    send(session, cast.amina, said_later, by_itself)
    parts = [
        followed_up(said_later["id"], ago(39), acts_since="canvass", first_since=at(day, 14)),
        followed_up(said_later["id"], ago(9), began=day, retal_since="yes", status_now="review"),
        followed_up(said_later["id"], ago(1), began=day, retal_since="unknown", status_now="closed"),
    ]
    send(session, cast.amina, *parts)
    catalogue = load_catalogue(session, cast.centre.id)
    standings = Standings(session, cast.centre.id)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    reader = RecordReader(session, cast.centre.id, catalogue.definitions, standings, later)
    dataset = catalogue.datasets["responses"]
    rows = [add_derived_columns(dataset, read.row) for read in reader.iterate("incident", day, TODAY)]
    measured = sorted((row["response_minutes"], row["retaliated"]) for row in rows)
    assert measured == [("", ""), ("120", "yes")]
