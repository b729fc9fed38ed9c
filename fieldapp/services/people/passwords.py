"""Passwords: Argon2id hashes, and passphrases made for people."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_hasher = PasswordHasher()
# Checked when a name is unknown, so that an unknown name takes as long as a wrong password.
_nobody = _hasher.hash(secrets.token_hex(16))

ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"


def generate_password() -> str:
    """Return a random passphrase that can be read over a phone: three groups of five, 73 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(3))


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify_password(hashed: str | None, password: str) -> bool:
    try:
        return _hasher.verify(hashed or _nobody, password) and hashed is not None
    except VerificationError:
        return False
