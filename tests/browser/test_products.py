"""The City's products as their users meet them: a council member, a web editor, a worker at night, the crisis team."""

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import examine_width, find_violations
from tests.browser.conftest import KeptPhone, Phone, Server, sign_in
from tests.browser.pictures import picture
from tests.browser.product_pages import products  # noqa: F401  a fixture
from tests.browser.steps import painted

pytestmark = pytest.mark.xdist_group("browser: products")
OpenPage = Callable[..., Page]
PHONE = {"width": 360, "height": 740}
NEIGHBOURHOODS = ("001", "002", "003", "004", "005", "006", "021", "022")


def is_sound(page: Page) -> None:
    found = find_violations(page)
    assert not found, [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_anybody_reads_the_dashboard_without_being_followed(
    products: Server, open_page: OpenPage, language: str, scheme: str
) -> None:
    page = open_page(scheme=scheme, viewport=PHONE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/public/rexdale/{language}/")
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert page.locator(".indicator").count() >= 12
    assert "Sent the same or the next day" not in page.content()  # that one is for the team alone
    page.locator("summary").first.click()
    expect(page.locator(".indicator table").first).to_be_visible()
    is_sound(page)
    if (language, scheme) == ("en", "light"):
        picture(page, "dashboard")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.context.cookies() == []
    assert all(url.startswith(products.url) for url in asked)
    page.locator(".indicator h3 a").first.click()
    expect(page.locator("h1")).to_be_visible()
    is_sound(page)


def numbers(place: Locator) -> dict[str, str]:
    return {card.locator("h3").inner_text(): card.locator(".now").inner_text() for card in place.locator(".indicator").all()}


THEME = """<!doctype html><html lang="en-CA"><head><title>City of Example</title>
<link rel="stylesheet" href="/theme.css"></head><body class="wp-site"><header id="masthead"><h1>City of Example</h1></header>
<div class="entry-content"><p>Our programme:</p>
{part}
</div></body></html>"""
CSS = """* { color: rgb(255, 0, 0) !important; font: 40px cursive !important; background: rgb(255, 255, 0) !important }
ul { list-style: square !important; margin: 80px !important } svg { display: none !important } table { display: none }"""


@pytest.fixture
def wordpress(products: Server) -> Iterator[Callable[[str, str], str]]:
    """Serve a page as a foreign site does: its own theme, which styles everything, and a strict policy of its own."""
    made: dict[str, str] = {}
    policy = (
        f"default-src 'none'; style-src 'self'; script-src {products.url}; connect-src {products.url}; "
        f"frame-src {products.url}; base-uri 'none'"
    )

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_css = self.path.endswith(".css")
            self.send_response(200)
            self.send_header("Content-Type", "text/css" if is_css else "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write((CSS if is_css else made.get(self.path, "")).encode())

        def log_message(self, *_: object) -> None:
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()

    def publish(path: str, part: str) -> str:
        made[path] = THEME.format(part=part)
        return f"http://127.0.0.1:{site.server_port}{path}"

    yield publish
    site.shutdown()
    site.server_close()


def test_one_line_shows_the_dashboard_in_a_foreign_page(
    products: Server, open_page: OpenPage, wordpress: Callable[[str, str], str]
) -> None:
    line = f'<script async src="{products.url}/embed/kpi.js" data-centre="rexdale"></script>'
    page = open_page(viewport={"width": 800, "height": 900})
    page.goto(wordpress("/one", line))
    inside = page.locator("fieldapp-kpi")
    expect(inside.locator(".indicator").first).to_be_visible()
    assert inside.locator(".indicator").count() >= 12
    # the theme, which styles everything, reaches nothing inside
    look = inside.locator(".now").first.evaluate("one => [getComputedStyle(one).color, getComputedStyle(one).fontFamily]")
    assert look[0] != "rgb(255, 0, 0)" and "cursive" not in look[1]
    expect(inside.locator("svg").first).to_be_visible()
    picture(page, "embedded")
    direct = open_page(viewport=PHONE)
    direct.goto("/public/rexdale/en/")
    assert numbers(inside) == numbers(direct.locator("main"))
    assert page.context.cookies() == []


def test_one_indicator_in_french_and_a_frame(
    products: Server, open_page: OpenPage, wordpress: Callable[[str, str], str]
) -> None:
    page = open_page(viewport={"width": 400, "height": 900})
    script = f'<script async src="{products.url}/embed/kpi.js"></script>'
    page.goto(wordpress("/two", f'<fieldapp-kpi centre="rexdale" kpi="mediations" lang="fr"></fieldapp-kpi>{script}'))
    expect(page.locator("fieldapp-kpi h3")).to_have_text("Conflits apaisés par médiation")
    page.goto(
        wordpress("/three", f'<iframe title="Dashboard" src="{products.url}/embed/rexdale/en/?kpi=encounters"></iframe>')
    )
    expect(page.frame_locator("iframe").locator("h3")).to_have_text("Encounters")
    page.goto(wordpress("/four", f'<fieldapp-kpi centre="nowhere"></fieldapp-kpi>{script}'))
    expect(page.locator("fieldapp-kpi")).to_contain_text("cannot be shown just now")


@pytest.mark.parametrize(("locale", "scheme"), [("en-CA", "light"), ("fr-CA", "dark")], ids=["en", "fr"])
def test_every_page_of_the_office_works_for_everyone_with_numbers_in_it(
    products: Server, open_page: OpenPage, locale: str, scheme: str
) -> None:
    page = open_page(locale=locale, scheme=scheme, viewport={"width": 320, "height": 700})
    sign_in(page, "rexdale.admin")
    for path in ("figures", "heat-map", "map", "map?span=month", "board", "products", "feed"):
        page.goto(f"/office/{path}")
        page.wait_for_load_state("networkidle")
        painted(page)
        is_sound(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_friday_night_is_planned_from_the_map(products: Server, open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 1200, "height": 900})
    sign_in(page, "rexdale.admin")
    page.goto("/office/map?span=month")
    page.get_by_role("link", name="Friday, Saturday").click()
    expect(page.get_by_role("link", name="Friday, Saturday")).to_have_attribute("aria-current", "page")
    # Somewhere more than expected, or in words why nothing is named; and from which weeks.
    expect(page.locator(".plan")).to_contain_text(re.compile("more than expected|We do not rank"))
    expect(page.locator(".plan")).to_contain_text(re.compile(r"\d+ weeks, from"))
    expect(page.get_by_text("Invented outlines for the demo")).to_be_visible()
    expect(page.locator(".go li").first).to_be_visible()
    evening = page.get_by_role("button", name=re.compile("^Friday, 20:00"))
    evening.click()
    expect(evening).to_have_attribute("aria-pressed", "true")
    # At the demo's size a neighbourhood has seldom ten encounters in the evenings of twelve weeks.
    expect(page.locator(".go li").first).to_contain_text(re.compile("Friday, 20:00–24:00|Too few"))
    only = page.locator(".areas tbody tr").count()
    assert only <= len(NEIGHBOURHOODS)
    page.get_by_role("button", name="All times").click()
    assert page.locator(".areas tbody tr").count() >= only
    # by keyboard: the grid is one stop, arrows move within it
    page.locator(".when button[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator(".when [aria-pressed='true']").count() == 1
    is_sound(page)
    assert page.locator("canvas.chart").evaluate("one => one.width > 100")
    page.get_by_role("button", name="All times").click()
    picture(page, "map")


def test_the_map_works_on_a_phone_without_signal(products: Server, kept: KeptPhone) -> None:
    phone = kept.open()
    phone.enrol("w05")
    phone.page.goto("/app/#/new")
    phone.page.get_by_role("link", name="Where and when").click()
    expect(phone.page.locator(".spots canvas")).to_be_visible()
    products.stop()
    try:
        phone.page.goto("/app/")
        phone.unlock()
        phone.page.goto("/app/#/where")
        phone.page.get_by_role("button", name="Twelve weeks").click()
        expect(phone.page.locator(".go li").first).to_be_visible()
        expect(phone.page.locator(".spots canvas")).to_be_visible()
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 412
    finally:
        products.start()
        kept.close()


def test_where_to_go_does_not_run_over_the_edge_of_a_narrow_phone(products: Server, open_page: OpenPage) -> None:
    for locale in ("en-CA", "fr-CA"):
        phone = Phone(open_page(locale, "light", {"width": 360, "height": 740}))
        page = phone.page
        phone.enrol("w06")
        page.goto("/app/#/where")
        expect(page.locator(".spots canvas")).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        for width, size in ((360, ""), (320, ""), (320, "200%")):
            page.set_viewport_size({"width": width, "height": 640})
            page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", size)
            painted(page)
            assert examine_width(page, f"{locale}, {width} px, {size}") == []


def test_the_board_shows_in_seconds_what_another_screen_did_and_says_when_it_is_cut_off(
    products: Server, open_page: OpenPage
) -> None:
    wall, phone = open_page(viewport={"width": 1600, "height": 900}), open_page(viewport=PHONE)
    for page in (wall, phone):
        sign_in(page, "rexdale.crisis")
    wall.goto("/office/board?wall")
    phone.goto("/office/board")
    is_sound(phone)
    before = phone.locator(".board article").count()
    # The wall shows as many as have a place, and counts them all in its heading.
    waiting = int(wall.locator("#board-requests h2").inner_text().split()[0])
    phone.locator("#ask summary").click()
    phone.select_option("#need", "escort")
    phone.get_by_role("button", name="Add to the board").click()
    expect(phone.locator(".board article")).to_have_count(before + 1)
    expect(wall.locator("#board-requests h2")).to_have_text(re.compile(rf"^{waiting + 1} "), timeout=8000)
    card = phone.locator(".board article", has_text="Somebody to go along").first
    card.get_by_role("button", name="Mark as seen").click()
    expect(wall.locator("article.unseen", has_text="Somebody to go along")).to_have_count(0, timeout=8000)
    products.stop()
    try:
        expect(wall.locator("#board-state")).to_contain_text("No signal", timeout=20_000)
    finally:
        products.start()
    expect(wall.locator("#board-state")).to_contain_text("Shows everything up to", timeout=40_000)
    phone.goto("/office/board")
    phone.locator(".board article", has_text="Somebody to go along").get_by_role("button", name="Close").first.click()
    expect(phone.locator(".board article", has_text="Somebody to go along")).to_have_count(0)
    phone.goto("/office/board/history")
    expect(phone.locator("main")).to_contain_text(re.compile(r"Closed\s*Somebody to go along"))
    with phone.expect_download() as download:
        phone.get_by_role("button", name="Shift report (PDF)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    for url in ("/office/", "/office/records", "/office/products", "/releases/"):
        assert phone.goto(url).status == 403, url  # the crisis team sees the board and the map, nothing else
