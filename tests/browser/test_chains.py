"""Work that goes on over days: logged on one phone, followed up on a later day, stored as one chain."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.phones.devices import enrol_device, find_actor_for_token
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.settings import Settings
from fieldapp.store.people.users import User
from sync.envelope import parse_batch
from tests.browser.accessibility import examine, examine_width
from tests.browser.conftest import Phone, Server, sign_in
from tests.browser.pictures import picture
from tests.browser.steps import connect, cut_off, mediate, rows, send, send_and_fetch, shift
from tests.cast import batch
from tests.opening import open_engine
from tests.services.caseload.meetings import ONE
from tests.services.caseload.participants import participant, referred

OpenPage = Callable[..., Page]
pytestmark = pytest.mark.xdist_group("chains")
NARROW = {"width": 360, "height": 740}


@pytest.fixture
def phone(open_page: OpenPage) -> Iterator[Phone]:
    phone = Phone(open_page(viewport=NARROW))
    phone.enrol("w05")
    yield phone


@pytest.fixture
def elsewhere(server: Server, demo_data: Path) -> Iterator[Callable[..., None]]:
    """What the worker sent before, from another phone."""
    engine = open_engine(Settings(data=str(demo_data)))
    with Session(engine, expire_on_commit=False) as session:
        (worker,) = session.scalars(sa.select(User).where(User.username == "w05"))
        token = enrol_device(session, Actor(worker.centre_id, "worker", worker.id), label="The phone before").token
        actor = find_actor_for_token(session, token)
        assert actor is not None

        def send_item(item: dict[str, Any]) -> None:
            (answer,) = receive_batch(session, actor, parse_batch(batch(item)))
            assert answer["status"] == "stored"

        yield send_item
    engine.dispose()


def test_a_mediation_is_followed_up_from_its_due_line_in_four_taps_without_signal(phone: Phone, demo_data: Path) -> None:
    page = phone.page
    mediate(phone)
    send(phone)
    ((mediation,),) = rows(demo_data, "SELECT instance_id FROM record WHERE form = 'mediation' ORDER BY id DESC LIMIT 1")
    cut_off(page)
    shift(page, 1)
    page.goto("/app/#/today")
    due = page.locator("section:has(#due) > .item", has_text="Money")
    expect(due).to_contain_text("Mount Olive")
    expect(due).to_contain_text("day 1")
    assert not [*examine(page, "today with a mediation due"), *examine_width(page, "today")]
    page.get_by_text("Coming up").click()
    picture(page, "chain-due")

    due.get_by_role("link").click()  # 1
    expect(page.get_by_role("heading", name="How is it now?")).to_be_visible()
    assert not [*examine(page, "follow-up"), *examine_width(page, "follow-up")]
    phone.pick("how_now.still_cool", "Calm")  # 2
    phone.pick("how_now.fu_outcome", "Calm for now")  # 3
    picture(page, "chain-follow-up")
    phone.finish()  # 4
    page.wait_for_selector(".ledger")
    page.goto("/app/#/today")
    expect(page.get_by_text("Coming up")).to_be_visible()
    expect(due).to_have_count(0)
    connect(page)
    send(phone)

    query = "SELECT follows, kind, answers FROM record WHERE form = 'mediation_follow_up' ORDER BY id DESC LIMIT 1"
    ((follows, kind, answers),) = rows(demo_data, query)
    assert (follows, kind) == (mediation, "cool")
    assert json.loads(answers)["how_now"]["next_look"] == "planned"
    settled = "SELECT is_settled FROM follow_up WHERE root_id = ? ORDER BY due_on"
    assert rows(demo_data, settled, mediation) == [(1,), (0,), (0,)]


def alert(phone: Phone) -> None:
    """Log an incident about which nobody did anything yet."""
    page = phone.page
    page.goto("/app/#/new")
    page.get_by_role("link", name="Something serious happened").click()
    page.wait_for_selector(".question")
    page.select_option("[id$='inc_type']", label="Stabbing")
    page.fill("input[type=search]", "olive")
    page.locator("label.choice", has_text="Mount Olive").click()
    phone.pick("alert.setting", "Street")
    phone.next()
    for question, answer in (("harm", "Injury"), ("harmed_n", "One"), ("youth", "No"), ("retal_risk", "High")):
        phone.pick(f"harm.{question}", answer)
    phone.next()
    for question, answer in (
        ("alert_src", "Resident"),
        ("level", "Phone"),
        ("on_scene", "Unknown"),
        ("acts", "Nothing yet"),
    ):
        phone.pick(f"response.{question}", answer)
    expect(page.get_by_text("First action at")).to_have_count(0)
    phone.next()
    phone.pick("after.supports", "None yet")
    phone.pick("after.debrief", "Not yet")
    phone.finish()
    page.wait_for_selector(".ledger")


@pytest.mark.slow
def test_an_incident_stays_in_sight_until_a_follow_up_closes_it(phone: Phone, demo_data: Path, open_page: OpenPage) -> None:
    """From an alert to which nobody had gone yet, over what the board shows, to the follow-up that closes it."""
    page = phone.page
    cut_off(page)
    alert(phone)
    page.goto("/app/#/today")
    first = page.locator("section:has(#open-incidents) > .item").first
    expect(first).to_contain_text("Stabbing · Mount Olive")
    root = (first.get_by_role("link").get_attribute("href") or "").rpartition("/")[2]
    opened = page.locator(f"section:has(#open-incidents) > .item:has([href*='{root}'])")
    picture(page, "chain-incident-open")
    connect(page)
    send(phone)
    ((incident, answers),) = rows(
        demo_data, "SELECT instance_id, answers FROM record WHERE form = 'incident' ORDER BY id DESC LIMIT 1"
    )
    assert incident == root and "first_dt" not in json.loads(answers)["response"]
    desk = open_page()
    sign_in(desk, "rexdale.crisis")
    desk.goto("/office/board")
    shown = desk.locator(f"#incident-{incident}")
    expect(shown.locator("dl")).to_contain_text("First action–")

    shift(page, 1)
    cut_off(page)
    page.goto("/app/#/today")
    due = page.locator(f"section:has(#due) > .item:has([href*='{root}'])")
    expect(due).to_contain_text("day 1")
    expect(opened).to_have_count(0)
    due.get_by_role("link").click()  # 1
    expect(page.get_by_role("heading", name="What is new?")).to_be_visible()
    phone.pick("since_then.acts_since", "Present at the scene")  # 2
    expect(page.get_by_text("First action at")).to_be_visible()
    expect(page.get_by_text("Retaliation within 30 days?")).to_have_count(0)
    phone.pick("since_then.debrief_now", "Yes")  # 3
    phone.pick("since_then.status_now", "Open")  # 4
    assert not [*examine(page, "incident follow-up"), *examine_width(page, "incident follow-up")]
    picture(page, "chain-incident-follow-up")
    page.get_by_role("button", name="Finish").click()  # 5
    page.wait_for_selector(".ledger")
    page.goto("/app/#/today")
    expect(due).to_have_count(0)
    expect(opened).to_contain_text("Stabbing")  # nothing is due, and it is still there
    connect(page)
    send(phone)
    desk.reload()
    expect(shown.locator("dl")).to_contain_text("Present at the scene")

    shift(page, 30)
    page.goto("/app/#/today")
    due.get_by_role("link").last.click()
    phone.pick("since_then.acts_since", "Nothing yet")
    phone.pick("since_then.debrief_now", "Yes")
    phone.pick("since_then.status_now", "Closed")
    phone.pick("since_then.retal_since", "No")
    phone.finish()
    page.wait_for_selector(".ledger")
    page.goto("/app/#/today")
    expect(page.locator("#week")).to_be_visible()
    expect(opened).to_have_count(0)
    send(phone)
    desk.reload()
    expect(desk.locator("#board-incidents")).to_be_visible()
    expect(shown).to_have_count(0)
    query = "SELECT answers FROM record WHERE follows = ? ORDER BY id"
    said = [json.loads(text)["since_then"] for (text,) in rows(demo_data, query, incident)]
    assert [each.get("retal_since") for each in said] == [None, "no"]


@pytest.mark.slow
def test_a_shift_is_started_with_one_tap_and_ends_in_two(phone: Phone, demo_data: Path) -> None:
    page = phone.page
    cut_off(page)
    page.goto("/app/#/today")
    page.get_by_role("button", name="Start shift").click()  # 1
    expect(page.get_by_text("On shift since")).to_be_visible()
    assert phone.ledger()["Created on this phone"] == 0  # the start is no record
    page.goto("/app/#/today")
    page.clock.set_system_time(page.evaluate("Date.now()") / 1000 + 6 * 3600)
    page.goto("about:blank")  # closed, and opened again hours later
    page.goto("/app/")
    phone.unlock()
    expect(page.get_by_text("On shift since")).to_be_visible()
    page.locator("#week").scroll_into_view_if_needed()  # nothing half under the foot
    assert not [*examine(page, "on shift"), *examine_width(page, "on shift")]
    picture(page, "chain-shift")
    page.get_by_role("button", name="Stop").click()  # 1
    page.wait_for_selector(".question")
    page.fill("input[type=search]", "olive")  # the first time only
    page.locator("label.choice", has_text="Mount Olive").click()
    page.get_by_role("button", name="Finish").click()  # 2
    page.wait_for_selector(".ledger")
    page.goto("/app/#/today")
    page.get_by_role("button", name="Start shift").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("label.choice", has_text="Mount Olive").locator("input")).to_be_checked()
    connect(page)
    send(phone)
    ((answers,),) = rows(demo_data, "SELECT answers FROM record WHERE form = 'shift' ORDER BY id DESC LIMIT 1")
    stored = json.loads(answers)["shift"]
    began, ended = (dt.datetime.fromisoformat(stored[name]) for name in ("start", "end"))
    assert abs((ended - began).total_seconds() - 6 * 3600) < 600


@pytest.mark.slow
def test_a_review_opens_from_its_due_line_with_the_card_of_whom_it_is(phone: Phone, elsewhere: Callable[..., None]) -> None:
    page = phone.page
    elsewhere(participant("intake", dt.date.today() - dt.timedelta(days=80)))
    send_and_fetch(page)
    cut_off(page)
    shift(page, 11)
    page.goto("/app/#/today")
    due = page.locator("section:has(#due) > .item", has_text="Review").first
    expect(due).to_contain_text(f"{ONE[:4]}-{ONE[4:]}")
    picture(page, "chain-review")
    due.get_by_role("link").click()  # 1: what is sure is answered, so it begins on the second page
    page.get_by_role("button", name="Back").click()
    expect(page.locator("[id='q-start.kind-set'] label.choice", has_text="Review").locator("input")).to_be_checked()
    expect(page.locator("[id='q-start.code']")).to_have_value(ONE)


@pytest.mark.slow
def test_the_result_of_a_referral_is_said_in_four_taps_without_signal_a_month_later(
    phone: Phone, demo_data: Path, elsewhere: Callable[..., None]
) -> None:
    page = phone.page
    item = referred(dt.date.today() - dt.timedelta(days=40))
    elsewhere(item)
    send_and_fetch(page)
    cut_off(page)
    page.goto("/app/#/today")
    before = page.locator("section:has(#referrals) > .item")
    number = before.count()
    row = before.filter(has_text="Housing").filter(has_text="Sent").last
    row.get_by_role("button").click()  # 1
    phone.pick("progress.status", "Completed")  # 2
    phone.look_over()  # 3
    page.get_by_role("button", name="Finish").click()  # 4
    page.wait_for_selector(".ledger")
    page.goto("/app/#/today")
    expect(before).to_have_count(number - 1)
    connect(page)
    send(phone)
    query = "SELECT answers FROM record WHERE instance_id = ?"
    ((answers,),) = rows(demo_data, query, item["id"])
    assert json.loads(answers)["progress"]["status"] == "completed"
