"""Frozen pieces through the product's own path: records, freezing, editions, a no, and one that is late."""

import datetime as dt
import json
import random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export import periods
from fieldapp.services.operations import key_rotation
from fieldapp.services.problems import ActProblem
from fieldapp.services.products import editions, pieces
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.database import WriteTransaction
from fieldapp.store.products.pieces import FrozenPiece
from fieldapp.store.records.records import Record
from forms.validation import validate
from sync.envelope import parse_batch
from sync.intake import local_time
from tests.cast import Cast, batch, definition_of, encounter, envelope, publish_others
from tests.services.caseload.meetings import code
from tests.services.consent.consents import consent, send
from tests.services.consent.endings import end
from tests.services.products.figures import NOW, body_of, fill, switched_on

FIRST = dt.date(2026, 4, 13)
DAYS = 84  # up to Sunday, the fifth of July: twelve whole weeks, in three blocks
LATE = dt.datetime(2026, 7, 9, 12, tzinfo=dt.UTC)  # a week of July has been frozen since
WEEK = "2026-W27"
MAPS = ("hot_spots_week", "hot_spots_month", "heat_map")


def arrive(session: Session, items: list[dict[str, Any]], at: dt.datetime) -> None:
    ids = [item["id"] for item in items]
    with WriteTransaction(session):
        session.execute(sa.update(Record).where(Record.instance_id.in_(ids)).values(received_at=at, changed_at=at))


def send_late(session: Session, cast: Cast, days: list[dt.date], at: dt.datetime = LATE) -> None:
    """Send encounters of earlier days that arrive once their weeks are frozen."""
    chance = random.Random(3)
    items = []
    for day in days:
        where = {"nbhd": chance.choice(["002", "004", "007"]), "enc_hour": chance.choice(["19", "22", "01"])}
        items.append(envelope(encounter(day, when_where=where), day=day))
    receive_batch(session, cast.amina, parse_batch(batch(*items)))
    arrive(session, items, at)


def read_maps(session: Session, cast: Cast) -> list[dict[str, Any]]:
    return [body_of(session, cast, name, "2026-06" if name == "heat_map" else WEEK) for name in MAPS]


def rebuild(session: Session, cast: Cast) -> list[Any]:
    """Build the maps again, as after anybody's no; return the editions that changed."""
    built = []
    for name in MAPS:
        period = periods.parse("2026-06" if name == "heat_map" else WEEK)
        built.append(editions.build_edition(session, cast.centre.id, name, period, NOW))
    return [edition for edition in built if edition]


def test_one_late_record_changes_nothing_that_is_shown(session: Session, cast: Cast) -> None:
    fill(session, cast, 400, FIRST, DAYS)
    switched_on(session, cast, *MAPS)
    assert editions.build_due(session, NOW) == 3
    before = read_maps(session, cast)
    assert before[0]["layers"][0]["areas"] and before[0]["last"] == "2026-07-05"
    send_late(session, cast, [FIRST + dt.timedelta(days=2 * place) for place in range(42)])
    assert rebuild(session, cast) == []
    assert read_maps(session, cast) == before
    # Counted anew they would show: the same test finds pieces that are not frozen.
    with WriteTransaction(session):
        session.execute(sa.delete(FrozenPiece))
    assert len(rebuild(session, cast)) == 3


def test_a_new_key_opens_what_was_frozen_under_the_one_before(session: Session, cast: Cast) -> None:
    fill(session, cast, 100, FIRST, DAYS)
    switched_on(session, cast, *MAPS)
    editions.build_due(session, NOW)
    for _ in range(3):  # two keys are left; what lay under an earlier one would not open
        key_rotation.rotate_content(session)
    send_late(session, cast, [FIRST + dt.timedelta(days=2 * place) for place in range(30)])
    assert rebuild(session, cast) == []


