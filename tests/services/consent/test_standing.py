"""Standing consent: the lowest word that holds is asked before a row waits or leaves, and before a number counts anybody."""

import base64
import csv
import datetime as dt
import hashlib
import io
import itertools
import json
import random
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from evaluator_export.datasets.recipe import Audience
from evaluator_export.periods import parse
from evaluator_export.tables.protected_counts import TOTAL
from fieldapp.services.acts import ActContext, utcnow
from fieldapp.services.consent import standing
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.lowered_list import note_statement
from fieldapp.services.problems import ActProblem
from fieldapp.services.products import editions, tables
from fieldapp.services.products.content import EditionContent
from fieldapp.services.products.odata.build import build_feed_files
from fieldapp.services.products.odata.keys import make_key
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases import build
from fieldapp.services.releases.gathering import gather
from fieldapp.settings import Settings
from fieldapp.store.caseload import cards
from fieldapp.store.consent import standing as store
from fieldapp.store.consent.standing import ConsentWord
from fieldapp.store.database import WriteTransaction
from fieldapp.store.products import products
from fieldapp.store.records.records import Record
from fieldapp.store.releases import datasets
from fieldapp.store.releases.releases import Release, ReleaseSeries
from sync.consent import END
from sync.envelope import parse_batch
from tests.cast import Cast, a_series, another_worker, batch, encounter, envelope, publish_others
from tests.opening import open_engine
from tests.services.caseload.meetings import code
from tests.services.consent.consents import (
    APRIL,
    JULY,
    JUNE,
    MAY,
    ONE,
    consent,
    corrected,
    filled,
    intake,
    knowing,
    met,
    send,
    told,
)
from tests.services.consent.endings import end
from tests.services.products.figures import NOW, body_of, number, switched_on

pytestmark = pytest.mark.usefixtures("one_no")  # with two noes: test_two_answers.py

SECRET = "s" * 64
MANY = [code(seed) for seed in range(100, 140)]


def everybody(session: Session, cast: Cast, people: list[str], day: dt.date, tier: str, **more: Any) -> None:
    send(session, cast, *(met(one, day, tier, **more) for one in people))


def stands(session: Session, cast: Cast, person: str = ONE) -> int | None:
    session.rollback()
    return store.list_tiers(session, cast.centre.id, [person]).get(person)


def groups(session: Session, cast: Cast, count: int, day: dt.date) -> None:
    """Send encounters with groups: about nobody with a card."""
    risks = itertools.cycle(["low", "none", "raised"])
    items = [envelope(encounter(day, talk={"risk_now": next(risks)}), day=day) for _ in range(count)]
    send(session, cast, *items)


def rows_in(packages: Path, built: Release | None, name: str = "encounters") -> list[dict[str, str]]:
    """Return the rows of a package as its reader finds them; none where it has no such file."""
    assert built
    with zipfile.ZipFile(packages / f"{built.sha256}.zip") as package:
        if f"{name}.csv" not in package.namelist():
            return []
        return list(csv.DictReader(io.StringIO(package.read(f"{name}.csv").decode("utf-8-sig"))))


def about(built: Release | None, name: str = "encounters") -> dict[str, Any]:
    assert built
    found: dict[str, Any] = built.manifest["datasets"][name]
    return found


# Releases


@pytest.mark.parametrize(
    ("word", "left"),
    [(None, 40), (("3",), 40), (("2",), 40), (("1",), 0), (("0",), 0), (("", "read_out", "no"), 0), (("", "not_asked"), 0)],
)
def test_what_was_said_yes_to_in_april_leaves_only_as_far_as_may_allows(
    session: Session, cast: Cast, tmp_path: Path, word: tuple[str, ...] | None, left: int
) -> None:
    series = a_series(session, cast)
    everybody(session, cast, MANY, APRIL, "3")
    if word is not None:
        send(session, cast, *(met(one, MAY, *word) for one in MANY))
    built = build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    rows = rows_in(tmp_path, built)
    assert len(rows) == (2 * left if word else left)  # those of May as well


def test_a_yes_from_before_that_arrives_after_the_no_lets_nothing_out(session: Session, cast: Cast, tmp_path: Path) -> None:
    series = a_series(session, cast)
    everybody(session, cast, MANY, MAY, "0")
    everybody(session, cast, MANY, APRIL, "3")
    built = build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert rows_in(tmp_path, built) == []


def test_people_without_a_card_keep_what_their_own_record_says(session: Session, cast: Cast, tmp_path: Path) -> None:
    series = a_series(session, cast)
    groups(session, cast, 40, APRIL)
    built = build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert len(rows_in(tmp_path, built)) == 40


