"""Rows to be deleted are drawn so that neither the list nor what stays shows anybody among fewer than the policy says."""

import random
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.policy.policy import Field, Role
from evaluator_export.series.ledger import LedgerEntry
from evaluator_export.series.withdrawal import BatchRows, draw_rows, find_places, list_left_out, number_rows
from evaluator_export.tabular import CategoricalColumn
from tests.evaluator_export.centre import all_datasets

SECRET = b"d" * 32
ENCOUNTERS = all_datasets()["encounters"]
K = ENCOUNTERS.policy.model.k


def entry_of(dataset: DatasetSpec, rows: int) -> LedgerEntry:
    levels = tuple(field.minimum for field in dataset.policy.identifiers)
    return LedgerEntry("encounters", 1, "2026-Q2", dataset.sha256, levels, rows, 1, K, "", "", "")


def batch_of(
    sizes: list[int], seed: int, dataset: DatasetSpec = ENCOUNTERS, rows_a_person: int = 1, known: float = 1.0
) -> BatchRows:
    """Return a batch with look-alike groups of so many people."""
    chance = random.Random(seed)
    cells = []
    for group, size in enumerate(sizes):
        for person in range(size):
            name = f"{group} {person}" if chance.random() < known else ""
            cells += [(group, name, (person + row) % 3) for row in range(chance.randint(1, rows_a_person))]
    chance.shuffle(cells)
    groups = np.array([group for group, *_ in cells], dtype=np.int32)
    columns = {"risk_now": CategoricalColumn(np.array([risk for *_, risk in cells], dtype=np.int32), ("a", "b", "c"))}
    entry = entry_of(dataset, len(cells))
    for field, level in zip(dataset.policy.identifiers, entry.levels, strict=True):
        codes = groups if field.name == "month" else np.zeros(len(cells), dtype=np.int32)
        columns[f"{field.name}@{level}"] = CategoricalColumn(codes, tuple(map(str, range(len(sizes)))))
    tags = [chance.randbytes(16) for _ in cells]
    return BatchRows(entry, columns, tags, [name for _, name, _ in cells], frozenset(), frozenset())


def groups_of(batch: BatchRows, places: set[int]) -> dict[int, set[int]]:
    month = next(column for name, column in batch.columns.items() if name.startswith("month@"))
    groups = defaultdict(set)
    for place in places:
        groups[int(month.codes[place])].add(place)
    return groups


def is_hidden(batch: BatchRows, places: set[int]) -> bool:
    """Say whether rows are of k persons and not all alike in what nobody should learn."""
    persons = {batch.persons[place] for place in places} - {""}
    risks = Counter(int(batch.columns["risk_now"].codes[place]) for place in places)
    return len(persons) >= K and len(risks) >= 2


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(K, 4 * K), min_size=1, max_size=4),
    seed=st.integers(0, 10**6),
    ended=st.lists(st.integers(0, 10**6), min_size=1, max_size=4),
    rows=st.integers(1, 3),
    known=st.sampled_from([1.0, 0.8]),
)
def test_who_knows_that_somebody_took_all_back_still_has_k_people_to_choose_from(
    sizes: list[int], seed: int, ended: list[int], rows: int, known: float
) -> None:
    """Round after round: the rows of a list, and those that stay, hide people in each group; or the whole group goes."""
    batch = batch_of(sizes, seed, rows_a_person=rows, known=known)
    everything = set(range(batch.entry.rows))
    for number in ended:
        staying = everything - batch.gone
        named = sorted({batch.persons[place] for place in staying} - {""})
        if not named:
            return
        person = named[number % len(named)]
        own = frozenset(place for place in staying if batch.persons[place] == person)
        drawn = draw_rows(ENCOUNTERS.policy, replace(batch, taken_back=own), SECRET)
        assert own <= drawn <= staying
        before = groups_of(batch, staying)
        listed, stay = groups_of(batch, drawn), groups_of(batch, staying - drawn)
        for group, places in listed.items():
            assert places == before[group] or (is_hidden(batch, places) and is_hidden(batch, stay[group]))
        assert listed.keys() == {group for group, places in before.items() if places & own}
        batch = replace(batch, gone=batch.gone | drawn)


def test_a_large_group_gives_k_people_and_no_more() -> None:
    batch = batch_of([200], 3)
    drawn = draw_rows(ENCOUNTERS.policy, replace(batch, taken_back=frozenset({5})), SECRET)
    assert len(drawn) == K


def test_the_same_people_are_drawn_again_and_others_under_another_key() -> None:
    batch = replace(batch_of([200], 3), taken_back=frozenset({5}))
    first = draw_rows(ENCOUNTERS.policy, batch, SECRET)
    assert draw_rows(ENCOUNTERS.policy, batch, SECRET) == first
    assert draw_rows(ENCOUNTERS.policy, batch, b"another key") != first
    # A list made again beside another person's does not show by the difference who was real.
    both = draw_rows(ENCOUNTERS.policy, replace(batch, taken_back=frozenset({5, 6})), SECRET)
    assert len(first & both) >= K - 1


def test_where_a_part_cannot_be_judged_all_go() -> None:
    """How far a part is from all rows is not asked; and pseudonyms tell which rows are one person's."""
    policy = ENCOUNTERS.policy
    batch = replace(batch_of([100, 100], 1), taken_back=frozenset({0}))
    groups = groups_of(batch, set(range(200)))
    own = next(places for places in groups.values() if 0 in places)
    [demand] = policy.model.diversities
    distant = replace(policy, model=replace(policy.model, diversities=(replace(demand, t=0.2),)))
    assert draw_rows(distant, batch, SECRET) == own
    named = replace(policy, fields=(*policy.fields, Field("who", Role.PSEUDONYM)))
    assert draw_rows(named, batch, SECRET) == set(range(200))


def test_rows_are_numbered_as_each_recipient_has_them() -> None:
    entry = entry_of(ENCOUNTERS, 30)
    ours, theirs = (number_rows(secret * 32, entry, frozenset()) for secret in (b"a", b"b"))
    assert sorted(ours.values()) == sorted(theirs.values()) == list(range(1, 31))
    assert ours != theirs
    missing = frozenset({3, 17})
    fewer = number_rows(b"a" * 32, entry, missing)
    assert fewer.keys() == set(range(30)) - missing
    assert sorted(fewer, key=lambda place: fewer[place]) == sorted(fewer, key=lambda place: ours[place])
    assert find_places(b"a" * 32, entry, list_left_out(b"a" * 32, entry, missing)) == missing
