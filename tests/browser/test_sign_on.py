"""Signing in by a sign-on provider in a real browser, which holds pages and redirects to the content security policy."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Server, sign_in, watch
from tests.sign_on import NAME, RealProvider, real_provider, settings_of

pytestmark = pytest.mark.slow


@pytest.fixture
def data(pristine_demo: Path, tmp_path: Path) -> Path:
    shutil.copytree(pristine_demo, tmp_path / "centre")
    return tmp_path / "centre"


@pytest.fixture
def centre(data: Path) -> Iterator[Server]:
    server = Server(data, "serve")
    with real_provider(server.url) as provider:
        add_provider(server, provider)
        server.start()
        yield server
        server.stop()


def add_provider(server: Server, provider: RealProvider) -> None:
    for name, value in settings_of(provider.issuer).items():
        server.environment[f"FIELDAPP_{name.upper()}"] = value


@pytest.fixture
def context(browser: Browser, centre: Server) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=centre.url, locale="en-CA", viewport={"width": 390, "height": 844})
    context.set_default_timeout(20_000)
    yield context
    context.close()


def answer_there(page: Page, second: bool = False) -> None:
    """Sign in at the provider."""
    expect(page.locator("h1")).to_have_text(NAME)
    page.get_by_label("Name").fill("jane@city")
    if second:
        page.get_by_label("with a second step").check()
    page.get_by_role("button", name="Let me in").click()


def change(data: Path, statement: str) -> None:
    with sqlite3.connect(data / "fieldapp.db", timeout=20) as connection:
        connection.execute(statement)
    connection.close()


def test_an_account_is_linked_opened_confirmed_and_left(context: BrowserContext, data: Path) -> None:
    page = context.new_page()
    errors = watch(page)
    sign_in(page, "rexdale.admin")
    page.goto("/office/account")
    page.get_by_role("link", name="Link my account").click()
    page.get_by_role("link", name=f"Go to {NAME}").click()
    answer_there(page)
    expect(page.get_by_text("Your account there opens this one")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    # The provider knows them in this browser, so one click is enough.
    page.get_by_role("link", name=f"Sign in with {NAME}").click()
    page.wait_for_selector("nav a")
    assert page.url.endswith("/office/")

    # Ten minutes later, at a centre that accepts the provider's second step.
    change(data, "UPDATE centre SET trusts_sign_on = 1")
    change(data, "UPDATE web_session SET second_factor_at = '2026-01-01 00:00:00+00:00' WHERE by_sign_on = 1")
    page.goto("/office/people")
    page.get_by_label("User name").fill("new.worker")
    page.get_by_label("Display name").fill("W-99")
    page.get_by_role("button", name="Add and create a password").click()
    expect(page.locator("h1")).to_have_text("Confirm that it is you")
    with context.expect_page() as opened:
        page.get_by_role("link", name=f"Confirm with {NAME}").click()
    there = opened.value
    errors_there = watch(there)
    answer_there(there, second=True)
    expect(there.locator("h1")).to_have_text("Confirmed")
    there.close()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Write this down now")).to_be_visible()
    expect(page.get_by_text("new.worker").first).to_be_visible()

    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.locator("h1")).to_have_text("You are signed out here")
    page.get_by_role("link", name=f"Sign out of {NAME}, too").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    page.get_by_role("link", name=f"Sign in with {NAME}").click()
    expect(page.locator("h1")).to_have_text(NAME)
    assert not errors + errors_there
