"""The City's products at a million encounters: counting, what late records cost, pages, the board's question, the feed, the map.

Pages are asked over HTTP of a real server; their floor is a static file of about the same size from the same server.
"""

import datetime as dt
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

import sqlalchemy as sa
from playwright.sync_api import sync_playwright
from sqlalchemy.orm import Session

from evaluator_export import periods
from fieldapp.services.keys import attach_keys
from fieldapp.services.products import tables
from fieldapp.services.products.editions import build_edition
from fieldapp.services.products.odata import keys
from fieldapp.services.products.odata.build import build_feed_files
from fieldapp.services.products.registry import switch_product
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.database import WriteTransaction, engine_for
from fieldapp.store.products.entity_sets import EntitySet
from fieldapp.store.products.feed_file import Feed, Query, parse_order, write_feed_file
from fieldapp.store.records import records
from fieldapp.store.records.records import Record
from tests.browser.conftest import ARGUMENTS, ROOT, Server
from tests.cast import Cast, a_series, encounter, make_cast
from tests.programme import definition_of

Row = tuple[str, str, str, str]
MANY = int(os.environ.get("BENCH_ENCOUNTERS", "1000000"))
NOW = dt.datetime(2026, 7, 10, 12, tzinfo=dt.UTC)
CELLS = 6000
FRAME = 1000 / 60  # milliseconds


def fill(session: Session, cast: Cast) -> None:
    """Put encounters of a year straight into the database."""
    chance = random.Random(1)
    base = encounter(dt.date(2026, 3, 1))
    version = definition_of("encounter").version
    kinds = ("check_in", "presence", "deesc", "support")
    for start in range(0, MANY, 20_000):
        rows = []
        for _ in range(min(20_000, MANY - start)):
            day = dt.date(2025, 7, 1) + dt.timedelta(days=chance.randrange(365))
            answers = {**base, "what": {**base["what"], "contact_type": chance.choice(kinds)}}
            where = {
                "enc_date": str(day),
                "enc_hour": f"{chance.randrange(24):02}",
                "nbhd": f"{chance.randrange(1, 150):03}",
            }
            answers["when_where"] = {**base["when_where"], **where}
            at = dt.datetime.combine(day, dt.time(23), dt.UTC)
            rows.append(
                {
                    "centre_id": cast.centre.id, "instance_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)), "form": "encounter",
                    "version": version, "via": "token", "author_id": cast.amina.user_id, "received_at": at, "changed_at": at, "heads": [],
                    "contested": [], "review": "", "answers": answers, "occurred_on": day, "area": where["nbhd"], "kind": "check_in", "person": "",
                }
            )  # fmt: skip
        with WriteTransaction(session):
            records.add_all(session, rows)


def cpu(work: object) -> float:
    start = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - start


def asked(url: str, times: int = 60, **headers: str) -> tuple[float, float, int]:
    """Return the middle and the 99th percentile of an answer in milliseconds, and its size."""
    taken, size = [], 0
    for turn in range(times + 2):  # the first two find their way
        request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", **headers})
        start = time.perf_counter()
        with urllib.request.urlopen(request) as answer:
            size = len(answer.read())
        if turn > 1:
            taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken), sorted(taken)[int(times * 0.99) - 1], size


def rows() -> list[Row]:
    folder = Path(tempfile.mkdtemp())
    try:
        return [*at_a_million(folder), *feed(folder), *map_frames()]
    finally:
        shutil.rmtree(folder)


