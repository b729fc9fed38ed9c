"""A yes and its end, from the person's side: a slip, a package that counts them, and everything taken back.

One walk through the whole product, on a centre of its own: what is looked at is what was stored, sent and shown.
"""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from passlib.totp import TOTP
from playwright.sync_api import Browser, Page, expect

from evaluator_export.package.verify import verify
from evaluator_export.series import ledger
from tests.browser.conftest import PHONE, ROOT, Phone, Server, sign_in
from tests.browser.steps import rows, send

pytestmark = pytest.mark.xdist_group("browser: taken back")
FEWEST = 20  # people among whom a row on a list has to be hidden
SERIES = "institute-c-month"


@pytest.fixture
def data(pristine_demo: Path, tmp_path: Path) -> Path:
    """A centre of its own, with a second place for its list of ended cards."""
    shutil.copytree(pristine_demo, tmp_path / "centre")
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "centre"


@pytest.fixture
def centre(data: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(data, "serve")  # packages are built when the test says so
    server.environment["FIELDAPP_FORGOTTEN_COPY"] = str(tmp_path / "elsewhere")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def pages(browser: Browser, centre: Server) -> Iterator[list[Page]]:
    """A worker's phone, an office, a computer in a library on which no script runs, and an evaluator's."""
    contexts = [
        browser.new_context(base_url=centre.url, viewport=PHONE, timezone_id="America/Toronto"),  # type: ignore[arg-type]
        browser.new_context(base_url=centre.url, viewport={"width": 1180, "height": 820}),
        browser.new_context(base_url=centre.url, java_script_enabled=False),
        browser.new_context(base_url=centre.url, viewport={"width": 1180, "height": 820}, accept_downloads=True),
    ]
    yield [context.new_page() for context in contexts]
    for context in contexts:
        context.close()


def run(data: Path, tmp_path: Path, *command: str) -> None:
    environment = {**os.environ, "FIELDAPP_DATA": str(data), "FIELDAPP_FORGOTTEN_COPY": str(tmp_path / "elsewhere")}
    subprocess.run([sys.executable, "-m", "fieldapp", *command], cwd=ROOT, env=environment, check=True)


def build(data: Path, tmp_path: Path, period: str) -> zipfile.ZipFile:
    """Build a package by the command, check it as its recipient does, and open it."""
    run(data, tmp_path, "release", "build", SERIES, "--period", period, "--out", str(tmp_path / period))
    (path,) = (tmp_path / period).glob("*.zip")
    assert verify(path, "") == []
    return zipfile.ZipFile(path)


def read_csv(package: zipfile.ZipFile, ending: str) -> list[dict[str, str]]:
    (name,) = [name for name in package.namelist() if name.endswith(ending) and "sample" not in name]
    return list(csv.DictReader(io.StringIO(package.read(name).decode("utf-8-sig"))))


def find_released_card(data: Path, worker: str) -> str:
    """Return a card of a worker whose person agreed to everything, and of whom rows have left."""
    ((secret,),) = rows(data, "SELECT secret FROM dataset WHERE name = 'encounters' AND centre_id = 1")
    query = """SELECT record.person, record.instance_id FROM record JOIN card ON card.code = record.person
        JOIN user ON user.id = card.worker_id JOIN standing ON standing.person = record.person
        WHERE standing.tier = 3 AND card.is_open AND record.form = 'encounter' AND user.username = ?"""
    published = {bytes(tag) for (tag,) in rows(data, "SELECT tag FROM published_row")}
    for card, record_id in rows(data, query, worker):
        if ledger.compute_row_tag(bytes.fromhex(secret), record_id) in published:
            return str(card)
    raise AssertionError("no card of this worker has left")


def add_recipient(office: Page) -> None:
    sign_in(office, "rexdale.admin")
    office.goto("/releases/")
    office.get_by_role("link", name="Recipients").click()
    office.get_by_role("link", name="Add a recipient").click()
    office.get_by_label("Recipient", exact=True).fill("Institute C")
    office.get_by_label("Title, English").fill("For Institute C")
    office.get_by_label("Title, French").fill("Pour l'Institut C")
    office.get_by_label("What it is for, English").fill("To study outreach.")
    office.get_by_label("What it is for, French").fill("Étudier le travail de proximité.")
    office.select_option("#cadence", "month")
    office.fill("#first_period", "2026-09")
    office.get_by_label("Encounters", exact=True).check()
    office.get_by_role("button", name="Save").click()
    expect(office.locator("main")).to_contain_text("Saved.")


def download(evaluator: Page) -> None:
    """Fetch the newest package as its recipient; the first time that asks for a second factor."""
    sign_in(evaluator, "rexdale.evaluator")
    package = evaluator.locator("article, section", has_text="For Institute C").get_by_role(
        "button", name="Download the package"
    )
    package.first.click()
    evaluator.get_by_text("I cannot scan the code").click()
    key = evaluator.locator("p.code").inner_text()
    evaluator.get_by_label("The code that the app shows now").fill(TOTP(key=key, format="base32").generate().token)
    evaluator.get_by_role("button", name="Check the code").click()
    evaluator.get_by_role("link", name="I have written them down").click()
    with evaluator.expect_download():
        package.first.click()


def wait_for_bytes(data: Path, tmp_path: Path) -> None:
    """Let the scheduler run until it says that the bytes are gone."""
    environment = {**os.environ, "FIELDAPP_DATA": str(data), "FIELDAPP_FORGOTTEN_COPY": str(tmp_path / "elsewhere")}
    scheduler = subprocess.Popen([sys.executable, "-m", "fieldapp", "scheduler"], cwd=ROOT, env=environment)
    until = time.monotonic() + 120
    try:
        while rows(data, "SELECT count(*) FROM withdrawal WHERE bytes_at IS NULL") != [(0,)]:
            assert time.monotonic() < until, "the scheduler did not empty the log"
            time.sleep(0.5)
    finally:
        scheduler.terminate()
        scheduler.wait(timeout=30)


def meet_with_card(phone: Phone, card: str) -> str:
    """Log an encounter with somebody who has a card and says yes to everything; return their slip."""
    page = phone.page
    page.goto(f"/app/#/card/{card}")
    page.get_by_role("link", name="Log an encounter").click()
    phone.who_was_there()
    phone.next()
    page.get_by_role("button", name="Change consent").click()  # they said yes before, and are asked anew
    phone.pick("consent.said", "read")
    phone.pick("consent.understood", "Yes")
    page.locator('[id="q-consent.tier_said-set"] label.choice', has=page.locator("input[value='3']")).click()
    phone.next()
    phone.pick("talk.risk_now", "Low")
    phone.pick("talk.minutes", "5–15 min")
    phone.next()
    if page.locator("input[type=search]").count():
        page.fill("input[type=search]", "olive")
        page.locator("label.choice", has_text="Mount Olive").click()
    phone.pick("when_where.setting", "Street")
    phone.next()
    page.fill("textarea", "CANARYTAKENBACK met at the usual corner")
    phone.finish()
    page.wait_for_selector(".qr")
    slip = page.locator(".big").inner_text()
    page.get_by_role("button", name="They have it").click()
    page.wait_for_selector(".ledger")
    return slip


def test_65_a_yes_a_slip_a_package_and_everything_taken_back(
    pages: list[Page], centre: Server, data: Path, tmp_path: Path
) -> None:
    page, office, library, evaluator = pages
    card = find_released_card(data, "w01")

    # They say yes, get a slip, and rows about them are in a package.
    add_recipient(office)
    ((key,),) = rows(data, "SELECT key FROM series WHERE recipient = 'Institute C'")
    assert key == SERIES
    phone = Phone(page)
    phone.enrol("w01")
    slip = meet_with_card(phone, card)
    send(phone)
    own = [record_id for (record_id,) in rows(data, "SELECT instance_id FROM record WHERE person = ?", card)]
    first_package = build(data, tmp_path, "2026-09")
    before = read_csv(first_package, "encounters.csv")
    assert [row["what"] for row in read_csv(first_package, "withdrawals.csv")] == ["none"]
    download(evaluator)

    # They take it back on a computer in a library.
    library.goto("/r")
    library.fill("#slip", slip)
    library.get_by_role("button", name="Show").click()
    expect(library.locator("main")).to_contain_text("You are also in public totals.")
    library.get_by_role("button", name="See what happens").click()
    expect(library.locator("main")).to_contain_text("You cannot undo this.")
    library.get_by_role("button", name="Take everything back now").click()
    expect(library.locator("h1")).to_have_text("It is taken back")

    # The record: no list of the office has the card, and nothing of it is in the database's tables.
    office.goto("/office/caseload")
    expect(office.locator("main")).not_to_contain_text(card[:4])
    assert rows(data, "SELECT count(*) FROM record WHERE person = ?", card) == [(0,)]
    assert rows(data, "SELECT count(*) FROM standing WHERE person = ?", card) == [(0,)]
    marks = ", ".join("?" * len(own))
    assert rows(data, f"SELECT count(*) FROM record WHERE instance_id IN ({marks})", *own) == [(0,)]
    assert rows(data, "SELECT count(*) FROM submission WHERE body LIKE ?", f"%{card}%") == [(0,)]
    assert rows(data, "SELECT count(*) FROM submission WHERE body LIKE '%CANARYTAKENBACK%'") == [(0,)]

    # The phone drops it when it next connects, also what it has in its own list.
    send(phone)
    page.goto("/app/#/people")
    page.wait_for_selector("h1")
    expect(page.locator("main")).not_to_contain_text(card[:4])

    # Rows that wait leave no more; the next package is without, and lists rows to delete among those of many.
    assert rows(data, "SELECT count(*) FROM withdrawal_row")[0][0] > 0
    second_package = build(data, tmp_path, "2026-10")
    to_delete = [row for row in read_csv(second_package, "withdrawals.csv") if row["what"] == "delete"]
    listed = [row for row in to_delete if row["dataset"] == "encounters"]
    assert len(listed) >= FEWEST
    assert len(listed) < len(before)
    manifest = json.loads(second_package.read(next(n for n in second_package.namelist() if n.endswith("manifest.json"))))
    assert card not in json.dumps(manifest)
    readable = b"".join(second_package.read(name) for name in second_package.namelist())
    assert card.encode() not in readable
    assert all(record_id.encode() not in readable for record_id in own)

    # The slip's page and the office say how far it has come.
    library.goto("/r")
    library.fill("#slip", slip)
    library.get_by_role("button", name="Show").click()
    expect(library.locator("h1")).to_have_text("It is taken back")
    expect(library.locator("main")).to_contain_text(re.compile("second list|safe"))
    office.goto("/office/releases/withdrawals")
    expect(office.locator("main")).to_contain_text("2026-Q4")
    expect(office.locator("main")).not_to_contain_text(card[:4])

    # Once the scheduler has emptied the database's log, nothing of it lies in the files.
    centre.stop()
    wait_for_bytes(data, tmp_path)
    stored = b"".join(path.read_bytes() for path in data.glob("fieldapp.db*"))
    assert b"CANARYTAKENBACK" not in stored
    # What phones are still told to forget names it until the last of them has heard: three phones of the demo never do.
    told = json.dumps(rows(data, "SELECT key FROM feed_item"))
    assert [record_id for record_id in own if record_id.encode() in stored and record_id not in told] == []
