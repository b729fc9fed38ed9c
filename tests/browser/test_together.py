"""Phones, colleagues and the office together: joining, correcting, reviewing, choosing, handing over."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import examine, examine_width
from tests.browser.conftest import PIN, Phone, sign_in
from tests.browser.joining import add_worker, invite
from tests.browser.pictures import picture
from tests.browser.steps import balanced, connect, cut_off, mediate, rows, send, send_and_fetch, shift

OpenPage = Callable[..., Page]
pytestmark = pytest.mark.xdist_group("together")


@pytest.fixture
def office(open_page: OpenPage) -> Page:
    page = open_page(viewport={"width": 1180, "height": 900})
    sign_in(page, "rexdale.admin")
    return page


def join(page: Page, address: str) -> Phone:
    page.goto(address)
    expect(page.get_by_role("heading", name="You are invited")).to_be_visible()
    page.fill("#pin", PIN)
    page.click("button.main")
    phone = Phone(page)
    phone.ready()
    return phone


def newcomer(office: Page, open_page: OpenPage) -> tuple[Phone, str]:
    """Return the phone of a worker who begins with nothing, and their sign-in name."""
    name = add_worker(office)
    return join(open_page(), invite(office, name)), name


def newest(office: Page, label: str) -> None:
    """Open the newest record of a worker."""
    office.goto("/office/records")
    office.select_option("#worker", label=label.upper())
    office.get_by_role("button", name="Show").click()
    office.locator("table.list tbody tr a").first.click()
    office.wait_for_selector("h2:has-text('History')")


def finish_again(phone: Phone, people: str) -> None:
    """Change in an encounter that is looked over how many people there were, and finish it again."""
    page = phone.page
    page.locator('[id="line-talk.people_n"]').click()
    page.locator('[id="q-talk.people_n"]').fill(people)
    phone.finish()
    page.wait_for_selector(".ledger")


def begin_correction(phone: Phone) -> None:
    phone.page.goto("/app/#/mine")
    phone.page.get_by_role("button", name="Correct: Encounter").first.click()
    phone.page.wait_for_selector("h1:has-text('This is what you send')")


def test_50_a_phone_joins_by_an_invitation_that_works_once(office: Page, open_page: OpenPage) -> None:
    name = add_worker(office)
    address = invite(office, name)
    office.set_viewport_size({"width": 320, "height": 700})
    assert examine(office, "invitation") == []
    phone = join(open_page(), address)
    assert "join" not in phone.page.url
    phone.log_encounter()
    send(phone)
    balanced(phone, centre=1)
    late = open_page()
    late.goto(address)
    late.fill("#pin", PIN)
    late.click("button.main")
    expect(late.get_by_role("alert")).to_contain_text("was used, is too old")
    expect(late.locator(".tabs")).to_have_count(0)


def test_51_what_was_sent_is_corrected_and_the_office_sees_what_changed(office: Page, open_page: OpenPage) -> None:
    phone, name = newcomer(office, open_page)
    phone.log_encounter()
    send(phone)
    begin_correction(phone)
    finish_again(phone, "4")
    send(phone)
    balanced(phone, centre=2)
    newest(office, name)
    expect(office.locator(".changes")).to_contain_text("How many people?")
    expect(office.locator(".changes del")).to_have_text("1")
    expect(office.locator(".changes ins")).to_have_text("4")
    office.goto("/office/records")
    office.select_option("#worker", label=name.upper())
    office.get_by_role("button", name="Show").click()
    expect(office.get_by_role("status").filter(has_text="record")).to_have_text("1 record")


def test_52_a_record_is_sent_back_and_corrected_without_signal(office: Page, open_page: OpenPage) -> None:
    phone, name = newcomer(office, open_page)
    phone.log_encounter()
    send(phone)
    newest(office, name)
    office.get_by_role("button", name="Send back").click()
    expect(office.get_by_role("alert")).to_contain_text("Say what should be corrected")
    office.fill("#comment", "Were you alone?")
    office.get_by_role("button", name="Send back").click()
    expect(office.locator("main")).to_contain_text("Sent back.")
    send(phone)
    page = phone.page
    page.goto("/app/#/today")
    needs = page.locator("section:has(#needs)")
    expect(needs).to_contain_text("Were you alone?")
    assert examine(page, "needs") == []
    cut_off(page)
    needs.get_by_role("button", name="Correct the record").click()
    finish_again(phone, "3")
    page.goto("/app/#/today")
    expect(needs).to_have_count(0)
    balanced(phone, centre=1, waiting=1)
    connect(page)
    send(phone)
    office.goto("/office/review")
    office.locator("tr", has_text=name.upper()).get_by_role("link").click()
    expect(office.locator(".changes ins")).to_have_text("3")
    office.get_by_role("button", name="Approve").click()
    expect(office.locator("main")).to_contain_text("Approved.")


def test_what_is_sent_back_weeks_later_is_corrected_without_a_false_day(
    office: Page, open_page: OpenPage, demo_data: Path
) -> None:
    phone, name = newcomer(office, open_page)
    page = phone.page
    shift(page, -20)
    phone.log_encounter()
    send(phone)
    newest(office, name)
    office.fill("#comment", "Were you three?")
    office.get_by_role("button", name="Send back").click()
    shift(page, 20)
    send_and_fetch(page)
    page.goto("/app/#/today")
    needs = page.locator("section:has(#needs)")
    expect(needs).to_contain_text("Were you three?")
    cut_off(page)
    needs.get_by_role("button", name="Correct the record").click()
    finish_again(phone, "3")
    page.goto("/app/#/mine")
    page.locator("a[href^='#/record/']").first.click()  # looked over again, by the same clock
    expect(page.locator('[id="line-talk.people_n"]')).to_be_visible()
    expect(page.get_by_text("Choose a day in the past two weeks.")).to_have_count(0)
    connect(page)
    send(phone)
    query = (
        "SELECT state, clock != '', received_at > finished_at FROM submission"
        " WHERE prev != '[]' AND author_id = (SELECT id FROM user WHERE username = ?)"
    )
    assert rows(demo_data, query, name) == [("stored", 1, 1)]


def test_53_two_answers_stand_side_by_side_until_somebody_chooses(office: Page, open_page: OpenPage) -> None:
    phone, name = newcomer(office, open_page)
    other = join(open_page(), invite(office, name))
    phone.log_encounter()
    send(phone)
    begin_correction(phone)
    record = phone.page.evaluate("location.hash")
    assert record.startswith("#/fill/")
    newest(office, name)
    office.locator("details summary", has_text="Technical").click()
    root = office.locator("dd.code").first.inner_text()
    other.page.goto(f"/app/#/correct/{root}")
    other.page.get_by_role("button", name="Get the record from the centre").click()
    finish_again(phone, "4")
    finish_again(other, "5")
    send(phone)
    send(other)
    office.goto("/office/review")
    office.locator("tr", has_text=name.upper()).get_by_role("link").click()
    office.set_viewport_size({"width": 320, "height": 700})
    assert examine(office, "two different answers") == []
    side = office.locator(".side-by-side")
    expect(side).to_contain_text("How many people?")
    expect(side.locator("label")).to_have_count(2)
    side.locator("label", has=office.get_by_text("5", exact=True)).click()
    office.get_by_role("button", name="Choose these answers").click()
    expect(office.locator("main")).to_contain_text("Both versions stay in the history.")
    expect(office.locator(".side-by-side")).to_have_count(0)
    expect(office.locator("dl.answers").first).to_contain_text("5")


def test_54_a_card_is_handed_over_without_signal(office: Page, open_page: OpenPage) -> None:
    phone, _ = newcomer(office, open_page)
    colleague, colleague_name = newcomer(office, open_page)
    page = phone.page
    phone.page.reload()  # so that the phone knows of the colleague
    phone.unlock()
    page.goto("/app/#/people")
    page.get_by_role("button", name="Create a new card").click()
    page.wait_for_selector(".qr")
    code = page.locator(".big").inner_text()
    page.locator("footer .btn.main").click()
    phone.who_was_there()
    phone.what_was_it_about()
    phone.finish()
    page.get_by_role("button", name="They do not want it").click()
    page.wait_for_selector(".ledger")
    cut_off(page)
    page.goto(f"/app/#/card/{code.replace('-', '')}")
    page.locator("summary", has_text="Hand over").click()
    page.select_option("#to", label=colleague_name.upper())
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("No card yet.")).to_be_visible()
    connect(page)
    send(phone)
    colleague.page.reload()
    colleague.unlock()
    colleague.page.goto("/app/#/people")
    expect(colleague.page.locator("main")).to_contain_text(code, timeout=20_000)
    office.goto("/office/caseload")
    office.select_option("#worker", label=f"{colleague_name.upper()} (1)")
    office.locator("form", has=office.locator("#worker")).get_by_role("button", name="Show").click()
    expect(office.locator("tr", has_text=code)).to_contain_text(colleague_name.upper())


def test_a_mediation_is_handed_over_and_followed_up_both_without_signal(
    office: Page, open_page: OpenPage, demo_data: Path
) -> None:
    """From Amina's log to the colleague's record: what is due moves, and the office gives it on."""
    phone, name = newcomer(office, open_page)
    colleague, colleague_name = newcomer(office, open_page)
    page, theirs = phone.page, colleague.page
    send_and_fetch(page)  # so that the phone knows of the colleague
    cut_off(page)
    mediate(phone)
    page.goto("/app/#/today")
    page.locator("summary", has_text="Hand over mediations").click()
    page.get_by_label("Money").check()
    page.select_option("#to", label=colleague_name.upper())
    assert not [*examine(page, "handing a mediation over"), *examine_width(page, "handing a mediation over")]
    picture(page, "chain-hand-over")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Hand over").click()
    expect(page.locator("#due")).to_have_count(0)
    connect(page)
    send(phone)
    page.goto("/app/#/today")
    expect(page.locator("#due")).to_have_count(0)

    theirs.reload()
    colleague.unlock()
    theirs.goto("/app/#/today")
    expect(theirs.get_by_text("Coming up")).to_be_visible(timeout=20_000)
    cut_off(theirs)
    shift(theirs, 7)
    theirs.goto("/app/#/mine")
    theirs.goto("/app/#/today")
    due = theirs.locator("section:has(#due) > .item", has_text="day 7")
    due.get_by_role("link").click()
    colleague.pick("how_now.still_cool", "Calm")
    colleague.pick("how_now.fu_outcome", "Calm for now")
    colleague.finish()
    theirs.wait_for_selector(".ledger")
    theirs.goto("/app/#/today")
    expect(theirs.locator("#due")).to_have_count(0)
    connect(theirs)
    send(colleague)
    query = (
        "SELECT followed.follows = first.instance_id, author.username, first_author.username, followed.kind"
        " FROM record followed JOIN record first ON first.instance_id = followed.follows"
        " JOIN user author ON author.id = followed.author_id JOIN user first_author ON first_author.id = first.author_id"
        " WHERE author.username = ?"
    )
    assert rows(demo_data, query, colleague_name) == [(1, colleague_name, name, "cool")]


def test_the_office_hands_a_mediation_over(office: Page, open_page: OpenPage) -> None:
    phone, name = newcomer(office, open_page)
    colleague, colleague_name = newcomer(office, open_page)
    phone.page.goto("/app/#/start/mediation")
    expect(phone.page.locator("input[type=search]")).to_be_visible()  # a new phone has read its lists
    mediate(phone)
    send(phone)
    office.goto("/office/caseload")
    office.select_option("#worker", label=f"{name.upper()} (0)")
    office.locator("form", has=office.locator("#worker")).get_by_role("button", name="Show").click()
    row = office.locator("tr", has_text="Mount Olive")
    row.locator("select").select_option(label=colleague_name.upper())
    picture(office, "office-hand-over")
    row.get_by_role("button", name="Hand over").click()
    expect(office.locator("main")).to_contain_text("Both phones show it")
    mediations = office.get_by_role("cell", name=colleague_name.upper(), exact=True)
    expect(mediations).to_have_count(1)
    assert not examine(office, "caseload")
    for each, is_there in ((phone, False), (colleague, True)):
        send_and_fetch(each.page)
        each.page.goto("/app/#/today")
        expect(each.page.get_by_text("My week")).to_be_visible()
        expect(each.page.get_by_text("Coming up")).to_have_count(int(is_there))


def test_55_an_intake_without_signal_and_after_a_no_nothing_about_them(office: Page, open_page: OpenPage) -> None:
    phone, name = newcomer(office, open_page)
    page = phone.page
    cut_off(page)
    page.goto("/app/#/new")
    page.get_by_role("link", name="Intake, review or exit of a participant").click()
    page.wait_for_selector(".question")
    phone.pick("start.offered_resp", "No")
    phone.next()
    phone.pick("arrival.came_by", "Outreach")
    phone.finish()
    page.wait_for_selector(".ledger")
    balanced(phone, waiting=1)
    connect(page)
    send(phone)
    newest(office, name)
    expect(office.locator("main")).to_contain_text("Their answer to the offer")
    expect(office.locator("main")).not_to_contain_text("Card code")


@pytest.mark.parametrize(
    "answers",
    [
        [("consent.said", "I read it out"), ("consent.understood", "No")],
        [("consent.said", "Not asked")],
        [("consent.tier_said", "Nothing today")],
        [
            ("consent.said", "I read it out"),
            ("consent.understood", "Yes"),
            ("consent.tier_said", "No more"),
            ("consent.no_more_sure", "Yes, they said so"),
        ],
    ],
    ids=["did not understand", "not asked", "nothing today", "no more"],
)
def test_60_after_a_no_only_the_kind_of_contact_is_sent(
    office: Page, open_page: OpenPage, answers: list[tuple[str, str]], demo_data: Path
) -> None:
    phone, name = newcomer(office, open_page)
    page = phone.page
    page.goto("/app/#/people")
    page.get_by_role("button", name="Create a new card").click()
    page.wait_for_selector(".qr")
    code = page.locator(".big").inner_text().replace("-", "")
    cut_off(page)
    page.locator("footer .btn.main").click()
    phone.who_was_there()
    phone.what_was_it_about()  # a yes at first: risk and time are asked
    page.fill("textarea", "CANARYREFUSED he told me about his brother")
    for _ in range(3):
        page.get_by_role("button", name="Back", exact=True).click()
    for question, label in answers:
        phone.pick(question, label)
    phone.finish()
    page.wait_for_selector(".ledger")
    balanced(phone, waiting=1)
    connect(page)
    send(phone)
    newest(office, name)
    main = office.locator("main")
    expect(main).to_contain_text("Check-in with participant")
    for told in ("CANARYREFUSED", "Low", "5–15 min", "Street", "Mount Olive", code[:4]):
        expect(main).not_to_contain_text(told)
    assert rows(demo_data, "SELECT id FROM submission WHERE body LIKE '%CANARYREFUSED%' OR body LIKE ?", f"%{code}%") == []


def test_63_who_hears_no_at_first_contact_taps_four_times_and_nothing_of_the_person_is_stored(
    office: Page, open_page: OpenPage, demo_data: Path
) -> None:
    phone, name = newcomer(office, open_page)
    page = phone.page
    phone.log_encounter("Practical support")  # so that the phone remembers a place
    page.goto("/app/#/today")
    page.evaluate("window.taps = 0; addEventListener('pointerdown', () => (window.taps += 1), true)")
    page.get_by_role("link", name="Log an encounter").click()
    page.locator(".kinds a", has_text="First contact").click()
    page.wait_for_selector('[id="q-consent.said-set"]')
    phone.pick("consent.said", "They said no")
    page.get_by_role("button", name="Finish").click()
    page.wait_for_selector(".ledger")
    assert page.evaluate("window.taps") == 4
    send(phone)
    newest(office, name)
    main = office.locator("main")
    expect(main).to_contain_text("First contact")
    for told in ("Street", "Mount Olive", "In person"):
        expect(main).not_to_contain_text(told)
    bodies = [body for (body,) in rows(demo_data, "SELECT body FROM submission WHERE body LIKE '%said_no%'")]
    assert len(bodies) == 1
    answers = json.loads(bodies[0])
    assert answers["consent"] == {"said": "said_no", "tier": "0"}
    assert answers["people"] == {"who": "new_person"}
    assert {page for page in answers if page not in ("meta", "consent", "people")} == {"what"}


def test_56_an_open_referral_goes_on_without_signal(office: Page, open_page: OpenPage) -> None:
    phone, name = newcomer(office, open_page)
    page = phone.page
    page.goto("/app/#/new")
    page.get_by_role("link", name="I referred someone to a service").click()
    page.wait_for_selector(".question")
    phone.pick("need.has_card", "No")
    phone.pick("need.need", "Housing")
    phone.next()
    phone.pick("consent.said", "read")
    phone.pick("consent.understood", "Yes")
    phone.pick("consent.tier_said", "Keep notes")
    phone.next()
    page.select_option('[id="q-service.service_type"]', label="Housing")
    phone.pick("service.urgency", "This week")
    phone.next()
    phone.pick("sharing.consent_share", "No")
    phone.pick("sharing.warm", "Called together")
    phone.next()
    phone.finish()
    page.wait_for_selector(".ledger")
    send(phone)
    cut_off(page)
    page.goto("/app/#/today")
    referrals = page.locator("section:has(#referrals)")
    expect(referrals).to_contain_text("Housing")
    referrals.get_by_role("button", name="Update").click()
    phone.pick("progress.status", "Completed")
    phone.finish()
    page.wait_for_selector(".ledger")
    connect(page)
    send(phone)
    page.goto("/app/#/today")
    expect(referrals).to_have_count(0)
    newest(office, name)
    expect(office.locator(".changes ins")).to_have_text("Completed")
