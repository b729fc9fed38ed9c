"""What every page is examined for."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# axe also lists all that is right; with it, the answer for a long page takes longer to carry here than to find.
RUN = "(options) => axe.run(document, { ...options, resultTypes: ['violations'] }).then((found) => found.violations)"


def find_violations(page: Page, options: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return what axe finds wrong with a page: by its rules, or those of `options`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    violations: list[dict[str, Any]] = page.evaluate(RUN, options or {})
    return violations


def examine(page: Page, where: str) -> list[str]:
    found = [
        f"{where}: {violation['id']}: {node['html'][:160]}"
        for violation in find_violations(page, RULES)
        for node in violation["nodes"]
        if violation["id"] != "target-size" or is_small(page, node["target"][-1])
    ]
    return [*found, *examine_width(page, where)]


def is_small(page: Page, selector: str) -> bool:
    """Say whether a target is too small also in the middle of the screen, where no foot lies over part of it."""
    page.locator(selector).first.evaluate("(target) => target.scrollIntoView({ block: 'center' })")
    again = find_violations(page, {"runOnly": {"type": "rule", "values": ["target-size"]}})
    return selector in [node["target"][-1] for violation in again for node in violation["nodes"]]


def examine_width(page: Page, where: str) -> list[str]:
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{where}: runs {width} px over the edge"] if width > 0 else []
