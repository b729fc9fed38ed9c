"""What answers is not the centre, or is a newer one: portals, lies, new versions."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import KeptPhone, Phone, Server, without_background
from tests.browser.network import Network
from tests.browser.steps import balanced, painted, send, send_and_fetch

pytestmark = pytest.mark.xdist_group("browser: phones")
OpenPage = Callable[..., Page]
# Resolves once the worker that is being installed, if any, is installed or given up.
NO_WORKER_COMES = """
navigator.serviceWorker.getRegistration('/app/').then(({ installing }) => new Promise((done) => {
  if (!installing) return done();
  installing.onstatechange = () => { if (installing.state !== 'installing') done(); };
}))
"""
OFFICE = {"width": 1180, "height": 900}


@pytest.fixture
def network(server: Server) -> Iterator[Network]:
    made = Network(server.port)
    yield made
    made.close()


def over(network: Network, kept: KeptPhone) -> Phone:
    kept.url = network.url
    return kept.open()


def test_38_a_portal_is_neither_centre_nor_app(kept: KeptPhone, network: Network) -> None:
    phone = over(network, kept)
    phone.enrol("w11")
    network.mode = "portal"
    phone.log_encounter()
    phone.page.evaluate("navigator.serviceWorker.getRegistration('/app/').then((one) => one.update().catch(() => 0))")
    phone.page.reload()
    phone.unlock()
    balanced(phone, waiting=1)
    network.mode = "good"
    send(phone)
    balanced(phone, centre=1)
    kept.close()


def test_39_a_new_version_waits_asks_and_takes_the_queue_along(kept: KeptPhone, network: Network) -> None:
    phone = over(network, kept)
    page = phone.page
    phone.enrol("w12")

    def hold(path: str, answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], bytes]:
        return (503, {"Content-Type": "text/plain"}, b"") if path.startswith("/sync/") else answer

    network.change = hold
    phone.log_encounter()
    look = "navigator.serviceWorker.getRegistration('/app/').then((one) => one.update().then(() => 0, () => 1))"
    network.mode = "half"  # the new worker came, its page did not: nothing of it may be used
    page.evaluate(look)
    page.evaluate(NO_WORKER_COMES)
    painted(page)
    expect(page.get_by_text("A new version is ready.")).to_have_count(0)
    network.mode = "newer"
    page.goto("/app/#/start/encounter")
    page.wait_for_selector(".question")
    page.evaluate(look)
    page.evaluate(NO_WORKER_COMES)
    painted(page)
    expect(page.get_by_text("A new version is ready.")).to_have_count(0)  # not while a form is open
    page.goto("/app/#/today")
    expect(page.get_by_text("A new version is ready.")).to_be_visible()
    assert page.title().endswith("fieldapp")
    page.reload()
    assert page.title().endswith("fieldapp")  # a reload alone changes nothing
    page.get_by_role("button", name="Update now").click()
    expect(page).to_have_title(re.compile(r"fieldapp next$"))
    phone.unlock()
    balanced(phone, waiting=1)
    network.change = lambda path, answer: answer
    send(phone)
    balanced(phone, centre=1)
    kept.close()


def test_40_a_half_answered_centre_is_no_centre(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    without_background(phone.page)
    phone.enrol("w01")
    page = phone.page
    answers = [
        {"protocol": 1, "items": [], "orders": {}},
        {"protocol": 2, "items": [{"status": "stored"}], "orders": {}},
        {"protocol": 1, "items": "stored"},
        "stored",
    ]

    def lie(route: Route) -> None:
        made = json.loads(route.request.post_data or "{}").get("items", [])
        answer = answers.pop(0) if answers else {"protocol": 1, "orders": {}, "items": [
            {"id": item["id"], "sha256": "0" * 64, "status": "stored"} for item in made]}  # fmt: skip
        route.fulfill(status=200, content_type="application/json", body=json.dumps(answer))

    page.route("**/sync/v1/deliver", lie)
    phone.log_encounter()
    for _ in range(6):
        send_and_fetch(page)
    balanced(phone, waiting=1)
    page.unroute("**/sync/v1/deliver")
    send(phone)
    balanced(phone, centre=1)
