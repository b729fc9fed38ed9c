"""The crisis board at desks and on the wall, and what happens elsewhere meanwhile."""

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
from tests.browser.conftest import Server, sign_in
from tests.opening import open_engine
from tests.services.board.incidents import incident

OpenPage = Callable[..., Page]
SOON = 20_000  # milliseconds: two rounds of questions, on a machine that is busy
SHOWS_ALL = re.compile("Shows everything up to|Montre tout jusqu’à")


# Nobody hears the tests: how often something sounded is counted instead.
COUNT_SOUNDS = """
window.sounds = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.sounds += 1; return start.apply(this, when); };
"""


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

    def see_all(self) -> None:
        """Mark all that is on the board as seen, also by those who have it."""
        page = board.see_board(self.session, self.crisis)
        for one in page.incidents:
            giving = page.find_giving(one.item)
            if one.is_unseen:
                self.step(one.root_id, "acknowledged")
            elif giving and not giving.answer:
                self.step(one.root_id, "notified")

    def step(self, root: str, kind: str) -> None:
        assert self.worker is not None and self.worker.user_id is not None
        board.take_step(self.session, self.crisis, kind=kind, root_id=root, to_id=self.worker.user_id)


@pytest.fixture
def team(server: Server, demo_data: Path) -> Iterator[Team]:
    engine = open_engine(Settings(data=str(demo_data)))
    with Session(engine, expire_on_commit=False) as session:
        yield Team(session)
    engine.dispose()


def desk_of(open_page: OpenPage, username: str = "rexdale.crisis", path: str = "/office/board", **how: object) -> Page:
    page = open_page(**how)
    page.add_init_script(COUNT_SOUNDS)
    sign_in(page, username)
    page.goto(path)
    expect(page.locator("#board-state")).to_contain_text(SHOWS_ALL)
    return page
