"""The crisis board's line speaks of what is shown: it names no time over something that it holds back."""

import re

import pytest
from playwright.sync_api import Page, expect

from fieldapp.services.board import board
from tests.browser.accessibility import find_violations
from tests.browser.conftest import PASSWORD, Server
from tests.browser.desks import SHOWS_ALL, SOON, OpenPage, Team, desk_of, team  # noqa: F401  a fixture

pytestmark = pytest.mark.xdist_group("browser: phones")

LATER = "(seconds) => { const now = Date.now; Date.now = () => now() + seconds * 1000 }"


def wait_for_answer(desk: Page) -> None:
    """Wait until the board's next question is answered."""
    with desk.expect_response("**/office/board/now*", timeout=SOON):
        pass


def end_session(desk: Page) -> None:
    """Sign the desk out behind its back: just after an answer, as one on its way would bring the cookie back."""
    wait_for_answer(desk)
    desk.context.clear_cookies()


def test_a_list_in_use_holds_no_new_incident_back(open_page: OpenPage, team: Team) -> None:
    old = team.incident()
    desk = desk_of(open_page, viewport={"width": 1200, "height": 900})
    chosen = desk.locator(f"#to-{old}")
    chosen.select_option(index=1)
    value = chosen.input_value()
    chosen.focus()
    top = chosen.bounding_box()
    new = team.incident()
    expect(desk.locator(f"#incident-{new}")).to_be_visible(timeout=SOON)
    expect(desk.locator("#board-state")).to_contain_text(SHOWS_ALL)
    expect(chosen).to_be_focused()
    expect(chosen).to_have_value(value)
    now = chosen.bounding_box()
    assert top and now and abs(top["y"] - now["y"]) < 2  # nothing slid away under the hand
    desk.locator(f"#give-{old}").focus()  # chosen, but not yet given
    third = team.incident()
    expect(desk.locator(f"#incident-{third}")).to_be_visible(timeout=SOON)
    expect(desk.locator(f"#give-{old}")).to_be_focused()
    expect(chosen).to_have_value(value)


@pytest.mark.parametrize("step", ["closed", "assigned"])
def test_what_cannot_be_shown_while_somebody_chooses_is_said_at_once(open_page: OpenPage, team: Team, step: str) -> None:
    root = team.incident()
    desk = desk_of(open_page)
    desk.locator(f"#to-{root}").focus()
    team.step(root, step)
    other = team.incident()
    state = desk.locator("#board-words")
    expect(state).to_contain_text("The board has changed while you were choosing", timeout=SOON)
    expect(desk.locator("#board-said[role=status]")).to_contain_text("The board has changed while you were choosing")
    expect(state).not_to_have_class(re.compile("safe"))
    expect(desk.locator(f"#incident-{other}")).to_be_visible()  # everything else is shown meanwhile
    expect(desk.locator(f"#to-{root}")).to_be_focused()
    for _ in range(2):  # it stays said while nothing more changes
        wait_for_answer(desk)
    expect(state).to_contain_text("The board has changed while you were choosing")
    assert not find_violations(desk)
    desk.get_by_role("button", name="Show now").click()
    expect(state).to_contain_text(SHOWS_ALL)
    if step == "closed":
        expect(desk.locator(f"#incident-{root}")).to_have_count(0)
    else:
        expect(desk.locator(f"#to-{root}")).not_to_have_value("")


def test_what_is_shown_while_a_question_hangs_is_not_called_up_to_date(open_page: OpenPage, team: Team) -> None:
    root = team.incident()
    desk = desk_of(open_page)
    desk.locator(f"#to-{root}").focus()
    team.step(root, "closed")
    state = desk.locator("#board-words")
    expect(state).to_contain_text("The board has changed while you were choosing", timeout=SOON)
    with desk.expect_request("**/office/board/now*", timeout=SOON):
        desk.route("**/office/board/now*", lambda _: None)  # the next question gets no answer
    desk.evaluate("const now = Date.now; Date.now = () => now() + 11_000")
    desk.get_by_role("button", name="Show now").click()
    expect(desk.locator(f"#incident-{root}")).to_have_count(0)
    expect(state).to_contain_text("Asking for news")
    desk.unroute("**/office/board/now*")


def test_whoever_leaves_the_list_sees_what_waited(open_page: OpenPage, team: Team) -> None:
    root = team.incident()
    desk = desk_of(open_page)
    desk.locator(f"#to-{root}").focus()
    team.step(root, "closed")
    expect(desk.locator("#board-words")).to_contain_text("The board has changed while you were choosing", timeout=SOON)
    desk.locator("#main").focus()
    expect(desk.locator(f"#incident-{root}")).to_have_count(0, timeout=SOON)
    expect(desk.locator("#board-words")).to_contain_text(SHOWS_ALL)


