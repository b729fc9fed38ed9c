"""Forms from the office to the phone: brought, classified, tried, published, changed while a draft is open; every widget."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from forms.builder import WorkbookEditor
from forms.sheets import read_sheets
from tests.browser.accessibility import examine, examine_width
from tests.browser.conftest import PIN, Phone, Server, look_over, sign_in
from tests.browser.steps import saved, send_and_fetch
from tests.in_clear import query_in_clear
from tests.programme import workbook_of

pytestmark = pytest.mark.xdist_group("browser: phones")
OpenPage = Callable[..., Page]
OFFICE = {"width": 1180, "height": 900}

EVERYTHING = """| survey | | | | | | | | | |
| | type | name | label::English (en) | label::Arabic (ar) | hint::English (en) | relevant | choice_filter | repeat_count | parameters |
| | start | start | | | | | | | |
| | note | intro | Welcome to the visit. | أهلا بكم في الزيارة | | | | | |
| | integer | people | How many people? | كم شخصا؟ | | | | | |
| | select_one region | region | Region | المنطقة | | | | | |
| | select_one_from_file towns.csv | town | Town | البلدة | Only towns of the region | | reg = ${region} | | value=code label=nm |
| | select_multiple topic or_other | topics | Talked about | المواضيع | | | | | |
| | rank topic | order | What mattered most? | ما الأهم؟ | | ${people} > 1 | | | |
| | range | mood | Mood | المزاج | | | | | start=1 end=5 step=1 |
| | date | seen_on | When? | متى؟ | | | | | |
| | time | left_at | Left at | غادر في | | | | | |
| | dateTime | told_at | Told at | أُبلغ في | | | | | |
| | decimal | hours | Hours | ساعات | | | | | |
| | acknowledge | ok | I told them what is kept | أخبرتهم بما يُحفظ | | | | | |
| | barcode | card | Card | البطاقة | | | | | |
| | image | sign | The sign on the door | اللافتة | | | | | |
| | begin_repeat | person | Person | شخص | | | | ${people} | |
| | select_one yn | adult | Adult? | بالغ؟ | | | | | |
| | end_repeat | | | | | | | | |
| | calculate | adults | | | | | | | |
| | text | comments | Comments | ملاحظات | | | | | |
| choices | | | | |
| | list_name | name | label::English (en) | label::Arabic (ar) |
| | region | n | North | الشمال |
| | region | s | South | الجنوب |
| | topic | safety | Safety | السلامة |
| | topic | work | Work | العمل |
| | yn | y | Yes | نعم |
| | yn | n | No | لا |
| settings | | | |
| | form_title | form_id | version |
| | Door visit | door_visit | 1 |
"""


def everything(folder: Path) -> list[Path]:
    book = WorkbookEditor(read_sheets(EVERYTHING.encode(), ".md"))
    for line in book.lines():
        if line.row.name == "adults":
            book.set(line.number, {"calculation": "count(${person}[${adult} = 'y'])"})
        if line.row.name == "sign":
            book.set(line.number, {"privacy::approval": "Community council, 2026-11-02"})
    workbook, towns = folder / "door visit.xlsx", folder / "towns.csv"
    workbook.write_bytes(book.sheets.to_xlsx())
    towns.write_text("code,nm,reg\na,Alpha,n\nb,Beta,s\n", encoding="utf-8")
    return [workbook, towns]


def bring(page: Page, folder: Path) -> None:
    """Bring the workbook and its list, keep the classes that the office proposes, and let it add the consent questions."""
    workbook, towns = everything(folder)
    page.goto("/office/forms")
    page.set_input_files("#workbook", workbook)
    page.set_input_files("#lists", towns)
    page.get_by_role("button", name="Check").click()
    page.get_by_role("link", name="Classify the questions").click()
    page.get_by_role("button", name="Save these classes").click()
    expect(page.locator("main")).to_contain_text("“card” points to a person, and the form does not ask for consent.")
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)
    page.get_by_role("button", name="Add the consent questions").click()
    expect(page.get_by_role("button", name="Publish")).to_be_visible()


def answer_everything(page: Any) -> None:
    """Answer every question of the form, on the phone or in the frame in which it is tried."""

    def pick(question: str, label: str) -> None:
        page.locator(f'[id="q-{question}-set"] label.choice', has_text=label).first.click()

    expect(page.locator('[id="q-people"]')).to_be_visible()
    pick("consent.said", "I read it out")
    expect(page.locator('[id="q-people"]')).to_have_count(0)  # nothing of a person before their yes
    pick("consent.understood", "Yes")
    pick("consent.tier_said", "mixed with those of many others")
    page.locator('[id="q-people"]').fill("2")
    pick("region", "South")
    town = page.locator('[id="q-town-set"]')
    expect(town).to_contain_text("Beta")
    expect(town).not_to_contain_text("Alpha")
    pick("town", "Beta")
    pick("topics", "Other")
    page.locator('[id="q-topics_other"]').fill("the weather")
    page.locator('[id="q-order-set"]').get_by_role("button", name="Down: Safety").click()
    page.locator('[id="q-mood-set"]').get_by_role("button", name="More: Mood").click()
    pick("seen_on", "Today")
    page.locator('[id="q-left_at"]').fill("22:15")
    page.locator('[id="q-told_at"]').fill("2026-11-20T21:00")
    page.locator('[id="q-hours"]').fill("1.5")
    pick("ok", "Yes, I have read this")
    page.locator('[id="q-card"]').fill("K7QM-3RXDQ")
    page.locator('[id="q-sign"]').set_input_files(
        {"name": "door.png", "mimeType": "image/png", "buffer": Path("client/public/icon-512.png").read_bytes()}
    )
    expect(page.locator("img.captured")).to_be_visible()
    pick("person[1].adult", "Yes")
    pick("person[2].adult", "No")
    page.locator('[id="q-comments"]').fill("quiet")


def test_17_a_form_from_another_system_is_classified_tried_published_and_filled_in(
    open_page: OpenPage, tmp_path: Path, demo_data: Path, server: Server
) -> None:
    page = open_page(viewport=OFFICE)
    sign_in(page, "rexdale.admin")
    bring(page, tmp_path)
    page.get_by_role("link", name="Test as on a phone").click()
    frame = page.frame_locator("iframe.phone")
    answer_everything(frame)
    look_over(frame)
    frame.get_by_role("button", name="Finish").click()
    expect(frame.locator("main")).to_contain_text("This would be sent")
    expect(frame.locator("main")).to_contain_text("the weather")
    page.go_back()
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("main")).to_contain_text("Published")

    phone = Phone(open_page())
    phone.enrol("w04")
    phone.page.goto("/app/#/start/door_visit")
    answer_everything(phone.page)
    saved(phone.page)
    phone.page.reload()  # the phone locks; the draft is where it was
    phone.page.fill("#pin", PIN)
    phone.page.click("button.main")
    expect(phone.page.locator('[id="q-comments"]')).to_have_value("quiet")  # nothing of the draft is lost
    expect(phone.page.locator("img.captured")).to_be_visible()
    phone.finish()
    phone.page.get_by_role("button", name="Send now").click()
    expect(phone.page.locator("main")).to_contain_text("All sent")
    ((stored,),) = query_in_clear(demo_data, "SELECT answers FROM record WHERE form = 'door_visit'")
    answers = json.loads(stored)
    assert answers["town"] == "b"
    assert answers["order"] == "work safety other"
    assert (answers["mood"], answers["left_at"], answers["adults"]) == ("1", "22:15", "1")
    assert re.fullmatch("attachment:image/jpeg:[0-9a-f]{64}", answers["sign"])  # it travelled apart, sealed
    assert answers["person"] == [{"adult": "y"}, {"adult": "n"}]
    page.goto("/office/records?form=door_visit")
    page.locator("table.list tbody a").first.click()
    picture = page.locator("img.captured")
    expect(picture).to_be_visible()
    assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 0


def publish_changed(page: Page, folder: Path, version: str, change: Callable[[WorkbookEditor], None]) -> None:
    book = WorkbookEditor(read_sheets(workbook_of("event"), ".xlsx"))
    change(book)
    book.set_setting("version", version)
    path = folder / f"event-{version}.xlsx"
    path.write_bytes(book.sheets.to_xlsx())
    page.goto("/office/forms")
    page.set_input_files("#workbook", path)
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("main")).to_contain_text("Published")


def line_of(book: WorkbookEditor, name: str) -> int:
    return next(line.number for line in book.lines() if line.row.name == name)


def test_18_a_draft_moves_to_a_new_version_where_it_fits_and_else_finishes_as_it_was(
    open_page: OpenPage, tmp_path: Path
) -> None:
    office = open_page(viewport=OFFICE)
    sign_in(office, "rexdale.admin")
    phone = Phone(open_page())
    page = phone.page
    phone.enrol("w05")
    page.goto("/app/#/start/event")
    page.wait_for_selector(".question")
    page.locator("label.choice", has_text="Vigil").first.click()
    saved(page)
    draft = page.url

    def reworded(book: WorkbookEditor) -> None:
        book.set(line_of(book, "ev_type"), {"label::English (en)": "What sort of event?"})

    publish_changed(office, tmp_path, "2099010101", reworded)
    send_and_fetch(page)
    page.goto(draft)
    expect(page.locator("main")).to_contain_text("Your answers came along")
    expect(page.locator("main")).to_contain_text("What sort of event?")
    expect(page.locator("label.choice", has_text="Vigil").first.locator("input")).to_be_checked()

    def without_the_question(book: WorkbookEditor) -> None:
        book.remove(line_of(book, "ev_type"))
        book.set_setting("summary_kind", "")

    publish_changed(office, tmp_path, "2099010102", without_the_question)
    send_and_fetch(page)
    page.goto(draft)
    expect(page.locator("main")).to_contain_text("as it was when you began it")
    expect(page.locator("main")).to_contain_text("What sort of event?")


@pytest.mark.parametrize(("locale", "scheme"), [("en-CA", "light"), ("fr-CA", "dark")])
def test_the_pages_of_a_form_being_made(open_page: OpenPage, tmp_path: Path, locale: str, scheme: str) -> None:
    page = open_page(locale, scheme, {"width": 320, "height": 700})
    sign_in(page, "rexdale.admin")
    workbook, _ = everything(tmp_path)
    page.goto("/office/forms")
    found = examine(page, "forms")
    page.set_input_files("#workbook", workbook)
    page.locator("form:has(#workbook) button").click()
    page.wait_for_url("**/drafts/*")
    draft = page.url
    for part in ("", "/classify", "/questions", "/try", "/lists/topic"):
        page.goto(draft + part)
        found += examine(page, f"draft{part}")
    page.goto(f"{draft}/questions")
    page.locator(".outline a").nth(3).click()
    found += examine(page, "question")
    page.set_viewport_size({"width": 1180, "height": 800})
    for part in ("", "/questions"):
        page.goto(draft + part)
        found += examine(page, f"draft{part} wide")
    assert not found, "\n".join(found)


def test_every_widget_in_english_and_arabic_at_200_percent(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(viewport=OFFICE)
    sign_in(page, "rexdale.admin")
    bring(page, tmp_path)
    page.goto(f"{page.url}/try/phone")
    page.set_viewport_size({"width": 320, "height": 640})
    page.wait_for_selector(".question")
    page.locator('[id="q-people"]').fill("2")
    page.locator('[id="q-region-set"] label.choice').first.click()
    found = examine(page, "widgets")
    page.locator("header select").select_option("ar")
    expect(page.locator("main")).to_have_attribute("dir", "rtl")
    expect(page.locator("main")).to_contain_text("المنطقة")
    found += examine(page, "widgets in Arabic")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found += examine_width(page, "200 %")
    assert not found, "\n".join(found)
