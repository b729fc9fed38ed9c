"""Where more happens than expected for the hours that staff were there.

A place with many records may only be one where staff often are. So what is compared is records an hour, and a place is
named only where a high rate is near certain: the rates of all places tell how unlike places are, and what few records say
is drawn towards the usual by so much (empirical Bayes; Marshall, Mapping Disease and Mortality Rates Using Empirical Bayes
Estimators, Applied Statistics 40, 1991). From rounded counts alone. Measured on simulated centres by
tests/evaluator_export/test_expectation.py.
"""

import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

BANDS = ("18h-22h", "22h-02h", "02h-06h")
WEEK_NIGHTS = "week"
WEEKEND_NIGHTS = "weekend"
NIGHTS = (WEEK_NIGHTS, WEEKEND_NIGHTS)
WEEKEND = ("fri", "sat")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVENING = 18  # the hour at which a night begins
MORNING = 6
LONGEST = dt.timedelta(hours=24)  # of a shift
STEP = dt.timedelta(minutes=15)

CLUSTER = 1.4  # variance over mean: some events come together
ROUNDING = 4.0  # mean variance of rounding to a multiple of 5
RAISED = 1.5  # times the usual; 1.25 would do with exact hours, while hours are split evenly over a shift's areas
SURE = 0.9
LEAST_RECORDS = 150  # of a window; with fewer, nothing is named
LEAST_HOURS = 8.0  # with fewer nobody was there
MOST_AREAS = 3  # of a shift: split over more, hours say no more than counts do
LEAST_CLEAR = 2 / 3  # of all hours must come from shifts with so few areas
FARTHEST = 1e6  # stands for a spread of none

Spot = tuple[str, str, str]  # area, kind of night, band


class Presence(StrEnum):
    """What is said of a place; the values are stored in editions."""

    MORE = "more"
    USUAL = "usual"
    FEW = "few"  # too few records, or of one night
    NOT_THERE = "not_there"


@dataclass
class Seen:
    """Records of one or several spots, and in how many hours.

    How many they are, the sum of their keys, and on which nights they were.
    """

    count: int = 0
    keys: int = 0
    days: set[str] = field(default_factory=set)
    hours: float = 0.0


@dataclass(frozen=True)
class Place:
    """One spot, or several joined since each alone has too few: what is compared, and said.

    `count` is rounded; None where it does not show. `chance` is how sure it is that the rate is RAISED.
    """

    spots: tuple[Spot, ...]
    count: int | None
    hours: float
    expected: float = 0.0
    chance: float = 0.0

    @property
    def is_raised(self) -> bool:
        return self.chance >= SURE

    @property
    def state(self) -> Presence:
        """Return what is said of the place."""
        if self.hours < LEAST_HOURS:
            return Presence.NOT_THERE
        if self.count is None:
            return Presence.FEW
        return Presence.MORE if self.is_raised else Presence.USUAL


Show = Callable[[Seen], int | None]  # rounds a count; None where it does not show


