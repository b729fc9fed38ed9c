"""What a person agreed to is known on every phone of the worker: shown, asked again on change, and gone at its end."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import examine
from tests.browser.conftest import Phone, Server
from tests.browser.meeting import begin_with_card, choose, finish, meet, slip_on
from tests.browser.steps import connect, cut_off, rows, send, send_and_fetch

pytestmark = pytest.mark.xdist_group("browser: phones")
OpenPage = Callable[..., Page]
DIFFER = "Two of their answers about consent differ. Ask them again."


@pytest.fixture
def library(browser: Browser, server: Server) -> Iterator[Page]:
    """A computer in a library: no script runs on it."""
    context = browser.new_context(base_url=server.url, java_script_enabled=False, locale="en-CA")
    yield context.new_page()
    context.close()


@pytest.fixture
def phones(open_page: OpenPage) -> list[Phone]:
    """Two phones of one worker."""
    two = [Phone(open_page()), Phone(open_page())]
    for phone in two:
        phone.enrol("w01")
    return two


def open_slip(page: Page, slip: str) -> None:
    page.goto("/r")
    page.fill("#slip", slip)
    page.get_by_role("button", name="Show").click()


def read_stored(demo_data: Path, code: str) -> list[dict[str, str]]:
    """Return what the centre stored of consent in the records about a card, in their order."""
    stored = rows(demo_data, "SELECT answers FROM record WHERE person = ? ORDER BY id", code)
    return [json.loads(answers)["consent"] for (answers,) in stored]


def count_statements(demo_data: Path, code: str) -> int:
    ((count,),) = rows(demo_data, "SELECT count(*) FROM consent_word WHERE person = ?", code)
    return int(count)


def meet_on(phone: Phone) -> tuple[str, str]:
    """Meet somebody who says yes to all, and send it; return their card and their slip."""
    code = meet(phone)
    slip = slip_on(phone.page)
    phone.page.get_by_role("button", name="They have it").click()
    phone.page.wait_for_selector(".ledger")
    send(phone)
    return code, slip


def ask_anew(phone: Phone, code: str, tier: str) -> None:
    """Ask the person again, without signal: they say yes to so much."""
    begin_with_card(phone, code)
    phone.next()
    phone.page.get_by_role("button", name="Change consent").click()
    choose(phone.page, {"consent.said": "they_read", "consent.understood": "yes", "consent.tier_said": tier})
    phone.next()
    finish(phone)
    phone.page.get_by_role("button", name="They do not want it").click()
    phone.page.wait_for_selector(".ledger")


def test_66_what_somebody_agreed_to_is_shown_and_asked_again_only_on_change(
    phones: list[Phone], library: Page, demo_data: Path
) -> None:
    first, second = phones
    code, slip = meet_on(first)

    # The second phone shows it, and passes the questions over: no answer about consent is stored.
    send_and_fetch(second.page)
    begin_with_card(second, code)
    second.next()
    line = second.page.locator(".standing")
    expect(second.page.locator("h1")).to_have_text("What was it about?")
    expect(line).to_contain_text("Consent 3 · since ")
    expect(line).to_contain_text("Also count me in public numbers.")
    assert examine(second.page, "standing") == []
    finish(second)
    second.page.wait_for_selector(".ledger")
    send(second)
    as_before = {"known_tier": "3", "said": "as_before", "tier_said": "3", "tier": "3"}
    assert read_stored(demo_data, code)[1] == as_before
    assert count_statements(demo_data, code) == 1

    # They lower it by their slip while the second phone, without signal, goes on with what it knows.
    cut_off(second.page)
    begin_with_card(second, code)
    second.next()
    open_slip(library, slip)
    library.get_by_role("button", name="Only my team").click()
    finish(second)
    second.page.wait_for_selector(".ledger")
    connect(second.page)
    send(second)
    lowered = {"known_tier": "1", "said": "as_before", "tier_said": "1", "tier": "1"}
    assert read_stored(demo_data, code)[2] == lowered
    assert count_statements(demo_data, code) == 2
    begin_with_card(second, code)
    second.next()
    expect(line).to_contain_text("Consent 1 · since ")
    second.page.goto("/app/#/today")

    # Two answers that did not know of each other differ: both phones say so, and ask.
    send_and_fetch(first.page)
    for phone, tier in ((first, "2"), (second, "3")):
        cut_off(phone.page)
        ask_anew(phone, code, tier)
    for phone in (first, second, first):
        connect(phone.page)
        send(phone)
    assert rows(demo_data, "SELECT tier, is_in_doubt FROM standing WHERE person = ?", code) == [(2, 1)]
    begin_with_card(first, code)
    first.next()
    expect(first.page.locator("#main")).to_contain_text(DIFFER)
    expect(first.page.locator("h1")).to_have_text("Consent")


def test_67_a_draft_about_somebody_who_took_everything_back_goes(
    phones: list[Phone], library: Page, demo_data: Path
) -> None:
    first, second = phones
    code, slip = meet_on(first)
    send_and_fetch(second.page)
    begin_with_card(second, code)
    second.next()
    second.page.goto("/app/#/today")
    expect(second.page.locator("#drafts")).to_be_visible()

    open_slip(library, slip)
    library.get_by_role("button", name="See what happens").click()
    library.get_by_role("button", name="Take everything back now").click()
    expect(library.locator("h1")).to_have_text("It is taken back")
    send_and_fetch(second.page)
    second.page.goto("/app/#/today")
    expect(second.page.locator("main")).to_contain_text(
        "1 record that you had begun was erased: its person took everything back."
    )
    expect(second.page.locator("#drafts")).to_have_count(0)
    second.page.get_by_role("button", name="OK").click()
    expect(second.page.locator("main")).not_to_contain_text("was erased")
    assert rows(demo_data, "SELECT count(*) FROM record WHERE person = ?", code) == [(0,)]
