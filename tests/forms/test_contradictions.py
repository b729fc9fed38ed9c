"""What cannot both be true is asked about, with both ways out; what can be true is not."""

import datetime as dt
import json
from typing import Any

import pytest

from forms.answers import build_tree
from forms.budget import Budget
from forms.validation import calculate, validate
from sync.intake import local_time
from tests.cast import encounter
from tests.programme import definition_of
from tests.services.caseload.incidents import NOTHING_YET, at
from tests.services.caseload.mediations import mediated

NOW = local_time(dt.datetime.combine(dt.date.today(), dt.time(23)))


def problems_of(form: str, answers: Any) -> list[str]:
    return [problem.path for problem in validate(definition_of(form), answers, NOW).problems]


@pytest.mark.parametrize(
    ("harm", "hurt", "fits"),
    [
        ("none", "2_3", False), ("fear", "1", False), ("death", "0", False), ("injury", "0", False),
        ("none", "0", True), ("fear", "0", True), ("none", "unknown", True), ("injury", "gt3", True), ("unknown", "1", True),
        ("unknown", "0", True), ("serious_injury", "unknown", True),
    ],
)  # fmt: skip
def test_the_worst_harm_fits_how_many_were_hurt(harm: str, hurt: str, fits: bool) -> None:
    answers = {group: dict(values) for group, values in NOTHING_YET.items()}
    answers["alert"]["inc_alert_dt"] = at(dt.date.today())
    answers["harm"] |= {"harm": harm, "harmed_n": hurt}
    assert problems_of("incident", answers) == ([] if fits else ["harm.harm"])


@pytest.mark.parametrize(
    ("also", "fits"), [("money_debt", False), ("turf_area money_debt", False), ("turf_area", True), ("", True)]
)
def test_the_main_cause_is_not_among_the_others(also: str, fits: bool) -> None:
    answers = json.loads(mediated()["body"])
    answers["conflict"]["cause_2"] = also
    assert problems_of("mediation", answers) == ([] if fits else ["conflict.cause_2"])


@pytest.mark.parametrize(
    ("who", "number", "is_asked"), [("group", "1", True), ("group", "2", False), ("family", "1", False)]
)
def test_a_group_of_one_is_asked_about(who: str, number: str, is_asked: bool) -> None:
    definition = definition_of("encounter")
    root, _ = build_tree(definition, encounter(people={"who": who}, talk={"people_n": number}))
    calculate(definition, root, NOW, Budget())
    (note,) = root.children["talk"][0].children["group_of_one"]
    assert note.is_relevant is is_asked


@pytest.mark.parametrize(
    ("alert", "first", "moved", "fits"),
    [
        ("01:50:00.000-04:00", "01:10:00.000-05:00", "-60", True),  # twenty minutes later
        ("01:50:00.000-04:00", "01:10:00.000-04:00", "", False),
        ("01:50:00.000-04:00", "00:40:00.000-04:00", "-60", False),
        ("01:50:00.000", "01:50:00.000", "", True),
    ],
)
def test_the_first_action_is_after_the_alert_in_the_hour_that_comes_twice_too(
    alert: str, first: str, moved: str, fits: bool
) -> None:
    answers = {group: dict(values) for group, values in NOTHING_YET.items()}
    answers["alert"]["inc_alert_dt"] = f"2026-11-01T{alert}"
    answers["response"] |= {"acts": "canvass", "reached_n": "1_5", "first_dt": f"2026-11-01T{first}", "clock_minutes": moved}
    moment = local_time(dt.datetime(2026, 11, 1, 6))
    found = [problem.path for problem in validate(definition_of("incident"), answers, moment).problems]
    assert found == ([] if fits else ["response.first_dt"])