def test_a_row_that_was_held_back_leaves_later_only_if_it_may_then(session: Session, cast: Cast, tmp_path: Path) -> None:
    series = a_series(session, cast)
    few = MANY[:10]
    everybody(session, cast, few, APRIL, "3")
    built = build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert rows_in(tmp_path, built) == []  # too few to hide among
    everybody(session, cast, few[:5], JULY, "0")
    everybody(session, cast, MANY[10:], JULY, "3")
    built = build.build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)
    assert len(rows_in(tmp_path, built)) == 35  # thirty of July, and the five of April who have not said no


def take_back(session: Session, cast: Cast, people: list[str], day: dt.date, how: str, folder: Path) -> None:
    """Let each of these people say no, or end their card."""
    if how == "no":
        everybody(session, cast, people, day, "0")
        return
    attach(session.get_bind().engine, Settings(data=str(folder), secret_key="k" * 64))
    for person in people:
        end(session, cast, person)


@pytest.mark.parametrize("how", ["no", "end"])
def test_who_takes_back_while_a_package_is_written_is_not_in_it(
    session: Session, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    series = a_series(session, cast)
    everybody(session, cast, MANY, APRIL, "3")
    write, written = build.write_package, []

    def write_and_wait(*given: Any) -> Any:
        made = write(*given)
        written.append(made.path.stem)
        if len(written) == 1:
            take_back(session, cast, MANY[:15], MAY, how, tmp_path)
        return made

    monkeypatch.setattr(build, "write_package", write_and_wait)
    built = build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert len(written) == 2
    assert len(rows_in(tmp_path, built)) == 25
    assert [path.stem for path in tmp_path.glob("*.zip")] == [written[1]]  # what counted them is gone


NEXT = APRIL + dt.timedelta(days=1)


def alone(day: dt.date, tier: str, risk: str = "low") -> dict[str, Any]:
    """Return the answers of an encounter with somebody new, who has no card."""
    return encounter(day, people={"who": "new_person"}, consent=consent(tier), talk={"risk_now": risk})


@pytest.mark.parametrize("is_group", [False, True], ids=["somebody without a card", "a group"])
@pytest.mark.parametrize("tier", ["0", "1"])
def test_records_without_a_card_that_are_lowered_while_a_package_is_written_are_not_in_it(
    session: Session, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tier: str, is_group: bool
) -> None:
    series = a_series(session, cast)
    items = []
    for risk in ["low", "none", "raised"] * 14:
        group = encounter(APRIL, people={"who": "group"}, talk={"people_n": "5", "risk_now": risk})
        items.append(envelope(group if is_group else alone(APRIL, "3", risk), day=APRIL))
    send(session, cast, *items)
    write, written = build.write_package, []

    def write_and_wait(*given: Any) -> Any:
        written.append(write(*given))
        if len(written) == 1:
            for one in items[:12]:
                send(session, cast, envelope(alone(APRIL, tier), day=NEXT, root=one["id"], prev=[one["id"]]))
        return written[-1]

    monkeypatch.setattr(build, "write_package", write_and_wait)
    built = build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert (len(written), len(rows_in(tmp_path, built))) == (2, 30)


@pytest.mark.parametrize("everybody_at_once", [False, True], ids=["counts", "editions"])
def test_nothing_is_published_over_a_record_without_a_card_that_was_lowered(
    session: Session, cast: Cast, everybody_at_once: bool
) -> None:
    first = envelope(alone(APRIL, "2"), day=APRIL)
    send(session, cast, first, envelope(alone(APRIL, "0"), day=APRIL))
    make = standing.Standings.of_all if everybody_at_once else standing.Standings
    before = make(session, cast.centre.id)
    before.check(session)
    send(session, cast, envelope(alone(APRIL, "0"), day=APRIL))  # nothing was made of it
    before.check(session)
    send(session, cast, envelope(alone(APRIL, "0"), day=NEXT, root=first["id"], prev=[first["id"]]))
    with pytest.raises(standing.ConsentFell):
        before.check(session)
    make(session, cast.centre.id).check(session)


NOBODY_YET = code(99)  # who stands at nothing


@pytest.mark.parametrize("is_named", [False, True], ids=["of nobody with a card", "of people with cards"])
def test_records_that_turn_out_to_be_about_somebody_else_while_a_package_is_written_are_not_in_it(
    session: Session, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_named: bool
) -> None:
    series = a_series(session, cast)
    risks = ["low", "none", "raised"] * 14
    alone_items = [envelope(alone(APRIL, "3", risk), day=APRIL) for risk in risks]
    items = [met(code(200 + place), APRIL, "3") for place in range(42)] if is_named else alone_items
    send(session, cast, *items, met(NOBODY_YET, APRIL, "0"))
    write, written = build.write_package, []

    def write_and_wait(*given: Any) -> Any:
        written.append(write(*given))
        if len(written) == 1:
            for one in items[:12]:
                send(session, cast, corrected(one, NEXT, "3", "earlier", NOBODY_YET))
        return written[-1]

    monkeypatch.setattr(build, "write_package", write_and_wait)
    built = build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert (len(written), len(rows_in(tmp_path, built))) == (2, 30)


@pytest.mark.parametrize("card", [ONE, ""], ids=["a card", "no card"])
@pytest.mark.parametrize("everybody_at_once", [False, True], ids=["counts", "editions"])
def test_nothing_is_published_over_a_record_that_became_somebody_elses_or_contested(
    session: Session, cast: Cast, everybody_at_once: bool, card: str
) -> None:
    first = met(ONE, APRIL, "3") if card else envelope(alone(APRIL, "3"), day=APRIL)
    send(session, cast, first, met(MANY[0], APRIL, "3"))
    make = standing.Standings.of_all if everybody_at_once else standing.Standings
    before = make(session, cast.centre.id)
    send(session, cast, corrected(first, NEXT, "3", card=MANY[0]))
    with pytest.raises(standing.ConsentFell):
        before.check(session)
    before = make(session, cast.centre.id)
    send(session, cast, corrected(first, NEXT + dt.timedelta(days=1), "3", card=MANY[1]))  # two say whom it is about
    with pytest.raises(standing.ConsentFell):
        before.check(session)
    make(session, cast.centre.id).check(session)


def test_an_edition_is_not_kept_over_a_yes_that_was_taken_back_before_it_was_done(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "1"))
    before = standing.Standings.of_all(session, cast.centre.id)
    send(session, cast, knowing(session, met(ONE, MAY, "3")))
    assert stands(session, cast) == 3
    send(session, cast, met(ONE, JUNE, "1"))
    with pytest.raises(standing.ConsentFell):
        before.check(session)


