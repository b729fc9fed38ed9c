"""A record is looked over, taken back, changed and corrected: without signal, and the centre has it once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import examine, examine_width
from tests.browser.conftest import Phone, sign_in
from tests.browser.pictures import picture
from tests.browser.steps import balanced, connect, cut_off, rows, saved, send, send_and_fetch

OpenPage = Callable[..., Page]
pytestmark = pytest.mark.xdist_group("chains")
NARROW = {"width": 360, "height": 740}
OFFICE = {"width": 1180, "height": 900}
COMMENT = "Were you alone? The note speaks of two colleagues, and somebody else logged the same talk an hour later."


def change(phone: Phone, people: str) -> None:
    """Change in a record that is looked over how many people there were, and look it over again."""
    page = phone.page
    page.locator('[id="line-talk.people_n"]').click()
    page.locator('[id="q-talk.people_n"]').fill(people)
    phone.look_over()
    expect(page.locator('[id="line-talk.people_n"]')).to_contain_text(people)


def list_versions(demo_data: Path, worker: str) -> list[tuple[str, int, int]]:
    """Return what the centre has of a worker: of which record, under which number, how many people."""
    query = (
        "SELECT s.root_id, s.seq, s.body FROM submission s JOIN user u ON u.id = s.author_id"
        " WHERE u.username = ? AND s.form = 'encounter' AND s.device_id = (SELECT max(id) FROM device WHERE user_id = u.id)"
        " ORDER BY s.id"
    )
    return [(root, seq, int(json.loads(body)["talk"]["people_n"])) for root, seq, body in rows(demo_data, query, worker)]


def test_70_a_record_is_taken_back_changed_and_corrected_without_signal(open_page: OpenPage, demo_data: Path) -> None:
    page = open_page(viewport=NARROW)
    phone = Phone(page)
    phone.enrol("w04")
    cut_off(page)
    phone.log_encounter(finish=False)
    phone.look_over()
    assert not [*examine(page, "overview"), *examine_width(page, "overview")]
    expect(page.get_by_text("filled in for you").first).to_be_visible()
    picture(page, "overview")

    page.reload()  # killed while it is looked over: it comes back there, with the same answers
    page.fill("#pin", "246810")
    page.click("button.main")
    expect(page.get_by_role("heading", name="This is what you send")).to_be_visible()
    expect(page.locator('[id="line-talk.people_n"]')).to_contain_text("1")
    phone.finish()
    expect(page.get_by_text("You can undo this for a minute.")).to_be_visible()
    assert not [*examine(page, "finished"), *examine_width(page, "finished")]
    picture(page, "finished")
    page.get_by_role("button", name="Undo").evaluate("(button) => { button.click(); button.click(); }")
    change(phone, "4")
    phone.finish()
    page.wait_for_selector(".ledger")
    balanced(phone, waiting=1)

    page.get_by_role("link", name="Encounter", exact=True).click()
    expect(page.get_by_role("heading", name="Encounter")).to_be_visible()
    expect(page.locator("main")).to_contain_text("waits on this phone")
    assert not [*examine(page, "record"), *examine_width(page, "record")]
    picture(page, "finished-record")
    page.get_by_role("button", name="Change the record").click()
    expect(page.get_by_role("heading", name="This is what you send")).to_be_visible()
    balanced(phone)  # it is a draft again, and nothing else
    page.goto("/app/#/today")
    page.locator("section:has(#drafts) a").click()
    change(phone, "5")
    phone.finish()
    page.wait_for_selector(".ledger")
    assert list_versions(demo_data, "w04") == []
    connect(page)
    send(phone)
    ((root, number, people),) = list_versions(demo_data, "w04")
    assert (number, people) == (1, 5)

    cut_off(page)
    page.get_by_role("button", name="Correct: Encounter").click()
    change(phone, "6")
    phone.finish()
    page.wait_for_selector(".ledger")
    page.get_by_role("link", name="Done").click()
    balanced(phone, centre=1, waiting=1)
    connect(page)
    send(phone)
    assert list_versions(demo_data, "w04") == [(root, 1, 5), (root, 2, 6)]
    query = "SELECT answers, contested FROM record WHERE instance_id = ?"
    ((answers, contested),) = rows(demo_data, query, root)
    assert (json.loads(answers)["talk"]["people_n"], json.loads(contested or "[]")) == ("6", [])


def test_71_what_was_sent_back_keeps_its_words_in_sight(open_page: OpenPage, demo_data: Path) -> None:
    page = open_page(viewport=NARROW)
    phone = Phone(page)
    phone.enrol("w07")
    phone.log_encounter()
    send(phone)
    office = open_page(viewport=OFFICE)
    sign_in(office, "rexdale.admin")
    newest = "SELECT instance_id FROM record WHERE form = 'encounter' ORDER BY id DESC LIMIT 1"
    ((record,),) = rows(demo_data, newest)
    office.goto(f"/office/records/{record}")
    office.fill("#comment", COMMENT)
    office.get_by_role("button", name="Send back").click()
    expect(office.locator("main")).to_contain_text("Sent back.")
    send_and_fetch(page)
    cut_off(page)
    page.goto("/app/#/today")
    page.locator("section:has(#needs)").get_by_role("button", name="Correct the record").click()
    page.locator('[id="line-talk.people_n"]').click()
    page.locator("summary", has_text="Were you alone?").click()
    expect(page.get_by_text("an hour later.")).to_be_visible()
    assert not [*examine(page, "sent back"), *examine_width(page, "sent back")]
    picture(page, "sent-back")
    page.locator('[id="q-talk.people_n"]').fill("3")
    saved(page)
    page.goto("/app/#/today")
    expect(page.locator("section:has(#needs) .item")).to_have_count(1)  # and nothing more under “Not finished”
    expect(page.locator("#drafts")).to_have_count(0)
    page.get_by_role("button", name="Correct the record").click()
    expect(page.locator("summary", has_text="Were you alone?")).to_be_visible()
    phone.finish()
    page.wait_for_selector(".ledger")
    page.goto("/app/#/today")
    expect(page.locator("#needs")).to_have_count(0)
    connect(page)
    send(phone)
