"""Where more happens than expected: right on centres whose truth is known, and silent where nothing differs."""

import random
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.stats import gamma

from evaluator_export.products import expectation
from evaluator_export.products.change import Word, compare_rates
from evaluator_export.products.expectation import BANDS, NIGHTS, Place, Presence, Seen

SEED = 11
AREAS = 10
FLAT_MAPS = 120
HOT_MAPS = 60


@dataclass
class Centre:
    """An invented centre: what was seen, true rates, and true hours, which its shifts do not tell."""

    seen: dict[expectation.Spot, Seen] = field(default_factory=dict)
    rates: dict[expectation.Spot, float] = field(default_factory=dict)
    hours: dict[expectation.Spot, float] = field(default_factory=dict)

    def find_rate(self, place: Place) -> float:
        """Return the true rate of a place beside that of the whole centre."""
        mean = sum(self.rates[spot] * part for spot, part in self.hours.items()) / sum(self.hours.values())
        weights = {spot: max(self.hours.get(spot, 0), 0.5) for spot in place.spots}
        rate = sum(self.rates[spot] * weight for spot, weight in weights.items()) / sum(weights.values())
        return rate / mean


def draw_centre(chance: np.random.Generator, per_year: int, weeks: int, is_flat: bool) -> Centre:
    """Return a centre with shifts in one to three areas, in which workers move on when they like."""
    centre = Centre()
    names = [str(area) for area in range(AREAS)]
    shares = chance.dirichlet(np.full(AREAS, 2.0))
    hot = (names[chance.integers(AREAS)], NIGHTS[chance.integers(2)], BANDS[chance.integers(3)])
    for name in names:
        of_area = np.exp(chance.normal(0, 0.35)) * (1.6 if name == hot[0] else 1)
        for night in NIGHTS:
            for band in BANDS:
                spot = (name, night, band)
                rate = of_area * np.exp(chance.normal(0, 0.25)) * (3 if spot == hot else 1)
                centre.rates[spot] = 1.0 if is_flat else float(rate)
    for _ in range(chance.poisson(per_year / 4 / 52 * weeks)):
        add_shift(chance, centre, list(chance.choice(names, chance.integers(1, 4), replace=False, p=shares)))
    return centre


def add_shift(chance: np.random.Generator, centre: Centre, areas: list[str]) -> None:
    day = int(chance.integers(7))
    night = NIGHTS[day in (4, 5)]
    begin = int(chance.integers(15, 21))
    length = int(chance.choice([3, 4, 5, 6, 6, 7, 8]))
    moved_on = begin + np.concatenate([[0], np.cumsum(chance.dirichlet(np.ones(len(areas))))]) * length
    times = {}
    for number, band in enumerate(BANDS):
        from_hour = 18 + 4 * number
        times[night, band] = max(0.0, min(begin + length, from_hour + 4) - max(begin, from_hour))
        for place, area in enumerate(areas):
            hours = max(0.0, min(moved_on[place + 1], from_hour + 4) - max(moved_on[place], from_hour))
            spot = (area, night, band)
            centre.hours[spot] = centre.hours.get(spot, 0) + hours
            # Some events come together: variance over mean is 1.4.
            mean = centre.rates[spot] * hours / 1.4
            count = int(chance.poisson(chance.gamma(mean / 0.4, 0.4))) if mean else 0
            seen = centre.seen.setdefault(spot, Seen())
            seen.count += count
            seen.days |= {f"{day} {chance.integers(99)}"} if count else set()
    for spot, part in expectation.split_shift(areas, times).items():
        centre.seen.setdefault(spot, Seen()).hours += part


def show(seen: Seen) -> int | None:
    """Round as the product does: at random, the same each time, hidden under ten and on a single night."""
    rest = seen.count % 5
    goes_up = random.Random(f"{seen.count} {seen.hours:.4f}").random() * 5 < rest
    value = seen.count - rest + (5 if goes_up else 0)
    return value if value >= 10 and len(seen.days) >= 2 else None


