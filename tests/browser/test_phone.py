"""The phone on bad days: killed, full, cleared, damaged, seized, lent, lost, two tabs, a wrong clock, a newer version.

After each: made = with the centre + waiting + deleted by the worker, and nothing in clear on the phone.
"""

import json
import random
import re
import sqlite3
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import CDPSession, Page, Route, expect

from forms.builder import Book
from forms.sheets import read_sheets
from tests.browser.conftest import PASSWORD, PIN, ROOT, KeptPhone, Phone, Server, sign_in, without_background
from tests.browser.network import Network
from tests.browser.test_for_everyone import examine
from tests.programme import definition_of

pytestmark = pytest.mark.xdist_group("browser")
OpenPage = Callable[..., Page]
OFFICE = {"width": 1180, "height": 900}


def rows(data: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with sqlite3.connect(data / "fieldapp.db") as connection:
        return connection.execute(query, values).fetchall()


def balanced(phone: Phone, **wanted: int) -> None:
    """Made = with the centre + waiting + deleted, nothing lost; and each as wanted."""
    found = phone.ledger()
    made = found.pop("Made on this phone")
    assert found["Lost"] == 0
    assert made == sum(found.values())
    names = {"centre": "Safe with the centre", "waiting": "Waiting here", "deleted": "Deleted by you"}
    assert {key: found[name] for key, name in names.items()} == {"centre": 0, "waiting": 0, "deleted": 0, **wanted}


def send(phone: Phone) -> None:
    phone.page.goto("/app/#/mine")
    phone.page.get_by_role("button", name="Send and fetch now").click()
    expect(phone.page.locator("main")).to_contain_text("All sent")


def cut_off(page: Page) -> None:
    page.context.set_offline(True)  # its service worker too


def connect(page: Page) -> None:
    page.context.set_offline(False)


def shift(page: Page, days: int) -> None:
    """Set the phone's clock so many days on, or back."""
    page.clock.set_system_time(page.evaluate("Date.now()") / 1000 + days * 86_400)


def saved(page: Page) -> None:
    """Wait until the last keystroke is written: the words “Saved” may still be those of the one before."""
    page.wait_for_timeout(400)
    expect(page.locator(".foot [role=status]")).to_have_text("Saved on this phone")


def bytes_of(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def assert_not_in_clear(folder: Path, *texts: str) -> None:
    stored = bytes_of(folder)
    for text in texts:
        for coded in (text.encode(), text.encode("utf-16-le"), text.encode().hex().encode()):
            assert coded not in stored, text


@pytest.fixture
def network(server: Server) -> Iterator[Network]:
    made = Network(server.port)
    yield made
    made.close()


# ── seized ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_20_nothing_is_in_clear_on_the_phone_while_typing_queued_and_sent(
    kept: KeptPhone, server: Server, demo_data: Path
) -> None:
    phone = kept.open()
    phone.enrol("w02")
    cut_off(phone.page)
    phone.log_encounter(finish=False)
    phone.page.fill("textarea", "CANARYNOTE the yellow door")
    saved(phone.page)
    kept.close()
    # The form's own choices are on the phone, so a code like check_in is too; an answer is told by its question beside it.
    typed = ("CANARYNOTE", "yellow door", '"contact_type":"check_in"', '"nbhd":"002"', PASSWORD, f'"{PIN}"')
    assert_not_in_clear(kept.folder, *typed)

    phone = kept.open()
    cut_off(phone.page)
    phone.page.goto("/app/")
    phone.unlock()
    phone.page.get_by_role("link", name="Encounter", exact=True).click()
    phone.page.get_by_role("button", name="Finish").click()
    phone.page.wait_for_selector(".ledger")
    kept.close()
    assert_not_in_clear(kept.folder, *typed, '"form":"encounter","finishedAt"')

    phone = kept.open()
    phone.page.goto("/app/")
    phone.unlock()
    send(phone)
    kept.close()
    assert_not_in_clear(kept.folder, *typed)
    stored = rows(demo_data, "SELECT answers FROM record WHERE answers LIKE '%CANARYNOTE the yellow door%'")
    assert len(stored) == 1


def test_21_ten_wrong_pins_end_it_and_the_password_brings_everything_back(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w03")
    cut_off(phone.page)
    phone.log_encounter()
    phone.log_encounter(finish=False)
    saved(phone.page)
    page = phone.page
    page.clock.install()
    page.reload()
    for number in range(10):
        page.fill("#pin", f"11111{number}")
        page.click("button.main")
        page.wait_for_selector("[role=alert]")
        expect(page.locator("button.main")).to_be_enabled()
        page.clock.fast_forward("02:00:00")  # the pauses between tries
    expect(page.get_by_role("alert")).to_contain_text("The PIN opens nothing any more")
    page.fill("#pin", PIN)
    page.click("button.main")
    expect(page.get_by_role("alert")).to_contain_text("The PIN opens nothing any more")
    connect(page)
    page.get_by_role("button", name="I forgot the PIN").click()
    phone.enrol_here("w03", "975310")
    expect(page.get_by_text("Not finished")).to_be_visible()
    balanced(phone, centre=1)


def test_22_quick_exit_leaves_a_clock_in_every_tab(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w04")
    page = phone.page
    other = page.context.new_page()
    other.goto("/app/")
    other.fill("#pin", PIN)
    other.click("button.main")
    other.wait_for_selector(".tabs")
    phone.log_encounter(finish=False)
    page.fill("textarea", "something to hide")
    saved(page)
    page.get_by_role("button", name="Hide").click()
    expect(page.locator(".clock")).to_be_visible()
    expect(page).to_have_title("Clock")
    expect(page.locator("body")).not_to_contain_text("fieldapp")
    expect(other.locator("#pin")).to_be_visible()
    page.go_back()
    expect(page.locator("body")).not_to_contain_text("something to hide")
    page.reload()
    expect(page.locator("#pin")).to_be_visible()
    phone.unlock()
    page.goto("/app/#/today")
    expect(page.get_by_text("Not finished")).to_be_visible()


def test_23_a_phone_left_alone_locks_itself(open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    phone = Phone(page)
    phone.enrol("w05")
    page.clock.fast_forward("04:00")
    expect(page.locator(".tabs")).to_be_visible()
    page.clock.fast_forward("02:00")
    expect(page.locator("#pin")).to_be_visible()


def test_24_two_workers_on_one_phone_see_nothing_of_each_other_and_each_sends_as_themselves(
    open_page: OpenPage, demo_data: Path
) -> None:
    phone = Phone(open_page())
    page = phone.page
    phone.enrol("w06")
    cut_off(page)
    phone.log_encounter()
    phone.log_encounter(finish=False)
    saved(page)
    page.goto("/app/#/people")
    page.get_by_role("button", name="Make a new card").click()
    page.wait_for_selector(".qr")
    page.goto("/app/#/mine")
    page.get_by_role("button", name="Lock now").click()
    expect(page.locator("main")).to_contain_text("1 sealed record waits here")
    page.get_by_role("button", name="I forgot the PIN, or I am somebody else").click()
    connect(page)
    phone.enrol_here("w07", "864200")
    balanced(phone)
    for place in ("today", "mine", "people"):
        page.goto(f"/app/#/{place}")
        page.wait_for_selector(".tabs")
        expect(page.locator("main")).not_to_contain_text("Not finished")
        expect(page.locator("main")).not_to_contain_text("Encounter")
    page.get_by_role("link", name="Mine").click()
    page.get_by_role("button", name="Lock now").click()
    expect(page.get_by_text("sealed record")).to_have_count(0)
    query = "SELECT u.username FROM submission s JOIN user u ON u.id = s.author_id ORDER BY s.id DESC LIMIT 1"
    assert rows(demo_data, query) == [("w06",)]


@pytest.mark.parametrize("order", ["Lock", "Wipe"])
def test_25_a_lost_phone_hands_over_its_queue_then_closes_itself(open_page: OpenPage, order: str) -> None:
    phone = Phone(open_page())
    worker = "w08" if order == "Lock" else "w09"
    phone.enrol(worker)
    page = phone.page
    cut_off(page)
    phone.log_encounter()
    phone.log_encounter(finish=False)
    saved(page)
    page.reload()  # it lies there, locked
    expect(page.locator("main")).to_contain_text("1 sealed record waits here")
    office = open_page(viewport=OFFICE)
    sign_in(office, "rexdale.admin")
    office.goto("/office/people")
    mine = office.locator("section:has(h2:text-is('Phones')) tbody tr", has_text=f"W-{worker[1:]}").last
    if order == "Wipe":
        mine.get_by_text("Wipe …").click()
    mine.get_by_role("button", name=order).click()
    expect(office.locator("main")).to_contain_text("hands over what is finished")
    connect(page)
    if order == "Lock":
        expect(page.locator("main")).to_contain_text(re.compile("The centre has locked this phone|The PIN opens nothing"))
    if order == "Wipe":
        expect(page.locator("#username")).to_be_visible()
        count = page.evaluate(
            """() => new Promise((done) => {
                const request = indexedDB.open('fieldapp');
                request.onsuccess = () => {
                    const tx = request.result.transaction(['vaults', 'drafts', 'outbox', 'forms', 'books']);
                    const names = [...tx.objectStoreNames];
                    Promise.all(names.map((name) => new Promise((one) => {
                        tx.objectStore(name).count().onsuccess = (event) => one(event.target.result);
                    }))).then((counts) => done(counts.reduce((a, b) => a + b)));
                };
            })"""
        )
        assert count == 0
        return
    page.fill("#pin", PIN)
    page.click("button.main")
    expect(page.locator("form")).to_contain_text("The PIN opens nothing any more")
    page.get_by_role("button", name="I forgot the PIN").click()
    phone.enrol_here(worker, "531975")
    expect(page.get_by_text("Not finished")).to_be_visible()
    balanced(phone, centre=1)


def virtual_authenticator(page: Page) -> CDPSession:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True, "hasPrf": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_26_finger_or_face_opens_it_too(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    page = phone.page
    virtual_authenticator(page)
    phone.enrol("w10")
    page.goto("/app/#/mine")
    page.get_by_text("Open with finger or face").click()
    page.fill("#passkey-pin", "000001")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("main")).to_contain_text("The PIN is wrong")
    page.fill("#passkey-pin", PIN)
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("main")).to_contain_text("From now on finger or face opens it too")
    page.reload()
    page.get_by_role("button", name="Use finger or face").click()
    page.wait_for_selector(".tabs")


# ── offline, killed, full, cleared, damaged ─────────────────────────────────────────────────────────────────────────────────


def test_27_killed_while_typing_it_opens_with_all_that_it_had_confirmed(kept: KeptPhone) -> None:
    phone = kept.open()
    phone.enrol("w11")
    phone.log_encounter(finish=False)
    last = ""
    for number in range(6):
        last = f"line {number} of a long night"
        phone.page.fill("textarea", last)
        phone.page.wait_for_function("document.querySelector('.foot [role=status]').innerText.startsWith('Saving')")
        saved(phone.page)
    kept.kill()
    phone = kept.open()
    phone.page.goto("/app/")
    phone.unlock()
    phone.page.goto("/app/#/today")
    phone.page.get_by_role("link", name="Encounter", exact=True).click()
    expect(phone.page.locator("textarea")).to_have_value(last)
    phone.page.get_by_role("button", name="Finish").click()
    phone.page.wait_for_selector(".ledger")
    kept.kill()  # right after the tap
    phone = kept.open()
    phone.page.goto("/app/")
    phone.unlock()
    send(phone)
    balanced(phone, centre=1)
    kept.close()


def test_28_when_only_the_caches_are_cleared_the_app_mends_itself(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w12")
    page = phone.page
    cut_off(page)
    phone.log_encounter()
    page.evaluate("caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name))))")
    connect(page)
    send(phone)
    page.goto("/app/#/today")
    phone.ready()
    cut_off(page)
    page.reload()
    phone.unlock()
    balanced(phone, centre=1)
    connect(page)


def noise(side: int) -> bytes:
    """Return a PNG that cannot be made much smaller."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + random.Random(row).randbytes(3 * side) for row in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def form_with_picture(folder: Path) -> Path:
    book = Book(read_sheets(PICTURE.encode(), ".md"))
    for line in book.lines():
        if line.row.name in ("door", "voice"):
            book.set(line.number, {"privacy::approval": "Community council, 2026-11-02"})
    path = folder / "door.xlsx"
    path.write_bytes(book.sheets.to_xlsx())
    return path


PICTURE = """| survey | | | | | |
| | type | name | label::English (en) | label::French (fr) | privacy::class |
| | image | door | The sign on the door | L'affiche | identifier |
| | audio | voice | A few words | Quelques mots | identifier |
| | text | words | What it says | Ce qu'elle dit | free-text |
| settings | | | |
| | form_title | form_id | version |
| | Door sign | door_sign | 1 |
"""


def test_29_a_full_phone_refuses_pictures_before_words_and_voice_notes_are_off(
    open_page: OpenPage, tmp_path: Path, server: Server
) -> None:
    office = open_page(viewport=OFFICE)
    sign_in(office, "rexdale.admin")
    office.goto("/office/forms")
    office.set_input_files("#workbook", form_with_picture(tmp_path))
    office.get_by_role("button", name="Check it").click()
    office.get_by_role("button", name="Publish it").click()
    page = open_page()
    session = page.context.new_cdp_session(page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": server.url, "quotaSize": 600_000})  # the app takes most of it
    phone = Phone(page)
    phone.enrol("w01")
    page.goto("/app/#/start/door_sign")
    page.wait_for_selector(".question")
    expect(page.locator('[id="q-voice-set"]')).to_contain_text("Voice notes are switched off")
    page.locator('[id="q-words"]').fill("closed")
    saved(page)
    picture = {"name": "door.png", "mimeType": "image/png", "buffer": noise(500)}
    page.locator('[id="q-door"]').set_input_files(picture)
    expect(page.locator('[id="q-door-set"]')).to_contain_text("This phone is almost full: no room for it. Words still fit.")
    expect(page.locator("img.captured")).to_have_count(0)
    page.locator('[id="q-words"]').fill("closed until Monday")
    saved(page)
    page.get_by_role("button", name="Finish").click()
    page.wait_for_selector(".ledger")
    send(phone)
    balanced(phone, centre=1)


def test_30_the_database_closed_under_an_open_form(open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(
        """
        window.handles = [];
        const open = IDBFactory.prototype.open;
        IDBFactory.prototype.open = function (...given) {
            const request = open.apply(this, given);
            request.addEventListener('success', () => window.handles.push(request.result));
            return request;
        };
        """
    )
    phone = Phone(page)
    phone.enrol("w02")
    phone.log_encounter(finish=False)
    page.evaluate("window.handles.forEach((one) => one.close())")
    page.fill("textarea", "still here")
    saved(page)
    page.evaluate("window.handles.forEach((one) => one.close())")
    page.get_by_role("button", name="Finish").click()
    page.wait_for_selector(".ledger")
    send(phone)
    balanced(phone, centre=1)


@pytest.mark.parametrize("damage", ["flipped", "cut"])
def test_31_a_damaged_store_says_so_instead_of_looking_empty(kept: KeptPhone, damage: str) -> None:
    phone = kept.open()
    phone.enrol("w03" if damage == "cut" else "w04")
    cut_off(phone.page)
    for _ in range(2):
        phone.log_encounter()
    kept.close()
    files = [path for path in kept.folder.rglob("*indexeddb.leveldb/*") if path.suffix in (".log", ".ldb")]
    assert files
    for path in files:
        data = bytearray(path.read_bytes())
        if damage == "cut":
            data = data[: len(data) // 2]
        else:
            for place in range(0, len(data), 97):
                data[place] ^= 0xFF
        path.write_bytes(data)
    phone = kept.open()
    phone.page.goto("/app/")
    page = phone.page
    page.wait_for_selector("h1")
    if page.locator("#pin").count() and not page.locator("#username").count():
        phone.unlock()  # half of it opened: the ledger tells
        page.goto("/app/#/mine")
        expect(page.locator("main")).to_contain_text(re.compile(r"missing from this phone|cannot be read|2"))
        return
    expect(page.locator("main")).to_contain_text(re.compile("lost what it kept|cannot be read just now"))


def test_32_everything_cleared_behind_the_workers_back(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w05")
    page = phone.page
    cut_off(page)
    phone.log_encounter()
    session = page.context.new_cdp_session(page)
    origin = page.evaluate("location.origin")
    session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"})
    connect(page)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("This phone has lost what it kept")
    phone.enrol_here("w05")
    page.goto("/app/#/mine")
    expect(page.locator("main")).to_contain_text("1 record is missing from this phone")
    page.get_by_role("button", name="Send and fetch now").click()
    page.wait_for_timeout(500)


def test_33_two_tabs_never_write_over_each_other_nor_give_one_number_twice(open_page: OpenPage, demo_data: Path) -> None:
    phone = Phone(open_page())
    phone.enrol("w06")
    page = phone.page
    phone.log_encounter(finish=False)
    saved(page)
    draft = page.url
    assert "/fill/" in draft
    other = page.context.new_page()
    other.set_default_timeout(20_000)
    second = Phone(other)
    other.goto("/app/")
    second.unlock()
    other.goto(draft)
    expect(other.locator("h1")).to_have_text("This is open in another tab")
    cut_off(page)
    cut_off(other)
    second.log_encounter(finish=False)
    saved(other)
    page.get_by_role("button", name="Finish").click(no_wait_after=True)
    other.get_by_role("button", name="Finish").click(no_wait_after=True)
    page.wait_for_selector(".ledger")
    other.wait_for_selector(".ledger")
    balanced(second, waiting=2)
    connect(page)
    connect(other)
    send(phone)
    balanced(phone, centre=2)
    numbers = rows(demo_data, "SELECT seq FROM submission ORDER BY id DESC LIMIT 2")
    assert len(set(numbers)) == 2


def test_34_a_wrong_clock_is_noticed_and_loses_nothing(open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    phone = Phone(page)
    phone.enrol("w07")
    shift(page, -3)
    send_nothing = page.get_by_role("link", name="Mine")
    send_nothing.click()
    page.get_by_role("button", name="Send and fetch now").click()
    expect(page.locator("main")).to_contain_text("This phone's clock is about 72 h off")
    phone.log_encounter()
    shift(page, 4)
    page.reload()
    phone.unlock()
    balanced(phone, centre=1)


def test_35_delivered_lines_are_forgotten_in_time_and_the_ledger_still_counts_them(open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    phone = Phone(page)
    phone.enrol("w08")
    phone.log_encounter()
    page.goto("/app/#/mine")
    expect(page.locator("main")).to_contain_text("safe with the centre")
    expect(page.locator("h2", has_text="Latest")).to_be_visible()
    before = phone.ledger()
    shift(page, 9)
    page.reload()
    phone.unlock()
    page.goto("/app/#/mine")
    page.get_by_role("button", name="Send and fetch now").click()
    expect(page.locator("h2", has_text="Latest")).to_have_count(0)
    assert phone.ledger() == before


def test_36_a_record_deleted_before_it_went_is_counted_and_no_gap_at_the_centre(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w09")
    page = phone.page
    cut_off(page)
    phone.log_encounter()
    phone.log_encounter()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/app/#/mine")
    page.get_by_role("button", name="Delete: Encounter").first.click()
    expect(page.locator("main")).to_contain_text("deleted by you")
    balanced(phone, waiting=1, deleted=1)
    connect(page)
    send(phone)
    balanced(phone, centre=1, deleted=1)
    office = open_page(viewport=OFFICE)
    sign_in(office, "rexdale.admin")
    office.goto("/office/people")
    mine = office.locator("section:has(h2:text-is('Phones')) tbody tr", has_text="W-09").last
    expect(mine).not_to_contain_text("never came")


def test_37_a_sealed_copy_is_taken_in_at_the_office(open_page: OpenPage, tmp_path: Path) -> None:
    phone = Phone(open_page())
    phone.enrol("w10")
    page = phone.page
    cut_off(page)
    phone.log_encounter()
    page.goto("/app/#/mine")
    page.get_by_text("It does not go out?").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save a sealed copy").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert set(json.loads(path.read_text())["items"][0]) == {"id", "device", "kid", "box", "signature"}
    office = open_page(viewport=OFFICE)
    sign_in(office, "rexdale.admin")
    office.goto("/office/people")
    office.set_input_files("#rescue", path)
    office.get_by_role("button", name="Take it in").click()
    expect(office.locator("main")).to_contain_text("1 of 1 records of the copy are with the centre now")
    connect(page)
    send(phone)
    balanced(phone, centre=1)


# ── the other side: portals, newer versions ─────────────────────────────────────────────────────────────────────────────────


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
    page.wait_for_timeout(1000)
    expect(page.get_by_text("A new version is ready.")).to_have_count(0)
    network.mode = "newer"
    page.goto("/app/#/start/encounter")
    page.wait_for_selector(".question")
    page.evaluate(look)
    page.wait_for_timeout(1000)
    expect(page.get_by_text("A new version is ready.")).to_have_count(0)  # not while a form is open
    page.goto("/app/#/today")
    expect(page.get_by_text("A new version is ready.")).to_be_visible()
    assert page.title() == "fieldapp"
    page.reload()
    assert page.title() == "fieldapp"  # a reload alone changes nothing
    page.get_by_role("button", name="Use it now").click()
    page.wait_for_function("document.title === 'fieldapp next'")
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
        page.goto("/app/#/mine")
        page.get_by_role("button", name="Send and fetch now").click()
        page.wait_for_timeout(250)
    balanced(phone, waiting=1)
    page.unroute("**/sync/v1/deliver")
    send(phone)
    balanced(phone, centre=1)


# ── what the worker works with ──────────────────────────────────────────────────────────────────────────────────────────────


def city_of(codes: list[str]) -> bytes:
    """Squares of a synthetic city side by side, one for each code of the programme's list."""
    features = []
    for number, code in enumerate(codes):
        west, south = 20 + 0.02 * (number % 13), 10 + 0.02 * (number // 13)
        ring = [[west, south], [west + 0.02, south], [west + 0.02, south + 0.02], [west, south + 0.02], [west, south]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"AREA_SHORT_CODE": code}, "geometry": shape})
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_41_one_fix_becomes_a_neighbourhood_and_is_forgotten(
    kept: KeptPhone, server: Server, demo_data: Path, tmp_path: Path
) -> None:
    codes = [choice.name for choice in definition_of("encounter").choices["nbhd158"]]
    outlines = tmp_path / "city.geojson"
    outlines.write_bytes(city_of(codes))
    command = ["geo", "import", str(outlines), "--centre", "rexdale", "--attribution", "Synthetic city"]
    subprocess.run([sys.executable, "-m", "fieldapp", *command], cwd=ROOT, env=server.environment, check=True)
    phone = kept.open()
    page = phone.page
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 20.0271828, "latitude": 10.0131415, "accuracy": 20})
    phone.enrol("w02")
    page.goto("/app/#/start/encounter")
    page.wait_for_selector(".question")
    phone.pick("what.contact_type", "Check-in")
    phone.pick("what.setting", "Street")
    phone.next()
    page.get_by_role("button", name="Use my place").click()
    second = definition_of("encounter").choices["nbhd158"][1].label["en"]
    expect(page.locator('[id="q-when_where.nbhd-set"]')).to_contain_text(str(second))
    page.context.set_geolocation({"longitude": 0.1, "latitude": 0.1, "accuracy": 20})
    page.get_by_role("button", name="Use my place").click()
    expect(page.locator("main")).to_contain_text("This place is in none of the areas")
    page.context.set_geolocation({"longitude": 20.03999, "latitude": 10.0131415, "accuracy": 60})
    page.get_by_role("button", name="Use my place").click()
    expect(page.locator("main")).to_contain_text("You are in or near one of these")
    page.wait_for_timeout(500)
    kept.close()
    assert_not_in_clear(kept.folder, "20.0271828", "10.0131415", "20.0271", "10.01314")
    with sqlite3.connect(demo_data / "fieldapp.db") as connection:
        connection.execute("DELETE FROM area_set")


def test_42_due_follow_ups_come_back_on_their_day(open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    phone = Phone(page)
    phone.enrol("w03")
    page.goto("/app/#/people")
    page.get_by_role("button", name="Make a new card").click()
    page.wait_for_selector(".qr")
    code = page.locator(".big").inner_text()
    page.fill("#label", "red cap")
    page.get_by_role("button", name="Keep the label").click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    page.locator("footer .btn.main").click()
    phone.who_was_there()
    assert page.locator("input[value=enrolled]").is_checked()
    assert page.locator('[id="q-people.code"]').input_value().replace("-", "") == code.replace("-", "")
    phone.what_was_it_about()
    phone.pick("next.next_due", "Tomorrow")
    phone.next()
    phone.pick("consent.said", "Asked before")
    phone.pick("consent.tier_said", "Keep notes")
    page.get_by_role("button", name="Finish").click()
    page.wait_for_selector(".ledger")
    page.goto("/app/#/today")
    expect(page.get_by_text("Nothing is due today.")).to_be_visible()
    shift(page, 2)
    page.reload()
    phone.unlock()
    page.goto("/app/#/today")
    due = page.locator("section:has(#due)")
    expect(due).to_contain_text(f"{code} · red cap")
    expect(due).to_contain_text("1 day late")
    due.get_by_role("link").click()
    page.wait_for_selector(".question")
    page.goto("/app/#/today")
    due.get_by_role("button", name="Not needed").click()
    expect(due).to_have_count(0)


def test_43_a_note_that_points_to_a_person_is_questioned(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w04")
    phone.log_encounter(finish=False)
    page = phone.page
    page.fill("textarea", "quiet, back on Friday")
    expect(page.get_by_text("This note seems to hold")).to_have_count(0)
    page.fill("textarea", "he lives at 12 Kipling Ave, call 416-555-0199")
    expect(page.locator("main")).to_contain_text("This note seems to hold a phone number, an address")


def test_44_consent_is_read_in_their_language_and_what_is_missing_falls_back_in_sight(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w05")
    page = phone.page
    page.goto("/app/#/start/encounter")
    phone.who_was_there("First contact")
    phone.pick("people.who", "New person")
    phone.what_was_it_about()
    phone.next()
    card = page.locator(".consent")
    for code, word, direction in [
        ("en", "health centre", "ltr"), ("fr", "centre de santé", "ltr"), ("ar", "المركز الصحي", "rtl"),
        ("so", "xarunta caafimaadka", "ltr"), ("es", "centro de salud", "ltr"), ("ta", "சுகாதார", "ltr"),
        ("pt", "centro de saúde", "ltr"),
    ]:  # fmt: skip
        card.locator("select").select_option(code)
        expect(card.locator("blockquote")).to_contain_text(word)
        assert card.locator("blockquote").get_attribute("dir") == direction
        assert card.locator("blockquote").get_attribute("lang") == code
    page.locator("header select").select_option("ar")
    expect(page.locator("main")).to_have_attribute("dir", "rtl")
    page.set_viewport_size({"width": 320, "height": 640})
    assert examine(page, "consent in Arabic") == []
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert [one for one in examine(page, "consent in Arabic at 200 %") if "over the edge" in one] == []
    page.evaluate("document.documentElement.style.fontSize = ''")
    said = page.locator('[id="q-consent.said-set"] legend')
    expect(said).to_contain_text("How did you ask?")
    expect(said.locator(".tag")).to_have_text("English")
    assert said.locator("span[lang=en]").get_attribute("dir") == "ltr"


def test_45_an_iphone_in_the_browser_is_shown_the_way_to_the_home_screen(
    browser: Any, server: Server, open_page: OpenPage
) -> None:
    agent = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 Mobile/15E148 Safari/604.1"
    )
    context = browser.new_context(base_url=server.url, user_agent=agent, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto("/app/")
    expect(page.locator("h1")).to_have_text("First put the app on your home screen")
    expect(page.locator("#username")).to_have_count(0)
    assert examine(page, "iPhone") == []
    page.get_by_role("button", name="Go on in the browser all the same").click()
    expect(page.locator("#username")).to_be_visible()
    context.close()


def test_46_bright_sun_has_the_strongest_contrast(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w06")
    page = phone.page
    page.goto("/app/#/mine")
    page.locator("label.choice", has_text="Bright sun").click()
    for place in ("mine", "today", "new", "people", "start/encounter"):
        page.goto(f"/app/#/{place}")
        page.wait_for_timeout(300)
        found = Axe().run(page, options={"runOnly": ["color-contrast-enhanced"]}).response["violations"]
        assert not found, [node["html"] for one in found for node in one["nodes"]]


def test_47_a_code_that_is_none_of_ours_and_an_easy_pin_are_refused_in_words(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/app/")
    for pin, said in [("123456", "too easy"), ("111111", "too easy"), ("12ab56", "6 to 12 digits")]:
        page.fill("#username", "w07")
        page.fill("#password", PASSWORD)
        page.fill("#pin", pin)
        page.click("button.main")
        expect(page.get_by_role("alert")).to_contain_text(said)
    phone = Phone(page)
    phone.enrol("w07")
    page.goto("/app/#/card/NOTACODE1")
    expect(page.locator("h1")).to_have_text("This card is not on your list")
    page.goto("/app/#/start/no_such_form")
    expect(page.locator("h1")).to_have_text("This form is not on the phone")
    page.goto("/app/#/fill/3f0e5a52-52f4-4d1c-9b7e-0d6f5a4b3c2d")
    expect(page.locator("h1")).to_have_text("This is not on the phone")


SCANNER = """
window.BarcodeDetector = class { detect() { return Promise.resolve(window.inSight ? [{ rawValue: window.inSight }] : []); } };
navigator.mediaDevices.getUserMedia = () => {
    const canvas = document.createElement("canvas");
    setInterval(() => canvas.getContext("2d").fillRect(0, 0, Math.random() * 99, 9), 50);
    return Promise.resolve(canvas.captureStream());
};
"""


def test_48_the_camera_takes_our_cards_and_says_so_of_others(open_page: OpenPage) -> None:
    """The detector is the phone's own and this Chromium has none: what it sees is given here."""
    page = open_page()
    page.add_init_script(SCANNER)
    phone = Phone(page)
    phone.enrol("w08")
    page.goto("/app/#/people")
    page.get_by_role("button", name="Make a new card").click()
    page.wait_for_selector(".qr")
    code = page.locator(".big").inner_text()
    page.goto("/app/#/start/encounter")
    phone.who_was_there()
    phone.pick("people.who", "Enrolled")
    page.get_by_role("button", name="Scan the card").click()
    page.evaluate("window.inSight = 'https://example.org/menu'")
    expect(page.locator("main")).to_contain_text("This is not one of our cards. Try again, or type the code in.")
    assert page.locator('[id="q-people.code"]').input_value() == ""
    page.evaluate(f"window.inSight = {code!r}")
    page.get_by_role("button", name="Scan the card").click()
    expect(page.locator('[id="q-people.code"]')).to_have_value(code.replace("-", ""))


SPOIL = """() => new Promise((done) => {
    const request = indexedDB.open('fieldapp');
    request.onsuccess = () => {
        const tx = request.result.transaction(['forms', 'books'], 'readwrite');
        const forms = tx.objectStore('forms');
        forms.getAll().onsuccess = (event) =>
            event.target.result.forEach((row) => forms.put({ ...row, text: row.id === 'encounter' ? row.text : '{' }));
        const books = tx.objectStore('books');
        books.getAll().onsuccess = (event) =>
            event.target.result.forEach((row) => books.put({ ...row, sealed: { ...row.sealed, iv: new Uint8Array(12) } }));
        tx.oncomplete = () => done();
    };
})"""


def test_49_damaged_rows_stand_in_nobodys_way_and_forms_come_anew(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w09")
    page = phone.page
    page.goto("/app/#/people")
    page.get_by_role("button", name="Make a new card").click()
    page.wait_for_selector(".qr")
    page.evaluate(SPOIL)
    page.context.set_offline(True)
    page.reload()
    phone.unlock()
    phone.log_encounter()
    page.context.set_offline(False)
    send(phone)
    balanced(phone, centre=1)
    page.goto("/app/#/today")
    phone.ready()
    page.goto("/app/#/start/mediation")
    page.wait_for_selector(".question")