def find_night(weekday: str, hour: int) -> tuple[str, str, int] | None:
    """Return the kind of night, the band, and how many days before it began.

    None by day.     A night is one day: two o'clock on Saturday belongs to Friday.
    """
    if MORNING <= hour < EVENING:
        return None
    back = 1 if hour < MORNING else 0
    begun = DAYS[DAYS.index(weekday) - back]
    night = WEEKEND_NIGHTS if begun in WEEKEND else WEEK_NIGHTS
    return night, BANDS[(hour - EVENING) % 24 // 4], back


def join_spots(seen: Mapping[Spot, Seen], areas: Iterable[str], show: Show) -> list[Place]:
    """Return the places of each area.

    They are bands, neighbouring bands joined, a night, or the whole area: as fine as every part shows. Never a part beside
    its whole: the rest would be their difference.
    """
    places = []
    for area in areas:
        nights = [_join_bands(seen, area, night, show) for night in NIGHTS]
        parts = list(itertools.chain.from_iterable(nights))
        if not all(nights):
            parts = [list(itertools.product([area], NIGHTS, BANDS))]
        places += [_make_place(seen, part, show) for part in parts]
    return places


def _join_bands(seen: Mapping[Spot, Seen], area: str, night: str, show: Show) -> list[list[Spot]]:
    """Return the finest parts of a night that all show; empty when not even the whole does."""
    first, second, third = ((area, night, band) for band in BANDS)
    ways = [[[first], [second], [third]], [[first], [second, third]], [[first, second], [third]], [[first, second, third]]]
    for way in ways:
        if all(show(_add_up(seen, part)) is not None for part in way):
            return way
    return []


def _add_up(seen: Mapping[Spot, Seen], spots: Iterable[Spot]) -> Seen:
    total = Seen()
    for spot in spots:
        part = seen.get(spot, Seen())
        total = add_seen(total, part)
    return total


def add_seen(first: Seen, second: Seen) -> Seen:
    """Return both together; keys add up modulo 2⁶⁴, as in every count."""
    return Seen(
        first.count + second.count,
        (first.keys + second.keys) % 2**64,
        first.days | second.days,
        first.hours + second.hours,
    )


def _make_place(seen: Mapping[Spot, Seen], spots: Sequence[Spot], show: Show) -> Place:
    total = _add_up(seen, spots)
    return Place(tuple(spots), show(total), total.hours)


def judge_places(places: Sequence[Place], total: int, hours: float, raised: float = RAISED) -> list[Place]:
    """Return the places with what was expected of each and how sure a raised rate is.

    `total` and `hours` are those of the window over all areas; `total` is rounded. Under LEAST_RECORDS nothing is named.
    """
    usual = total / hours if hours else 0.0
    compared = [place for place in places if place.state == Presence.USUAL]
    if total < LEAST_RECORDS or not usual:
        return list(places)
    shape = _find_shape([(place.count or 0, place.hours * usual) for place in compared])
    judged = []
    for place in places:
        expected = place.hours * usual
        chance = 0.0
        if place.state == Presence.USUAL:
            of_count = shape + (place.count or 0) / CLUSTER
            chance = compute_upper_gamma(of_count, raised * (shape + expected / CLUSTER))
        judged.append(Place(place.spots, place.count, place.hours, expected, chance))
    return judged


def _find_shape(pairs: Sequence[tuple[int, float]]) -> float:
    """Return how alike the rates of places are.

    It is the shape of the Gamma distribution that they are drawn from, by moments, from (count, expected) of each place.
    FARTHEST where they differ by no more than chance.
    """
    weight = sum(expected for _, expected in pairs)
    if weight <= 0:
        return FARTHEST
    mean = sum(count for count, _ in pairs) / weight
    spread = sum(expected * (count / expected - mean) ** 2 for count, expected in pairs) / weight
    by_chance = sum(CLUSTER * mean + ROUNDING / expected for _, expected in pairs) / weight
    between = spread - by_chance
    return min(FARTHEST, mean**2 / between) if between > 0 else FARTHEST


def compute_upper_gamma(shape: float, bound: float) -> float:
    """Return the chance that a Gamma variable with this shape and scale 1 lies above a bound.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 6.5.29 (series) and 6.5.31 (continued fraction, by
    Lentz's method).
    Example: compute_upper_gamma(1.0, 2.0) is about 0.1353.
    """
    if bound <= 0:
        return 1.0
    if shape > 1e5:  # so alike that it is the normal distribution; the series would take long
        return 0.5 * math.erfc((bound - shape) / math.sqrt(2 * shape))
    factor = math.exp(shape * math.log(bound) - bound - math.lgamma(shape))
    if bound < shape + 1:
        return max(0.0, 1 - factor * _sum_series(shape, bound))
    return min(1.0, factor * _compute_fraction(shape, bound))


def _sum_series(shape: float, bound: float) -> float:
    term = 1 / shape
    total = term
    divisor = shape
    while term > total * 1e-12:
        divisor += 1
        term *= bound / divisor
        total += term
    return total


def _compute_fraction(shape: float, bound: float) -> float:
    tiny = 1e-300
    under = bound + 1 - shape
    above = 1 / tiny
    below = 1 / under
    value = below
    number = 0
    change = 0.0
    while abs(change - 1) > 1e-12:
        number += 1
        factor = -number * (number - shape)
        under += 2
        below = 1 / (factor * below + under or tiny)
        above = under + factor / above or tiny
        change = below * above
        value *= change
    return value


def list_raised(places: Iterable[Place]) -> list[Place]:
    """Return the places where more happened than expected, the surest first."""
    raised = [place for place in places if place.state == Presence.MORE]
    return sorted(raised, key=lambda place: (-place.chance, place.spots))


def describe_areas(places: Iterable[Place], night: str) -> dict[str, Presence]:
    """Return what a map of one kind of night says of each area.

    It is what that place of the area says that says most.
    """
    order = [Presence.MORE, Presence.USUAL, Presence.FEW, Presence.NOT_THERE]
    states: dict[str, Presence] = {}
    for place in places:
        if all(spot[1] != night for spot in place.spots):
            continue
        area = place.spots[0][0]
        before = states.get(area, Presence.NOT_THERE)
        states[area] = min(before, place.state, key=order.index)
    return states


def split_shift(areas: Sequence[str], hours_by_time: Mapping[tuple[str, str], float]) -> dict[Spot, float]:
    """Return a shift's hours by spot.

    They are split evenly over its areas, since nobody notes when they went on.
    `hours_by_time`: by kind of night and band.
    """
    spots: dict[Spot, float] = {}
    for area in areas:
        for (night, band), hours in hours_by_time.items():
            spots[area, night, band] = hours / len(areas)
    return spots


def measure_shift(start: str, end: str) -> dict[tuple[str, str], float]:
    """Return the hours of a shift by kind of night and band, by the clock on the wall.

    Nothing for a shift without two times, or longer than a day. Two nights a year are an hour longer or shorter than the
    clock says; windows of weeks do not show it.
    """
    try:
        began = dt.datetime.fromisoformat(start).replace(tzinfo=None)
        ended = dt.datetime.fromisoformat(end).replace(tzinfo=None)
    except ValueError:
        return {}
    hours: dict[tuple[str, str], float] = {}
    moment = began
    while moment < ended <= began + LONGEST:
        until = min(ended, moment + STEP)
        time = find_night(DAYS[moment.weekday()], moment.hour)
        if time is not None:
            night, band, _ = time
            hours[night, band] = hours.get((night, band), 0.0) + (until - moment) / dt.timedelta(hours=1)
        moment = until
    return hours
