"""Records as they leave a phone: sealed to the centre and signed by the phone.

Source: HPKE, RFC 9180; ECDSA over P-256.

Whoever carries it, a colleague's session, a service worker, a file on a stick, can neither read it nor change it nor put
another author's name on it.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from sync.envelope import Envelope, is_random_uuid, parse_item
from sync.problems import N_, BatchRefused, SyncProblem

MAX_SEALED = 100
MAX_COPIED = 5000  # in a copy that was saved as a file
MAX_PHONES = 20
SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
CURVE = ec.SECP256R1()


@dataclass(frozen=True)
class SealedRecord:
    """One sealed record; its carrier can know no more of it than `sha256`."""

    id: str
    device: str  # the phone that made and signed it
    kid: str  # the centre's key that it is sealed to
    ciphertext: bytes
    signature: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.ciphertext).hexdigest()

    @property
    def info(self) -> bytes:
        """Return what seal and signature are bound to besides the content."""
        return f"fieldapp sealed record 1|{self.id}|{self.device}|{self.kid}".encode()


@dataclass(frozen=True)
class SealedDelivery:
    """What a phone sends: sealed records, and a report of each worker's store."""

    phones: list[dict[str, Any]]
    items: list[SealedRecord]


def parse_delivery(data: bytes, most: int = MAX_SEALED) -> SealedDelivery:
    """Return the records and reports in a delivery, at most `most` records.

    Raises BatchRefused with a problem for every record that is malformed.
    """
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        raise BatchRefused([SyncProblem("sync.not_json", N_("The message is not JSON."))]) from None
    if not isinstance(message, dict):
        message = {}
    items = message.get("items")
    phones = message.get("phones", [])
    if not isinstance(items, list) or not isinstance(phones, list):
        raise BatchRefused([SyncProblem("sync.no_items", N_("The message has no submissions in “items”."))])
    if len(items) > most or len(phones) > MAX_PHONES:
        raise BatchRefused([SyncProblem("sync.too_many", N_("Send at most 100 submissions at a time."))])
    parsed = [_parse_sealed(item) for item in items]
    missing = [f"items[{index}]" for index, item in enumerate(parsed) if item is None]
    if missing:
        text = N_("This part is missing or malformed.")
        raise BatchRefused([SyncProblem("sync.field", text, where) for where in missing])
    # A report is help, not data: what cannot be read of it must not hold back the records that came
    # along.
    reports = [phone for phone in phones if isinstance(phone, dict) and is_random_uuid(phone.get("device"))]
    return SealedDelivery(reports, [item for item in parsed if item])


@dataclass(frozen=True)
class CopiedAttachment:
    """A sealed attachment in a copy that was saved as a file."""

    sha256: str
    device: str
    proof: bytes
    data: bytes


def parse_copied_attachments(data: bytes) -> list[CopiedAttachment]:
    """Return the attachments in a saved copy; malformed ones are left out.

    Their records wait for them.
    """
    copy = json.loads(data)
    items = copy.get("attachments", []) if isinstance(copy, dict) else []
    if not isinstance(items, list):
        return []
    attachments = []
    for item in items:
        attachment = _parse_attachment(item)
        if attachment:
            attachments.append(attachment)
    return attachments


def _parse_attachment(item: Any) -> CopiedAttachment | None:
    if not isinstance(item, dict) or not isinstance(item.get("hash"), str) or not is_random_uuid(item.get("device")):
        return None
    data = _decode_base64(item.get("data"))
    if not data or item["hash"] != hashlib.sha256(data).hexdigest():
        return None
    return CopiedAttachment(item["hash"], item["device"], _decode_base64(item.get("proof")), data)


def _parse_sealed(item: Any) -> SealedRecord | None:
    if not isinstance(item, dict) or not all(is_random_uuid(item.get(key)) for key in ("id", "device", "kid")):
        return None
    ciphertext = _decode_base64(item.get("box"))
    signature = _decode_base64(item.get("signature"))
    # ECDSA over P-256 has exactly 64 bytes here; other lengths would be a second spelling of a
    # signature.
    if not ciphertext or len(signature) != 64:
        return None
    return SealedRecord(item["id"], item["device"], item["kid"], ciphertext, signature)


def _decode_base64(value: Any) -> bytes:
    if not isinstance(value, str):
        return b""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def parse_public_key(text: str) -> ec.EllipticCurvePublicKey:
    """Return a public key from its uncompressed point in base64; raise ValueError else."""
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, base64.b64decode(text, validate=True))


def is_signed(sealed: SealedRecord, public_key: str) -> bool:
    """Say whether the phone with this public key signed a record."""
    return is_signed_by(public_key, sealed.signature, sealed.info + b"|" + sealed.ciphertext)


def is_signed_by(public_key: str, signature: bytes, signed: bytes) -> bool:
    """Say whether a signature is that key's.

    ECDSA over P-256 with SHA-256; the signature is r and s side by side, 32 bytes each.
    """
    r = int.from_bytes(signature[:32])
    s = int.from_bytes(signature[32:64])
    try:
        parse_public_key(public_key).verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def open_sealed(sealed: SealedRecord, private_key: ec.EllipticCurvePrivateKey) -> tuple[Envelope | None, int]:
    """Return the submission inside, and its number on the phone.

    (None, 0) when the key does not open it, or when it contains no submission.
    """
    try:
        inner = json.loads(SUITE.decrypt(sealed.ciphertext, private_key, info=sealed.info))
    except (InvalidTag, ValueError, RecursionError):
        return None, 0
    if not isinstance(inner, dict) or not isinstance(inner.get("body"), str):
        return None, 0
    body = inner["body"].encode("utf-8", "surrogatepass")
    # The outer id and the hash of what was really inside win over whatever the sealed text claims.
    envelope = parse_item({**inner, "id": sealed.id, "sha256": hashlib.sha256(body).hexdigest()})
    number = inner.get("seq")
    if not isinstance(number, int) or not 0 < number < 2**31:
        number = 0
    return envelope, number