@pytest.mark.parametrize("path", ["/office/board", "/office/board?wall="])
def test_an_ended_session_asks_to_sign_in_again(open_page: OpenPage, team: Team, path: str) -> None:
    desk = desk_of(open_page)
    desk.goto(path)
    expect(desk.locator("#board-words")).to_contain_text(SHOWS_ALL)
    end_session(desk)
    expect(desk.locator("#board-words")).to_contain_text("You are signed out", timeout=SOON)
    expect(desk.locator("#board-said")).to_contain_text("You are signed out")
    desk.get_by_role("link", name="Sign in again").click()
    desk.fill("#username", "rexdale.crisis")
    desk.fill("#password", PASSWORD)
    desk.click("button.main")
    expect(desk.locator("#board-words")).to_contain_text(SHOWS_ALL)
    assert desk.url.endswith(path)


def test_somebody_elses_page_is_not_the_board(open_page: OpenPage, team: Team) -> None:
    desk = desk_of(open_page)
    cards = desk.locator("#board article").count()
    desk.route("**/office/board/now*", lambda route: route.fulfill(body="<p>Accept the terms of this hotel</p>"))
    expect(desk.locator("#board-words")).to_contain_text("No signal", timeout=SOON)
    expect(desk.locator("#board article")).to_have_count(cards)
    desk.unroute("**/office/board/now*")
    expect(desk.locator("#board-words")).to_contain_text(SHOWS_ALL, timeout=20_000)


@pytest.mark.parametrize(("locale", "scheme"), [("en-CA", "light"), ("fr-CA", "dark")], ids=["en", "fr"])
def test_the_line_fits_a_narrow_phone_in_all_its_states(open_page: OpenPage, team: Team, locale: str, scheme: str) -> None:
    root = team.incident()
    desk = desk_of(open_page, locale=locale, scheme=scheme, viewport={"width": 320, "height": 700})
    desk.locator(f"#to-{root}").focus()
    team.step(root, "closed")
    expect(desk.locator("#board-show")).to_be_visible(timeout=SOON)
    for moment in ("waiting", "ended"):
        assert desk.evaluate("document.documentElement.scrollWidth") <= 320
        assert not find_violations(desk)
        if moment == "waiting":
            end_session(desk)
            expect(desk.locator("#board-sign-in")).to_be_visible(timeout=SOON)


def test_of_two_dispatchers_the_second_is_told_who_did_what(open_page: OpenPage, team: Team) -> None:
    root = team.incident()
    first, second = desk_of(open_page), desk_of(open_page, "rexdale.admin", viewport={"width": 1200, "height": 900})
    chosen = second.locator(f"#to-{root}")
    chosen.select_option(label="W-02")
    chosen.focus()
    first.locator(f"#to-{root}").select_option(label="W-01")
    first.locator(f"#give-{root}").click()
    expect(first.locator(f"#incident-{root} .facts")).to_contain_text("W-01")
    expect(first).to_have_url(re.compile("/office/board$"))  # the page stays, and with it the sound
    card = second.locator(f"#incident-{root}")
    expect(card.locator(".facts")).to_contain_text("W-01", timeout=SOON)
    second.locator(f"#give-{root}").click()
    refused = card.get_by_role("alert")
    expect(refused).to_contain_text("Somebody was faster")
    expect(refused).to_contain_text("assigned it to W-01")
    expect(card.locator(".facts")).to_contain_text("W-01")
    expect(chosen.locator("option:checked")).to_have_text("W-02")  # what was chosen is still there
    assert not find_violations(second)
    wait_for_answer(second)
    wait_for_answer(second)
    expect(refused).to_be_visible()  # it stays said while the board goes on
    second.locator(f"#give-{root}").click()
    expect(card.locator(".facts")).to_contain_text("W-02")
    expect(refused).to_have_count(0)


def test_a_choice_made_before_somebody_elses_step_is_not_sent_over_it(open_page: OpenPage, team: Team) -> None:
    root = team.incident()
    desk = desk_of(open_page, "rexdale.admin")
    desk.locator(f"#to-{root}").select_option(label="W-03")
    desk.locator("#main").focus()  # chosen, but looking elsewhere
    team.step(root, "debriefed")
    expect(desk.locator(f"#steps-{root}")).to_have_count(1, timeout=SOON)
    desk.locator(f"#give-{root}").click()
    expect(desk.locator(f"#incident-{root} .refused")).to_contain_text("logged the debrief")


def test_what_is_closed_meanwhile_is_said_above_the_board(open_page: OpenPage, team: Team) -> None:
    root = team.incident()
    desk = desk_of(open_page, "rexdale.admin")
    desk.locator(f"#to-{root}").select_option(label="W-03")
    desk.locator(f"#give-{root}").focus()
    desk.route("**/office/board/now*", lambda _: None)  # it does not hear of it
    team.step(root, "closed")
    desk.locator(f"#give-{root}").click()
    expect(desk.locator("#board-refusals")).to_contain_text("closed it")
    expect(desk.locator(f"#incident-{root}")).to_have_count(0)
    desk.unroute("**/office/board/now*")


