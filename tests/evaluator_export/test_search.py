"""The search: the same optimum as ARX, the same as trying everything, and the promise kept whatever the data."""

import csv
import itertools
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator_export import tabular
from evaluator_export.policy.hierarchies import (
    ALL,
    Hierarchy,
    make_date_hierarchy,
    make_equal_width_bands,
    make_h3_hierarchy,
    make_hierarchy,
    make_numeric_bands,
)
from evaluator_export.policy.hierarchy_reader import keep_values, read_hierarchy
from evaluator_export.policy.policy import Field, GroupLimit, Role, SuppressionLimits
from evaluator_export.policy.privacy_models import Diversity, PrivacyModel
from evaluator_export.problems import ExportProblem
from evaluator_export.search.encoding import Microdata, encode_quasi_identifier
from evaluator_export.search.lattice import find_optimal_node
from evaluator_export.search.recoding import find_publishable_rows, search_and_recode
from evaluator_export.tabular import CategoricalColumn
from tests.evaluator_export.arx import ARX, FIXTURES

NAMES = ARX["quasi_identifiers"]


def arx_table(data: str, minimum: list[int]) -> Microdata:
    words = tabular.read(FIXTURES / f"{data}.parquet", [*NAMES, "outcome"])
    columns = []
    for name, least in zip(NAMES, minimum, strict=True):
        hierarchy = read_hierarchy(FIXTURES / "hierarchies", f"{name}.csv")
        field = Field(name, Role.QUASI_IDENTIFIER, hierarchy, least, hierarchy.top)
        columns.append(encode_quasi_identifier(field, words[name]))
    return Microdata(tuple(columns), len(words["outcome"].codes), None, {"outcome": words["outcome"].codes})


@pytest.mark.slow
@pytest.mark.parametrize("case", ARX["cases"], ids=lambda case: f"{case['data']}-{case['k']}-{case['suppression_limit']}")
def test_it_finds_what_arx_finds(case: dict[str, Any]) -> None:
    model = PrivacyModel(case["k"], (Diversity("outcome", case["distinct_l"]),) if case["distinct_l"] else ())
    found = find_optimal_node(arx_table(case["data"], case["min_levels"]), model, case["suppression_limit"])
    assert found
    assert found.node == tuple(case["node"])
    assert found.loss == pytest.approx(case["loss"], abs=1e-9)
    assert found.suppressed == case["suppressed_rows"]


@pytest.mark.slow
def test_local_recoding_loses_no_more_than_arx_and_leaves_nearly_nobody_out() -> None:
    result = search_and_recode(
        arx_table("encounters_100k", [1, 0, 0, 1, 1, 0]), PrivacyModel(5), SuppressionLimits(0.01, is_local=True)
    )
    assert result
    assert result.loss <= 0.2097
    assert len(result.suppressed) <= 10


AREA = make_hierarchy([["street", "quarter", "city"], *[[f"s{n}", f"q{n // 2}", f"c{n // 4}"] for n in range(8)]])
HOUR = make_hierarchy([["hour", "part"], *[[f"{n:02}", "day" if n < 6 else "night"] for n in range(12)]])
ROWS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 11), st.integers(0, 2), st.integers(0, 25)), min_size=1, max_size=80
)
MODELS = st.builds(
    lambda k, distinct, entropy, confidence, t: PrivacyModel(k, (Diversity("risk", distinct, entropy, confidence, t),)),
    st.integers(2, 6),
    st.integers(1, 3),
    st.sampled_from([0.0, 1.5, 2.2]),
    st.sampled_from([1.0, 0.8, 0.6]),
    st.sampled_from([1.0, 0.4]),
)


def table(rows: list[tuple[int, int, int, int]], weight: float = 1.0) -> Microdata:
    area, hour, risk, person = (np.array(column) for column in zip(*rows, strict=True))
    area_field = Field("area", Role.QUASI_IDENTIFIER, AREA, 0, AREA.top, weight)
    hour_field = Field("hour", Role.QUASI_IDENTIFIER, HOUR, 0, HOUR.top)
    return Microdata(
        (
            encode_quasi_identifier(area_field, CategoricalColumn(area, AREA.domain)),
            encode_quasi_identifier(hour_field, CategoricalColumn(hour, HOUR.domain)),
        ),
        len(rows),
        person,
        {"risk": risk},
    )


