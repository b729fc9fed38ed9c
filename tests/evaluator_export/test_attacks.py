"""Attacks on what was handed out, as an outsider would try them, with their success measured.

Each attacker knows one thousand planted people exactly: the answers that others could know of them. Naive ways of publishing
are attacked beside ours, so that an attack that cannot succeed at all would be noticed.
"""

import csv
import itertools
import random
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from evaluator_export.periods import parse
from evaluator_export.problems import ExportProblem
from evaluator_export.series.pseudonyms import make_pseudonyms, measure_linkability
from evaluator_export.series.released_dataset import ReleaseContext
from evaluator_export.tables.protected_counts import CellCounter, Protection, publish_counts, round_to_5
from evaluator_export.tabular import CategoricalColumn
from tests.evaluator_export.centre import PretendCentre, Row, all_datasets, encounters, participants, recipe_of
from tests.evaluator_export.small_series import small

K = 20
NAMES = ("month", "area", "time_of_day", "setting")
SOURCES = {"month": "enc_date", "area": "nbhd", "time_of_day": "enc_hour", "setting": "setting"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[PretendCentre, list[tuple[str, Row]], list[dict[str, str]]]:
    place = PretendCentre(tmp_path_factory.mktemp("attacks"))
    come = [(unit, row | {"tier": "2"}) for unit, row in encounters(3000)]
    place.publish("2026-Q3", {"encounter": come})
    place.package("2026-Q3", {"encounter": come})
    with (place.folder / "2026-Q3" / "encounters.csv").open() as file:
        return place, come, list(csv.DictReader(file))


def known(place: PretendCentre, row: Row) -> tuple[str, ...]:
    """Return the class in which an attacker must look for somebody whose answers they know."""
    dataset = place.recipe.views[0].dataset
    levels = place.memories["encounters"].entries[0].levels
    return tuple(dataset.hierarchy(name).at(row[SOURCES[name]], level) for name, level in zip(NAMES, levels, strict=True))


@pytest.mark.slow
def test_prosecutor_and_journalist_find_nobody(
    world: tuple[PretendCentre, list[tuple[str, Row]], list[dict[str, str]]],
) -> None:
    """Prosecutor: the target is in the data. Journalist: anybody will do. Success is 1 / persons in the class."""
    place, come, published = world
    classes = Counter(tuple(row[name] for name in NAMES) for row in published)
    targets = random.Random(1).sample(come, 1000)
    chances = [1 / classes[key] for _, row in targets if (key := known(place, row)) in classes]
    naive = Counter((row["enc_date"], row["nbhd"], row["enc_hour"], row["setting"]) for _, row in come)
    naively = [1 / naive[row["enc_date"], row["nbhd"], row["enc_hour"], row["setting"]] for _, row in targets]
    assert len(chances) > 900
    assert max(chances) <= 1 / K
    assert max(naively) == 1.0


def test_homogeneity_gives_no_answer_away(world: tuple[PretendCentre, list[tuple[str, Row]], list[dict[str, str]]]) -> None:
    _, _, published = world
    answers = defaultdict(Counter)
    for row in published:
        answers[tuple(row[name] for name in NAMES)][row["risk_now"]] += 1
    assert all(len(counts) >= 2 for counts in answers.values())
    alike = [("U", {**row, "risk_now": "high"} if row["nbhd"] == "111" else row) for _, row in encounters(400, seed=4)]
    naive = defaultdict(set)
    for _, row in alike:
        naive[row["nbhd"]].add(row["risk_now"])
    assert len(naive["111"]) == 1


@pytest.mark.slow
def test_differences_and_intersections_of_twelve_releases_find_nobody(tmp_path: Path) -> None:
    """An attacker holds all packages and compares any two; naive releases each show everything anew at their own levels."""
    datasets = all_datasets(encounters=small, participants=small)
    place = PretendCentre(tmp_path, recipe_of(datasets=datasets))
    come: list[tuple[str, Row]] = []
    naive: list[Counter[tuple[str, ...]]] = []
    for month in range(1, 13):
        come += [(unit, row | {"tier": "2"}) for unit, row in encounters(120, seed=month, months=[month])]
        place.publish(f"2026-{month:02}", {"encounter": come})
        cumulative = Counter((row["nbhd"], row["enc_hour"], row["setting"]) for _, row in come)
        naive.append(Counter({key: count for key, count in cumulative.items() if count >= 5}))
    memory = place.memories["encounters"]
    answers = dict(come)
    smallest = []
    for number, units in memory.units.items():
        people: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for unit in units:
            people[known(place, answers[unit])].add(answers[unit]["code"])
        smallest.append(min(map(len, people.values())))
        for other in range(1, number):
            assert not set(memory.units[other]) & set(units)  # nothing to intersect
    assert min(smallest) >= 5
    exposed = sum(0 < count < 5 for one, two in itertools.pairwise(naive) for count in (two - one).values())
    assert exposed > 20


@pytest.mark.slow
def test_averaging_and_differencing_tables_find_no_count() -> None:
    """Twelve releases of one table; then the same table with one record more or less."""
    table = next(table for table in recipe_of().tables if table.name == "activity_panel")
    rows = encounters(800)
    protection = Protection(20, 20, b"c" * 32)
    truth = None
    seen = set()
    for _ in range(12):
        counter = CellCounter(table, b"c" * 32)
        for unit, row in rows:
            counter.add(unit, row)
        truth = counter.counted()
        seen.add(tuple(sorted(publish_counts(truth, None, protection).items())))
    assert len(seen) == 1  # averaging the same number twelve times gives the same number
    assert truth
    chance = random.Random(1)
    again = [np.mean([round_to_5(count, chance.getrandbits(64), b"c") for _ in range(12)]) for count, _ in truth.values()]
    naive = np.mean([abs(mean - count) < 0.5 for mean, (count, _) in zip(again, truth.values(), strict=True)])
    assert naive > 0.3  # with fresh noise each time it would have worked
    ones, moved = 0, 0
    for left_out in range(200):
        counter = CellCounter(table, b"c" * 32)
        for unit, row in rows[:left_out] + rows[left_out + 1 :]:
            counter.add(unit, row)
        without = publish_counts(counter.counted(), None, protection)
        full = publish_counts(truth, None, protection)
        for cell, (_, text) in full.items():
            other = without.get(cell, (0, "<25"))[1]
            if text.isdecimal() and other.isdecimal():
                ones += abs(int(text) - int(other)) == 1
                moved += text != other
    assert ones == 0
    assert moved > 0


def test_pseudonyms_that_link_too_much_are_refused_and_others_change_with_recipient_and_period() -> None:
    people = CategoricalColumn(np.repeat(np.arange(300), 3).astype(np.int32), tuple(f"p{number}" for number in range(300)))
    fine = CategoricalColumn(np.random.default_rng(1).integers(0, 400, 900).astype(np.int32), tuple(map(str, range(400))))
    coarse = CategoricalColumn(np.random.default_rng(1).integers(0, 4, 900).astype(np.int32), tuple("abcd"))
    occasion = ReleaseContext("C", parse("2026-Q3"), "2026-10-04T00:00:00Z", b"s" * 32)
    assert measure_linkability(people.codes, [fine.codes]) > 0.5
    with pytest.raises(ExportProblem, match="two of their rows"):
        make_pseudonyms(people, [fine], occasion)
    made = make_pseudonyms(people, [coarse], occasion)
    assert len(made.values) == 300
    assert all(len(value) == 16 for value in made.values)
    for other in (
        ReleaseContext("C", parse("2026-Q4"), "2026-10-04T00:00:00Z", b"s" * 32),
        ReleaseContext("C", parse("2026-Q3"), "2026-10-04T00:00:00Z", b"t" * 32),
    ):
        assert not set(make_pseudonyms(people, [coarse], other).values) & set(made.values)


@pytest.mark.slow
def test_nobody_outside_learns_who_is_in_it(tmp_path: Path) -> None:
    """Membership: two packages that differ in one planted person differ in no more than one row of a class of K."""
    rows = participants(400)
    found = []
    for name, people in (("with", rows), ("without", rows[1:])):
        place = PretendCentre(tmp_path / name)
        place.publish("2026-Q3", {"encounter": [], "participant": people})
        place.package("2026-Q3", {"encounter": [], "participant": people})
        with (tmp_path / name / "2026-Q3" / "participants.csv").open() as file:
            found.append(Counter(tuple(row.values())[:5] for row in csv.DictReader(file)))
    difference = (found[0] - found[1]) + (found[1] - found[0])
    assert sum(difference.values()) <= 1
    assert all(found[0][key] >= K for key in difference)
