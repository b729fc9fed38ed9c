"""Scanning a card with a browser that has no reader of codes, as on iPhones and in Firefox: a camera that shows a real code."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect
from reportlab.graphics.barcode import qrencoder

from tests.browser.conftest import ARGUMENTS, PHONE, Phone, Server, chromium

CARD = "K7QM3RXDQ"
WIDTH, HEIGHT, DOT = 640, 480, 12  # pixels of a frame, and of a module of the code


def film(text: str) -> bytes:
    """Return a film (YUV4MPEG2) in which a camera sees a QR code, lying a little off the middle."""
    code = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    light = bytearray(b"\xb4" * (WIDTH * HEIGHT))  # grey paper
    for row in range(code.getModuleCount()):
        for column in range(code.getModuleCount()):
            if code.isDark(row, column):
                for line in range(DOT):
                    start = (100 + row * DOT + line) * WIDTH + 180 + column * DOT
                    light[start : start + DOT] = b"\x20" * DOT
    frame = b"FRAME\n" + bytes(light) + b"\x80" * (WIDTH * HEIGHT // 2)
    return f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 3


@pytest.fixture
def page(playwright: Playwright, server: Server, tmp_path: Path) -> Iterator[Page]:
    seen = tmp_path / "camera.y4m"
    seen.write_bytes(film(CARD))
    camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={seen}"]
    browser = playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, *camera])
    made = browser.new_context(base_url=server.url, viewport=PHONE, permissions=[]).new_page()  # type: ignore[arg-type]
    made.set_default_timeout(20_000)
    made.add_init_script("delete window.BarcodeDetector")
    yield made
    browser.close()


def ask_for_the_card(page: Page) -> None:
    page.goto("/app/#/start/encounter")
    phone = Phone(page)
    phone.who_was_there()
    page.get_by_role("button", name="Scan the card").click()


def test_a_card_is_scanned_without_signal_where_the_browser_cannot_read_codes(page: Page) -> None:
    Phone(page).enrol("w09")
    page.context.set_offline(True)
    ask_for_the_card(page)  # the camera is refused: nobody was asked
    expect(page.locator("main")).to_contain_text("The camera could not be opened. Type the code in.")
    page.get_by_role("button", name="Close the camera").click()
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Scan the card").click()
    expect(page.locator('[id="q-people.code"]')).to_have_value(CARD)
    expect(page.locator("video")).to_have_count(0)  # the camera is off again
