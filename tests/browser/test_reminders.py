"""Reminders with the app closed: what the phone shows then, and what it stores for it without a lock."""

import datetime as dt
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.accessibility import examine, examine_width
from tests.browser.conftest import PIN, Phone, Server
from tests.browser.pictures import picture
from tests.browser.steps import mediate, shift

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chains")]
OpenPage = Callable[..., Page]
WORDS = "You have something due today."
STORED = """() => new Promise((done) => {
  const request = indexedDB.open("fieldapp");
  request.onsuccess = () => {
    const all = request.result.transaction("reminders").objectStore("reminders").getAll();
    all.onsuccess = () => { request.result.close(); done(all.result); };
  };
})"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.getRegistration("/app/");
  const shown = await registration.getNotifications();
  return shown.map(({ title, body, tag, icon, data, silent }) => ({ title, body, tag, icon, data, silent }));
}"""


class Sleeper:
    """A phone that was put away: its browser wakes the app now and then."""

    def __init__(self, page: Page, server: Server):
        self.page, self.url = page, server.url
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.registrations: list[dict[str, Any]] = []
        self.session.on("ServiceWorker.workerRegistrationUpdated", self.note)
        self.session.send("ServiceWorker.enable")

    def note(self, event: dict[str, Any]) -> None:
        self.registrations += [one for one in event["registrations"] if one["scopeURL"].endswith("/app/")]

    def allow(self, setting: str = "granted", names: Sequence[str] = ("notifications", "periodic-background-sync")) -> None:
        """Allow what an installed app may, or take it back, as the owner of the phone."""
        context = self.session.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
        for name in names:
            about = {"permission": {"name": name}, "origin": self.url, "browserContextId": context}
            self.session.send("Browser.setPermission", {**about, "setting": setting})

    def wake(self) -> None:
        about = {"origin": self.url, "registrationId": self.registrations[-1]["registrationId"], "tag": "due"}
        self.session.send("ServiceWorker.dispatchPeriodicSyncEvent", about)

    def stored(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.page.evaluate(STORED)
        return rows

    def wait_for_days(self, has_some: bool) -> None:
        self.wait_for(lambda: bool(self.stored()) == has_some)

    def wait_for(self, check: Callable[[], bool]) -> None:
        """Wait for what the phone stores or shows."""
        end = time.monotonic() + 20
        while not check():
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.05)

    def shown(self) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = self.page.evaluate(SHOWN)
        return shown


def day_of(page: Page, days: int = 0) -> str:
    """The phone's own day, so many days on."""
    today = dt.date.fromisoformat(page.evaluate("new Date().toLocaleDateString('sv-SE')"))
    return (today + dt.timedelta(days=days)).isoformat()


def open_mine(page: Page) -> None:
    page.goto("/app/#/today")
    page.goto("/app/#/mine")
    page.locator("#reminders").wait_for()


def test_a_phone_says_once_that_something_is_due_and_stores_only_days_for_it(open_page: OpenPage, server: Server) -> None:
    phone = Phone(open_page())
    page = phone.page
    phone.enrol("w09")
    sleeper = Sleeper(page, server)

    # Nobody asked: nothing is left for the service worker, and nothing is shown.
    sleeper.allow()
    shift(page, -2)  # the service worker goes by the true day
    mediate(phone)
    assert sleeper.stored() == []

    open_mine(page)
    page.get_by_role("button", name="Remind me of work that is due").click()
    expect(page.locator("section", has=page.locator("#reminders"))).to_contain_text("On. Your phone chooses the hour")
    sleeper.wait_for_days(True)
    assert not [*examine(page, "reminders"), *examine_width(page, "reminders")]
    picture(page, "reminders")

    # What is left: days, and words that are the same for everybody. It is all that the phone stores in the clear of what is due.
    (left,) = sleeper.stored()
    assert sorted(left) == ["days", "user", "words"] and left["words"] == WORDS
    assert {day_of(page, days) for days in (1, 3, 7)} <= set(left["days"])
    assert day_of(page) not in left["days"] and all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in left["days"])

    # The phone is put away; the browser wakes the app on a later day, twice.
    page.goto("/healthz")
    sleeper.wake()
    sleeper.wait_for(lambda: bool(sleeper.shown()))
    sleeper.wake()
    assert sleeper.shown() == [{"title": WORDS, "body": "", "tag": "", "icon": "", "data": None, "silent": True}]
    yesterday = (dt.datetime.now().astimezone().date() - dt.timedelta(days=1)).isoformat()
    assert all(day > yesterday for day in sleeper.stored()[0]["days"])

    # The worker opens the app: what was shown goes, and today is nothing to be reminded of any more.
    page.goto("/app/")
    phone.unlock()
    sleeper.wait_for(lambda: not sleeper.shown())

    # The owner of the phone takes the permission back: no day is left, and *Mine* says what to do.
    sleeper.allow("denied", ["notifications"])
    page.reload()
    phone.unlock()
    sleeper.wait_for_days(False)
    open_mine(page)
    expect(page.locator("main")).to_contain_text("allow notifications")

    # Allowed again, the days come back; the worker stops it, and nothing of it is left.
    sleeper.allow()
    page.reload()
    phone.unlock()
    sleeper.wait_for_days(True)
    open_mine(page)
    page.get_by_role("button", name="Stop reminding me").click()
    page.get_by_role("button", name="Remind me of work that is due").wait_for()
    sleeper.wait_for_days(False)


def test_another_worker_leaves_no_days_of_the_first(open_page: OpenPage, server: Server) -> None:
    page = open_page()
    phone = Phone(page)
    phone.enrol("w09")
    sleeper = Sleeper(page, server)
    sleeper.allow()
    mediate(phone)
    open_mine(page)
    page.get_by_role("button", name="Remind me of work that is due").click()
    sleeper.wait_for_days(True)
    page.goto("/app/#/sign-in")
    phone.enrol_here("w10", "975310")
    sleeper.wait_for_days(False)

    # Where the browser cannot wake the app, a calendar file is offered: the name of the app and an hour.
    sleeper.allow("denied")
    open_mine(page)
    expect(page.locator("main")).to_contain_text("cannot remind you while it is closed")
    page.get_by_text("Use my calendar").click()
    page.get_by_label("At what time?").fill("09:15")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the calendar file").click()
    text = download.value.path().read_text()
    assert "T091500" in text and "RRULE:FREQ=DAILY" in text
    assert [line for line in text.splitlines() if line.startswith(("SUMMARY", "DESCRIPTION"))] == [
        "SUMMARY:fieldapp",
        "DESCRIPTION:fieldapp",
    ]
    assert PIN not in text and "w10" not in text
