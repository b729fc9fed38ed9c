"""A worker as weeks are: the phone goes into the pocket in the middle of forms, and has no signal half of the time."""

import datetime as dt
import itertools
import re
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, TimeoutError, expect

from tests.browser.conftest import PIN, KeptPhone, Phone, Server, sign_in
from tests.browser.joining import add_worker, invite
from tests.browser.steps import SEND_AND_WAIT, connect, cut_off, rows

TORONTO = zoneinfo.ZoneInfo("America/Toronto")
IN_THE_POCKET = dt.timedelta(minutes=6)  # longer than a phone that lies still stays open
# What is on the screen: its title, and what is answered on it.
ON_SCREEN = """() => {
  const fields = [...document.querySelectorAll("main input:not([type=search]), main select, main textarea")];
  const isPicked = (field) => (/radio|checkbox/.test(field.type) ? field.checked : field.value !== "");
  return {
    title: document.querySelector("h1")?.innerText ?? "",
    answers: fields.filter(isPicked).map(({ id, value }) => `${id}=${value}`).sort(),
  };
}"""
SAVED = re.compile("Saved on this phone|Enregistré sur ce téléphone")
SYNC = re.compile("Sync now|Synchroniser maintenant")
START = re.compile("Start shift|Commencer le quart")
ON_SHIFT = re.compile("On shift since|En quart depuis")
HAND_OVER = re.compile("Hand over|Transférer")
ALL_SENT = re.compile("All sent|Tout est envoyé")

OpenPage = Callable[..., Page]
Answers = dict[str, str]  # of a page: the names of choices, by the place of their question


