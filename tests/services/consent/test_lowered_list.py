"""What people lowered is on the list outside the database: refused where it cannot be, and never too much."""

import contextlib
import datetime as dt
import json
import random
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import ActContext, utcnow
from fieldapp.services.consent.card_consent import find_card, lower_card
from fieldapp.services.consent.forgotten import attach, find_list
from fieldapp.services.consent.lowered_list import list_lowered_in_talks, lower_again, lower_listed
from fieldapp.services.consent.slip_acts import lower_by_slip
from fieldapp.services.consent.slips import save_slip
from fieldapp.services.consent.withdrawals import advance_withdrawals
from fieldapp.services.problems import ActProblem
from fieldapp.settings import Settings
from fieldapp.store.consent import standing
from fieldapp.store.consent.standing import ConsentWord
from fieldapp.store.database import WriteTransaction, engine_for, sqlite_file
from fieldapp.store.operations.audit import AuditEvent
from tests.cast import Cast
from tests.services.caseload.meetings import code
from tests.services.consent.consents import APRIL, JUNE, MAY, ONE, knowing, met, send
from tests.services.consent.endings import end

ROOT = Path(__file__).parents[3]
TAG = "ab" * 16
TWO = code(8)
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def settings(session: Session, tmp_path: Path) -> Settings:
    (tmp_path / "elsewhere").mkdir()
    settings = Settings(data=str(tmp_path / "data"), secret_key="k" * 64, forgotten_copy=str(tmp_path / "elsewhere"))
    settings.folder.mkdir()
    attach(session.get_bind().engine, settings)
    return settings


def stands(session: Session, cast: Cast, person: str = ONE) -> int | None:
    session.rollback()
    return standing.list_tiers(session, cast.centre.id, [person]).get(person)


def give_slip(session: Session, cast: Cast, person: str = ONE, tag: str = TAG) -> None:
    with WriteTransaction(session):
        save_slip(ActContext(session, cast.system, utcnow()), tag, person)


def lower_in_office(session: Session, cast: Cast, tier: int) -> None:
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=tier, reason="in_person")


def forget_statements(session: Session) -> None:
    """Leave the database as it was before anybody lowered anything by slip or in the office."""
    with WriteTransaction(session):
        by_hand = sa.select(ConsentWord.person).where(ConsentWord.how.in_(("slip", "office")))
        people = set(session.scalars(by_hand))
        session.execute(sa.delete(ConsentWord).where(ConsentWord.how.in_(("slip", "office"))))
        centres = set(session.scalars(sa.select(ConsentWord.centre_id)))
        for centre_id in centres:
            standing.update_standings(session, centre_id, people, utcnow())


@pytest.mark.parametrize("way", ["slip", "office"])
def test_where_the_list_cannot_be_written_nothing_is_lowered(
    session: Session, cast: Cast, settings: Settings, way: str
) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    give_slip(session, cast)
    settings.forgotten_file.mkdir(parents=True)
    with pytest.raises(ActProblem) as problem:
        lower_by_slip(session, TAG, 1) if way == "slip" else lower_in_office(session, cast, 1)
    assert problem.value.code == "consent.list"
    assert stands(session, cast) == 3


def test_a_talk_is_taken_in_where_the_list_cannot_be_written(session: Session, cast: Cast, settings: Settings) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    settings.forgotten_file.mkdir(parents=True)
    send(session, cast, knowing(session, met(ONE, MAY, "1")))
    assert stands(session, cast) == 1
    with pytest.raises(OSError, match="directory"):
        list_lowered_in_talks(session)
    settings.forgotten_file.rmdir()
    session.rollback()
    assert list_lowered_in_talks(session) == 1


