"""The phone on bad days: killed, full, cleared, damaged, two tabs, a wrong clock. After each, the ledger balances."""

import json
import random
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from forms.builder import WorkbookEditor
from forms.sheets import read_sheets
from tests.browser.conftest import KeptPhone, Phone, Server, sign_in
from tests.browser.steps import assert_not_in_clear, balanced, connect, cut_off, rows, saved, send, send_and_fetch, shift

pytestmark = pytest.mark.xdist_group("browser: phones")
OpenPage = Callable[..., Page]
OFFICE = {"width": 1180, "height": 900}
KEPT = """(async () => {
  let kept = 0;
  for (const name of await caches.keys()) kept += (await (await caches.open(name)).keys()).length;
  return kept;
})()"""


def test_27_killed_while_typing_it_opens_with_all_that_it_had_confirmed(kept: KeptPhone) -> None:
    phone = kept.open()
    phone.enrol("w11")
    phone.log_encounter(finish=False)
    last = ""
    for number in range(6):
        last = f"line {number} of a long night"
        phone.page.fill("textarea", last)
        phone.page.wait_for_function("document.querySelector('.at [role=status]').innerText.startsWith('Saving')")
        saved(phone.page)
    kept.kill()
    phone = kept.open()
    phone.page.goto("/app/")
    phone.unlock_form()
    expect(phone.page.locator("textarea")).to_have_value(last)
    phone.finish()
    phone.page.wait_for_selector(".ledger")
    kept.kill()  # right after the tap
    phone = kept.open()
    phone.page.goto("/app/")
    phone.unlock()
    send(phone)
    balanced(phone, centre=1)
    kept.close()


def test_killed_and_begun_again_it_goes_on_at_the_same_question(kept: KeptPhone, tmp_path: Path) -> None:
    """As an installed app, which always begins at /app/: in the middle of a form, and on somebody's page."""
    phone = kept.open()
    phone.enrol("w11")
    page = phone.page
    page.goto("/app/#/people")
    page.get_by_role("button", name="Create a new card").click()
    page.wait_for_selector(".qr")
    card = page.url.rpartition("/")[2]
    kept.kill()
    phone = kept.open()
    page = phone.page
    page.goto("/app/")
    assert "#" not in page.url  # nothing of where it was, before the PIN
    phone.unlock()
    expect(page.locator(".big.code")).to_be_visible()
    page.goto("/app/#/start/encounter")
    phone.who_was_there()
    phone.pick("people.who", "Group")
    saved(page)
    kept.kill()
    assert_not_in_clear(tmp_path / "profile" / "Default" / "IndexedDB", card)
    phone = kept.open()
    page = phone.page
    page.goto("/app/")
    phone.unlock_form()
    expect(page.locator("h1")).to_have_text("Who was there?")
    assert page.locator("input[value=group]").is_checked()
    assert "#/fill/" in page.url
    kept.close()


def test_28_when_only_the_caches_are_cleared_the_app_mends_itself(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w12")
    page = phone.page
    cut_off(page)
    phone.log_encounter()
    whole = page.evaluate(KEPT)
    page.evaluate("caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name))))")
    assert page.evaluate(KEPT) == 0
    connect(page)
    send(phone)
    page.goto("/app/#/today")
    # "Ready offline" may be said from before. What is waited for is no promise, which would count as true at once.
    page.evaluate(
        f"""() => {{
            const look = async () => {{
                window.isWhole = (await {KEPT}) >= {whole};
                if (!window.isWhole) setTimeout(look, 50);
            }};
            void look();
        }}"""
    )
    page.wait_for_function("() => window.isWhole")
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
    book = WorkbookEditor(read_sheets(PICTURE.encode(), ".md"))
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
| | form_title | form_id | version | consent_why |
| | Door sign | door_sign | 1 | Community council, 2026-11-02 |
"""


def test_29_a_full_phone_refuses_pictures_before_words_and_voice_notes_are_off(
    open_page: OpenPage, tmp_path: Path, server: Server
) -> None:
    office = open_page(viewport=OFFICE)
    sign_in(office, "rexdale.admin")
    office.goto("/office/forms")
    office.set_input_files("#workbook", form_with_picture(tmp_path))
    office.get_by_role("button", name="Check").click()
    office.get_by_role("button", name="Publish").click()
    page = open_page()
    session = page.context.new_cdp_session(page)
    session.send(
        "Storage.overrideQuotaForOrigin", {"origin": server.url, "quotaSize": 1_000_000}
    )  # the app takes most of it
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
    phone.finish()
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
    phone.finish()
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
    expect(page.locator("main")).to_contain_text(re.compile("lost what was saved on it|cannot be read just now"))


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
    expect(page.get_by_role("alert")).to_contain_text("This phone has lost what was saved on it")
    phone.enrol_here("w05")
    page.goto("/app/#/mine")
    expect(page.locator("main")).to_contain_text("1 record is missing from this phone")
    send_and_fetch(page)


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
    phone.look_over()
    second.look_over()
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
    page.get_by_role("button", name="Sync now").click()
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
    expect(page.locator("main")).to_contain_text("at the centre")
    expect(page.locator("h2", has_text="Latest")).to_be_visible()
    before = phone.ledger()
    shift(page, 9)
    page.reload()
    phone.unlock()
    page.goto("/app/#/mine")
    page.get_by_role("button", name="Sync now").click()
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
    expect(mine).not_to_contain_text("lost")


def test_37_a_sealed_copy_is_taken_in_at_the_office(open_page: OpenPage, tmp_path: Path) -> None:
    phone = Phone(open_page())
    phone.enrol("w10")
    page = phone.page
    cut_off(page)
    phone.log_encounter()
    page.goto("/app/#/mine")
    page.get_by_text("Cannot send?").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save an encrypted copy").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert set(json.loads(path.read_text())["items"][0]) == {"id", "device", "kid", "box", "signature"}
    office = open_page(viewport=OFFICE)
    sign_in(office, "rexdale.admin")
    office.goto("/office/people")
    office.set_input_files("#rescue", path)
    office.get_by_role("button", name="Import").click()
    expect(office.locator("main")).to_contain_text("The centre now has 1 of 1 records of the copy")
    connect(page)
    send(phone)
    balanced(phone, centre=1)


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
    page.get_by_role("button", name="Create a new card").click()
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
