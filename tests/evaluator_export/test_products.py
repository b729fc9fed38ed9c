"""The City's products as values: one definition for each number, nothing small, partners' totals refused when they are wrong."""

import contextlib
import datetime as dt
import io
from collections.abc import Mapping

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator_export.datasets import table_reader
from evaluator_export.datasets.recipe import Audience
from evaluator_export.formats import heat_map
from evaluator_export.periods import parse
from evaluator_export.policy.hierarchies import ALL, make_h3_hierarchy
from evaluator_export.problems import ExportProblem
from evaluator_export.products import hot_spots
from evaluator_export.products.change import Change, Word
from evaluator_export.products.cross_tab import make_cross_tab
from evaluator_export.products.indicators import Indicator, State, combine, compare, read_kpis, tables_by_calendar
from evaluator_export.products.partner_totals import read_partner
from evaluator_export.products.reach import reach, wilson
from evaluator_export.tables.protected_counts import TOTAL, CellCounter, Protection, make_protection, publish_counts
from fieldapp.services.products.catalogue import list_counted_tables, list_products, load_kpis
from fieldapp.services.releases.datasets import load_table_menu
from tests.evaluator_export.centre import FORMS, all_datasets, encounters, recipe_of
from tests.evaluator_export.specs import DATASETS, spec
from tests.programme import FOLDER

SECRET = b"c" * 32
KPIS = (FOLDER / "kpis.yaml").read_text()


def kpi(name: str) -> Indicator:
    return next(one for one in load_kpis() if one.id == name)


def table(total: str, **cells: str) -> dict[tuple[str, ...], str]:
    return {TOTAL: total, **{(name.strip("_").replace("__", "-"),): text for name, text in cells.items()}}


# Definitions


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("unit: percent", "unit: smiles", "unit must be one of"),
        ("calendar: quarter", "calendar: moon", "calendar must be one of"),
        ("value: {total: encounters_by_type}", "value: {magic: encounters_by_type}", "value must be one of"),
        ("safeto: prev", "safeto: police", "safeto must be one of"),
        ("audience: staff", "audience: police", "audience must be one of public, staff"),
        ("title: {en: Encounters, fr: Rencontres}", "title: {en: Encounters}", "title is needed in English and in French"),
        ("- id: encounters_by_ward", "- id: encounters", "there twice"),
        ("denominator: {en:", "denominator: {es:", "needs a denominator"),
    ],
)
def test_a_definition_that_lacks_something_is_refused(old: str, new: str, why: str) -> None:
    with pytest.raises(ExportProblem, match=why):
        read_kpis(KPIS.replace(old, new, 1))


def test_every_indicator_reads_tables_of_the_menu_and_is_counted_by_one_calendar() -> None:
    names = [name for some in tables_by_calendar(load_kpis()).values() for name in some]
    found = table_reader.read_tables_for_audience(Audience.PUBLIC, sorted(set(names)), DATASETS, FORMS, load_table_menu())
    assert set(found) == set(names)
    assert {name for some in list_counted_tables().values() for name in some} >= set(names)
    assert {one.safeto for one in load_kpis()} == {"sd", "prev", "ri", "er"}
    assert len({one.name for one in list_products()}) == len(list_products()) == 8


def test_a_table_for_staff_cannot_be_chosen_by_a_recipe() -> None:
    text = recipe_of("city-quarterly").text.replace("encounters_by_area", "spots_encounters")
    with pytest.raises(ExportProblem, match="for front-line staff"):
        recipe_of(text=text)
    assert spec("spots_encounters", Audience.STAFF).sources[0][2] == 0  # the neighbourhood itself


def test_a_table_by_a_question_without_a_list_of_values_is_refused() -> None:
    """Each of its answers would be told as “other”."""
    datasets = all_datasets(activity=lambda text: text.replace("role: qi, hierarchy: safeto", "role: keep"))
    with pytest.raises(ExportProblem, match="safeto_default” has no list of values"):
        table_reader.read_tables_for_audience(Audience.PUBLIC, ["encounters_by_safeto"], datasets, FORMS, load_table_menu())


def test_encounters_are_told_by_part_of_safeto() -> None:
    """As the form computes it, which was told as “other” of everybody."""
    table_of_parts = spec("encounters_by_safeto")
    counter = CellCounter(table_of_parts, SECRET)
    for number, part in enumerate(["prev"] * 40 + ["er"] * 2):
        counter.add(f"u{number}", {"safeto_default": part})
    published = publish_counts(counter.counted(), None, make_protection(table_of_parts, 20, SECRET, parse("2026-Q3")))
    assert {cell[0]: text for cell, (_, text) in published.items()} == {
        "prev": "40",
        "sd": "<25",
        "ri": "<25",
        "er": "<25",
        "total": published[TOTAL][1],
    }


