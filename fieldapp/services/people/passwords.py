"""Passwords: Argon2id hashes, and passphrases made for people."""

import functools
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_hasher = PasswordHasher()

# Without i, l, o, u, 0 and 1, which are mistaken for one another when they are read aloud.
ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"


def generate_password() -> str:
    """Return a random passphrase that can be read over a phone.

    It has three groups of five characters: 73 bits. Example: "k3m9x-qw7ha-2bzrt".
    """
    return "-".join(_generate_group() for _ in range(3))


def _generate_group() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(5))


def hash_password(password: str) -> str:
    """Return an Argon2id hash with its parameters and salt."""
    return _hasher.hash(password)


def verify_password(hashed: str | None, password: str) -> bool:
    """Say whether a password is right; None stands for a person who does not exist."""
    # Asked for whoever signs in: the first sign-in of a process takes longer, and says nothing about the name.
    nobody = _hash_of_nobody()
    try:
        return _hasher.verify(hashed or nobody, password) and hashed is not None
    except VerificationError:
        return False


@functools.cache
def _hash_of_nobody() -> str:
    """Return what is checked for an unknown name, so that it takes as long as a known one."""
    return _hasher.hash(secrets.token_hex(16))
