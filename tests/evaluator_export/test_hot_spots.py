"""The statistic behind hot spots says what another library says, on maps of every shape."""

import warnings
from collections.abc import Sequence

import numpy as np
import pytest

from evaluator_export.arrays import Array
from evaluator_export.products.hot_spots import classify_areas, compute_gi_star

MAPS = 200


def by_esda(values: Array, neighbours: Sequence[Sequence[int]]) -> Array:
    from esda.getisord import G_Local  # noqa: PLC0415  takes seconds
    from libpysal.weights import W  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # islands, and maps on which all is the same
        weights = W(dict(enumerate(neighbours)), id_order=list(range(len(values))), silence_warnings=True)
        return np.asarray(G_Local(values, weights, transform="B", permutations=0, star=True).Zs)


def draw_map(chance: np.random.Generator) -> tuple[Array, list[list[int]]]:
    """Return counts, rounded to 5 as they are published, and who borders whom; some areas border nobody."""
    number = int(chance.integers(3, 60))
    borders = np.triu(chance.random((number, number)) < chance.choice([0.02, 0.1, 0.4]), 1)
    borders |= borders.T
    values = 5.0 * chance.poisson(chance.choice([0.3, 2.0, 40.0]), number)
    return values, [np.flatnonzero(row).tolist() for row in borders]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(MAPS))
def test_the_score_is_the_one_of_esda(seed: int) -> None:
    values, neighbours = draw_map(np.random.default_rng(seed))
    ours = compute_gi_star(values, neighbours)
    theirs = by_esda(values, neighbours)
    # Where nothing varies, or an area borders all others, esda divides nothing by nothing.
    is_said = np.array([len(near) + 1 < len(values) for near in neighbours]) & (values.std() > 0)
    assert np.abs(ours - theirs)[is_said].max(initial=0) < 1e-12
    assert (ours[~is_said] == 0).all()


@pytest.mark.parametrize("value", [0.0, 5.0, 0.1])
def test_a_map_on_which_all_is_the_same_says_nothing(value: float) -> None:
    neighbours = [[(position + 1) % 30, (position - 1) % 30] for position in range(30)]
    assert (compute_gi_star(np.full(30, value), neighbours) == 0).all()
    names = {str(position): [str(other) for other in near] for position, near in enumerate(neighbours)}
    assert classify_areas(dict.fromkeys(names, value), names) == {}


@pytest.mark.slow
def test_an_island_is_compared_by_itself() -> None:
    values = np.array([50.0, 5.0, 5.0, 10.0, 5.0])
    neighbours = [[], [2], [1, 3], [2, 4], [3]]
    assert np.allclose(compute_gi_star(values, neighbours), by_esda(values, neighbours), atol=1e-12)


def test_an_area_that_borders_all_others_says_nothing() -> None:
    values = np.array([50.0, 5.0, 10.0])
    assert compute_gi_star(values, [[1, 2], [0], [0]])[0] == 0
