"""What a worker works with: place, cards, follow-ups, consent, warnings, looks, an iPhone's way in."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import examine, examine_width, find_violations
from tests.browser.conftest import PASSWORD, ROOT, KeptPhone, Phone, Server
from tests.browser.steps import assert_not_in_clear, cut_off, painted, saved, shift
from tests.programme import definition_of

pytestmark = pytest.mark.xdist_group("browser: phones")
OpenPage = Callable[..., Page]
OFFICE = {"width": 1180, "height": 900}


def city_of(codes: list[str]) -> bytes:
    """Squares of a synthetic city side by side, one for each code of the programme's list."""
    features = []
    for number, code in enumerate(codes):
        west, south = 20 + 0.02 * (number % 13), 10 + 0.02 * (number // 13)
        ring = [[west, south], [west + 0.02, south], [west + 0.02, south + 0.02], [west, south + 0.02], [west, south]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"AREA_SHORT_CODE": code}, "geometry": shape})
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_41_one_fix_becomes_a_neighbourhood_and_is_forgotten(
    kept: KeptPhone, server: Server, demo_data: Path, tmp_path: Path
) -> None:
    codes = [choice.name for choice in definition_of("encounter").choices["nbhd158"]]
    with sqlite3.connect(demo_data / "fieldapp.db") as connection:
        before = connection.execute("SELECT * FROM area_set").fetchall()
    outlines = tmp_path / "city.geojson"
    outlines.write_bytes(city_of(codes))
    command = ["geo", "import", str(outlines), "--centre", "rexdale", "--attribution", "Synthetic city"]
    subprocess.run([sys.executable, "-m", "fieldapp", *command], cwd=ROOT, env=server.environment, check=True)
    phone = kept.open()
    page = phone.page
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 20.0271828, "latitude": 10.0131415, "accuracy": 20})
    phone.enrol("w02")
    page.goto("/app/#/start/encounter")
    page.wait_for_selector(".question")
    phone.pick("what.contact_type", "Check-in")
    phone.next()
    phone.pick("people.who", "Group")
    phone.next()
    phone.pick("talk.risk_now", "Low")
    phone.pick("talk.minutes", "5–15 min")
    phone.next()
    page.get_by_role("button", name="Use my place").click()
    second = definition_of("encounter").choices["nbhd158"][1].label["en"]
    expect(page.locator('[id="q-when_where.nbhd-set"]')).to_contain_text(str(second))
    page.context.set_geolocation({"longitude": 0.1, "latitude": 0.1, "accuracy": 20})
    page.get_by_role("button", name="Use my place").click()
    expect(page.locator("main")).to_contain_text("This place is in none of the areas")
    page.context.set_geolocation({"longitude": 20.03999, "latitude": 10.0131415, "accuracy": 60})
    page.get_by_role("button", name="Use my place").click()
    expect(page.locator("main")).to_contain_text("You are in or near one of these")
    saved(page)
    kept.close()
    assert_not_in_clear(kept.folder, "20.0271828", "10.0131415", "20.0271", "10.01314")
    with sqlite3.connect(demo_data / "fieldapp.db") as connection:
        connection.execute("DELETE FROM area_set")
        marks = ", ".join("?" for _ in before[0])
        connection.executemany(f"INSERT INTO area_set VALUES ({marks})", before)  # other tests read the demo's own