def test_a_step_that_the_centre_did_not_answer_is_not_called_done(open_page: OpenPage, team: Team) -> None:
    root = team.incident()
    desk = desk_of(open_page)
    desk.route("**/office/board/steps", lambda route: route.abort())
    desk.locator(f"#to-{root}").select_option(label="W-02")
    desk.locator(f"#give-{root}").click()
    expect(desk.locator("#board-undone")).to_contain_text("This was not saved, or the centre’s answer did not arrive")
    expect(desk.locator(f"#to-{root} option:checked")).to_have_text("W-02")
    desk.unroute("**/office/board/steps")
    desk.locator(f"#give-{root}").click()
    expect(desk.locator(f"#incident-{root} .facts")).to_contain_text("W-02")
    expect(desk.locator("#board-undone")).to_be_hidden()


def test_a_new_incident_is_heard_counted_and_read_out_until_somebody_has_seen_it(open_page: OpenPage, team: Team) -> None:
    team.see_all()
    there = team.incident()
    desk = desk_of(open_page)
    expect(desk).to_have_title(re.compile(r"^\(1\) Crisis board"))
    expect(desk.locator("#sound-words")).to_contain_text("Sound is off")
    desk.get_by_role("button", name="Turn sound on").click()
    expect(desk.locator("#sound-words")).to_have_text("Sound is on")
    tried = desk.evaluate("window.sounds")
    desk.evaluate(LATER, 40)
    for _ in range(2):
        wait_for_answer(desk)
    assert desk.evaluate("window.sounds") == tried  # nothing for what was there already
    root = team.incident()
    expect(desk).to_have_title(re.compile(r"^\(2\) Crisis board"), timeout=SOON)
    rung = desk.evaluate("window.sounds")
    assert rung > tried
    expect(desk.locator("#board-news[role=alert]")).to_contain_text("New: Stabbing")
    expect(desk.locator("#board-incidents article").first).to_have_id(f"incident-{root}")
    expect(desk.locator(f"#incident-{root} time")).to_have_text(re.compile(r"^\d+ min$"))
    desk.evaluate(LATER, 40)
    desk.wait_for_function("(rung) => window.sounds > rung", arg=rung)  # again, as nobody has seen it
    for each in (root, there):
        team.step(each, "acknowledged")
    expect(desk).to_have_title(re.compile("^Crisis board"), timeout=SOON)
    quiet = desk.evaluate("window.sounds")
    desk.evaluate(LATER, 40)
    for _ in range(2):
        wait_for_answer(desk)
    assert desk.evaluate("window.sounds") == quiet
    desk.reload()  # chosen once: the next click brings it back, until then the board says that it is off
    expect(desk.locator("#board-sound")).to_be_visible()
    desk.locator("h1").click()
    expect(desk.locator("#sound-words")).to_have_text("Sound is on")


def test_when_the_server_is_killed_the_board_says_since_when_and_how_old_it_is(
    open_page: OpenPage, team: Team, server: Server
) -> None:
    root = team.incident()
    desk = desk_of(open_page)
    server.stop()
    try:
        state = desk.locator("#board-words")
        expect(state).to_contain_text(re.compile(r"No signal since .* What you see is 0 min old"), timeout=SOON)
        desk.evaluate(LATER, 12 * 60)
        expect(state).to_contain_text("What you see is 12 min old")
        age = int(desk.locator(f"#incident-{root} time").inner_text().split()[0])
        assert age >= 72  # the incident grows older also without the centre
        expect(desk.locator(f"#incident-{root}")).to_be_visible()
    finally:
        server.start()
    expect(state).to_contain_text(SHOWS_ALL, timeout=60_000)


def test_a_machine_that_slept_says_how_old_its_board_is_until_the_centre_has_answered(
    open_page: OpenPage, team: Team
) -> None:
    team.incident()
    desk = desk_of(open_page)
    desk.route("**/office/board/now*", lambda _: None)  # the network needs a while to come back
    desk.evaluate(LATER, 7 * 3600)
    expect(desk.locator("#board-words")).to_contain_text(re.compile("This is 7 hr old, from .* Asking for news"))
    desk.unroute("**/office/board/now*")
    expect(desk.locator("#board-words")).to_contain_text(SHOWS_ALL, timeout=60_000)


@pytest.mark.parametrize("count", [6, 14])
def test_a_wall_screen_shows_all_without_scrolling_or_says_how_many_more(
    open_page: OpenPage, team: Team, count: int
) -> None:
    for one in board.see_board(team.session, team.crisis).incidents:
        team.step(one.root_id, "closed")
    for _ in range(count):
        team.incident()
    wall = desk_of(open_page, path="/office/board?wall=", viewport={"width": 1920, "height": 1080})
    assert wall.evaluate("document.documentElement.scrollHeight") <= 1080
    expect(wall.locator("#board-incidents article")).to_have_count(min(count, 12))
    for card in wall.locator("#board-incidents article").all():
        box = card.bounding_box()
        assert box and box["y"] + box["height"] <= 1080
    expect(wall.locator("#board-out")).to_be_in_viewport()
    more = wall.locator("#wall-more")
    expect(more).to_have_count(int(count > 12))
    if count > 12:
        expect(more).to_contain_text(f"and {count - 12} more")
        expect(more).to_be_in_viewport()
    assert not find_violations(wall)