def test_a_late_record_enters_no_later_window_either(session: Session, cast: Cast) -> None:
    fill(session, cast, 400, FIRST, DAYS)
    switched_on(session, cast, "hot_spots_week")
    editions.build_due(session, NOW)
    shown = body_of(session, cast, "hot_spots_week", WEEK)["layers"][0]
    send_late(session, cast, [dt.date(2026, 6, 10 + place % 20) for place in range(30)])
    later = NOW + dt.timedelta(weeks=4)
    assert editions.build_due(session, later) >= 1
    layer = body_of(session, cast, "hot_spots_week", "2026-W31")["layers"][0]
    assert layer["before"] == shown["total"]
    for area, numbers in shown["areas"].items():
        assert layer["areas"].get(area, {"was": None})["was"] == numbers["n"]


def test_windows_end_every_four_weeks_and_between_them_nothing_new_shows(session: Session, cast: Cast) -> None:
    fill(session, cast, 200, FIRST, DAYS)
    switched_on(session, cast, "hot_spots_week")
    hashes = set()
    for week in range(6):
        editions.build_due(session, NOW + dt.timedelta(weeks=week))
        name = f"2026-W{27 + week}"
        body = body_of(session, cast, "hot_spots_week", name)
        hashes.add((body["first"], body["last"], json.dumps(body, sort_keys=True)))
    assert {(first, last) for first, last, _ in hashes} == {("2026-06-08", "2026-07-05"), ("2026-07-06", "2026-08-02")}
    assert len(hashes) == 2


def test_what_is_frozen_is_not_counted_before_late_records_had_time(session: Session, cast: Cast) -> None:
    fill(session, cast, 30, FIRST, DAYS)
    for day, is_refused in ((dt.date(2026, 7, 8), True), (dt.date(2026, 7, 9), False)):
        now = dt.datetime.combine(day, dt.time(16), dt.UTC)
        if is_refused:
            with pytest.raises(ActProblem, match="has not ended"):
                editions.build_edition(session, cast.centre.id, "hot_spots_week", periods.parse(WEEK), now)
        else:
            assert editions.build_edition(session, cast.centre.id, "hot_spots_week", periods.parse(WEEK), now)


def meet(session: Session, cast: Cast, people: list[str], area: str, at: dt.datetime) -> None:
    """Let everybody be met in an area, who agrees to all."""
    items = []
    for place, person in enumerate(people):
        day = dt.date(2026, 6, 15 + place % 2)
        answers = encounter(
            day,
            when_where={"nbhd": area, "enc_hour": "19"},
            people={"who": "enrolled", "code": person},
            consent=consent("3"),
            next={"ref_made": "no", "next_due": "2026-07-20"},
        )
        items.append(envelope(answers, day=day))
    send(session, cast, *items)
    arrive(session, items, at)


def read_week(session: Session, cast: Cast) -> dict[str, dict[str, Any]]:
    areas: dict[str, dict[str, Any]] = body_of(session, cast, "hot_spots_week", WEEK)["layers"][0]["areas"]
    return areas


@pytest.mark.parametrize("is_on", [True, False])
def test_a_no_takes_out_those_it_is_about_and_lets_no_late_record_in(session: Session, cast: Cast, is_on: bool) -> None:
    people = [code(1000 + place) for place in range(50)]
    meet(session, cast, people[:25], "002", NOW - dt.timedelta(days=5))
    meet(session, cast, people[25:], "004", NOW - dt.timedelta(days=5))
    switched_on(session, cast, "hot_spots_week")
    editions.build_due(session, NOW)
    before = read_week(session, cast)
    assert set(before) == {"002", "004"}
    # So many come late for 004 that counted anew its number would be another one; and a new area.
    send_late(session, cast, [dt.date(2026, 6, 15 + place % 2) for place in range(40)])
    for person in people[:25]:
        end(session, cast, person)
    if is_on:
        editions.build_due(session, NOW)
        assert read_week(session, cast) == {"004": before["004"]}
    else:
        with WriteTransaction(session):
            session.execute(sa.text("UPDATE product_state SET is_on = false"))
        editions.build_due(session, NOW)
    # Also while the map is off: nothing of them stays.
    frozen = session.scalars(sa.select(FrozenPiece).where(FrozenPiece.key != pieces.HOURS)).all()
    assert all(["002"] not in [cell[:1] for cell, _ in piece.body["cells"]] for piece in frozen)


