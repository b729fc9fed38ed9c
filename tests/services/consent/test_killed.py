"""An end that is interrupted, or meets another: killed at any moment, two at once, or while something is built."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export.periods import parse
from fieldapp.services.acts import ActContext, utcnow
from fieldapp.services.consent import ended_cards
from fieldapp.services.consent.card_consent import end_card, find_card, lower_card
from fieldapp.services.consent.forgotten import attach, find_list
from fieldapp.services.consent.slip_acts import EndedSlip, SlipView, end_by_slip, read_slip
from fieldapp.services.consent.slips import save_slip
from fieldapp.services.consent.withdrawals import advance_withdrawals, end_listed
from fieldapp.services.problems import ActProblem
from fieldapp.services.products import editions
from fieldapp.services.products.content import EditionContent
from fieldapp.services.products.odata import build as feeds
from fieldapp.services.products.odata.feed import open_feed_for_key
from fieldapp.services.products.odata.keys import make_key
from fieldapp.settings import Settings
from fieldapp.store.consent import standing
from fieldapp.store.consent.withdrawals import Withdrawal
from fieldapp.store.database import WriteTransaction
from fieldapp.store.products import products
from fieldapp.store.products.feed_file import Query, write_feed_file
from fieldapp.store.records.records import Record
from sync.consent import END
from tests.cast import Cast
from tests.in_clear import everything
from tests.services.consent.endings import CARD, NOTE, OTHER, send, talked
from tests.services.products.figures import NOW, switched_on
from tests.services.releases.taking_back import PEOPLE, a_series_of_people, publish, take_back

ROOT = Path(__file__).parents[3]
SECRET = "k" * 64
TAG = "5" * 32
# A process of its own, as the server is: it says when it has come to a step, and waits there to be killed.
CHILD = """
import sys, time
from sqlalchemy.orm import Session
from fieldapp.services.consent import ending, slip_acts
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.keys import attach_keys
from fieldapp.settings import Settings
from fieldapp.store.database import engine_for
url, data, step, tag = sys.argv[1:]
def wait(*given, **more):
    print("there", flush=True)
    time.sleep(600)
engine = engine_for(url)
attach(engine, Settings(data=data, secret_key="k" * 64))
attach_keys(engine, Settings(data=data, secret_key="s" * 64))  # as the tests' session
if step:
    setattr(ending, step, wait)
else:
    print("there", flush=True)
with Session(engine) as session:
    slip_acts.end_by_slip(session, tag)
print("done", flush=True)
time.sleep(600)
"""
STEPS = ["save_withdrawal", "_erase_caseload", "make_tallies", "move_slips"]


@pytest.fixture(autouse=True)
def with_list(session: Session, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key=SECRET))


def give_slip(session: Session, cast: Cast) -> None:
    with WriteTransaction(session):
        save_slip(ActContext(session, cast.system, utcnow()), TAG, CARD)


def kill_at(session: Session, data: Path, step: str, after: float = 0.0) -> None:
    """End the card by its slip in another process, and kill that at a step, or some seconds after it began."""
    url = session.get_bind().engine.url.render_as_string(hide_password=False)
    session.rollback()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, url, str(data), step, TAG], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdout.readline() == "there\n"
    time.sleep(after)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait(30) == -signal.SIGKILL
    child.stdout.close()


def assert_one_of_the_states(session: Session, cast: Cast) -> bool:
    """Start again after a kill; return whether the card has ended, which must be wholly or not at all."""
    is_listed = bool(find_list(session).read())
    end_listed(session)
    session.rollback()
    view = read_slip(session, TAG, utcnow())
    tiers = standing.list_tiers(session, cast.centre.id)
    people = session.scalars(sa.select(Record.person).where(Record.person != "")).all()
    stored = everything(session, "feed_item")
    if not is_listed:
        assert isinstance(view, SlipView) and view.tier == 3
        assert tiers == {CARD: 3, OTHER: 3} and sorted(people) == sorted([CARD, CARD, OTHER])
        return False
    assert isinstance(view, EndedSlip)
    assert tiers == {OTHER: 3} and people == [OTHER]
    assert CARD not in stored and stored.count(NOTE) < 3, "what was noted of the other stays"
    return True


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_is_killed_at_a_step_of_an_end_by_slip_has_ended_the_card_when_it_is_back(
    session: Session, cast: Cast, tmp_path: Path, step: str
) -> None:
    send(session, cast.amina, talked(), talked(), talked(OTHER))
    give_slip(session, cast)
    kill_at(session, tmp_path, step)
    assert assert_one_of_the_states(session, cast), "the line was written, so the end is made up for"
    advance_withdrawals(session, None)
    assert end_listed(session) == 0
    assert session.scalar(sa.select(sa.func.count()).select_from(Withdrawal)) == 1


@pytest.mark.slow
def test_a_server_that_is_killed_at_any_moment_of_an_end_has_ended_the_card_or_not(
    session: Session, cast: Cast, tmp_path: Path
) -> None:
    send(session, cast.amina, talked(), talked(), talked(OTHER))
    give_slip(session, cast)
    chance = random.Random(16)
    for _ in range(6):
        kill_at(session, tmp_path, "", chance.uniform(0, 0.15))
        if assert_one_of_the_states(session, cast):
            break


def at_once(session: Session, *acts: Callable[[Session], object]) -> list[object]:
    """Do acts at the same moment, each in a thread and session of its own; return what each gave or raised."""
    results: list[object] = [None] * len(acts)
    barrier = threading.Barrier(len(acts))
    session.rollback()

    def run(place: int) -> None:
        with Session(session.get_bind().engine, expire_on_commit=False) as own:
            barrier.wait(20)
            try:
                results[place] = acts[place](own)
            except ActProblem as problem:
                results[place] = problem

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_two_administrators_who_end_a_card_at_once_end_it_once(session: Session, cast: Cast) -> None:
    send(session, cast.amina, talked(), talked(OTHER))
    card_id = find_card(session, cast.rosa, code=CARD)
    results = at_once(session, *[lambda own: end_card(own, cast.rosa, card_id=card_id, reason="in_person")] * 2)
    ended = [result for result in results if isinstance(result, str)]
    problems = [result.code for result in results if isinstance(result, ActProblem)]
    assert len(ended) + len(problems) == 2 and ended and set(problems) <= {"access.not_found"}
    assert session.scalars(sa.select(Withdrawal.id)).all() == [ended[0]]
    assert len(find_list(session).read()) == 1
    assert standing.list_tiers(session, cast.centre.id) == {OTHER: 3}


@pytest.mark.parametrize("is_by_slip", [False, True], ids=["in the office", "by slip"])
def test_a_card_that_is_lowered_and_ended_at_once_has_ended(session: Session, cast: Cast, is_by_slip: bool) -> None:
    send(session, cast.amina, talked(), talked(OTHER))
    give_slip(session, cast)
    card_id = find_card(session, cast.rosa, code=CARD)

    def end(own: Session) -> object:
        if is_by_slip:
            end_by_slip(own, TAG)
            return None
        return end_card(own, cast.rosa, card_id=card_id, reason="letter")

    results = at_once(session, lambda own: lower_card(own, cast.rosa, card_id=card_id, tier=1, reason="in_person"), end)
    assert not isinstance(results[1], ActProblem)
    assert isinstance(read_slip(session, TAG, utcnow()), EndedSlip)
    assert standing.list_tiers(session, cast.centre.id).get(CARD, END) == END
    assert CARD not in everything(session, "feed_item")


def test_a_record_that_arrives_while_its_card_ends_is_not_left(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end comes between the look at which cards ended and the writing of the record."""
    send(session, cast.amina, talked(), talked(OTHER))
    card_id = find_card(session, cast.rosa, code=CARD)
    ends: list[threading.Thread] = []
    look = ended_cards.make_reader

    def look_and_wait(*given: Any) -> Any:
        found = look(*given)
        ends.append(threading.Thread(target=end_elsewhere))
        ends[-1].start()
        ends[-1].join(1.0)
        return found

    def end_elsewhere() -> None:
        with Session(session.get_bind().engine, expire_on_commit=False) as own:
            end_card(own, cast.rosa, card_id=card_id, reason="letter")

    session.rollback()
    with monkeypatch.context() as patch:
        patch.setattr(ended_cards, "make_reader", look_and_wait)
        send(session, cast.amina, talked())
    for thread in ends:
        thread.join(60)
    session.rollback()
    assert standing.list_tiers(session, cast.centre.id) == {OTHER: 3}
    assert CARD not in everything(session, "feed_item")


