"""Tombstones: what is left of submissions that were erased.

When the same one comes again, it is recognized. A tombstone has its place in the log, its
phone and its number there, so that receipts, positions and the count of gaps stay right. Its
ids are replaced by keyed tags. Its hash is masked by its id: a phone that sends it again knows
the id and gets the hash back; nobody else does.
"""

import hashlib
import hmac
from collections.abc import Collection

from sqlalchemy.orm import Session

from fieldapp.store.operations.centres import Centre

ERASED_FORM = "fieldapp.erased"  # stands for its form
SUBMISSION = "submission"  # kind of tag
TAG_LENGTH = 36  # hexadecimal characters, as long as the id that it replaces: 144 bits


def load_tag_key(session: Session, centre_id: int) -> bytes:
    """Return the key of a centre's tags: derived from a secret that never leaves it."""
    centre = session.get_one(Centre, centre_id)
    return hmac.digest(centre.table_secret.encode(), b"fieldapp erased", "sha256")


def make_tag(key: bytes, kind: str, value: str) -> str:
    """Return what stands for an id, 36 hexadecimal characters; no UUID looks like it."""
    return hmac.new(key, f"{kind}|{value}".encode(), hashlib.sha256).hexdigest()[:TAG_LENGTH]


def mask_hash(key: bytes, instance_id: str, sha256: str) -> str:
    """Return a hash masked by an id; the same function takes the mask off again."""
    mask = hmac.digest(key, f"mask|{instance_id}".encode(), "sha256")
    masked = bytes(left ^ right for left, right in zip(bytes.fromhex(sha256), mask, strict=True))
    return masked.hex()


class TombstoneReader:
    """Finds, among what is stored, the tombstones of submissions that come again."""

    def __init__(self, session: Session, centre_id: int, instance_ids: Collection[str]):
        self.key = load_tag_key(session, centre_id)
        self.tags = {make_tag(self.key, SUBMISSION, instance_id): instance_id for instance_id in instance_ids}

    def restore(self, instance_id: str, sha256: str) -> tuple[str, str]:
        """Return the id and hash of a stored row as they were when it came."""
        original = self.tags.get(instance_id)
        if original is None:
            return instance_id, sha256
        return original, mask_hash(self.key, original, sha256)


def hash_lines(lines: Collection[str]) -> str:
    """Return the SHA-256 of texts, one a line, in hexadecimal."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
