"""The phone in other hands: seized, lent, lost, looked at over a shoulder. Nothing is in clear, nothing finished is lost."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import PASSWORD, PIN, KeptPhone, Phone, Server, sign_in
from tests.browser.steps import assert_not_in_clear, balanced, connect, cut_off, rows, saved, send

pytestmark = pytest.mark.xdist_group("browser: phones")
OpenPage = Callable[..., Page]
OFFICE = {"width": 1180, "height": 900}


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
    phone.unlock_form()
    phone.finish()
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
    expect(page.get_by_role("alert")).to_contain_text("The PIN does not work any more")
    page.fill("#pin", PIN)
    page.click("button.main")
    expect(page.get_by_role("alert")).to_contain_text("The PIN does not work any more")
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
    phone.unlock_form()  # Back led to the form, locked
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


def left_alone(page: Page) -> None:
    page.clock.fast_forward("05:30")


def hidden_in_another_tab(page: Page) -> None:
    other = page.context.new_page()
    other.goto("/app/#/today")
    other.fill("#pin", PIN)
    other.click("button.main")
    other.get_by_role("button", name="Hide").click()
    other.close()


def woken_without_memory(page: Page) -> None:
    page.reload()


@pytest.mark.parametrize("interrupt", [left_alone, hidden_in_another_tab, woken_without_memory])
def test_58_an_interrupted_form_comes_back_at_its_page(open_page: OpenPage, interrupt: Callable[[Page], None]) -> None:
    page = open_page()
    page.clock.install()
    phone = Phone(page)
    phone.enrol("w11")
    page.goto("/app/#/today")
    before = page.get_by_role("link", name="Encounter", exact=True).count()
    page.goto("/app/#/start/encounter")
    phone.who_was_there()
    phone.pick("people.who", "Group")
    page.clock.run_for(1000)  # until the last answer is written
    expect(page.locator(".at [role=status]")).to_have_text("Saved on this phone")
    interrupt(page)
    phone.page.fill("#pin", PIN)
    phone.page.click("button.main")
    expect(page.locator("h1")).to_have_text("Who was there?", timeout=20_000)
    assert page.locator("input[value=group]").is_checked()
    page.get_by_role("button", name="Back", exact=True).click()
    assert page.locator("input[value=check_in]").is_checked()
    page.goto("/app/#/today")
    expect(page.get_by_role("link", name="Encounter", exact=True)).to_have_count(before + 1)  # one draft, not two


def test_59_a_colleague_who_unlocks_after_an_interruption_comes_to_their_own_day(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    page = phone.page
    phone.enrol("w11")
    page.goto("/app/#/mine")
    page.get_by_role("button", name="Lock now").click()
    page.get_by_role("button", name="I forgot the PIN, or I am somebody else").click()
    phone.enrol_here("w12", "864200")
    phone.log_encounter(finish=False)
    saved(page)
    page.evaluate("new BroadcastChannel('fieldapp').postMessage('lock')")
    page.wait_for_selector("#pin")
    expect(page.locator("#who")).to_have_value(page.locator("#who option", has_text="w12").get_attribute("value") or "")
    page.select_option("#who", label="w11")  # it offers who was in last
    phone.unlock()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()


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
    page.get_by_role("button", name="Create a new card").click()
    page.wait_for_selector(".qr")
    page.goto("/app/#/mine")
    page.get_by_role("button", name="Lock now").click()
    expect(page.locator("main")).to_contain_text("1 encrypted record waits here")
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
    expect(page.get_by_text("encrypted record")).to_have_count(0)
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
    expect(page.locator("main")).to_contain_text("1 encrypted record waits here")
    office = open_page(viewport=OFFICE)
    sign_in(office, "rexdale.admin")
    office.goto("/office/people")
    mine = office.locator("section:has(h2:text-is('Phones')) tbody tr", has_text=f"W-{worker[1:]}").last
    if order == "Wipe":
        mine.get_by_text("Wipe …").click()
    mine.get_by_role("button", name=order).click()
    expect(office.locator("main")).to_contain_text("sends what is finished")
    connect(page)
    if order == "Lock":
        expect(page.locator("main")).to_contain_text(
            re.compile("The centre has locked this phone|The PIN does not work any more")
        )
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
    expect(page.locator("form")).to_contain_text("The PIN does not work any more")
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
    page.get_by_role("button", name="Add").click()
    expect(page.locator("main")).to_contain_text("The PIN is wrong")
    page.fill("#passkey-pin", PIN)
    page.get_by_role("button", name="Add").click()
    expect(page.locator("main")).to_contain_text("From now on finger or face opens it too")
    page.reload()
    page.get_by_role("button", name="Use finger or face").click()
    page.wait_for_selector(".tabs")