def test_42_due_follow_ups_come_back_on_their_day(open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    phone = Phone(page)
    phone.enrol("w03")
    page.goto("/app/#/people")
    page.get_by_role("button", name="Create a new card").click()
    page.wait_for_selector(".qr")
    code = page.locator(".big").inner_text()
    page.fill("#label", "red cap")
    page.get_by_role("button", name="Save the name").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.locator("footer .btn.main").click()
    phone.who_was_there()
    assert page.locator("input[value=enrolled]").is_checked()
    assert page.locator('[id="q-people.code"]').input_value().replace("-", "") == code.replace("-", "")
    phone.what_was_it_about()
    phone.pick("next.next_due", "Tomorrow")
    phone.finish()
    page.get_by_role("button", name="They do not want it").click()
    page.wait_for_selector(".ledger")
    page.goto("/app/#/today")
    due = page.locator("section:has(#due) > .item", has_text=code)
    expect(page.locator("#due, .empty, footer .btn.main").first).to_be_visible()
    expect(due).to_have_count(0)
    shift(page, 2)
    page.reload()
    phone.unlock()
    page.goto("/app/#/today")
    expect(due).to_contain_text(f"{code} · red cap")
    expect(due).to_contain_text("1 day past due")
    due.get_by_role("link").click()
    page.wait_for_selector(".question")
    page.goto("/app/#/today")
    page.once("dialog", lambda dialog: dialog.accept())
    due.get_by_role("button", name="Not needed").click()
    expect(due).to_have_count(0)


def test_43_a_note_that_points_to_a_person_is_questioned(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w04")
    phone.log_encounter(finish=False)
    page = phone.page
    page.fill("textarea", "quiet, back on Friday")
    expect(page.get_by_text("This seems to contain")).to_have_count(0)
    page.fill("textarea", "he lives at 12 Kipling Ave, call 416-555-0199")
    expect(page.locator("main")).to_contain_text("This seems to contain a phone number, an address")


def test_44_consent_is_read_in_their_language_and_the_form_is_offered_in_its_own(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w05")
    page = phone.page
    page.goto("/app/#/start/encounter")
    phone.who_was_there("First contact")
    phone.pick("people.who", "New person")
    phone.next()
    card = page.locator(".consent")
    for code, word, direction in [
        ("en", "health centre", "ltr"), ("fr", "centre de santé", "ltr"), ("ar", "المركز الصحي", "rtl"),
        ("so", "xarunta caafimaadka", "ltr"), ("es", "centro de salud", "ltr"), ("ta", "சுகாதார", "ltr"),
        ("pt", "centro de saúde", "ltr"),
    ]:  # fmt: skip
        card.locator("select").select_option(code)
        expect(card.locator("blockquote")).to_contain_text(word)
        assert card.locator("blockquote").get_attribute("dir") == direction
        assert card.locator("blockquote").get_attribute("lang") == code
    # The form itself is in English and French: only those are offered for it.
    expect(page.locator("header select")).to_have_count(0)
    card.locator("select").select_option("ar")
    page.set_viewport_size({"width": 320, "height": 640})
    assert examine(page, "consent in Arabic") == []
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert examine_width(page, "consent in Arabic at 200 %") == []
    page.evaluate("document.documentElement.style.fontSize = ''")
    expect(page.locator('[id="q-consent.said-set"] legend')).to_contain_text("How did you ask?")


def test_45_an_iphone_in_the_browser_is_shown_the_way_to_the_home_screen(
    browser: Any, server: Server, open_page: OpenPage
) -> None:
    agent = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 Mobile/15E148 Safari/604.1"
    )
    context = browser.new_context(base_url=server.url, user_agent=agent, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto("/app/")
    expect(page.locator("h1")).to_have_text("First put the app on your home screen")
    expect(page.locator("#username")).to_have_count(0)
    assert examine(page, "iPhone") == []
    page.get_by_role("button", name="Continue in the browser anyway").click()
    expect(page.locator("#username")).to_be_visible()
    context.close()


def test_46_bright_sun_has_the_strongest_contrast(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w06")
    page = phone.page
    page.goto("/app/#/mine")
    page.locator("label.choice", has_text="Bright sun").click()
    for place in ("today", "new", "people", "start/encounter", "mine"):
        before = page.locator("h1").inner_text()
        page.goto(f"/app/#/{place}")
        page.wait_for_function("(was) => document.querySelector('h1')?.innerText !== was", arg=before)
        painted(page)
        found = find_violations(page, {"runOnly": ["color-contrast-enhanced"]})
        assert not found, [node["html"] for one in found for node in one["nodes"]]


def test_47_a_code_that_is_none_of_ours_and_an_easy_pin_are_refused_in_words(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/app/")
    for pin, said in [("123456", "too easy"), ("111111", "too easy"), ("12ab56", "6 to 12 digits")]:
        page.fill("#username", "w07")
        page.fill("#password", PASSWORD)
        page.fill("#pin", pin)
        page.click("button.main")
        expect(page.get_by_role("alert")).to_contain_text(said)
    phone = Phone(page)
    phone.enrol("w07")
    page.goto("/app/#/card/NOTACODE1")
    expect(page.locator("h1")).to_have_text("This card is not on your list")
    page.goto("/app/#/card/%")
    expect(page.locator("h1")).to_have_text("This card is not on your list")
    page.goto("/app/#/start/no_such_form")
    expect(page.locator("h1")).to_have_text("This form is not on the phone")
    page.goto("/app/#/fill/3f0e5a52-52f4-4d1c-9b7e-0d6f5a4b3c2d")
    expect(page.locator("h1")).to_have_text("This is not on the phone")


SCANNER = """
window.BarcodeDetector = class { detect() { return Promise.resolve(window.inSight ? [{ rawValue: window.inSight }] : []); } };
navigator.mediaDevices.getUserMedia = () => {
    const canvas = document.createElement("canvas");
    setInterval(() => canvas.getContext("2d").fillRect(0, 0, Math.random() * 99, 9), 50);
    return Promise.resolve(canvas.captureStream());
};
"""


def test_48_the_camera_takes_our_cards_and_says_so_of_others(open_page: OpenPage) -> None:
    """The detector is the phone's own and this Chromium has none: what it sees is given here."""
    page = open_page()
    page.add_init_script(SCANNER)
    phone = Phone(page)
    phone.enrol("w08")
    page.goto("/app/#/people")
    page.get_by_role("button", name="Create a new card").click()
    page.wait_for_selector(".qr")
    code = page.locator(".big").inner_text()
    page.goto("/app/#/start/encounter")
    phone.who_was_there()
    phone.pick("people.who", "Enrolled")
    page.get_by_role("button", name="Scan the card").click()
    page.evaluate("window.inSight = 'https://example.org/menu'")
    expect(page.locator("main")).to_contain_text("This is not one of our cards. Try again, or type the code in.")
    assert page.locator('[id="q-people.code"]').input_value() == ""
    page.evaluate(f"window.inSight = {code!r}")
    page.get_by_role("button", name="Scan the card").click()
    expect(page.locator('[id="q-people.code"]')).to_have_value(code.replace("-", ""))


def test_the_usual_kinds_are_one_tap_away_and_what_is_due_stays_in_sight(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    page = phone.page
    phone.enrol("w05")
    cut_off(page)
    for _ in range(3):
        phone.log_encounter("Calmed")
    page.goto("/app/#/today")
    usual = page.get_by_role("group", name="What I log most").get_by_role("link")
    expect(usual).to_have_text(["Calmed a situation"])
    due = page.locator("section:has(#due) > .item a").first.bounding_box()
    foot = page.locator(".foot").bounding_box()
    assert due and foot and due["y"] + due["height"] < foot["y"]

    # Help opens in place, by the keyboard too and without signal.
    page.get_by_role("button", name="Help: Due").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tap a line to log what is due.")).to_be_visible()
    # What lies half under the foot can be scrolled to; axe would take its other half for a target that is too small.
    page.evaluate("document.getElementById('app').style.setProperty('--stick', '-99rem')")
    assert not examine(page, "today with help")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tap a line to log what is due.")).to_have_count(0)

    usual.click()
    expect(page.locator("h1")).to_have_text("Who was there?")