def test_whose_yes_turns_out_to_be_somebody_elses_is_counted_anew(session: Session, cast: Cast) -> None:
    began = dt.datetime.now(dt.UTC)
    send(session, cast, met(ONE, APRIL - dt.timedelta(days=9), "1"))
    second = knowing(session, met(ONE, APRIL, "3"))
    send(session, cast, second)
    assert stands(session, cast) == 3 and store.list_lowered_since(session, cast.centre.id, began) == set()
    session.rollback()
    send(session, cast, corrected(second, NEXT, "3", card=MANY[0]))
    assert stands(session, cast) == 1 and store.list_lowered_since(session, cast.centre.id, began) == {ONE}


def test_a_package_that_is_overtaken_by_every_no_is_not_published_but_tried_again(
    session: Session, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = a_series(session, cast)
    everybody(session, cast, MANY, APRIL, "3")
    write, left = build.write_package, iter(MANY)

    def write_and_wait(*given: Any) -> Any:
        made = write(*given)
        everybody(session, cast, [next(left)], MAY, "0")
        return made

    with monkeypatch.context() as patched:
        patched.setattr(build, "write_package", write_and_wait)
        with pytest.raises(ActProblem, match="built again"):
            build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert session.scalars(sa.select(Release)).all() == []
    assert list(tmp_path.glob("*.zip")) == []
    built = build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert len(rows_in(tmp_path, built)) == 37


def test_rows_that_are_out_stay_out_and_are_said_to_be_taken_back(session: Session, cast: Cast, tmp_path: Path) -> None:
    series = a_series(session, cast)
    everybody(session, cast, MANY, APRIL, "3")
    first = build.build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert len(rows_in(tmp_path, first)) == 40
    everybody(session, cast, MANY, JULY, "0")
    second = build.build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)
    assert about(first)["withdrawn"] in (0, "0") and about(second)["withdrawn"] not in (0, "0")
    assert len(rows_in(tmp_path, first)) == 40 and rows_in(tmp_path, second) == []


