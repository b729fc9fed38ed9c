"""Say in words how numbers changed, from what readers see of them.

That is rounded counts, some of them hidden.

Anybody can repeat each word from the published numbers; no true count is used. What differs without a cause is taken
into account: rounding, events that come together, and months that are unlike and hang together. Measured against
simulated centres by tests/evaluator_export/test_change.py.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from evaluator_export.products.shares import Share

ROUNDING = 4.0  # mean variance of rounding at random to a multiple of 5: r(5 - r) for a rest r of 0 to 4
SURE = 0.05  # a word without “perhaps” is wrong once in so many comparisons of numbers that did not change, at most
PERHAPS = 0.20
# What is expected of a series before it has said much itself. Chosen on simulated centres, so they are no law: a centre
# that has four years of months can put its own in their place.
GUESS_DEGREES = 8  # the guess counts as much as so many pairs of pieces
GUESS_CLUSTER = 2.0  # variance over mean, of events that come in twos
GUESS_MONTHS = 0.08  # by which share of their mean months differ beside the season
HANGING = 3.0  # a sum of pieces spreads so much more than each one, since neighbouring months are alike
LEAST_PAIRS = 3  # of fewer pairs, the spread is the guess
SAME_COUNT = 0.20  # “about the same” is within a fifth
SAME_SHARE = 0.15  # 15 points
SAME_RATE = math.log(1.25)  # a quarter
MANY_DEGREES = 200  # of a share: its variance is known and not estimated


class Word(StrEnum):
    """How a number compares with the one before; the values are stored in editions."""

    MORE = "more"
    PERHAPS_MORE = "perhaps_more"
    SAME = "same"
    PERHAPS_FEWER = "perhaps_fewer"
    FEWER = "fewer"
    UNSURE = "unsure"  # too few to compare
    NOT_YET = "not_yet"  # no whole year lies behind


@dataclass(frozen=True)
class Change:
    """A word, and how often a difference so large comes by chance, 0 to 1."""

    word: Word
    chance: float = 1.0


UNSURE = Change(Word.UNSURE)


@dataclass(frozen=True)
class Spread:
    """How much the pieces of a series vary: variance over mean, and how well it is known."""

    ratio: float
    degrees: int


def compute_chance(distance: float, degrees: int) -> float:
    """Return how often Student's t lies at least so far from 0, on either side.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    Example: compute_chance(2.0, 10) is about 0.0734.
    """
    angle = math.atan(abs(distance) / math.sqrt(degrees))
    cosine = math.cos(angle)
    is_odd = degrees % 2 == 1
    term = cosine if is_odd else 1.0
    total = 0.0
    for power in range(1 if is_odd else 0, degrees - 1, 2):
        total += term
        term *= cosine * cosine * (power + 1) / (power + 2)
    inside = (angle + math.sin(angle) * total) * 2 / math.pi if is_odd else math.sin(angle) * total
    return max(0.0, 1.0 - inside)


def find_distance(chance: float, degrees: int) -> float:
    """Return how far from 0 Student's t lies with this chance, on both sides together.

    Example: find_distance(0.05, 10) is about 2.228.
    """
    low = 0.0
    high = 2 * NormalDist().inv_cdf(1 - chance / 2) + 40 / degrees
    for _ in range(60):  # halves the span each time, to the precision of a float
        middle = (low + high) / 2
        if compute_chance(middle, degrees) > chance:
            low = middle
        else:
            high = middle
    return high


def choose_word(difference: float, deviation: float, degrees: int, margin: float) -> Change:
    """Return the word for a difference that has this standard deviation by chance.

    `margin`: a difference up to it is “about the same”, where the whole interval lies within it.
    """
    chance = compute_chance(difference / deviation, degrees)
    is_more = difference > 0
    if chance < SURE:
        return Change(Word.MORE if is_more else Word.FEWER, chance)
    if chance < PERHAPS:
        return Change(Word.PERHAPS_MORE if is_more else Word.PERHAPS_FEWER, chance)
    if abs(difference) + find_distance(SURE, degrees) * deviation <= margin:
        return Change(Word.SAME, chance)
    return Change(Word.UNSURE, chance)


def estimate_spread(now: Sequence[float], before: Sequence[float]) -> Spread:
    """Return how much pieces vary: a guess, and what pairs of the same season say.

    `now` and `before`: the same months or quarters of two years, in the same order.
    """
    mean = (sum(now) + sum(before)) / (len(now) + len(before))
    guess = GUESS_CLUSTER + GUESS_MONTHS**2 * mean
    pairs = [(new, old) for new, old in zip(now, before, strict=True) if new + old > 0]
    if len(pairs) < LEAST_PAIRS:
        return Spread(guess, GUESS_DEGREES)
    # What all pieces have in common is the change itself, and no spread.
    before_sum = sum(old for _, old in pairs)
    growth = sum(new for new, _ in pairs) / before_sum if before_sum else 1.0
    squares = [(new - growth * old) ** 2 / (new + growth**2 * old + ROUNDING * (1 + growth**2)) for new, old in pairs]
    degrees = GUESS_DEGREES + len(pairs) - 1
    return Spread(max(1.0, (GUESS_DEGREES * guess + sum(squares)) / degrees), degrees)


def _widen(spread: Spread, pieces: int) -> float:
    return 1 + HANGING * (spread.ratio - 1) if pieces > 1 else spread.ratio


def compare_counts(now: Sequence[float | None], before: Sequence[float | None]) -> Change:
    """Compare the published pieces of a year with those of the year before.

    UNSURE where one of them is hidden: a sum without it would be another number.
    """
    new = _keep_shown(now)
    old = _keep_shown(before)
    if not new or len(new) < len(now) or len(old) < len(before):
        return UNSURE
    spread = estimate_spread(new, old)
    total = sum(new) + sum(old)
    variance = _widen(spread, len(new)) * total + ROUNDING * (len(new) + len(old))
    return choose_word(sum(new) - sum(old), math.sqrt(variance), spread.degrees, SAME_COUNT * total / 2)


def compare_rates(now: float | None, hours: float, before: float | None, hours_before: float) -> Change:
    """Compare how many there were in an hour with the same a time before.

    UNSURE where a count is hidden. The spread is the guess: two numbers say nothing about it. Hours are taken as exact.
    """
    if not now or not before or min(hours, hours_before) <= 0:
        return UNSURE
    spread = estimate_spread([now], [before])
    variance = spread.ratio * (1 / now + 1 / before) + ROUNDING * (1 / now**2 + 1 / before**2)
    difference = math.log(now / hours) - math.log(before / hours_before)
    return choose_word(difference, math.sqrt(variance), spread.degrees, SAME_RATE)


def compare_exact(now: float, before: float) -> Change:
    """Compare two numbers that are exact: there is no chance in it, and no finding."""
    if now == before:
        return Change(Word.SAME)
    return Change(Word.MORE if now > before else Word.FEWER)


def compare_shares(now: Share | None, before: Share | None) -> Change:
    """Compare two shares by their middles and variances; UNSURE where one cannot be told."""
    if now is None or before is None:
        return UNSURE
    deviation = math.sqrt(now.variance + before.variance)
    return choose_word(now.middle - before.middle, deviation, MANY_DEGREES, SAME_SHARE)


def choose_sure(changes: Mapping[str, Change]) -> frozenset[str]:
    """Return the names of changes that may be said of a whole page.

    On pages where nothing changed, one of them is wrong in SURE of them, at most.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure (Scandinavian Journal of Statistics 6, 1979).
    """
    names = sorted(changes, key=lambda name: changes[name].chance)
    sure = set()
    for place, name in enumerate(names):
        if changes[name].chance >= SURE / (len(names) - place):
            break
        sure.add(name)
    return frozenset(sure)


def _keep_shown(pieces: Sequence[float | None]) -> list[float]:
    return [piece for piece in pieces if piece is not None]
