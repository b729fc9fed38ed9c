"""A phone with a long week in it: 300 cards and 500 records that wait, on a processor four times slower, no signal.

Cards and records are made through the app's own screens. A screen's time runs from the tap to its first picture; a
key's from the key to all that it changed, laid out.
"""

import os
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.phone import make_demo
from tests.browser.conftest import ARGUMENTS, PHONE, PIN, Phone, chromium

Row = tuple[str, str, str, str]
CARDS = int(os.environ.get("BENCH_CARDS", "300"))
RECORDS = int(os.environ.get("BENCH_WAITING", "500"))
SCREEN, KEY, SEARCH = 300, 20, 50  # targets, milliseconds
TYPED = "we walked home together and talked "

# Runs in the page: what a worker does in a week takes minutes so, in place of hours.
WEEK = """
async ([cards, records]) => {
  const find = async (look) => {
    for (;;) {
      const found = look();
      if (found) return found;
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  const main = (words) => [...document.querySelectorAll(".foot .main")]
    .find((button) => !button.disabled && button.textContent === words);
  for (let made = 0; made < cards; made++) {
    location.hash = "#/people";
    (await find(() => main("Create a new card"))).click();
    await find(() => location.hash.startsWith("#/card/"));
  }
  for (let made = 0; made < records; made++) {
    location.hash = "#/today";
    await find(() => document.querySelector("h1")?.textContent === "Today");
    location.hash = `#/start/encounter/${encodeURIComponent("|outreach_new")}`;
    (await find(() => document.querySelector("input[value=said_no]"))).click();
    (await find(() => main("Finish"))).click();
    await find(() => location.hash.startsWith("#/saved/") && document.querySelector(".ledger"));
  }
}
"""
TO_SCREEN = """
([act, selector]) => new Promise((done) => {
  const before = document.querySelector(act.tap);
  const start = performance.now();
  const look = () => {
    const found = document.querySelector(selector);
    if (!found || found.closest("[data-seen]")) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
  };
  const watch = new MutationObserver(look);
  watch.observe(document, { childList: true, subtree: true, attributes: true });
  document.querySelector("#app > main, #app main")?.setAttribute("data-seen", "");
  before.click();
})
"""
KEYS = """
() => {
  window.took = [];
  let start = 0;
  addEventListener("keydown", () => { start = performance.now(); }, true);
  addEventListener("input", () => setTimeout(() => {
    document.body.offsetHeight;
    window.took.push(performance.now() - start);
  }));
}
"""


def fill_phone(page: Page) -> None:
    page.set_default_timeout(1_800_000)
    page.evaluate(WEEK, [CARDS, RECORDS])
    page.set_default_timeout(60_000)


def tap(page: Page, what: str, until: str) -> float:
    """Return the milliseconds from a tap to the picture of what it leads to."""
    page.wait_for_selector(what)
    return float(page.evaluate(TO_SCREEN, [{"tap": what}, until]))


def measure_screens(page: Page) -> dict[str, float]:
    """Return the median time of each screen, in milliseconds."""
    walk = [
        ("Today", '.tabs a[href="#/today"]', "main:not([data-seen]) h2, main:not([data-seen]) .state"),
        ("Log", '.tabs a[href="#/new"]', "main:not([data-seen]) .kinds"),
        ("first question", ".kinds a", "main:not([data-seen]) .choice"),
    ]
    to_cards = [
        ("Mine", '.tabs a[href="#/mine"]', "main:not([data-seen]) .ledger"),
        ("Log", '.tabs a[href="#/new"]', "main:not([data-seen]) .kinds"),
        ("My cards", 'main a[href="#/people"]', "main:not([data-seen]) #find"),
        ("a card", 'main a[href^="#/card/"]', "main:not([data-seen]) .qr, main:not([data-seen]) h2"),
    ]
    took: dict[str, list[float]] = {}
    for _ in range(5):
        for name, what, until in [*to_cards, *walk]:
            if name == "Mine":
                page.goto("/app/#/today")
            if name == "Today":
                page.goto("/app/#/mine")
            took.setdefault(name, []).append(tap(page, what, until))
    return {name: statistics.median(times) for name, times in took.items()}


def measure_finish(page: Page) -> float:
    """Return the milliseconds from Finish to the screen that says where the record is."""
    took = []
    for _ in range(5):
        page.goto("/app/#/today")
        page.goto("/app/#/start/encounter/%7Coutreach_new")
        page.click("label.choice:has(input[value=said_no])")
        page.wait_for_timeout(1_500)  # as a hand does: it reads what it is about to send
        took.append(tap(page, ".foot .main", "main:not([data-seen]) .ledger"))
    return statistics.median(took)


