"""Passkeys in a real browser, with its virtual authenticator; and the same pages without scripts, with an app."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PASSWORD, ROOT, Server, watch
from tests.second_steps import code_of

pytestmark = pytest.mark.slow


@pytest.fixture
def data(pristine_demo: Path, tmp_path: Path) -> Path:
    shutil.copytree(pristine_demo, tmp_path / "centre")
    return tmp_path / "centre"


def command(data: Path, *words: str) -> str:
    environment = {**os.environ, "FIELDAPP_DATA": str(data)}
    ran = subprocess.run(
        [sys.executable, "-m", "fieldapp", *words], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return ran.stdout


@pytest.fixture
def centre(data: Path) -> Iterator[Server]:
    command(data, "centre", "two-steps", "rexdale", "on")
    server = Server(data, "serve")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def contexts(browser: Browser) -> Iterator[list[BrowserContext]]:
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


def add_authenticator(page: Page) -> str:
    """Give a page a device with passkeys whose person always agrees; return its id."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    return str(devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"])


def first_step(page: Page, username: str) -> None:
    page.goto("/")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("button.main")
    expect(page.locator("h1")).to_contain_text("Two-step verification")


def one_time_code(data: Path, username: str) -> str:
    found = re.search(r"([a-z2-9]{5}-){2}[a-z2-9]{5}", command(data, "person", "code", "rexdale", username))
    assert found
    return found[0]


def test_a_passkey_is_set_up_signs_in_and_confirms(
    browser: Browser, centre: Server, data: Path, contexts: list[BrowserContext]
) -> None:
    context = browser.new_context(base_url=centre.url)
    contexts.append(context)
    page = context.new_page()
    errors = watch(page)
    asked_elsewhere: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(centre.url) else asked_elsewhere.append(request.url))
    add_authenticator(page)
    first_step(page, "rexdale.admin")
    page.get_by_label("One-time code").fill(one_time_code(data, "rexdale.admin"))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Create a passkey on this device").click()
    expect(page.locator("li.code")).to_have_count(10)
    page.get_by_role("link", name="I have written them down").click()
    expect(page.locator("h1")).to_contain_text("Rexdale centre")
    page.get_by_role("button", name="Sign out").click()
    # The next time: the passkey.
    first_step(page, "rexdale.admin")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("h1")).to_contain_text("Rexdale centre")
    # And before something that reaches far, when some time has passed.
    age_second_steps(data)
    page.goto("/office/people")
    page.get_by_label("User name").fill("nadia")
    page.get_by_label("Display name").fill("Nadia")
    page.get_by_label("Role").select_option("admin")
    page.get_by_role("button", name="Add and create a password").click()
    expect(page.locator("h1")).to_contain_text("Confirm that it is you")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("status").filter(has_text="Write this down now")).to_contain_text("nadia")
    assert not errors
    assert not asked_elsewhere


def age_second_steps(data: Path) -> None:
    """Let all second steps lie an hour back."""
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(data / "fieldapp.db") as database:
        database.execute("UPDATE web_session SET second_factor_at = datetime(second_factor_at, '-1 hour')")
    database.close()


def test_without_scripts_an_app_is_enough(
    browser: Browser, centre: Server, data: Path, contexts: list[BrowserContext]
) -> None:
    context = browser.new_context(base_url=centre.url, java_script_enabled=False, accept_downloads=True)
    contexts.append(context)
    page = context.new_page()
    first_step(page, "rexdale.admin")
    page.get_by_label("One-time code").fill(one_time_code(data, "rexdale.admin"))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Create a passkey on this device")).to_be_hidden()
    page.get_by_text("I cannot scan the code").click()
    key = page.locator("p.code").inner_text()
    page.get_by_label("The code that the app shows now").fill(code_of(key))
    page.get_by_role("button", name="Check the code").click()
    codes = page.locator("li.code").all_inner_texts()
    page.get_by_role("link", name="I have written them down").click()
    age_second_steps(data)
    page.goto("/office/records?form=encounter")
    page.get_by_text("Download these records").click()
    page.get_by_role("button", name="Download all answers").click()
    expect(page.locator("h1")).to_contain_text("Confirm that it is you")
    page.get_by_label("The code that the app shows now").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".error")).to_contain_text("wrong")
    page.get_by_label("The code that the app shows now").fill(codes[0])
    with page.expect_download() as download:
        page.get_by_role("button", name="Continue").click()
    assert download.value.suggested_filename.endswith(".zip")