def is_good(model: PrivacyModel, members: list[tuple[int, int, int, int]], everywhere: Counter[int], total: int) -> bool:
    """Say from the definitions alone whether a class may be published."""
    if len({row[3] for row in members}) < model.k:
        return False
    for one in model.diversities:
        counts = Counter(row[2] for row in members)
        shares = {value: count / len(members) for value, count in counts.items()}
        entropy = -sum(share * np.log(share) for share in shares.values())
        distance = sum(abs(shares.get(value, 0) - everywhere[value] / total) for value in everywhere) / 2
        if len(counts) < one.distinct or max(shares.values()) > one.max_confidence + 1e-9:
            return False
        if (one.entropy > 1 and np.exp(entropy) < one.entropy - 1e-9) or (one.t < 1 and distance > one.t + 1e-9):
            return False
    return True


def brute_force(rows: list[tuple[int, int, int, int]], model: PrivacyModel, limit: float, weight: float) -> float | None:
    best = None
    everywhere = Counter(row[2] for row in rows)
    for node in itertools.product(range(AREA.top + 1), range(HOUR.top + 1)):
        labels = [(AREA.at(f"s{row[0]}", node[0]), HOUR.at(f"{row[1]:02}", node[1])) for row in rows]
        classes = defaultdict(list)
        for label, row in zip(labels, rows, strict=True):
            classes[label].append(row)
        good = {label: is_good(model, members, everywhere, len(rows)) for label, members in classes.items()}
        kept = [good[label] for label in labels]
        if len(rows) - sum(kept) > limit * len(rows) + 1e-9:
            continue
        loss = 0.0
        for place, (hierarchy, level, share) in enumerate(zip((AREA, HOUR), node, (weight, 1.0), strict=True)):
            size = len(hierarchy.domain)
            for label, is_kept in zip(labels, kept, strict=True):
                leaves = sum(hierarchy.at(leaf, level) == label[place] for leaf in hierarchy.domain)
                loss += share * ((leaves / size - 1 / size) / (1 - 1 / size) if is_kept else 1)
        loss /= (weight + 1) * len(rows)
        best = loss if best is None else min(best, loss)
    return best


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(ROWS, MODELS, st.sampled_from([0.0, 0.1, 0.5]), st.sampled_from([1.0, 3.0]))
def test_it_finds_the_least_loss_that_there_is(
    rows: list[tuple[int, int, int, int]], model: PrivacyModel, limit: float, weight: float
) -> None:
    found = find_optimal_node(table(rows, weight), model, limit)
    expected = brute_force(rows, model, limit, weight)
    assert (found is None) == (expected is None)
    if found is not None:
        assert found.loss == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(2, 6), st.booleans())
def test_every_class_that_is_published_holds_k_persons(
    rows: list[tuple[int, int, int, int]], k: int, is_local: bool
) -> None:
    whole = table(rows)
    result = search_and_recode(whole, PrivacyModel(k), SuppressionLimits(1.0, is_local))
    seen: set[int] = set()
    for one in result.passes if result else ():
        classes = defaultdict(set)
        for position in one.rows.tolist():
            area, hour, _, person = rows[position]
            classes[AREA.at(f"s{area}", one.node[0]), HOUR.at(f"{hour:02}", one.node[1])].add(person)
            assert position not in seen
            seen.add(position)
        assert all(len(persons) >= k for persons in classes.values())
    assert result is None or len(seen) + len(result.suppressed) == len(rows)


def test_k_counts_persons_not_rows() -> None:
    rows = [(0, 0, number % 2, 7) for number in range(10)]
    assert find_optimal_node(table(rows), PrivacyModel(3), 0.0) is None


def test_a_class_that_shares_one_sensitive_value_is_held_back() -> None:
    rows = [(0, 0, 0, number) for number in range(5)] + [(7, 11, number % 2, 10 + number) for number in range(5)]
    model = PrivacyModel(3, (Diversity("risk", 2),))
    held, merged = find_optimal_node(table(rows), model, 0.5), find_optimal_node(table(rows), model, 0.4)
    assert held
    assert merged
    assert (held.suppressed, held.node) == (5, (0, 0))
    assert merged.suppressed == 0
    assert merged.node != (0, 0)


def test_no_group_is_left_out_more_than_its_share() -> None:
    """Forty of the few live scattered: the cheapest way would leave all of them out and none of the others."""
    many = [(0, 0, number % 2, number) for number in range(400)]
    few = [(4 + number % 4, number % 12, number % 2, 1000 + number) for number in range(40)]
    whole = table(many + few)
    groups = np.array([0] * 400 + [1] * 40)
    fair = Microdata(whole.columns, whole.rows, whole.persons, whole.sensitive, groups)
    model = PrivacyModel(20)
    unfair = search_and_recode(fair, model, SuppressionLimits(0.1))
    assert unfair
    assert len(unfair.suppressed) == 40
    limit = GroupLimit("group", ratio=2.0, min_group_size=20)
    result = search_and_recode(fair, model, SuppressionLimits(0.1, group=limit))
    assert result
    assert limit.find_worst_ratio(np.bincount(groups), np.bincount(groups[result.suppressed], minlength=2)) <= 2
    waived = search_and_recode(
        fair, model, SuppressionLimits(0.1, group=GroupLimit("group", 2.0, 20, waived="The council, 2026-11-02"))
    )
    assert waived
    assert len(waived.suppressed) == 40


