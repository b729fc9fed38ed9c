"""What holds of what people said about consent, in whatever order it is heard."""

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.consent import END, LOWEST, StandingConsent, Statement, find_heads, fold_statements

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)


def say(
    number: str, tier: int, knew: str = "", *, is_asked: bool = True, month: dt.date = MAY, wording: str = "w"
) -> Statement:
    """Return a statement; `knew` holds the ids that its writer knew, one letter each."""
    return Statement(number, tier, is_asked, frozenset(knew), month, wording)


def fold(*statements: Statement) -> StandingConsent:
    standing = fold_statements(statements)
    assert standing is not None
    return standing


def test_who_never_said_anything_has_no_standing_consent() -> None:
    assert fold_statements([]) is None


def test_a_yes_from_somebody_who_knew_nothing_never_raises() -> None:
    standing = fold(say("a", 1), say("b", 3))
    assert (standing.tier, standing.is_in_doubt, standing.heads) == (1, True, ("a", "b"))
    assert fold(say("b", 2), say("a", 2)).is_in_doubt is False


def test_a_statement_made_in_the_knowledge_of_the_others_settles_them_up_and_down() -> None:
    up = fold(say("a", 1), say("b", 3), say("c", 3, "ab"))
    down = fold(say("a", 3), say("b", 0, "a"))
    assert (up.tier, up.is_in_doubt, up.heads) == (3, False, ("c",))
    assert (down.tier, down.is_in_doubt, down.heads) == (LOWEST, False, ("b",))


def test_whoever_was_not_asked_raises_nothing_but_may_say_less() -> None:
    assert fold(say("a", 1), say("b", 3, "a", is_asked=False)).tier == 1
    assert fold(say("a", 3), say("b", 1, "a", is_asked=False)).heads == ("b",)


@pytest.mark.parametrize("later", [say("c", 3, "ab"), say("c", 3), say("c", 1, "b")])
def test_an_end_is_final_whatever_is_said_after_it(later: Statement) -> None:
    standing = fold(say("a", 3), say("b", END, "a", month=JUNE), later)
    assert (standing.tier, standing.is_in_doubt, standing.since) == (END, False, JUNE)


def test_it_holds_since_the_lowest_head_was_said() -> None:
    assert fold(say("a", 1), say("b", 2, "a", month=JUNE)).since == JUNE
    assert fold(say("a", 1), say("b", 1, month=JUNE)).since == MAY
    assert fold(say("a", 3), say("b", 2, month=JUNE)).since == JUNE


def test_the_wording_is_known_only_where_all_heads_have_the_same() -> None:
    assert fold(say("a", 2), say("b", 2)).wording == "w"
    assert fold(say("a", 2), say("b", 2, wording="v")).wording == ""
    assert fold(say("a", 2), say("b", 2, "a", wording="v")).wording == "v"


def test_two_statements_under_one_id_count_as_the_less_of_both() -> None:
    assert fold(say("a", 1), say("b", 3, "a"), say("b", 2)).tier == 1, "only what both knew is settled"


def test_statements_that_claim_to_know_each_other_settle_nothing() -> None:
    assert fold(say("a", 3, "b"), say("b", 1, "a")).tier == 1
    assert fold(say("a", 3, "b"), say("b", 1, "a"), say("c", 3, "a")).tier == 1
    assert fold(say("a", 3, "a")) == fold(say("a", 3))


def draw_history(seed: int) -> list[Statement]:
    """Return a true history in the order in which things were said: each writer knows some of what came before."""
    chance = random.Random(seed)
    history: list[Statement] = []
    for place in range(chance.randint(1, 9)):
        known = {statement.id: statement for statement in history if chance.random() < 0.6}
        knew = frozenset(find_heads(known)) if known else frozenset()
        tier = chance.choice([0, 1, 1, 2, 2, 3, 3, 3, END] if place else [1, 2, 3])
        month = dt.date(2026, chance.randint(1, 12), 1)
        history.append(Statement(f"s{place}", tier, chance.random() < 0.7, knew, month))
    return history


@given(st.integers(0, 2**32))
def test_order_and_repetition_change_nothing(seed: int) -> None:
    history = draw_history(seed)
    chance = random.Random(seed)
    shuffled = history + chance.choices(history, k=3)
    chance.shuffle(shuffled)
    assert fold_statements(shuffled) == fold_statements(history)


@given(st.integers(0, 2**32))
def test_what_holds_is_never_more_than_the_last_word_that_was_heard(seed: int) -> None:
    history = draw_history(seed)
    chance = random.Random(seed)
    heard = [statement for statement in history if chance.random() < 0.7]
    if heard:
        standing = fold_statements(heard)
        assert standing is not None
        assert standing.tier <= heard[-1].tier


@given(st.integers(0, 2**32))
def test_an_end_that_was_heard_holds_for_good(seed: int) -> None:
    history = draw_history(seed)
    if any(statement.tier == END for statement in history):
        standing = fold_statements(history)
        assert standing is not None
        assert standing.tier == END


@given(st.integers(0, 2**32), st.integers(0, 3))
def test_who_knows_all_heads_and_asks_settles_them(seed: int, tier: int) -> None:
    history = [statement for statement in draw_history(seed) if statement.tier != END]
    if history:
        heads = find_heads({statement.id: statement for statement in history})
        last = Statement("z", tier, True, frozenset(heads), MAY)
        standing = fold_statements([*history, last])
        assert standing is not None
        assert (standing.tier, standing.heads, standing.is_in_doubt) == (tier, ("z",), False)
