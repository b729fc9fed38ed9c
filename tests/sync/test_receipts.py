"""Receipts: what a phone believes, and what it does not."""

import base64
import datetime as dt
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.receipts import ReceiptContent, Signer, is_proved, is_receipt

KEY = Ed25519PrivateKey.generate()
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
HELD: dict[str, Any] = {
    "id": "a",
    "sha256": "b" * 64,
    "at": dt.datetime(2026, 11, 24, 3, 2, 1, tzinfo=dt.UTC),
    "position": 7,
    "epoch": 3,
}
SIGNED = Signer("k", KEY).receipt(ReceiptContent(**HELD))


def test_a_receipt_holds_for_exactly_what_it_names() -> None:
    assert is_receipt(ReceiptContent(**HELD), str(SIGNED["signature"]), PUBLIC)
    assert Signer("k", KEY).receipt(ReceiptContent(**HELD)) == SIGNED


@pytest.mark.parametrize(
    ("key", "value"),
    [("id", "x"), ("sha256", "c" * 64), ("position", 8), ("at", dt.datetime(2026, 11, 24, 3, 2, 2, tzinfo=dt.UTC))],
)
def test_a_receipt_for_anything_else_does_not(key: str, value: Any) -> None:
    assert not is_receipt(ReceiptContent(**{**HELD, key: value}), str(SIGNED["signature"]), PUBLIC)


@pytest.mark.parametrize(("key", "value"), [("id", "x"), ("position", 8), ("epoch", 4)])
def test_its_proof_holds_for_its_epoch_only(key: str, value: Any) -> None:
    assert is_proved(ReceiptContent(**HELD), str(SIGNED["proof"]), PUBLIC)
    assert not is_proved(ReceiptContent(**{**HELD, key: value}), str(SIGNED["proof"]), PUBLIC)
    assert not is_proved(ReceiptContent(**HELD), str(SIGNED["signature"]), PUBLIC)


@pytest.mark.parametrize("signature", ["", "x", "A" * 88])
def test_rubbish_is_no_signature(signature: str) -> None:
    assert not is_receipt(ReceiptContent(**HELD), signature, PUBLIC)
    assert not is_receipt(ReceiptContent(**HELD), str(SIGNED["signature"]), "no key")
