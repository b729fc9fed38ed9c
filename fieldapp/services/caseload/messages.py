"""What phones are sent of their worker's caseload: a JSON message per key, "" deletes it."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fieldapp.services.caseload.chains import Chain
from fieldapp.services.caseload.record_state import RecordState
from fieldapp.store.caseload.cards import REFUSED, Card
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.consent.standing import PersonStanding
from fieldapp.store.records.records import CardContact
from forms.roles import ChoiceRole, QuestionRole
from sync.consent import MAX_KNEW
from sync.envelope import format_clock

MAX_ANSWERS = 20_000  # characters of a record that a phone gets back to correct

Messages = dict[tuple[int, str], str]  # worker, key of what a phone pulls → JSON; "" to forget it


def make_card_message(
    card: Card, standing: PersonStanding | None, intake: dt.date | None = None, contacts: Sequence[CardContact] = ()
) -> str:
    """Return what a phone shows of a card, and needs to ask for consent; "" to forget it.

    `intake`: the day of its last intake; None where it has none. `contacts`: its last ones, the newest first. Nobody is
    shown what was done with somebody who said no.
    """
    if not card.is_open:
        return ""
    seen = ""
    if card.seen_on and card.tier != REFUSED:
        seen = card.seen_on.isoformat()
    message: dict[str, Any] = {"code": card.code, "tier": card.tier, "seen": seen}
    if intake is not None and card.tier != REFUSED:
        message["intake"] = intake.isoformat()
    if standing is not None:
        message["consent"] = {
            "tier": standing.tier,
            "since": f"{standing.since:%Y-%m}",
            "heads": standing.heads[:MAX_KNEW],
            "doubt": standing.is_in_doubt,
            "wording": standing.wording,
        }
    if contacts and card.tier != REFUSED:
        last = []
        for contact in contacts:
            is_own = contact.author_id == card.worker_id
            last.append({"on": contact.day.isoformat(), "form": contact.form, "kind": contact.kind, "own": is_own})
        message["last"] = last
    return json.dumps(message)


def make_follow_up_message(
    follow_up: FollowUp, card: Card | None, kind: str = "", area: str = "", is_review: bool = False
) -> str:
    """Return what a phone shows as due; "" to forget it.

    `card`: of whom it is about. Nobody is reminded of somebody who said no, or with whom the work has ended. `is_review`:
    only another record of its form does it. `kind` and `area` of the record that is
    followed up tell those without a card apart; "" where a card does.
    """
    if not follow_up.is_open or (card is not None and (card.tier == REFUSED or not card.is_open)):
        return ""
    message: dict[str, Any] = {
        "on": follow_up.due_on.isoformat(),
        "code": follow_up.code,
        "form": follow_up.form,
        "from": follow_up.from_on.isoformat(),
    }
    about = {"kind": kind, "area": area}
    message |= {name: text for name, text in about.items() if text}
    if is_review:
        message["own"] = True
    return json.dumps(message)


def make_referral_message(record_state: RecordState, card: Card | None) -> str:
    """Return what a phone shows of a referral, and needs to open it again; "" when it ended.

    `card`: of whom it is about. Nobody is reminded of somebody who said no.
    """
    if card is not None and card.tier == REFUSED:
        return ""
    if record_state.is_chosen(QuestionRole.STATUS, ChoiceRole.ENDS_REFERRAL):
        return ""
    about = {"day": record_state.day.isoformat(), "code": record_state.person}
    for role in (QuestionRole.KIND, QuestionRole.STATUS):
        about[role] = record_state.read_role(role)
    correction = make_correction_message(record_state.form, record_state.version, record_state.answers, record_state.heads)
    return json.dumps({**about, **correction})


def make_open_message(chain: Chain) -> str:
    """Return what a phone shows of an incident that is open; "" when it ended."""
    if chain.is_ended(QuestionRole.INCIDENT_STATUS, ChoiceRole.ENDS_INCIDENT):
        return ""
    first = chain.first
    message = {"form": first.form, "from": first.day.isoformat()}
    for role in (QuestionRole.KIND, QuestionRole.AREA):
        message[role] = first.read_role(role)
    return json.dumps(message)


def make_correction_message(
    form: str, version: str, answers: Mapping[str, Any], heads: Sequence[str], clock: dt.datetime | None = None
) -> dict[str, Any]:
    """Return what a phone needs to open a record of its own worker again.

    `clock`: by which its form judged it, and judges its correction; None for what goes on now.
    """
    is_small = len(json.dumps(answers)) <= MAX_ANSWERS
    message: dict[str, Any] = {"form": form, "version": version, "answers": answers if is_small else {}}
    message["heads"] = list(heads)
    if clock is not None:
        message["clock"] = format_clock(clock)
    return message
