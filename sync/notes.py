"""Notes: what a worker says about their caseload that is no form. They travel, and are kept, as submissions do.

| form | body | says |
|---|---|---|
| fieldapp.settle | {"due": "<record>/<day>"} | this follow-up is not needed any more |
| fieldapp.handover | {"code": …, "to": <number of a colleague>} | from now on this card is theirs |
| fieldapp.reissue | {"code": …, "new": …} | my person with this card has a new one: somebody else had the same code |
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from forms.problems import AnswerProblem
from sync.envelope import Envelope, is_random_uuid
from sync.problems import N_

PREFIX = "fieldapp."
SETTLE, HANDOVER, REISSUE = "fieldapp.settle", "fieldapp.handover", "fieldapp.reissue"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MAX_NOTE = 1000  # characters
CHECK = ALPHABET + "*~$=U"
CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{8}[0-9A-HJKMNP-TV-Z*~$=U]")


@dataclass(frozen=True)
class HandOver:
    """A card given to a colleague, by the clock of whoever gave it."""

    at: dt.datetime
    id: str
    by: int
    is_office: bool
    to: int


def find_current_owner(first: int, given: Iterable[HandOver]) -> int:
    """Return whose caseload a card is in: only who has it can give it on, or the office. The order of arrival is nothing."""
    owner = first
    for one in sorted(set(given), key=lambda one: (one.at, one.id)):
        if one.is_office or one.by == owner:
            owner = one.to
    return owner


def is_caseload_note(envelope: Envelope) -> bool:
    return envelope.form.startswith(PREFIX)


def plain_code(text: Any) -> str:
    """Return a card code in its one spelling, without dashes; "" when it is none (Crockford's base 32, value mod 37)."""
    code = text.replace("-", "").upper() if isinstance(text, str) else ""
    if not CODE.fullmatch(code):
        return ""
    value = 0
    for sign in code[:8]:
        value = value * 32 + ALPHABET.index(sign)
    return code if CHECK[value % 37] == code[8] else ""


def parse_due(value: Any) -> tuple[str, dt.date] | None:
    """Return the record and the day that a follow-up's name tells; None when it is none."""
    record, _, day = value.partition("/") if isinstance(value, str) else ("", "", "")
    try:
        return (record, dt.date.fromisoformat(day)) if is_random_uuid(record) and len(day) == 10 else None
    except ValueError:
        return None


def check_note(form: str, given: Any, size: int = 0) -> list[AnswerProblem]:
    """Return what is wrong with a note; `size` is how many characters it came in."""
    if size > MAX_NOTE:
        return [AnswerProblem("sync.note", N_("This note is too long."), "")]
    given = given if isinstance(given, dict) else {}
    if form == SETTLE:
        is_good = parse_due(given.get("due")) is not None
    elif form == HANDOVER:
        is_good = bool(plain_code(given.get("code"))) and type(given.get("to")) is int and given["to"] > 0
    elif form == REISSUE:
        is_good = bool(plain_code(given.get("code")) and plain_code(given.get("new")))
    else:
        return [AnswerProblem("sync.unknown_note", N_("The centre does not know this kind of note."), "")]
    return [] if is_good else [AnswerProblem("sync.note", N_("This note is incomplete."), "")]
