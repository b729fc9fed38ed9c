"""Tables of counts: nothing small shows, the same question gets the same answer, and late records do not show one by one."""

import itertools
from collections import Counter as Tally

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator_export.datasets.recipe import TableSpec
from evaluator_export.periods import parse
from evaluator_export.problems import ExportProblem
from evaluator_export.tables.protected_counts import (
    TOTAL,
    CellCounter,
    Protection,
    list_domain,
    make_protection,
    publish_counts,
    round_to_5,
)
from evaluator_export.tables.suppression import HIDDEN, compute_feasible_width, suppress_cells
from tests.evaluator_export.centre import all_datasets, encounters, participants, recipe_of
from tests.programme import FOLDER

SECRET = b"c" * 32
PROTECTION = Protection(20, 20, SECRET)
AUTUMN = parse("2026-Q4")
CITY = recipe_of("city-quarterly")
MENU = (FOLDER / "tables.yaml").read_text()


def spec(name: str, key: str = "evaluator-quarterly") -> TableSpec:
    return next(table for table in recipe_of(key).tables if table.name == name)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("audience: city", "audience: city\ndatasets: [{use: encounters}]", "tables only"),
        ("threshold: 20", "threshold: 2", "never be under 3"),
        ("audience: city", "audience: police", "write one of evaluator, city"),
        ("encounters_by_area", "encounters_by_type", "twice"),
        ("encounters_by_area", "encounters_by_name", "no table"),
        ("recipe: 2", "recipe: 1", "must begin with"),
        ("purpose:", "purposes:", "lacks: purpose"),
    ],
)
def test_a_recipe_that_would_let_something_out_is_refused(old: str, new: str, why: str) -> None:
    with pytest.raises(ExportProblem, match=why):
        recipe_of(text=CITY.text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("column: contact_type", "column: nothing", "no column"),
        ("dataset: encounters", "dataset: nothing", "no dataset"),
        ("column: area, level: 1", "column: area, level: 9", "no level 9"),
        ("counts: persons, by: [{column: age", "by: [{column: age", "counted in persons"),
        ("by: [{column: contact_type}]", "method: guess, by: [{column: contact_type}]", "round, suppress or exact"),
        (
            "by: [{column: contact_type}]",
            "method: exact, by: [{column: contact_type}]",
            "held and shifts are counted exactly",
        ),
        ("by: [{column: outcome}]", "method: exact, by: [{column: outcome}]", "held and shifts are counted exactly"),
        ("by: [{column: contact_type}]", "by: []", "by 3 at most"),
    ],
)
def test_a_table_that_would_let_something_out_is_refused(old: str, new: str, why: str) -> None:
    with pytest.raises(ExportProblem, match=why):
        recipe_of("city-quarterly", menu=MENU.replace(old, new, 1))


@pytest.mark.parametrize(
    ("dataset", "old", "new", "why"),
    [
        ("encounters", "contact_type: {role: drop}", "note: {role: keep}", "never leaves"),
        ("encounters", "contact_type: {role: drop}", "code: {role: keep}", "never leaves"),
        ("encounters", "contact_type: {role: drop}", "lang_used: {role: keep}", "leaves only as: drop"),
        ("encounters", "contact_type: {role: drop}", "place: {from: setting, role: keep}", "must be made less detailed"),
        (
            "encounters",
            "contact_type: {role: drop}",
            "place: {from: setting, role: keep, hierarchy: setting}",
            "cannot have the role keep",
        ),
        ("encounters", "contact_type: {role: drop}", "nothing: {role: keep}", "no question"),
        ("encounters", "form: encounter", "form: nothing", "no form"),
        ("encounters", "family: events", "family: both", "events or people"),
        ("encounters", "hierarchy: setting", "hierarchy: nowhere", "no hierarchy"),
        ("encounters", "max_rows: 0.1", "max_rows: 0.1, mode: local", "withholds rows until later instead"),
        ("participants", "family: people", "family: events", "says who"),
        ("participants", 'hierarchy: "date[half,year]"', 'hierarchy: "date[month,year]"', "half-year or longer"),
        ("participants", "consent: {question: tier, minimum: 2}\n", "", "needs a consent"),
        ("encounters", "family: events", "family: people", "says where or when"),
    ],
)
def test_a_dataset_that_would_let_something_out_is_refused(dataset: str, old: str, new: str, why: str) -> None:
    with pytest.raises(ExportProblem, match=why):
        all_datasets(**{dataset: lambda text: text.replace(old, new, 1)})


def count(table: TableSpec, rows: list[tuple[str, dict[str, str]]]) -> CellCounter:
    counter = CellCounter(table, SECRET)
    for unit, row in rows:
        counter.add(unit, row)
    return counter


def test_rounding_is_unbiased_sticky_and_to_five() -> None:
    values = [round_to_5(7, key * 0x9E3779B97F4A7C15 % 2**64, b"k") for key in range(4000)]
    assert set(values) == {5, 10}
    assert sum(values) / len(values) == pytest.approx(7, abs=0.15)
    assert round_to_5(7, 123, b"k") == round_to_5(7, 123, b"k")
    assert round_to_5(10, 5, b"k") == 10


def test_people_are_counted_once_and_for_the_city_only_with_their_yes() -> None:
    table = spec("participants_by_age", "city-quarterly")
    rows = participants(300)
    once, twice = count(table, rows), count(table, rows + [(f"again-{unit}", row) for unit, row in rows])
    assert once.counted() == twice.counted()
    assert once.counted()[TOTAL][0] == sum(row["tier"] == "3" for _, row in rows)


