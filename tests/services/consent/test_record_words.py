"""What a record says of consent by all its versions is the same in whatever order they were delivered."""

import datetime as dt
import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from fieldapp.services.consent.record_words import VersionConsent, compute_record_consent
from fieldapp.store.consent import standing as words
from fieldapp.store.consent.standing import ConsentWord
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from sync.ancestors import Ancestors
from tests.cast import Cast, encounter, envelope
from tests.services.consent.refusals import CARD, NOT_ASKED, SAID_NO, TALK, YES, met, receive

pytestmark = pytest.mark.usefixtures("one_no")  # with two noes: test_two_answers.py

NOW = dt.datetime.now(dt.UTC)
TIERS = (SAID_NO, {**YES, "tier_said": "1"}, YES, {**YES, "tier_said": "3"}, {"said": "earlier", "tier_said": "2"})


def version(consent: dict[str, str], minutes: int, *known: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a version that knows of others, as a phone of today sends it."""
    named = {"root": known[0].get("root", known[0]["id"]), "prev": [known[-1]["id"]]} if known else {}
    refused = {"refused_by": CARD} if consent == SAID_NO else {}
    finished_at = (NOW + dt.timedelta(minutes=minutes)).isoformat()
    return envelope(met(consent), finished_at=finished_at, **named, **refused, **more)


def deliver(session: Session, cast: Cast, messages: Sequence[Sequence[dict[str, Any]]]) -> tuple[int | None, Any]:
    """Return where the card stands after these messages, and what the record says; then forget them."""
    for message in messages:
        receive(session, cast, *message)
    session.expire_all()
    record = session.scalars(sa.select(Record)).one()
    found = words.list_tiers(session, cast.centre.id).get(CARD), (record.person, record.answers["consent"].get("tier_said"))
    for table in (Record, Submission, ConsentWord):
        session.execute(sa.delete(table))
    session.commit()
    return found


def splits(items: Sequence[Any]) -> list[list[Sequence[Any]]]:
    """Return every way to send items in this order, in one message or several."""
    ways = []
    for cuts in itertools.product([False, True], repeat=len(items) - 1):
        ends = [place + 1 for place, is_cut in enumerate(cuts) if is_cut]
        ways.append([items[start:end] for start, end in itertools.pairwise([0, *ends, len(items)])])
    return ways


@pytest.mark.parametrize("last", [YES, {**YES, "tier_said": "1"}], ids=["as before", "to less"])
def test_yes_no_and_yes_again_stand_alike_however_they_are_delivered(
    session: Session, cast: Cast, last: dict[str, str]
) -> None:
    first = version(YES, -90)
    no = version(SAID_NO, -60, first)
    again = version(last, -30, first, no)
    found = [
        deliver(session, cast, messages)
        for order in itertools.permutations([first, no, again])
        for messages in splits(order)
    ]
    assert set(found) == {(int(last["tier_said"]), (CARD, last["tier_said"]))}


@pytest.mark.parametrize("last", [{"said": "earlier", "tier_said": "2"}, NOT_ASKED], ids=["still the same", "not asked"])
def test_a_no_that_nobody_asked_about_again_stands(session: Session, cast: Cast, last: dict[str, str]) -> None:
    first = version(YES, -90)
    no = version(SAID_NO, -60, first)
    again = version(last, -30, first, no)
    orders = list(itertools.permutations([first, no, again]))
    assert {deliver(session, cast, splits(order)[-1])[0] for order in orders} == {0}


def test_a_yes_that_knows_of_no_no_stands_below_it_in_every_order(session: Session, cast: Cast) -> None:
    first = version(YES, -90)
    no = version(SAID_NO, -60, first)
    unaware = version({**YES, "tier_said": "3"}, -30, first)
    orders = list(itertools.permutations([first, no, unaware]))
    assert {deliver(session, cast, splits(order)[-1])[0] for order in orders} == {0}


@pytest.mark.parametrize("seed", range(6))
def test_any_history_of_a_record_stands_alike_in_any_order(session: Session, cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    history = [version(chance.choice(TIERS[1:4]), -200)]
    for place in range(chance.randrange(2, 5)):
        history.append(version(chance.choice(TIERS), place - 100, history[0], chance.choice(history)))
    found = {}
    for _ in range(8):
        order = chance.sample(history, len(history))
        ways = splits(order)
        found[deliver(session, cast, chance.choice(ways))] = [history.index(one) for one in order]
    assert len(found) == 1, found


def test_a_no_of_another_record_is_not_outvoted_by_a_yes_to_an_earlier_one(session: Session, cast: Cast) -> None:
    first = version(YES, -90)
    no = version(SAID_NO, -60, first)
    receive(session, cast, first, no)
    receive(session, cast, version(SAID_NO, -50))
    receive(session, cast, version(YES, -30, first, no))
    session.expire_all()
    assert words.list_tiers(session, cast.centre.id) == {CARD: 0}


# The rule alone

STATEMENTS = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 5), st.sets(st.integers(0, 6))), min_size=1, max_size=7
)


@given(STATEMENTS)
def test_what_is_counted_is_never_more_than_what_the_last_who_know_everything_said(made: list[Any]) -> None:
    statements = []
    links = {}
    for place, (tier, is_asked, day, known) in enumerate(made):
        finished_at = NOW + dt.timedelta(days=day)
        statements.append(VersionConsent(str(place), tier, is_asked and tier > 0, finished_at, place, tier == 0))
        links[str(place)] = {str(other) for other in known if other < place}
    before = Ancestors(links)
    word = compute_record_consent("0", statements, before)
    assert word
    shuffled = random.Random(1).sample(statements, len(statements))
    assert compute_record_consent("0", shuffled, before) == word
    holding = [
        one
        for one in statements
        if not any(
            before.builds_on(other.id, one.id)
            and (other.tier <= one.tier or (other.is_asked and other.finished_at > one.finished_at))
            for other in statements
        )
    ]
    assert word.tier == min(one.tier for one in holding)
    heads = [one for one in statements if not any(before.builds_on(other.id, one.id) for other in statements)]
    assert word.tier <= min(one.tier for one in heads)


def test_nobody_is_asked_about_a_group(session: Session, cast: Cast) -> None:
    receive(session, cast, envelope(encounter(people={"who": "group"}, talk=TALK)))
    assert words.list_tiers(session, cast.centre.id) == {}
