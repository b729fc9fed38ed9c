"""The plan of a night, in words.

Where more happened than expected for the hours that staff were there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from evaluator_export.products import night_map
from evaluator_export.products.change import Word
from evaluator_export.products.expectation import BANDS, LEAST_RECORDS, NIGHTS, Presence
from fieldapp.web import language


@dataclass(frozen=True)
class PlanView:
    """What a page says of one layer on one kind of night."""

    title: str
    places: Sequence[Mapping[str, Any]]
    note: str
    not_there: Sequence[str]
    changed: Sequence[str]
    plan: Mapping[str, Any]


def make_plan_views(body: Mapping[str, Any], night: str) -> list[PlanView]:
    """Return the plans of a map; none of a map that was built before there were plans."""
    return [_make_view(body, layer, night) for layer in body["layers"] if "plan" in layer]


def _make_view(body: Mapping[str, Any], layer: Mapping[str, Any], night: str) -> PlanView:
    current = language.current()
    plan = layer["plan"]

    def name(code: str) -> str:
        return str(body["names"].get(code, {}).get(current, code))

    places = []
    for place in plan["places"]:
        if night in place["nights"]:
            places.append({**place, "name": name(place["area"]), "time": _name_time(place)})
    absent = [code for code, state in plan["states"][night].items() if state == Presence.NOT_THERE]
    changed = [_describe_change(name(code), word) for code, word in plan["changed"].items()]
    note = "" if places else _explain(plan["reason"])
    return PlanView(layer["title"][current], places, note, sorted(map(name, absent)), changed, plan)


def _explain(reason: str) -> str:
    """Return why no place is named."""
    if reason == night_map.NO_RECORDS:
        return str(gettext("Too few records at night to plan by: at least %(number)s are needed.", number=LEAST_RECORDS))
    if reason == night_map.NO_HOURS:
        return str(
            gettext("The shifts do not say enough about where staff were: name three neighbourhoods at most in each.")
        )
    return str(gettext("We do not rank: what differs here is within chance."))


def _name_time(place: Mapping[str, Any]) -> str:
    if len(place["nights"]) == len(NIGHTS):
        return str(gettext("any night"))
    bands = place["bands"]
    if len(bands) == len(BANDS):
        return str(gettext("all night"))
    start = bands[0].split("h-")[0]
    end = bands[-1].split("-")[1].removesuffix("h")
    return str(gettext("%(start)s:00 to %(end)s:00", start=start, end=end))


def _describe_change(name: str, word: str) -> str:
    if word == Word.MORE:
        return str(gettext("%(place)s: more in an hour than in the weeks before.", place=name))
    return str(gettext("%(place)s: fewer in an hour than in the weeks before.", place=name))