def measure_keys(page: Page, field: str, text: str) -> list[float]:
    """Return the milliseconds of each key of a text, sorted."""
    page.evaluate("() => { window.took = []; }")
    page.locator(field).first.click()
    for key in text:
        page.keyboard.press("Space" if key == " " else key)
        page.wait_for_timeout(60)
    return sorted(page.evaluate("() => window.took"))


def open_bare_page(browser: Browser) -> Page:
    """Open a page that has one text field and nothing else: what a key costs there is the browser's own."""
    page = browser.new_context(viewport=PHONE).new_page()  # type: ignore[arg-type]
    page.set_content('<textarea id="note" rows="4"></textarea>')
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.evaluate(KEYS)
    return page


def measure_in_turn(page: Page, note: str, bare: Page) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each key in a note and in the bare page, sorted; in turn, since machines are busy."""
    in_note, in_bare = [], []
    for _ in range(3):
        page.bring_to_front()
        in_note += measure_keys(page, note, TYPED)
        bare.bring_to_front()
        in_bare += measure_keys(bare, "#note", TYPED)
    return sorted(in_note), sorted(in_bare)


def unlock(page: Page) -> float:
    """Return the seconds from the last digit of the PIN to Today; the PIN is slow on purpose."""
    page.reload()
    page.wait_for_selector("#pin")
    page.fill("#pin", PIN)
    return tap(page, "button.main", ".foot a.btn.main") / 1000


def describe_keys(name: str, times: list[float], target: int) -> Row:
    middle, late = statistics.median(times), times[int(len(times) * 0.95)]
    return (f"  {name}: ms, 95th percentile", f"{late:.0f}", f"target {target}; median {middle:.0f}", f"{late / target:.2f}")


def rows() -> list[Row]:
    """Return the rows of a phone with much in it."""
    folder = Path(tempfile.mkdtemp())
    server = make_demo(folder)
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            page = browser.new_context(base_url=server.url, viewport=PHONE).new_page()  # type: ignore[arg-type]
            Phone(page).enrol()
            page.context.set_offline(True)
            fill_phone(page)
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
            to_today = unlock(page)
            screens = measure_screens(page) | {"Finish": measure_finish(page)}
            page.evaluate(KEYS)
            page.goto("/app/#/people")
            searching = measure_keys(page, "#find", "k7qm 3rx" * 4)
            page.goto("/app/#/start/encounter/%7Cpresence")
            note = '[id="q-next.note"]'
            while not page.locator(note).count():
                page.get_by_role("button", name="Back").wait_for()
                page.evaluate("document.querySelector('.foot .main').click()")
                page.wait_for_timeout(300)
                answer_required(page)
            typing, bare = measure_in_turn(page, note, open_bare_page(browser))
            browser.close()
    finally:
        server.stop()
        shutil.rmtree(folder)
    slowest = max(screens.values())
    each = ", ".join(f"{name} {took:.0f}" for name, took in screens.items())
    return [
        (f"{RECORDS} records waiting, {CARDS} cards, CPU ×4: the slowest screen, ms", f"{slowest:.0f}", f"target {SCREEN}", f"{slowest / SCREEN:.2f}"),
        ("  each screen, ms", each, "", "–"),
        describe_keys("a key in a note", typing, KEY),
        (
            "  the same beside an empty page with a text field, medians",
            f"{statistics.median(typing):.0f}",
            f"{statistics.median(bare):.0f} in the empty page",
            f"{statistics.median(typing) / statistics.median(bare):.2f}",
        ),
        describe_keys("a key in the search among cards", searching, SEARCH),
        ("  PIN to Today: s", f"{to_today:.1f}", "the PIN is slow on purpose", "–"),
    ]  # fmt: skip


def answer_required(page: Page) -> None:
    """Answer what a page asks for, in the program's encounter."""
    for name, value in (
        ("people.who", "group"),
        ("talk.risk_now", "low"),
        ("talk.minutes", "5_15"),
        ("when_where.setting", "street"),
    ):
        chosen = page.locator(f'[id="q-{name}-set"] label.choice:has(input[value="{value}"])')
        if chosen.count():
            chosen.first.click()
    search = page.locator('[id="q-when_where.nbhd-set"] input[type=search]')
    if search.count():
        search.fill("olive")
        page.locator('[id="q-when_where.nbhd-set"] label.choice').first.click()


if __name__ == "__main__":
    for row in rows():
        print("  ".join(row))
