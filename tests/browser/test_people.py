"""A person's page, and the labels of cards on a new phone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import examine
from tests.browser.conftest import Phone
from tests.browser.steps import painted, rows, send_and_fetch

pytestmark = pytest.mark.xdist_group("browser: together")
OpenPage = Callable[..., Page]
# Nothing covers the first match: neither the foot of the form nor the keyboard.
FIRST_IS_IN_SIGHT = """() => {
  const choice = document.querySelector("[type=search] ~ .choices .choice");
  if (!choice) return false;
  const { left, top, bottom } = choice.getBoundingClientRect();
  const seen = document.elementFromPoint(left + 20, (top + bottom) / 2);
  return top >= 0 && bottom <= innerHeight && choice.contains(seen);
}"""
LABEL = "red cap, Tuesday gym"


def test_a_persons_page_and_its_label_on_the_next_phone(open_page: OpenPage, demo_data: Path) -> None:
    lost = Phone(open_page())
    lost.enrol("w01")
    page = lost.page
    send_and_fetch(page)
    page.goto("/app/#/people")
    card = page.locator("a.btn.between").first
    address = card.get_attribute("href") or ""
    code = address.removeprefix("#/card/")
    card.click()
    expect(page.locator("dl")).to_contain_text("Last contacts")
    page.fill("#label", LABEL)
    page.get_by_role("button", name="Save the name").click()
    expect(page.locator("h1")).to_have_text(LABEL)
    expect(page).to_have_title("Card · fieldapp")  # what a browser's history keeps says nothing of anybody
    assert examine(page, "a person's page") == []
    send_and_fetch(page)

    ((kept,),) = rows(demo_data, "SELECT body FROM feed_item WHERE key = ? AND body != ''", f"label/{code}")
    assert len(str(kept)) == 382
    assert LABEL not in str(kept)

    page.goto(f"/app/{address}")
    page.get_by_role("link", name="Log an encounter").click()
    page.wait_for_selector(".question")
    page.get_by_role("button", name="‹ Encounter").click()  # the kind and the person stand already
    painted(page)
    page.context.close()

    new = Phone(open_page())
    new.enrol("w01")
    send_and_fetch(new.page)
    new.page.goto("/app/#/people")
    new.page.fill("#find", "tuesday")
    expect(new.page.locator("a.btn.between")).to_have_count(1)
    expect(new.page.locator("a.btn.between")).to_contain_text(LABEL)
    new.page.fill("#find", code[-4:])
    expect(new.page.locator("a.btn.between")).to_contain_text(LABEL)


def test_the_first_matches_of_a_search_stand_above_the_keyboard(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w12")
    page = phone.page
    page.goto("/app/#/start/mediation")
    page.wait_for_selector("input[type=search]")
    page.set_viewport_size({"width": 360, "height": 360})  # what the keyboard leaves
    page.locator("input[type=search]").click()
    page.keyboard.type("mount")
    page.wait_for_function(FIRST_IS_IN_SIGHT)
    assert page.locator("[type=search] ~ .choices .choice").first.inner_text().startswith("Mount")