def test_a_set_for_counting_gives_no_rows() -> None:
    text = recipe_of("evaluator-quarterly").text.replace("{use: encounters}", "{use: activity}")
    with pytest.raises(ExportProblem, match="no dataset “activity”"):
        recipe_of(text=text)


def test_the_same_table_has_the_same_key_for_releases_and_products() -> None:
    released = next(one for one in recipe_of("evaluator-quarterly").tables if one.name == "encounters_by_type")
    assert released.key == spec("encounters_by_type").key
    assert spec("shifts_by_length").key != spec("shifts_by_area").key


# Numbers


def test_numbers_that_are_too_small_or_not_there_are_not_shown() -> None:
    assert kpi("encounters").number(None).state == State.NOT_YET
    assert kpi("encounters").number(table("<20")).state == State.FEW
    share = kpi("mediations_settled")
    assert share.number(table("<25", settled="<25")).state == State.FEW
    assert kpi("first_action").number(table("<25", **{"0__14": "<25"})).state == State.FEW
    assert kpi("field_hours").number(table("<5", **{"0__3": "<5"})).state == State.FEW


def test_a_share_of_hidden_parts_is_a_range_that_holds_all_they_may_be() -> None:
    hidden = kpi("mediations_settled").number(table("60", settled="<25"))
    assert (hidden.state, hidden.value, hidden.at_least) == (State.FEW, None, 0)
    assert 40 <= (hidden.at_most or 0) <= 60  # 24 of 56, and what chance adds
    assert kpi("mediations_settled").number(table("60")) == hidden  # a row that is not there says as little
    often = kpi("often_met").number(table("100", **{"4__7": "30", "8+": "<25"}))
    assert often.state == State.FEW and 15 <= (often.at_least or 0) <= 30 and 54 <= (often.at_most or 0) <= 70


def test_numbers_come_from_the_rounded_tables_alone() -> None:
    assert kpi("encounters").number(table("155")).value == 155
    settled = kpi("mediations_settled").number(table("85", settled="40"))
    assert (settled.text, settled.at_least, settled.at_most) == ("47", 35, 59)
    large = kpi("mediations_settled").number(table("800", settled="335"))
    assert (large.text, large.at_least, large.at_most) == ("42", 38, 46)
    first = kpi("first_action").number(table("300", **{"0__14": "100", "15__59": "120", "60__239": "80"}))
    assert (first.state, first.text, first.at_least, first.at_most) == (State.VALUE, "15-59", 15, 59)
    unsure = kpi("first_action").number(table("60", **{"0__14": "30", "15__59": "30", "60__239": "<25", "240+": "<25"}))
    assert (unsure.text, unsure.at_least, unsure.at_most) == ("0-14, 15-59", 0, 59)


def test_a_year_is_the_sum_of_what_shows_and_hidden_where_a_piece_is() -> None:
    months = [table("40"), table("35"), table("<25")]
    assert kpi("encounters").number(combine(months[:2]), 2).value == 75
    assert kpi("encounters").number(combine(months), 3).state == State.FEW
    both = kpi("encounters").number(combine(months[:2]), 2)
    assert (both.at_least, both.at_most) == (67, 83)
    nobody = kpi("events").number(table("0", walk="0"))
    assert (nobody.state, nobody.at_least, nobody.at_most) == (State.ZERO, 0, 0)
    assert compare(kpi("events"), months[:1], months[1:2]) == Change(Word.MORE)  # exact: a difference, and no finding


def test_what_is_exact_is_so_in_the_menu_of_tables_too() -> None:
    exact = {item["name"] for item in load_table_menu() if item.get("method") == "exact"}
    assert {one.table for one in load_kpis() if one.is_exact} == exact & {one.table for one in load_kpis()}
    assert kpi("field_hours").number(table("30", **{"0__3": "5", "4__7": "20", "8+": "5"})).text == "180"


@given(st.dictionaries(st.sampled_from(["settled", "calm_for_now", "going_on"]), st.integers(0, 400), min_size=1))
def test_a_share_is_never_over_100_nor_told_of_a_small_whole(counts: Mapping[str, int]) -> None:
    cells = {(name,): str(count) if count >= 25 else "<25" for name, count in counts.items()}
    whole = sum(counts.values())
    number = kpi("mediations_settled").number({TOTAL: str(whole) if whole >= 25 else "<25", **cells})
    assert number.value is None or 0 <= number.value <= 100
    assert whole >= 20 or number.state == State.FEW


