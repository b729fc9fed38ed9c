"""Receipts: the centre's signature that it has a submission stored.

A phone takes a record for delivered only for one of these, and keeps its copy until the centre holds it in two places
(`sync/keeping.py`).
"""

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


@dataclass(frozen=True)
class ReceiptContent:
    """What a receipt confirms: id, hash, time, and position in the log of an epoch."""

    id: str
    sha256: str
    at: dt.datetime
    position: int
    epoch: int = 0

    @property
    def signed(self) -> bytes:
        # The prefix keeps a receipt from ever being valid as another message that this key signs.
        return f"fieldapp receipt 1|{self.id}|{self.sha256}|{self.signed_time}|{self.position}".encode()

    @property
    def proved(self) -> bytes:
        """Return what is signed with the epoch too; apps of before know only `signed`."""
        parts = (self.id, self.sha256, self.signed_time, str(self.epoch), str(self.position))
        return f"fieldapp receipt 2|{'|'.join(parts)}".encode()

    @property
    def signed_time(self) -> str:
        """Return the time as it is signed: UTC, to the millisecond."""
        return self.at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Signer:
    """The key with which a centre gives receipts.

    Source: Ed25519, RFC 8032; the same receipt gets the same signature again.
    """

    kid: str
    key: Ed25519PrivateKey

    def answer(self, nonce: str, body: bytes) -> str:
        """Return the signature (base64) of an answer, valid only with the request's nonce."""
        # With the nonce an old answer cannot be played back to the phone, for instance one that
        # says "nothing new".
        signed = f"fieldapp answer 1|{nonce}|{hashlib.sha256(body).hexdigest()}".encode()
        return base64.b64encode(self.key.sign(signed)).decode()

    def receipt(self, content: ReceiptContent) -> dict[str, str | int]:
        """Return the receipt as phones get it, with its signatures in base64."""
        return {
            "at": content.signed_time,
            "position": content.position,
            "epoch": content.epoch,
            "kid": self.kid,
            "signature": base64.b64encode(self.key.sign(content.signed)).decode(),
            "proof": base64.b64encode(self.key.sign(content.proved)).decode(),
        }


def is_receipt(content: ReceiptContent, signature: str, public_key: str) -> bool:
    """Say whether a signature (base64) is the centre's for this content, but for its epoch.

    `public_key`: the centre's, 32 bytes in base64. False also when key or signature are malformed.
    """
    return _is_signed(content.signed, signature, public_key)


def is_proved(content: ReceiptContent, proof: str, public_key: str) -> bool:
    """Say whether a proof (base64) is the centre's for this content, its epoch included."""
    return _is_signed(content.proved, proof, public_key)


def _is_signed(signed: bytes, signature: str, public_key: str) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), signed)
    except (InvalidSignature, ValueError):
        return False
    return True