def at_a_million(folder: Path) -> list[Row]:
    engine = engine_for(f"sqlite:///{folder}/fieldapp.db")
    attach_keys(engine, Settings(data=str(folder), secret_key="k" * 64))
    migrations.upgrade(engine)
    found: list[Row] = []
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        series = a_series(session, cast)
        fill(session, cast)
        for name in ("dashboard", "hot_spots_week", "heat_map"):
            switch_product(session, cast.rosa, name=name, is_on=True)
        first = cpu(lambda: tables.count_due_tables(session, cast.centre.id, NOW))
        reads = cpu(
            lambda: sum(
                1
                for _ in records.iterate_for_release(
                    session, cast.centre.id, "encounter", dt.date(2025, 7, 1), dt.date(2026, 6, 30), NOW
                )
            )
        )
        found.append(
            (
                f"{MANY:,} encounters: all tables of all periods counted, once",
                f"{first:.1f} s CPU",
                f"reading the records alone {reads:.1f}",
                f"{first / reads:.1f}",
            )
        )
        _late(session, cast, 5, NOW + dt.timedelta(hours=1))
        few = cpu(lambda: tables.count_due_tables(session, cast.centre.id, NOW + dt.timedelta(hours=2)))
        found.append(
            (
                "five late records: brought up to date",
                f"{few * 1000:.0f} ms CPU",
                f"counting all {first:.1f} s",
                f"1/{first / few:.0f}",
            )
        )
        number = MANY // 12 // 80
        _late(session, cast, number, NOW + dt.timedelta(hours=3))
        month = cpu(lambda: tables.count_due_tables(session, cast.centre.id, NOW + dt.timedelta(hours=4)))
        found.append(
            (f"{number:,} late records of a month", f"{month:.1f} s CPU", f"{month / number * 1000:.1f} ms each", "")
        )
        made = cpu(lambda: build_edition(session, cast.centre.id, "dashboard", periods.parse("2026-06"), NOW))
        found.append(("the dashboard's edition from the tables", f"{made * 1000:.0f} ms CPU", "", ""))
        spots = cpu(lambda: build_edition(session, cast.centre.id, "hot_spots_week", periods.parse("2026-W27"), NOW))
        found.append(("the week's map: 28 days and the 28 before", f"{spots:.1f} s CPU", "", ""))
        build_feed_files(session, folder / "packages")
        keys.make_key(session, cast.rosa, series_id=series.id, label="bench")
    engine.dispose()
    return found + pages(folder)


def _late(session: Session, cast: Cast, count: int, moment: dt.datetime) -> None:
    """Let some records of May have changed at a moment."""
    ids = session.scalars(
        sa.select(Record.id)
        .where(Record.occurred_on >= dt.date(2026, 5, 1), Record.occurred_on < dt.date(2026, 6, 1))
        .limit(count)
    ).all()
    with WriteTransaction(session):
        session.execute(
            sa.update(Record)
            .where(Record.id.in_(ids))
            .values(changed_at=moment)
            .execution_options(synchronize_session=False)
        )


def pages(folder: Path) -> list[Row]:
    server = Server(folder)
    server.start()
    found: list[Row] = []
    try:
        names = json.loads((ROOT / "static/dist/names.json").read_text())
        floor, _, _ = asked(f"{server.url}/static/{names['office.css']}")
        for what, path in (
            ("public dashboard", "/public/rexdale/en/"),
            ("one indicator", "/public/rexdale/en/encounters/"),
            ("its part for other sites", "/embed/rexdale/en/part"),
            ("open data, CSV", "/public/data/rexdale/indicators.csv"),
            ("open data, JSON", "/public/data/rexdale/indicators.json"),
        ):
            middle, slow, size = asked(server.url + path)
            found.append(
                (
                    f"{what}, {size / 1024:.1f} KB",
                    f"{middle:.1f} ms, p99 {slow:.1f} (target 100)",
                    f"a static file {floor:.1f}",
                    f"{middle / floor:.1f}",
                )
            )
        found += office(server, floor)
    finally:
        server.stop()
    return found


def office(server: Server, floor: float) -> list[Row]:
    """The pages for staff and the board's question, signed in, in a real browser's session."""
    found: list[Row] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        page.goto("/")
        page.fill("#username", "rosa")
        page.fill("#password", "a long test passphrase")
        page.click("button.main")
        page.wait_for_selector("nav a")
        cookie = "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())
        for what, path in (
            ("numbers for staff", "/office/figures"),
            ("the map's page", "/office/map"),
            ("the board", "/office/board/now"),
        ):
            middle, slow, _ = asked(server.url + path, Cookie=cookie)
            found.append(
                (
                    what,
                    f"{middle:.1f} ms, p99 {slow:.1f} (target 100)",
                    f"a static file {floor:.1f}",
                    f"{middle / floor:.1f}",
                )
            )
        mark = context.request.get("/office/board/now").headers["etag"]
        taken = []
        for _ in range(60):
            start = time.perf_counter()
            context.request.get("/office/board/now", headers={"If-None-Match": mark})
            taken.append((time.perf_counter() - start) * 1000)
        found.append(
            (
                "the board's question, nothing new",
                f"{statistics.median(taken):.1f} ms",
                f"a static file {floor:.1f}",
                f"{statistics.median(taken) / floor:.1f}",
            )
        )
        browser.close()
    return found


