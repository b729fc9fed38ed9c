"""What the tests of the phone do again and again: cut it off, send, look into its profile, balance its ledger."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Phone
from tests.in_clear import query_in_clear


def rows(data: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    return query_in_clear(data, query, *values)


def balanced(phone: Phone, **wanted: int) -> None:
    """Made = with the centre + waiting + deleted, nothing lost; and each as wanted."""
    found = phone.ledger()
    made = found.pop("Created on this phone")
    assert found["Lost"] == 0
    assert made == sum(found.values())
    names = {"centre": "At the centre", "waiting": "Waiting here", "deleted": "Deleted by you"}
    assert {key: found[name] for key, name in names.items()} == {"centre": 0, "waiting": 0, "deleted": 0, **wanted}


def send(phone: Phone) -> None:
    phone.page.goto("/app/#/mine")
    phone.page.get_by_role("button", name="Sync now").click()
    expect(phone.page.locator("main")).to_contain_text("All sent")


SEND_AND_WAIT = """label => new Promise(done => {
  const button = [...document.querySelectorAll("button")].find(each => each.textContent === label);
  const look = new MutationObserver(() => {
    if (button.textContent !== label || button.disabled) return;
    look.disconnect();
    done();
  });
  look.observe(button, { attributes: true, characterData: true, childList: true, subtree: true });
  button.click();
})"""


def send_and_fetch(page: Page) -> None:
    """Press the button that sends and fetches, and wait as a user does: it says “One moment …”, then its name again."""
    page.goto("/app/#/mine")
    page.get_by_role("button", name="Sync now").wait_for()
    page.evaluate(SEND_AND_WAIT, "Sync now")


def cut_off(page: Page) -> None:
    page.context.set_offline(True)  # its service worker too


def connect(page: Page) -> None:
    page.context.set_offline(False)


def shift(page: Page, days: int) -> None:
    """Set the phone's clock so many days on, or back."""
    page.clock.set_system_time(page.evaluate("Date.now()") / 1000 + days * 86_400)


def painted(page: Page) -> None:
    """Wait until the page has shown what the last event changed."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def saved(page: Page) -> None:
    """Wait until the last keystroke is written: the words “Saved” may still be those of the one before."""
    painted(page)  # from here on it says “Saving …” until the keystroke is written
    expect(page.locator(".at [role=status]")).to_have_text("Saved on this phone")


def bytes_of(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def assert_not_in_clear(folder: Path, *texts: str) -> None:
    stored = bytes_of(folder)
    for text in texts:
        for coded in (text.encode(), text.encode("utf-16-le"), text.encode().hex().encode()):
            assert coded not in stored, text


def mediate(phone: Phone) -> None:
    """Log a mediation that is to be followed up on days 1, 3 and 7."""
    page = phone.page
    page.goto("/app/#/new")
    page.get_by_role("link", name="I mediated a conflict").click()
    page.wait_for_selector(".question")
    if page.locator("input[type=search]").count():
        page.fill("input[type=search]", "olive")
        page.locator("label.choice", has_text="Mount Olive").click()
    phone.pick("when_where.setting", "Street")
    phone.pick("when_where.aware", "Family")
    phone.next()
    for question, answer in (
        ("cause", "Money"),
        ("parties_n", "2"),
        ("sides", "Two people"),
        ("age_mix", "16"),
        ("enrolled_any", "No"),
    ):
        phone.pick(f"conflict.{question}", answer)
    phone.next()
    for question, answer in (
        ("weapon", "None"),
        ("prior", "No"),
        ("retal", "No"),
        ("online", "No"),
        ("likelihood", "Likely"),
    ):
        phone.pick(f"danger.{question}", answer)
    phone.next()
    phone.pick("work.actions", "Talked")
    phone.pick("work.minutes", "30")
    phone.next()
    phone.pick("result.outcome", "Calm for now")
    for day in ("Day 1", "Day 3", "Day 7"):
        phone.pick("result.fu_plan", day)
    phone.pick("result.safe_worker", "Yes")
    phone.finish()
    page.wait_for_selector(".ledger")
