"""New workers: added in the office, invited with their phone."""

import itertools

from playwright.sync_api import Page

names = (f"n{number:02}" for number in itertools.count(1))


def add_worker(office: Page) -> str:
    """Add a worker in the office and return their sign-in name."""
    name = next(names)
    office.goto("/office/people")
    office.fill("#username", name)
    office.fill("#label", name.upper())
    office.get_by_role("button", name="Add and create a password").click()
    office.wait_for_selector(".made")
    return name


def invite(office: Page, name: str) -> str:
    """Return the address with which one phone joins in a worker's name."""
    office.goto("/office/people")
    row = office.locator("tr", has=office.locator("td.code", has_text=name))
    row.get_by_role("button", name="Invite a phone").click()
    office.wait_for_selector(".qr")
    office.locator("summary").click()
    return office.locator(".code.wrap").inner_text()
