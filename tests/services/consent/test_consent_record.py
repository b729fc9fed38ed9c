"""The consent record for other systems: what was said and what holds, and nobody's name, code or day."""

import json

import pytest

from fieldapp.services.consent.consent_record import ConsentEvent, make_consent_record, make_receipt

YES = ConsentEvent("2026-08", 3, "form", "0123456789abcdef", "fr")
LESS = ConsentEvent("2026-10", 1, "slip", "", "")
END = ConsentEvent("2026-11", -1, "office", "", "")


@pytest.mark.parametrize(
    ("tier", "allowed", "state"),
    [
        (3, [True, True, True], "consent given"),
        (2, [True, True, False], "consent given"),
        (1, [True, False, False], "consent given"),
        (0, [False, False, False], "consent refused"),
        (-1, [False, False, False], "consent withdrawn"),
    ],
)
def test_purposes_are_allowed_as_far_as_the_standing_consent_reaches(tier: int, allowed: list[bool], state: str) -> None:
    record = make_consent_record("ab12", "Jane Street Centre", [YES], tier)
    assert [purpose["is_allowed"] for purpose in record["pii_processing"]["purposes"]] == allowed
    assert record["consent_state"] == state


def test_it_has_every_event_in_order_and_each_wording_once() -> None:
    record = make_consent_record("ab12", "Jane Street Centre", [YES, YES, LESS, END], -1)
    states = [(event["event_time"], event["event_state"], event["collection_method"]) for event in record["consent_events"]]
    assert states == [
        ("2026-08", "consent given", "form"),
        ("2026-08", "consent given", "form"),
        ("2026-10", "consent given", "slip"),
        ("2026-11", "consent withdrawn", "office"),
    ]
    assert record["pii_processing"]["privacy_notices"] == [{"hash": "0123456789abcdef", "language": "fr"}]


def test_a_receipt_is_the_record_with_the_month_in_which_it_was_written() -> None:
    record = make_consent_record("ab12", "Jane Street Centre", [YES], 3)
    receipt = make_receipt(record, "2026-11")
    assert receipt["consent_record"] == record
    assert receipt["receipt_metadata"] == {
        "schema_version": "ISO/IEC TS 27560:2023",
        "receipt_id": "ab12",
        "issued_in": "2026-11",
    }
    assert json.loads(json.dumps(receipt)) == receipt
