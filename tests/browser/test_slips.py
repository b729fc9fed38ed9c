"""A slip from the phone to a library's computer: made without signal, read without cookie and script, and what it lowers."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import examine
from tests.browser.conftest import PIN, KeptPhone, Phone, Server
from tests.browser.meeting import meet, slip_on
from tests.browser.steps import assert_not_in_clear, balanced, connect, cut_off, rows, send

pytestmark = pytest.mark.xdist_group("browser: phones")
OpenPage = Callable[..., Page]


@pytest.fixture
def library(browser: Browser, server: Server) -> Iterator[Page]:
    """A computer in a library: no script runs on it, and no cookie is there."""
    context = browser.new_context(base_url=server.url, java_script_enabled=False, locale="en-CA")
    yield context.new_page()
    assert context.cookies() == []
    context.close()


def standing_of(demo_data: Path, code: str) -> int:
    ((tier,),) = rows(demo_data, "SELECT tier FROM standing WHERE person = ?", code)
    return int(tier)


def test_62_a_slip_made_without_signal_is_read_and_lowered_on_a_library_computer(
    open_page: OpenPage, library: Page, demo_data: Path
) -> None:
    phone = Phone(open_page())
    phone.enrol("w01")
    cut_off(phone.page)
    code = meet(phone)
    slip = slip_on(phone.page)
    expect(phone.page.locator("main")).to_contain_text("/r")
    library.goto("/r")
    library.fill("#slip", slip)
    library.get_by_role("button", name="Show").click()
    expect(library.get_by_role("alert")).to_contain_text("We do not know this slip")  # it has not arrived
    phone.page.get_by_role("button", name="They have it").click()
    phone.page.wait_for_selector(".ledger")
    expect(phone.page.locator("body")).not_to_contain_text(slip[:4])
    expect(phone.page.locator("main")).to_contain_text("You can correct it, but not take it back.")
    expect(phone.page.get_by_role("button", name="Undo")).to_have_count(0)
    phone.page.goto("/app/#/mine")
    expect(phone.page.get_by_role("button", name="Correct: Encounter")).to_be_visible()
    expect(phone.page.get_by_role("button", name="Delete: Encounter")).to_have_count(0)
    connect(phone.page)
    send(phone)
    assert standing_of(demo_data, code) == 3

    library.goto("/r")
    expect(library).to_have_title("Information")
    library.fill("#slip", slip.lower().replace(" ", "-"))
    library.get_by_role("button", name="Show").click()
    expect(library.locator("h1")).to_have_text("What you agreed to")
    expect(library.locator("main")).to_contain_text("You are also in public totals.")
    assert code not in library.content() and slip.replace(" ", "") not in library.content()
    assert library.url.endswith("/r")
    library.get_by_role("button", name="Only my team").click()
    expect(library.get_by_role("status")).to_contain_text("It is done")
    assert library.url.endswith("/r")
    assert standing_of(demo_data, code) == 1

    ((told,),) = rows(demo_data, "SELECT body FROM feed_item WHERE key = ?", f"card/{code}")
    assert json.loads(told)["tier"] == "1"
    send(phone)  # and the phone takes it
    balanced(phone, centre=1)
    stored = (demo_data / "fieldapp.db").read_bytes() + (demo_data / "fieldapp.db-wal").read_bytes()
    assert slip.replace(" ", "").encode() not in stored


def test_63_whoever_does_not_want_a_slip_has_none(open_page: OpenPage, demo_data: Path) -> None:
    before = rows(demo_data, "SELECT count(*) FROM slip")
    phone = Phone(open_page())
    phone.enrol("w04")
    code = meet(phone)
    phone.page.get_by_role("button", name="They do not want it").click()
    phone.page.wait_for_selector(".ledger")
    send(phone)
    assert standing_of(demo_data, code) == 3
    assert rows(demo_data, "SELECT count(*) FROM slip") == before


def test_64_a_phone_that_dies_while_it_shows_a_slip_loses_nothing_and_keeps_no_slip(kept: KeptPhone) -> None:
    phone = kept.open()
    phone.enrol("w05")
    meet(phone)
    first = slip_on(phone.page)
    kept.kill()
    phone = kept.open()
    phone.page.goto("/app/")
    phone.page.fill("#pin", PIN)
    phone.page.click("button.main")
    phone.finish()
    phone.page.wait_for_selector(".qr")
    second = slip_on(phone.page)
    assert second != first
    phone.page.get_by_role("button", name="They have it").click()
    phone.page.wait_for_selector(".ledger")
    kept.close()
    for slip in (first, second):
        assert_not_in_clear(kept.folder, slip, slip.replace(" ", ""), slip.replace(" ", "-"))


@pytest.mark.parametrize(("locale", "scheme"), [("en-CA", "light"), ("fr-CA", "dark")])
def test_a_slip_and_its_page_are_for_everyone(open_page: OpenPage, locale: str, scheme: str) -> None:
    page = open_page(locale, scheme, {"width": 320, "height": 640})
    phone = Phone(page)
    phone.enrol("w06" if scheme == "light" else "w07")
    meet(phone)
    slip = slip_on(page)
    found = examine_large_too(page, "slip")
    assert focus_order(page) == ["button.hide", "button.btn", "button.btn main wide", "button.btn wide"]
    for direction in ("rtl", "ltr"):
        page.evaluate("(direction) => { document.documentElement.dir = direction; }", direction)
        found += examine_large_too(page, f"slip {direction}")
        assert slip_on(page) == slip
    page.locator(".foot .main").click()
    page.wait_for_selector(".ledger")
    send_in_any_language(page)
    for language in ("en", "fr", "ar", "ta"):
        page.goto(f"/r?lang={language}")
        found += examine_large_too(page, f"/r in {language}")
        page.fill("#slip", "0000")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]")
        found += examine_large_too(page, f"/r in {language}, unknown")
        page.fill("#slip", slip)
        page.keyboard.press("Enter")
        page.wait_for_selector("input[name=ticket]", state="attached")
        found += examine_large_too(page, f"/r in {language}, shown")
        assert focus_order(page)[0] == "a.btn danger"
    assert not found, "\n".join(found)


def examine_large_too(page: Page, where: str) -> list[str]:
    found = examine(page, where)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found += [one for one in examine(page, f"{where} at 200 %") if "over the edge" in one]
    page.evaluate("document.documentElement.style.fontSize = ''")
    return found


def send_in_any_language(page: Page) -> None:
    page.goto("/app/#/mine")
    page.get_by_role("button", name=re.compile("Sync now|Synchroniser")).click()
    expect(page.locator("main")).to_contain_text(re.compile("All sent|Tout est"))


def focus_order(page: Page) -> list[str]:
    """Return what the Tab key reaches, in its order."""
    selector = "a[href], button, input:not([type=hidden])"
    script = "(all) => all.filter((one) => one.offsetParent).map((one) => `${one.localName}.${one.className}`)"
    found: list[str] = page.locator(selector).evaluate_all(script)
    return found
