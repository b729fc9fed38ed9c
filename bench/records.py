"""The records that workers really make, on the phone app: taps, swipes and keys, and the seconds of a person.

Logged in mid shift and offline, with cards, standing consent and a next contact, on a small phone (360 × 740). A tap
is on what a finger can reach: what lies under the foot or off the screen needs a swipe first. Seconds are those of
the keystroke-level model (Card, Moran and Newell, 1980) and the app's own at a CPU four times slower.
"""

import itertools
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from bench.phone import make_demo
from tests.browser.conftest import ARGUMENTS, PASSWORD, PHONE, PIN, chromium

Row = tuple[str, str, str, str]
DECIDE, POINT, KEY, SWIPE = 1.35, 1.1, 0.28, 1.1  # seconds
UNLOCK = (len(PIN) + 1) * (KEY + POINT)  # after each lock of five minutes


@dataclass
class Hand:
    """A worker's hand on the screen: what it did, and how long it waited for the app."""

    page: Page
    taps: int = 0
    swipes: int = 0
    keys: int = 0
    waited: float = 0

    def tap(self, what: Locator, until: str = "") -> None:
        what = what.first
        what.wait_for()
        self.bring_into_reach(what)
        self.taps += 1
        start = time.perf_counter()
        what.click()
        if until:
            self.page.locator(until).first.wait_for()
        self.waited += time.perf_counter() - start

    def bring_into_reach(self, what: Locator) -> None:
        """Swipe until the middle of something is neither off the screen nor under what stands before it."""
        for _ in range(20):
            if what.evaluate(IS_IN_REACH):
                return
            self.swipes += 1
            is_above = what.evaluate("(element) => element.getBoundingClientRect().top < 0")
            self.page.mouse.wheel(0, -400 if is_above else 400)
            self.page.wait_for_timeout(300)
        raise AssertionError("a swipe does not bring it into reach")

    def choose(self, question: str, *names: str) -> None:
        for name in names:
            self.tap(self.page.locator(f'[id="q-{question}-set"] label.choice:has(input[value="{name}"])'))

    def type(self, into: str, text: str) -> None:
        self.tap(self.page.locator(into))
        self.keys += len(text)
        self.page.keyboard.type(text)

    def main(self, until: str) -> None:
        """Tap the main button."""
        self.tap(self.page.locator(".foot .main"), until)

    def look_over_and_finish(self) -> None:
        self.tap(self.page.get_by_role("button", name="Look it over"), "[id^=line-]")
        self.main(".ledger")

    def seconds(self) -> float:
        return self.waited + self.taps * (DECIDE + POINT) + self.swipes * SWIPE + self.keys * KEY


IS_IN_REACH = """
(element) => {
  const { left, top, width, height } = element.getBoundingClientRect();
  const seen = document.elementFromPoint(left + width / 2, top + height / 2);
  return seen !== null && (element.contains(seen) || seen.contains(element));
}
"""
# Not those that stand first in the lists: the phone has to learn that this worker picks them.
TOPICS, SUPPORT = ("housing", "money"), "letter"
LOG = ".foot a.btn.main"


def talk(hand: Hand) -> None:
    """Two topics, one support, risk and time: the questions that no phone can answer."""
    hand.page.wait_for_selector('[id="q-talk.topics-set"]')
    hand.choose("talk.topics", *TOPICS)
    hand.choose("talk.support", SUPPORT)
    hand.choose("talk.risk_now", "low")
    hand.choose("talk.minutes", "15_30")


def check_in(hand: Hand) -> None:
    hand.tap(hand.page.locator(LOG), ".kinds")
    hand.tap(hand.page.locator("section[aria-labelledby=whom] a"))
    talk(hand)
    hand.look_over_and_finish()


def check_in_when_due(hand: Hand) -> None:
    hand.tap(hand.page.locator("section[aria-labelledby=due] .item a:has(.code):visible"))
    talk(hand)
    hand.look_over_and_finish()


def check_in_with_somebody_else(hand: Hand) -> None:
    hand.page.goto("/app/#/people")
    last = hand.page.locator("main .code").last.inner_text().replace("-", "")
    hand.page.goto("/app/#/today")
    hand.tap(hand.page.locator(LOG), ".kinds")
    hand.type("section[aria-labelledby=whom] input", last[:4])
    hand.tap(hand.page.locator("section[aria-labelledby=whom] a"))
    talk(hand)
    hand.look_over_and_finish()


def follow_up(hand: Hand) -> None:
    hand.tap(hand.page.locator("section[aria-labelledby=due] .item a:visible", has_text="Mediation"))
    hand.choose("how_now.still_cool", "cool")
    hand.choose("how_now.fu_outcome", "temporary")
    hand.main(".ledger")


def first_contact(hand: Hand) -> None:
    hand.tap(hand.page.locator(LOG), ".kinds")
    hand.tap(hand.page.locator(".kinds a", has_text="First contact"), '[id="q-consent.said-set"]')
    hand.choose("consent.said", "read_out")
    hand.choose("consent.understood", "yes")
    hand.choose("consent.tier_said", "2")
    hand.main('[id="q-talk.topics-set"]')
    hand.choose("talk.age_mix", "20-24")
    talk(hand)
    hand.look_over_and_finish()


