"""A sealed record: whoever carries it can neither read nor change it nor sign it as somebody else."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.problems import BatchRefused
from sync.sealed import CURVE, is_signed, open_sealed, parse_delivery
from tests.sealing import Centre, PhoneKey, delivery, sealed

CENTRE, PHONE = Centre(), PhoneKey()


def only(item: dict[str, Any]) -> Any:
    return parse_delivery(delivery(item)).items[0]


def test_what_a_phone_sealed_opens_at_the_centre_and_nowhere_else() -> None:
    item = only(sealed({"n": "1"}, CENTRE, PHONE, seq=7))
    envelope, number = open_sealed(item, CENTRE.private)
    assert envelope is not None
    assert (json.loads(envelope.body), number, envelope.is_intact) == ({"n": "1"}, 7, True)
    assert is_signed(item, PHONE.public)
    assert b'"n"' not in item.ciphertext
    assert open_sealed(item, Centre().private) == (None, 0)


@pytest.mark.parametrize("part", ["id", "device", "kid"])
def test_moving_a_box_under_another_name_breaks_seal_and_signature(part: str) -> None:
    moved = replace(only(sealed({}, CENTRE, PHONE)), **{part: str(uuid.uuid4())})
    assert not is_signed(moved, PHONE.public)
    assert open_sealed(moved, CENTRE.private) == (None, 0)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_bit_is_noticed(place: int, change: int) -> None:
    item = only(sealed({}, CENTRE, PHONE))
    box = bytearray(item.ciphertext)
    box[place % len(box)] ^= change
    changed = replace(item, ciphertext=bytes(box))
    assert not is_signed(changed, PHONE.public)
    assert open_sealed(changed, CENTRE.private) == (None, 0)


def test_another_phones_signature_does_not_hold() -> None:
    assert not is_signed(only(sealed({}, CENTRE, PHONE)), PhoneKey().public)
    assert not is_signed(only(sealed({}, CENTRE, PHONE)), "no key")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"items": 3}', b'{"items": [3]}', b'{"items": [{"id": "x"}]}', b'{"items": {}}']
)
def test_a_malformed_delivery_is_refused_whole(data: bytes) -> None:
    with pytest.raises(BatchRefused):
        parse_delivery(data)


def test_phones_without_a_proper_number_are_passed_over() -> None:
    phones = [{"device": "1"}, 3, {"device": str(uuid.uuid4()), "made": 2}]
    assert len(parse_delivery(json.dumps({"items": [], "phones": phones}).encode()).phones) == 1


def test_the_curve_is_the_one_that_all_browsers_have() -> None:
    assert CURVE.name == "secp256r1"