def test_two_administrators_who_lower_a_card_at_once_leave_the_lower_answer(session: Session, cast: Cast) -> None:
    send(session, cast.amina, talked())
    card_id = find_card(session, cast.rosa, code=CARD)

    def make_lowering(tier: int) -> Callable[[Session], object]:
        return lambda own: lower_card(own, cast.rosa, card_id=card_id, tier=tier, reason="in_person")

    results = at_once(session, make_lowering(1), make_lowering(2))
    assert results[0] is None, "the lower answer can always be given"
    assert results[1] is None or getattr(results[1], "code", "") == "consent.lower"
    assert standing.list_tiers(session, cast.centre.id) == {CARD: 1}


def test_an_edition_that_is_made_while_a_card_ends_is_made_again(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(session, cast.amina, talked(), talked(OTHER))
    made: list[list[str]] = []

    def make_content(*given: object) -> EditionContent:
        people = sorted(standing.list_tiers(session, cast.centre.id))
        made.append(people)
        if len(made) == 1:
            take_back(session, cast, CARD)
        return EditionContent({"people": len(people)})

    monkeypatch.setitem(editions.KINDS, "heat_map", make_content)
    switched_on(session, cast, "heat_map")
    editions.build_edition(session, cast.centre.id, "heat_map", parse("2026-06"), NOW)
    assert made == [sorted([CARD, OTHER]), [OTHER]]
    edition = products.edition(session, cast.centre.id, "heat_map", "2026-06")
    assert edition and edition.body == '{"people":1}'


@pytest.mark.slow
def test_a_feed_that_is_made_while_a_card_ends_is_read_by_nobody(
    session: Session, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = a_series_of_people(session, cast, tmp_path)
    publish(session, series, "2026-Q2", tmp_path)
    key = make_key(session, cast.rosa, series_id=series.id, label="a reader")

    def end_and_write(path: Path, sets: Any, about: Any) -> None:
        write_feed_file(path, sets, about)
        session.rollback()
        take_back(session, cast, PEOPLE[0])

    with monkeypatch.context() as patch:
        patch.setattr(feeds, "write_feed_file", end_and_write)
        feeds.build_feed_files(session, tmp_path)
    session.rollback()
    with pytest.raises(ActProblem) as missing:
        open_feed_for_key(session, key, tmp_path)
    assert missing.value.code == "feed.missing"
    assert feeds.build_feed_files(session, tmp_path) == 1
    feed = open_feed_for_key(session, key, tmp_path).feed
    is_there = "encounters" in feed.sets
    assert not is_there or feed.count(feed.entity("encounters"), Query()) < len(PEOPLE)