def test_the_list_says_neither_who_nor_how_far_and_only_this_server_reads_it(
    session: Session, cast: Cast, settings: Settings, tmp_path: Path
) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    give_slip(session, cast)
    lower_by_slip(session, TAG, 1)
    for place in (settings.forgotten_file, tmp_path / "elsewhere" / settings.forgotten_file.name):
        (line,) = place.read_text().splitlines()
        assert ONE not in line and place.stat().st_mode & 0o777 == 0o600
        assert set(json.loads(line)) == {"at", "centre", "lowered", "sealed"}
    assert find_list(session).read() == [], "an end is something else"
    forget_statements(session)
    attach(session.get_bind().engine, replace(settings, secret_key="x" * 64))
    assert (lower_listed(session), stands(session, cast)) == (0, 3)
    attach(session.get_bind().engine, settings)
    assert (lower_listed(session), stands(session, cast)) == (1, 1)


def test_a_line_that_was_made_of_another_lowers_nobody(session: Session, cast: Cast, settings: Settings) -> None:
    send(session, cast, met(ONE, APRIL, "3"), met(TWO, APRIL, "3"))
    give_slip(session, cast)
    lower_by_slip(session, TAG, 2)
    give_slip(session, cast, TWO, "cd" * 16)
    lower_by_slip(session, "cd" * 16, 1)
    lines = [json.loads(text) for text in settings.forgotten_file.read_text().splitlines()]
    forged = [
        lines[0] | {"centre": cast.other_centre.id},
        lines[0] | {"sealed": lines[1]["sealed"]},
        lines[1] | {"lowered": lines[0]["lowered"]},
    ]
    settings.forgotten_file.unlink()
    (settings.second_forgotten_file or settings.forgotten_file).unlink()
    for line in forged:
        find_list(session).add_text(json.dumps(line))
    forget_statements(session)
    assert (lower_again(session, LONG_AGO), stands(session, cast), stands(session, cast, TWO)) == (0, 3, 3)


@pytest.mark.parametrize("way", ["slip", "office"])
def test_what_was_lowered_counts_again_in_a_copy_from_before_and_once(session: Session, cast: Cast, way: str) -> None:
    send(session, cast, met(ONE, APRIL, "3"), met(TWO, APRIL, "3"))
    give_slip(session, cast)
    lower_by_slip(session, TAG, 2) if way == "slip" else lower_in_office(session, cast, 2)
    forget_statements(session)
    assert stands(session, cast) == 3
    assert lower_again(session, LONG_AGO) == 1
    assert (stands(session, cast), stands(session, cast, TWO)) == (2, 3)
    assert lower_again(session, LONG_AGO) == 0
    assert lower_listed(session) == 0
    acts = session.scalars(sa.select(AuditEvent.act)).all()
    assert acts.count("consent.lower_listed") == 1


