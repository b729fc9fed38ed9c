"""Work that goes on over days: logged on one phone, followed up on a later day, stored as one chain."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import examine, examine_width
from tests.browser.conftest import Phone
from tests.browser.pictures import picture
from tests.browser.steps import connect, cut_off, rows, send, shift

OpenPage = Callable[..., Page]
pytestmark = pytest.mark.xdist_group("chains")
NARROW = {"width": 360, "height": 740}


@pytest.fixture
def phone(open_page: OpenPage) -> Iterator[Phone]:
    phone = Phone(open_page(viewport=NARROW))
    phone.enrol("w05")
    yield phone


def mediate(phone: Phone) -> None:
    """Log a mediation that is to be followed up on days 1, 3 and 7."""
    page = phone.page
    page.goto("/app/#/new")
    page.get_by_role("link", name="I mediated a conflict").click()
    page.wait_for_selector(".question")
    if page.locator("input[type=search]").count():
        page.fill("input[type=search]", "olive")
        page.locator("label.choice", has_text="Mount Olive").click()
    phone.pick("when_where.setting", "Street")
    phone.pick("when_where.aware", "Family")
    phone.next()
    for question, answer in (
        ("cause", "Money"),
        ("parties_n", "2"),
        ("sides", "Two people"),
        ("age_mix", "16"),
        ("enrolled_any", "No"),
    ):
        phone.pick(f"conflict.{question}", answer)
    phone.next()
    for question, answer in (
        ("weapon", "None"),
        ("prior", "No"),
        ("retal", "No"),
        ("online", "No"),
        ("likelihood", "Likely"),
    ):
        phone.pick(f"danger.{question}", answer)
    phone.next()
    phone.pick("work.actions", "Talked")
    phone.pick("work.minutes", "30")
    phone.next()
    phone.pick("result.outcome", "Calm for now")
    for day in ("Day 1", "Day 3", "Day 7"):
        phone.pick("result.fu_plan", day)
    phone.pick("result.safe_worker", "Yes")
    phone.finish()
    page.wait_for_selector(".ledger")


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
