"""The office's map in words: what is named, what is not, and nothing of a map from before there were plans."""

import json
from typing import Any

import pytest
from flask import Flask

from fieldapp.web.office.products.plan import make_plan_views


def body(**plan: Any) -> dict[str, Any]:
    whole = {
        "weeks": 12, "first": "2026-04-13", "last": "2026-07-05", "total": 200, "reason": "chance", "places": [],
        "states": {"week": {"002": "usual", "004": "not_there"}, "weekend": {"002": "usual", "004": "few"}}, "changed": {},
    }  # fmt: skip
    return {
        "names": {"002": {"en": "Elm", "fr": "Orme"}, "004": {"en": "Oak", "fr": "Chêne"}},
        "layers": [
            {"title": {"en": "Encounters", "fr": "Rencontres"}, "plan": {**whole, **plan}},
            {"title": {"en": "Encounters by cell", "fr": "Rencontres"}},
        ],
    }


def place(nights: list[str], bands: list[str]) -> dict[str, Any]:
    return {"area": "002", "nights": nights, "bands": bands, "n": 40, "hours": 18, "expected": 14, "surer": False}


@pytest.mark.parametrize(
    ("reason", "note"),
    [("records", "at least 150"), ("hours", "three neighbourhoods at most"), ("chance", "We do not rank")],
)
def test_where_no_place_is_named_it_says_why(app: Flask, reason: str, note: str) -> None:
    with app.test_request_context("/"):
        [view] = make_plan_views(body(reason=reason), "week")
    assert note in view.note and view.places == []


def test_a_place_is_named_on_its_own_nights_alone(app: Flask) -> None:
    plan = body(reason="", places=[place(["weekend"], ["18h-22h", "22h-02h"])], changed={"004": "fewer"})
    with app.test_request_context("/"):
        [weekend] = make_plan_views(plan, "weekend")
        [week] = make_plan_views(plan, "week")
    assert [(one["name"], one["time"]) for one in weekend.places] == [("Elm", "18:00 to 02:00")]
    assert weekend.note == "" and week.places == [] and "We do not rank" in week.note
    assert week.not_there == ["Oak"] and weekend.not_there == []
    assert weekend.changed == ["Oak: fewer in an hour than in the weeks before."]


def test_joined_times_have_their_own_words(app: Flask) -> None:
    every = ["18h-22h", "22h-02h", "02h-06h"]
    with app.test_request_context("/"):
        [view] = make_plan_views(body(places=[place(["week", "weekend"], every), place(["week"], every)]), "week")
    assert [one["time"] for one in view.places] == ["any night", "all night"]


def test_a_map_from_before_there_were_plans_has_none(app: Flask) -> None:
    older = body()
    del older["layers"][0]["plan"]
    with app.test_request_context("/"):
        assert make_plan_views(json.loads(json.dumps(older)), "week") == []
