"""Consent records and receipts for other systems, in JSON.

The parts and their names are those of ISO/IEC TS 27560:2023 (consent record information structure). It has no name,
no card code, no worker and no day: the person is a keyed tag, and each event has its month.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = "ISO/IEC TS 27560:2023"
GIVEN = "consent given"
REFUSED = "consent refused"
WITHDRAWN = "consent withdrawn"

# What each tier adds, in words of the field: purpose → (from this tier on, who receives facts, in which form).
PURPOSES = {
    "follow-up by the outreach team": (1, ("health centre",), "notes under a card code, at the centre"),
    "evaluation of the program": (2, ("health centre", "external evaluators"), "de-identified rows"),
    "public totals": (3, ("health centre", "external evaluators", "City and public"), "protected totals"),
}
RIGHTS = ("see what is held", "lower consent", "take everything back", "ask for a copy at the centre")


@dataclass(frozen=True)
class ConsentEvent:
    """Something that a person said about consent."""

    month: str  # "2026-10"
    tier: int  # -1: everything is taken back; 0: no; 1 to 3: how far it reaches
    how: str  # "form", "slip" or "office"
    wording: str  # first 16 hexadecimal digits of the hash of the text that was read out; "" when unknown
    language: str  # tag of the language; "" when unknown


def make_consent_record(tag: str, controller: str, events: Sequence[ConsentEvent], standing_tier: int) -> dict[str, Any]:
    """Return the record of a person's consent, ready for JSON.

    `tag` stands for the person, `controller` is the centre's name, `standing_tier` is what holds now.
    """
    return {
        "record_metadata": {"schema_version": SCHEMA_VERSION, "record_id": tag, "pii_principal_id": tag},
        "pii_processing": {
            "privacy_notices": _list_notices(events),
            "purposes": [_describe_purpose(name, standing_tier) for name in PURPOSES],
            "pii_controllers": [{"name": controller}],
            "collection_method": "conversation with an outreach worker",
            "privacy_rights": list(RIGHTS),
            "withdrawal_method": "slip, or in person at the centre",
        },
        "consent_events": [_describe_event(event) for event in events],
        "consent_state": _name_state(standing_tier),
    }


def make_receipt(record: dict[str, Any], month: str) -> dict[str, Any]:
    """Return the receipt for a record: the same content, and when it was written."""
    receipt_id = record["record_metadata"]["record_id"]
    metadata = {"schema_version": SCHEMA_VERSION, "receipt_id": receipt_id, "issued_in": month}
    return {"receipt_metadata": metadata, "consent_record": record}


def _list_notices(events: Sequence[ConsentEvent]) -> list[dict[str, str]]:
    """Return each wording that was read out, in each language, once."""
    notices: list[dict[str, str]] = []
    for event in events:
        notice = {"hash": event.wording, "language": event.language}
        if event.wording and notice not in notices:
            notices.append(notice)
    return notices


def _describe_purpose(name: str, standing_tier: int) -> dict[str, Any]:
    least_tier, recipients, form = PURPOSES[name]
    return {
        "purpose": name,
        "lawful_basis": "consent",
        "recipients": list(recipients),
        "pii_information": form,
        "is_allowed": standing_tier >= least_tier,
    }


def _describe_event(event: ConsentEvent) -> dict[str, Any]:
    return {
        "event_time": event.month,
        "event_type": "explicit",
        "event_state": _name_state(event.tier),
        "event_tier": event.tier,
        "collection_method": event.how,
        "notice_hash": event.wording,
        "language": event.language,
    }


def _name_state(tier: int) -> str:
    if tier < 0:
        return WITHDRAWN
    if tier == 0:
        return REFUSED
    return GIVEN
