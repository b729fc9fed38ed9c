"""Slips: with twelve random characters a person sees or takes back their consent.

No name is needed. A phone makes them (client/src/engine/slips.ts), 60 random bits in Crockford's base 32
(https://www.crockford.com/base32.html). The centre stores only a keyed hash, so nobody can read a slip out of
its database.
"""

import hashlib
import hmac

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
TAG_BYTES = 16
_LOOKALIKES = str.maketrans({"I": "1", "L": "1", "O": "0"})


def parse_slip(text: str) -> str:
    """Return the 12 characters of a slip as somebody typed it; "" when it is none.

    Case, spaces and dashes do not matter; I and L are read as 1, O as 0.
    """
    characters = "".join(part for part in text.upper() if not part.isspace() and part not in "-–—.")
    slip = characters.translate(_LOOKALIKES)
    is_slip = len(slip) == LENGTH and all(character in ALPHABET for character in slip)
    if is_slip:
        return slip
    return ""


def tag_slip(slip: str, key: bytes) -> str:
    """Return the keyed hash under which the centre knows a slip.

    It is HMAC-SHA-256 under a key of at least 32 bytes, cut to 16 bytes and written as hex.
    """
    return hmac.new(key, slip.encode(), hashlib.sha256).digest()[:TAG_BYTES].hex()
