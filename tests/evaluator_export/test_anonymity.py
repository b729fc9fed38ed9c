"""Generalisation and suppression: every class holds k persons, at the least loss there is."""

import itertools
from collections import defaultdict

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator_export.anonymity import UNIT, anonymise
from evaluator_export.generalise import ALL, bins, by_date, from_table
from evaluator_export.problems import ExportProblem
from evaluator_export.recipe import Column, Dataset

AREA = from_table([["street", "quarter", "city"], *[[f"s{n}", f"q{n // 2}", f"c{n // 4}"] for n in range(8)]])
HOUR = from_table([["hour", "part"], *[[f"{n:02}", "day" if n < 6 else "night"] for n in range(12)]])


def column(name: str, hierarchy: object, role: str = "quasi-identifier", minimum: int = 0) -> Column:
    top = hierarchy.top  # type: ignore[attr-defined]
    return Column(name, name, role, hierarchy, minimum, top, {"en": name})  # type: ignore[arg-type]


def dataset(distinct: tuple[str, int] | None = None) -> Dataset:
    columns = (
        column("area", AREA),
        column("hour", HOUR),
        column("risk", from_table([["risk"], ["low"], ["high"]]), "sensitive"),
    )
    return Dataset("d", "f", {"en": "D"}, columns, None, "", distinct)


row = st.tuples(
    st.integers(0, 7).map("s{}".format),
    st.integers(0, 11).map("{:02}".format),
    st.sampled_from(["low", "high"]),
    st.integers(0, 25),
)
frames = st.lists(row, min_size=1, max_size=80).map(
    lambda rows: pd.DataFrame(rows, columns=["area", "hour", "risk", "person"]).assign(
        **{UNIT: lambda f: f.person.astype(str)}
    )
)


def brute_force(frame: pd.DataFrame, k: int, limit: float) -> float | None:
    """Return the least loss over every node, computed row by row from the definition."""
    best = None
    for node in itertools.product(range(AREA.top + 1), range(HOUR.top + 1)):
        classes = defaultdict(set)
        values = [(AREA.at(r.area, node[0]), HOUR.at(r.hour, node[1])) for r in frame.itertuples()]
        for value, person in zip(values, frame[UNIT], strict=True):
            classes[value].add(person)
        kept = [len(classes[value]) >= k for value in values]
        if 1 - sum(kept) / len(kept) > limit:
            continue
        loss = 0.0
        for position, (hierarchy, level) in enumerate(zip((AREA, HOUR), node, strict=True)):
            size = len(hierarchy.domain)
            for value, is_kept in zip(values, kept, strict=True):
                leaves = sum(hierarchy.at(leaf, level) == value[position] for leaf in hierarchy.domain)
                loss += (leaves / size - 1 / size) / (1 - 1 / size) if is_kept else 1
        loss /= 2 * len(frame)
        best = loss if best is None else min(best, loss)
    return best


@settings(max_examples=60, deadline=None)
@given(frames, st.integers(2, 6), st.sampled_from([0.0, 0.1, 0.5]))
def test_it_finds_the_least_loss_and_keeps_its_promise(frame: pd.DataFrame, k: int, limit: float) -> None:
    result = anonymise(dataset(), frame, k, limit)
    expected = brute_force(frame, k, limit)
    if expected is None:
        assert len(result.rows) == 0
        return
    assert result.loss == pytest.approx(expected, abs=1e-9)
    persons = result.rows.groupby(["area", "hour"])[UNIT].nunique()
    assert (persons >= k).all()
    assert result.suppressed + len(result.rows) == len(frame)


def test_k_counts_persons_not_rows() -> None:
    frame = pd.DataFrame({"area": ["s0"] * 10, "hour": ["00"] * 10, "risk": ["low"] * 10, UNIT: ["one person"] * 10})
    assert len(anonymise(dataset(), frame, 3, 1.0).rows) == 0


def test_a_class_that_shares_one_sensitive_value_is_held_back() -> None:
    frame = pd.DataFrame({"area": ["s0"] * 5, "hour": ["00"] * 5, "risk": ["low"] * 5, UNIT: list("abcde")})
    assert len(anonymise(dataset(), frame, 3, 1.0).rows) == 5
    assert len(anonymise(dataset(("risk", 2)), frame, 3, 1.0).rows) == 0


def test_levels_that_do_not_nest_are_refused() -> None:
    with pytest.raises(ExportProblem, match="do not nest"):
        from_table([["a", "b", "c"], ["1", "x", "p"], ["2", "x", "q"]])


def test_bins_and_dates() -> None:
    people = bins([1, 2, 4, 10])
    assert [people.at(value, 0) for value in ("1", "3", "9", "10", "200", "x", "0")] == [
        "1",
        "2-3",
        "4-9",
        "10+",
        "10+",
        "other",
        "other",
    ]
    date = by_date()
    assert [date.at("2026-11-23", level) for level in range(4)] == ["2026-11", "2026-Q4", "2026", ALL]
