"""Letters: what a centre or the City says in a round, signed.

Keys are exchanged on paper beforehand.
A letter is a small file of JSON. It can travel in any folder: a changed one is refused.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evaluator_export.problems import ExportProblem, Reason

# So that a signature of a letter is good for nothing else that the same key signs.
PREFIX = b"fieldapp city sum 1\n"
MOST_BYTES = 8_000_000
CITY = "city"

Sign = Callable[[bytes], bytes]
Body = Mapping[str, Any]


def write_text(body: Any) -> str:
    """Return JSON that is the same for the same content, so that it can be hashed."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def compute_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def write_letter(kind: str, sender: str, body: Body, sign: Sign) -> str:
    """Return a signed letter of a kind, as the text of a file."""
    content = write_text({**body, "kind": kind, "from": sender})
    return write_text({"letter": content, "signature": sign(PREFIX + content.encode()).hex()})


def read_letter(text: str, kind: str, sender: str, key: str) -> dict[str, Any]:
    """Return what a letter says.

    `key`: the sender's public key, Ed25519, in hexadecimal digits. Raise ExportProblem "city.letter" unless the sender
    signed this letter, of this kind.
    """
    problem = ExportProblem(Reason("city.letter", {"kind": kind, "sender": sender}))
    try:
        outer = json.loads(text if len(text) <= MOST_BYTES else "")
        content = outer["letter"]
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(outer["signature"]), PREFIX + content.encode())
        body = json.loads(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidSignature):
        raise problem from None
    if not isinstance(body, dict) or (body.get("kind"), body.get("from")) != (kind, sender):
        raise problem
    return body


def look_at_letter(text: str) -> dict[str, Any]:
    """Return what a letter says, without believing it: to learn whose it is."""
    try:
        body = json.loads(json.loads(text if len(text) <= MOST_BYTES else "")["letter"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ExportProblem(Reason("city.letter", {"kind": "letter", "sender": "?"})) from None
    return body if isinstance(body, dict) else {}
