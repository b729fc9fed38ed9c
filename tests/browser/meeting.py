"""Meeting somebody with a card: they are asked for consent, or what they said before goes on."""

import re

from playwright.sync_api import Page

from tests.browser.conftest import Phone

YES_TO_ALL = {"consent.said": "read_out", "consent.understood": "yes", "consent.tier_said": "3"}
# The pages after consent, by the names of choices: the phone may speak French.
AFTER = [{"talk.risk_now": "low", "talk.minutes": "5_15"}, {"when_where.setting": "street"}]


def choose(page: Page, answers: dict[str, str]) -> None:
    for question, value in answers.items():
        page.locator(f'[id="q-{question}-set"] label.choice', has=page.locator(f'input[value="{value}"]')).click()
    if page.locator("input[type=search]").count():
        page.fill("input[type=search]", "olive")
        page.locator("label.choice", has_text="Mount Olive").click()


def meet(phone: Phone) -> str:
    """Log a check-in with somebody who gets a card and says yes to everything; return the code of the card."""
    page = phone.page
    page.goto("/app/#/people")
    page.locator("footer button.main").click()
    page.wait_for_selector(".qr")
    code = page.locator(".big").inner_text().replace("-", "")
    page.locator("footer .btn.main").click()
    page.wait_for_selector(".question")
    for answers in ({"what.contact_type": "check_in"}, {}, YES_TO_ALL, *AFTER):  # the card is in it
        choose(page, answers)
        phone.next()
    page.locator(".foot .main").click()
    page.wait_for_selector(".qr")
    return code


def slip_on(page: Page) -> str:
    slip = page.locator(".big").inner_text()
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}( [0-9A-HJKMNP-TV-Z]{4}){2}", slip)
    return slip


def begin_with_card(phone: Phone, code: str) -> None:
    """Begin a check-in with the person of a card, up to the page on which the card is."""
    phone.page.goto(f"/app/#/card/{code}")
    phone.page.wait_for_selector(".qr")  # of the card, and no other screen's button
    phone.page.locator("footer .btn.main").click()
    phone.page.wait_for_selector(".question")
    choose(phone.page, {"what.contact_type": "check_in"})
    phone.next()


def finish(phone: Phone) -> None:
    """Finish a check-in from the page after consent on."""
    for answers in AFTER:
        choose(phone.page, answers)
        phone.next()
    phone.page.locator(".foot .main").click()
