"""Real Chromium against a real server with the demo in it; a server that can be killed and started again."""

import contextlib
import fcntl
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Playwright, expect, sync_playwright

ROOT = Path(__file__).parent.parent.parent
# Each window loads two pages for the list under its address bar, which nobody sees here: two thirds of what a window costs.
ADDRESS_BAR = ["WebUIOmniboxPopup", "WebUIOmniboxAimPopup"]
# What Playwright switches off by itself: the browser takes only the last list that it is given.
BY_PLAYWRIGHT = [
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
]  # fmt: skip
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--force-color-profile=srgb",
    f"--disable-features={','.join([*BY_PLAYWRIGHT, *ADDRESS_BAR])}",
]  # fmt: skip
PHONE = {"width": 360, "height": 740}
PASSWORD = "demo-only-password"
PIN = "246810"
# A PIN costs a phone 600,000 rounds on purpose (client/src/storage/vault.test.ts counts them), a sixth of a second for
# each sign-in and each unlock. The phones of the fixture `kept` go through all of them; the others' tests are of something else.
QUICK_PINS = """
for (const name of window.SubtleCrypto ? ["deriveBits", "deriveKey"] : []) {
  const usual = SubtleCrypto.prototype[name];
  SubtleCrypto.prototype[name] = function (way, ...more) {
    return usual.call(this, way.name === "PBKDF2" ? { ...way, iterations: 1 } : way, ...more);
  };
}
"""


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


class Server:
    """The whole app in its own process, on a port that stays the same when it is started again."""

    def __init__(self, data: Path, command: str = "run"):
        self.command = command  # "serve": without the scheduler
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        # Servers run in UTC, whatever the centre's zone is.
        self.environment = {**os.environ, "TZ": "UTC", "FIELDAPP_DATA": str(data), "FIELDAPP_PORT": str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "fieldapp", self.command], cwd=ROOT, env=self.environment)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise AssertionError("the server did not start")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None


@pytest.fixture(scope="session")
def pristine_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo as it was made, to be copied; whoever comes first makes it."""
    mine = tmp_path_factory.getbasetemp()
    shared = mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine
    made = shared / "demo-made-once"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            unfinished = shared / "demo-unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            environment = {**os.environ, "FIELDAPP_DATA": str(unfinished)}
            for command in (["db", "upgrade"], ["demo", "--seed", "5"]):
                subprocess.run([sys.executable, "-m", "fieldapp", *command], cwd=ROOT, env=environment, check=True)
            make_sign_in_quick(unfinished)
            unfinished.rename(made)
    return made


def make_sign_in_quick(data: Path) -> None:
    """Hash the demo's password at a hundredth of the cost: a hash says itself what checking it costs.

    Passwords that the tests give to newcomers cost what they cost people.
    """
    hashed = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    with contextlib.closing(sqlite3.connect(data / "fieldapp.db")) as connection, connection:
        connection.execute("UPDATE user SET password = ?", (hashed,))


@pytest.fixture(scope="session")
def demo_data(pristine_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo of its own for each process that tests."""
    data = tmp_path_factory.getbasetemp() / "demo"
    shutil.rmtree(data, ignore_errors=True)  # a test that is tried again gets the demo anew
    shutil.copytree(pristine_demo, data)
    return data


@pytest.fixture(scope="session")
def server(demo_data: Path) -> Iterator[Server]:
    made = Server(demo_data)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    made = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
    yield made
    made.close()


