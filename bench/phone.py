"""The phone app as a worker meets it: first visit on a bad line, and a start without signal.

The peers' figures are those of the same Chromium on the same conditions (a form of 40 questions, no sign-in), measured
earlier: Enketo 9.0.1 and ODK Web Forms 0.22.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

from bench.forms import SLOW, Site
from tests.browser.conftest import ARGUMENTS, PASSWORD, PHONE, PIN, ROOT, Server
from tests.programme import definition_of

Row = tuple[str, str, str, str]
ENKETO, ODK = "Enketo 9.0.1", "ODK WF 0.22"


def slow(page: Page, network: bool) -> None:
    cdp = page.context.new_cdp_session(page)
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    if network:
        cdp.send("Network.enable")
        cdp.send("Network.emulateNetworkConditions", SLOW)


SEEN = """
window.seen = {};
const wanted = {gate: '#username', pin: '#pin', today: '.foot a.btn.main', question: '[id="q-what.contact_type-set"] label.choice, .kinds a'};
const look = () => {
  for (const [name, selector] of Object.entries(wanted))
    if (!(name in window.seen) && document.querySelector(selector)) {
      window.seen[name] = 0;
      requestAnimationFrame(() => setTimeout(() => { window.seen[name] = performance.now(); }));
    }
};
new MutationObserver(look).observe(document, { childList: true, subtree: true });
"""


def seen(page: Page, name: str) -> float:
    """Return when something was drawn, in seconds since the page was asked for, by the page's own clock.

    The driver looks only afterwards: what it puts into a page takes longer to parse than the whole gate.
    """
    for _ in range(200):
        page.wait_for_timeout(250)
        if found := page.evaluate(f"window.seen[{name!r}]"):
            return float(found) / 1000
    raise AssertionError(f"{name} never came")


def after(page: Page, act: str, name: str) -> float:
    """Do something in the page; return the seconds until what it leads to is drawn."""
    start = page.evaluate(f"() => {{ delete window.seen[{name!r}]; const now = performance.now(); {act}; return now; }}")
    return seen(page, name) - float(start) / 1000


TAP = "document.querySelector({!r}).click()"
TYPE = (
    "for (const [id, text] of Object.entries({})) {{ const field = document.getElementById(id); field.value = text; "
    "field.dispatchEvent(new Event('input', {{bubbles: true}})); }}"
)
GO, LOG = TAP.format("button.main"), TAP.format(".foot a.btn.main")


def first_form(browser: Any) -> float:
    """The page of the encounter form alone, as the peers were measured: no sign-in."""
    site = Site()
    site.show(definition_of("encounter"))
    took = []
    for _ in range(3):
        page = browser.new_context(viewport=PHONE).new_page()
        page.add_init_script(SEEN)
        slow(page, network=True)
        page.goto(site.url, wait_until="commit")
        took.append(seen(page, "question"))
        page.context.close()
    return statistics.median(took)


def first_visit(browser: Any, server: Server) -> tuple[float, float, float]:
    """The whole first visit of a worker: address to sign-in, sign-in to Today with its forms, tap to first question."""
    took = []
    for _ in range(3):
        page = browser.new_context(viewport=PHONE, base_url=server.url).new_page()
        page.add_init_script(SEEN)
        slow(page, network=True)
        page.goto("/app/", wait_until="commit")
        gate = seen(page, "gate")
        page.wait_for_timeout(4000)  # typing name, password and PIN takes longer than this
        page.evaluate(TYPE.format({"username": "w01", "password": PASSWORD, "pin": PIN}))
        signed_in = after(page, GO, "today")
        question = after(page, LOG, "question")
        took.append((gate, signed_in, question))
        page.context.close()
    gates, signs, questions = zip(*took, strict=True)
    return statistics.median(gates), statistics.median(signs), statistics.median(questions)


def offline_start(open_phone: Callable[[], BrowserContext], url: str) -> list[tuple[float, float, float]]:
    """From the installed app with nobody answering: start to PIN, PIN to Today, tap to first question."""
    took = []
    for _ in range(5):
        context = open_phone()
        page = context.pages[0]
        slow(page, network=False)
        context.set_offline(True)
        page.add_init_script(SEEN)
        page.goto(f"{url}/app/", wait_until="commit")
        lock = seen(page, "pin")
        page.evaluate(TYPE.format({"pin": PIN}))
        today = after(page, GO, "today")
        question = after(page, LOG, "question")
        took.append((lock, today, question))
        context.close()
    return took


def make_demo(folder: Path) -> Server:
    """Return a server with the demo in it, not started."""
    server = Server(folder / "data")
    for command in (["db", "upgrade"], ["demo", "--seed", "5"]):
        quiet = {"env": server.environment, "cwd": ROOT, "check": True, "stdout": subprocess.DEVNULL}
        subprocess.run([sys.executable, "-m", "fieldapp", *command], **quiet)
    return server


def rows() -> list[Row]:
    folder = Path(tempfile.mkdtemp())
    server = make_demo(folder)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        form = first_form(browser)
        browser.close()
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            gate, signed_in, question = first_visit(browser, server)

            def open_phone() -> BrowserContext:
                path = shutil.which("chromium")
                return playwright.chromium.launch_persistent_context(
                    str(folder / "phone"), executable_path=path, args=ARGUMENTS, viewport=PHONE
                )  # fmt: skip

            context = open_phone()
            page = context.pages[0]
            page.goto(f"{server.url}/app/")
            page.fill("#username", "w02")
            page.fill("#password", PASSWORD)
            page.fill("#pin", PIN)
            page.click("button.main")
            page.get_by_text("Ready offline").wait_for()
            context.close()
            server.stop()
            starts = offline_start(open_phone, server.url)
            browser.close()
    finally:
        server.stop()
        shutil.rmtree(folder)
    lock, today, first = (statistics.median(one[part] for one in starts) for part in range(3))
    start = lock + today + first
    return [
        ("encounter form, first usable, CPU ×4, 400 ms, 400 kbps: s (target 2)", f"{form:.1f}", f"7.8 {ENKETO}", f"{form / 7.8:.2f}"),
        ("  beside the other peer: s", f"{form:.1f}", f"29.1 {ODK}", f"{form / 29.1:.2f}"),
        ("  a worker's whole first visit, waits only: s", f"{gate + signed_in + question:.1f}",
         f"{gate:.1f} gate + {signed_in:.1f} sign-in + {question:.1f} form", "–"),
        ("installed, no signal, CPU ×4: start to first question, waits only: s (target 1)", f"{start:.2f}", f"2.3 {ENKETO}", f"{start / 2.3:.2f}"),
        ("  beside the other peer: s", f"{start:.2f}", f"4.9 {ODK}", f"{start / 4.9:.2f}"),
        ("  of which: start to PIN, PIN to Today, tap to question: s", f"{lock:.2f} + {today:.2f} + {first:.2f}", "the PIN is slow on purpose", "–"),
    ]  # fmt: skip


if __name__ == "__main__":
    for row in rows():
        print("  ".join(row))
    print(os.cpu_count(), "cores")
