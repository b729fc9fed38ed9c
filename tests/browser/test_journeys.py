"""The journeys, numbered; each as its user goes it, in a real Chromium at phone size. Some make the README's pictures."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from passlib.totp import TOTP
from playwright.sync_api import Page, Route, expect

from evaluator_export.package.verify import verify
from tests.browser.conftest import PIN, KeptPhone, Phone, Server, sign_in, without_background
from tests.browser.pictures import picture
from tests.browser.steps import painted, saved, send_and_fetch

pytestmark = pytest.mark.xdist_group("browser: products")
OpenPage = Callable[..., Page]
NONE = {"Created on this phone": 0, "At the centre": 0, "Waiting here": 0, "Deleted by you": 0, "Lost": 0}


def rows(data: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(data / "fieldapp.db") as connection:
        return connection.execute(query).fetchall()


def test_1_a_worker_logs_three_encounters_while_the_server_is_dead(kept: KeptPhone, server: Server, demo_data: Path) -> None:
    before = rows(demo_data, "SELECT count(*) FROM record")[0][0]
    phone = kept.open()
    phone.enrol("w02")
    kept.close()

    server.stop()
    phone = kept.open()
    phone.page.goto("/app/")  # from the phone itself: nobody answers
    phone.unlock()
    phone.ready()
    for kind in ("Check-in", "Practical support", "Calmed"):
        phone.log_encounter(kind)
    expect(phone.page.locator("h1")).to_have_text("Saved on this phone")
    expect(phone.page.locator("main")).to_contain_text("3 saved on this phone, not yet sent")
    picture(phone.page, "saved-offline")
    kept.close()

    phone = kept.open()  # closed and opened again, still without a server
    phone.page.goto("/app/")
    phone.unlock()
    assert phone.ledger() == {**NONE, "Created on this phone": 3, "Waiting here": 3}

    server.start()
    phone.page.get_by_role("button", name="Sync now").click()
    expect(phone.page.locator("main")).to_contain_text("All sent.")
    assert phone.ledger() == {**NONE, "Created on this phone": 3, "At the centre": 3}
    assert rows(demo_data, "SELECT count(*) FROM record")[0][0] == before + 3
    kept.close()


def test_2_lost_responses_and_double_taps_make_no_second_record(open_page: OpenPage, demo_data: Path) -> None:
    before = rows(demo_data, "SELECT count(*) FROM submission")[0][0]
    phone = Phone(open_page())
    without_background(phone.page)
    phone.enrol("w03")
    seen = {"sent": 0}

    def lose_the_answer(route: Route) -> None:
        seen["sent"] += 1
        if seen["sent"] <= 2:
            route.fetch()  # it reaches the centre; its answer never reaches the phone
            route.abort()
        else:
            route.continue_()

    phone.page.route("**/sync/v1/deliver", lose_the_answer)
    phone.log_encounter(finish=False)
    phone.look_over()
    finish = phone.page.get_by_role("button", name="Finish")
    finish.evaluate("(button) => { button.click(); button.click(); button.click(); }")
    phone.page.wait_for_selector(".ledger")
    for _ in range(3):
        send_and_fetch(phone.page)
    expect(phone.page.locator("main")).to_contain_text("All sent")
    assert seen["sent"] >= 3
    phone.page.goto("/app/#/today")
    expect(phone.page.get_by_text("My week")).to_be_visible()
    expect(phone.page.get_by_text("Not finished")).to_have_count(0)
    assert rows(demo_data, "SELECT count(*) FROM submission")[0][0] == before + 1


def test_3_a_captive_portal_is_no_centre(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    without_background(phone.page)
    phone.enrol("w04")
    phone.page.route(
        "**/sync/v1/**", lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>Free WiFi</h1>")
    )
    with phone.page.expect_response("**/sync/v1/**"):
        phone.log_encounter()
        phone.page.goto("/app/#/today")  # nothing is sent while it can be undone
    painted(phone.page)
    assert phone.ledger()["Waiting here"] == 1
    phone.page.unroute("**/sync/v1/**")
    phone.page.get_by_role("button", name="Sync now").click()
    expect(phone.page.locator("main")).to_contain_text("All sent")


def test_4_an_unfinished_encounter_survives_and_the_note_is_sealed_on_the_phone(kept: KeptPhone, demo_data: Path) -> None:
    phone = kept.open()
    phone.enrol("w05")
    phone.log_encounter(finish=False)
    phone.page.fill("textarea", "CANARYNOTE about tonight")
    saved(phone.page)
    kept.close()
    stored = b"".join(path.read_bytes() for path in kept.folder.rglob("*") if path.is_file())
    assert b"CANARYNOTE" not in stored
    assert "CANARYNOTE".encode("utf-16-le") not in stored

    phone = kept.open()
    phone.page.goto("/app/")
    phone.page.fill("#pin", "000000")
    phone.page.click("button.main")
    expect(phone.page.get_by_role("alert")).to_contain_text("This is not the PIN")
    phone.unlock_form()
    expect(phone.page.locator("textarea")).to_have_value("CANARYNOTE about tonight")
    phone.finish()
    phone.page.wait_for_selector(".ledger")
    kept.close()


def test_5_the_phone_shows_what_is_wrong_where_it_is(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w06")
    phone.page.goto("/app/#/start/encounter")
    phone.page.wait_for_selector(".question")
    phone.page.click(".foot .main")
    expect(phone.page.locator(".error").first).to_have_text("An answer is needed.")
    expect(phone.page.locator(":focus")).to_have_attribute("name", "q-what.contact_type")
    picture(phone.page, "question")
    phone.page.go_back()


def test_6_the_phone_in_french_and_with_the_other_forms(open_page: OpenPage) -> None:
    page = open_page(locale="fr-CA")
    phone = Phone(page)
    phone.enrol("w07")
    page.get_by_role("link", name="Consigner", exact=True).click()
    page.get_by_role("link", name="J’ai fait une médiation").click()
    expect(page.locator("h1")).to_have_text("Quand et où?")
    expect(page.locator("legend", has_text="Comment l'avez-vous su?")).to_be_visible()
    page.click(".foot .main")
    expect(page.locator(".error").first).to_have_text("Il faut une réponse.")


def test_7_the_admin_sees_the_encounter_filters_and_reads_its_history(open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, "rexdale.admin")
    page.goto("/office/records?form=encounter")
    page.select_option("#area", label="Mount Olive-Silverstone-Jamestown")
    page.get_by_role("button", name="Show").click()
    assert "area=002" in page.url
    expect(page.locator("table.list tbody tr")).to_have_count(25)
    page.get_by_role("link", name="Older").click()
    page.locator("table.list tbody a").first.click()
    expect(page.locator("h2", has_text="History")).to_be_visible()
    expect(page.locator("ol.history")).to_contain_text("Received by the centre")


def test_8_the_admin_uploads_a_broken_form_reads_why_and_publishes_a_good_one(open_page: OpenPage, tmp_path: Path) -> None:
    def workbook(name: str, rows: list[tuple[str, ...]]) -> Path:
        with xlsxwriter.Workbook(str(tmp_path / name)) as book:
            survey, choices, settings = (book.add_worksheet(sheet) for sheet in ("survey", "choices", "settings"))
            header = ("type", "name", "label::English (en)", "label::French (fr)", "relevant", "privacy::class")
            for number, row in enumerate([header, *rows]):
                survey.write_row(number, 0, row)
            choices.write_row(0, 0, ("list_name", "name", "label"))
            settings.write_row(0, 0, ("form_id", "form_title", "version"))
            settings.write_row(1, 0, ("visit", "Visit", "1"))
        return tmp_path / name

    page = open_page()
    sign_in(page, "rexdale.admin")
    page.goto("/office/forms")
    page.set_input_files(
        "#workbook",
        workbook("bad.xlsx", [("integer", "n", "N", "N", "${x} = 1", ""), ("text", "phone", "P", "T", "", "identifier")]),
    )
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#problems")).to_contain_text("items to correct")
    expect(page.locator("table.list").first).to_contain_text("There is no question “x” to refer to.")
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)
    page.set_input_files(
        "#workbook", workbook("good.xlsx", [("integer", "n", "How many doors", "Combien de portes", "", "operational")])
    )
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("h1")).to_have_text("Visit")

    phone = Phone(open_page())
    phone.enrol("w08")
    phone.page.goto("/app/#/new")
    phone.page.get_by_role("link", name="Visit", exact=True).click()
    expect(phone.page.locator("label.legend")).to_contain_text("How many doors")

    page.get_by_role("button", name="Withdraw from phones").click()
    expect(page.locator("main")).to_contain_text("Withdrawn")
    phone.page.goto("/app/#/mine")
    phone.page.get_by_role("button", name="Sync now").click()
    phone.page.goto("/app/#/new")
    expect(phone.page.get_by_role("link", name="Visit", exact=True)).to_have_count(0)


def test_9_an_evaluator_downloads_a_package_and_checks_it_without_the_app(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(viewport={"width": 1180, "height": 820})
    sign_in(page, "rexdale.evaluator")
    assert page.url.endswith("/releases/")
    picture(page, "release")
    page.get_by_role("button", name=re.compile("Download the package")).first.click()
    expect(page.locator("h1")).to_contain_text("Two-step verification")
    page.get_by_text("I cannot scan the code").click()
    key = page.locator("p.code").inner_text()
    page.get_by_label("The code that the app shows now").fill("123456")
    page.get_by_role("button", name="Check the code").click()
    expect(page.locator(".error")).to_contain_text("wrong")
    page.get_by_label("The code that the app shows now").fill(TOTP(key=key, format="base32").generate().token)
    page.get_by_role("button", name="Check the code").click()
    expect(page.locator("li.code")).to_have_count(10)
    page.get_by_role("link", name="I have written them down").click()
    signing_key = (page.locator("p.code", has_text="--key").first.text_content() or "").split("--key ")[1]
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("Download the package")).first.click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert verify(path, signing_key) == []
    for url in ("/office/", "/office/records", "/office/people"):
        answer = page.goto(url)
        assert answer and answer.status == 403


def test_57_an_admin_tries_what_would_leave_before_anything_does(open_page: OpenPage, demo_data: Path) -> None:
    page = open_page(viewport={"width": 1180, "height": 820})
    sign_in(page, "rexdale.admin")
    page.goto("/releases/")
    page.get_by_role("link", name="Recipients").click()
    page.get_by_role("link", name="Add a recipient").click()
    page.get_by_label("Recipient", exact=True).fill("Institute B")
    page.get_by_label("Title, English").fill("For Institute B")
    page.get_by_label("Title, French").fill("Pour l'Institut B")
    page.get_by_label("What it is for, English").fill("To study mediations. Not for enforcement.")
    page.get_by_label("What it is for, French").fill("Étudier les médiations. Pas pour la police.")
    page.get_by_label("Mediations", exact=True).check()
    page.get_by_label("Mediations by outcome").check()
    page.get_by_role("button", name="Preview what would be released").click()
    expect(page.locator("#preview")).to_contain_text("Nothing was written")
    expect(page.locator("#preview h3").first).to_have_text("Mediations")
    expect(page.locator("#preview")).to_contain_text("What is lost")
    expect(page.get_by_label("Recipient", exact=True)).to_have_value("Institute B")
    picture(page, "try")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Saved.")
    page.get_by_role("radio", name=re.compile("The City")).check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Untick the datasets")
    assert rows(demo_data, "SELECT count(*) FROM series WHERE recipient = 'Institute B'") == [(1,)]


def test_10_the_other_centres_admin_sees_none_of_it(open_page: OpenPage, demo_data: Path) -> None:
    page = open_page()
    sign_in(page, "jane.admin")
    rexdale = rows(demo_data, "SELECT instance_id FROM record WHERE centre_id = 1 LIMIT 1")[0][0]
    version = rows(demo_data, "SELECT id FROM form_version WHERE centre_id = 1 LIMIT 1")[0][0]
    kept_aside = rows(demo_data, "SELECT id FROM submission WHERE centre_id = 1 AND state != 'stored' LIMIT 1")[0][0]
    for url in (
        f"/office/records/{rexdale}",
        f"/office/forms/{version}",
        f"/office/forms/{version}/workbook",
        f"/office/review/{kept_aside}",
    ):
        answer = page.goto(url)
        assert answer and answer.status == 404, url
    page.goto("/office/people")
    expect(page.locator("main")).not_to_contain_text("rexdale")
    page.goto("/releases/")
    expect(page.locator("main")).to_contain_text("No data release yet")


def test_11_switching_a_worker_off_shuts_the_phone_out_and_keeps_the_work(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w12")
    page = open_page()
    sign_in(page, "rexdale.admin")
    page.goto("/office/people")
    person = page.locator("tr", has_text="w12")
    person.get_by_role("button", name="Switch off").click()
    phone.log_encounter(finish=False)
    phone.finish()
    phone.page.get_by_role("button", name="Send now").click()
    expect(phone.page.get_by_role("alert")).to_contain_text("The centre has locked this phone.")
    page.goto("/office/review")
    expect(page.locator("main")).to_contain_text("W-12")
    page.goto("/office/people")
    page.locator("tr", has_text="w12").get_by_role("button", name="Switch on").click()
    expect(page.locator("main")).to_contain_text("Done. It takes effect at once.")
    phone.page.fill("#pin", PIN)
    phone.page.click("button.main")
    expect(phone.page.locator("form")).to_contain_text("The PIN does not work any more.")
    phone.page.get_by_role("button", name="I forgot the PIN").click()
    phone.enrol_here("w12")
    assert phone.ledger() == {**NONE, "Created on this phone": 1, "At the centre": 1}


def test_12_a_forgotten_pin_loses_nothing(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    without_background(phone.page)
    phone.enrol("w09")
    phone.page.route("**/sync/v1/deliver", lambda route: route.abort())
    phone.log_encounter()
    phone.page.reload()
    phone.page.get_by_role("button", name="I forgot the PIN").click()
    phone.page.unroute("**/sync/v1/deliver")
    phone.enrol_here("w09", "135791")
    phone.page.goto("/app/#/mine")
    expect(phone.page.locator("main")).to_contain_text("All sent")
    assert phone.ledger()["At the centre"] == 1


def test_13_a_record_that_the_centre_cannot_read_does_not_hold_up_the_others(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    without_background(phone.page)
    phone.enrol("w10")
    seen: list[str] = []
    is_reachable = False

    def spoil_the_first(route: Route) -> None:
        if not is_reachable:
            return route.abort()
        message = route.request.post_data_json
        items = message["items"]
        seen.extend(item["id"] for item in items if item["id"] not in seen)
        for item in items:
            if item["id"] == seen[0]:
                item["signature"] = "spoilt"
        return route.continue_(post_data=json.dumps(message))

    phone.page.route("**/sync/v1/deliver", spoil_the_first)
    for _ in range(3):
        phone.log_encounter()
    is_reachable = True
    phone.page.goto("/app/#/mine")
    phone.page.get_by_role("button", name="Sync now").click()
    expect(phone.page.locator("main")).to_contain_text("1 saved on this phone, not yet sent")
    assert phone.ledger()["At the centre"] == 2


def test_14_a_full_phone_says_so_and_keeps_what_is_on_the_screen(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w11")
    phone.log_encounter(finish=False)
    phone.page.evaluate(
        """() => {
            window.realPut = IDBObjectStore.prototype.put;
            window.refused = 0;
            IDBObjectStore.prototype.put = () => {
                window.refused += 1;
                throw new DOMException("full", "QuotaExceededError");
            };
        }"""
    )
    phone.page.fill("textarea", "quiet " * 40)
    expect(phone.page.locator(".foot [role=alert]")).to_contain_text("Not saved: this phone is out of room")
    phone.look_over()
    finish = phone.page.get_by_role("button", name="Finish")
    refused = phone.page.evaluate("window.refused")
    finish.click()
    phone.page.wait_for_function("(before) => window.refused > before", arg=refused)
    expect(finish).to_be_enabled()
    expect(phone.page.locator(".foot [role=alert]")).to_contain_text("Not saved")
    expect(phone.page.locator('[id="line-next.note"]')).to_contain_text("quiet quiet")
    phone.page.evaluate("() => { IDBObjectStore.prototype.put = window.realPut; }")
    finish.click()
    phone.page.wait_for_selector(".ledger")


def test_15_a_corrupted_form_is_never_shown_as_ready(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.page.route("**/sync/v1/forms/mediation/*", lambda route: route.fulfill(status=200, body='{"schema": 1}'))
    phone.page.goto("/app/")
    phone.page.fill("#username", "w04")
    phone.page.fill("#password", "demo-only-password")
    phone.page.fill("#pin", "246810")
    phone.page.click("button.main")
    phone.page.wait_for_selector(".tabs")
    phone.page.goto("/app/#/mine")
    again = phone.page.get_by_role("button", name="Sync now")
    expect(again).to_be_enabled()  # no round is under way
    with phone.page.expect_response("**/sync/v1/forms/mediation/*"):
        again.click()
    expect(again).to_be_enabled()
    phone.page.goto("/app/#/today")
    expect(phone.page.get_by_text("Getting ready …")).to_be_visible()
    expect(phone.page.get_by_text("Ready offline")).to_have_count(0)
    phone.page.unroute("**/sync/v1/forms/mediation/*")
    phone.page.goto("/app/#/mine")
    again.click()
    phone.ready()


def test_16_a_draft_opens_where_it_was_left_and_an_untouched_one_leaves_no_trace(open_page: OpenPage) -> None:
    phone = Phone(open_page())
    phone.enrol("w08")
    page = phone.page
    page.goto("/app/#/start/encounter")
    page.wait_for_selector(".question")
    page.get_by_role("button", name="‹ Encounter").click()
    expect(page.get_by_text("My week")).to_be_visible()
    expect(page.get_by_text("Not finished")).to_have_count(0)
    page.goto("/app/#/start/encounter")
    page.wait_for_selector(".question")
    phone.pick("what.contact_type", "Check-in")
    phone.next()
    expect(page.locator("h1")).to_have_text("Who was there?")
    page.go_back()  # as the phone's own Back: one page back
    expect(page.locator("h1")).to_have_text("What happened?")
    page.go_forward()
    expect(page.locator("h1")).to_have_text("Who was there?")
    page.reload()
    phone.unlock_form()
    expect(page.locator("h1")).to_have_text("Who was there?")
    page.go_back()
    expect(page.locator("h1")).to_have_text("What happened?")
    page.go_back()  # from the first page it leaves the form
    page.get_by_role("link", name="Encounter", exact=True).click()
    phone.next()
    page.get_by_role("button", name="‹ Encounter").click()
    page.get_by_role("link", name="Encounter", exact=True).click()
    expect(page.locator("h1")).to_have_text("Who was there?")
    page.go_back()
    expect(page.locator("h1")).to_have_text("What happened?")
    assert page.locator("input[value=check_in]").is_checked()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the draft").click()
    expect(page.get_by_text("My week")).to_be_visible()
    expect(page.get_by_text("Not finished")).to_have_count(0)
