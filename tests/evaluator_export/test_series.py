"""Releases that remember: no row twice, nothing new between two packages that is not itself made of whole classes."""

import csv
import dataclasses
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator_export.package import verify
from evaluator_export.problems import ExportProblem
from evaluator_export.series import ledger
from tests.evaluator_export.centre import KEY, PretendCentre, all_datasets, encounters, participants, recipe_of
from tests.evaluator_export.small_series import small


def centre(folder: Path) -> PretendCentre:
    datasets = all_datasets(encounters=small, participants=small)
    return PretendCentre(folder, recipe_of(datasets=datasets))


def smallest_class(centre: PretendCentre, name: str, units: set[str], records: dict[str, dict[str, str]]) -> int:
    """Return the fewest persons that share a class among some published rows; 0 when there are none."""
    memory = centre.memories[name]
    dataset = next(view.dataset for view in centre.recipe.views if view.dataset.name == name)
    levels = memory.entries[0].levels
    classes = defaultdict(set)
    for unit in units:
        row = records[unit]
        key = tuple(
            field.hierarchy.at(row.get(dataset.columns[field.name].question, ""), level)  # type: ignore[union-attr]
            for field, level in zip(dataset.policy.identifiers, levels, strict=True)
        )
        classes[key].add(row.get("code") or unit)
    return min(map(len, classes.values()), default=0)


@pytest.mark.slow
@pytest.mark.parametrize(("releases", "rows", "least"), [(12, 160, 9), (52, 60, 20)])
def test_a_year_of_months_or_weeks_leaves_no_difference_under_k(
    tmp_path: Path, releases: int, rows: int, least: int
) -> None:
    """Every set of new rows between any two releases, whichever one holds, is made of classes of k persons."""
    place = centre(tmp_path)
    come: list[tuple[str, dict[str, str]]] = []
    for number in range(1, releases + 1):
        month = 1 + (number - 1) * 12 // releases
        come += encounters(rows, seed=number, months=[max(1, month - 1), month])  # half of them late
        place.publish(f"2026-{number:02}" if releases == 12 else f"2026-W{number:02}", {"encounter": come})
    memory = place.memories["encounters"]
    records = dict(come)
    assert len(memory.entries) >= least
    every = [unit for units in memory.units.values() for unit in units]
    assert len(every) == len(set(every))
    for first in range(1, len(memory.entries) + 1, max(1, releases // 12)):
        between = {unit for number in range(first, len(memory.entries) + 1) for unit in memory.units[number]}
        assert smallest_class(place, "encounters", between, records) >= 5
        assert smallest_class(place, "encounters", set(memory.units[first]), records) >= 5
    assert len(every) > 0.5 * sum(row["tier"] in "23" or row["who"] == "group" for _, row in come)


@pytest.mark.slow
def test_three_recipients_who_pool_their_packages_learn_no_more_than_the_finest(tmp_path: Path) -> None:
    """All get the same batches, so what one has and another has not is whole batches; coarser views only merge classes."""
    datasets = all_datasets(encounters=small, participants=small)
    come: list[tuple[str, dict[str, str]]] = []
    place = centre(tmp_path)
    for month in (7, 8, 9):
        come += encounters(300, seed=month, months=[month])
        place.publish(f"2026-{month:02}", {"encounter": come})
    text = "recipe: 2\nid: other\ntitle: {en: o, fr: o}\npurpose: {en: p, fr: p}\naudience: evaluator\nthreshold: 20\ndatasets:\n"
    coarse = text + "  - {use: encounters, columns: [month, area, risk_now], coarser: {month: 1, area: 1}}\n"
    batches, classes = {}, {}
    for name, recipe in (("fine", place.recipe), ("coarse", recipe_of(datasets=datasets, text=coarse))):
        other = PretendCentre(tmp_path, recipe, memories=place.memories)
        path = other.package("2026-09", {}, name=name, secret=name.encode() * 8)
        assert verify.verify(path, KEY) == []
        with (tmp_path / name / "encounters.csv").open() as file:
            rows = list(csv.DictReader(file))
        batches[name] = Counter(row["batch"] for row in rows)
        classes[name] = Counter((row["batch"], row["month"], row["area"]) for row in rows)
    assert len(batches["fine"]) == 3
    assert batches["fine"] == batches["coarse"]
    assert len(classes["coarse"]) <= len(classes["fine"])
    first = (tmp_path / "fine" / "encounters.csv").read_text().splitlines()
    second = (tmp_path / "coarse" / "encounters.csv").read_text().splitlines()
    column = first[0].replace('"', "").split(",").index("risk_now")
    same = sum(a.split(",")[column] == b.split(",")[3] for a, b in zip(first[1:], second[1:], strict=True))
    assert same < 0.6 * len(first)  # the orders do not match rows up


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 120), st.integers(0, 9)), min_size=2, max_size=6), st.integers(0, 5))
def test_whatever_comes_late_is_corrected_or_withdrawn(steps: list[tuple[int, int]], seed: int) -> None:
    place = centre(Path("/nowhere"))
    chance = random.Random(seed)
    come: dict[str, dict[str, str]] = {}
    as_published: dict[str, dict[str, str]] = {}
    for number, (count, changes) in enumerate(steps):
        come |= dict(encounters(count, seed=100 * seed + number, months=[chance.randrange(1, 10)]))
        for unit in chance.sample(sorted(come), min(changes, len(come))):  # corrected, also after they were published
            come[unit] = come[unit] | {"nbhd": "111", "tier": chance.choice("0123")}
        place.publish("2026-Q3", {"encounter": come.items()})
        memory = place.memories["encounters"]
        new = set(memory.units.get(len(memory.entries), ())) - as_published.keys()
        as_published |= {unit: dict(come[unit]) for unit in new}
    memory = place.memories["encounters"]
    every = [unit for units in memory.units.values() for unit in units]
    assert len(every) == len(set(every))
    for units in memory.units.values():
        assert smallest_class(place, "encounters", set(units), as_published) >= 5
        assert all(as_published[unit]["tier"] in "23" or as_published[unit]["who"] == "group" for unit in units)


