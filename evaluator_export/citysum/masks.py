"""What the sum is built on: masks from a seed, shares of a seed, boxes for one reader.

The ciphers are those of the `cryptography` package; Shamir's shares are ours.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PRIME = 2**521 - 1  # above every seed of 256 bits
SHARE_BYTES = 66  # 521 bits
SEED_BYTES = 32
NONCE_BYTES = 12

Vector = np.ndarray[tuple[int], np.dtype[np.uint64]]  # of numbers modulo 2^64


def make_seed() -> bytes:
    return os.urandom(SEED_BYTES)


def expand(seed: bytes, size: int) -> Vector:
    """Return as many numbers modulo 2^64 as are asked for; a seed always gives the same."""
    # A seed masks one vector in its life, so the nonce can be 0.
    encryptor = Cipher(algorithms.ChaCha20(seed, bytes(16)), None).encryptor()
    return np.frombuffer(encryptor.update(bytes(8 * size)), "<u8")


def derive(secret: bytes, *words: str) -> bytes:
    """Return a key of its own for each use of a secret."""
    return HKDF(SHA256(), SEED_BYTES, None, "|".join(("fieldapp city sum", *words)).encode()).derive(secret)


def agree_on_secret(private: bytes, public: bytes) -> bytes:
    """Return what two key pairs have in common (X25519).

    Raise ValueError for a public key that none can be had with.
    """
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))


def find_public_key(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def split(seed: bytes, least: int, places: Iterable[int]) -> dict[int, bytes]:
    """Return a share of a seed for each place, from 1.

    Any `least` of them give it back, fewer say nothing.
    """
    polynomial = [int.from_bytes(seed, "big"), *(secrets.randbelow(PRIME) for _ in range(least - 1))]
    return {place: _evaluate(polynomial, place).to_bytes(SHARE_BYTES, "big") for place in places}


def _evaluate(polynomial: Sequence[int], place: int) -> int:
    total = 0
    for coefficient in reversed(polynomial):
        total = (total * place + coefficient) % PRIME
    return total


def join(shares: Mapping[int, bytes]) -> bytes:
    """Return the seed of some shares, by place.

    What comes out of too few, or of wrong ones, is another number: the caller compares it with what its owner vouched for.
    """
    total = 0
    for place, share in shares.items():
        above = below = 1
        for other in shares:
            if other != place:
                above = above * other % PRIME
                below = below * (other - place) % PRIME
        total = (total + int.from_bytes(share, "big") * above * pow(below, -1, PRIME)) % PRIME
    return total.to_bytes(SHARE_BYTES, "big")[-SEED_BYTES:]


def close_box(secret: bytes, label: str, content: bytes) -> bytes:
    """Return content closed with a secret, for the use that the label names."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(derive(secret, "box", label)).encrypt(nonce, content, label.encode())


def open_box(secret: bytes, label: str, box: bytes) -> bytes | None:
    """Return the content of a box; None with another secret or for another use."""
    try:
        return ChaCha20Poly1305(derive(secret, "box", label)).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], label.encode())
    except (InvalidTag, ValueError):
        return None


def hash_seed(seed: bytes) -> str:
    """Return what a centre vouches for a seed with.

    It says nothing of the seed, which has 256 random bits.
    """
    return hashlib.sha256(b"fieldapp city seed" + seed).hexdigest()
