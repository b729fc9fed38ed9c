"""Tickets: what the page of a slip acts with, so that no second form holds the slip.

A ticket allows one act with one slip for some minutes. The centre stores none of them.
"""

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

VALID = dt.timedelta(minutes=15)
MAC_LENGTH = 32  # characters: 16 bytes as hex


class SlipAct(StrEnum):
    """What a person does with their slip."""

    TO_2 = "lower-2"
    TO_1 = "lower-1"
    ASK_END = "ask-end"  # shows what an end does, and does nothing
    END = "end"


@dataclass(frozen=True)
class Ticket:
    tag: str  # of the slip
    act: SlipAct


def issue_ticket(ticket: Ticket, key: bytes, now: dt.datetime) -> str:
    """Return a ticket as the page's form holds it."""
    expires = int((now + VALID).timestamp())
    text = f"{ticket.tag}.{ticket.act}.{expires}"
    return f"{text}.{_sign(text, key)}"


def read_ticket(text: str, key: bytes, now: dt.datetime) -> Ticket | None:
    """Return what a ticket allows; None when it is not ours, or over."""
    signed, _, mac = text.rpartition(".")
    if not hmac.compare_digest(mac.encode(), _sign(signed, key).encode()):
        return None
    tag, act, expires = signed.split(".")
    if now.timestamp() >= int(expires):
        return None
    return Ticket(tag, SlipAct(act))


def _sign(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:MAC_LENGTH]
