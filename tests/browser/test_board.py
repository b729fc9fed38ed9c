"""The crisis board's line speaks of what is shown: never "up to date" over something that it holds back."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.board import board
from fieldapp.services.phones.devices import enrol_device, find_actor_for_token
from fieldapp.settings import Settings
from fieldapp.store.people.users import User
from tests.browser.accessibility import find_violations
from tests.browser.conftest import PASSWORD, Server, sign_in
from tests.opening import open_engine
from tests.services.board.incidents import incident

pytestmark = pytest.mark.xdist_group("browser: phones")
OpenPage = Callable[..., Page]
SOON = 20_000  # milliseconds: two rounds of questions, on a machine that is busy
UP_TO_DATE = re.compile("Up to date|À jour")


class Team:
    """What happens elsewhere meanwhile: an incident comes in from a phone, a colleague takes a step at another desk."""

    def __init__(self, session: Session):
        self.session = session
        users = {user.username: user for user in session.scalars(sa.select(User))}
        worker, crisis = users["w01"], users["rexdale.crisis"]
        enrolled = enrol_device(session, Actor(worker.centre_id, "worker", worker.id), label="A phone")
        self.worker = find_actor_for_token(session, enrolled.token)
        self.crisis = Actor(crisis.centre_id, "crisis", crisis.id)

    def incident(self) -> str:
        return incident(self.session, SimpleNamespace(amina=self.worker), hours_ago=1)  # type: ignore[arg-type]

    def step(self, root: str, kind: str) -> None:
        assert self.worker is not None and self.worker.user_id is not None
        board.take_step(self.session, self.crisis, kind=kind, root_id=root, to_id=self.worker.user_id)


@pytest.fixture
def team(server: Server, demo_data: Path) -> Iterator[Team]:
    engine = open_engine(Settings(data=str(demo_data)))
    with Session(engine, expire_on_commit=False) as session:
        yield Team(session)
    engine.dispose()


def desk_of(open_page: OpenPage, **how: object) -> Page:
    page = open_page(**how)
    sign_in(page, "rexdale.crisis")
    page.goto("/office/board")
    expect(page.locator("#board-state")).to_contain_text(UP_TO_DATE)
    return page


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
    expect(desk.locator("#board-state")).to_contain_text(UP_TO_DATE)
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
    expect(state).to_contain_text(UP_TO_DATE)
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
    expect(desk.locator("#board-words")).to_contain_text(UP_TO_DATE)


@pytest.mark.parametrize("path", ["/office/board", "/office/board?wall="])
def test_an_ended_session_asks_to_sign_in_again(open_page: OpenPage, team: Team, path: str) -> None:
    desk = desk_of(open_page)
    desk.goto(path)
    expect(desk.locator("#board-words")).to_contain_text(UP_TO_DATE)
    end_session(desk)
    expect(desk.locator("#board-words")).to_contain_text("You are signed out", timeout=SOON)
    expect(desk.locator("#board-said")).to_contain_text("You are signed out")
    desk.get_by_role("link", name="Sign in again").click()
    desk.fill("#username", "rexdale.crisis")
    desk.fill("#password", PASSWORD)
    desk.click("button.main")
    expect(desk.locator("#board-words")).to_contain_text(UP_TO_DATE)
    assert desk.url.endswith(path)


def test_somebody_elses_page_is_not_the_board(open_page: OpenPage, team: Team) -> None:
    desk = desk_of(open_page)
    cards = desk.locator("#board article").count()
    desk.route("**/office/board/now*", lambda route: route.fulfill(body="<p>Accept the terms of this hotel</p>"))
    expect(desk.locator("#board-words")).to_contain_text("No signal", timeout=SOON)
    expect(desk.locator("#board article")).to_have_count(cards)
    desk.unroute("**/office/board/now*")
    expect(desk.locator("#board-words")).to_contain_text(UP_TO_DATE, timeout=20_000)


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
