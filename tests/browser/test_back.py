"""The phone's own Back, Hide and the PIN, on every screen on which a record is filled in, finished and changed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PIN, Phone
from tests.browser.steps import balanced, connect, cut_off, rows, saved, send

OpenPage = Callable[..., Page]
pytestmark = pytest.mark.xdist_group("chains")
GONE = "This is not on the phone"


def expect_title(page: Page, title: str) -> None:
    expect(page.locator("h1")).to_have_text(title)


def hide_and_return(page: Page) -> float:
    """Hide, tap on the clock and type the PIN: the same screen is there. Return where Hide stands."""
    hide = page.get_by_role("button", name="Hide")
    box = hide.bounding_box()
    assert box is not None
    title = page.locator("h1").inner_text()
    hide.click()
    page.locator(".clock button").click()
    expect(page.locator("#pin")).to_be_visible()
    assert page.url.endswith("#/today")  # nothing says where they were
    page.fill("#pin", PIN)
    page.click("button.main")
    expect_title(page, title)
    return round(box["x"] + box["width"])


def read_sent(demo_data: Path, worker: str) -> list[dict[str, object]]:
    query = (
        "SELECT s.body FROM submission s JOIN user u ON u.id = s.author_id WHERE u.username = ? AND s.form = 'encounter'"
        " AND s.device_id = (SELECT max(id) FROM device WHERE user_id = u.id) ORDER BY s.id"
    )
    return [json.loads(body) for (body,) in rows(demo_data, query, worker)]


def test_90_back_leads_to_a_screen_that_makes_sense_wherever_one_is(open_page: OpenPage) -> None:
    page = open_page()
    phone = Phone(page)
    phone.enrol("w06")
    cut_off(page)
    phone.log_encounter(finish=False)
    phone.look_over()
    expect_title(page, "This is what you send")
    page.locator('[id="line-talk.people_n"]').click()
    expect_title(page, "What was it about?")
    page.go_back()  # one tap back to where all is looked over
    expect_title(page, "This is what you send")
    page.go_forward()
    expect_title(page, "What was it about?")
    page.get_by_role("button", name="Look it over").click()
    expect_title(page, "This is what you send")
    page.go_back()
    expect_title(page, "What comes next?")
    page.go_forward()
    phone.finish()

    expect_title(page, "Saved on this phone")
    page.go_back()
    expect_title(page, "What happened?")  # where the record was begun
    page.go_forward()
    expect_title(page, "Saved on this phone")
    page.get_by_role("button", name="Change the record").click()
    expect_title(page, "This is what you send")
    page.reload()
    page.fill("#pin", PIN)
    page.click("button.main")
    expect_title(page, "This is what you send")
    phone.finish()
    expect_title(page, "Saved on this phone")
    for _ in range(2):
        page.go_back()
        expect_title(page, "What happened?")
        page.go_forward()
        expect_title(page, "Saved on this phone")

    page.goto("/app/#/mine")
    page.get_by_role("link", name="Encounter", exact=True).click()
    expect_title(page, "Encounter")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Change the record").click()
    expect_title(page, "This is what you send")
    page.get_by_role("button", name="Delete the draft").click()
    expect_title(page, "Today")
    page.go_back()
    expect_title(page, "Mine")  # from which the record was opened
    balanced(phone, deleted=1)


def test_91_a_practice_record_goes_one_page_back_too(open_page: OpenPage) -> None:
    page = open_page()
    phone = Phone(page)
    phone.enrol("w12")
    page.goto("/app/#/practice")
    phone.pick("what.contact_type", "Check-in")
    phone.next()
    phone.pick("people.who", "Group")
    phone.next()
    page.go_back()
    expect_title(page, "Who was there?")
    page.go_back()
    expect_title(page, "What happened?")
    assert page.locator("input[value=check_in]").is_checked()
    page.go_forward()
    expect_title(page, "Who was there?")
    page.go_forward()
    phone.pick("talk.risk_now", "Low")
    phone.pick("talk.minutes", "5–15 min")
    phone.next()
    page.fill("input[type=search]", "olive")
    page.locator("label.choice", has_text="Mount Olive").click()
    phone.pick("when_where.setting", "Street")
    phone.finish()
    expect_title(page, "Practice finished")
    page.go_back()
    expect(page.locator("h1")).not_to_have_text(GONE)
    page.go_forward()
    expect_title(page, "Practice finished")


def test_92_hide_stands_in_one_place_and_leads_back_to_the_same_screen(open_page: OpenPage) -> None:
    page = open_page()
    phone = Phone(page)
    phone.enrol("w08")
    cut_off(page)
    places = [hide_and_return(page)]
    page.goto("/app/#/people")
    page.get_by_role("button", name="Create a new card").click()
    page.wait_for_selector(".qr")
    places.append(hide_and_return(page))
    expect(page.locator(".qr")).to_be_visible()
    page.goto("/app/#/new")
    places.append(hide_and_return(page))
    page.locator(".kinds a", has_text="Check-in").click()
    phone.pick("people.who", "Group")
    phone.what_was_it_about()
    page.fill("textarea", "the usual corner")
    saved(page)
    places.append(hide_and_return(page))
    expect(page.locator("textarea")).to_have_value("the usual corner")
    phone.look_over()
    places.append(hide_and_return(page))
    page.locator('[id="line-talk.people_n"]').click()
    places.append(hide_and_return(page))
    page.get_by_role("button", name="Look it over").click()
    page.wait_for_function("() => !history.state.isReview")  # the history follows once the answers are written
    page.go_back()
    expect_title(page, "What comes next?")  # the history is as it was before all that
    page.go_forward()
    phone.finish()
    expect_title(page, "Saved on this phone")
    places.append(hide_and_return(page))
    page.goto("/app/#/mine")
    page.get_by_role("link", name="Encounter", exact=True).click()
    expect(page.locator("main")).to_contain_text("the usual corner")
    places.append(hide_and_return(page))
    expect(page.locator("main")).to_contain_text("the usual corner")
    connect(page)
    send(phone)
    page.get_by_role("button", name="Correct: Encounter").click()
    expect_title(page, "This is what you send")
    places.append(hide_and_return(page))
    assert len(set(places)) == 1, places


def test_93_a_no_by_mistake_is_undone_and_a_yes_is_stored_whole(open_page: OpenPage, demo_data: Path) -> None:
    page = open_page()
    phone = Phone(page)
    phone.enrol("w09")
    phone.log_encounter("Practical support")  # so that the phone remembers a place
    page.goto("/app/#/new")
    page.locator(".kinds a", has_text="First contact").click()
    page.wait_for_selector('[id="q-consent.said-set"]')
    phone.pick("consent.said", "I read it out")
    phone.pick("consent.understood", "Yes")
    phone.pick("consent.tier_said", "Keep notes")
    phone.next()
    phone.pick("talk.risk_now", "Low")
    phone.pick("talk.minutes", "5–15 min")
    phone.next()
    phone.next()
    page.fill("textarea", "CANARYUNDONE two of them")
    saved(page)
    for _ in range(3):
        page.get_by_role("button", name="Back", exact=True).click()
    expect_title(page, "Consent")
    phone.pick("consent.tier_said", "Nothing today")
    phone.finish()
    expect(page.get_by_text("You can undo this for a minute.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    page.go_back()  # at once, while it is still being taken back
    page.go_forward()
    while page.locator("h1").inner_text() != "Consent":
        page.get_by_role("button", name="Back", exact=True).click()
    phone.pick("consent.tier_said", "Keep notes")
    phone.look_over()
    for answer in ("Low", "5–15 min", "CANARYUNDONE two of them"):
        expect(page.locator("main")).to_contain_text(answer)
    page.get_by_role("button", name="Finish").click()
    page.locator(".ledger, .qr").first.wait_for()
    if page.locator(".qr").count():
        page.get_by_role("button", name="They do not want it").click()
    page.wait_for_selector(".ledger")
    send(phone)
    balanced(phone, centre=2)
    first, second = read_sent(demo_data, "w09")
    assert second["consent"] == {"said": "read_out", "understood": "yes", "tier_said": "1", "tier": "1"}
    assert second["people"] == {"who": "new_person"}
    assert (second["talk"]["risk_now"], second["talk"]["minutes"]) == ("low", "5_15")  # type: ignore[index]
    assert second["next"]["note"] == "CANARYUNDONE two of them"  # type: ignore[index]
    assert first["people"] == {"who": "group"}
