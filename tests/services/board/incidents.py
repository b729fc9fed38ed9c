"""Incidents for the board."""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from fieldapp.services.records.deliveries import receive_batch
from forms.validation import validate
from sync.envelope import parse_batch
from sync.intake import local_time
from tests.cast import Cast, batch, envelope
from tests.programme import definition_of

INCIDENT: dict[str, Any] = {
    "alert": {"inc_type": "stabbing", "nbhd": "002", "setting": "street"},
    "harm": {"harm": "injury", "harmed_n": "1", "youth": "no", "retal_risk": "high"},
    "response": {
        "alert_src": "resident",
        "level": "phone",
        "on_scene": "police",
        "acts": "scene_presence",
        "reached_n": "1_5",
    },
    "after": {"supports": "vigil", "debrief": "planned", "status": "open", "note": "CANARY"},
}


def send(session: Session, cast: Cast, form: str, answers: dict[str, Any], moment: dt.datetime) -> str:
    filled = validate(definition_of(form), answers, local_time(moment)).answers  # as a phone computes it
    checked = validate(definition_of(form), filled, local_time(moment))
    assert not checked.problems, checked.problems
    item = envelope(
        checked.answers, form=form, day=moment.date(), version=definition_of(form).version, finished_at=moment.isoformat()
    )
    (answer,) = receive_batch(session, cast.amina, parse_batch(batch(item)))
    assert answer["status"] == "stored", answer
    return str(item["id"])


def incident(session: Session, cast: Cast, hours_ago: float = 3, **after: str) -> str:
    now = dt.datetime.now(dt.UTC)
    alert = now - dt.timedelta(hours=hours_ago)
    answers = {group: dict(values) for group, values in INCIDENT.items()}
    answers["alert"]["inc_alert_dt"] = alert.isoformat(timespec="milliseconds")
    answers["response"]["first_dt"] = (alert + dt.timedelta(minutes=40)).isoformat(timespec="milliseconds")
    answers["after"] |= after
    return send(session, cast, "incident", answers, now)
