"""Products at a centre: counted once, frozen, revised only when it matters; what fails is said; nothing small is anywhere."""

import datetime as dt
import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export import periods
from fieldapp.jobs.timetable import build_due_products
from fieldapp.services.acts import Actor
from fieldapp.services.forms.areas import import_areas
from fieldapp.services.problems import ActProblem
from fieldapp.services.products import editions as building
from fieldapp.services.products import tables
from fieldapp.services.products.editions import build_due, build_edition
from fieldapp.services.products.partners import import_partner_totals, remove_partner
from fieldapp.services.products.public import load_public_edition
from fieldapp.services.products.registry import download_file, list_products, see_figures, switch_product
from fieldapp.services.products.subscriptions import subscribe, unsubscribe
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases.build import build_release
from fieldapp.services.stored_problems import read_problems
from fieldapp.settings import Settings
from fieldapp.store.consent.withdrawals import Withdrawal
from fieldapp.store.database import WriteTransaction
from fieldapp.store.products import products
from fieldapp.store.products.products import Edition
from fieldapp.store.records.records import Record
from sync.envelope import parse_batch
from tests.cast import Cast, a_series, batch, encounter, envelope, publish_others
from tests.city import squares
from tests.services import servers
from tests.services.products.figures import NOW, PARTNER, body_of, fill, number, switched_on

JUNE = periods.parse("2026-06")


def test_nothing_is_public_or_built_before_somebody_switches_it_on(session: Session, cast: Cast) -> None:
    fill(session, cast, 40, dt.date(2026, 6, 1), 28)
    assert build_due(session, NOW) == 0
    with pytest.raises(ActProblem, match="nothing here"):
        load_public_edition(session, "rexdale")
    for wrong in (cast.amina, cast.eve):
        with pytest.raises(ActProblem):
            switch_product(session, wrong, name="dashboard", is_on=True)
    with pytest.raises(ActProblem, match="no such product"):
        switch_product(session, cast.rosa, name="everything", is_on=True)
    with pytest.raises(ActProblem, match="always up to date"):
        switch_product(session, cast.rosa, name="board", is_on=True)