def test_a_cell_of_one_day_does_not_show_to_staff_either() -> None:
    counter = CellCounter(spec("spots_encounters", Audience.STAFF), SECRET)
    for number in range(15):
        counter.add(f"u{number}", {"nbhd": "002"}, "2026-11-02")
        counter.add(f"v{number}", {"nbhd": "004"}, f"2026-11-0{number % 3 + 1}")
    found = publish_counts(counter.counted(), None, Protection(5, 5, SECRET))
    assert ("002",) not in found
    assert found[("004",)][1] == "15"


def test_margins_are_counted_by_themselves_and_a_shift_in_two_areas_counts_in_both() -> None:
    counter = CellCounter(spec("grid_area_weekday", Audience.STAFF), SECRET)
    for number in range(40):
        counter.add(
            f"u{number}", {"nbhd": "002", "enc_date": f"2026-11-{number % 20 + 1:02}"}, f"2026-11-{number % 20 + 1:02}"
        )
    counted = counter.counted()
    assert counted[("002", ALL)][0] == counted[TOTAL][0] == 40
    shifts = CellCounter(spec("shifts_by_area"), SECRET)
    shifts.add("s", {"areas": "002 004 111"})
    assert {cell for cell in shifts.counted() if cell != TOTAL} == {("ward 01",), ("ward 05",)}
    assert shifts.counted()[TOTAL][0] == 1


def test_persons_are_counted_by_their_contacts_once_each() -> None:
    counter = CellCounter(spec("participants_active"), SECRET)
    for number in range(7):
        counter.add(f"u{number}", {"code": "A" if number < 5 else f"B{number}", "tier": "3", "who": "enrolled"})
    counter.add("no", {"code": "C", "tier": "2", "who": "enrolled"})  # not for public numbers
    counted = counter.counted()
    assert counted[TOTAL][0] == 3
    assert counted[("4-7",)][0] == 1 and counted[("1",)][0] == 2


def test_made_answers_follow_from_the_record() -> None:
    visited = CellCounter(spec("mediations_visited"), SECRET)
    visited.add("a", {"med_date": "2026-09-01", "fu_date": "2026-09-20 2026-09-03"})
    visited.add("b", {"med_date": "2026-09-01", "fu_date": "2026-09-09"})
    visited.add("d", {"med_date": "2026-09-01", "fu_date": "2026-09-08"})  # the seventh day, as the due list says
    visited.add("c", {"med_date": "2026-09-01"})
    assert {cell: count for cell, (count, _) in visited.counted().items() if cell != TOTAL} == {
        ("0-11519",): 2,
        ("11520+",): 1,
        ("",): 1,
    }
    again = CellCounter(spec("mediations_again"), SECRET)
    again.add("a", {"still_cool": "cool violent"})
    again.add("b", {"still_cool": "cool"})
    assert {cell[0] for cell in again.counted()} == {"yes", "no", "total"}
    sent = CellCounter(spec("encounters_by_sending"), SECRET)
    sent.add("a", {"enc_date": "2026-09-01", "received_on": "2026-09-02"})
    assert ("1440-2879",) in sent.counted()
    grid = CellCounter(spec("times_incidents", Audience.STAFF), SECRET)
    grid.add("a", {"inc_alert_dt": "2026-11-27T21:30:00.000-05:00", "nbhd": "002"}, "2026-11-27")
    assert ("002", "fri", "20h-00h") in grid.counted()


# Grids and the workbook


def test_the_workbook_keeps_numbers_visible_marks_what_is_hidden_and_runs_nothing() -> None:
    one = spec("grid_weekday_hour", Audience.STAFF)
    counter = CellCounter(one, SECRET)
    for unit, row in encounters(3000, seed=3):
        counter.add(unit, row, row["enc_date"])
    published = {cell: text for cell, (_, text) in publish_counts(counter.counted(), None, Protection(5, 5, SECRET)).items()}
    grid = make_cross_tab(one, published, 5)
    assert grid.rows == ("mon", "tue", "wed", "thu", "fri", "sat", "sun") and len(grid.columns) == 24
    shown = [int(text) for text in [*grid.cells.values(), *grid.row_totals.values(), grid.total] if text.isdecimal()]
    assert shown and all(number % 5 == 0 and number >= 10 for number in shown)
    made = [
        heat_map.write([grid], lambda grid, place, value: f"={value}", "=Centre", "2026", dt.datetime(2026, 1, 1), "en")
        for _ in range(2)
    ]
    assert made[0] == made[1]
    book = openpyxl.load_workbook(io.BytesIO(made[0]))
    sheet = book.worksheets[0]
    assert all(cell.data_type != "f" for each in book for line in each.iter_rows() for cell in line)
    kinds = {rule.type for rules in sheet.conditional_formatting for rule in rules.rules}
    assert "colorScale" in kinds and len(kinds) == 2
    cells = [sheet.cell(5 + row, 2 + column).value for row in range(7) for column in range(24)]
    assert all(cell == "<10" or (isinstance(cell, int) and cell % 5 == 0) for cell in cells)
    assert sheet.cell(12, 26).value == int(grid.total)  # the total of all, counted by itself
    assert "none, too few" in str(book["About"]["B5"].value)


