"""A reader of any product comes to what the raw records of a simulated centre say, or to “not known”, never to another."""

import base64
import datetime as dt
import html
import io
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Flask
from flask_babel import force_locale
from sqlalchemy.orm import Session

from evaluator_export import periods
from evaluator_export.products import share_image
from evaluator_export.products.share_image import ShareLine
from evaluator_export.tables import protected_counts
from evaluator_export.tables.protected_counts import BASE, Protection
from fieldapp.services.products import tables
from fieldapp.services.products.catalogue import load_kpis
from fieldapp.services.products.editions import build_edition
from fieldapp.services.products.kinds import dashboard
from fieldapp.services.products.odata.build import build_feed_files
from fieldapp.services.products.odata.keys import make_key
from fieldapp.settings import Settings
from fieldapp.store.products import products
from fieldapp.web.public import dashboards, open_data
from tests.cast import Cast, a_series, make_cast
from tests.conclusions.checks import find_disagreements, find_untrue, find_wrong_headline, find_wrong_words
from tests.conclusions.readers import Told, list_period_names, read_csv, read_feed, read_json, read_page
from tests.conclusions.world import LAST, NOW, Truth, World, make_centre
from tests.opening import open_engine
from tests.services.products.figures import switched_on

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("conclusions")]
# Seeds whose two years came out alike: how often chance alone makes a word is measured over thousands of centres, in
# tests/evaluator_export/test_change.py.
FLAT_SMALL = World("flat, small", encounters=1500, mediations=180, seed=3)
FLAT_MIDDLE = World("flat, middle", encounters=5000, mediations=600, seed=7)
RISE = World("a rise, and fewer settled", encounters=5000, mediations=600, growth=1.35, settled_later=0.4)
WORLDS = (FLAT_SMALL, FLAT_MIDDLE, RISE)
JUNE = periods.parse("2026-06")
TITLES = {kpi.title["en"]: kpi.id for kpi in load_kpis() if kpi.audience != "staff"}
FRENCH = {kpi.title["fr"]: kpi.id for kpi in load_kpis() if kpi.audience != "staff"}


def settings_in(folder: Path) -> Settings:
    return Settings(data=str(folder), database_url=f"sqlite:///{folder / 'fieldapp.db'}", secret_key="k" * 64)


@dataclass(frozen=True)
class Filled:
    """A simulated centre, its records in a database, nothing built yet."""

    folder: Path
    cast: Cast
    truth: Truth
    key: str


@pytest.fixture(scope="module")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[World], Filled]:
    made: dict[str, Filled] = {}

    def fill(world: World) -> Filled:
        if world.name not in made:
            folder = tmp_path_factory.mktemp("world")
            shutil.copyfile(sqlite_template, folder / "fieldapp.db")
            engine = open_engine(settings_in(folder))
            with Session(engine, expire_on_commit=False) as session:
                cast = make_cast(session)
                series = a_series(session, cast)
                truth = make_centre(session, cast, world)
                switched_on(session, cast, "dashboard", "heat_map")
                key = make_key(session, cast.rosa, series_id=series.id, label="Power BI")
                session.expunge_all()
            engine.dispose()
            made[world.name] = Filled(folder, cast, truth, key)
        return made[world.name]

    return fill


@pytest.fixture(scope="module")
def built(filled: Callable[[World], Filled], tmp_path_factory: pytest.TempPathFactory) -> Callable[[World], Filled]:
    made: dict[str, Filled] = {}

    def build(world: World) -> Filled:
        if world.name not in made:
            made[world.name] = copy_and_build(filled(world), tmp_path_factory.mktemp("built"))
        return made[world.name]

    return build


def copy_and_build(centre: Filled, folder: Path) -> Filled:
    """Build the products of a centre in a copy of its folder."""
    shutil.copytree(centre.folder, folder, dirs_exist_ok=True)
    configured = settings_in(folder)
    engine = open_engine(configured)
    with Session(engine, expire_on_commit=False) as session:
        for name in ("dashboard", "heat_map"):
            build_edition(session, centre.cast.centre.id, name, JUNE, NOW)
        build_feed_files(session, configured.packages)
    engine.dispose()
    return Filled(folder, centre.cast, centre.truth, centre.key)


@dataclass
class Reader:
    """Everybody who reads: the public without a key, who has a key of the feed, staff of the centre."""

    app: Flask
    centre: Filled

    def get(self, address: str) -> Any:
        pair = base64.b64encode(f"anybody:{self.centre.key}".encode()).decode()
        answer = self.app.test_client().get(f"/odata/v4/{address}", headers={"Authorization": f"Basic {pair}"})
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def read_all(self) -> dict[str, Told]:
        client = self.app.test_client()
        formats = {"JSON": read_json(client), "CSV": read_csv(client), "feed": read_feed(self.get)}
        for language, titles in (("en", TITLES), ("fr", FRENCH)):
            with self.app.test_request_context(), force_locale(language):
                names = list_period_names(formats["JSON"], language)
            formats[f"page, {language}"] = read_page(client, language, titles, names)
        return formats

    def read_headline(self, language: str) -> list[str]:
        page = self.app.test_client().get(f"/public/rexdale/{language}/").get_data(as_text=True)
        lead = page[page.index('<div class="lead">') : page.index("<section>")]
        return [html.unescape(text) for text in re.findall(r"<li>(.*?)</li>", lead)]