class Worker:
    """What one of the team does, in either language: everything is chosen by its name in the form."""

    def __init__(self, kept: KeptPhone, name: str, monday: dt.date):
        self.kept, self.name, self.monday = kept, name, monday
        self.ways = itertools.cycle(["hide", "lock", "hide", "kill", "lock"])
        self.interruptions: list[str] = []
        self.is_offline = False
        self.moment = self.when(0, 8)
        self.open()

    def when(self, day: int, hour: int) -> dt.datetime:
        return dt.datetime.combine(self.monday + dt.timedelta(days=day), dt.time(hour), TORONTO)

    def open(self) -> None:
        self.phone: Phone = self.kept.open()
        self.page: Page = self.phone.page
        self.page.clock.set_system_time(self.moment)
        self.page.on("dialog", lambda dialog: dialog.accept())
        if self.is_offline:
            cut_off(self.page)

    def join(self, address: str) -> None:
        self.page.goto(address)
        self.unlock()
        self.phone.ready()

    def unlock(self) -> None:
        self.page.fill("#pin", PIN)
        self.page.click("button.main")

    def be_at(self, day: int, hour: int) -> None:
        """Let time pass while the phone lies in the pocket, and take it out on Today."""
        self.moment = self.when(day, hour)
        self.page.clock.set_system_time(self.moment)
        self.page.evaluate("dispatchEvent(new Event('focus'))")
        expect(self.page.locator("#pin")).to_be_visible()
        self.unlock()
        self.today()

    def today(self) -> None:
        self.page.goto("/app/#/today")
        expect(self.page.locator("#week")).to_be_visible()

    def lose_signal(self) -> None:
        self.is_offline = True
        cut_off(self.page)

    def find_signal(self) -> None:
        self.is_offline = False
        connect(self.page)
        self.sync()
        expect(self.page.locator("main")).to_contain_text(ALL_SENT)

    def sync(self) -> None:
        self.page.goto("/app/#/mine")
        button = self.page.get_by_role("button", name=SYNC)
        self.page.evaluate(SEND_AND_WAIT, button.inner_text())

    def on_screen(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.page.evaluate(ON_SCREEN)
        return shown

    def be_interrupted(self) -> None:
        """Hide the app, leave it alone or lose it in the middle of something: it comes back with every answer."""
        before = self.on_screen()
        way = next(self.ways)
        self.interruptions.append(way)
        getattr(self, f"{way}_phone")()
        self.unlock()
        # As text of the browser's own: what Python writes has other spaces.
        wanted = self.page.evaluate("(before) => JSON.stringify(before)", before)
        try:
            self.page.wait_for_function(f"(wanted) => JSON.stringify(({ON_SCREEN})()) === wanted", arg=wanted)
        except TimeoutError:
            assert self.on_screen() == before, way
            raise

    def hide_phone(self) -> None:
        self.page.locator("header .hide").click()
        self.page.locator(".clock button").click()

    def lock_phone(self) -> None:
        self.moment += IN_THE_POCKET
        self.page.clock.set_system_time(self.moment)
        self.page.evaluate("dispatchEvent(new Event('focus'))")
        expect(self.page.locator("#pin")).to_be_visible()

    def kill_phone(self) -> None:
        expect(self.page.locator(".at [role=status]")).to_have_text(SAVED)
        self.kept.kill()
        self.open()
        self.page.goto("/app/")

    def answer(self, answers: Answers) -> None:
        """Answer questions of the page that is open; of several choices, those that stand there are left."""
        for question, values in answers.items():
            field = self.page.locator(f'[id="q-{question}"]')
            if field.evaluate_all("(found) => found.length > 0 && /SELECT|TEXTAREA|INPUT/.test(found[0].tagName)"):
                self.fill(question, values)
                continue
            for value in values.split():
                self.page.locator(f'[id="q-{question}-set"] label.choice:has(input[value="{value}"])').click()
        if self.page.locator("input[type=search]").count():
            self.page.fill("input[type=search]", "olive")
            self.page.locator("label.choice", has_text="Mount Olive").click()

    def fill(self, question: str, text: str) -> None:
        field = self.page.locator(f'[id="q-{question}"]')
        if field.evaluate("(each) => each.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)

    def fill_in(self, *pages: Answers) -> None:
        """Go through the pages of a form to its overview; in the middle of every second one the phone is put away."""
        expect(self.page.locator(".question").first).to_be_visible()
        for number, answers in enumerate(pages):
            self.answer(answers)
            if number % 2:
                self.be_interrupted()
            if number + 1 < len(pages):
                self.phone.next()

    def finish(self) -> None:
        """Finish from the last page; who is offered a slip does not want it."""
        done = self.page.locator(".ledger, .qr").first
        self.page.locator(".foot .main").click()
        expect(done.or_(self.page.locator("[id^=line-]").first)).to_be_visible()
        if self.page.locator("[id^=line-]").count():
            self.page.locator(".foot .main").click()
        done.wait_for()
        if self.page.locator(".qr").count():
            self.page.locator(".foot .btn:not(.main)").click()
        self.page.locator(".ledger").wait_for()

    def log(self, form: str, *pages: Answers) -> None:
        self.page.goto("/app/#/new")
        self.page.locator(f"a[href='#/start/{form}']").click()
        self.fill_in(*pages)
        self.finish()

    def meet(self, kind: str, *pages: Answers) -> None:
        self.page.goto("/app/#/new")
        self.page.locator(f".kinds a[href$='{kind}']").click()
        self.fill_in(*pages)
        self.finish()

    def follow_up(self, root: str, answers: Answers, more: Answers | None = None) -> None:
        """Do what is due of a record, from its line on Today; `more`: of questions that come after an answer."""
        self.today()
        self.page.locator(f"section:has(#due) > .item a[href*='{root}']").first.click()
        self.fill_in(answers)
        self.answer(more or {})
        self.finish()

    def start_shift(self) -> None:
        self.today()
        self.page.get_by_role("button", name=START).click()
        expect(self.page.get_by_text(ON_SHIFT)).to_be_visible()

    def stop_shift(self) -> None:
        self.today()
        self.page.locator(".item", has_text=ON_SHIFT).locator(".btn:not(.quiet)").click()
        self.fill_in({})
        self.finish()

    def make_card(self) -> str:
        """Create a card, and return its code; its page is open then."""
        self.page.goto("/app/#/people")
        self.page.locator("footer button.main").click()
        return self.page.locator(".big").inner_text().replace("-", "")

    def begin_with_card(self, code: str) -> None:
        self.page.goto(f"/app/#/card/{code}")
        self.page.locator("p.code.big").wait_for()
        self.page.locator("footer .btn.main").click()

    def hand_over(self, to: "Worker") -> None:
        """Hand over what is chosen on the screen."""
        self.page.select_option("#to", label=to.name.upper())
        self.page.get_by_role("button", name=HAND_OVER).click()
        expect(self.page.locator("#to")).to_have_count(0)

    def hand_card_over(self, code: str, to: "Worker") -> None:
        self.page.goto(f"/app/#/card/{code}")
        self.page.locator("summary", has_text=HAND_OVER).click()
        self.hand_over(to)

    def update_referral(self, status: str) -> None:
        self.today()
        self.page.locator("section:has(#referrals) .item button").click()
        self.fill_in({"progress.status": status})
        self.finish()

    def read_ledger(self) -> list[int]:
        """Return how many records were made, are with the centre, wait, were deleted, were lost."""
        self.page.goto("/app/#/mine")
        self.page.locator(".ledger").wait_for()
        return [int(number) for number in self.page.locator(".ledger dd").all_inner_texts()]


class Team:
    """Amina and Benoît with their phones, Benoît's in French, and the supervisor at a desk."""

    def __init__(self, workers: list[Worker], desk: Page, data: Path):
        self.amina, self.benoit = workers
        self.desk, self.data = desk, data

    def newest(self, worker: Worker, form: str) -> str:
        """Return which record of a form came last from a worker."""
        query = (
            "SELECT r.instance_id FROM record r JOIN user u ON u.id = r.author_id"
            " WHERE u.username = ? AND r.form = ? ORDER BY r.id DESC LIMIT 1"
        )
        ((record,),) = rows(self.data, query, worker.name, form)
        return str(record)


@pytest.fixture
def make_team(
    playwright: Playwright, server: Server, tmp_path: Path, open_page: OpenPage, demo_data: Path
) -> Iterator[Callable[[int], Team]]:
    """Two new workers whose first day lies so many days back: what they do is over, whatever today is."""
    workers: list[Worker] = []

    def make(days_ago: int) -> Team:
        monday = dt.date.today() - dt.timedelta(days=days_ago)
        desk = open_page(viewport={"width": 1180, "height": 900})
        sign_in(desk, "rexdale.admin")
        for locale in ("en-CA", "fr-CA"):
            name = add_worker(desk)
            worker = Worker(KeptPhone(playwright, tmp_path / name, server.url, locale, has_quick_pins=True), name, monday)
            worker.join(invite(desk, name))
            workers.append(worker)
        for worker in workers:
            worker.sync()  # so that each phone knows of the colleague
        return Team(workers, desk, demo_data)

    yield make
    for worker in workers:
        worker.kept.close()