# Hot spots


def test_a_time_is_named_only_beyond_chance() -> None:
    times = {("fri", "20h-00h"): "25", ("sat", "16h-20h"): "15", ("mon", "08h-12h"): "<10", TOTAL: "200"}
    assert hot_spots.find_busy_times(times) == [("fri", "20h-00h"), ("sat", "16h-20h")]
    assert hot_spots.find_busy_times({**times, TOTAL: "400"}) == [("fri", "20h-00h")]
    assert hot_spots.find_busy_times({**times, TOTAL: "<10"}) == []
    even = {(day, band): "20" for day in "abcdefg" for band in "uvwxyz"} | {TOTAL: "840"}
    assert hot_spots.find_busy_times(even) == []


@pytest.mark.slow
def test_a_week_without_a_busy_time_has_none_in_ninety_of_a_hundred_maps() -> None:
    chance = np.random.default_rng(7)
    named = 0
    for _ in range(300):
        counts = chance.poisson(chance.gamma(5 / 0.4, 0.4, 42))
        texts = [Protection(5, 5, SECRET).format((int(count), int(chance.integers(0, 2**62)))) for count in counts]
        cells = {(str(place), "x"): text for place, text in enumerate(texts)} | {TOTAL: str(int(counts.sum()))}
        named += len(hot_spots.find_busy_times(cells))
    assert named / 300 / 42 <= 0.02


def test_a_phones_square_lies_in_one_cell_whatever_is_typed() -> None:
    cells = make_h3_hierarchy(8, 7)
    assert cells.at("c500:N9736:W12806", 0).startswith("88")
    assert cells.labels("c500:N9736:W12806")[1] == cells.labels(cells.at("c500:N9736:W12806", 0))[1]
    for value in ("", "c500:N99999:W1", "c500:", "nonsense", "c500:N9736:W12806'); DROP"):
        assert cells.at(value, 0) in ("", "other")


# Reach


def test_reach_has_intervals_and_hides_small_groups() -> None:
    found = {one.group: one for one in reach(table("200", black="120", white="<20", south_asian="60"), {"black": 0.3})}
    assert found["white"].share is None and found["white"].text == "<20"
    assert found["black"].disparity == pytest.approx(2.0)
    assert found["black"].disparity_low < 2 < found["black"].disparity_high
    assert found["south_asian"].disparity is None
    assert all(one.share is None for one in reach(table("<20", black="<20"), {}))


@pytest.mark.slow
@pytest.mark.parametrize(("count", "whole"), [(60, 200), (20, 20), (25, 1000)])
def test_the_interval_of_a_share_is_the_one_of_scipy(count: int, whole: int) -> None:
    from scipy.stats import binomtest  # noqa: PLC0415  takes over a second

    theirs = binomtest(count, whole).proportion_ci(method="wilson")
    assert wilson(count, whole) == (pytest.approx(theirs.low), pytest.approx(theirs.high))


# Partners

GOOD = """indicator,title_en,title_fr,unit,period,from,to,part,value
boardings,Calls for help,Appels à l'aide,count,P1,2026-01-01,2026-01-28,total,400
boardings,Calls for help,Appels à l'aide,count,P1,2026-01-01,2026-01-28,bus,250
boardings,Calls for help,Appels à l'aide,count,P1,2026-01-01,2026-01-28,subway,150
boardings,Calls for help,Appels à l'aide,count,P2,2026-01-29,2026-02-25,total,<20
"""
TODAY = dt.date(2026, 6, 1)


def test_a_partners_totals_keep_their_own_calendar() -> None:
    found = read_partner(GOOD.encode(), TODAY)
    assert [one.period for one in found] == ["P1", "P1", "P1", "P2"] and found[0].first == "2026-01-01"


