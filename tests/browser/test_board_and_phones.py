"""From the board to a worker's phone and back: what was given to them, that they saw it, and what they ask for."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from fieldapp.store.board.board import BoardStep
from fieldapp.store.database import WriteTransaction
from tests.browser.accessibility import find_violations
from tests.browser.conftest import Phone
from tests.browser.desks import SHOWS_ALL, SOON, OpenPage, Team, desk_of, team  # noqa: F401  a fixture
from tests.browser.steps import connect, cut_off, send_and_fetch

pytestmark = pytest.mark.xdist_group("browser: phones")


def give(desk: Page, root: str, label: str) -> None:
    desk.locator(f"#to-{root}").select_option(label=label)
    desk.locator(f"#give-{root}").click()


def label_of(team: Team, username: str) -> str:
    return str(team.session.execute(sa.text("SELECT label FROM user WHERE username = :name"), {"name": username}).scalar())


def fetch(phone: Phone) -> None:
    send_and_fetch(phone.page)
    phone.page.goto("/app/#/today")


def test_an_incident_reaches_the_phone_and_that_it_was_seen_comes_back(open_page: OpenPage, team: Team) -> None:
    phone = Phone(open_page(viewport={"width": 360, "height": 780}))
    phone.enrol("w02")
    other = Phone(open_page(viewport={"width": 360, "height": 780}))
    other.enrol("w03")
    root = team.incident()
    desk = desk_of(open_page, viewport={"width": 1200, "height": 900})
    card = desk.locator(f"#incident-{root}")
    give(desk, root, label_of(team, "w02"))
    expect(card).to_contain_text("has not seen it for", timeout=SOON)
    page = phone.page
    send_and_fetch(page)
    expect(page.get_by_role("alert").get_by_role("link")).to_have_text("You were asked to go")  # on whatever screen
    assert not find_violations(page)
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.get_by_role("alert")).to_contain_text("You were asked to go")
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"\d+ (minutes|hours?) ago"))
    assert not find_violations(page)
    cut_off(page)
    page.get_by_role("button", name="I have seen it").click()
    expect(page.locator("main")).to_contain_text("does not know yet that you have seen it")
    expect(card).to_contain_text("has not seen it for")
    connect(page)
    fetch(phone)
    expect(page.locator("main")).to_contain_text("The crisis team knows that you have seen it")
    expect(card).to_contain_text(re.compile(r"Assigned at \d\d:\d\d; .+ saw it at \d\d:\d\d"), timeout=SOON)
    assert not find_violations(desk)

    page.get_by_role("link", name="Incident follow-up").click()
    expect(page.locator("h1, h2").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("Done since then")
    page.goto("/app/#/today")

    give(desk, root, label_of(team, "w03"))
    expect(card).to_contain_text("has not seen it for", timeout=SOON)
    fetch(phone)
    expect(page.locator("main")).to_contain_text("No longer yours")
    page.get_by_role("button", name="OK").click()
    expect(page.locator("main")).not_to_contain_text("No longer yours")
    fetch(other)
    expect(other.page.get_by_role("alert")).to_contain_text("You were asked to go")
    team.step(root, "closed")  # other tests count what is new


def test_the_field_asks_without_signal_and_reads_what_became_of_it(open_page: OpenPage, team: Team) -> None:
    phone = Phone(open_page(viewport={"width": 360, "height": 780}))
    phone.enrol("w04")
    desk = desk_of(open_page, viewport={"width": 1200, "height": 900})
    before = desk.locator("#board-requests article").count()
    page = phone.page
    page.goto("/app/#/today")
    cut_off(page)
    page.get_by_text("Ask the crisis team").first.click()
    page.locator("#team-need").select_option("escort")
    page.locator("#team-area").select_option(index=3)
    assert not find_violations(page)
    page.get_by_role("button", name="Ask the crisis team").click()
    expect(page.locator("main")).to_contain_text("On this phone only")
    connect(page)
    fetch(phone)
    expect(page.locator("main")).to_contain_text("The centre has it")
    requests = desk.locator("#board-requests article")
    expect(requests).to_have_count(before + 1, timeout=SOON)
    # What nobody has seen comes first; one that is tried again finds that of the first try below.
    newest = requests.filter(has_text=f"{label_of(team, 'w04')} asked on").first
    card = desk.locator(f"#{newest.get_attribute('id')}")
    expect(card).to_contain_text("Somebody to go along")
    card.get_by_role("button", name="Mark as seen").click()
    expect(card).to_contain_text("seen")
    fetch(phone)
    expect(page.locator("main")).to_contain_text("Seen by the crisis team")
    card.get_by_role("button", name="Close", exact=True).click()
    expect(card).to_have_count(0)
    fetch(phone)
    expect(page.locator("main")).to_contain_text("Done:")


def test_what_is_not_seen_is_red_and_sounds_on_desk_and_wall(
    open_page: OpenPage, team: Team
) -> None:  # fmt: skip
    root = team.incident()
    team.see_all()
    desk = desk_of(open_page)
    wall = desk_of(open_page, path="/office/board?wall", viewport={"width": 1920, "height": 1080})
    give(desk, root, label_of(team, "w05"))
    expect(wall.locator(f"#incident-{root} .not-seen")).to_contain_text("not seen for", timeout=SOON)
    expect(desk.locator(f"#incident-{root} .giving-state")).to_have_class(re.compile("wait"))
    with WriteTransaction(team.session):  # six minutes go by
        (step,) = team.session.scalars(sa.select(BoardStep).order_by(BoardStep.id.desc()).limit(1))
        step.at -= dt.timedelta(minutes=6)
    desk.reload()
    expect(desk.locator("#board-state")).to_contain_text(SHOWS_ALL)
    expect(desk.locator(f"#incident-{root} .giving-state")).to_have_class(re.compile("danger"))
    expect(desk).to_have_title(re.compile(r"^\(\d"))
    expect(desk.locator(f"#incident-{root}")).to_have_attribute("data-new", re.compile("has not seen it"))
    desk.locator(f"#notified-{root}").click()
    expect(desk.locator(f"#incident-{root}")).to_contain_text("was notified in another way")
    expect(desk.locator(f"#incident-{root}[data-new]")).to_have_count(0)
    team.step(root, "closed")
