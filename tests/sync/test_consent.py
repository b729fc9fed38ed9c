"""What holds of what people said about consent, in whatever order it is heard."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.consent import END, ConsentAnswer, find_heads, fold_answers


def say(number: str, tier: int, heard: str = "", *, may_contact: bool = False, wording: int = 1) -> ConsentAnswer:
    """Return a statement; `heard` holds the ids that its writer knew, one letter each."""
    return ConsentAnswer(number, tier, may_contact, wording, frozenset(heard))


def test_who_never_said_anything_has_no_standing_consent():
    assert fold_answers([]) is None


def test_a_yes_from_somebody_who_knew_nothing_never_raises():
    standing = fold_answers([say("a", 1), say("b", 3)])
    assert standing is not None
    assert standing.tier == 1
    assert standing.is_in_doubt
    assert standing.heads == ("a", "b")


def test_an_answer_given_in_the_knowledge_of_the_others_settles_them_up_and_down():
    up = fold_answers([say("a", 1), say("b", 3), say("c", 3, "ab")])
    down = fold_answers([say("a", 3), say("b", 1, "a")])
    assert up is not None and down is not None
    assert (up.tier, up.is_in_doubt) == (3, False)
    assert (down.tier, down.is_in_doubt) == (1, False)


@pytest.mark.parametrize("later", [say("c", 3, "ab"), say("c", 3), say("c", 1, "b")])
def test_an_end_is_final_whatever_is_said_after_it(later):
    standing = fold_answers([say("a", 3), say("b", END, "a"), later])
    assert standing is not None
    assert standing.has_ended
    assert not standing.may_contact


def test_contact_and_wording_are_the_least_of_what_is_not_settled():
    standing = fold_answers([say("a", 2, may_contact=True, wording=4), say("b", 2, may_contact=False, wording=3)])
    assert standing is not None
    assert (standing.may_contact, standing.wording) == (False, 3)
    assert standing.is_in_doubt


def test_two_statements_under_one_id_count_as_the_less_of_both():
    standing = fold_answers([say("a", 1), say("b", 3, "a"), say("b", 2)])
    assert standing is not None
    assert standing.tier == 1, "only what both knew is settled"


def test_statements_that_claim_to_know_each_other_settle_nothing():
    standing = fold_answers([say("a", 3, "b"), say("b", 1, "a")])
    assert standing is not None
    assert standing.tier == 1
    assert fold_answers([say("a", 3, "a")]) == fold_answers([say("a", 3)])


def draw_history(seed: int) -> list[ConsentAnswer]:
    """Return a true history in the order in which things were said: each writer knows some of what came before."""
    chance = random.Random(seed)
    history: list[ConsentAnswer] = []
    for place in range(chance.randint(1, 9)):
        heard = [earlier for earlier in history if chance.random() < 0.6]
        heard = frozenset(find_heads(heard)) if heard else frozenset()
        tier = chance.choice([1, 1, 2, 2, 3, 3, 3, END] if place else [1, 2, 3])
        history.append(ConsentAnswer(f"s{place}", tier, chance.random() < 0.5, chance.randint(1, 3), heard))
    return history


@given(st.integers(0, 2**32))
def test_order_and_repetition_change_nothing(seed):
    history = draw_history(seed)
    chance = random.Random(seed)
    shuffled = history + chance.choices(history, k=3)
    chance.shuffle(shuffled)
    assert fold_answers(shuffled) == fold_answers(history)


@given(st.integers(0, 2**32))
def test_what_holds_is_never_more_than_the_last_word_that_was_heard(seed):
    history = draw_history(seed)
    chance = random.Random(seed)
    heard = [statement for statement in history if chance.random() < 0.7]
    if heard:
        standing = fold_answers(heard)
        assert standing is not None
        last = heard[-1]
        assert standing.tier <= last.tier
        assert standing.wording <= last.wording
        assert standing.may_contact <= last.may_contact


@given(st.integers(0, 2**32))
def test_an_end_that_was_heard_holds_for_good(seed):
    history = draw_history(seed)
    if any(statement.tier == END for statement in history):
        standing = fold_answers(history)
        assert standing is not None
        assert standing.has_ended


@given(st.integers(0, 2**32), st.integers(1, 3))
def test_who_knows_all_heads_settles_them(seed, tier):
    history = [statement for statement in draw_history(seed) if statement.tier != END]
    if history:
        last = ConsentAnswer("z", tier, True, 2, frozenset(find_heads(history)))
        standing = fold_answers([*history, last])
        assert standing is not None
        assert standing.tier == tier
        assert standing.heads == ("z",)
        assert not standing.is_in_doubt