@pytest.mark.parametrize(
    "change",
    [
        ("subway,150", "subway,140", "add up to 390, the total says 400"),
        ("bus,250", "bus,<300", "hidden part can be worked out"),
        ("total,400", "total,150", "hidden part can be worked out", "bus,250", "bus,<20"),
        ("bus,250", "bus,<20", "cannot add up to the total of 400"),
        ("bus,250", "bus,250.5", "no whole number"),
        ("bus,250", "bus,2.5e2", "write a number"),
        ("bus,250", "bus,<3", "one of 5 numbers"),
        ("2026-02-25", "2031-02-25", "between 2000-01-01 and today"),
        ("count,P2", "percent,P2", "over 100 percent", "total,<20", "total,140"),
        ("subway,150", "subway,900", "add up to 1150"),
        ("2026-01-29", "2026-01-20", "overlap"),
        ("2026-01-01,2026-01-28,bus", "2026-01-02,2026-01-28,bus", "two different spans"),
        ("2026-02-25", "2026-01-02", "ends before it begins"),
        ("2026-01-29", "tomorrow", "from and to are days"),
        ("total,400", "total,7", "could point to somebody"),
        ("total,400", "sum,400", "“total” is missing"),
        ("subway", "bus", "there twice"),
        ("count,P2", "smiles,P2", "unit is"),
        ("Appels à l'aide,count,P2", "=1+1,count,P2", "run as a formula"),
        ("<20", "many", "write a number"),
        ("indicator,", "thing,", "lacks the columns indicator"),
    ],
)
def test_wrong_totals_and_calendars_are_refused_with_the_reason(change: tuple[str, ...]) -> None:
    old, new, why, *more = change
    text = GOOD.replace(old, new, 1)
    if more:
        text = text.replace(more[0], more[1], 1)
    with pytest.raises(ExportProblem, match=why):
        read_partner(text.encode(), TODAY)


def test_two_hidden_parts_that_give_each_other_away_are_refused() -> None:
    """101 less 99 is 2, so that neither can be more."""
    text = GOOD.replace("total,400", "total,101").replace("bus,250", "bus,99").replace("subway,150", "subway,<20")
    ferry = "boardings,Calls for help,Appels à l'aide,count,P1,2026-01-01,2026-01-28,ferry,<20\n"
    with pytest.raises(ExportProblem, match="can be worked out"):
        read_partner((text + ferry).encode(), TODAY)
    wide = text.replace("total,101", "total,120")
    assert len(read_partner((wide + ferry).encode(), TODAY)) == 5


def test_a_part_may_have_words_in_both_languages() -> None:
    head, *lines = GOOD.splitlines()
    words = ["", "Bus,Autobus", "Subway,Métro", ""]
    with_words = [f"{head},part_en,part_fr", *(f"{line},{word}" for line, word in zip(lines, words, strict=True))]
    labels = [figure.label for figure in read_partner("\n".join(with_words).encode(), TODAY)]
    assert labels == [{}, {"en": "Bus", "fr": "Autobus"}, {"en": "Subway", "fr": "Métro"}, {}]
    risky = "\n".join(with_words).replace("Autobus", "=1+1")
    with pytest.raises(ExportProblem, match="run as a formula"):
        read_partner(risky.encode(), TODAY)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_file_is_taken_as_spreadsheets_write_it_in_canada(encoding: str) -> None:
    french = GOOD.replace(",", ";").replace("400", "1\u00a0400").replace("150", "1150")
    figures = read_partner(french.encode(encoding), TODAY)
    assert [figure.value for figure in figures] == ["1400", "250", "1150", "<20"]
    assert figures[0].title["fr"] == "Appels à l'aide"
    rate = (
        french.replace("count;P2", "rate;P2")
        .replace("<20", "12,5")
        .replace("boardings;Calls for help;Appels à l'aide;rate", "x;X;X;rate")
    )
    assert read_partner(rate.encode(encoding), TODAY)[-1].value == "12.5"


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"PK\x03\x04", b"a" * 1_100_000, b"\x00,\x00"], ids=["none", "bytes", "zip", "big", "nul"]
)
def test_what_is_no_list_of_totals_is_refused(data: bytes) -> None:
    with pytest.raises(ExportProblem):
        read_partner(data, TODAY)


@given(st.binary(max_size=400))
def test_no_file_crashes_it(data: bytes) -> None:
    with contextlib.suppress(ExportProblem):
        read_partner(b"indicator,title_en,title_fr,unit,period,from,to,part,value\n" + data, TODAY)