def test_only_what_came_after_the_copy_is_lowered_again(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    send(session, cast, knowing(session, met(ONE, MAY, "1")))
    assert list_lowered_in_talks(session) == 1
    with WriteTransaction(session):
        session.execute(sa.delete(ConsentWord).where(ConsentWord.tier == 1))
        standing.update_standings(session, cast.centre.id, [ONE], utcnow())
    assert lower_again(session, utcnow() + dt.timedelta(hours=2)) == 0
    assert stands(session, cast) == 3
    assert lower_listed(session) == 0, "a talk is listed after it counted"
    assert lower_again(session, utcnow()) == 1
    assert stands(session, cast) == 1


def test_each_talk_is_on_the_list_once(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"), met(TWO, APRIL, "3"))
    assert list_lowered_in_talks(session) == 0
    for tier in ("2", "1"):
        send(session, cast, knowing(session, met(ONE, MAY, tier)))
        assert [list_lowered_in_talks(session) for _ in range(2)] == [1, 0]


def test_who_ended_their_card_is_not_brought_back_by_what_they_lowered(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    give_slip(session, cast)
    lower_by_slip(session, TAG, 1)
    end(session, cast, ONE)
    assert (lower_listed(session), lower_again(session, LONG_AGO)) == (0, 0)
    advance_withdrawals(session, None)
    assert stands(session, cast) is None


def test_a_later_yes_that_knew_of_it_counts_again_after_a_restore(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    give_slip(session, cast)
    lower_by_slip(session, TAG, 1)
    asked_again = knowing(session, met(ONE, JUNE, "2"))
    forget_statements(session)
    assert lower_again(session, LONG_AGO) == 1
    send(session, cast, asked_again)  # the phone still has it
    assert stands(session, cast) == 2


CHILD = """
import os, signal, sys
from fieldapp.services.consent import lowered_list, slip_acts
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.keys import attach_keys
from fieldapp.settings import Settings
from fieldapp.store.database import engine_for
from fieldapp.store.session import Session

url, data, tag = sys.argv[1:]
engine = engine_for(url)
attach(engine, Settings(data=data, secret_key="k" * 64))
attach_keys(engine, Settings(data=data, secret_key="s" * 64))  # as the tests' session
lowered_list.standing.save_statements = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
with Session(engine) as session:
    slip_acts.lower_by_slip(session, tag, 1)
"""


@pytest.mark.slow
def test_killed_between_the_list_and_the_commit_it_is_lowered_at_the_next_start(
    session: Session, cast: Cast, settings: Settings
) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    give_slip(session, cast)
    url = session.get_bind().engine.url.render_as_string(hide_password=False)
    session.rollback()
    child = subprocess.run([sys.executable, "-c", CHILD, url, str(settings.folder), TAG], cwd=ROOT, check=False)
    assert child.returncode == -signal.SIGKILL
    assert stands(session, cast) == 3
    assert lower_listed(session) == 1
    assert (stands(session, cast), lower_listed(session)) == (1, 0)


# Any life of a centre


class CentreWithCopies:
    """A centre whose phones keep what they sent, and which may go back to an older copy of its database."""

    def __init__(self, session: Session, cast: Cast, settings: Settings, chance: random.Random):
        self.session = session
        self.cast = cast
        self.settings = settings
        self.chance = chance
        self.sent: list[dict[str, Any]] = []  # by phones, in order
        self.people = [ONE, TWO, code(9)]
        self.with_slip: set[str] = set()
        self.copied_at = LONG_AGO
        self.copy = settings.folder / "copy.db"
        self.take_copy()

    def take_copy(self) -> None:
        path = sqlite_file(self.session.get_bind().engine.url.render_as_string())
        assert path
        self.session.rollback()
        self.copy.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(self.copy)) as target:
            source.backup(target)
        self.copied_at = utcnow()
        self.sent.clear()

    def live(self) -> None:
        person = self.chance.choice(self.people)
        act = self.chance.choices(["talk", "lower", "note", "copy"], [4, 3, 2, 1])[0]
        if act == "talk":
            self.talk(person)
        elif act == "lower":
            self.lower(person)
        elif act == "note":
            list_lowered_in_talks(self.session)
        else:
            self.take_copy()

    def talk(self, person: str) -> None:
        item = met(person, APRIL, self.chance.choice("0123"))
        if self.chance.random() < 0.6:
            item = knowing(self.session, item, person)
        send(self.session, self.cast, item)
        self.sent.append(item)

    def lower(self, person: str) -> None:
        tier = stands(self.session, self.cast, person)
        if not tier or tier < 2:
            return
        tag = f"{self.people.index(person):032d}"
        if person not in self.with_slip:
            self.with_slip.add(person)
            give_slip(self.session, self.cast, person, tag)
        lower_by_slip(self.session, tag, self.chance.randrange(1, tier))

    def tiers(self, session: Session) -> dict[str, int]:
        session.rollback()
        return standing.list_tiers(session, self.cast.centre.id)

    def restore(self) -> dict[str, int]:
        """Go back to the copy; return what stands once the phones have sent again what they keep."""
        engine = engine_for(f"sqlite:///{self.copy}")
        attach(engine, self.settings)
        with Session(engine, expire_on_commit=False) as session:
            lower_again(session, self.copied_at)
            self.chance.shuffle(self.sent)
            for item in self.sent:
                send(session, self.cast, item)
            found = self.tiers(session)
        engine.dispose()
        return found


@pytest.mark.slow
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(12))
def test_after_any_restore_nobody_allows_more_than_before_it(
    session: Session, cast: Cast, settings: Settings, seed: int
) -> None:
    centre = CentreWithCopies(session, cast, settings, random.Random(seed))
    for _ in range(14):
        centre.live()
    before = centre.tiers(session)
    after = centre.restore()
    assert after == before