def test_events_are_counted_whatever_the_consent_and_by_up_to_three_columns() -> None:
    three = "by: [{column: area, level: 2}, {column: time_of_day, level: 2}, {column: setting}]"
    menu = MENU.replace("by: [{column: contact_type}]", three, 1)
    table = recipe_of("city-quarterly", menu=menu).tables[0]
    counter = count(table, encounters(400))
    assert counter.counted()[TOTAL][0] == 400
    assert all(len(cell) == 3 for cell in counter.counted() if cell != TOTAL)


def test_the_same_table_is_the_same_for_every_recipient() -> None:
    assert spec("encounters_by_type").key == spec("encounters_by_type", "city-quarterly").key
    assert spec("encounters_by_type").key != spec("activity_panel").key


def test_a_period_changes_only_in_steps_of_k() -> None:
    table, rows = spec("encounters_by_type"), encounters(300)
    published = publish_counts(count(table, rows).counted(), None, PROTECTION)
    seen = [published]
    for late in range(1, 61):
        published = publish_counts(count(table, rows + encounters(late, seed=9)).counted(), published, PROTECTION)
        seen.append(published)
    for cell in published:
        truths = [one[cell][0] for one in seen if cell in one]
        changes = [abs(b - a) for a, b in itertools.pairwise(truths) if a != b]
        assert all(change >= 20 for change in changes)


@given(st.integers(0, 60), st.integers(0, 2**64 - 1))
def test_nothing_near_the_floor_shows(number: int, keys: int) -> None:
    text = PROTECTION.format((number, keys))
    assert text == "<25" or (number > 20 and int(text) >= 25)
    assert Protection(20, 20, SECRET, is_exact=True).format((number, keys)) == str(number)


def test_what_an_earlier_version_showed_under_the_floor_is_hidden_when_it_is_published_again() -> None:
    before = {("a",): (20, "20"), ("b",): (7, "<20"), ("c",): (41, "40"), TOTAL: (68, "70")}
    counted = {("a",): (20, 1), ("b",): (7, 2), ("c",): (41, 3), TOTAL: (68, 4)}
    published = publish_counts(counted, before, PROTECTION)
    assert {cell[0]: text for cell, (_, text) in published.items()} == {"a": "<25", "b": "<25", "c": "40", "total": "70"}


def test_every_cell_that_there_can_be_is_listed_whether_or_not_anybody_is_in_it() -> None:
    """A row that is missing would be an exact zero, and a single row would say all of everybody."""
    table = spec("participants_by_age", "city-quarterly")
    protection = make_protection(table, 20, SECRET, AUTUMN)
    nobody = publish_counts({TOTAL: (0, 0)}, None, protection)
    band = min(cell for cell in nobody if cell != TOTAL)
    three = publish_counts({band: (3, 9), TOTAL: (3, 9)}, None, protection)
    assert len(nobody) > 3
    assert [text for _, text in nobody.values()] == [text for _, text in three.values()] == ["<25"] * len(nobody)
    assert nobody.keys() == three.keys()
    months = {cell[1] for cell in list_domain(spec("activity_panel"), AUTUMN) if cell != TOTAL}
    assert months == {"2026-10", "2026-11", "2026-12"}


def test_a_value_that_no_list_has_is_told_only_where_it_shows() -> None:
    """That it is listed at all would say that somebody gave it."""
    table = spec("encounters_by_type")
    counted = {("other",): (4, 1), ("",): (90, 2), TOTAL: (94, 3)}
    published = publish_counts(counted, None, make_protection(table, 20, SECRET, AUTUMN))
    assert ("other",) not in published and published[("",)][1] == "90"


def attack_lp(cells: dict[tuple[str, ...], int], shown: dict[tuple[str, ...], tuple[int, str]]) -> int:
    """Return how many hidden cells a reader can narrow to less than the threshold."""
    hidden = {cell for cell, (_, text) in shown.items() if not text.isdecimal() and cell != TOTAL}
    sums = {TOTAL: set(cells)} if shown[TOTAL][1].isdecimal() else {}
    return sum(compute_feasible_width(cells, hidden, sums, cell) < 5 for cell in hidden)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvw")), st.integers(1, 40), min_size=1))
def test_hidden_counts_cannot_be_worked_out(cells: dict[tuple[str, ...], int]) -> None:
    counted = {cell: (number, 0) for cell, number in cells.items()} | {TOTAL: (sum(cells.values()), 0)}
    shown = suppress_cells(counted, 5)
    assert attack_lp(cells, shown) == 0
    for cell, number in cells.items():
        assert shown[cell][1] in (str(number), HIDDEN)
        assert number >= 5 or shown[cell][1] == HIDDEN


def test_hiding_only_the_small_ones_would_be_worked_out() -> None:
    cells = {("a",): 3, ("b",): 20, ("c",): 30}
    naive = {("a",): (3, "<5"), ("b",): (20, "20"), ("c",): (30, "30"), TOTAL: (53, "53")}
    assert attack_lp(cells, naive) == 1
    shown = suppress_cells({cell: (number, 0) for cell, number in cells.items()} | {TOTAL: (53, 0)}, 5)
    assert attack_lp(cells, shown) == 0
    assert shown[("c",)][1] == "30"


def test_a_table_that_is_too_big_to_hide_says_so() -> None:
    counted = {(str(number),): (9, 0) for number in range(3000)} | {TOTAL: (27000, 0)}
    with pytest.raises(ExportProblem, match="use rounding"):
        suppress_cells(counted, 5)


def test_counts_are_those_of_the_rows() -> None:
    rows = encounters(500)
    wanted = Tally(row["contact_type"] for _, row in rows)
    found = {
        cell[0]: number for cell, (number, _) in count(spec("encounters_by_type"), rows).counted().items() if cell != TOTAL
    }
    assert found == dict(wanted)
