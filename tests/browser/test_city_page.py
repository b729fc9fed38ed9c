"""The City's page: it can be read by everybody, on a narrow phone, in the dark, in both languages."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from evaluator_export.citysum.page import make_files
from tests.browser.accessibility import examine
from tests.evaluator_export.city_sum import City


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1100, "light")])
def test_the_page_of_a_citys_sums_works_for_everyone(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    city = City(10, counts=[[number, 1, 12, 0] for number in range(10)])
    files = make_files(city.registry, [city.run()], is_reviewed=False)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    for name in files:
        page.goto(f"file://{tmp_path / name}")
        page.locator("summary").first.click()
        assert examine(page, name) == []
    # From one language to the other, as the City puts the files on its server.
    page.goto(f"file://{tmp_path}/en.html")
    page.get_by_role("link", name="Français").click()
    assert "ce que tous les centres ont fait" in page.get_by_role("heading", level=1).inner_text()
    context.close()
