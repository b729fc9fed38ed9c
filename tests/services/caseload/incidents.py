"""Incidents and their follow-ups as phones send them."""

import datetime as dt
from typing import Any

from forms.validation import validate
from sync.intake import local_time
from tests.cast import envelope
from tests.programme import definition_of
from tests.services.board.incidents import INCIDENT

TODAY = dt.date.today()
FORM, FOLLOW_UP = "incident", "incident_follow_up"
NOTHING_YET: dict[str, Any] = {
    **INCIDENT,
    "response": {"alert_src": "resident", "level": "phone", "on_scene": "unknown", "acts": "none_yet"},
    "after": {"supports": "none_yet", "debrief": "not_yet", "status": "open", "fu_plan": "d1 d7 d30"},
}


def at(day: dt.date, hour: int = 12, minute: int = 0) -> str:
    return dt.datetime.combine(day, dt.time(hour, minute), dt.UTC).isoformat(timespec="milliseconds")


def alerted(day: dt.date = TODAY, status: str = "open", plan: str = "d1 d7 d30", **more: Any) -> dict[str, Any]:
    """Return an alert that was logged before anybody did anything."""
    answers = {group: dict(values) for group, values in NOTHING_YET.items()}
    answers["alert"]["inc_alert_dt"] = at(day)
    answers["after"] |= {"status": status, "fu_plan": plan}
    return _envelope(FORM, answers, day, **more)


def followed_up(incident: str, day: dt.date = TODAY, began: dt.date | None = None, **more: Any) -> dict[str, Any]:
    """Return what is new of an incident; answers by name, the envelope's own by theirs."""
    answers = {
        "incident": incident, "began": f"{began or ''}", "acts_since": "none_yet", "debrief_now": "not_yet",
        "status_now": "open", "next_look": "planned", "fu_date": f"{day}",
    }  # fmt: skip
    for name in [name for name in more if name not in ("root", "prev", "due", "id")]:
        answers[name] = more.pop(name)
    return _envelope(FOLLOW_UP, {"since_then": answers}, day, **more)


def _envelope(form: str, answers: dict[str, Any], day: dt.date, **more: Any) -> dict[str, Any]:
    """Return what a phone sends: filled in by the form's logic, and without a problem."""
    definition = definition_of(form)
    moment = local_time(dt.datetime.combine(day, dt.time(23, 50), dt.UTC))
    checked = validate(definition, answers, moment)
    assert not checked.problems, checked.problems
    return envelope(checked.answers, form=form, day=day, version=definition.version, **more)
