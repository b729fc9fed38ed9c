"""Intakes, reviews and exits, and referrals, as phones send them."""

import datetime as dt
from typing import Any

from forms.validation import validate
from sync.intake import local_time
from tests.cast import envelope
from tests.programme import definition_of
from tests.services.caseload.meetings import ONE

ABOUT = {"age_band": "16-19", "school_work": "school", "housing": "stable"}
CONSENT = {"said": "read_out", "understood": "yes", "tier_said": "2", "lang_used": "en"}


def participant(kind: str, day: dt.date, plan: str = "d90", card: str = ONE, **more: Any) -> dict[str, Any]:
    """Return an intake, a review or an exit as a phone sends it."""
    answers: dict[str, Any] = {"start": {"kind": kind, "code": card}, "arrival": {"month_in": f"{day}"}}
    if kind == "intake":
        answers["start"]["offered_resp"] = "accepted"
        answers["arrival"]["came_by"] = "outreach"
    if kind == "exit":
        answers["leaving"] = {"exit_reason": "moved"}
    else:
        answers["consent"] = CONSENT
        answers |= {"about": ABOUT, "risks": {"risk_level": "high"}, "plan": {"needs": "housing", "review_in": plan}}
    return _envelope("participant", answers, day, **more)


def referred(day: dt.date, status: str = "sent", **more: Any) -> dict[str, Any]:
    """Return a referral of somebody without a card."""
    answers = {
        "need": {"has_card": "no", "need": "housing"},
        "consent": CONSENT,
        "service": {"ref_date": f"{day}", "service_type": "housing", "urgency": "week"},
        "sharing": {"consent_share": "yes_this_time", "what_shared": "need_only", "warm": "called_together"},
        "progress": {"status": status},
    }
    return _envelope("referral", answers, day, **more)


def _envelope(form: str, answers: dict[str, Any], day: dt.date, **more: Any) -> dict[str, Any]:
    definition = definition_of(form)
    moment = local_time(dt.datetime.combine(day, dt.time(22), dt.UTC))
    filled = validate(definition, answers, moment).answers  # as a phone computes it
    checked = validate(definition, filled, moment)
    assert not checked.problems, checked.problems
    return envelope(checked.answers, form=form, version=definition.version, day=day, **more)