def test_an_empty_centre_has_an_empty_dashboard_and_no_failure(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    switched_on(session, cast, "dashboard", "hot_spots_week", "hot_spots_month", "heat_map", "equity", "panel")
    assert build_due(session, NOW) == 6
    registry = list_products(session, cast.rosa)
    assert all(state.problem == "" for state in registry.states.values())
    assert all(not one["numbers"] for one in body_of(session, cast, "dashboard", "2026-06")["indicators"])


def test_a_month_is_counted_once_frozen_and_revised_only_when_many_come_late(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    fill(session, cast, 100, dt.date(2026, 6, 1), 28)
    switched_on(session, cast, "dashboard")
    assert build_due(session, NOW) == 1
    first = number(body_of(session, cast, "dashboard", "2026-06"), "encounters", "2026-06")
    assert first["state"] == "value" and abs(first["value"] - 100) < 5 and first["revised"] == 0
    assert build_due(session, NOW + dt.timedelta(hours=1)) == 0  # nothing is new

    later = NOW + dt.timedelta(days=2)
    _late(session, cast, 12, later - dt.timedelta(hours=3))
    assert build_due(session, later) == 0  # fewer than a revision needs: nobody can be told from the difference
    assert number(body_of(session, cast, "dashboard", "2026-06"), "encounters", "2026-06") == first

    _late(session, cast, 12, later + dt.timedelta(hours=20))
    assert build_due(session, later + dt.timedelta(days=1)) == 1  # 24 in all: enough
    body = body_of(session, cast, "dashboard", "2026-06")
    assert number(body, "encounters", "2026-06")["revised"] == 1
    assert abs(number(body, "encounters", "2026-06")["value"] - 124) < 5
    found = products.edition(session, cast.centre.id, "dashboard", "2026-06")
    assert found and found.number == 2


def _late(session: Session, cast: Cast, count: int, at: dt.datetime) -> None:
    """Send encounters of June that arrive at a moment."""
    items = [envelope(encounter(day), day=day) for day in (dt.date(2026, 6, 3 + place) for place in range(count))]
    receive_batch(session, cast.amina, parse_batch(batch(*items)))
    ids = [item["id"] for item in items]
    with WriteTransaction(session):
        session.execute(sa.update(Record).where(Record.instance_id.in_(ids)).values(received_at=at, changed_at=at))


def test_what_is_new_is_read_and_what_is_old_is_not(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_others(session, cast)
    fill(session, cast, 60, dt.date(2026, 6, 1), 28)
    switched_on(session, cast, "dashboard")
    build_due(session, NOW)
    read: list[str] = []
    whole = tables.iterate_rows

    def counted(*args: Any) -> Any:
        read.append(args[2])
        return whole(*args)

    monkeypatch.setattr(tables, "iterate_rows", counted)
    _late(session, cast, 5, NOW + dt.timedelta(hours=1))
    build_due(session, NOW + dt.timedelta(hours=2))
    assert read == []  # five late records cannot change anything: nothing is read again


def test_a_release_and_the_dashboard_say_the_same_number(session: Session, cast: Cast, tmp_path: Path) -> None:
    series = a_series(session, cast, key="city-quarterly")
    fill(session, cast, 90, dt.date(2026, 4, 1), 80)
    switched_on(session, cast, "dashboard")
    build_due(session, NOW)
    build_release(session, series, periods.parse("2026-Q2"), tmp_path, "s" * 64)
    states = {
        (state.key, state.period): state.cells for state in session.scalars(sa.select(tables.datasets.PublishedCounts))
    }
    by_area = next(
        one for one in body_of(session, cast, "dashboard", "2026-06")["indicators"] if one["id"] == "encounters_by_ward"
    )
    shown = {row["key"]: row["text"] for row in by_area["parts"]["rows"]}
    kept = next(
        cells
        for (_, period), cells in states.items()
        if period == "2026-Q2" and any(cell[0] == ["ward 01"] for cell in cells)
    )
    assert {cell[0]: text for cell, _, text in kept if cell != ["total"]} == shown


def test_no_number_anywhere_is_small_or_exact(session: Session, cast: Cast, tmp_path: Path) -> None:
    publish_others(session, cast)
    outlines = squares(["001", "002", "003", "004"] + [f"{code:03}" for code in range(5, 175)]).encode()
    import_areas(session, cast.system, key="nbhd158", data=outlines, code="AREA_SHORT_CODE", attribution="Invented")
    fill(session, cast, 250, dt.date(2026, 3, 1), 118)
    switched_on(session, cast, "dashboard", "hot_spots_week", "hot_spots_month", "heat_map", "equity", "panel")
    assert build_due(session, NOW) == 6
    for edition in session.scalars(sa.select(Edition)):
        body = json.loads(edition.body)
        for text in _counts(body, edition.product):
            assert text in ("", "–", "<10", "<25") or (int(text) % 5 == 0 and int(text) >= 10), (edition.product, text)
        assert "CANARY" not in edition.body and '"code' not in edition.body.replace('"code":"P', "").replace(
            '"code":"O', ""
        ).replace('"code":"S', "")
    public = json.dumps(load_public_edition(session, "rexdale").body)
    assert '"nbhd"' not in public and not re.search(r'"00[24]"', public)  # wards at the finest, never a neighbourhood


def _counts(body: Any, product: str) -> list[str]:
    if product == "dashboard":
        rounded = [one for one in body["indicators"] if one["threshold"]]  # events held and shifts are exact
        texts = [number["text"] for one in rounded if one["unit"] == "count" for number in one["numbers"]]
        return texts + [row["text"] for one in rounded if one["parts"] for row in one["parts"]["rows"]]
    if product.startswith("hot_spots"):
        found = [
            str(n)
            for one in body["layers"]
            for area in one["areas"].values()
            for n in (area["n"], area["was"])
            if n is not None
        ]
        return found + [str(one[-1]) for layer in body["layers"] for one in [*layer["times"], *layer["when"]]]
    if product == "heat_map":
        return [cell for grid in body["grids"] for row in [*grid["cells"], grid["row_totals"]] for cell in row]
    if product == "panel":
        return [cell for row in body["rows"] for cell in row[2:4]]  # not the shifts, which are exact
    return [one["text"] for one in body["groups"]]


def test_one_product_that_fails_stops_no_other_and_says_why(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_others(session, cast)
    fill(session, cast, 30, dt.date(2026, 6, 1), 28)
    switched_on(session, cast, "dashboard", "heat_map", "panel")

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(building.KINDS, "heat_map", broken)  # type: ignore[misc]
    assert build_due(session, NOW) == 2
    states = list_products(session, cast.rosa).states
    [problem] = read_problems(states["heat_map"].problem)
    assert (problem.code, problem.details["kind"]) == ("release.fault", "ZeroDivisionError")
    assert len(str(problem.details["number"])) == 6  # under which its frames are in the log
    assert states["panel"].problem == ""
    monkeypatch.undo()
    assert build_due(session, NOW + dt.timedelta(minutes=10)) == 1
    assert list_products(session, cast.rosa).states["heat_map"].problem == ""


def test_an_edition_that_could_not_be_made_in_its_time_is_made_later(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_others(session, cast)
    switched_on(session, cast, "heat_map")
    assert build_due(session, NOW) == 1
    newest = periods.parse("2026-06")

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setitem(building.KINDS, "heat_map", broken)  # type: ignore[misc]
        for days in (31, 62):
            assert build_due(session, NOW + dt.timedelta(days=days)) == 0
    assert build_due(session, NOW + dt.timedelta(days=93)) == 3
    made = {one.period for one in session.scalars(sa.select(Edition).where(Edition.product == "heat_map"))}
    wanted = [newest]
    for _ in range(3):
        wanted.append(wanted[-1].following())
    assert made == {one.name for one in wanted}
    assert build_due(session, NOW + dt.timedelta(days=93)) == 0


def test_a_wrong_period_is_refused_in_words(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    for name, period, why in [
        ("dashboard", "2026-W10", "is built by month"),
        ("board", "2026-06", "no editions"),
        ("dashboard", "2026-07", "has not ended"),
        ("nothing", "2026-06", "no such product"),
    ]:
        with pytest.raises(ActProblem, match=why):
            build_edition(session, cast.centre.id, name, periods.parse(period), NOW)


def test_switched_off_means_gone_for_everybody(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    switched_on(session, cast, "dashboard", "heat_map")
    build_due(session, NOW)
    assert see_figures(session, cast.rosa, name="heat_map") is not None
    assert download_file(session, cast.rosa, name="heat_map", filename="heat-map-en.xlsx")[0] == "heat-map-en-2026-06.xlsx"
    assert see_figures(session, cast.olaf, name="heat_map") is None  # another centre
    switch_product(session, cast.rosa, name="heat_map", is_on=False)
    switch_product(session, cast.rosa, name="dashboard", is_on=False)
    assert see_figures(session, cast.rosa, name="heat_map") is None
    with pytest.raises(ActProblem):
        download_file(session, cast.rosa, name="heat_map", filename="heat-map-en.xlsx")
    with pytest.raises(ActProblem):
        load_public_edition(session, "rexdale")


def test_partners_totals_show_with_their_source_and_the_old_file_goes(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    switched_on(session, cast, "dashboard")
    with pytest.raises(ActProblem, match="Nothing was imported"):
        import_partner_totals(session, cast.rosa, name="TTC", calendar="own", data=PARTNER.replace(b"400", b"4"))
    with pytest.raises(ActProblem, match="Name the organisation"):
        import_partner_totals(session, cast.rosa, name=" ", calendar="own", data=PARTNER)
    with pytest.raises(ActProblem, match="Name the organisation"):
        import_partner_totals(session, cast.rosa, name="=HYPERLINK(1)", calendar="own", data=PARTNER)
    assert import_partner_totals(session, cast.rosa, name="TTC", calendar="financial periods", data=PARTNER) == 3
    assert import_partner_totals(session, cast.rosa, name="TTC", calendar="financial periods", data=PARTNER) == 3
    build_due(session, NOW)
    ((partner),) = load_public_edition(session, "rexdale").body["partners"]
    assert partner["source"] == "TTC" and len(partner["figures"]) == 3


def test_a_partners_correction_shows_the_next_day_and_older_editions_stay(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    switched_on(session, cast, "dashboard", "equity")
    import_partner_totals(session, cast.rosa, name="TTC", calendar="own", data=PARTNER)
    assert build_due(session, NOW) == 2
    assert build_due(session, NOW) == 0  # nothing is new
    build_edition(session, cast.centre.id, "dashboard", periods.parse("2026-05"), NOW)
    corrected = PARTNER.replace(b"total,400", b"total,410").replace(b"black,30", b"black,31")
    import_partner_totals(session, cast.rosa, name="TTC", calendar="own", data=corrected)
    tomorrow = NOW + dt.timedelta(days=1)
    assert build_due(session, tomorrow) == 2
    assert build_due(session, tomorrow) == 0
    ((partner),) = body_of(session, cast, "dashboard", "2026-06")["partners"]
    assert [figure["value"] for figure in partner["figures"]] == ["410", "100", "31"]
    assert body_of(session, cast, "equity", "2025")["partners"] == {"black": 0.31}
    assert body_of(session, cast, "dashboard", "2026-05")["partners"][0]["figures"][0]["value"] == "400"
    # The calendar is on the page, too, but no number of Reach by group.
    import_partner_totals(session, cast.rosa, name="TTC", calendar="four weeks", data=corrected)
    assert build_due(session, tomorrow) == 1
    remove_partner(session, cast.rosa, name="TTC")
    assert build_due(session, tomorrow) == 2
    assert body_of(session, cast, "dashboard", "2026-06")["partners"] == []


def test_who_asked_is_told_once_and_never_a_number(session: Session, cast: Cast, tmp_path: Path) -> None:
    publish_others(session, cast)
    switched_on(session, cast, "dashboard")
    with pytest.raises(ActProblem, match="e-mail address"):
        subscribe(session, cast.rosa, product="dashboard", address="a@example.org\nBcc: all@example.org")
    subscribe(session, cast.rosa, product="dashboard", address="council@example.org")
    subscribe(session, cast.rosa, product="dashboard", address="council@example.org")
    with servers.smtp_server() as (address, mail):
        settings = Settings(data=str(tmp_path), smtp_url=address, mail_from="centre@example.org")
        for _ in range(3):
            build_due_products(session, settings)
        assert [one["To"] for one in mail.messages] == ["council@example.org"]
        assert not re.search(r"\d", mail.messages[0].get_payload())
        subscription = list_products(session, cast.rosa).subscriptions["dashboard"][0]
        with pytest.raises(ActProblem):
            unsubscribe(session, cast.olaf, subscription_id=subscription.id)
        unsubscribe(session, cast.rosa, subscription_id=subscription.id)
        assert not list_products(session, cast.rosa).subscriptions


def test_killed_midway_the_next_turn_makes_it_whole(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_others(session, cast)
    fill(session, cast, 50, dt.date(2026, 6, 1), 28)
    switched_on(session, cast, "dashboard")

    def killed(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "_save_edition", killed)
    with pytest.raises(KeyboardInterrupt):
        build_due(session, NOW)
    monkeypatch.undo()
    session.rollback()
    assert products.edition(session, cast.centre.id, "dashboard", "2026-06") is None  # no half of one
    assert build_due(session, NOW) == 1
    assert number(body_of(session, cast, "dashboard", "2026-06"), "encounters", "2026-06")["revised"] == 0


def test_acts_of_strangers_are_refused(session: Session, cast: Cast) -> None:
    stranger = Actor(cast.centre.id, "crisis", cast.rosa.user_id)
    for act in (
        lambda: list_products(session, stranger),
        lambda: see_figures(session, stranger, name="dashboard"),
        lambda: import_partner_totals(session, stranger, name="a", calendar="b", data=b""),
        lambda: subscribe(session, cast.eve, product="dashboard", address="a@example.org"),
    ):
        with pytest.raises(ActProblem, match="role"):
            act()


def _take_back(session: Session, cast: Cast, count: int, day: dt.date) -> None:
    """Let so many people have taken everything back on a day."""
    with WriteTransaction(session):
        for _ in range(count):
            at = dt.datetime.combine(day, dt.time(12), dt.UTC)
            session.add(
                Withdrawal(
                    id=uuid.uuid4().hex, centre_id=cast.centre.id, person_tag=uuid.uuid4().hex, how="slip", asked_on=day,
                    effective_at=at,
                )
            )  # fmt: skip


def test_how_many_took_everything_back_is_public_and_protected_and_never_changes(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    fill(session, cast, 40, dt.date(2026, 1, 1), 170)
    _take_back(session, cast, 32, dt.date(2026, 2, 3))
    _take_back(session, cast, 19, dt.date(2026, 6, 29))
    _take_back(session, cast, 40, dt.date(2026, 7, 2))  # of a quarter that is not over
    switched_on(session, cast, "dashboard")
    build_edition(session, cast.centre.id, "dashboard", periods.parse("2026-06"), NOW)

    def shown(period: str) -> dict[str, Any]:
        return {number["period"]: number for number in body_of(session, cast, "dashboard", period)["withdrawals"]}

    first = shown("2026-06")
    assert set(first) == {"2026-Q1", "2026-Q2"}
    assert first["2026-Q1"]["value"] in (30, 35)
    assert first["2026-Q2"] == {"period": "2026-Q2", "text": "<25", "value": None}
    _take_back(session, cast, 60, dt.date(2026, 2, 4))  # a restored copy that is ended anew
    build_edition(session, cast.centre.id, "dashboard", periods.parse("2026-07"), NOW + dt.timedelta(days=40))
    assert {period: shown("2026-07")[period] for period in first} == first
