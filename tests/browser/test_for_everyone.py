"""Every page: axe finds nothing, nothing runs over the edge at 320 px or at 200 % text, in both languages and schemes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import examine, examine_width
from tests.browser.conftest import Phone, sign_in
from tests.browser.steps import painted

pytestmark = pytest.mark.xdist_group("browser: products")
LOOKS = [("en-CA", "light"), ("fr-CA", "dark")]
OpenPage = Callable[..., Page]


@pytest.mark.parametrize(("locale", "scheme"), LOOKS)
def test_office_pages(open_page: OpenPage, locale: str, scheme: str) -> None:
    page = open_page(locale, scheme, {"width": 320, "height": 700})
    page.goto("/")
    found = examine(page, "sign in")
    sign_in(page, "rexdale.admin")
    for url in (
        "/office/",
        "/office/records",
        "/office/review",
        "/office/caseload",
        "/office/forms",
        "/office/people",
        "/office/system",
        "/releases/",
        "/office/account/app",
        "/office/series",
        "/office/series/new",
        "/office/series/1",
        "/office/releases/withdrawals",
        "/office/products",
        "/office/numbers",
        "/office/heat-map",
        "/office/map",
        "/office/board",
        "/office/board/history",
        "/office/board/incidents",
        "/office/feed",
        "/public/",
        "/public/data/",
        "/nothing",
    ):
        page.goto(url)
        found += examine(page, url)
    for url in ("/office/records", "/office/review", "/office/forms"):
        page.goto(url)
        page.locator("table.list tbody a").first.click()
        found += examine(page, f"{url}/one")
    page.goto("/office/caseload")
    page.locator("a[href*='/caseload/card/']").first.click()
    found += examine(page, "consent of a card")
    page.locator("a[href$='/end']").click()
    found += examine(page, "take everything back")
    page.goto("/office/series/1")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.locator("button[value=try]").click()
    page.wait_for_selector("#preview")
    found += examine(page, "what would be released")
    page.goto("/office/series/new")
    page.locator("button[value=save]").click()
    page.wait_for_selector(".error")
    found += examine(page, "a recipient with errors")
    page.set_viewport_size({"width": 1180, "height": 800})
    for url in ("/office/", "/office/records", "/office/people", "/releases/"):
        page.goto(url)
        found += examine(page, f"{url} wide")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("locale", "scheme"), LOOKS)
def test_phone_screens(open_page: OpenPage, locale: str, scheme: str) -> None:
    page = open_page(locale, scheme, {"width": 320, "height": 640})
    page.goto("/app/")
    page.wait_for_selector("#username")
    found = examine(page, "sign in")
    phone = Phone(page)
    phone.enrol("w10" if scheme == "light" else "w11")
    # What lies half under the foot can be scrolled to; axe would take its other half for a target that is too small.
    page.evaluate("document.getElementById('app').style.setProperty('--stick', '-99rem')")
    page.goto("/app/#/people")
    page.locator("footer button.main").click()
    page.wait_for_selector(".qr")
    found += examine(page, "card")
    for place in ("today", "new", "mine", "people"):
        page.goto(f"/app/#/{place}")
        page.wait_for_selector(".tabs")
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        found += examine(page, place)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        found += examine_width(page, f"{place} at 200 %")
        page.evaluate("document.documentElement.style.fontSize = ''")
    for form in ("encounter", "mediation", "incident", "referral", "event"):
        page.goto(f"/app/#/start/{form}")
        page.wait_for_selector(".question")
        found += examine(page, form)
        page.click(".foot .main")
        painted(page)
        found += examine(page, f"{form} with errors")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found += examine_width(page, "200 % text")
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.locator("button.hide").click()
    page.wait_for_selector(".clock")
    found += examine(page, "clock")
    page.locator(".clock button").click()
    page.wait_for_selector("#pin")
    found += examine(page, "locked")
    assert not found, "\n".join(found)


def test_the_office_by_keyboard_alone(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(viewport={"width": 1180, "height": 800})
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for text in ("rexdale.admin", "demo-only-password"):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_selector("nav a")
    assert page.url.endswith("/office/")


def test_a_choice_on_the_phone_by_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    phone = Phone(page)
    phone.enrol("w01")
    page.goto("/app/#/start/encounter")
    page.wait_for_selector(".question")
    page.locator("input[name='q-what.contact_type']").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.querySelector('input:checked').value") == "outreach_new"


# Answer each question of a page that has no answer yet with the first thing that there is to choose or type.
ANSWER = """() => {
  const enter = (field, text) => {
    const kind = field.tagName === "SELECT" ? "change" : "input";
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, text);
    field.dispatchEvent(new Event(kind, { bubbles: true }));
  };
  for (const question of document.querySelectorAll(".question")) {
    const choices = [...question.querySelectorAll("input[type=radio], input[type=checkbox]")];
    if (choices.length > 0 && !choices.some((choice) => choice.checked)) choices[0].click();
    const list = question.querySelector("select");
    if (list && !list.value) enter(list, [...list.options].find((option) => option.value).value);
    const search = question.querySelector("input[type=search]");
    if (search && !search.value) enter(search, "mount");
    const number = question.querySelector("input[inputmode=numeric]");
    if (number && !number.value) enter(number, "2");
  }
}"""


def walk(page: Page, form: str, look: Callable[[str], list[str]], most: int = 12) -> list[str]:
    """Go through the pages of a form as far as first answers lead; return what is wrong with each."""
    page.goto(f"/app/#/start/{form}")
    page.wait_for_selector(".question")
    problems: list[str] = []
    for number in range(most):
        title = page.locator("h1").inner_text()
        problems += look(f"{form}, page {number + 1}, {title}")
        for _ in range(3):  # an answer may bring another question
            page.evaluate(ANSWER)
            painted(page)
        if page.get_by_role("button", name="Finish").or_(page.get_by_role("button", name="Terminer")).count():
            break
        page.click(".foot .main")
        painted(page)
        if page.locator("h1").inner_text() == title:
            problems += look(f"{form}, page {number + 1}, with errors")
            break
    return problems


@pytest.mark.parametrize(("locale", "worker"), [("en-CA", "w10"), ("fr-CA", "w11")])
def test_nothing_on_the_phone_runs_over_the_edge(open_page: OpenPage, locale: str, worker: str) -> None:
    page = open_page(locale, "light", {"width": 320, "height": 568})
    phone = Phone(page)
    phone.enrol(worker)

    def look(place: str) -> list[str]:
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        problems = examine_width(page, place)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        problems += examine_width(page, f"{place} at 200 %")
        page.evaluate("document.documentElement.style.fontSize = ''")
        return problems

    found: list[str] = []
    page.goto("/app/#/people")
    page.locator("footer button.main").click()
    page.wait_for_selector(".qr")
    found += look("card")
    for place in ("today", "new", "mine", "people", "where", "start/none", "fill/none"):
        page.goto(f"/app/#/{place}")
        page.wait_for_selector("h1")
        if place == "where":
            page.wait_for_selector(".areas")
        painted(page)
        found += look(place)
    for form in ("encounter", "mediation", "incident", "referral", "event", "participant", "shift"):
        found += walk(page, form, look)
    assert not found, "\n".join(found)