@pytest.fixture
def open_centre(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Filled], Reader]]:
    from fieldapp import app as application  # noqa: PLC0415  needs the built client
    from tests.conftest import prepare_with_shared_dialect  # noqa: PLC0415

    monkeypatch.setattr(application, "prepare", prepare_with_shared_dialect)
    apps: list[Flask] = []

    def open_it(centre: Filled) -> Reader:
        dashboards._rendered.clear()  # pages of another variant with the same edition
        apps.append(application.create_app(settings_in(centre.folder)))
        return Reader(apps[-1], centre)

    yield open_it
    from fieldapp.web.sessions import db  # noqa: PLC0415

    for made in apps:
        with made.app_context():
            db.engine.dispose()


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_every_format_says_the_same_and_what_is_true(
    world: World, built: Callable[[World], Filled], open_centre: Callable[[Filled], Reader]
) -> None:
    reader = open_centre(built(world))
    formats = reader.read_all()
    assert list(find_disagreements(formats)) == []
    for name, told in formats.items():
        # Pages have the newest 13 months in the chart's table; the files two whole years.
        assert len([period for indicator, period in told.numbers if indicator == "encounters"]) in (13, 24), name
    assert list(find_untrue(formats["CSV"], reader.centre.truth)) == []
    assert list(find_wrong_words(formats["CSV"])) == []
    assert list(find_wrong_words(formats["feed"])) == []


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_headline_names_what_is_beyond_chance_in_numbers_that_the_files_have(
    world: World, built: Callable[[World], Filled], open_centre: Callable[[Filled], Reader]
) -> None:
    reader = open_centre(built(world))
    told = read_csv(reader.app.test_client())
    assert list(find_wrong_headline(reader.read_headline("en"), told, TITLES)) == []
    assert list(find_wrong_headline(reader.read_headline("fr"), told, FRENCH)) == []


@pytest.mark.parametrize("world", [FLAT_SMALL, FLAT_MIDDLE], ids=lambda world: world.name)
def test_of_a_flat_centre_nobody_is_told_that_it_changed(
    world: World, built: Callable[[World], Filled], open_centre: Callable[[Filled], Reader]
) -> None:
    reader = open_centre(built(world))
    told = read_csv(reader.app.test_client())
    assert not {told.words[name] for name in ("encounters", "mediations", "mediations_settled")} & {"more", "fewer"}
    assert reader.read_headline("en") == []


def test_an_outcome_is_not_told_before_it_is_known(
    built: Callable[[World], Filled], open_centre: Callable[[Filled], Reader]
) -> None:
    """Ten days after the quarter nobody knows whether the mediations of its last week were followed up within seven."""
    reader = open_centre(built(FLAT_MIDDLE))
    told = read_csv(reader.app.test_client())
    assert told.numbers["mediations_visited", "2026-Q2"].state == "not_yet"
    assert told.numbers["mediations_visited", "2026-Q1"].state == "few"  # counted, and nobody was visited
    assert told.numbers["mediations_settled", "2026-Q2"].state == "value"  # known on the day itself
    page = reader.app.test_client().get("/public/rexdale/en/mediations_visited/").get_data(as_text=True)
    assert "not yet, on Jul 11, 2026" in page


def test_a_rise_and_a_fall_are_told(built: Callable[[World], Filled], open_centre: Callable[[Filled], Reader]) -> None:
    told = read_csv(open_centre(built(RISE)).app.test_client())
    assert told.words["encounters"] == "more"
    assert told.words["mediations_settled"] == "fewer"


@pytest.mark.parametrize("world", [FLAT_SMALL, RISE], ids=lambda world: world.name)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_share_picture_is_drawn_from_published_numbers(
    world: World, language: str, built: Callable[[World], Filled], open_centre: Callable[[Filled], Reader]
) -> None:
    """The same lines give the same bytes: drawn anew from years.csv, it is the picture that was served."""
    reader = open_centre(built(world))
    client = reader.app.test_client()
    told = read_csv(client)
    titles = {kpi.id: kpi.title[language] for kpi in load_kpis()}
    span = " - ".join(format_date(day, "LLL y", locale=language) for day in (dt.date(2025, 7, 1), LAST))
    lines = [
        ShareLine(str(format_decimal(told.years[name].value, locale=language)), titles[name], span)
        for name in ("encounters", "mediations")
    ]
    picture = client.get(f"/public/rexdale/{language}/card.png").data
    assert picture == share_image.card("Rexdale centre", lines)