def test_months_of_people_and_intakes_ask_the_encounter_that_came_after(
    session: Session, cast: Cast, tmp_path: Path
) -> None:
    series = a_series(session, cast)
    for people, word in ((MANY, None), (MANY[:20], "0")):
        if word is None:
            send(session, cast, *(intake(one, dt.date(2026, 4, 20)) for one in people))
        else:
            everybody(session, cast, people, MAY, word)
    gathered = gather.gather_release(session, series, parse("2026-Q2"), dt.datetime.now(dt.UTC))
    counts = {part.name: (part.records, part.without_consent) for part in gathered.datasets}
    assert counts["participants"] == (40, 20)
    assert counts["participant_months"] == (120, 60)  # three months of each


def test_a_referral_says_no_for_the_whole_person(session: Session, cast: Cast, tmp_path: Path) -> None:
    publish_others(session, cast)
    send(session, cast, met(ONE, APRIL, "3"))
    answers = {
        "need": {"has_card": "yes", "code": ONE, "need": "housing"},
        "service": {"ref_date": str(MAY), "service_type": "housing", "urgency": "today"},
        "sharing": {"consent_share": "no", "warm": "info_only"},
        "progress": {"status": "sent"},
        "consent": consent("0"),
    }
    send(session, cast, filled("referral", answers, MAY))
    assert stands(session, cast) == 0


# Numbers


BEFORE_Q2 = dt.date(2026, 3, 31)  # numbers are told of whole periods since the first record


def active(session: Session, cast: Cast) -> dict[str, Any]:
    return number(body_of(session, cast, "dashboard", "2026-06"), "participants", "2026-Q2")


def counted_exactly(session: Session, cast: Cast, name: str = "participants_active", period: str = "2026-Q2") -> int:
    """Return how many people a protected table counted, which no page shows."""
    known = tables.load_catalogue(session, cast.centre.id)
    spec = tables.list_table_specs(known, Audience.PUBLIC, [name])[name]
    cells = datasets.table_states(session, cast.centre.id, spec.key)[period]
    return next(count for cell, count, _ in cells if tuple(cell) == TOTAL)


@pytest.mark.parametrize(("tier", "people"), [("", 40), ("3", 40), ("2", 0), ("0", 0)])
def test_forty_people_who_said_yes_and_then_no_are_no_number(session: Session, cast: Cast, tier: str, people: int) -> None:
    publish_others(session, cast)
    everybody(session, cast, MANY, JUNE, "3")
    if tier:
        everybody(session, cast, MANY, dt.date(2026, 7, 2), tier)
    switched_on(session, cast, "dashboard")
    assert editions.build_due(session, NOW + dt.timedelta(days=400)) == 1
    assert counted_exactly(session, cast) == people


def arrived(session: Session, at: dt.datetime) -> None:
    """Let everything have arrived at a moment."""
    with WriteTransaction(session):
        session.execute(sa.update(Record).values(received_at=at, changed_at=at))


