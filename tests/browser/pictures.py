"""Pictures for the README, taken when asked for."""

import os

from playwright.sync_api import Page

from tests.browser.conftest import ROOT
from tests.browser.steps import painted

PICTURES = ROOT / "docs" / "pictures"


def picture(page: Page, name: str) -> None:
    """Keep a picture for the README when asked to (PICTURES=1)."""
    if os.environ.get("PICTURES"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.evaluate("document.fonts.ready.then(() => undefined)")
        painted(page)
        page.screenshot(path=PICTURES / f"{name}.png")
