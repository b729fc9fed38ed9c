"""A record is the same whatever order its submissions arrive in, and nothing that somebody wrote is hidden."""

import datetime as dt
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.fold import RecordVersion, flatten, fold, unflatten
from sync.notes import HandOver, find_current_owner

START = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
WORKER, OTHER, OFFICE = 1, 2, 9


def version(number: int, prev: tuple[int, ...] = (), author: int = WORKER, minute: int = 0, **answers: Any) -> RecordVersion:
    return RecordVersion(
        f"id{number}", f"{number:064x}", frozenset(f"id{one}" for one in prev), author, author == OFFICE,
        START + dt.timedelta(minutes=minute or number), "1", answers,
    )  # fmt: skip


def as_is(_: RecordVersion, answers: Any) -> Any:
    return answers


def test_one_submission_is_its_record() -> None:
    folded = fold("id0", [version(0, a="1")], as_is)
    assert (folded.answers, folded.heads, folded.contested) == ({"a": "1"}, ("id0",), ())


def test_a_correction_holds_even_when_it_comes_first_or_the_clock_was_wrong() -> None:
    first, second = version(0, a="1"), version(1, (0,), minute=-500, a="2")
    for order in ([first, second], [second, first], [second, first, second]):
        assert fold("id0", order, as_is).answers == {"a": "2"}


def test_two_corrections_of_different_questions_both_hold() -> None:
    base = version(0, a="1", b="1")
    folded = fold("id0", [base, version(1, (0,), a="2", b="1"), version(2, (0,), OFFICE, a="1", b="3")], as_is)
    assert (folded.answers, folded.contested) == ({"a": "2", "b": "3"}, ())
    assert folded.heads == ("id1", "id2")


def test_two_answers_to_one_question_are_both_kept_and_somebody_must_choose() -> None:
    one, two = version(1, (0,), a="2"), version(2, (0,), OFFICE, a="3")
    folded = fold("id0", [version(0, a="1"), one, two], as_is)
    assert folded.answers == {"a": "3"}
    assert [(one.path, dict(one.values)) for one in folded.contested] == [("a", {one.sha256: "2", two.sha256: "3"})]
    chosen = version(3, (1, 2), OFFICE, a="2")
    assert fold("id0", [two, one, chosen], as_is).contested == ()


def test_changes_that_do_not_go_together_are_not_brought_together() -> None:
    base = version(0, a="1", b="1")
    folded = fold("id0", [base, version(1, (0,), a="2", b="1"), version(2, (0,), a="1", b="3")], lambda *_: None)
    assert folded.answers == {"a": "1", "b": "3"}
    assert {one.path for one in folded.contested} == {"a", "b"}


def test_what_the_form_computes_is_never_contested() -> None:
    versions = [version(0, a="1", n="1"), version(1, (0,), a="2", n="2"), version(2, (0,), a="1", b="1", n="3")]
    folded = fold("id0", versions, lambda _, answers: {**answers, "n": "9"}, computed={"n"})
    assert (folded.answers, folded.contested) == ({"a": "2", "b": "1", "n": "9"}, ())


def test_nobody_else_changes_a_workers_record() -> None:
    theirs = version(1, (0,), OTHER, a="forged")
    folded = fold("id0", [version(0, a="1"), theirs], as_is)
    assert (folded.answers, folded.rejected, folded.author) == ({"a": "1"}, (theirs,), WORKER)


def test_two_that_claim_to_build_on_each_other_hide_nothing() -> None:
    folded = fold("id0", [version(0, (1,), a="1"), version(1, (0,), a="2")], as_is)
    assert len(folded.heads) == 2
    assert folded.contested


@st.composite
def histories(draw: st.DrawFn) -> list[RecordVersion]:
    count = draw(st.integers(1, 7))
    made = []
    for number in range(count):
        before = st.lists(st.integers(0, count + 1), max_size=3, unique=True)  # loops and gaps too
        prev = tuple(draw(before)) if number else ()
        answers = draw(st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "3"])))
        author = draw(st.sampled_from([WORKER, WORKER, OTHER, OFFICE]))
        made.append(version(number, prev, author, draw(st.integers(1, 3)), **answers))
    again = draw(st.integers(0, count - 1))
    other = replace(version(again, (), WORKER, 1, c="the same id, other words"), sha256="f" * 64)
    return [*made, other] if draw(st.booleans()) else made


@pytest.mark.slow
@settings(deadline=None)
@given(histories(), st.randoms())
def test_any_order_and_any_repetition_give_the_same(history: list[RecordVersion], chance: random.Random) -> None:
    shuffled = history * 2
    chance.shuffle(shuffled)
    assert fold("id0", shuffled, as_is) == fold("id0", history, as_is)


@pytest.mark.slow
@settings(deadline=None)
@given(histories())
def test_every_head_is_there_and_every_difference_is_shown_or_merged(history: list[RecordVersion]) -> None:
    folded = fold("id0", history, as_is)
    assert folded.heads
    assert folded.current.id in folded.heads
    for one in folded.contested:
        assert len({repr(value) for _, value in one.values}) > 1


@pytest.mark.slow
@settings(deadline=None)
@given(st.recursive(st.text(max_size=3), lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)))
def test_flat_and_nested_are_inverse(answers: Any) -> None:
    tree = {"q": answers}
    assert flatten(unflatten(flatten(tree))) == {path: value for path, value in flatten(tree).items() if value}


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4), st.booleans(), st.integers(1, 4)), max_size=6), st.randoms())
def test_a_card_ends_with_the_same_worker_in_any_order(given: list[Any], chance: random.Random) -> None:
    notes = [
        HandOver(START + dt.timedelta(minutes=minute), f"id{place}", by, is_office, to)
        for place, (minute, by, is_office, to) in enumerate(given)
    ]
    shuffled = notes * 2
    chance.shuffle(shuffled)
    assert find_current_owner(1, shuffled) == find_current_owner(1, notes)


def test_only_who_has_a_card_gives_it_on() -> None:
    to_two, stolen = HandOver(START, "a", 1, False, 2), HandOver(START, "b", 3, False, 3)
    assert find_current_owner(1, [stolen, to_two]) == 2
    assert find_current_owner(1, [HandOver(START, "c", 9, True, 4)]) == 4