def refusal(hand: Hand) -> None:
    hand.tap(hand.page.locator(LOG), ".kinds")
    hand.tap(hand.page.locator(".kinds a", has_text="First contact"), '[id="q-consent.said-set"]')
    hand.choose("consent.said", "said_no")
    hand.main(".ledger")


# Each says who, and in how many days: not each demo has something due on the day on which this runs.
CASELOAD = "SELECT username, 0 FROM card JOIN user ON user.id = worker_id WHERE is_open GROUP BY 1 ORDER BY count(*) DESC"
DAYS = "max(0, CAST(julianday(min(due_on)) - julianday('now', 'localtime', 'start of day') AS INTEGER)) AS days"
DUE = "WHERE is_wanted AND NOT is_settled AND form = '{}' GROUP BY 1 ORDER BY days, count(*) DESC"
CARDS_DUE = (
    f"SELECT username, {DAYS} FROM follow_up JOIN card USING (centre_id, code) JOIN user ON user.id = card.worker_id "
    + DUE.format("encounter")
)
MEDIATIONS_DUE = f"SELECT username, {DAYS} FROM follow_up JOIN user ON user.id = worker_id " + DUE.format("mediation")

# What is logged, the most taps that it may take, and whose day has it (a query of the demo).
RECORDS: list[tuple[str, Callable[[Hand], None], int, str]] = [
    ("check-in with an enrolled person, from Today", check_in, 10, CASELOAD),
    ("the same with a person not among the last", check_in_with_somebody_else, 11, CASELOAD),
    ("first contact with a yes to 2", first_contact, 14, CASELOAD),
    ("first contact with a no", refusal, 4, CASELOAD),
    ("check-in with an enrolled person, from what is due", check_in_when_due, 9, CARDS_DUE),
    ("follow-up of a mediation, from what is due", follow_up, 5, MEDIATIONS_DUE),
]


def begin_shift(page: Page, worker: str) -> None:
    """Sign in, and log once, which tells the phone where the worker is and what they usually pick."""
    page.goto("/app/")
    page.fill("#username", worker)
    page.fill("#password", PASSWORD)
    page.fill("#pin", PIN)
    page.click("button.main")
    page.get_by_text("Ready offline").wait_for()
    hand = Hand(page)
    page.locator(LOG).click()
    page.locator(".kinds a", has_text="Practical support").click()
    hand.choose("people.who", "group")
    hand.main('[id="q-talk.topics-set"]')
    for more in ("talk.topics", "talk.support"):
        page.locator(f'[id="q-{more}-set"] .more').click()
    talk(hand)
    hand.main('[id="q-when_where.nbhd-set"]')
    page.fill("input[type=search]", "olive")
    page.locator("label.choice", has_text="Mount Olive").click()
    hand.choose("when_where.setting", "street")
    hand.main('[id="q-next.ref_made-set"]')
    hand.main("[id^=line-]")
    hand.main(".ledger")


def find_worker(data: Path, query: str) -> tuple[str, int]:
    """Return the sign-in name of the worker of the demo who has such a record to make, and in how many days."""
    with sqlite3.connect(data / "fieldapp.db") as connection:
        name, days = connection.execute(query).fetchone()
    return str(name), int(days)


def describe(name: str, hand: Hand, most: int) -> list[Row]:
    """Return a record's rows: what the hand did, and how long a person takes."""
    what = f"{hand.taps} taps, {hand.swipes} swipes, {hand.keys} keys"
    whole = hand.seconds()
    with_pin = f"{whole + UNLOCK:.0f} with the PIN; the app's own {hand.waited:.1f}"
    return [
        (f"{name}, offline: by hand", what, f"target {most} taps, no swipe", f"{hand.taps / most:.2f}"),
        ("  seconds of a practised worker (keystroke-level model)", f"{whole:.0f}", with_pin, "–"),
    ]


def rows() -> list[Row]:
    """Return the rows of all records."""
    folder = Path(tempfile.mkdtemp())
    server = make_demo(folder)
    server.start()
    found: list[Row] = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            for query, records in itertools.groupby(RECORDS, key=lambda record: record[3]):
                page = browser.new_context(base_url=server.url, viewport=PHONE, has_touch=True).new_page()  # type: ignore[arg-type]
                worker, days = find_worker(folder / "data", query)
                begin_shift(page, worker)
                if days:
                    page.clock.set_system_time(page.evaluate("Date.now()") / 1000 + days * 86_400)
                page.context.set_offline(True)
                page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
                for name, log, most, _ in records:
                    page.goto("/app/#/today")
                    page.locator(LOG).wait_for()
                    hand = Hand(page)
                    log(hand)
                    found += describe(name, hand, most)
                page.context.close()
            browser.close()
    finally:
        server.stop()
        shutil.rmtree(folder)
    return found


if __name__ == "__main__":
    for row in rows():
        print("  ".join(row))
