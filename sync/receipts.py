"""Receipts: the centre's signed word that it holds a submission. A phone lets go of its own copy only for one of these."""

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


@dataclass(frozen=True)
class ReceiptContent:
    """What a receipt is about: the id, the hash of the bytes that came, when they came, their place in the centre's log."""

    id: str
    sha256: str
    at: dt.datetime
    position: int

    @property
    def signed(self) -> bytes:
        return f"fieldapp receipt 1|{self.id}|{self.sha256}|{self.signed_time}|{self.position}".encode()

    @property
    def signed_time(self) -> str:
        """Return the time as it is signed: UTC, to the millisecond."""
        return self.at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Signer:
    """The key of a centre that signs receipts (Ed25519, RFC 8032: the same receipt gets the same signature again)."""

    kid: str
    key: Ed25519PrivateKey

    def answer(self, nonce: str, body: bytes) -> str:
        """Return the signature (base64) under an answer, which holds only together with the nonce that asked for it."""
        signed = f"fieldapp answer 1|{nonce}|{hashlib.sha256(body).hexdigest()}".encode()
        return base64.b64encode(self.key.sign(signed)).decode()

    def receipt(self, held: ReceiptContent) -> dict[str, str | int]:
        signature = base64.b64encode(self.key.sign(held.signed)).decode()
        return {"at": held.signed_time, "position": held.position, "kid": self.kid, "signature": signature}


def is_receipt(held: ReceiptContent, signature: str, public_key: str) -> bool:
    """Say whether a signature (base64) is the centre's for exactly this."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), held.signed)
    except (InvalidSignature, ValueError):
        return False
    return True