def test_a_number_that_is_out_is_revised_when_enough_people_take_back(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    groups(session, cast, 1, BEFORE_Q2)
    everybody(session, cast, MANY, JUNE, "3")
    arrived(session, NOW - dt.timedelta(days=5))
    switched_on(session, cast, "dashboard")
    assert editions.build_due(session, NOW) == 1
    assert abs(active(session, cast)["value"] - 40) < 5

    editions.build_due(session, NOW + dt.timedelta(days=1))  # outcomes that are known from then on
    later = NOW + dt.timedelta(days=2)
    _takes_back(session, cast, MANY[:5], later - dt.timedelta(hours=3))
    assert editions.build_due(session, later) == 0  # too few for anybody to be told from the difference
    _takes_back(session, cast, MANY[5:], later + dt.timedelta(hours=20))
    assert editions.build_due(session, later + dt.timedelta(days=1)) == 1
    assert counted_exactly(session, cast) == 0
    assert active(session, cast)["revised"] == 1


def _takes_back(session: Session, cast: Cast, people: list[str], at: dt.datetime) -> None:
    """Send a no of each, in July, that arrives at a moment."""
    items = [met(one, dt.date(2026, 7, 9), "0") for one in people]
    send(session, cast, *items)
    ids = [item["id"] for item in items]
    with WriteTransaction(session):
        session.execute(sa.update(Record).where(Record.instance_id.in_(ids)).values(received_at=at, changed_at=at))
        session.execute(sa.update(ConsentWord).where(ConsentWord.root_id.in_(ids)).values(lowered_at=at))


@pytest.mark.parametrize("how", ["no", "end"])
def test_who_takes_back_while_tables_are_counted_is_not_in_them(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    publish_others(session, cast)
    everybody(session, cast, MANY, JUNE, "3")
    arrived(session, NOW - dt.timedelta(days=5))
    switched_on(session, cast, "dashboard")
    count, counts = tables.count_tables, []

    def count_and_wait(*given: Any) -> Any:
        found = count(*given)
        counts.append(1)
        if len(counts) == 1:
            take_back(session, cast, MANY[:30], dt.date(2026, 7, 2), how, tmp_path)
        return found

    monkeypatch.setattr(tables, "count_tables", count_and_wait)
    editions.build_due(session, NOW)
    assert len(counts) > 1 and counted_exactly(session, cast) == 10


def test_a_window_counts_by_standing_and_an_edition_is_not_kept_over_a_no(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_others(session, cast)
    everybody(session, cast, MANY, JUNE, "3")
    arrived(session, NOW - dt.timedelta(days=5))
    known = tables.load_catalogue(session, cast.centre.id)
    specs = tables.list_table_specs(known, Audience.PUBLIC, ["participants_active"])

    def total() -> str:
        reader = tables.make_reader(session, cast.centre, known, NOW)
        jobs = [(parse("2026"), specs["participants_active"])]
        return tables.count_tables(reader, cast.centre, jobs, {})[0].published[TOTAL][1]

    assert abs(int(total()) - 40) < 5
    made = []

    def kind(*given: Any) -> Any:
        made.append(total())
        if len(made) == 1:
            everybody(session, cast, MANY, dt.date(2026, 7, 2), "0")
        return EditionContent({"total": made[-1]})

    monkeypatch.setitem(editions.KINDS, "heat_map", kind)
    switched_on(session, cast, "heat_map")
    editions.build_edition(session, cast.centre.id, "heat_map", parse("2026-06"), NOW)
    assert len(made) == 2
    kept = products.edition(session, cast.centre.id, "heat_map", "2026-06")
    assert kept and json.loads(kept.body) == {"total": "<25"}


def test_public_page_open_data_and_feed_count_nobody_who_took_back(app: Flask, web_cast: Cast) -> None:
    settings: Settings = app.config["SETTINGS"]
    client = app.test_client()

    def odata(key: str, what: str) -> list[dict[str, Any]]:
        pair = base64.b64encode(f"anybody:{key}".encode()).decode()
        answer = client.get(f"/odata/v4/{what}", headers={"Authorization": f"Basic {pair}"})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.get_json()["value"]
        return found

    with Session(open_engine(settings), expire_on_commit=False) as session:
        series = a_series(session, web_cast)
        groups(session, web_cast, 1, BEFORE_Q2)
        everybody(session, web_cast, MANY, JUNE, "3")
        arrived(session, NOW - dt.timedelta(days=5))
        everybody(session, web_cast, MANY, dt.date(2026, 6, 20), "0")
        groups(session, web_cast, 30, JUNE)
        arrived(session, NOW - dt.timedelta(days=5))
        switched_on(session, web_cast, "dashboard")
        editions.build_due(session, NOW)
        build.build_release(session, series, parse("2026-Q2"), settings.packages, settings.key())
        key = make_key(session, web_cast.rosa, series_id=series.id, label="a reader")
        build_feed_files(session, settings.packages)
    assert len(odata(key, "encounters")) == 30
    feed = [
        row for row in odata(key, "indicator_numbers") if (row["indicator"], row["period"]) == ("participants", "2026-Q2")
    ]
    assert [(row["value"], row["shown_as"]) for row in feed] in ([(None, "<25")], [(None, "")])
    text = client.get("/public/data/rexdale/indicators.csv").get_data(as_text=True)
    rows = [row for row in csv.DictReader(io.StringIO(text)) if "participants" in row.values() and "2026-Q2" in row.values()]
    assert rows and all((row["value"], row["shown_as"]) == ("", "<25") for row in rows)
    assert client.get("/public/rexdale/en/participants/").status_code == 200


# The fold


UNKNOWING, KNOWING = False, True


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # (day by the phone's clock, tier, how asked, whether the phone knew of what came before), in the order of arrival
        ([(1, "3", "read_out", UNKNOWING)], 3),
        ([(1, "3", "read_out", UNKNOWING), (2, "0", "read_out", UNKNOWING)], 0),
        ([(1, "0", "read_out", UNKNOWING), (2, "3", "read_out", UNKNOWING)], 0),  # no clock can raise it
        ([(1, "1", "read_out", UNKNOWING), (2, "3", "read_out", KNOWING)], 3),
        ([(2, "1", "read_out", UNKNOWING), (1, "3", "read_out", KNOWING)], 3),  # nor keep it from being raised
        ([(1, "1", "read_out", UNKNOWING), (2, "3", "earlier", KNOWING)], 1),  # "still the same" raises nothing
        ([(1, "3", "read_out", UNKNOWING), (2, "1", "earlier", KNOWING)], 1),
        ([(1, "2", "earlier", UNKNOWING)], 2),
        # A no of somebody without a card is not told to phones: it is settled at the second yes.
        ([(1, "0", "read_out", UNKNOWING), (2, "2", "earlier", KNOWING), (3, "3", "interpreter", KNOWING)], 0),
        ([(1, "0", "read_out", UNKNOWING), (3, "3", "interpreter", KNOWING), (4, "3", "interpreter", KNOWING)], 3),
        ([(1, "3", "they_read", UNKNOWING), (2, "", "not_asked", KNOWING)], 0),
        ([(1, "3", "they_read", KNOWING), (2, "", "seen_in_crisis_ask_later", KNOWING), (3, "2", "they_read", KNOWING)], 2),
        ([(5, "1", "read_out", UNKNOWING), (4, "3", "read_out", UNKNOWING), (6, "2", "read_out", KNOWING)], 2),
        ([(5, "1", "read_out", UNKNOWING), (6, "3", "read_out", KNOWING), (7, "2", "read_out", UNKNOWING)], 2),
        ([(5, "1", "read_out", UNKNOWING), (6, "3", "read_out", KNOWING), (7, "1", "they_read", KNOWING)], 1),
    ],
)
def test_the_lowest_word_that_nobody_settled_stands(
    session: Session, cast: Cast, words: list[tuple[int, str, str, bool]], expected: int
) -> None:
    for day, tier, said, knows in words:
        item = met(ONE, dt.date(2026, 5, day), tier, said)
        is_refused = said == "earlier" and stands(session, cast) == 0  # "asked before" is no yes after a no
        send(session, cast, knowing(session, item) if knows else item, status="rejected" if is_refused else "stored")
        assert stands(session, cast, code(8)) is None
    assert stands(session, cast) == expected
    assert cards.by_codes(session, cast.centre.id, [ONE])[ONE].tier == str(expected)  # what phones show
    assert told(session)["tier"] == expected


def test_somebody_known_by_a_client_that_says_nothing_of_what_it_knew_keeps_the_first_or_the_lowest(
    session: Session, cast: Cast
) -> None:
    """As ODK Collect: the first answer stands, a later one can only lower it, and the office sees that they differ."""
    found = []
    for day, tier in ((1, "2"), (2, "3"), (3, "1"), (4, "2")):
        send(session, cast, met(ONE, dt.date(2026, 5, day), tier))
        found.append((stands(session, cast), told(session)["doubt"]))
    assert found == [(2, False), (2, True), (1, True), (1, True)]


def test_what_phones_are_told_of_a_card(session: Session, cast: Cast) -> None:
    first = met(ONE, APRIL, "2") | {"consent": {"wording": "0123456789abcdef", "language": "so"}}
    send(session, cast, first)
    about = {"since": "2026-04", "heads": [first["id"]], "wording": "0123456789abcdef"}
    assert told(session) == {"tier": 2, "doubt": False, **about}
    second = met(ONE, MAY, "3")
    send(session, cast, second)
    heads = [first["id"], second["id"]]
    assert told(session) == {"tier": 2, "since": "2026-04", "heads": heads, "doubt": True, "wording": ""}
    send(session, cast, knowing(session, met(ONE, JUNE, "3")))
    assert (told(session)["tier"], told(session)["since"], told(session)["doubt"]) == (3, "2026-06", False)


def test_who_has_more_heads_than_a_phone_can_name_is_settled_from_below(session: Session, cast: Cast) -> None:
    tiers = ["3"] * 10 + ["1"] * 14
    send(session, cast, *(met(ONE, APRIL, tier) for tier in tiers))
    assert (len(told(session)["heads"]), stands(session, cast)) == (16, 1)
    send(session, cast, knowing(session, met(ONE, MAY, "3")))
    assert (stands(session, cast), told(session)["doubt"]) == (3, False)


def test_the_table_is_what_the_rule_gives(session: Session, cast: Cast) -> None:
    """Random words, by the table and by the rule as it is said."""
    chance = random.Random(5)
    start = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    said: dict[str, list[ConsentWord]] = {}
    with WriteTransaction(session):
        for seed in range(60):
            words = said.setdefault(code(seed), [])
            for position in range(chance.randrange(1, 7)):
                number = str(uuid.uuid4())
                knew = [word.statement_id for word in words if chance.random() < 0.5]
                word = ConsentWord(
                    centre_id=cast.centre.id, root_id=number, person=code(seed), position=position, statement_id=number,
                    finished_at=start + dt.timedelta(days=chance.randrange(900)), tier=chance.randrange(4),
                    asked=chance.random() < 0.6, knew=knew,
                )  # fmt: skip
                session.add(word)
                words.append(word)
        store.update_standings(session, cast.centre.id, said, start)
        expected = {}
        for person, words in said.items():
            heads = [one for one in words if not any(_settles(two, one) for two in words)]
            expected[person] = min(one.tier for one in heads)
    assert store.list_tiers(session, cast.centre.id) == expected
    assert store.list_tiers(session, cast.other_centre.id) == {}
    assert store.list_tiers(session, cast.centre.id, [code(3), "nobody"]) == {code(3): expected[code(3)]}


def _settles(later: ConsentWord, earlier: ConsentWord) -> bool:
    return earlier.statement_id in later.knew and (later.asked or later.tier <= earlier.tier)


# By slip, and at the office


def test_a_slip_lowers_what_stands_and_raises_nothing(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"), met(ONE, MAY, "2"))
    before = standing.Standings(session, cast.centre.id)
    before.of(ONE)
    with pytest.raises(ActProblem, match="only allow less"):
        say_by_slip(session, cast, ONE, 3)
    with pytest.raises(ActProblem, match="only allow less"):
        say_by_slip(session, cast, code(8), 0)  # who never said anything has no slip
    assert stands(session, cast) == 2
    number = say_by_slip(session, cast, ONE, 1)
    assert (stands(session, cast), told(session)["heads"], told(session)["doubt"]) == (1, [number], False)
    with pytest.raises(standing.ConsentFell):
        before.check(session)
    session.rollback()
    send(session, cast, met(ONE, JUNE, "2"))
    assert stands(session, cast) == 1
    send(session, cast, knowing(session, met(ONE, JUNE, "2")))
    assert stands(session, cast) == 2


def say_by_slip(session: Session, cast: Cast, person: str, tier: int) -> str:
    with WriteTransaction(session):
        return note_statement(ActContext(session, cast.system, utcnow()), person, tier, "slip")


def test_an_end_stays_whatever_comes_later(session: Session, cast: Cast) -> None:
    first = met(ONE, APRIL, "3")
    send(session, cast, first)
    say_by_slip(session, cast, ONE, END)
    send(session, cast, knowing(session, met(ONE, MAY, "3")), corrected(first, NEXT, "2"))
    assert stands(session, cast) == END
    assert cards.by_codes(session, cast.centre.id, [ONE])[ONE].tier == "0"  # for apps that know no end
    assert told(session)["tier"] == END
    with pytest.raises(ActProblem, match="only allow less"):
        say_by_slip(session, cast, ONE, 0)


def test_what_the_slip_said_goes_along_when_a_card_gets_a_new_code(session: Session, cast: Cast) -> None:
    basil = another_worker(session, cast)
    send(session, cast, met(ONE, APRIL, "3", cards=[ONE]))
    for item in (met(ONE, APRIL, "3", cards=[ONE]), new_code_note(ONE, MANY[0])):
        if item["form"] != "encounter":
            say_by_slip(session, cast, ONE, 1)
        answers = receive_batch(session, basil, parse_batch(batch(item)))
        assert [answer["status"] for answer in answers] == ["stored"]
    assert (stands(session, cast, MANY[0]), stands(session, cast)) == (1, 1)


# Corrections


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_correction_lowers_at_once_in_either_order(session: Session, cast: Cast, order: tuple[int, ...]) -> None:
    first = met(ONE, APRIL, "3")
    items = first, corrected(first, APRIL + dt.timedelta(days=1), "0")
    for place in order:
        send(session, cast, items[place])
    assert stands(session, cast) == 0


def test_a_correction_raises_only_when_they_were_asked(session: Session, cast: Cast) -> None:
    first = met(ONE, APRIL, "1")
    send(session, cast, first, corrected(first, APRIL + dt.timedelta(days=1), "3", "earlier"))
    assert stands(session, cast) == 1
    send(session, cast, corrected(first, APRIL + dt.timedelta(days=2), "3"))
    assert stands(session, cast) in (1, 3)  # 3 once the two versions are brought together
    other = code(9)
    mistaken = met(other, APRIL, "0")
    send(session, cast, mistaken, corrected(mistaken, APRIL + dt.timedelta(days=1), "3", card=other))
    assert stands(session, cast, other) == 3


def test_correcting_an_old_record_does_not_outvote_a_no_that_came_after_it(session: Session, cast: Cast) -> None:
    first = met(ONE, APRIL, "3")
    send(session, cast, first, met(ONE, APRIL + dt.timedelta(days=2), "0"))
    send(session, cast, corrected(first, APRIL + dt.timedelta(days=4), "3"))
    assert stands(session, cast) == 0


def test_a_no_by_correction_is_not_outvoted_by_a_yes_from_before_it(session: Session, cast: Cast) -> None:
    first = met(ONE, APRIL, "2")
    send(session, cast, first)
    send(session, cast, knowing(session, met(ONE, APRIL + dt.timedelta(days=2), "3")))
    assert stands(session, cast) == 3
    send(session, cast, corrected(first, APRIL + dt.timedelta(days=4), "0"))
    assert stands(session, cast) == 0
    send(session, cast, knowing(session, met(ONE, MAY, "2")))
    assert stands(session, cast) == 2


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_two_versions_that_differ_the_lower_one_counts(session: Session, cast: Cast, order: tuple[int, ...]) -> None:
    first = met(ONE, APRIL, "2")
    day = APRIL + dt.timedelta(days=1)
    items = first, corrected(first, day, "3"), corrected(first, day, "0")
    for place in order:
        send(session, cast, items[place])
    assert stands(session, cast) == 0


def test_a_correction_that_takes_the_code_out_leaves_what_was_said(session: Session, cast: Cast) -> None:
    first = met(ONE, APRIL, "0")
    send(session, cast, first)
    group = encounter(APRIL, people={"who": "group"}, talk={"people_n": "5"})
    send(session, cast, envelope(group, day=APRIL, root=first["id"], prev=[first["id"]]))
    assert stands(session, cast) == 0


def test_a_record_that_is_cut_still_lowers(session: Session, cast: Cast) -> None:
    """The centre may keep no code of somebody who said no; what they said is written down beside it."""
    send(session, cast, met(ONE, APRIL, "3"))
    now = dt.datetime.now(dt.UTC)
    at = dt.datetime.combine(MAY, dt.time(12), dt.UTC)
    with WriteTransaction(session):
        no = standing.ConsentStatement(str(uuid.uuid4()), ONE, 0, asked=False, finished_at=at, position=99)
        standing.save_statements(session, cast.centre.id, [no], now)
    assert stands(session, cast) == 0
    assert store.list_lowered_since(session, cast.centre.id, now - dt.timedelta(minutes=1)) == {ONE}


def test_a_series_of_another_centre_reads_none_of_it(session: Session, cast: Cast) -> None:
    everybody(session, cast, [ONE], APRIL, "3")
    assert standing.Standings(session, cast.other_centre.id).of(ONE) == 0
    assert standing.Standings(session, cast.centre.id).of(ONE) == 3
    assert standing.Standings(session, cast.centre.id).of("") is None
    assert isinstance(a_series(session, cast), ReleaseSeries)


def new_code_note(code: str, new: str) -> dict[str, Any]:
    """Return a worker's note that a card gets a new code."""
    text = json.dumps({"code": code, "new": new})
    return {
        "id": str(uuid.uuid4()), "form": "fieldapp.reissue", "version": "1", "body": text,
        "finished_at": dt.datetime.combine(JUNE, dt.time(12), dt.UTC).isoformat(),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }  # fmt: skip


@pytest.mark.parametrize("is_cut", [False, True], ids=["with its code", "cut on the phone"])
@pytest.mark.parametrize("is_note_first", [False, True], ids=["the no first", "the new code first"])
def test_a_no_goes_along_when_a_card_that_two_phones_made_gets_a_new_code(
    session: Session, cast: Cast, is_note_first: bool, is_cut: bool
) -> None:
    basil = another_worker(session, cast)
    send(session, cast, met(ONE, APRIL, "3", cards=[ONE]))
    fresh = MANY[0]
    note = new_code_note(ONE, fresh)
    no = met(ONE, MAY, "0")
    if is_cut:
        kept = encounter(MAY, people={"who": "enrolled"}, consent=consent("0"))
        no = envelope(kept, day=MAY, refused_by=ONE)
    for item in (met(ONE, APRIL, "3", cards=[ONE]), *((note, no) if is_note_first else (no, note))):
        answers = receive_batch(session, basil, parse_batch(batch(item)))
        assert [answer["status"] for answer in answers] == ["stored"]
    assert stands(session, cast, fresh) == 0
