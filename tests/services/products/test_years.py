"""From published tables to the sentence on the page: the newest year, the year before, and what may be said of the two."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from evaluator_export import periods
from evaluator_export.periods import Period
from evaluator_export.products.change import Word
from evaluator_export.products.indicators import Indicator
from evaluator_export.tables.protected_counts import TOTAL, Cell
from fieldapp.services.products.catalogue import list_counted_tables, load_kpis
from fieldapp.services.products.kinds.dashboard import choose_headline
from fieldapp.services.products.kinds.years import find_ready_day, make_year
from fieldapp.services.products.tables import find_first_whole_day
from fieldapp.services.releases.datasets import load_table_menu
from fieldapp.web.editions import make_indicator_views
from fieldapp.web.year_words import make_year_view, write_headline

Texts = Mapping[Cell, str]


def kpi(name: str) -> Indicator:
    return next(indicator for indicator in load_kpis() if indicator.id == name)


def complete(first: str, number: int) -> list[Period]:
    period = periods.parse(first)
    found = [period]
    for _ in range(number - 1):
        found.append(found[-1].following())
    return found


def year_of(name: str, counts: Mapping[str, Sequence[str]], first: Mapping[str, str], **cells: Sequence[str]) -> Any:
    """Return the year of an indicator whose table showed these totals, by calendar, since a first period."""
    published: dict[str, Texts] = {}
    by_calendar = {}
    for calendar, texts in counts.items():
        by_calendar[calendar] = complete(first[calendar], len(texts))
        for place, (period, text) in enumerate(zip(by_calendar[calendar], texts, strict=True)):
            parts = {(label,): one[place] for label, one in cells.items() if len(one) == len(texts)}
            published[period.name] = {TOTAL: text, **parts}
    return make_year(kpi(name), published, by_calendar, is_of_persons=name in ("participants", "often_met"))


def body_of(name: str, year: Any) -> dict[str, Any]:
    indicator = kpi(name)
    return {
        "id": name,
        "title": indicator.title,
        "unit": indicator.unit,
        "exact": indicator.is_exact,
        "audience": "public",
        "year": year,
    }


def say(app: Flask, name: str, year: Any, language: str = "en") -> str:
    with app.test_request_context(), force_locale(language):
        view = make_year_view(body_of(name, year), language)
        assert view is not None
        return f"{view.sentence} {view.comparison}"


MONTHS = {"month": "2024-11"}
FLAT = ["100", "110", "105", "95", "100", "105", "100", "110", "90", "100", "105", "100"]


def test_a_year_like_the_one_before_is_told_as_about_the_same(app: Flask) -> None:
    year = year_of("encounters", {"month": FLAT * 2}, MONTHS)
    assert year["word"] == Word.SAME
    assert say(app, "encounters", year) == (
        "1,220 in the twelve months to October 2026. About the same as a year before (1,220): within a fifth."
    )
    assert say(app, "encounters", year, "fr") == (
        "1\u202f220 dans les douze mois jusqu’à octobre 2026. "
        "À peu près comme un an plus tôt (1\u202f220)\u00a0: à un cinquième près."
    )


def test_a_large_rise_is_told_also_in_the_headline(app: Flask) -> None:
    year = year_of("encounters", {"month": [*FLAT, *(str(2 * int(text)) for text in FLAT)]}, MONTHS)
    assert say(app, "encounters", year).endswith("More than a year before (1,220).")
    body = {"indicators": [body_of("encounters", year)], "sure": ["encounters"]}
    with app.test_request_context():
        assert write_headline(body, "en")[1] == "Encounters: 2,440. More than a year before (1,220)."
        assert "more than chance" in write_headline(body | {"sure": []}, "en")[0]


def test_the_headline_tells_a_number_once_and_nothing_that_is_exact() -> None:
    """Encounters by ward are the same encounters; and in events held there is no chance that could explain anything."""
    year = {"word": Word.MORE, "chance": 0.0001}
    flags = {"encounters": (False, False), "encounters_by_ward": (False, True), "events": (True, False)}
    indicators = [
        {"id": name, "audience": "public", "year": year, "exact": is_exact, "by_group": is_by_group}
        for name, (is_exact, is_by_group) in flags.items()
    ]
    staff = {**indicators[0], "id": "timeliness", "audience": "staff"}
    assert choose_headline([*indicators, staff, {**indicators[0], "id": "offers", "year": None}]) == {"encounters"}


def test_a_month_is_never_compared_with_the_month_before(app: Flask) -> None:
    """Rounding and chance alone make two months differ nearly always."""
    year = year_of("encounters", {"month": FLAT[:11]}, {"month": "2025-12"})
    assert say(app, "encounters", year) == (
        "1,120 in 11 months, from December 2025 to October 2026. It can be compared with a year before from December 2027 on."
    )


def test_where_months_are_hidden_the_twelve_months_counted_by_themselves_are_told(app: Flask) -> None:
    counts = {"month": [*FLAT, *FLAT[:-1], "<25"], "twelve": ["1220"] * 5}
    year = year_of("encounters", counts, {**MONTHS, "twelve": "P1Y/2025-Q3"})
    assert (year["value"], year["first"], year["last"]) == (1220, "2025-10-01", "2026-09-30")
    assert year["before"]["last"] == "2025-09-30"
    alone = year_of("encounters", {"month": ["<25"] * 24}, MONTHS)
    assert (alone["state"], alone["word"]) == ("few", Word.UNSURE)
    assert "too few" in say(app, "encounters", alone).lower() or "fewer than" in say(app, "encounters", alone)


def test_people_are_not_added_up_over_quarters(app: Flask) -> None:
    quarters = {"quarter": ["40", "45", "50", "45", "60"]}
    year = year_of("participants", quarters, {"quarter": "2025-Q3"})
    assert (year["value"], year["before"]["value"]) == (60, 40)
    assert say(app, "participants", year).startswith("60 in the 3rd quarter 2026.")
    first = year_of("participants", {"quarter": ["40"]}, {"quarter": "2026-Q1"})
    assert first["compare_from"] == "2027-04-01"
    menu = {item["name"]: item.get("counts") for item in load_table_menu()}
    assert not [name for name in list_counted_tables()["twelve"] if menu[name] == "persons"]


def test_a_share_has_its_range_and_a_small_whole_the_range_alone(app: Flask) -> None:
    first = {"quarter": "2024-Q4"}
    year = year_of("mediations_settled", {"quarter": ["80"] * 8}, first, settled=["50"] * 8)
    assert say(app, "mediations_settled", year).startswith(
        "62% (between 56% and 69%) in the twelve months to September 2026."
    )
    assert year["whole"] == "320" and year["word"] == Word.SAME
    small = year_of("mediations_settled", {"quarter": ["50"]}, {"quarter": "2026-Q3"}, settled=["30"])
    assert say(app, "mediations_settled", small).startswith("Between 43% and 76% in the 3rd quarter 2026.")
    hidden = year_of("mediations_settled", {"quarter": ["50"]}, {"quarter": "2026-Q3"}, settled=["<25"])
    assert hidden["value"] is None and say(app, "mediations_settled", hidden).startswith("Between 0% and ")


def test_exact_numbers_are_told_with_their_difference(app: Flask) -> None:
    year = year_of("events", {"quarter": ["4", "0", "3", "2", "4", "0", "3", "3"]}, {"quarter": "2024-Q4"})
    assert say(app, "events", year) == "10 in the twelve months to September 2026. A year before: 9."


def test_the_middle_is_told_as_the_bands_that_it_may_be_in(app: Flask) -> None:
    bands = {"0-14": ["100"], "15-59": ["120"], "60-239": ["80"], "240+": ["<25"]}
    year = year_of(
        "first_action", {"twelve": ["300"], "quarter": ["300"]}, {"twelve": "P1Y/2026-Q3", "quarter": "2026-Q3"}, **bands
    )
    assert say(app, "first_action", year).startswith("Between 15 and 59 minutes in the twelve months to September 2026.")


@pytest.mark.parametrize(
    ("first", "whole"),
    [("2025-11-28", "2025-12-01"), ("2026-01-01", "2026-01-01"), ("2026-12-02", "2027-01-01")],
)
def test_nothing_is_told_of_a_part_of_a_month(first: str, whole: str) -> None:
    assert find_first_whole_day(dt.date.fromisoformat(first)) == dt.date.fromisoformat(whole)
    assert find_first_whole_day(None) is None


def test_what_has_no_number_yet_says_when_it_comes() -> None:
    months = {"month": complete("2025-12", 3)}
    assert find_ready_day(kpi("incidents"), months) == "2027-01-04"
    assert find_ready_day(kpi("participants"), months) == "2026-04-04"
    assert find_ready_day(kpi("incidents"), {"month": []}) is None


def test_an_edition_of_before_shows_its_number_and_compares_nothing(app: Flask) -> None:
    numbers = [{"period": "2026-09", "state": "shown", "text": "150", "value": 150.0, "revised": 0}]
    numbers.append({"period": "2026-10", "state": "hidden", "text": "<20", "value": None, "revised": 0})
    indicator = kpi("encounters")
    old = {
        **{name: getattr(indicator, name) for name in ("id", "code", "title", "meaning", "formula", "read", "unit", "safeto")},
        "calendar": "month", "denominator": None, "audience": "public", "threshold": 20, "table": "x", "source": "Rexdale",
        "numbers": numbers, "parts": None,
    }  # fmt: skip
    with app.test_request_context():
        (view,) = make_indicator_views({"indicators": [old]}, "en")
        (shown,) = make_indicator_views({"indicators": [old | {"numbers": numbers[:1]}]}, "en")
    assert view.year is None and view.finding == "October 2026: too few to show."
    assert shown.finding == "150 in September 2026." and shown.bars[0].kind == "value"