def test_a_first_batch_that_would_be_too_small_waits_and_freezes_nothing(tmp_path: Path) -> None:
    place = centre(tmp_path)
    few, later = encounters(6, seed=1), encounters(300, seed=2)
    place.publish("2026-Q2", {"encounter": few, "participant": participants(3)})
    assert place.memories["encounters"].entries == []
    assert verify.verify(place.package("2026-Q2", {"encounter": few}), KEY) == []
    place.publish("2026-Q3", {"encounter": few + later})
    assert set(place.memories["encounters"].units[1]) & {unit for unit, _ in few}


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["entry", "row", "rows", "order", "head", "everything", "twice"])
def test_a_ledger_that_is_not_whole_stops_the_series(tmp_path: Path, damage: str) -> None:
    place = centre(tmp_path)
    come: list[tuple[str, dict[str, str]]] = []
    for month in (7, 8, 9):
        come += encounters(200, seed=month, months=[month])
        place.publish(f"2026-{month:02}", {"encounter": come})
    memory = place.memories["encounters"]
    entries, tags = list(memory.entries), dict(memory.tags)
    head = ledger.compute_head_hash("encounters", entries)
    manifests = [{"ledger": {"entries": [entry.as_json() for entry in entries]}}]
    if damage == "entry":
        entries[1] = dataclasses.replace(entries[1], rows=entries[1].rows + 1)
    elif damage == "row":
        tags[2] = b"x" * 16 + tags[2][16:]
    elif damage == "rows":
        tags.pop(3)
    elif damage == "order":
        entries.reverse()
    elif damage == "head":
        entries.pop()
        tags.pop(3)
    elif damage == "twice":
        tags[3] = tags[1][:16] + tags[3][16:]
    else:
        entries, tags, head = [], {}, ledger.compute_genesis_hash("encounters")
    with pytest.raises(ExportProblem, match="damaged or lost"):
        ledger.verify_ledger("encounters", entries, head, tags)
        ledger.verify_released_batches("encounters", entries, manifests)


def test_a_policy_that_changed_is_another_dataset(tmp_path: Path) -> None:
    place = centre(tmp_path)
    place.publish("2026-Q3", {"encounter": encounters(300)})
    changed = all_datasets(encounters=lambda text: small(text).replace("k: 5", "k: 6"))
    other = PretendCentre(tmp_path, recipe_of(datasets=changed), memories=place.memories)
    with pytest.raises(ExportProblem, match="another name"):
        other.publish("2026-Q4", {"encounter": encounters(300, seed=2)})