def watch(page: Page) -> list[str]:
    """Collect what a page must never do: throw, or break the content security policy."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if "Content Security Policy" in message.text else None)
    return found


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []
    errors: list[list[str]] = []

    def make(locale: str = "en-CA", scheme: str = "light", viewport: dict[str, int] | None = None, scale: int = 1) -> Page:
        context = browser.new_context(
            base_url=server.url, locale=locale, color_scheme=scheme, viewport=viewport or PHONE,  # type: ignore[arg-type]
            timezone_id="America/Toronto", device_scale_factor=scale, accept_downloads=True,
        )  # fmt: skip
        contexts.append(context)
        context.add_init_script(QUICK_PINS)
        page = context.new_page()
        page.set_default_timeout(20_000)
        errors.append(watch(page))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not [error for listed in errors for error in listed]


def sign_in(page: Page, username: str) -> None:
    page.goto("/")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("button.main")
    page.wait_for_selector("nav a")


def without_background(page: Page) -> None:
    """Keep the service worker from sending by itself, where a test lies to the page about what was sent."""
    page.add_init_script(
        "if (window.ServiceWorkerRegistration)"
        " Object.defineProperty(ServiceWorkerRegistration.prototype, 'sync', { get: () => undefined })"
    )


def look_over(page: Page | FrameLocator) -> None:
    """Go to where all answers are looked over, where the form has more than one page."""
    look = page.get_by_role("button", name="Look it over", exact=True)
    finish = page.get_by_role("button", name="Finish", exact=True)
    expect(look.or_(finish)).to_be_visible()
    if look.count():
        look.click()
    expect(finish).to_be_visible()


class Phone:
    """What a worker does on her phone, in her words."""

    def __init__(self, page: Page):
        self.page = page

    def enrol(self, username: str = "w01") -> None:
        self.page.goto("/app/")
        self.enrol_here(username)

    def enrol_here(self, username: str, pin: str = PIN) -> None:
        self.page.fill("#username", username)
        self.page.fill("#password", PASSWORD)
        self.page.fill("#pin", pin)
        self.page.click("button.main")
        self.ready()

    def ready(self) -> None:
        self.page.get_by_text("Ready offline").or_(self.page.get_by_text("Prêt hors ligne")).wait_for()

    def unlock(self) -> None:
        self.page.fill("#pin", PIN)
        self.page.click("button.main")
        self.page.wait_for_selector(".tabs")

    def unlock_form(self) -> None:
        """Type the PIN while a form is open: the same form is there again."""
        self.page.fill("#pin", PIN)
        self.page.click("button.main")
        self.page.wait_for_selector(".question")

    def pick(self, question: str, label: str) -> None:
        self.page.locator(f'[id="q-{question}-set"] label.choice', has_text=label).first.click()

    def next(self) -> None:
        here = self.page.locator("h1").inner_text()
        self.page.click(".foot .main")
        self.page.wait_for_function("(was) => document.querySelector('h1')?.innerText !== was", arg=here)

    def go_to_first_page(self) -> None:
        """Go back over the pages that a card's page or a due item has answered."""
        self.page.wait_for_selector(".question")
        back = self.page.locator(".foot .buttons .btn:not(.main)")
        while back.is_enabled():
            back.click()

    def who_was_there(self, kind: str = "Check-in") -> None:
        """Answer the first page of an encounter that is open; the next one asks who was there."""
        self.go_to_first_page()
        self.pick("what.contact_type", kind)
        self.next()

    def what_was_it_about(self, consent: str = "Keep notes") -> None:
        """Answer the pages after that: consent where somebody is to be asked, risk, time and the place."""
        page = self.page
        self.next()
        if page.locator('[id="q-consent.said-set"]').count():
            self.pick("consent.said", "I read it out")
            self.pick("consent.understood", "Yes")
            self.pick("consent.tier_said", consent)
            self.next()
        self.pick("talk.risk_now", "Low")
        self.pick("talk.minutes", "5–15 min")
        self.next()
        if page.locator("input[type=search]").count():
            page.fill("input[type=search]", "olive")
            page.locator("label.choice", has_text="Mount Olive").click()
        self.pick("when_where.setting", "Street")
        self.next()

    def look_over(self) -> None:
        """Go on from the last question to the button that finishes the record; a form of one page has it there."""
        look_over(self.page)

    def finish(self) -> None:
        self.look_over()
        self.page.get_by_role("button", name="Finish").click()

    def log_encounter(self, kind: str = "Check-in", finish: bool = True) -> None:
        page = self.page
        page.goto("/app/#/today")
        page.get_by_role("link", name="Log an encounter").click()
        page.locator(".kinds a", has_text=kind).click()
        page.wait_for_selector('[id="q-people.who-set"]')
        self.pick("people.who", "Group")
        self.what_was_it_about()
        if finish:
            self.finish()
            page.wait_for_selector(".ledger")

    def ledger(self) -> dict[str, int]:
        self.page.goto("/app/#/mine")
        self.page.wait_for_selector("h1:has-text('Mine')")
        rows = self.page.locator(".ledger div").all()
        return {row.locator("dt").inner_text(): int(row.locator("dd").inner_text()) for row in rows}


class KeptPhone:
    """A phone whose browser can be closed and opened again, with all that it stored."""

    def __init__(self, playwright: Playwright, folder: Path, url: str, locale: str = "en-CA", has_quick_pins: bool = False):
        self.playwright, self.folder, self.url, self.locale = playwright, folder, url, locale
        self.has_quick_pins = has_quick_pins
        self.errors: list[str] = []

    def open(self) -> Phone:
        self.context = self.playwright.chromium.launch_persistent_context(
            str(self.folder), executable_path=chromium(), args=ARGUMENTS, viewport=PHONE, base_url=self.url,  # type: ignore[arg-type]
            locale=self.locale, timezone_id="America/Toronto",
        )  # fmt: skip
        if self.has_quick_pins:
            self.context.add_init_script(QUICK_PINS)
        page = self.context.pages[0]
        page.set_default_timeout(20_000)
        self.errors = watch(page)
        return Phone(page)

    def close(self) -> None:
        self.context.close()
        assert not self.errors

    def kill(self) -> None:
        """Kill the browser with all its processes, as an empty battery would."""
        mine = f"user-data-dir={self.folder}"
        subprocess.run(["pkill", "-KILL", "-f", mine], check=True)
        end = time.monotonic() + 10
        while subprocess.run(["pgrep", "-f", mine], stdout=subprocess.DEVNULL).returncode == 0:
            assert time.monotonic() < end, "the browser did not die"
            time.sleep(0.05)
        (self.folder / "SingletonLock").unlink(missing_ok=True)


@pytest.fixture
def kept(playwright: Playwright, tmp_path: Path, server: Server) -> Iterator[KeptPhone]:
    yield KeptPhone(playwright, tmp_path / "profile", server.url)
    if server.process is None:
        server.start()
