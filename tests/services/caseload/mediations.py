"""Mediations and their follow-ups as phones send them."""

import datetime as dt
from typing import Any

from tests.cast import envelope
from tests.programme import definition_of

TODAY = dt.date.today()
FORM, FOLLOW_UP = "mediation", "mediation_follow_up"


def mediated(day: dt.date = TODAY, plan: str = "d1 d7 d30", **more: Any) -> dict[str, Any]:
    answers = {
        "when_where": {"med_date": f"{day}", "med_hour": "19", "nbhd": "002", "setting": "street", "aware": "family"},
        "conflict": {
            "cause": "money_debt", "parties_n": "2", "sides": "two_people", "age_mix": "16-24", "enrolled_any": "no",
        },
        "danger": {"weapon": "none", "prior": "no", "retal": "no", "online": "no", "likelihood": "likely"},
        "work": {"actions": "talked_each_side", "sessions": "1", "minutes": "30_60"},
        "result": {"outcome": "temporary", "fu_plan": plan, "safe_worker": "yes"},
    }  # fmt: skip
    return envelope(answers, day=day, form=FORM, version=definition_of(FORM).version, **more)


def visited(mediation: str, day: dt.date = TODAY, calm: str = "cool", then: str = "planned", **more: Any) -> dict[str, Any]:
    answers = {
        "how_now": {
            "mediation": mediation, "still_cool": calm, "fu_outcome": "temporary", "next_look": then, "fu_date": f"{day}",
        }
    }  # fmt: skip
    return envelope(answers, day=day, form=FOLLOW_UP, version=definition_of(FOLLOW_UP).version, **more)
