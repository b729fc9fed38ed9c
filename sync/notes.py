"""Caseload notes: what a worker says of their caseload or to the crisis team.

They are no forms, but travel and are stored as submissions are.

| form | body | meaning |
|---|---|---|
| fieldapp.settle | {"due": "<record>/<day>"} | this follow-up is not needed any more |
| fieldapp.handover | {"code": …, "to": <number of a colleague>} | from now on this card is theirs |
| fieldapp.handover | {"record": …, "to": <number of a colleague>} | from now on the follow-ups of this record are theirs |
| fieldapp.reissue | {"code": …, "new": …} | my person with this card has a new one: somebody else had the same code |
| fieldapp.seen | {"asked": <id>, "assigned": <time>} | I have seen what the crisis team gave me at that time |
| fieldapp.ask | {"need": …, "area": …} | I ask the crisis team for this; the area is "" where it does not matter |
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from forms.problems import AnswerProblem
from sync.envelope import Envelope, is_random_uuid
from sync.problems import N_

PREFIX = "fieldapp."
SETTLE = "fieldapp.settle"
HANDOVER = "fieldapp.handover"
REISSUE = "fieldapp.reissue"
SEEN = "fieldapp.seen"
ASK = "fieldapp.ask"
# What can be asked of the crisis team, in chosen words only, so that nobody can be named.
NEEDS = ("presence", "escort", "mediation", "visit", "vigil", "supplies", "debrief")
MAX_AREA = 20  # characters of a neighbourhood's code
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MAX_NOTE = 1000  # characters
CHECK = ALPHABET + "*~$=U"
CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{8}[0-9A-HJKMNP-TV-Z*~$=U]")


@dataclass(frozen=True)
class HandOver:
    """A card, or the follow-ups of a record, handed over to a colleague.

    At a time by the clock of the person who did it.
    """

    at: dt.datetime
    id: str
    by: int
    is_office: bool
    to: int


def find_current_owner(first: int, hand_overs: Iterable[HandOver]) -> int:
    """Return the id of the worker in whose caseload a card is, or the follow-ups of a record.

    `first`: who made it. Only the owner or the office can hand it over; the order of arrival changes nothing.
    """
    return list_owners(first, hand_overs)[-1]


def list_owners(first: int, hand_overs: Iterable[HandOver]) -> list[int]:
    """Return the ids of all workers who had a card, one after the other; the last has it now."""
    owners = [first]
    # Every centre and phone has to arrive at the same owner, so equal times are ordered by id.
    for hand_over in sorted(set(hand_overs), key=lambda hand_over: (hand_over.at, hand_over.id)):
        if hand_over.is_office or hand_over.by == owners[-1]:
            owners.append(hand_over.to)
    return owners


def is_caseload_note(envelope: Envelope) -> bool:
    return envelope.form.startswith(PREFIX)


def plain_code(text: Any) -> str:
    """Return a card code in its one spelling, without dashes; "" when it is none.

    Source: Crockford's base 32, eight characters and a check character (value mod 37).
    """
    code = text.replace("-", "").upper() if isinstance(text, str) else ""
    if not CODE.fullmatch(code):
        return ""
    value = 0
    for character in code[:8]:
        value = value * 32 + ALPHABET.index(character)
    if CHECK[value % 37] == code[8]:
        return code
    return ""


def parse_due(value: Any) -> tuple[str, dt.date] | None:
    """Return the record and day of a follow-up named "<record>/<day>"; None when malformed."""
    if not isinstance(value, str):
        return None
    record, _, day = value.partition("/")
    if not is_random_uuid(record) or len(day) != 10:
        return None
    try:
        return record, dt.date.fromisoformat(day)
    except ValueError:
        return None


def find_handed_record(note: Mapping[str, Any]) -> str:
    """Return the record whose follow-ups a note hands over; "" for none."""
    record = note.get("record")
    if isinstance(record, str) and "code" not in note and is_random_uuid(record):
        return record
    return ""


def parse_time(value: Any) -> dt.datetime | None:
    """Return a moment with its offset; None when it is none."""
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def check_note(form: str, note: Any, size: int = 0) -> list[AnswerProblem]:
    """Return what is wrong with a caseload note; `size`: how many characters it came in."""
    if size > MAX_NOTE:
        return [AnswerProblem("sync.note", N_("This note is too long."), "")]
    fields: dict[str, Any] = {}
    if isinstance(note, dict):
        fields = note
    if form == SETTLE:
        is_complete = parse_due(fields.get("due")) is not None
    elif form == HANDOVER:
        to = fields.get("to")
        # Not isinstance: JSON's true is an int to Python, and would be worker number 1.
        is_named = bool(find_handed_record(fields) or ("record" not in fields and plain_code(fields.get("code"))))
        is_complete = is_named and type(to) is int and to > 0
    elif form == REISSUE:
        is_complete = bool(plain_code(fields.get("code")) and plain_code(fields.get("new")))
    elif form == SEEN:
        is_complete = is_random_uuid(fields.get("asked")) and parse_time(fields.get("assigned")) is not None
    elif form == ASK:
        area = fields.get("area", "")
        is_complete = fields.get("need") in NEEDS and isinstance(area, str) and len(area) <= MAX_AREA
    else:
        return [AnswerProblem("sync.unknown_note", N_("The centre does not know this kind of note."), "")]
    if is_complete:
        return []
    return [AnswerProblem("sync.note", N_("This note is incomplete."), "")]
