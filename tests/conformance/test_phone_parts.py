"""Parts of the phone that stand alone, run in Node: hashing, card codes, notes that point to a person, areas, follow-ups."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.areas import read_areas
from tests.city import CODES, WEST, geojson, middle
from tests.conformance.harness import run_on_phone
from tests.programme import definition_of

pytestmark = pytest.mark.slow  # each test starts the phone's code in Node


def calls(*wanted: list[Any]) -> list[Any]:
    found: list[Any] = run_on_phone({"vectors": [], "forms": [], "definitions": [], "calls": list(wanted)})["calls"]
    return found


def test_hashes_are_those_of_hashlib_at_every_length_around_a_block() -> None:
    names = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
    texts = ["", "abc", "é😀", *("x" * size for size in (54, 55, 56, 63, 64, 65, 110, 111, 112, 119, 127, 128, 129, 300))]
    wanted = [(text, name) for text in texts for name in names]
    found = calls(*(["digest", text, name] for text, name in wanted))
    assert found == [hashlib.new(names[name], text.encode()).hexdigest() for text, name in wanted]


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=200), min_size=30, max_size=60))
def test_hashes_of_any_text(texts: list[str]) -> None:
    texts = [text for text in texts if not any("\ud800" <= sign <= "\udfff" for sign in text)]
    assert calls(*(["digest", text, "SHA-512"] for text in texts)) == [
        hashlib.sha512(text.encode()).hexdigest() for text in texts
    ]


NOTES = {
    "a quiet night, everybody home early": [],
    "Talked in the park about school. He wants work.": [],
    "We met at 9 and again at 22:30, 3 people, 2 hours": [],
    "Went to the Rexdale hub on Monday with two staff": [],
    "Quiet. Calm since Friday. Follow up in 14 days": [],
    "Nuit calme. Rien à signaler lundi": [],
    "met Marcus again by the court": ["name"],
    "his name is dave": ["name"],
    "parlé avec Amina hier": ["name"],
    "il s'appelle paul": ["name"],
    "goes by lil t": ["name"],
    "call 416-555-0199 later": ["phone"],
    "tel 4165550199": ["phone"],
    "(647) 555 0134 is the mom": ["phone"],
    "grey car ABCD 123": ["plate"],
    "plate ends 482": ["plate"],
    "lives at 12 Kipling Ave": ["address"],
    "au 45 rue des Pins": ["address"],
    "apt 1204 upstairs": ["address"],
    "M9V 2X1": ["address"],
    "born 2008": ["birthday"],
    "le 3 mars 2009": ["birthday"],
    "on ig: t_dawg44": ["online"],
    "write him at t@example.org": ["online"],
}


@pytest.mark.parametrize("note", NOTES)
def test_what_points_to_a_person_is_noticed_and_other_notes_are_left_alone(note: str) -> None:
    (found,) = calls(["findIdentifiers", note])
    for kind in NOTES[note]:
        assert kind in found, (note, found)
    if not NOTES[note]:
        assert found == []


def test_a_new_code_is_one_that_the_form_takes() -> None:
    (code,) = calls(["makeCardCode", [0, 31, 64, 200, 17, 5, 99, 255]])
    shown, plain, lower, typed, wrong, short = calls(
        ["formatCardCode", code],
        ["parseCardCode", code],
        ["parseCardCode", f" {code[:4].lower()}-{code[4:].lower()} "],
        ["parseCardCode", code.replace("0", "O").replace("1", "I")],
        ["parseCardCode", code[:-2] + ("0" if code[-2] != "0" else "2") + code[-1]],
        ["parseCardCode", code[:-1]],
    )
    assert shown == f"{code[:4]}-{code[4:]}"
    assert (plain, lower, typed, wrong, short) == (code, code, code, "", "")


@given(st.lists(st.integers(0, 255), min_size=8, max_size=8), st.integers(0, 7), st.integers(1, 31))
@settings(max_examples=5, deadline=None)
def test_any_wrong_sign_is_noticed(random: list[int], place: int, change: int) -> None:
    signs = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    (code,) = calls(["makeCardCode", random])
    wrong = code[:place] + signs[(signs.index(code[place]) + change) % 32] + code[place + 1 :]
    assert calls(["parseCardCode", wrong]) == [""]


def outlines() -> Any:
    return json.loads(read_areas(geojson(), "code", CODES))


def test_a_fix_becomes_a_code() -> None:
    city = outlines()
    found = calls(*(["findAreasAround", city, *middle(code), 20] for code in sorted(CODES)))
    assert found == [["a"], ["b"], ["c"], ["d"]]


def test_near_a_border_both_are_offered_and_outside_none() -> None:
    city = outlines()
    (near, lake, outside) = calls(
        ["findAreasAround", city, WEST + 0.02 - 0.0001, 10.003, 60],
        ["findAreasAround", city, WEST + 0.01, 10.01, 20],
        ["findAreasAround", city, 0, 0, 20],
    )
    assert near == ["a", "b"]
    assert lake == outside == []


def test_the_square_says_where_within_half_a_kilometre_and_no_better() -> None:
    first, again, north, south_west = calls(
        ["findGridCell", -79.57, 43.73],
        ["findGridCell", -79.5701, 43.7301],
        ["findGridCell", -79.57, 43.736],
        ["findGridCell", -70.5, -33.4],
    )
    assert first == again
    assert first.startswith("c500:N") and ":W" in first
    assert north != first
    assert south_west.startswith("c500:S")


def test_what_is_due_follows_from_what_was_logged() -> None:
    book = {"people": [], "due": []}
    encounter = json.loads(definition_of("encounter").to_json())
    answers = {
        "when_where": {"enc_date": "2026-11-24"},
        "people": {"who": "enrolled", "code": "0Z08H53Z5"},
        "next": {"next_due": "2026-11-27"},
    }
    code = calls(["makeCardCode", [0, 31, 64, 200, 17, 5, 99, 255]])[0]
    answers["people"]["code"] = f"{code[:4]}-{code[4:]}"
    (after,) = calls(["addFinishedRecord", book, encounter, {"id": "x", "answers": answers}, "2026-11-24"])
    assert [(one["on"], one["code"]) for one in after["due"]] == [("2026-11-27", code)]
    assert [person["code"] for person in after["people"]] == [code]
    answers["when_where"]["enc_date"], answers["next"] = "2026-11-27", {}
    (later,) = calls(["addFinishedRecord", after, encounter, {"id": "y", "answers": answers}, "2026-11-27"])
    assert later["due"] == []

    mediation = json.loads(definition_of("mediation").to_json())
    plan = {"when_where": {"med_date": "2026-11-24"}, "result": {"fu_plan": "d1 d7 d30"}}
    (planned,) = calls(["addFinishedRecord", book, mediation, {"id": "m", "answers": plan}, "2026-11-24"])
    assert [one["on"] for one in planned["due"]] == ["2026-11-25", "2026-12-01", "2026-12-24"]
    done = planned["due"][0]["id"]
    (rest,) = calls(["addFinishedRecord", planned, encounter, {"id": "z", "answers": {}, "due": done}, "2026-11-25"])
    assert [one["on"] for one in rest["due"]] == ["2026-12-01", "2026-12-24"]


def test_a_follow_up_completes_what_was_due_until_its_day_and_may_ask_for_more_or_end_it() -> None:
    mediation = json.loads(definition_of("mediation").to_json())
    follow_up = json.loads(definition_of("mediation_follow_up").to_json())
    plan = {
        "when_where": {"med_date": "2026-11-24", "nbhd": "002"},
        "conflict": {"cause": "money_debt"},
        "result": {"fu_plan": "d1 d7 d30"},
    }
    planned = {"people": [], "due": []}
    for root in ("m", "other"):
        (planned,) = calls(["addFinishedRecord", planned, mediation, {"id": root, "answers": plan}, "2026-11-24"])

    def visit(next_look: str) -> dict[str, Any]:
        answers = {"how_now": {"mediation": "m", "fu_date": "2026-11-26", "next_look": next_look}}
        (after,) = calls(["addFinishedRecord", planned, follow_up, {"id": "v", "answers": answers}, "2026-11-26"])
        return after

    def days(book: dict[str, Any], root: str) -> list[str]:
        return [one["on"] for one in book["due"] if one["id"].startswith(f"{root}/")]

    assert days(visit("planned"), "m") == ["2026-12-01", "2026-12-24"]
    assert days(visit("d3"), "m") == ["2026-11-29", "2026-12-01", "2026-12-24"]
    assert days(visit("none"), "m") == []
    assert days(visit("none"), "other") == ["2026-11-25", "2026-12-01", "2026-12-24"]
    asked_for = next(one for one in visit("d3")["due"] if one["on"] == "2026-11-29")
    assert asked_for == {
        "id": "m/2026-11-29", "on": "2026-11-29", "code": "", "form": "mediation", "from": "2026-11-24",
        "kind": "money_debt", "area": "002",
    }  # fmt: skip


@pytest.mark.parametrize("is_all_sent", [True, False])
def test_a_phone_that_hears_everything_again_loses_neither_labels_nor_what_only_it_knows(is_all_sent: bool) -> None:
    """After the centre went back to an earlier copy: its cursors begin with an epoch, and it tells all from the beginning."""
    card = {"tier": "2", "seen": "2026-11-20"}
    due = {"on": "2026-12-01", "code": "A", "form": "encounter", "from": "2026-11-20"}
    book = {
        "people": [
            {"code": "A", "label": "by the court", "seenOn": "2026-11-25", "tier": "2"},
            {"code": "B", "label": "blue door", "seenOn": "2026-11-26", "tier": "1"},
        ],
        "due": [{"id": "later/2026-12-02", **due}], "cursor": 40, "referrals": {}, "clashes": [], "made": ["C"],
        "todo": {"r": {"state": "rejected", "day": "2026-11-26", "answers": {"a": "the only copy"}}},
        "settled": [], "told": {"card/B": card, "due/later/2026-12-02": due}, "finished": 9, "heard": 9,
    }  # fmt: skip
    news = [["card/A", card], ["due/old/2026-12-01", due]]
    (after,) = calls(["applyPulledChanges", book, news, "1764400000000:2", is_all_sent])
    assert after["cursor"] == "1764400000000:2"
    assert {one["code"]: one["label"] for one in after["people"]} == {"A": "by the court", "B": "blue door"}
    assert {one["id"] for one in after["due"]} == {"old/2026-12-01", "later/2026-12-02"}
    assert after["todo"] == book["todo"] and after["made"] == ["C"]
    (again,) = calls(["applyPulledChanges", after, news, "1764400000000:2", is_all_sent])
    assert {**again, "people": sorted(again["people"], key=str)} == {**after, "people": sorted(after["people"], key=str)}