@pytest.mark.parametrize("world", [FLAT_SMALL, FLAT_MIDDLE], ids=lambda world: world.name)
def test_cells_of_the_workbook_lie_within_rounding_or_are_empty(world: World, built: Callable[[World], Filled]) -> None:
    centre = built(world)
    engine = open_engine(settings_in(centre.folder))
    with Session(engine) as session:
        edition = products.edition(session, centre.cast.centre.id, "heat_map", "2026-06")
        assert edition
        data = products.file(session, edition.id, "heat-map-en.xlsx")
    engine.dispose()
    assert data
    numbers = 0
    for sheet in openpyxl.load_workbook(io.BytesIO(data)).worksheets:
        for row in sheet.iter_rows(values_only=True):
            for value in row[1:]:
                if isinstance(value, int):
                    numbers += 1
                    assert value >= 2 * BASE and value % BASE == 0, (sheet.title, row)
    assert numbers > 20  # there is something to see


# Weak variants, planted: each is found.


def find_faults(centre: Filled, folder: Path, open_centre: Callable[[Filled], Reader]) -> list[str]:
    reader = open_centre(copy_and_build(centre, folder))
    formats = reader.read_all()
    lines = reader.read_headline("en")
    return [
        *find_disagreements(formats),
        *find_untrue(formats["CSV"], centre.truth),
        *find_wrong_words(formats["CSV"]),
        *find_wrong_headline(lines, formats["CSV"], TITLES),
    ]


def test_a_floor_that_lets_small_counts_show_is_found(
    filled: Callable[[World], Filled],
    tmp_path: Path,
    open_centre: Callable[[Filled], Reader],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protected_counts, "find_least_shown", lambda floor: BASE)
    faults = find_faults(filled(FLAT_SMALL), tmp_path, open_centre)
    assert any(" shows " in fault for fault in faults)


def test_a_period_that_began_before_the_records_is_found(
    filled: Callable[[World], Filled],
    tmp_path: Path,
    open_centre: Callable[[Filled], Reader],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dashboard, "list_periods_to_show", tables.list_periods_to_count)
    faults = find_faults(filled(FLAT_MIDDLE), tmp_path, open_centre)
    assert any("began before there were records" in fault for fault in faults)


def test_a_total_of_only_the_parts_that_show_is_found(
    filled: Callable[[World], Filled],
    tmp_path: Path,
    open_centre: Callable[[Filled], Reader],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = tables.load_published_texts

    def sum_parts(*given: Any) -> Any:
        found = usual(*given)
        for published in found.values():
            parts = [int(text) for cell, text in published.texts.items() if cell != ("total",) and text.isdecimal()]
            published.texts["total",] = str(sum(parts))
        return found

    monkeypatch.setattr(dashboard, "load_published_texts", sum_parts)
    faults = find_faults(filled(FLAT_SMALL), tmp_path, open_centre)
    assert any("happened" in fault for fault in faults)


def test_a_hidden_number_that_a_file_writes_as_nought_is_found(
    filled: Callable[[World], Filled],
    tmp_path: Path,
    open_centre: Callable[[Filled], Reader],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = open_data._write_cell
    monkeypatch.setattr(open_data, "_write_cell", lambda value: "0" if value is None else usual(value))
    faults = find_faults(filled(FLAT_SMALL), tmp_path, open_centre)
    assert any("CSV" in fault for fault in faults)


def test_a_word_without_the_spread_of_months_is_found(
    filled: Callable[[World], Filled],
    tmp_path: Path,
    open_centre: Callable[[Filled], Reader],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted as if each encounter came alone, flat centres change nearly always."""
    from evaluator_export.products import change  # noqa: PLC0415
    from tests.conclusions import checks  # noqa: PLC0415

    honest = checks.compare_counts

    def compare(now: Any, before: Any) -> change.Change:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(change, "estimate_spread", lambda *given: change.Spread(1.0, 200))
            return honest(now, before)

    monkeypatch.setattr("evaluator_export.products.indicators.compare_counts", compare)
    faults = find_faults(filled(FLAT_MIDDLE), tmp_path, open_centre)
    assert any("its numbers" in fault for fault in faults)


def test_a_headline_that_names_each_difference_is_found(
    filled: Callable[[World], Filled],
    tmp_path: Path,
    open_centre: Callable[[Filled], Reader],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dashboard, "choose_headline", lambda indicators: {"encounters", "mediations"})
    faults = find_faults(filled(FLAT_MIDDLE), tmp_path, open_centre)
    assert any("the headline names" in fault for fault in faults)


def test_a_table_that_shows_the_true_counts_is_found(
    filled: Callable[[World], Filled],
    tmp_path: Path,
    open_centre: Callable[[Filled], Reader],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Protection, "format", lambda self, tally: str(tally[0]))
    faults = find_faults(filled(FLAT_SMALL), tmp_path, open_centre)
    assert any(" shows " in fault for fault in faults)
