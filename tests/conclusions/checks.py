"""Compare what formats say with each other and with what is true; each returns the faults that it finds, in words."""

from collections.abc import Iterator, Mapping

from evaluator_export import periods
from evaluator_export.products.change import Change, Word, choose_sure, compare_counts, compare_shares
from evaluator_export.products.shares import Share, find_share
from tests.conclusions.readers import Said, Told
from tests.conclusions.world import Truth

ROUNDING = 4  # how far a published count lies from the true one, at most
NEVER_SHOWN = 20  # no count of persons, or of events about them, up to it
MOST_HIDDEN = 24
EXACT = {"events", "field_hours"}  # anybody can count them
BY_GROUP = {"encounters_by_ward", "safeto"}  # the encounters once more
MONTHS = 12
QUARTERS = 4


def find_disagreements(formats: Mapping[str, Told]) -> Iterator[str]:
    """Yield each number that two formats say differently; the first format says all of them."""
    (first_name, first), *others = formats.items()
    for name, told in others:
        for key, said in told.numbers.items():
            if key not in first.numbers:
                yield f"{name} tells {key}, {first_name} does not"
            elif not _is_same(first.numbers[key], said):
                yield f"{key}: {first_name} says {first.numbers[key]}, {name} {said}"
        for kind in ("parts", "years", "before", "words", "counts"):
            mine, theirs = getattr(first, kind), getattr(told, kind)
            if theirs and mine != theirs:
                yield f"{kind}: {first_name} says {mine}, {name} {theirs}"


def _is_same(one: Said, other: Said) -> bool:
    return one.value == other.value and (not other.state or one.state == other.state)


def find_untrue(told: Told, truth: Truth) -> Iterator[str]:
    """Yield each count that is further from the truth than rounding takes it, or shows though it is small."""
    for (name, period_name), said in told.numbers.items():
        period = periods.parse(period_name)
        true = _count(truth, name, period)
        if true is None:
            continue
        if period.first < truth.encounters[0][0]:
            yield f"{name} {period_name} began before there were records"
        if said.state not in ("value", "few"):
            yield f"{name} {period_name} is {said.state}, and {true} happened"
        elif said.state == "few" and (said.value is not None or true > MOST_HIDDEN):
            yield f"{name} {period_name} is few ({said.value}), and {true} happened"
        elif said.state == "value" and (said.value is None or abs(said.value - true) > ROUNDING):
            yield f"{name} {period_name} says {said.value}, and {true} happened"
        if said.value is not None and said.value <= NEVER_SHOWN:
            yield f"{name} {period_name} shows {said.value}"
    for (name, period_name, part), value in told.parts.items():
        if name not in EXACT and value is not None and value <= NEVER_SHOWN:
            yield f"{name} {period_name} shows {value} of {part}"
        if name == "encounters_by_ward":
            period = periods.parse(period_name)
            true = truth.count_in_ward(period.first, period.last, part)
            if true > MOST_HIDDEN if value is None else abs(value - true) > ROUNDING:
                yield f"{part} {period_name} says {value}, and {true} happened"


def _count(truth: Truth, name: str, period: periods.Period) -> int | None:
    if name in ("encounters", *BY_GROUP):
        return truth.count_encounters(period.first, period.last)
    if name == "mediations":
        return truth.count_mediations(period.first, period.last)
    return None


def find_wrong_words(told: Told) -> Iterator[str]:
    """Yield each word of change that does not follow from the numbers of the same format."""
    for name, word in told.words.items():
        if name in EXACT or word == Word.NOT_YET or told.years[name].state != "value":
            continue
        change = _compare(told, name)
        if change is not None and (change.word != word or abs(change.chance - told.chances[name]) > 0.0001):
            yield f"{name} says {word} ({told.chances[name]}), its numbers {change}"


def _compare(told: Told, name: str) -> Change | None:
    """Return how a year compares with the one before, by what the format says alone; None of what has no word."""
    counts = told.counts[name]
    if counts["part"] is not None:
        shares = [_find_share(counts, prefix) for prefix in ("", "before_")]
        return compare_shares(*shares)
    if counts["whole"] is None or counts["part_counts"] is not None:
        return None
    pieces = [said.value for (indicator, _), said in told.numbers.items() if indicator == name]
    size = counts["whole_counts"] or 1
    if size in (MONTHS, QUARTERS):
        return compare_counts(pieces[-size:], pieces[-2 * size : -size])
    return compare_counts([told.years[name].value], [told.before[name].value])


def _find_share(counts: Mapping[str, int | None], prefix: str) -> Share | None:
    part, whole = counts[f"{prefix}part"], counts[f"{prefix}whole"]
    wholes = counts[f"{prefix}whole_counts"] or 1
    if part is None or whole is None:
        return None
    return find_share(part, whole, wholes, (counts[f"{prefix}part_counts"] or 1) // wholes)


def find_wrong_headline(lines: list[str], told: Told, titles: Mapping[str, str]) -> Iterator[str]:
    """Yield what a headline names beyond what passes Holm over the page, and each number in it that no file has.

    `titles`: of indicators, by title.
    """
    changes = {
        name: Change(Word(told.words[name]), chance)
        for name, chance in told.chances.items()
        if name not in EXACT | BY_GROUP and told.words[name] not in (Word.NOT_YET, Word.UNSURE)
    }
    sure = choose_sure(changes)
    named = {titles[title] for title in titles for line in lines if line.startswith((f"{title}: ", f"{title}\u00a0: "))}
    if named != sure:
        yield f"the headline names {sorted(named)}, and beyond chance are {sorted(sure)}"
    for name in named:
        value = f"{told.years[name].value:,.0f}"
        if not any(value in line.replace("\u202f", ",") for line in lines):
            yield f"the headline does not say {value} of {name}"