def test_many_wrong_records_are_counted_again_only_with_a_reason(session: Session, cast: Cast) -> None:
    fill(session, cast, 200, FIRST, DAYS)
    switched_on(session, cast, "hot_spots_week")
    editions.build_due(session, NOW)
    reason = "A phone was given back with the month's records on it"
    day = dt.date(2026, 6, 30)
    for name, why, problem in (
        (WEEK, "late", "few words"),
        ("2026-W40", reason, "no map yet"),
        (WEEK, reason, "Fewer than 20"),
    ):
        with pytest.raises(ActProblem, match=problem):
            pieces.count_again(session, cast.system, name, why)
    send_late(session, cast, [day] * 19)
    with pytest.raises(ActProblem, match="Fewer than 20"):
        pieces.count_again(session, cast.system, WEEK, reason)
    with pytest.raises(ActProblem):
        pieces.count_again(session, cast.amina, WEEK, reason)
    send_late(session, cast, [day])
    shown = read_week(session, cast)
    pieces.count_again(session, cast.system, WEEK, reason)
    assert read_week(session, cast) == shown  # what was shown stays
    frozen = session.scalars(sa.select(FrozenPiece).where(FrozenPiece.period == WEEK)).all()
    assert {piece.body["why"] for piece in frozen} == {reason}
    assert editions.build_edition(session, cast.centre.id, "hot_spots_week", periods.parse(WEEK), NOW)


def work(friday: dt.date, area: str, talks: int) -> list[dict[str, Any]]:
    """Return a shift of four hours on a Friday night in one area, and its encounters."""
    form = definition_of("shift")
    answers = {"start": f"{friday}T18:00", "end": f"{friday}T22:00", "areas": area, "team_n": "2"}
    moment = dt.datetime.combine(friday, dt.time(23))
    checked = validate(form, {"shift": {**answers, "felt": "fine"}}, local_time(moment))
    items = [envelope(checked.answers, form="shift", day=friday)]
    for place in range(talks):
        where = {"nbhd": area, "enc_hour": str(18 + place % 4)}
        items.append(envelope(encounter(friday, when_where=where), day=friday))
    return items


def test_the_plan_names_where_more_happened_than_expected_and_where_nobody_was(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    items = []
    for week in range(4):
        friday = dt.date(2026, 6, 12) + dt.timedelta(weeks=week)
        for area, talks in (("002", 24), ("003", 8), ("004", 8), ("005", 8), ("006", 8), ("007", 8)):
            items += work(friday, area, talks)
    items += [
        envelope(encounter(dt.date(2026, 6, 12), when_where={"nbhd": "010", "enc_hour": "19"}), day=dt.date(2026, 6, 12))
    ]
    for start in range(0, len(items), 100):
        receive_batch(session, cast.amina, parse_batch(batch(*items[start : start + 100])))
    arrive(session, items, NOW - dt.timedelta(days=4))
    switched_on(session, cast, "hot_spots_week")
    editions.build_due(session, NOW)
    plan = body_of(session, cast, "hot_spots_week", WEEK)["layers"][0]["plan"]
    assert plan["weeks"] == 4 and plan["reason"] == "" and plan["total"] % 5 == 0
    [place] = plan["places"]
    assert place["area"] == "002" and place["hours"] == 16 and place["n"] in (95, 100)
    assert place["n"] > 1.5 * place["expected"] > 0
    states = plan["states"]["weekend"]
    assert states["002"] == "more" and states["003"] == "usual" and states["010"] == "not_there"
    incidents = body_of(session, cast, "hot_spots_week", WEEK)["layers"][2]["plan"]
    assert incidents["reason"] == "records" and incidents["places"] == []


def test_without_shifts_the_plan_says_that_it_does_not_know(session: Session, cast: Cast) -> None:
    fill(session, cast, 250, FIRST, DAYS)
    switched_on(session, cast, "hot_spots_week")
    editions.build_due(session, NOW)
    plan = body_of(session, cast, "hot_spots_week", WEEK)["layers"][0]["plan"]
    assert plan["reason"] == "hours" and plan["places"] == [] and plan["weeks"] == 12
    assert set(plan["states"]["weekend"].values()) == {"not_there"}
