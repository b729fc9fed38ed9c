"""The offline core in the two other engines: install, dead server, reload, log, send. `make other-browsers` runs this."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import PASSWORD, PIN, Server, demo_data, server  # noqa: F401  fixtures
from tests.engines.drivers import Driver, Firefox, WebKit, missing


@pytest.fixture(scope="module", autouse=True)
def _engines() -> None:
    if lacking := missing():
        pytest.fail(f"These tests need: apt install --no-install-recommends {' '.join(lacking)}")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[type[Any]], Driver]]:
    made: list[Driver] = []

    def make(kind: type[Any]) -> Driver:
        made.append(kind(tmp_path / "profile"))
        return made[-1]

    yield make
    for driver in made:
        driver.close()


def text(driver: Driver, wanted: str) -> None:
    driver.until(f"document.body.innerText.includes({json.dumps(wanted)})")


def fill(driver: Driver, **fields: str) -> None:
    for name, value in fields.items():
        driver.run(
            f"const field = document.getElementById({json.dumps(name)}); field.value = {json.dumps(value)};"
            "field.dispatchEvent(new Event('input', { bubbles: true }));"
        )


def click(driver: Driver, selector: str) -> None:
    driver.until(f"document.querySelector({json.dumps(selector)}) !== null")
    driver.run(f"document.querySelector({json.dumps(selector)}).click()")


def choose(driver: Driver, question: str, name: str) -> None:
    click(driver, f'[id="q-{question}-set"] input[value="{name}"]')


def enrol(driver: Driver, url: str, worker: str) -> None:
    driver.open(f"{url}/app/")
    driver.until("document.getElementById('username') !== null")
    fill(driver, username=worker, password=PASSWORD, pin=PIN)
    click(driver, "button.main")
    text(driver, "Ready offline")


def unlock(driver: Driver) -> None:
    driver.until("document.getElementById('pin') !== null")
    fill(driver, pin=PIN)
    click(driver, "button.main")
    driver.until("document.querySelector('.tabs') !== null")


def log_encounter(driver: Driver) -> None:
    driver.run("location.hash = '/start/encounter'")
    choose(driver, "what.contact_type", "check_in")
    click(driver, ".foot .main")
    choose(driver, "people.who", "group")
    click(driver, ".foot .main")
    choose(driver, "talk.risk_now", "low")
    choose(driver, "talk.minutes", "5_15")
    click(driver, ".foot .main")
    driver.until("document.querySelector('input[type=search], [id=\"q-when_where.nbhd-set\"] b') !== null")
    driver.run(
        "const search = document.querySelector('input[type=search]');"
        "if (search) { search.value = 'olive'; search.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    choose(driver, "when_where.nbhd", "002")
    choose(driver, "when_where.setting", "street")
    click(driver, ".foot .main")
    driver.until("document.querySelector('textarea') !== null")
    click(driver, ".foot .main")
    driver.until("document.querySelector('[id^=line-]') !== null")
    click(driver, ".foot .main")
    driver.until("document.querySelector('.ledger') !== null")


def send(driver: Driver) -> None:
    driver.run("location.hash = '/mine'")
    text(driver, "Sync now")
    driver.run("[...document.querySelectorAll('button')].find((one) => one.innerText === 'Sync now').click()")
    text(driver, "All sent.")


@pytest.mark.parametrize(("engine", "worker"), [(Firefox, "w01"), (WebKit, "w02")])
def test_reload_and_log_with_a_dead_server_then_send(
    start: Callable[[type[Any]], Driver],
    server: Server,
    engine: type[Any],
    worker: str,
) -> None:
    driver = start(engine)
    enrol(driver, server.url, worker)
    server.stop()
    try:
        driver.open(f"{server.url}/app/")
        unlock(driver)
        log_encounter(driver)
        text(driver, "1 saved on this phone, not yet sent.")
    finally:
        server.start()
    send(driver)


def test_firefox_starts_cold_with_a_dead_server(
    start: Callable[[type[Any]], Driver],
    server: Server,
) -> None:
    driver = start(Firefox)
    enrol(driver, server.url, "w03")
    driver.close()
    server.stop()
    try:
        again = start(Firefox)
        again.open(f"{server.url}/app/")
        unlock(again)
        log_encounter(again)
        text(again, "1 saved on this phone, not yet sent.")
    finally:
        server.start()
    send(again)