def find_claims(centre: Centre) -> list[Place]:
    places = expectation.join_spots(centre.seen, sorted({spot[0] for spot in centre.seen}), show)
    total = sum(seen.count for seen in centre.seen.values())
    hours = sum(seen.hours for seen in centre.seen.values())
    return expectation.list_raised(expectation.judge_places(places, total // 5 * 5, hours))


@pytest.mark.slow
@pytest.mark.parametrize(("per_year", "weeks"), [(1500, 12), (1500, 52), (5000, 4), (5000, 8), (20000, 4)])
def test_a_map_on_which_nothing_differs_names_a_place_in_at_most_four_of_a_hundred(per_year: int, weeks: int) -> None:
    chance = np.random.default_rng(SEED)
    named = sum(bool(find_claims(draw_centre(chance, per_year, weeks, is_flat=True))) for _ in range(FLAT_MAPS))
    assert named / FLAT_MAPS <= 0.04


@pytest.mark.slow
@pytest.mark.parametrize(
    ("per_year", "weeks", "least"), [(1500, 12, 0.25), (1500, 24, 0.5), (5000, 8, 0.5), (20000, 4, 0.8)]
)
def test_what_is_named_is_above_usual_and_most_maps_with_a_hot_spot_name_one(
    per_year: int, weeks: int, least: float
) -> None:
    chance = np.random.default_rng(SEED)
    rates = []
    maps = 0
    for _ in range(HOT_MAPS):
        centre = draw_centre(chance, per_year, weeks, is_flat=False)
        claims = find_claims(centre)
        maps += bool(claims)
        rates += [centre.find_rate(place) for place in claims]
    assert sum(rate > 1 for rate in rates) / len(rates) >= 0.94
    assert sum(rate > 1.25 for rate in rates) / len(rates) >= 0.88
    assert maps / HOT_MAPS >= least


def test_the_chance_is_the_one_of_scipy() -> None:
    for shape in (0.3, 1.0, 4.7, 60.0, 900.0):
        for bound in (0.0, 0.1, 1.0, 5.0, 55.0, 61.0, 1000.0):
            assert expectation.compute_upper_gamma(shape, bound) == pytest.approx(gamma.sf(bound, shape), abs=1e-9)
    assert expectation.compute_upper_gamma(1e6, 1.001e6) == pytest.approx(gamma.sf(1.001e6, 1e6), abs=1e-3)


def place(count: int | None, hours: float) -> Place:
    return Place((("002", "week", BANDS[0]),), count, hours)


def test_nothing_is_named_from_few_records_or_where_nobody_was() -> None:
    places = [place(40, 10.0), place(20, 40.0), place(None, 30.0), place(40, 7.9)]
    few = expectation.judge_places(places, 145, 100.0)
    assert [one.state for one in few] == [Presence.USUAL, Presence.USUAL, Presence.FEW, Presence.NOT_THERE]
    enough = expectation.judge_places(places, 150, 100.0)
    assert [one.state for one in enough] == [Presence.MORE, Presence.USUAL, Presence.FEW, Presence.NOT_THERE]
    assert expectation.judge_places(places, 200, 0.0) == places


def test_a_place_with_many_records_only_because_we_are_often_there_is_not_named() -> None:
    places = [place(200, 200.0), place(10, 10.0), place(15, 15.0), place(25, 25.0)]
    assert expectation.list_raised(expectation.judge_places(places, 250, 250.0)) == []


def test_never_a_part_beside_its_whole() -> None:
    def seen(*counts: int) -> dict[expectation.Spot, Seen]:
        spots = [(night, band) for night in NIGHTS for band in BANDS]
        return {("002", *spot): Seen(count, 0, {"a", "b"}, 20.0) for spot, count in zip(spots, counts, strict=True) if count}

    def parts(*counts: int) -> list[int]:
        return [len(one.spots) for one in expectation.join_spots(seen(*counts), ["002"], show)]

    assert parts(20, 20, 20, 20, 20, 20) == [1, 1, 1, 1, 1, 1]
    assert parts(20, 20, 1, 1, 20, 20) == [1, 2, 2, 1]
    assert parts(20, 1, 1, 20, 20, 20) == [3, 1, 1, 1]
    assert parts(20, 20, 20, 1, 1, 1) == [6]  # one night alone would be the difference of the other to the whole
    assert parts(1, 0, 0, 0, 0, 0) == [6]
    for counts in ([20, 20, 20, 1, 1, 1], [20, 1, 1, 20, 20, 20]):
        joined = expectation.join_spots(seen(*counts), ["002"], show)
        assert len({spot for one in joined for spot in one.spots}) == 6


def test_a_night_is_one_day_and_hours_are_split_over_areas() -> None:
    assert expectation.find_night("fri", 23) == ("weekend", "22h-02h", 0)
    assert expectation.find_night("sun", 1) == ("weekend", "22h-02h", 1)
    assert expectation.find_night("mon", 5) == ("week", "02h-06h", 1)
    assert expectation.find_night("wed", 17) is None
    hours = expectation.measure_shift("2026-07-03T16:30", "2026-07-04T02:15")
    assert hours == {("weekend", "18h-22h"): 4.0, ("weekend", "22h-02h"): 4.0, ("weekend", "02h-06h"): 0.25}
    assert expectation.split_shift(["002", "004"], hours)["002", "weekend", "22h-02h"] == 2.0
    for start, end in (("", ""), ("2026-07-03T16:30", ""), ("x", "y"), ("2026-07-03T10:00", "2026-07-05T10:00")):
        assert expectation.measure_shift(start, end) == {}


def test_a_rate_follows_hours_and_not_counts() -> None:
    assert compare_rates(400, 100, 400, 100).word == Word.UNSURE  # so much two numbers differ by chance
    assert compare_rates(400, 200, 200, 100).chance == 1.0  # twice the hours, twice the records
    assert compare_rates(400, 100, 200, 100).word == Word.MORE
    assert compare_rates(200, 100, 400, 100).word == Word.FEWER
    assert compare_rates(400, 200, 400, 100).word == Word.FEWER
    assert compare_rates(None, 100, 400, 100).word == compare_rates(400, 0, 400, 100).word == Word.UNSURE