def test_classes_can_be_asked_to_be_big_on_average() -> None:
    rows = [(number % 8, number % 12, number % 2, number) for number in range(240)]
    plain, average = (
        search_and_recode(table(rows), PrivacyModel(3), SuppressionLimits(0.0)),
        search_and_recode(table(rows), PrivacyModel(3), SuppressionLimits(0.0, average=60)),
    )
    assert plain
    assert average
    assert (~average.passes[0].classes.violating).sum() <= 4 < (~plain.passes[0].classes.violating).sum()


def test_a_level_that_is_pinned_is_kept() -> None:
    rows = [(number % 8, number % 12, 0, number) for number in range(240)]
    area, hour = table(rows).columns
    pinned_field = Field("area", Role.QUASI_IDENTIFIER, AREA, 1, 1)
    pinned = Microdata(
        (encode_quasi_identifier(pinned_field, CategoricalColumn(area.codes, AREA.domain)), hour),
        240,
        np.arange(240),
        {"risk": np.zeros(240, int)},
    )
    found = find_optimal_node(pinned, PrivacyModel(5), 0.0)
    assert found
    assert found.node[0] == 1


def test_the_rows_of_a_class_are_known_row_by_row() -> None:
    rows = [(0, 0, 0, number) for number in range(5)] + [(7, 11, 0, 9)]
    whole = table(rows)
    found = find_optimal_node(whole, PrivacyModel(3), 0.5)
    assert found
    assert find_publishable_rows(whole, found.classes, PrivacyModel(3)).tolist() == [True] * 5 + [False]


@pytest.mark.parametrize(
    "rows",
    [
        [["a", "b", "c"], ["1", "x", "p"], ["2", "x", "q"]],
        [["a", "b"], ["1", "x"], ["2"]],
        [["a"]],
    ],
)
def test_levels_that_do_not_nest_or_are_torn_are_refused(rows: list[list[str]]) -> None:
    with pytest.raises(ExportProblem):
        make_hierarchy(rows)


@pytest.mark.parametrize(
    ("hierarchy", "value", "labels"),
    [
        (make_numeric_bands([1, 2, 4, 10]), "3", ("2-3", ALL)),
        (make_numeric_bands([1, 2, 4, 10]), "200", ("10+", ALL)),
        (make_numeric_bands([1, 2, 4, 10]), "0", ("other", ALL)),
        (make_numeric_bands([1, 2, 4, 10]), "x", ("other", ALL)),
        (make_equal_width_bands([5, 10]), "17", ("17", "15-19", "10-19", ALL)),
        (make_date_hierarchy(), "2026-11-23", ("2026-11", "2026-Q4", "2026", ALL)),
        (make_date_hierarchy(["half", "year"]), "2026-07-01", ("2026-H2", "2026", ALL)),
        (make_date_hierarchy(), "2026-13-01", ("other", "other", "other", ALL)),
        (make_date_hierarchy(), "", ("", "", "", ALL)),
        (make_h3_hierarchy(8, 7), "892b986c84fffff", ("882b986c85fffff", "872b986c8ffffff", ALL)),
        (make_h3_hierarchy(8, 7), "no cell", ("other", "other", ALL)),
        (keep_values(make_hierarchy([["a", "b"], ["1", "x"], ["2", "x"]]), ["1"]), "1", ("1", "1", ALL)),
    ],
)
def test_what_values_become(hierarchy: Hierarchy, value: str, labels: tuple[str, ...]) -> None:
    assert hierarchy.labels(value) == labels


def test_weeks_are_no_level_and_widths_must_divide() -> None:
    with pytest.raises(ExportProblem, match="month"):
        make_date_hierarchy(["week", "month"])
    with pytest.raises(ExportProblem, match="nest"):
        make_equal_width_bands([5, 12])


def test_the_fixtures_hierarchies_are_h3s() -> None:
    with (FIXTURES / "hierarchies" / "cell.csv").open() as file:
        for row in itertools.islice(csv.reader(file, delimiter=";"), 500):
            assert make_h3_hierarchy(9, 5).labels(row[0]) == tuple(row)
