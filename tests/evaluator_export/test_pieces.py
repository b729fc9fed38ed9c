"""Frozen pieces: what can be concluded from all windows together, and what a no takes out."""

import numpy as np
import pytest

from evaluator_export.arrays import Array
from evaluator_export.datasets.recipe import Audience
from evaluator_export.tables.pieces import Allowed, Piece, PieceCounter, add_pieces, show_sum
from evaluator_export.tables.protected_counts import TOTAL, Protection
from fieldapp.services.products.kinds import hot_spots
from tests.evaluator_export.specs import spec

SECRET = b"k" * 32
PROTECTION = Protection(5, 5, SECRET)
BLOCKS = 39
RUNS = 60


def test_a_table_of_persons_is_never_a_sum_of_pieces() -> None:
    with pytest.raises(ValueError, match="counts persons"):
        PieceCounter(spec("participants_active", Audience.PUBLIC), SECRET)


def make_piece(*keys: int, cell: str = "002") -> Piece:
    return Piece([(key, f"2026-07-{1 + key % 7:02}") for key in keys], {(cell,): list(range(len(keys)))})


def test_a_window_is_the_sum_of_its_pieces_however_they_are_stored() -> None:
    first = make_piece(1, 2, 3)
    second = make_piece(4, 2**64 - 1)
    stored = [Piece.read(piece.write()) for piece in (first, second)]
    sums = add_pieces(stored)
    assert sums == add_pieces([second, first])
    assert (sums[TOTAL].count, sums[TOTAL].keys, len(sums[TOTAL].days)) == (5, 1 + 2 + 3 + 4 - 1, 4)
    assert sums["002",] == sums[TOTAL]


def test_a_no_takes_out_what_it_forbids_and_nothing_else() -> None:
    piece = Piece([(1, "2026-07-01"), (2, "2026-07-02"), (3, "2026-07-03")], {("002",): [0, 1], ("004",): [2]})
    kept = piece.keep(Allowed({1, 99}, {2: {TOTAL}, 3: set()}))
    assert kept.units == [(1, "2026-07-01"), (2, "2026-07-02")]  # 99 was never in it, and does not come
    assert kept.cells == {("002",): [0]}
    assert piece.keep(Allowed({1, 2, 3})) == piece
    assert piece.keep(Allowed()) == Piece()


def test_one_night_alone_is_hidden_and_two_are_not() -> None:
    sums = add_pieces([make_piece(*range(0, 210, 7))])
    assert len(sums[TOTAL].days) == 1 and show_sum(sums[TOTAL], 2, PROTECTION) == "<10"
    assert show_sum(sums[TOTAL], 1, PROTECTION) in ("30",)


def bound_blocks(windows: list[tuple[int, int, int, int]]) -> Array:
    """Return the most and the least that each block can be, by difference constraints of the windows.

    `windows`: (first, end, least, most). Sums from the beginning are the nodes; a shortest path is a bound.
    """
    far = 1e9
    distance = np.full((BLOCKS + 1, BLOCKS + 1), far)
    np.fill_diagonal(distance, 0)
    for block in range(BLOCKS):
        distance[block + 1, block] = 0  # none is under nothing
    for first, end, least, most in windows:
        distance[first, end] = min(distance[first, end], most)
        distance[end, first] = min(distance[end, first], -least)
    for middle in range(BLOCKS + 1):
        distance = np.minimum(distance, distance[:, middle, None] + distance[None, middle, :])
    return distance


@pytest.mark.slow
@pytest.mark.parametrize(("lengths", "most_sure"), [((1, 3), 0.005), ((1, 3, 6), 0.011), ((1, 3, 13), 0.011)])
@pytest.mark.parametrize("mean", [1.0, 2.0, 4.0, 8.0])
def test_all_windows_together_prove_of_hardly_any_small_block_that_it_is_not_empty(
    lengths: tuple[int, ...], most_sure: float, mean: float
) -> None:
    """Windows in blocks of four weeks, as the two maps and the plan of a layer show them over three years."""
    chance = np.random.default_rng(5)
    small = 0
    sure = 0
    for _ in range(RUNS):
        counts = chance.poisson(mean, BLOCKS)
        keys = [int(key) for key in chance.integers(0, 2**62, BLOCKS)]
        windows = []
        for length in lengths:
            for first in range(BLOCKS - length + 1):
                end = first + length
                text = PROTECTION.format((int(counts[first:end].sum()), sum(keys[first:end]) % 2**64))
                least = int(text) - 4 if text.isdecimal() else 0
                most = int(text) + 4 if text.isdecimal() else 9
                windows.append((first, end, least, most))
        distance = bound_blocks(windows)
        for block in range(BLOCKS):
            least = -distance[block + 1, block]
            assert least <= counts[block] <= distance[block, block + 1]
            if 1 <= counts[block] <= 4:
                small += 1
                sure += least >= 1
                assert distance[block, block + 1] > least, "a small block is known exactly"
    assert sure / small <= most_sure, (sure, small)


def test_the_windows_of_maps_are_those_that_were_attacked() -> None:
    assert [weeks / hot_spots.BLOCK for weeks in hot_spots.WEEKS.values()] == [1, 3]
    assert [weeks / hot_spots.BLOCK for weeks in hot_spots.PLAN_WEEKS] == [1, 3, 6, 13]