def feed(folder: Path) -> list[Row]:
    """A feed of a million released rows: a page of 5,000, the last page, a filter."""
    path = folder / "feed.db"
    entity = EntitySet("encounters", tuple((name, "Edm.String") for name in ("month", "area", "kind", "minutes", "setting")))
    chance = random.Random(1)
    made = (
        (f"2026-{chance.randrange(1, 13):02}", f"ward {chance.randrange(25):02}", "check_in", "5_15", "street")
        for _ in range(MANY)
    )
    writing = cpu(lambda: write_feed_file(path, [(entity, made)], {"made_of": []}))
    opened = Feed(path)
    page = cpu(lambda: opened.read(entity, Query(), 5000))
    deep = opened.read(entity, Query(skip=MANY - 6000), 500).after
    last = cpu(lambda: opened.read(entity, Query(after=deep), 5000))
    some = cpu(lambda: opened.read(entity, Query(filter="area eq 'ward 07' and month ge '2026-06'"), 5000))
    order = cpu(lambda: opened.read(entity, Query(order=parse_order("area desc,month", entity)), 5000))
    return [
        (f"a feed of {MANY:,} rows: made", f"{writing:.1f} s CPU", "", ""),
        (
            "its first and its last page of 5,000",
            f"{page * 1000:.0f} and {last * 1000:.0f} ms CPU",
            "",
            f"{last / page:.1f}",
        ),
        ("filtered, in another order", f"{some * 1000:.0f} and {order * 1000:.0f} ms CPU", "", ""),
    ]


def map_frames() -> list[Row]:
    """Move a map of hexagons about, with the processor at a quarter: from one frame to the next."""
    subprocess.run([sys.executable, "tools/with_node.py", "node", "client/build.mjs", "--tests"], cwd=ROOT, check=True)
    script = (ROOT / "client/build/test/chart.js").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        page.set_content(
            "<canvas style='width:1100px;height:700px;--map-full:#0b5f63;--map-empty:#fff;--map-line:#999;--map-ink:#000'></canvas>"
        )
        page.add_script_tag(content=script)
        found = {}
        for rate in (1, 4):
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})
            found[rate] = page.evaluate(FRAMES, CELLS)
        browser.close()
    return [
        (
            f"the map with {CELLS:,} cells, a frame while it is moved, p95",
            f"{found[1]:.1f} ms",
            f"60 frames a second {FRAME:.1f}",
            f"{found[1] / FRAME:.2f}",
        ),
        ("the same, CPU ÷ 4", f"{found[4]:.1f} ms", f"{FRAME:.1f}", f"{found[4] / FRAME:.2f}"),
    ]


FRAMES = """(cells) => {
  const areas = {};
  const across = Math.ceil(Math.sqrt(cells));
  for (let at = 0; at < cells; at++) {
    const [x, y] = [-7960000 + (at % across) * 900, 4360000 + Math.floor(at / across) * 700];
    areas[at] = [[x, y, 400, 200, 0, 400, -400, 200, -400, -200, 0, -400, 400, -200]];
  }
  const shown = new chart.AreaMap(document.querySelector("canvas"), "W-01", () => {});
  shown.setAreas(areas, areas);
  shown.setPlaces(new Map(Object.keys(areas).map((code, at) => [code, { grade: at % 6, spot: at % 97 ? "" : "hot", label: String(at % 50) }])));
  shown.draw();
  const taken = [];
  return new Promise((done) => {
    let before = 0;
    const step = (now) => {
      if (before) taken.push(now - before);
      before = now;
      if (taken.length === 180) return done(taken.sort((a, b) => a - b)[Math.floor(taken.length * 0.95)]);
      shown.zoomBy(taken.length % 2 ? 1.02 : 0.985, [300 + taken.length, 300]);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
}"""


if __name__ == "__main__":
    for line in rows():
        print("  ".join(line))
